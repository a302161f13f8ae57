"""Give up what is still open of an invoice as lost."""

from datetime import datetime

from tenor.invoicing.receivables import insert_write_off, lock_document, save_receivables
from tenor.invoicing.rules.receivable import Receivable, written_off
from tenor.kernel.ids import InvoiceId
from tenor.platform.audit import Deed, record
from tenor.platform.outbox import Event, publish
from tenor.platform.unit_of_work import UnitOfWork


def write_off(uow: UnitOfWork, invoice_id: InvoiceId, *, now: datetime, actor: str, reason: str) -> Receivable:
    """Book what is open of an invoice as bad debt, and return how the invoice then stands.

    A later payment takes it back. The tax stays owed to the tax office: to correct it, credit the invoice.

    Raises:
        DocumentNotFound: no such invoice.
        NothingOpen: it is discharged whole, void, or written off already.
    """
    before = lock_document(uow, invoice_id)
    after = written_off(before)
    save_receivables(uow, [after], now=now)
    insert_write_off(uow, after, before.open_minor, reason=reason, effective_at=now, now=now)
    facts: dict[str, object] = {"amount_minor": before.open_minor, "currency": before.currency}
    publish(uow, [Event("invoice.written_off", invoice_id, facts, now)])
    record(uow, [Deed(actor, "invoice.written_off", "invoice", invoice_id, reason, now, after=facts)])
    return after
