"""Rows of `subscription_changes`: the journal."""

from collections.abc import Iterable, Sequence
from typing import Final

from tenor.kernel.ids import SubscriptionId
from tenor.platform.unit_of_work import Column, UnitOfWork
from tenor.subscriptions.model import Change, ChangeKind
from tenor.subscriptions.store.facts import facts_from_json, facts_to_json, kind_of
from tenor.subscriptions.store.rows import write_rows

_COLUMNS: Final[Sequence[Column]] = (
    ("subscription_id", "uuid"),
    ("version", "bigint"),
    ("kind", "text"),
    ("effective_at", "timestamptz"),
    ("recorded_at", "timestamptz"),
    ("actor", "text"),
    ("reason", "text"),
    ("facts", "jsonb"),
)


def journals(uow: UnitOfWork, subscription_ids: Sequence[SubscriptionId]) -> dict[SubscriptionId, list[Change]]:
    """Return the journal of each subscription in the order of versions, in one statement."""
    found: dict[SubscriptionId, list[Change]] = {subscription_id: [] for subscription_id in subscription_ids}
    for subscription_id, version, kind, effective_at, recorded_at, actor, reason, facts in uow.fetch_all(
        """
        select subscription_id, version, kind, effective_at, recorded_at, actor, reason, facts
        from subscription_changes where subscription_id = any(%s) order by subscription_id, version
        """,
        [list(subscription_ids)],
    ):
        change = Change(version, effective_at, recorded_at, actor, reason, facts_from_json(ChangeKind(kind), facts))
        found[subscription_id].append(change)
    return found


def append_changes(uow: UnitOfWork, changes: Iterable[tuple[SubscriptionId, Change]]) -> None:
    """Write entries of journals."""
    rows = [
        (
            subscription_id,
            change.version,
            kind_of(change.facts).value,
            change.effective_at,
            change.recorded_at,
            change.actor,
            change.reason,
            facts_to_json(change.facts),
        )
        for subscription_id, change in changes
    ]
    write_rows(uow, "subscription_changes", _COLUMNS, rows)
