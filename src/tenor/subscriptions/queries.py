"""Reads: what a bill run loads, and whether the rows in force still are what the journals fold to."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple

from tenor.kernel.ids import CustomerId, DiscountId, ItemId, PlanVersionId, SubscriptionId, to_wire
from tenor.platform.unit_of_work import Row, UnitOfWork
from tenor.subscriptions.errors import SubscriptionNotFound
from tenor.subscriptions.model import (
    AppliedDiscount,
    BillingPosition,
    Closing,
    Item,
    Phase,
    PhaseState,
    Status,
    Subscription,
    Timeline,
)
from tenor.subscriptions.rules.timeline import fold
from tenor.subscriptions.store.facts import discount_from_text, terms_from_text
from tenor.subscriptions.store.journal import journals
from tenor.subscriptions.store.subscriptions import SUBSCRIPTION_FIELDS, SUBSCRIPTION_WIDTH, subscription_from
from tenor.wallets import next_instant_of_wallets

CHUNK: Final = 1_000
"""Subscriptions that are loaded with one statement."""


class Standing(NamedTuple):
    """A subscription with every item that it ever had, in order of start, and the position of each.

    An item that later changes took back altogether has no phases; such items come first.
    """

    subscription: Subscription
    items: tuple[Item, ...]
    positions: tuple[BillingPosition, ...]
    discounts: tuple[AppliedDiscount, ...] = ()

    @property
    def timeline(self) -> Timeline:
        """What is in force."""
        return Timeline(tuple(item for item in self.items if item.phases), self.discounts)


class Drift(NamedTuple):
    """An item or discount whose rows in force are not what its journal folds to; None where one of the two lacks it."""

    subscription_id: SubscriptionId
    object_id: ItemId | DiscountId
    kept: Item | AppliedDiscount | None
    folded: Item | AppliedDiscount | None

    @property
    def part(self) -> str:
        """What it is that differs, for people."""
        is_item = isinstance(self.kept or self.folded, Item)
        return f"item {to_wire('itm', self.object_id)}" if is_item else f"discount {to_wire('dis', self.object_id)}"


_LOAD: Final = f"""
    select {SUBSCRIPTION_FIELDS},
           i.id, i.plan_version_id, i.anchor_at, i.discount_percent, i.is_add_on,
           b.settled_through, b.revisit_from, b.metered_through,
           p.starts_at, p.ends_at, p.is_billable, p.terms::text, p.state, p.closing
    from subscriptions s
    join subscription_items i on i.tenant_id = s.tenant_id and i.subscription_id = s.id
    join billing_positions b
        on b.tenant_id = i.tenant_id and b.subscription_id = i.subscription_id and b.item_id = i.id
    left join phases p
        on p.tenant_id = i.tenant_id and p.item_id = i.id and p.superseded_by_version is null
    where s.id = any(%b)
    order by s.id, i.id, p.starts_at
"""
_ITEM_ID: Final = SUBSCRIPTION_WIDTH
_PHASE: Final = _ITEM_ID + 8
"""Where the columns of `_LOAD` begin: the subscription's at 0, the item's with its position, the phase's."""


_LOAD_DISCOUNTS: Final = """
    select subscription_id, terms::text, applied_at, removed_at from subscription_discounts
    where subscription_id = any(%b) and superseded_by_version is null order by subscription_id, place
"""
_STATE: Final = {state.value: state for state in PhaseState}
_CLOSING: Final = {closing.value: closing for closing in Closing}


def load_items(uow: UnitOfWork, subscription_ids: Sequence[SubscriptionId]) -> list[Standing]:
    """Return the items and discounts of these subscriptions as they are in force, one `Standing` for each subscription.

    In the order of ids; two statements for each thousand. Ids that the tenant does not have are left out.
    """
    standings: list[Standing] = []
    for start in range(0, len(subscription_ids), CHUNK):
        chunk = list(subscription_ids[start : start + CHUNK])
        discounts = _discounts(uow, chunk)
        rows = uow.connection.execute(_LOAD, [chunk], binary=True).fetchall()
        standings += [
            _standing(list(group), discounts.get(subscription_id, ()))
            for subscription_id, group in groupby(rows, key=itemgetter(0))
        ]
    return standings


def timeline_drift(uow: UnitOfWork, subscription_ids: Sequence[SubscriptionId]) -> list[Drift]:
    """Return every item and discount of these subscriptions that is not in force as the journal folds to it."""
    drifts: list[Drift] = []
    for start in range(0, len(subscription_ids), CHUNK):
        chunk = subscription_ids[start : start + CHUNK]
        kept = {standing.subscription.id: standing.timeline for standing in load_items(uow, chunk)}
        for subscription_id, journal in journals(uow, chunk).items():
            drifts += _drift(subscription_id, kept=kept.get(subscription_id, Timeline(())), folded=fold(journal))
    return drifts


def find_subscription(uow: UnitOfWork, external_id: str) -> Subscription:
    """Return the subscription that the tenant's own systems know as `external_id`.

    Raises:
        SubscriptionNotFound: there is none.
    """
    row = uow.fetch_one(f"select {SUBSCRIPTION_FIELDS} from subscriptions s where s.external_id = %s", [external_id])
    if row is None:
        raise SubscriptionNotFound(f"there is no subscription {external_id[:60]!r}", external_id=external_id)
    return subscription_from(row)


def newest_subscriptions(
    uow: UnitOfWork, *, customer_id: CustomerId | None = None, limit: int
) -> list[tuple[Subscription, str]]:
    """Return the subscriptions that were made last, of one customer or of all, each with its customer's external id."""
    rows = uow.fetch_all(
        f"""
        select {SUBSCRIPTION_FIELDS}, c.external_id
        from subscriptions s join customers c on c.id = s.customer_id
        where %(customer)s::uuid is null or s.customer_id = %(customer)s
        order by s.created_at desc, s.id desc limit %(limit)s
        """,
        {"customer": customer_id, "limit": limit},
    )
    return [(subscription_from(row), row[-1]) for row in rows]


def list_subscriptions(
    uow: UnitOfWork,
    *,
    limit: int,
    after: SubscriptionId | None = None,
    customer_id: CustomerId | None = None,
    status: Status | None = None,
    external_id: str | None = None,
) -> list[Subscription]:
    """Return subscriptions, those that were recorded last first: before `after`, and let through by every filter."""
    rows = uow.fetch_all(
        f"""
        select {SUBSCRIPTION_FIELDS} from subscriptions s
        where (%(after)s::uuid is null
               or (s.recorded_at, s.id) < (select recorded_at, id from subscriptions where id = %(after)s))
          and (%(customer)s::uuid is null or s.customer_id = %(customer)s)
          and (%(status)s::text is null or s.status = %(status)s)
          and (%(external_id)s::text is null or s.external_id = %(external_id)s)
        order by s.recorded_at desc, s.id desc limit %(limit)s
        """,
        {"after": after, "customer": customer_id, "status": status, "external_id": external_id, "limit": limit},
    )
    return [subscription_from(row) for row in rows]


def next_instant_of_calendar(uow: UnitOfWork, *, after: datetime) -> datetime | None:
    """Return the next instant, later than `after`, at which something is due or a state moves; None: never again.

    What time does to wallets counts: credit that a plan promises comes at its own instant.
    """
    row = uow.fetch_one(
        """
        select least((select min(next_due_at) from billing_positions where next_due_at > %(after)s),
                     (select min(next_move_at) from subscriptions where next_move_at > %(after)s))
        """,
        {"after": after},
    )
    of_subscriptions: datetime | None = row[0] if row else None
    instants = (of_subscriptions, next_instant_of_wallets(uow, after=after))
    return min((instant for instant in instants if instant is not None), default=None)


def subscription_ids(uow: UnitOfWork) -> list[SubscriptionId]:
    """Return the id of every subscription of the tenant, in order."""
    return [SubscriptionId(row[0]) for row in uow.fetch_all("select id from subscriptions order by id")]


def billed_currencies(uow: UnitOfWork) -> list[str]:
    """Return the currencies in which the tenant's subscriptions are billed."""
    return [row[0] for row in uow.fetch_all("select distinct currency from subscriptions order by currency")]


def first_subscriptions(
    uow: UnitOfWork, customer_ids: Sequence[CustomerId]
) -> dict[tuple[CustomerId, str], SubscriptionId]:
    """Return the lowest id among the subscriptions of each customer in each currency that have not ended."""
    rows = uow.fetch_all(
        """
        select distinct on (customer_id, currency) customer_id, currency, id from subscriptions
        where customer_id = any(%s) and status not in ('cancelled', 'expired')
        order by customer_id, currency, id
        """,
        [list(customer_ids)],
    )
    return {(CustomerId(customer_id), currency): SubscriptionId(id_) for customer_id, currency, id_ in rows}


def _discounts(
    uow: UnitOfWork, subscription_ids: Sequence[SubscriptionId]
) -> dict[SubscriptionId, tuple[AppliedDiscount, ...]]:
    """Return the discounts of each subscription that has any."""
    rows = uow.connection.execute(_LOAD_DISCOUNTS, [list(subscription_ids)], binary=True).fetchall()
    return {
        subscription_id: tuple(
            AppliedDiscount(discount_from_text(terms), applied_at, removed_at)
            for _, terms, applied_at, removed_at in group
        )
        for subscription_id, group in groupby(rows, key=itemgetter(0))
    }


def _standing(rows: Sequence[Row], discounts: tuple[AppliedDiscount, ...]) -> Standing:
    """Return the standing of one subscription from its rows: one for each phase, one for an item without phases."""
    found = [_item(ItemId(item_id), list(group)) for item_id, group in groupby(rows, key=itemgetter(_ITEM_ID))]
    found.sort(key=_start)
    items, positions = zip(*found, strict=True)
    return Standing(subscription_from(rows[0]), items, positions, discounts)


def _item(item_id: ItemId, rows: Sequence[Row]) -> tuple[Item, BillingPosition]:
    _, plan_version_id, anchor_at, discount_percent, is_add_on, *position = rows[0][_ITEM_ID:_PHASE]
    phases = tuple(
        Phase(starts_at, ends_at, is_billable, terms_from_text(terms), _STATE[state], _CLOSING[closing])
        for starts_at, ends_at, is_billable, terms, state, closing in (row[_PHASE:] for row in rows)
        if starts_at is not None
    )
    item = Item(item_id, PlanVersionId(plan_version_id), anchor_at, discount_percent, phases, is_add_on)
    return item, BillingPosition(item_id, *position)


def _start(found: tuple[Item, BillingPosition]) -> tuple[bool, datetime, bool, ItemId]:
    """Return the place of an item: those without phases first, then as in a timeline."""
    item, _ = found
    return (bool(item.phases), item.starts_at if item.phases else item.anchor_at, item.is_add_on, item.id)


def _drift(subscription_id: SubscriptionId, *, kept: Timeline, folded: Timeline) -> Iterator[Drift]:
    kept_parts, folded_parts = _parts(kept), _parts(folded)
    for key in kept_parts | folded_parts:
        if kept_parts.get(key) != folded_parts.get(key):
            object_id, _ = key
            yield Drift(subscription_id, object_id, kept_parts.get(key), folded_parts.get(key))


def _parts(timeline: Timeline) -> dict[tuple[ItemId | DiscountId, int], Item | AppliedDiscount]:
    """Return the items by id, and the discounts by id and place."""
    parts: dict[tuple[ItemId | DiscountId, int], Item | AppliedDiscount] = {
        (item.id, 0): item for item in timeline.items
    }
    return parts | {(one.discount.id, place): one for place, one in enumerate(timeline.discounts, start=1)}
