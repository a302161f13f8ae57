"""Take an invoice back whole; it keeps its number."""

from datetime import datetime

from tenor.invoicing.adjustments import AdjustmentKind, adjustments_by_id, insert_adjustments, insert_waivers
from tenor.invoicing.crediting import credit_note_draft, read_left, restored, write_credit_note
from tenor.invoicing.model import AdjustmentKey, Draft, Key
from tenor.invoicing.operations.credit_invoice import CreditNote, waivers_of_draft
from tenor.invoicing.receivables import lock_document
from tenor.invoicing.rules.lifecycle import DocumentMoveRefused, DocumentStatus
from tenor.invoicing.rules.receivable import voided
from tenor.kernel.ids import AdjustmentId, InvoiceId, ItemId, new_id
from tenor.platform.audit import Deed, record
from tenor.platform.outbox import Event, publish
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions import mark_news


def void_invoice(
    uow: UnitOfWork, invoice_id: InvoiceId, *, rebill: bool, now: datetime, actor: str, reason: str
) -> CreditNote:
    """Take back all that is left of an invoice by a credit note, and return that note.

    What was drawn from the customer's credit and from wallets goes back there. With `rebill` the next bill run bills
    anew what is owed; without, it is waived. Lines that gave something back are owed anew either way.

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
    left = read_left(uow, invoice_id)
    discharge = voided(receivable, given_back_on=left.given_back_on)
    amounts = {entry.number: entry.left_minor for entry in left.lines if entry.left_minor}
    draft = credit_note_draft(left, amounts, reason=reason, now=now, mark=b"void_invoice" + invoice_id.bytes)
    draft, _ = restored(uow, draft, left, receivable, [*amounts], now=now, actor=actor, reason=reason)
    issued = write_credit_note(uow, draft, discharge, receivable.collectable_minor, reason=reason, now=now)
    if rebill:
        _owe_adjustments_anew(uow, draft, now=now)
    else:
        insert_waivers(uow, waivers_of_draft(draft), credit_note_id=draft.id, reason=reason, now=now)
    _owe_anew(uow, draft, rebill=rebill, now=now)
    name = f"{issued.series}-{issued.number}"
    facts: dict[str, object] = {"credit_note_id": str(draft.id), "credit_note": name, "rebill": rebill}
    publish(uow, [Event("invoice.voided", invoice_id, facts, now)])
    record(uow, [Deed(actor, "invoice.voided", "invoice", invoice_id, reason, now, after=facts)])
    return CreditNote(draft.id, name)


def _owe_anew(uow: UnitOfWork, draft: Draft, *, rebill: bool, now: datetime) -> None:
    """Have the next bill run look at what the note took back and nobody waived."""
    news: dict[ItemId, datetime] = {}
    for entry in draft.lines:
        key = entry.line.key
        if isinstance(key, Key) and (rebill or entry.line.amount_minor > 0):
            news[key.item_id] = min(key.period.start, news.get(key.item_id, key.period.start))
    if news:
        mark_news(uow, news, now=now)


def _owe_adjustments_anew(uow: UnitOfWork, draft: Draft, *, now: datetime) -> None:
    """Write the adjustments that the note took back once more: each is claimed by one document, for ever."""
    ids = [entry.line.key.adjustment_id for entry in draft.lines if isinstance(entry.line.key, AdjustmentKey)]
    again = [
        adjustment._replace(id=AdjustmentId(new_id(now)), invoicing="next_invoice", created_at=now)
        for adjustment in adjustments_by_id(uow, ids)
        if adjustment.kind is not AdjustmentKind.CREDIT_PURCHASE  # its wallet has been told that nobody pays
    ]
    if again:
        insert_adjustments(uow, again)
