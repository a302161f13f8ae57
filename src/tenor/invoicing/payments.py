"""Rows of `payments` and `receipts`: money that was received, and the paper that says so."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from tenor.invoicing.store import take_numbers
from tenor.kernel.errors import NotFound
from tenor.kernel.ids import CustomerId, PaymentId, to_wire
from tenor.platform.unit_of_work import UnitOfWork

RECEIPT_SERIES: Final = "RCP"


class Payment(NamedTuple):
    """Money received from a customer, more than 0 minor units. `reference` is the payer's or the bank's name for it."""

    id: PaymentId
    customer_id: CustomerId
    currency: str
    amount_minor: int
    received_at: datetime
    method: str
    reference: str


class Receipt(NamedTuple):
    """A payment with the number of its receipt, and what it paid by document number; the rest is customer credit."""

    payment: Payment
    name: str
    allocations: tuple[tuple[str, int], ...]

    @property
    def to_credit_minor(self) -> int:
        """What was more than the documents asked for."""
        return self.payment.amount_minor - sum(amount_minor for _, amount_minor in self.allocations)


_COLUMNS: Final = "id, customer_id, currency, amount_minor, received_at, method, reference"


def insert_payment(uow: UnitOfWork, payment: Payment) -> None:
    """Write a payment."""
    uow.execute(
        f"insert into payments (tenant_id, {_COLUMNS}) values (%s, %s, %s, %s, %s, %s, %s, %s)",
        [uow.tenant_id, *payment],
    )


def insert_receipt(uow: UnitOfWork, payment_id: PaymentId, *, now: datetime) -> None:
    """Give a payment its receipt, with the next number of the series."""
    number = take_numbers(uow, {RECEIPT_SERIES: 1})[RECEIPT_SERIES]
    uow.execute(
        "insert into receipts (tenant_id, payment_id, series, number, issued_at) values (%s, %s, %s, %s, %s)",
        [uow.tenant_id, payment_id, RECEIPT_SERIES, number, now],
    )


def find_receipt(uow: UnitOfWork, payment_id: PaymentId) -> Receipt:
    """Return the receipt of a payment.

    Raises:
        NotFound: this tenant has no such payment.
    """
    found = receipts(uow, [payment_id])
    if not found:
        raise NotFound(f"there is no payment {to_wire('pay', payment_id)}")
    return found[0]


def receipts(uow: UnitOfWork, payment_ids: Sequence[PaymentId]) -> list[Receipt]:
    """Return the receipts of payments, in the order of their numbers."""
    rows = uow.fetch_all(
        f"""
        select r.series || '-' || r.number, {", ".join(f"p.{name}" for name in _COLUMNS.split(", "))},
               coalesce((select jsonb_agg(jsonb_build_array(i.series || '-' || i.number, a.amount_minor)
                                          order by i.issued_at, i.series, i.number)
                         from allocations a join invoices i on i.id = a.invoice_id where a.payment_id = p.id), '[]')
        from payments p join receipts r on r.payment_id = p.id
        where p.id = any(%s) order by r.series, r.number
        """,
        [list(payment_ids)],
    )
    return [
        Receipt(Payment(*values), name, tuple((paid, amount) for paid, amount in parts))
        for name, *values, parts in rows
    ]
