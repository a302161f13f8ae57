"""Rows of `subscription_items` and `phases`: what the journals fold to, kept for set-based reading.

A phase is never changed but by being superseded, so the rows also say what was in force after each version.
"""

from collections.abc import Iterable, Sequence
from typing import Final

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
)
_PHASE_COLUMNS: Final[Sequence[Column]] = (
    ("item_id", "uuid"),
    ("written_by_version", "bigint"),
    ("starts_at", "timestamptz"),
    ("ends_at", "timestamptz"),
    ("is_billable", "boolean"),
    ("terms", "jsonb"),
)


def insert_items(uow: UnitOfWork, items: Iterable[tuple[SubscriptionId, Item]]) -> None:
    """Write new items, without their phases."""
    rows = [
        (item.id, subscription_id, item.plan_version_id, item.anchor_at, item.discount_percent)
        for subscription_id, item in items
    ]
    write_rows(uow, "subscription_items", _ITEM_COLUMNS, rows)


def insert_phases(uow: UnitOfWork, phases: Iterable[tuple[ItemId, Phase]], *, version: int) -> None:
    """Write phases that version `version` of their subscriptions put in force."""
    rows = [
        (item_id, version, phase.starts_at, phase.ends_at, phase.is_billable, terms_to_json(phase.terms))
        for item_id, phase in phases
    ]
    write_rows(uow, "phases", _PHASE_COLUMNS, rows)


def replace_phases(uow: UnitOfWork, *, before: Timeline, after: Timeline, version: int) -> list[ItemId]:
    """Put the phases of `after`, which version `version` of the subscription brought, in place of those of `before`.

    Writes the difference only; returns the ids of the items that differ.
    """
    old = {(item.id, phase.starts_at): phase for item in before.items for phase in item.phases}
    new = {(item.id, phase.starts_at): phase for item in after.items for phase in item.phases}
    gone = [key for key, phase in old.items() if new.get(key) != phase]
    come = [(key, phase) for key, phase in new.items() if old.get(key) != phase]
    uow.execute(
        """
        update phases p set superseded_by_version = %s
        from unnest(%b::uuid[], %b::timestamptz[]) g (item_id, starts_at)
        where p.item_id = g.item_id and p.starts_at = g.starts_at and p.superseded_by_version is null
        """,
        [version, [item_id for item_id, _ in gone], [starts_at for _, starts_at in gone]],
    )
    insert_phases(uow, [(item_id, phase) for (item_id, _), phase in come], version=version)
    return list(dict.fromkeys([item_id for item_id, _ in gone] + [item_id for (item_id, _), _ in come]))
