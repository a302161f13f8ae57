"""Rows of `document_states`, `allocations` and `write_offs`: how what is due is discharged, and its bookings."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from tenor.invoicing.purchase_settlement import settle_purchases
from tenor.invoicing.queries import DocumentNotFound
from tenor.invoicing.rules.lifecycle import DocumentStatus
from tenor.invoicing.rules.receivable import Discharge, NothingOpen, Receivable
from tenor.kernel.ids import CustomerId, InvoiceId, PaymentId, TransferId, derived_id, new_id, to_wire
from tenor.kernel.period import Period
from tenor.ledger import SourceType, Transfer, open_accounts, write_transfers
from tenor.platform.outbox import Event, publish
from tenor.platform.partitions import prepare_partitions
from tenor.platform.unit_of_work import UnitOfWork

_INSTANT: Final = timedelta(microseconds=1)

_RECEIVABLES: Final = """
    select i.id, i.series || '-' || i.number, i.customer_id, i.currency, coalesce(s.status, 'finalized'), i.due_minor,
           coalesce(s.paid_minor, 0), coalesce(s.credited_minor, 0), coalesce(s.written_off_minor, 0)
    from invoices i left join document_states s on s.invoice_id = i.id
    where i.kind <> 'credit_note'
"""


class Allocation(NamedTuple):
    """What a payment or a credit note discharges of an invoice."""

    invoice_id: InvoiceId
    amount_minor: int
    payment_id: PaymentId | None = None
    credit_note_id: InvoiceId | None = None


class Booking(NamedTuple):
    """A part of a transfer that only its accounts, amount and kind tell from the others of its source."""

    kind: str
    debit: str
    credit: str
    amount_minor: int


def lock_customer(uow: UnitOfWork, customer_id: CustomerId) -> None:
    """Keep others from settling documents of a customer until this transaction ends.

    Take it before anything else: two payments at once then see each other's allocations.
    """
    uow.execute("select from customers where id = %s for no key update", [customer_id])


def lock_customers(uow: UnitOfWork, customer_ids: Collection[CustomerId]) -> None:
    """Do so for many customers, in the order of their ids so that nobody waits in a circle."""
    uow.execute("select from customers where id = any(%s) order by id for no key update", [list(customer_ids)])


def lock_document(uow: UnitOfWork, invoice_id: InvoiceId) -> Receivable:
    """Lock the customer of an invoice and return how the invoice stands.

    Raises:
        DocumentNotFound: this tenant has not issued it, or it is a credit note.
    """
    row = uow.fetch_one("select customer_id, kind, series || '-' || number from invoices where id = %s", [invoice_id])
    if row is None:
        raise DocumentNotFound(f"no document {to_wire('inv', invoice_id)} has been issued")
    customer_id, kind, name = row
    if kind == "credit_note":
        raise NothingOpen(f"{name} is a credit note: nothing is to be paid on it, and it cannot be taken back")
    lock_customer(uow, customer_id)
    return read_receivables(uow, [invoice_id])[0]


def read_receivables(uow: UnitOfWork, invoice_ids: Collection[InvoiceId]) -> list[Receivable]:
    """Return how these invoices stand, oldest first."""
    rows = uow.fetch_all(
        f"{_RECEIVABLES} and i.id = any(%s) order by i.issued_at, i.series, i.number", [list(invoice_ids)]
    )
    return _receivables(rows)


def collectable_documents(uow: UnitOfWork, customer_id: CustomerId, currency: str) -> list[Receivable]:
    """Return the customer's invoices of which something can be collected: open ones oldest first, then written-off."""
    rows = uow.fetch_all(
        f"""
        {_RECEIVABLES} and i.customer_id = %s and i.currency = %s and i.due_minor > 0
            and coalesce(s.status, 'finalized') in ('finalized', 'uncollectible')
        order by coalesce(s.status, 'finalized') = 'uncollectible', i.issued_at, i.series, i.number
        """,
        [customer_id, currency],
    )
    return _receivables(rows)


def save_receivables(uow: UnitOfWork, receivables: Sequence[Receivable], *, now: datetime) -> None:
    """Write how invoices stand, and grant the credit that they sold and that is paid now.

    The database refuses that more is discharged than is due.
    """
    uow.execute(
        """
        insert into document_states as s (tenant_id, changed_at, invoice_id, status, due_minor, paid_minor,
                                          credited_minor, written_off_minor)
        select %s, %s, * from unnest(%s::uuid[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
        on conflict (tenant_id, invoice_id) do update
        set status = excluded.status, paid_minor = excluded.paid_minor, credited_minor = excluded.credited_minor,
            written_off_minor = excluded.written_off_minor, changed_at = excluded.changed_at
        """,
        [
            uow.tenant_id,
            now,
            [one.id for one in receivables],
            [one.status.value for one in receivables],
            [one.due_minor for one in receivables],
            [one.paid_minor for one in receivables],
            [one.credited_minor for one in receivables],
            [one.written_off_minor for one in receivables],
        ],
    )
    settle_purchases(uow, receivables, now=now)
    paid = [one for one in receivables if one.status is DocumentStatus.PAID]
    publish(uow, [Event("invoice.paid", one.id, {"customer_id": to_wire("cus", one.customer_id)}, now) for one in paid])


def save_discharges(
    uow: UnitOfWork,
    discharges: Sequence[Discharge],
    allocations: Sequence[Allocation],
    *,
    reason: str,
    effective_at: datetime,
    now: datetime,
) -> None:
    """Write what was discharged of invoices, and take back what had been written off of them."""
    save_receivables(uow, [one.receivable for one in discharges], now=now)
    uow.execute(
        """
        insert into allocations (tenant_id, allocated_at, id, invoice_id, payment_id, credit_note_id, amount_minor)
        select %s, %s, * from unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::bigint[])
        """,
        [
            uow.tenant_id,
            effective_at,
            [new_id(now) for _ in allocations],
            [one.invoice_id for one in allocations],
            [one.payment_id for one in allocations],
            [one.credit_note_id for one in allocations],
            [one.amount_minor for one in allocations],
        ],
    )
    for receivable, recovered_minor in discharges:
        if recovered_minor:
            insert_write_off(uow, receivable, -recovered_minor, reason=reason, effective_at=effective_at, now=now)


def insert_write_off(
    uow: UnitOfWork,
    receivable: Receivable,
    amount_minor: int,
    *,
    reason: str,
    effective_at: datetime,
    now: datetime,
) -> None:
    """Write and book a write-off of `amount_minor`, or (negative) that so much of it came back."""
    write_off_id = new_id(now)
    uow.execute(
        "insert into write_offs (tenant_id, id, invoice_id, amount_minor, reason, written_off_at)"
        " values (%s, %s, %s, %s, %s, %s)",
        [uow.tenant_id, write_off_id, receivable.id, amount_minor, reason, effective_at],
    )
    booking = Booking("written_off", "bad_debt", "receivable", amount_minor)
    if amount_minor < 0:
        booking = Booking("recovered", "receivable", "bad_debt", -amount_minor)
    book(
        uow,
        [booking],
        customer_id=receivable.customer_id,
        currency=receivable.currency,
        source=("write_off", write_off_id),
        effective_at=effective_at,
    )


def book(
    uow: UnitOfWork,
    bookings: Iterable[Booking],
    *,
    customer_id: CustomerId,
    currency: str,
    source: tuple[SourceType, UUID],
    effective_at: datetime,
) -> None:
    """Write the transfers of one source for a customer in a currency; bookings of 0 are left out."""
    source_type, source_id = source
    transfers = [
        Transfer(
            id=TransferId(derived_id(effective_at, source_id.bytes, kind.encode())),
            effective_at=effective_at,
            debit=debit,
            credit=credit,
            amount_minor=amount_minor,
            currency=currency,
            customer_id=customer_id,
            source_type=source_type,
            source_id=source_id,
            kind=kind,
        )
        for kind, debit, credit, amount_minor in bookings
        if amount_minor
    ]
    prepare_partitions(uow, "transfers", Period(effective_at, effective_at + _INSTANT))
    write_transfers(uow, transfers, open_accounts(uow, [currency]))


def _receivables(rows: Iterable[tuple[Any, ...]]) -> list[Receivable]:
    return [
        Receivable(InvoiceId(row[0]), row[1], CustomerId(row[2]), row[3], DocumentStatus(row[4]), *row[5:])
        for row in rows
    ]
