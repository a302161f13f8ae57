"""Settle subscriptions outside of a bill run: at once after a change, or only to see what it would cost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from tenor.invoicing.bill_run.batch import Batch, Memory
from tenor.invoicing.bill_run.stages import STAGES
from tenor.invoicing.model import Draft
from tenor.invoicing.rules.documents import Occasion
from tenor.invoicing.rules.quotes import quote_digest
from tenor.kernel.errors import Conflict, Refusal
from tenor.kernel.ids import to_wire
from tenor.kernel.period import Period, format_instant
from tenor.platform.audit import Deed, record
from tenor.platform.partitions import prepare_partitions
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions import Subscription

QUOTE_VALID_FOR: Final = timedelta(hours=24)
"""How long a quote can be accepted."""

Change = Callable[[UnitOfWork, datetime], Sequence[Subscription]]
"""Makes a change as of an instant, and returns the subscriptions that it touched, as they then stand."""


class Parked(Refusal):
    """A subscription that a rule refuses to bill: a person must look at it."""

    code = "subscription_parked"


class QuoteExpired(Conflict):
    """A quote that is accepted too late: ask for a new one."""

    code = "quote_expired"


class QuoteOutdated(Conflict):
    """A quote that does not hold any more: something that decides an amount has changed since."""

    code = "quote_outdated"


@dataclass(frozen=True, slots=True)
class Quote:
    """What a change costs at a frozen instant: the documents that it would issue, and their digest."""

    as_of: datetime
    drafts: tuple[Draft, ...]
    digest: bytes


def settle_now(
    uow: UnitOfWork, subscriptions: Sequence[Subscription], *, as_of: datetime, recorded_at: datetime
) -> list[Draft]:
    """Issue what the subscriptions owe through `as_of` and has not been billed; return the documents.

    The same stages as a bill run's, for these subscriptions alone, in the caller's transaction. What grace
    keeps open stays open.

    Raises:
        Parked: a rule refuses one of them; nothing has been written.
        BatchOutOfTurn: a credit has moved in between; begin the transaction again.
    """
    _prepare(uow, as_of=as_of, recorded_at=recorded_at)
    return _through_stages(uow, subscriptions, Occasion(as_of, recorded_at), count=len(STAGES))


def finalise_drafts(
    uow: UnitOfWork, subscription: Subscription, *, now: datetime, actor: str, reason: str
) -> list[Draft]:
    """Issue what a subscription owes through `now`, also what grace would still keep open; return the documents.

    Raises:
        Parked, BatchOutOfTurn: see `settle_now`.
    """
    _prepare(uow, as_of=now, recorded_at=now)
    drafts = _through_stages(uow, [subscription], Occasion(now, now), count=len(STAGES), with_grace=False)
    record(
        uow,
        [
            Deed(
                actor=actor,
                action="subscription.drafts_finalised",
                object_type="subscription",
                object_id=subscription.id,
                reason=reason,
                occurred_at=now,
                after={"documents": [to_wire("inv", draft.id) for draft in drafts]},
            )
        ],
    )
    return drafts


def quote_change(uow: UnitOfWork, change: Change, *, as_of: datetime) -> Quote:
    """Return what `change` would issue if it were made and settled at `as_of`; nothing of it stays.

    The change is really made, and taken back: a preview and the result cannot differ.

    Raises:
        Refusal: whatever the change itself, or the settlement, refuses.
    """
    with uow.connection.transaction(force_rollback=True):
        drafts = _through_stages(uow, change(uow, as_of), Occasion(as_of, as_of), count=len(STAGES) - 1)
    return Quote(as_of, tuple(drafts), quote_digest(drafts))


def accept_quote(uow: UnitOfWork, change: Change, *, as_of: datetime, digest: bytes, now: datetime) -> list[Draft]:
    """Make `change` as of the frozen instant of its quote and settle it; return the documents, which are those quoted.

    Raises:
        QuoteExpired: the quote is older than it may be.
        QuoteOutdated: the documents would not be those quoted. As for every refusal, the caller rolls back.
    """
    if not as_of <= now <= as_of + QUOTE_VALID_FOR:
        raise QuoteExpired(f"a quote of {format_instant(as_of)} cannot be accepted at {format_instant(now)}")
    drafts = settle_now(uow, change(uow, as_of), as_of=as_of, recorded_at=now)
    if quote_digest(drafts) != digest:
        raise QuoteOutdated("what was quoted does not hold any more; ask for a new quote")
    return drafts


def drafts_of(uow: UnitOfWork, subscription: Subscription, *, as_of: datetime) -> list[Draft]:
    """Return the documents that would be issued at `as_of`, with those that grace keeps open; nothing is written."""
    with uow.connection.transaction(force_rollback=True):
        return _through_stages(uow, [subscription], Occasion(as_of, as_of), count=len(STAGES) - 1, with_grace=False)


def _prepare(uow: UnitOfWork, *, as_of: datetime, recorded_at: datetime) -> None:
    """Make the partitions that documents of `as_of` will stand in."""
    for table, instant in (("invoice_lines", as_of), ("transfers", as_of), ("outbox_events", recorded_at)):
        prepare_partitions(uow, table, Period(instant, instant + timedelta(days=1)))


def _through_stages(
    uow: UnitOfWork, subscriptions: Sequence[Subscription], occasion: Occasion, *, count: int, with_grace: bool = True
) -> list[Draft]:
    """Take subscriptions through the first `count` stages of the bill run, and return the documents."""
    ids = sorted(subscription.id for subscription in subscriptions)
    mark = b"".join(one.id.bytes + one.version.to_bytes(8) for one in subscriptions)
    mark += _documents_at(uow, subscriptions, occasion.issued_at).to_bytes(8)
    batch = Batch(
        Occasion(occasion.issued_at, occasion.recorded_at, mark=mark),
        Memory(),
        subscription_ids=ids,
        with_grace=with_grace,
    )
    for _, stage in STAGES[:count]:
        stage(uow, batch)
        parked = next((work.parked for work in batch.works if work.parked), None)
        if parked is not None:
            raise Parked(parked)
    return batch.drafts


def _documents_at(uow: UnitOfWork, subscriptions: Sequence[Subscription], at: datetime) -> int:
    """Return how many documents the customers have of an instant: where time stands still, that tells settlements."""
    row = uow.fetch_one(
        "select count(*) from invoices where customer_id = any(%s) and issued_at = %s",
        [[one.customer_id for one in subscriptions], at],
    )
    return row[0] if row else 0
