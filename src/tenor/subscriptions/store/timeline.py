"""Rows of `subscription_items`, `phases` and `subscription_discounts`: what the journals fold to, kept for reading.

Phases and discounts are never changed but by being superseded, so the rows also say what was in force after each
version.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from tenor.kernel.ids import ItemId, SubscriptionId
from tenor.platform.unit_of_work import Column, UnitOfWork
from tenor.subscriptions.model import Item, Phase, Timeline
from tenor.subscriptions.store.facts import terms_to_json
from tenor.subscriptions.store.rows import write_rows

_ITEM_COLUMNS: Final[Sequence[Column]] = (
    ("id", "uuid"),
    ("subscription_id", "uuid"),
    ("plan_version_id", "uuid"),
    ("anchor_at", "timestamptz"),
    ("discount_percent", "numeric"),
    ("is_add_on", "boolean"),
)
_PHASE_COLUMNS: Final[Sequence[Column]] = (
    ("item_id", "uuid"),
    ("written_by_version", "bigint"),
    ("starts_at", "timestamptz"),
    ("ends_at", "timestamptz"),
    ("is_billable", "boolean"),
    ("terms", "jsonb"),
    ("state", "text"),
    ("closing", "text"),
)
_DISCOUNT_COLUMNS: Final[Sequence[Column]] = (
    ("subscription_id", "uuid"),
    ("written_by_version", "bigint"),
    ("place", "bigint"),
    ("discount_id", "uuid"),
    ("applied_at", "timestamptz"),
    ("removed_at", "timestamptz"),
    ("terms", "jsonb"),
)


class Superseding(NamedTuple):
    """What version `version` of a subscription makes of its timeline."""

    subscription_id: SubscriptionId
    version: int
    before: Timeline
    after: Timeline


def item_ids(uow: UnitOfWork, subscription_ids: Sequence[SubscriptionId]) -> dict[SubscriptionId, list[ItemId]]:
    """Return the ids of all items that each subscription ever had."""
    found: dict[SubscriptionId, list[ItemId]] = {subscription_id: [] for subscription_id in subscription_ids}
    for subscription_id, item_id in uow.fetch_all(
        "select subscription_id, id from subscription_items where subscription_id = any(%s)", [list(subscription_ids)]
    ):
        found[subscription_id].append(item_id)
    return found


def insert_items(uow: UnitOfWork, items: Iterable[tuple[SubscriptionId, Item]]) -> None:
    """Write new items, without their phases."""
    rows = [
        (item.id, subscription_id, item.plan_version_id, item.anchor_at, item.discount_percent, item.is_add_on)
        for subscription_id, item in items
    ]
    write_rows(uow, "subscription_items", _ITEM_COLUMNS, rows)


def put_in_force(uow: UnitOfWork, timelines: Sequence[Superseding]) -> None:
    """Put the phases and discounts of each timeline in place of those before it; writes the difference only."""
    _replace_phases(uow, timelines)
    _replace_discounts(uow, timelines)


def _replace_phases(uow: UnitOfWork, timelines: Sequence[Superseding]) -> None:
    gone: list[tuple[ItemId, datetime, int]] = []
    come: list[tuple[Any, ...]] = []
    for one in timelines:
        old, new = _phases_by_start(one.before), _phases_by_start(one.after)
        gone += [(*key, one.version) for key, phase in old.items() if new.get(key) != phase]
        come += [
            (
                item_id,
                one.version,
                phase.starts_at,
                phase.ends_at,
                phase.is_billable,
                terms_to_json(phase.terms),
                phase.state.value,
                phase.closing.value,
            )
            for (item_id, starts_at), phase in new.items()
            if old.get((item_id, starts_at)) != phase
        ]
    if gone:
        uow.execute(
            """
            update phases p set superseded_by_version = g.version
            from unnest(%b::uuid[], %b::timestamptz[], %b::bigint[]) g (item_id, starts_at, version)
            where p.item_id = g.item_id and p.starts_at = g.starts_at and p.superseded_by_version is null
            """,
            [list(column) for column in zip(*gone, strict=True)],
        )
    write_rows(uow, "phases", _PHASE_COLUMNS, come)


def _replace_discounts(uow: UnitOfWork, timelines: Sequence[Superseding]) -> None:
    changed = [one for one in timelines if one.before.discounts != one.after.discounts]
    if not changed:
        return
    uow.execute(
        """
        update subscription_discounts d set superseded_by_version = c.version
        from unnest(%b::uuid[], %b::bigint[]) c (subscription_id, version)
        where d.subscription_id = c.subscription_id and d.superseded_by_version is null
        """,
        [[one.subscription_id for one in changed], [one.version for one in changed]],
    )
    rows = [
        (
            one.subscription_id,
            one.version,
            place,
            applied.discount.id,
            applied.applied_at,
            applied.removed_at,
            applied.discount.to_json(),
        )
        for one in changed
        for place, applied in enumerate(one.after.discounts, start=1)
    ]
    write_rows(uow, "subscription_discounts", _DISCOUNT_COLUMNS, rows)


def _phases_by_start(timeline: Timeline) -> dict[tuple[ItemId, datetime], Phase]:
    return {(item.id, phase.starts_at): phase for item in timeline.items for phase in item.phases}
