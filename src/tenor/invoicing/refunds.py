"""Rows of `refund_requests`: what is to be sent back to customers."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from tenor.invoicing.model import AdjustmentKey, Draft, Key
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


def refunded_as_far_as_paid(uow: UnitOfWork, drafts: Sequence[Draft]) -> list[Draft]:
    """Return documents, of which credit notes are refunded only where money has paid what they give back.

    Where something of the invoices that billed it is still to be paid, or less money was received for them and not sent
    back since, the note goes to the customer's credit. What a person decided to give back counts as paid. It takes one
    statement, and only where a refund is asked for.
    """
    notes = {draft.id: draft for draft in drafts if draft.settles == "refund" and draft.charged_minor}
    keys = [
        (note.id, *entry.line.key[:3], entry.line.key.period.start)
        for note in notes.values()
        for entry in note.lines
        if isinstance(entry.line.key, Key) and entry.line.amount_minor < 0
    ]
    if not keys:
        return [*drafts]
    paid_minor: dict[InvoiceId, int] = dict(uow.fetch_all(_PAID, [list(column) for column in zip(*keys, strict=True)]))
    kept = set()
    for note in notes.values():
        decided_minor = -sum(entry.gross_minor for entry in note.lines if isinstance(entry.line.key, AdjustmentKey))
        if -note.charged_minor > paid_minor.get(note.id, 0) + decided_minor:
            kept.add(note.id)
    return [replace(draft, settles="balance") if draft.id in kept else draft for draft in drafts]


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


_PAID: Final = """
    with asked as (
        select * from unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::timestamptz[])
            as a (note_id, item_id, charge_id, dimension, period_start)
    ), billing as (
        select distinct a.note_id, i.id, i.due_minor
        from asked a join invoice_lines l using (item_id, charge_id, dimension, period_start)
        join invoices i on i.id = l.invoice_id and i.kind <> 'credit_note'
    ), refunded as (
        select distinct b.note_id, n.id, n.prepaid_minor - n.total_minor as minor
        from billing b join invoice_lines l on l.invoice_id = b.id
        join invoice_lines g using (item_id, charge_id, dimension, period_start)
        join invoices n on n.id = g.invoice_id and n.settles = 'refund'
    ), standing as (
        select b.note_id, b.due_minor - coalesce(s.paid_minor + s.credited_minor, 0) as left_minor,
               coalesce(s.paid_minor, 0) - greatest(0, -coalesce(c.total_minor, 0) - coalesce(s.credited_minor, 0))
                   as paid_minor
        from billing b left join document_states s on s.invoice_id = b.id
        left join (select credits_invoice_id, sum(total_minor) as total_minor from invoices
                   where credits_invoice_id in (select id from billing) group by credits_invoice_id) c
            on c.credits_invoice_id = b.id
    )
    select note_id, (case when bool_or(left_minor > 0) then 0 else sum(greatest(0, paid_minor)) end
        - coalesce((select sum(minor) from refunded r where r.note_id = standing.note_id), 0))::bigint
    from standing group by note_id
"""
"""How much money has paid, and was not sent back, of the invoices that billed the keys of notes; 0 if one is open."""
