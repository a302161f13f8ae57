"""Rows of `billing_positions`: how far each item is settled, and when the bill run looks at it next."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final, NamedTuple
from uuid import UUID

from tenor.kernel.ids import CustomerId, ItemId, SubscriptionId
from tenor.platform.arrays import column_arrays, looked_up
from tenor.platform.unit_of_work import Column, UnitOfWork
from tenor.subscriptions.store.rows import write_rows

_COLUMNS: Final[Sequence[Column]] = (
    ("subscription_id", "uuid"),
    ("item_id", "uuid"),
    ("next_due_at", "timestamptz"),
    ("group_id", "uuid"),
)


class Settled(NamedTuple):
    """What a bill run leaves of an item: how far it is settled, and when it is looked at next; None for never.

    `metered_through`: see `BillingPosition`. `revisit_from` is news that is left for a later run.
    """

    subscription_id: SubscriptionId
    item_id: ItemId
    settled_through: datetime
    next_due_at: datetime | None
    metered_through: datetime | None = None
    revisit_from: datetime | None = None


class LateUsage(NamedTuple):
    """Usage of a customer that arrived: its metric, and the earliest instant at which it happened."""

    customer_id: CustomerId
    metric: str
    earliest_at: datetime


class DueBatch(NamedTuple):
    """Due subscriptions: those of a run of groups in the order of the groups' ids, both ends included."""

    first: UUID
    last: UUID
    subscription_count: int


def open_positions(
    uow: UnitOfWork,
    opened: Iterable[tuple[SubscriptionId, ItemId, datetime]],
    *,
    groups: Mapping[SubscriptionId, UUID] = MappingProxyType({}),
) -> None:
    """Write the positions of new items, each with the instant at which it is first looked at.

    Subscriptions of one group are billed in one batch, as consolidated invoices need it; one without a group is
    one of its own.
    """
    rows = [
        (subscription_id, item_id, first_due_at, groups.get(subscription_id, subscription_id))
        for subscription_id, item_id, first_due_at in opened
    ]
    write_rows(uow, "billing_positions", _COLUMNS, rows)


def groups_of(uow: UnitOfWork, subscription_ids: Collection[SubscriptionId]) -> dict[SubscriptionId, UUID]:
    """Return the group in which each of these subscriptions is billed."""
    rows = uow.fetch_all(
        "select distinct subscription_id, group_id from billing_positions where subscription_id = any(%s)",
        [list(subscription_ids)],
    )
    return dict(rows)


def next_looks(
    uow: UnitOfWork, subscription_ids: Collection[SubscriptionId], *, now: datetime
) -> dict[SubscriptionId, datetime]:
    """Return when each of these subscriptions is looked at next by its calendar; who never is, is left out."""
    rows = uow.fetch_all(
        """
        select subscription_id, min(next_due_at) from billing_positions
        where subscription_id = any(%s) and next_due_at > %s group by subscription_id
        """,
        [list(subscription_ids), now],
    )
    return dict(rows)


def due_batches(uow: UnitOfWork, as_of: datetime, *, size: int) -> list[DueBatch]:
    """Return the groups with something due by `as_of`, cut into batches of about `size` subscriptions; one statement.

    A batch ends with the group that fills it.
    """
    rows = uow.fetch_all(
        """
        with due as (
            select group_id, count(distinct subscription_id) as subscriptions
            from billing_positions where next_due_at <= %s group by group_id
        ), placed as (
            select group_id, subscriptions,
                   (sum(subscriptions) over (order by group_id) - subscriptions)::bigint / %s as batch
            from due
        )
        select (array_agg(group_id order by group_id))[1], (array_agg(group_id order by group_id desc))[1],
               sum(subscriptions)::bigint
        from placed group by batch order by batch
        """,
        [as_of, size],
    )
    return [DueBatch(*row) for row in rows]


def due_subscriptions(uow: UnitOfWork, as_of: datetime, *, first: UUID, last: UUID) -> list[SubscriptionId]:
    """Return which subscriptions of the groups from `first` through `last` have something due by `as_of`, in order."""
    rows = uow.fetch_all(
        """
        select distinct subscription_id from billing_positions
        where group_id between %s and %s and next_due_at <= %s order by subscription_id
        """,
        [first, last, as_of],
    )
    return [SubscriptionId(row[0]) for row in rows]


def due_customers(uow: UnitOfWork, as_of: datetime) -> list[CustomerId]:
    """Return the customers of all subscriptions with something due by `as_of`."""
    rows = uow.fetch_all(
        """
        select distinct s.customer_id from billing_positions b join subscriptions s on s.id = b.subscription_id
        where b.next_due_at <= %s
        """,
        [as_of],
    )
    return [CustomerId(row[0]) for row in rows]


def group_positions(uow: UnitOfWork, *, together: bool, but: Collection[CustomerId]) -> int:
    """Have all subscriptions of a customer billed in one batch, or each by itself; return how many items moved.

    `but` are the customers of whom the opposite holds.
    """
    return uow.execute(
        """
        update billing_positions b set group_id = w.group_id
        from (
            select s.id, case when (s.customer_id = any(%s)) <> %s then s.customer_id else s.id end as group_id
            from subscriptions s
        ) w
        where b.subscription_id = w.id and b.group_id <> w.group_id
        """,
        [list(but), together],
    )


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
    """Write how far items are settled; the news that they were looked at for is done with, but for what is left."""
    uow.execute(
        """
        update billing_positions b
        set settled_through = n.settled_through, next_due_at = n.next_due_at, revisit_from = n.revisit_from,
            metered_through = n.metered_through
        from unnest(%b::uuid[], %b::uuid[], %b::timestamptz[], %b::timestamptz[], %b::timestamptz[], %b::timestamptz[])
            n (subscription_id, item_id, settled_through, next_due_at, metered_through, revisit_from)
        where b.subscription_id = n.subscription_id and b.item_id = n.item_id
        """,
        [
            [row.subscription_id for row in settled],
            [row.item_id for row in settled],
            [row.settled_through for row in settled],
            [row.next_due_at for row in settled],
            [row.metered_through for row in settled],
            [row.revisit_from for row in settled],
        ],
    )


def mark_news(
    uow: UnitOfWork,
    news: Mapping[ItemId, datetime],
    *,
    now: datetime,
    waits: Mapping[ItemId, datetime] = MappingProxyType({}),
) -> None:
    """Have the next bill run look at items again, each from the instant from which something has changed.

    Those of `waits` are not looked at before the instant that it names.
    """
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
        set revisit_from = least(b.revisit_from, n.since), next_due_at = least(b.next_due_at, n.look_at)
        from unnest(%b::uuid[], %b::timestamptz[], %b::timestamptz[]) n (item_id, since, look_at)
        join subscription_items i on i.id = n.item_id
        where b.subscription_id = i.subscription_id and b.item_id = i.id
        """,
        [list(news), list(news.values()), [waits.get(item_id, now) for item_id in news]],
    )


def look_soon(
    uow: UnitOfWork, customer_id: CustomerId, subscription_id: SubscriptionId | None, *, now: datetime
) -> None:
    """Have the next bill run look at a subscription, or (None) at all of a customer, though no news is of them."""
    uow.execute(
        """
        update billing_positions b set next_due_at = least(b.next_due_at, %s) from subscriptions s
        where s.id = b.subscription_id and s.customer_id = %s and s.id = coalesce(%s, s.id)
        """,
        [now, customer_id, subscription_id],
    )


def mark_late_usage(uow: UnitOfWork, arrived: Sequence[LateUsage], *, now: datetime) -> int:
    """Have the next bill run look again at the items whose settled periods late usage falls into; return how many.

    Those are the customer's items on a plan version that charges for the metric, settled beyond the usage. Items whose
    usage may be billed before its period is over are looked at too, be it late or not. Call
    it after the usage is written, in the same transaction: a run that is settling them and has not seen the usage
    is waited for, and only then it is decided what is late.
    """
    parameters = {**column_arrays("arrived", _ARRIVED, arrived), "now": now}
    uow.execute(_LOCK_CHARGED, parameters)
    return sum(is_late for (is_late,) in uow.fetch_all(_MARK_CHARGED, parameters))


_ARRIVED: Final = (("customer_id", "uuid"), ("metric", "text"), ("earliest_at", "timestamptz"))

_CHARGED: Final = f"""
    with charged as (
        select i.subscription_id, i.id as item_id, min(arrived.earliest_at) as since,
               bool_or(v.bills_running_usage or exists (
                   select from usage_thresholds t where t.holder_id in (s.id, s.customer_id))) as bills_running_usage
        from {looked_up("arrived", _ARRIVED)} join subscriptions s on s.customer_id = arrived.customer_id
        join subscription_items i on i.subscription_id = s.id
        join plan_versions v on v.id = i.plan_version_id
        join charges c on c.plan_version_id = i.plan_version_id and c.kind = 'usage' and c.metric = arrived.metric
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
    set next_due_at = least(b.next_due_at, %(now)s),
        revisit_from = case when b.settled_through > c.since or b.metered_through >= c.since
            then least(b.revisit_from, c.since) else b.revisit_from end
    from charged c
    where b.subscription_id = c.subscription_id and b.item_id = c.item_id
      and (b.settled_through > c.since or b.metered_through >= c.since or c.bills_running_usage)
    returning coalesce(b.settled_through > c.since, false)
"""
