"""Ask for a customer's credit to be sent back."""

from datetime import datetime

from tenor.invoicing.receivables import Booking, book, lock_customer
from tenor.invoicing.refunds import RefundRequest, find_refund_request, insert_refund_request
from tenor.invoicing.request_keys import made_before, remember
from tenor.kernel.errors import Conflict, Malformed
from tenor.kernel.ids import CustomerId, new_id, to_wire
from tenor.kernel.money import Money
from tenor.ledger import customer_credits, move_customer_credits
from tenor.platform.audit import Deed, record
from tenor.platform.outbox import Event, publish
from tenor.platform.unit_of_work import UnitOfWork

_OPERATION = "request_refund"


class RefundExceedsCredit(Conflict):
    """A refund of more than the customer has to its credit."""

    code = "refund_exceeds_credit"


def request_refund(
    uow: UnitOfWork,
    customer_id: CustomerId,
    *,
    currency: str,
    amount_minor: int,
    key: str,
    now: datetime,
    actor: str,
    reason: str,
) -> RefundRequest:
    """Take `amount_minor`, more than 0, off a customer's credit and ask for it to be sent back.

    The same `key` with the same content makes nothing new. `mark_refunded` tells when it has been sent.

    Raises:
        RefundExceedsCredit: the customer has less to its credit.
        Malformed: an amount of 0 or less.
        RequestKeyReused: the key was used for something else.
    """
    asked = Money(amount_minor, currency)
    if amount_minor <= 0:
        raise Malformed(f"a refund is more than 0, not {amount_minor} minor units")
    content = {"customer_id": customer_id, "currency": currency, "amount_minor": amount_minor}
    known = made_before(uow, _OPERATION, key, content)
    if known is not None:
        return find_refund_request(uow, known)
    lock_customer(uow, customer_id)
    available = Money(customer_credits(uow, [customer_id]).get((customer_id, currency), 0), currency)
    if available.minor < amount_minor:
        raise RefundExceedsCredit(
            f"{asked} cannot be refunded: the customer has {available} to its credit", available_minor=available.minor
        )
    request = RefundRequest(new_id(now), customer_id, currency, amount_minor, None, "requested", reason)
    insert_refund_request(uow, request, now=now)
    move_customer_credits(uow, {(customer_id, currency): -amount_minor})
    book(
        uow,
        [Booking("refund_requested", "customer_credit", "refunds_payable", amount_minor)],
        customer_id=customer_id,
        currency=currency,
        source=("refund_request", request.id),
        effective_at=now,
    )
    remember(uow, _OPERATION, key, content, request.id)
    facts: dict[str, object] = {
        "customer_id": to_wire("cus", customer_id),
        "currency": currency,
        "amount_minor": amount_minor,
    }
    publish(uow, [Event("refund.requested", request.id, facts, now)])
    record(uow, [Deed(actor, "refund.requested", "refund_request", request.id, reason, now, after=facts)])
    return request
