"""Rows of `refund_requests`: what is to be sent back to customers."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from tenor.invoicing.model import Draft
from tenor.kernel.errors import NotFound
from tenor.kernel.ids import CustomerId, InvoiceId, derived_id, to_wire
from tenor.platform.unit_of_work import UnitOfWork


class RefundRequest(NamedTuple):
    """Money to be sent back. `credit_note_id` names the credit note whose total it is; else it was customer credit."""

    id: UUID
    customer_id: CustomerId
    currency: str
    amount_minor: int
    credit_note_id: InvoiceId | None
    status: str
    reason: str


_COLUMNS: Final = "id, customer_id, currency, amount_minor, credit_note_id, status, reason"


def insert_refund_request(uow: UnitOfWork, request: RefundRequest, *, now: datetime) -> None:
    """Write a request."""
    uow.execute(
        f"insert into refund_requests (tenant_id, requested_at, {_COLUMNS})"
        " values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [uow.tenant_id, now, *request],
    )


def open_refund_requests(uow: UnitOfWork, drafts: Iterable[Draft], *, now: datetime) -> None:
    """Write the requests for what credit notes give back by a refund; they are booked with the notes.

    Call it for every document that is issued, in the same transaction. The ids derive from the documents.
    """
    notes = [draft for draft in drafts if draft.settles == "refund" and draft.charged_minor]
    if not notes:
        return
    uow.execute(
        """
        insert into refund_requests (tenant_id, requested_at, status, reason, id, customer_id, currency, amount_minor,
                                     credit_note_id)
        select %s, %s, 'requested', '', * from unnest(%s::uuid[], %s::uuid[], %s::text[], %s::bigint[], %s::uuid[])
        """,
        [
            uow.tenant_id,
            now,
            [derived_id(note.issued_at, note.id.bytes, b"refund") for note in notes],
            [note.customer_id for note in notes],
            [note.currency for note in notes],
            [-note.charged_minor for note in notes],
            [note.id for note in notes],
        ],
    )


def lock_refund_request(uow: UnitOfWork, request_id: UUID) -> RefundRequest:
    """Lock a request until the transaction ends and return it.

    Raises:
        NotFound: this tenant has none with the id.
    """
    row = uow.fetch_one(f"select {_COLUMNS} from refund_requests where id = %s for no key update", [request_id])
    if row is None:
        raise NotFound(f"there is no refund request {to_wire('rfd', request_id)}")
    return RefundRequest(*row)


def find_refund_request(uow: UnitOfWork, request_id: UUID) -> RefundRequest:
    """Return a request.

    Raises:
        NotFound: this tenant has none with the id.
    """
    row = uow.fetch_one(f"select {_COLUMNS} from refund_requests where id = %s", [request_id])
    if row is None:
        raise NotFound(f"there is no refund request {to_wire('rfd', request_id)}")
    return RefundRequest(*row)


def refund_requests(uow: UnitOfWork, *, customer_id: CustomerId | None = None) -> list[RefundRequest]:
    """Return the requests of a customer or of all, the open ones first, then the newest."""
    rows = uow.fetch_all(
        f"select {_COLUMNS} from refund_requests where %s::uuid is null or customer_id = %s"
        " order by status = 'done', requested_at desc, id",
        [customer_id, customer_id],
    )
    return [RefundRequest(*row) for row in rows]


def list_refund_requests(
    uow: UnitOfWork, *, limit: int, after: UUID | None = None, customer_id: CustomerId | None = None
) -> list[RefundRequest]:
    """Return up to `limit` requests, the newest first; those after an id, of one customer if named."""
    rows = uow.fetch_all(
        f"""
        select {_COLUMNS} from refund_requests
        where (%(after)s::uuid is null or id < %(after)s) and (%(customer)s::uuid is null or customer_id = %(customer)s)
        order by id desc limit %(limit)s
        """,
        {"after": after, "customer": customer_id, "limit": limit},
    )
    return [RefundRequest(*row) for row in rows]


def save_refund_done(uow: UnitOfWork, request_id: UUID, *, reference: str, now: datetime) -> None:
    """Write that the money has been sent, and under which reference of the bank."""
    uow.execute(
        "update refund_requests set status = 'done', done_at = %s, reference = %s where id = %s",
        [now, reference, request_id],
    )
