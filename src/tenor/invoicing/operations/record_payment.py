"""Record money that was received, and what it pays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tenor.invoicing.adjusting import require_text
from tenor.invoicing.payments import Payment, Receipt, find_receipt, insert_payment, insert_receipt
from tenor.invoicing.receivables import (
    Allocation,
    Booking,
    book,
    collectable_documents,
    lock_customer,
    save_discharges,
)
from tenor.invoicing.request_keys import made_before, remember
from tenor.invoicing.rules.receivable import Discharge, NothingOpen, Receivable, discharged
from tenor.kernel.errors import Malformed, NotFound
from tenor.kernel.ids import CustomerId, InvoiceId, PaymentId, new_id, to_wire
from tenor.kernel.money import Money
from tenor.kernel.period import format_instant
from tenor.ledger import move_customer_credits
from tenor.platform.audit import Deed, record
from tenor.platform.outbox import Event, publish
from tenor.platform.unit_of_work import UnitOfWork

_OPERATION = "record_payment"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRequest:
    """Money received, in minor units, more than 0; `reference` is unique for each payment of the tenant.

    `received_at` None means now. With `invoice_ids` it pays these in their order, else what is open, oldest first.
    What is left over goes to the customer's credit.

    Raises:
        Malformed: an amount of 0 or less, or a missing text.
        AmountTooLarge, UnknownCurrency: no such amount can be kept.
    """

    customer_id: CustomerId
    currency: str
    amount_minor: int
    received_at: datetime | None = None
    method: str
    reference: str
    invoice_ids: Sequence[InvoiceId] = ()

    def __post_init__(self) -> None:
        Money(self.amount_minor, self.currency)
        if self.amount_minor <= 0:
            raise Malformed(f"a payment is more than 0, not {self.amount_minor} minor units")
        require_text(self.method, name="method", length_max=100)
        require_text(self.reference, name="reference", length_max=200)


def record_payment(uow: UnitOfWork, request: PaymentRequest, *, now: datetime, actor: str, reason: str) -> Receipt:
    """Write a payment with what it pays, book it, and return its receipt.

    Two payments at once wait for each other, so that an invoice is never paid twice. What had been written off is
    recovered when it is paid after all. The same reference with the same content makes nothing new.

    Raises:
        RequestKeyReused: the reference is that of another payment.
        NotFound: no such customer.
        NothingOpen: a named invoice has nothing open, or is not this customer's in this currency.
        Malformed: the money has not come yet.
    """
    received_at = request.received_at or now
    if received_at > now:
        raise Malformed(f"a payment of {format_instant(received_at)} has not been received yet")
    content = {name: getattr(request, name) for name in request.__dataclass_fields__}
    known = made_before(uow, _OPERATION, request.reference, content)
    if known is not None:
        return find_receipt(uow, PaymentId(known))
    if uow.fetch_one("select from customers where id = %s", [request.customer_id]) is None:
        raise NotFound(f"there is no customer {to_wire('cus', request.customer_id)}")
    lock_customer(uow, request.customer_id)
    collectable = collectable_documents(uow, request.customer_id, request.currency)
    paid = _paid(_chosen(collectable, request.invoice_ids), request.amount_minor)
    payment = Payment(
        PaymentId(new_id(now)),
        request.customer_id,
        request.currency,
        request.amount_minor,
        received_at,
        request.method,
        request.reference,
    )
    _write(uow, payment, paid, now=now, reason=reason)
    remember(uow, _OPERATION, request.reference, content, payment.id)
    receipt = find_receipt(uow, payment.id)
    facts: dict[str, object] = {
        "customer_id": to_wire("cus", payment.customer_id),
        "currency": payment.currency,
        "amount_minor": payment.amount_minor,
        "receipt": receipt.name,
        "allocations_minor": dict(receipt.allocations),
        "to_credit_minor": receipt.to_credit_minor,
    }
    publish(uow, [Event("payment.received", payment.id, facts, now)])
    record(uow, [Deed(actor, "payment.recorded", "payment", payment.id, reason, now, after=facts)])
    return receipt


def _chosen(collectable: Sequence[Receivable], invoice_ids: Sequence[InvoiceId]) -> list[Receivable]:
    """Return the documents to be paid, in order."""
    if not invoice_ids:
        return [*collectable]
    by_id = {one.id: one for one in collectable}
    for invoice_id in invoice_ids:
        if invoice_id not in by_id:
            raise NothingOpen(
                f"{to_wire('inv', invoice_id)} has nothing that this customer can pay in this currency",
                invoice=to_wire("inv", invoice_id),
            )
    return [by_id[invoice_id] for invoice_id in dict.fromkeys(invoice_ids)]


def _paid(documents: Sequence[Receivable], amount_minor: int) -> list[tuple[int, Discharge]]:
    """Return how much of the amount goes to each document, and how it then stands."""
    paid = []
    for receivable in documents:
        part_minor = min(amount_minor, receivable.collectable_minor)
        if part_minor:
            paid.append((part_minor, discharged(receivable, part_minor, by="paid")))
            amount_minor -= part_minor
    return paid


def _write(
    uow: UnitOfWork, payment: Payment, paid: Sequence[tuple[int, Discharge]], *, now: datetime, reason: str
) -> None:
    insert_payment(uow, payment)
    allocated_minor = sum(part_minor for part_minor, _ in paid)
    to_credit_minor = payment.amount_minor - allocated_minor
    book(
        uow,
        [
            Booking("payment", "cash", "receivable", allocated_minor),
            Booking("overpayment", "cash", "customer_credit", to_credit_minor),
        ],
        customer_id=payment.customer_id,
        currency=payment.currency,
        source=("payment", payment.id),
        effective_at=payment.received_at,
    )
    save_discharges(
        uow,
        [discharge for _, discharge in paid],
        [Allocation(discharge.receivable.id, part_minor, payment_id=payment.id) for part_minor, discharge in paid],
        reason=reason,
        effective_at=payment.received_at,
        now=now,
    )
    # After the wallets that are granted what was paid: all take their locks in this order.
    move_customer_credits(uow, {(payment.customer_id, payment.currency): to_credit_minor})
    insert_receipt(uow, payment.id, now=now)
