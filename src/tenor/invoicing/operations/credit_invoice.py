"""Give back a part of an invoice, or all that is left of it, by a credit note."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from tenor.invoicing.adjustments import insert_waivers
from tenor.invoicing.billing_settings import NegativeTotal, billing_settings
from tenor.invoicing.crediting import (
    LeftOfInvoice,
    credit_note_draft,
    owe_anew,
    read_left,
    restored,
    waivers_of,
    write_credit_note,
)
from tenor.invoicing.operations.request_refund import request_refund
from tenor.invoicing.outside_runs import document_name
from tenor.invoicing.receivables import lock_document
from tenor.invoicing.request_keys import made_before, remember
from tenor.invoicing.rules.credit_notes import CreditExceedsDocument, settle_credit
from tenor.invoicing.rules.lifecycle import DocumentMoveRefused, DocumentStatus
from tenor.invoicing.rules.receivable import discharged
from tenor.kernel.errors import Malformed
from tenor.kernel.ids import InvoiceId, to_wire
from tenor.kernel.money import allocate, format_minor
from tenor.platform.audit import Deed, record
from tenor.platform.unit_of_work import UnitOfWork

_OPERATION = "credit_invoice"


class CreditNote(NamedTuple):
    """A credit note by its number."""

    id: InvoiceId
    name: str


def credit_invoice(
    uow: UnitOfWork,
    invoice_id: InvoiceId,
    *,
    lines: Mapping[int, int] | None = None,
    amount_minor: int | None = None,
    settles: NegativeTotal | None = None,
    key: str,
    now: datetime,
    actor: str,
    reason: str,
) -> CreditNote:
    """Give back `lines` (minor units by line number), or `amount_minor` spread over all, or everything that is left.

    Amounts count as the prices of the invoice do, and their tax goes back at the rate at which it was billed. What
    wallets paid of a line goes back to them first. The rest lowers what is still due; what is left of it goes to the
    customer's credit, and from there, where `settles`
    (by default the customer's billing settings) says refund, so much is asked to be refunded as was paid in money.
    What is given back is waived: no later bill run asks for it again. Lines that had given something back themselves
    are owed anew where they are credited, but for caps. The same `key` makes nothing new.

    Raises:
        DocumentNotFound: no such invoice.
        CreditExceedsLine, CreditExceedsDocument: less than that is left; concurrent credits wait for each other.
        Malformed: no such line, nothing left, or both `lines` and `amount_minor`.
        DocumentMoveRefused: the invoice is void.
        RequestKeyReused: the key was used for something else.
    """
    asked = None if lines is None else sorted(lines.items())
    content = {"invoice_id": invoice_id, "lines": asked, "amount_minor": amount_minor, "settles": settles}
    known = made_before(uow, _OPERATION, key, content)
    if known is not None:
        return CreditNote(InvoiceId(known), document_name(uow, known))
    receivable = lock_document(uow, invoice_id)
    if receivable.status is DocumentStatus.VOID:
        raise DocumentMoveRefused(f"{receivable.name} is void: nothing is left of it", status=receivable.status.value)
    left = read_left(uow, receivable)
    amounts = _amounts(left, lines, amount_minor)
    draft = credit_note_draft(left, amounts, reason=reason, now=now, mark=f"{_OPERATION} {key}".encode())
    draft = restored(uow, draft, left, receivable, [*amounts], now=now, actor=actor, reason=reason)
    paid_minor, from_balance_minor = left.discharged_minor(receivable)
    split = settle_credit(
        -draft.charged_minor,
        due_minor=receivable.collectable_minor,
        paid_minor=paid_minor,
        from_balance_minor=from_balance_minor,
    )
    discharge = discharged(receivable, split.off_due_minor, by="credited")
    issued = write_credit_note(uow, draft, discharge, split.off_due_minor, reason=reason, now=now)
    insert_waivers(uow, waivers_of(left, amounts, draft), credit_note_id=draft.id, reason=reason, now=now)
    owe_anew(uow, left, draft, everything=False, now=now)
    remember(uow, _OPERATION, key, content, draft.id)
    if settles is None:
        settles = billing_settings(uow, [left.customer_id])[left.customer_id].negative_total
    if settles == "refund" and split.to_refund_minor:
        request_refund(
            uow,
            left.customer_id,
            currency=left.currency,
            amount_minor=split.to_refund_minor,
            key=f"{_OPERATION} {draft.id}",
            now=now,
            actor=actor,
            reason=reason,
        )
    after: dict[str, object] = {"credit_note_id": to_wire("inv", draft.id), "total_minor": -draft.total_minor}
    deed = Deed(actor, "invoice.credited", "invoice", invoice_id, reason, now, after=after)
    record(uow, [deed])
    return CreditNote(draft.id, f"{issued.series}-{issued.number}")


def _amounts(left: LeftOfInvoice, lines: Mapping[int, int] | None, amount_minor: int | None) -> Mapping[int, int]:
    """Return what to give back by line number: as asked for, an amount spread over what bills something, or all."""
    if lines is not None and amount_minor is not None:
        raise Malformed("name lines or one amount to be credited, not both")
    if lines is not None:
        return lines
    if amount_minor is None:
        return {entry.number: entry.left_minor for entry in left.lines if entry.left_minor}
    rests = {entry.number: entry.left_minor for entry in left.lines if entry.left_minor > 0}
    if not 0 < amount_minor <= sum(rests.values()):
        rest = format_minor(sum(rests.values()), left.currency)
        raise CreditExceedsDocument(
            f"an amount to be credited is more than 0 and at most the {rest} {left.currency} left of {left.name}",
            asked_minor=amount_minor,
            left_minor=sum(rests.values()),
        )
    spread = zip(rests, allocate(amount_minor, list(rests.values())), strict=True)
    return {number: part_minor for number, part_minor in spread if part_minor}
