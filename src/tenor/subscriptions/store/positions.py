"""Rows of `billing_positions`: how far each item is settled, and when the bill run looks at it next."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from tenor.kernel.ids import CustomerId, ItemId, SubscriptionId
from tenor.platform.unit_of_work import Column, UnitOfWork
from tenor.subscriptions.store.rows import write_rows

_COLUMNS: Final[Sequence[Column]] = (
    ("subscription_id", "uuid"),
    ("item_id", "uuid"),
    ("next_due_at", "timestamptz"),
)


class Settled(NamedTuple):
    """What a bill run leaves of an item: how far it is settled, and when it is looked at next; None for never."""

    subscription_id: SubscriptionId
    item_id: ItemId
    settled_through: datetime
    next_due_at: datetime | None


class LateUsage(NamedTuple):
    """Usage of a customer that arrived: its metric, and the earliest instant at which it happened."""

    customer_id: CustomerId
    metric: str
    earliest_at: datetime


class DueBatch(NamedTuple):
    """A run of due subscriptions in the order of their ids, both ends included."""

    first: SubscriptionId
    last: SubscriptionId
    subscription_count: int


def open_positions(uow: UnitOfWork, opened: Iterable[tuple[SubscriptionId, ItemId, datetime]]) -> None:
    """Write the positions of new items, each with the instant at which it is first looked at."""
    write_rows(uow, "billing_positions", _COLUMNS, list(opened))


def due_batches(uow: UnitOfWork, as_of: datetime, *, size: int) -> list[DueBatch]:
    """Return the subscriptions with something due by `as_of`, cut into batches of `size`; one statement."""
    rows = uow.fetch_all(
        """
        with due as (
            select subscription_id, (row_number() over (order by subscription_id) - 1) / %s as batch
            from billing_positions where next_due_at <= %s group by subscription_id
        )
        select (array_agg(subscription_id order by subscription_id))[1],
               (array_agg(subscription_id order by subscription_id desc))[1],
               count(*)
        from due group by batch order by batch
        """,
        [size, as_of],
    )
    return [DueBatch(*row) for row in rows]


def due_subscriptions(
    uow: UnitOfWork, as_of: datetime, *, first: SubscriptionId, last: SubscriptionId
) -> list[SubscriptionId]:
    """Return which subscriptions from `first` through `last` have something due by `as_of`, in order."""
    rows = uow.fetch_all(
        """
        select distinct subscription_id from billing_positions
        where subscription_id between %s and %s and next_due_at <= %s order by subscription_id
        """,
        [first, last, as_of],
    )
    return [SubscriptionId(row[0]) for row in rows]


def lock_positions(uow: UnitOfWork, subscription_ids: Sequence[SubscriptionId]) -> None:
    """Keep everybody else from settling these subscriptions, or from reporting news of them, until the end.

    Take the lock before the timelines are read: what is committed by then is seen, and what comes after
    waits to report its news, which the next run then finds.
    """
    uow.execute(
        """
        select from billing_positions where subscription_id = any(%s)
        order by subscription_id, item_id for no key update
        """,
        [list(subscription_ids)],
    )


def save_positions(uow: UnitOfWork, settled: Sequence[Settled]) -> None:
    """Write how far items are settled; the news that they were looked at for is done with."""
    uow.execute(
        """
        update billing_positions b
        set settled_through = n.settled_through, next_due_at = n.next_due_at, revisit_from = null
        from unnest(%b::uuid[], %b::uuid[], %b::timestamptz[], %b::timestamptz[])
            n (subscription_id, item_id, settled_through, next_due_at)
        where b.subscription_id = n.subscription_id and b.item_id = n.item_id
        """,
        [
            [row.subscription_id for row in settled],
            [row.item_id for row in settled],
            [row.settled_through for row in settled],
            [row.next_due_at for row in settled],
        ],
    )


def mark_news(uow: UnitOfWork, news: Mapping[ItemId, datetime], *, now: datetime) -> None:
    """Have the next bill run look at items again, each from the instant from which something has changed."""
    uow.execute(
        """
        select from billing_positions b
        join subscription_items i on i.subscription_id = b.subscription_id and i.id = b.item_id
        where i.id = any(%b) order by b.subscription_id, b.item_id for no key update of b
        """,
        [list(news)],
    )
    uow.execute(
        """
        update billing_positions b
        set revisit_from = least(b.revisit_from, n.since), next_due_at = least(b.next_due_at, %s)
        from unnest(%b::uuid[], %b::timestamptz[]) n (item_id, since)
        join subscription_items i on i.id = n.item_id
        where b.subscription_id = i.subscription_id and b.item_id = i.id
        """,
        [now, list(news), list(news.values())],
    )


def mark_late_usage(uow: UnitOfWork, arrived: Sequence[LateUsage], *, now: datetime) -> int:
    """Have the next bill run look again at the items whose settled periods late usage falls into; return how many.

    Those are the customer's items on a plan version that charges for the metric, settled beyond the usage. Call
    it after the usage is written, in the same transaction: a run that is settling them and has not seen the usage
    is waited for, and only then it is decided what is late.
    """
    parameters = {
        "customers": [row.customer_id for row in arrived],
        "metrics": [row.metric for row in arrived],
        "instants": [row.earliest_at for row in arrived],
        "now": now,
    }
    uow.execute(_LOCK_CHARGED, parameters)
    return uow.execute(_MARK_CHARGED, parameters)


_CHARGED: Final = """
    with charged as (
        select i.subscription_id, i.id as item_id, min(a.earliest_at) as since
        from unnest(%(customers)b::uuid[], %(metrics)b::text[], %(instants)b::timestamptz[])
            a (customer_id, metric, earliest_at)
        join subscriptions s on s.customer_id = a.customer_id
        join subscription_items i on i.subscription_id = s.id
        join charges c on c.plan_version_id = i.plan_version_id and c.kind = 'usage' and c.metric = a.metric
        group by i.subscription_id, i.id
    )
"""
"""The items that are charged for usage that arrived, each with the earliest instant of it."""

_LOCK_CHARGED: Final = f"""
    {_CHARGED}
    select from billing_positions b join charged c using (subscription_id, item_id)
    order by b.subscription_id, b.item_id for no key update of b
"""

_MARK_CHARGED: Final = f"""
    {_CHARGED}
    update billing_positions b
    set revisit_from = least(b.revisit_from, c.since), next_due_at = least(b.next_due_at, %(now)s)
    from charged c
    where b.subscription_id = c.subscription_id and b.item_id = c.item_id and b.settled_through > c.since
"""
