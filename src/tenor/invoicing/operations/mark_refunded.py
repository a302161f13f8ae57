"""Tell that a refund has been sent."""

from datetime import datetime
from uuid import UUID

from tenor.invoicing.receivables import Booking, book
from tenor.invoicing.refunds import RefundRequest, lock_refund_request, save_refund_done
from tenor.platform.audit import Deed, record
from tenor.platform.outbox import Event, publish
from tenor.platform.unit_of_work import UnitOfWork


def mark_refunded(
    uow: UnitOfWork, request_id: UUID, *, reference: str, now: datetime, actor: str, reason: str
) -> RefundRequest:
    """Book a refund as sent under the bank's `reference`; telling it again changes nothing.

    Raises:
        NotFound: no such request.
    """
    request = lock_refund_request(uow, request_id)
    if request.status == "done":
        return request
    save_refund_done(uow, request_id, reference=reference, now=now)
    book(
        uow,
        [Booking("refund_sent", "refunds_payable", "cash", request.amount_minor)],
        customer_id=request.customer_id,
        currency=request.currency,
        source=("refund_request", request.id),
        effective_at=now,
    )
    facts: dict[str, object] = {"reference": reference, "amount_minor": request.amount_minor}
    publish(uow, [Event("refund.sent", request_id, facts, now)])
    record(uow, [Deed(actor, "refund.sent", "refund_request", request_id, reason, now, after=facts)])
    return request._replace(status="done")
