"""Reads: what a bill run loads, and whether the rows in force still are what the journals fold to."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple

from tenor.kernel.ids import ItemId, PlanVersionId, SubscriptionId
from tenor.platform.unit_of_work import Row, UnitOfWork
from tenor.subscriptions.errors import SubscriptionNotFound
from tenor.subscriptions.model import BillingPosition, Item, Phase, Subscription, Timeline
from tenor.subscriptions.rules.timeline import fold
from tenor.subscriptions.store.facts import terms_from_text
from tenor.subscriptions.store.journal import journals
from tenor.subscriptions.store.subscriptions import SUBSCRIPTION_FIELDS, subscription_from

CHUNK: Final = 1_000
"""Subscriptions that are loaded with one statement."""


class Standing(NamedTuple):
    """A subscription with every item that it ever had, in order of start, and the position of each.

    An item that later changes took back altogether has no phases; such items come first.
    """

    subscription: Subscription
    items: tuple[Item, ...]
    positions: tuple[BillingPosition, ...]

    @property
    def timeline(self) -> Timeline:
        """What is in force."""
        return Timeline(tuple(item for item in self.items if item.phases))


class Drift(NamedTuple):
    """An item whose rows in force are not what its journal folds to; None where one of the two has no such item."""

    subscription_id: SubscriptionId
    item_id: ItemId
    kept: Item | None
    folded: Item | None


_LOAD: Final = f"""
    select {SUBSCRIPTION_FIELDS},
           i.id, i.plan_version_id, i.anchor_at, i.discount_percent,
           b.settled_through, b.revisit_from,
           p.starts_at, p.ends_at, p.is_billable, p.terms::text
    from subscriptions s
    join subscription_items i on i.tenant_id = s.tenant_id and i.subscription_id = s.id
    join billing_positions b
        on b.tenant_id = i.tenant_id and b.subscription_id = i.subscription_id and b.item_id = i.id
    left join phases p
        on p.tenant_id = i.tenant_id and p.item_id = i.id and p.superseded_by_version is null
    where s.id = any(%b)
    order by s.id, i.id, p.starts_at
"""
_SUBSCRIPTION_WIDTH: Final = 13
_ITEM_ID: Final = _SUBSCRIPTION_WIDTH
_PHASE: Final = _ITEM_ID + 6
"""Where the columns of `_LOAD` begin: the subscription's at 0, the item's with its position, the phase's."""


def load_items(uow: UnitOfWork, subscription_ids: Sequence[SubscriptionId]) -> list[Standing]:
    """Return the items of these subscriptions with their phases in force, one `Standing` for each subscription.

    In the order of ids; one statement for each thousand. Ids that the tenant does not have are left out.
    """
    standings: list[Standing] = []
    for start in range(0, len(subscription_ids), CHUNK):
        chunk = list(subscription_ids[start : start + CHUNK])
        rows = uow.connection.execute(_LOAD, [chunk], binary=True).fetchall()
        standings += [_standing(list(group)) for _, group in groupby(rows, key=itemgetter(0))]
    return standings


def timeline_drift(uow: UnitOfWork, subscription_ids: Sequence[SubscriptionId]) -> list[Drift]:
    """Return every item of these subscriptions whose rows in force differ from the fold of the journal."""
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
        raise SubscriptionNotFound(f"there is no subscription {external_id!r}", external_id=external_id)
    return subscription_from(row)


def subscription_ids(uow: UnitOfWork) -> list[SubscriptionId]:
    """Return the id of every subscription of the tenant, in order."""
    return [SubscriptionId(row[0]) for row in uow.fetch_all("select id from subscriptions order by id")]


def billed_currencies(uow: UnitOfWork) -> list[str]:
    """Return the currencies in which the tenant's subscriptions are billed."""
    return [row[0] for row in uow.fetch_all("select distinct currency from subscriptions order by currency")]


def _standing(rows: Sequence[Row]) -> Standing:
    """Return the standing of one subscription from its rows: one for each phase, one for an item without phases."""
    found = [_item(ItemId(item_id), list(group)) for item_id, group in groupby(rows, key=itemgetter(_ITEM_ID))]
    found.sort(key=_start)
    items, positions = zip(*found, strict=True)
    return Standing(subscription_from(rows[0]), items, positions)


def _item(item_id: ItemId, rows: Sequence[Row]) -> tuple[Item, BillingPosition]:
    _, plan_version_id, anchor_at, discount_percent, settled_through, revisit_from = rows[0][_ITEM_ID:_PHASE]
    phases = tuple(
        Phase(starts_at, ends_at, is_billable, terms_from_text(terms))
        for starts_at, ends_at, is_billable, terms in (row[_PHASE:] for row in rows)
        if starts_at is not None
    )
    item = Item(item_id, PlanVersionId(plan_version_id), anchor_at, discount_percent, phases)
    return item, BillingPosition(item_id, settled_through, revisit_from)


def _start(found: tuple[Item, BillingPosition]) -> tuple[bool, datetime]:
    item, _ = found
    return (bool(item.phases), item.starts_at if item.phases else item.anchor_at)


def _drift(subscription_id: SubscriptionId, *, kept: Timeline, folded: Timeline) -> Iterator[Drift]:
    kept_items = {item.id: item for item in kept.items}
    folded_items = {item.id: item for item in folded.items}
    for item_id in kept_items | folded_items:
        if kept_items.get(item_id) != folded_items.get(item_id):
            yield Drift(subscription_id, item_id, kept_items.get(item_id), folded_items.get(item_id))
