"""Opening: write new subscriptions, with all that follows from the first entries of their journals."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from psycopg.errors import UniqueViolation

from tenor.platform.audit import Deed, record
from tenor.platform.outbox import publish
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions.errors import ExternalIdTaken
from tenor.subscriptions.events import change_event
from tenor.subscriptions.model import Change, Subscription, Timeline
from tenor.subscriptions.plan_credits import keep_plan_credits
from tenor.subscriptions.rules.moves import follow
from tenor.subscriptions.rules.timeline import fold
from tenor.subscriptions.store.facts import kind_of
from tenor.subscriptions.store.journal import append_changes
from tenor.subscriptions.store.moves import Moved, insert_moves
from tenor.subscriptions.store.positions import open_positions
from tenor.subscriptions.store.subscriptions import insert_subscriptions
from tenor.subscriptions.store.timeline import Superseding, insert_items, put_in_force


class Opening(NamedTuple):
    """A subscription that has not started yet, the first entries of its journal, and the SHA-256 of its request.

    All entries are effective from its start on, and its version is their number.
    """

    subscription: Subscription
    changes: tuple[Change, ...]
    digest: bytes


def open_subscriptions(uow: UnitOfWork, openings: Sequence[Opening], *, now: datetime) -> list[Subscription]:
    """Write subscriptions in the state to which the calendar has brought them; return them as they stand.

    In a number of statements that does not depend on how many there are.

    Raises:
        ExternalIdTaken: another call has just written one of the external ids; nothing was written.
    """
    timelines = [fold(one.changes) for one in openings]
    moved = [
        Moved(*follow(one.subscription, timeline, since=one.subscription.starts_at, through=now))
        for one, timeline in zip(openings, timelines, strict=True)
    ]
    try:
        with uow.connection.transaction():
            insert_subscriptions(
                uow, ((one, opening.digest) for (one, _), opening in zip(moved, openings, strict=True)), now=now
            )
    except UniqueViolation:
        raise ExternalIdTaken("another call has just written one of these external ids; call again") from None
    items = [(one.id, item) for (one, _), timeline in zip(moved, timelines, strict=True) for item in timeline.items]
    append_changes(uow, [(one.subscription.id, change) for one in openings for change in one.changes])
    insert_items(uow, items)
    put_in_force(
        uow,
        [
            Superseding(one.id, one.version, before=Timeline(()), after=timeline)
            for (one, _), timeline in zip(moved, timelines, strict=True)
        ],
    )
    open_positions(uow, [(subscription_id, item.id, item.starts_at) for subscription_id, item in items])
    insert_moves(uow, moved, now=now)
    _tell(uow, [(one, change) for (one, _), opening in zip(moved, openings, strict=True) for change in opening.changes])
    keep_plan_credits(uow, [one.id for one, _ in moved], now=now)
    return [one for one, _ in moved]


def _tell(uow: UnitOfWork, opened: Sequence[tuple[Subscription, Change]]) -> None:
    publish(uow, [change_event(subscription, change) for subscription, change in opened])
    record(
        uow,
        [
            Deed(
                actor=change.actor,
                action=f"subscription.{kind_of(change.facts)}",
                object_type="subscription",
                object_id=subscription.id,
                reason=change.reason,
                occurred_at=change.recorded_at,
                after={"version": change.version, "status": subscription.status.value},
            )
            for subscription, change in opened
        ],
    )
