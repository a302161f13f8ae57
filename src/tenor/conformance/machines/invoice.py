"""Invoices as the case files move them, by the life of Tenor's own documents."""

from typing import Final

from tenor.conformance.machines.table import Situation, Table
from tenor.invoicing.rules.lifecycle import DocumentStatus, DocumentTrigger, next_document_status, voided_status


def _generated(situation: Situation) -> str:
    return "draft" if situation.given.get("draft") else situation.states.invoice_start


def _finalized(situation: Situation) -> str:
    return next_document_status(DocumentStatus(str(situation.state)), DocumentTrigger.FINALISED)


def _void(situation: Situation) -> str:
    given = situation.given
    is_paid = given.get("paid") and not given.get("refunded")
    return voided_status(
        DocumentStatus.PAID if is_paid else DocumentStatus(str(situation.state)),
        given_back_on=["a later invoice"] if given.get("credited_on_a_later_invoice") else [],
    )


INVOICE: Final[Table] = {
    (None, "generate"): _generated,
    ("draft", "generate"): "draft",  # new lines join it, or stand on a draft of their own
    (None, "child_invoice_created"): "draft",  # the summary for the parent is collected over the day
    ("draft", "child_invoice_created"): "draft",
    ("draft", "day_ended"): _finalized,
    **{(state, "finalize"): _finalized for state in ("draft", "finalized", "void")},
    **{(state, "void"): _void for state in ("draft", "finalized", "void")},
}
