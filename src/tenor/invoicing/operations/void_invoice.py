"""Take an invoice back whole; it keeps its number."""

from datetime import datetime

from tenor.invoicing.adjustments import insert_waivers
from tenor.invoicing.crediting import (
    credit_note_draft,
    owe_anew,
    read_left,
    restored,
    waivers_of,
    write_credit_note,
)
from tenor.invoicing.operations.credit_invoice import CreditNote
from tenor.invoicing.receivables import lock_document
from tenor.invoicing.rules.lifecycle import DocumentMoveRefused, DocumentStatus
from tenor.invoicing.rules.receivable import voided
from tenor.kernel.ids import InvoiceId, to_wire
from tenor.platform.audit import Deed, record
from tenor.platform.outbox import Event, publish
from tenor.platform.unit_of_work import UnitOfWork


def void_invoice(
    uow: UnitOfWork, invoice_id: InvoiceId, *, rebill: bool, now: datetime, actor: str, reason: str
) -> CreditNote:
    """Take back all that is left of an invoice by a credit note, and return that note.

    What was drawn from the customer's credit and from wallets goes back there. With `rebill` the next bill run bills
    anew what is owed; without, it is waived. Lines that gave something back are owed anew either way, but for caps:
    what they took off goes with what they had capped.

    Raises:
        DocumentNotFound: no such invoice.
        DocumentPaid: money was received for it; credit it instead.
        DocumentGivenBack: a later document has given some of its lines back.
        DocumentMoveRefused: it is void already.
        Malformed: earlier credit notes have left nothing of it.
    """
    receivable = lock_document(uow, invoice_id)
    if receivable.status is DocumentStatus.VOID:
        raise DocumentMoveRefused(f"{receivable.name} is void already", status=receivable.status.value)
    left = read_left(uow, receivable)
    discharge = voided(receivable, given_back_on=left.given_back_on)
    amounts = {entry.number: entry.left_minor for entry in left.lines if entry.left_minor}
    draft = credit_note_draft(left, amounts, reason=reason, now=now, mark=b"void_invoice" + invoice_id.bytes)
    draft = restored(uow, draft, left, receivable, [*amounts], now=now, actor=actor, reason=reason)
    issued = write_credit_note(uow, draft, discharge, receivable.collectable_minor, reason=reason, now=now)
    if not rebill:
        insert_waivers(uow, waivers_of(left, amounts, draft), credit_note_id=draft.id, reason=reason, now=now)
    owe_anew(uow, left, draft, everything=rebill, now=now)
    name = f"{issued.series}-{issued.number}"
    facts: dict[str, object] = {"credit_note_id": to_wire("inv", draft.id), "credit_note": name, "rebill": rebill}
    publish(uow, [Event("invoice.voided", invoice_id, facts, now)])
    record(uow, [Deed(actor, "invoice.voided", "invoice", invoice_id, reason, now, after=facts)])
    return CreditNote(draft.id, name)
