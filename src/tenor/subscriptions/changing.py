"""The frame of every change to one subscription: lock, check the version, find the instant, record."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from tenor.kernel.ids import SubscriptionId
from tenor.kernel.period import format_instant, parse_instant
from tenor.platform.audit import Deed, record
from tenor.platform.outbox import publish
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import plan_versions
from tenor.pricing.model import PlanVersion
from tenor.subscriptions.errors import OutsideLife, VersionConflict
from tenor.subscriptions.events import change_event, move_event
from tenor.subscriptions.model import Cancelled, Change, Facts, Item, PlanChanged, Recording, Subscription, Timeline
from tenor.subscriptions.rules.grid import period_end
from tenor.subscriptions.rules.moves import Move, after_moves, calendar_moves, cancellation_moves
from tenor.subscriptions.rules.timeline import fold, item_at
from tenor.subscriptions.store.facts import kind_of
from tenor.subscriptions.store.journal import append_changes, journals
from tenor.subscriptions.store.moves import Moved, apply_moves
from tenor.subscriptions.store.positions import mark_news, open_positions
from tenor.subscriptions.store.subscriptions import lock_subscription, save_change_of
from tenor.subscriptions.store.timeline import insert_items, replace_phases

Effective = Literal["now", "period_end"] | datetime
"""When a change takes effect: at once, when the running billing period ends, or at an instant within the life."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A locked subscription as the calendar has brought it to now, with its journal and what that folds to."""

    subscription: Subscription
    moves: tuple[Move, ...]
    journal: tuple[Change, ...]
    timeline: Timeline


def open_for_change(uow: UnitOfWork, subscription_id: SubscriptionId, *, version: int, now: datetime) -> Opened:
    """Lock a subscription for a change that was decided on its version `version`.

    Raises:
        SubscriptionNotFound: this tenant has none with the id.
        VersionConflict: it has changed since.
    """
    subscription = lock_subscription(uow, subscription_id)
    if subscription.version != version:
        raise VersionConflict(
            f"the subscription is at version {subscription.version}, not {version}; read it again and decide anew",
            expected=version,
            actual=subscription.version,
        )
    moves = tuple(calendar_moves(subscription, through=now))
    journal = tuple(journals(uow, [subscription_id])[subscription_id])
    return Opened(after_moves(subscription, moves), moves, journal, fold(journal))


def effective_instant(uow: UnitOfWork, opened: Opened, effective: Effective, *, now: datetime) -> tuple[datetime, Item]:
    """Return the instant that `effective` means, and the item that runs at it.

    Before the start, "now" means the start, and "period_end" the end of the first period.

    Raises:
        OutsideLife: nothing runs at that instant.
    """
    running_at = max(now, opened.subscription.starts_at)
    if effective == "now":
        at = running_at
    elif effective == "period_end":
        item = _item_running(opened, running_at)
        interval = plan_of(uow, item).interval
        at = period_end(item, interval, opened.subscription, at=running_at)
    else:
        at = parse_instant(effective, name="effective")
    return at, _item_running(opened, at)


def plan_of(uow: UnitOfWork, item: Item) -> PlanVersion:
    """Return the plan version that an item pins."""
    return plan_versions(uow, [item.plan_version_id])[item.plan_version_id]


def record_change(uow: UnitOfWork, opened: Opened, facts: Facts, *, at: datetime, recording: Recording) -> Subscription:
    """Write a change that holds from `at`, and all that follows from it; return the subscription as it then stands.

    The journal entry decides; phases, state, billing positions, event and audit record follow in this transaction.
    """
    change = Change(opened.subscription.version + 1, at, recording.now, recording.actor, recording.reason, facts)
    subscription = replace(opened.subscription, version=change.version)
    moves = opened.moves
    if isinstance(facts, Cancelled):
        subscription = replace(subscription, ends_at=at, cancels_at_end=True)
        further = cancellation_moves(subscription, now=recording.now)
        subscription = after_moves(subscription, further)
        moves += tuple(further)
    append_changes(uow, [(subscription.id, change)])
    save_change_of(uow, subscription)
    apply_moves(uow, [Moved(subscription, moves)], now=recording.now)
    _put_in_force(uow, opened, change, now=recording.now)
    publish(
        uow,
        [change_event(subscription, change)] + [move_event(subscription, move, now=recording.now) for move in moves],
    )
    record(uow, [_deed(opened.subscription, subscription, change)])
    return subscription


def _put_in_force(uow: UnitOfWork, opened: Opened, change: Change, *, now: datetime) -> None:
    """Write what the timeline becomes, and tell the bill run which items to look at again."""
    after = fold([*opened.journal, change])
    new_id = change.facts.item_id if isinstance(change.facts, PlanChanged) else None
    new_items = [(opened.subscription.id, item) for item in after.items if item.id == new_id]
    insert_items(uow, new_items)
    touched = replace_phases(uow, before=opened.timeline, after=after, version=change.version)
    open_positions(uow, [(subscription_id, item.id, item.starts_at) for subscription_id, item in new_items])
    mark_news(uow, {item_id: change.effective_at for item_id in touched if item_id != new_id}, now=now)


def _item_running(opened: Opened, at: datetime) -> Item:
    item = item_at(opened.timeline, at)
    if item is None:
        spans = [f"{format_instant(item.starts_at)} to {_shown_end(item)}" for item in opened.timeline.items]
        raise OutsideLife(
            f"at {format_instant(at)} nothing of the subscription runs; it runs {' and '.join(spans) or 'never'}",
            effective_at=format_instant(at),
        )
    return item


def _shown_end(item: Item) -> str:
    return "an open end" if item.ends_at is None else format_instant(item.ends_at)


def _deed(before: Subscription, after: Subscription, change: Change) -> Deed:
    return Deed(
        actor=change.actor,
        action=f"subscription.{kind_of(change.facts)}",
        object_type="subscription",
        object_id=after.id,
        reason=change.reason,
        occurred_at=change.recorded_at,
        before={"version": before.version, "status": before.status.value},
        after={"version": after.version, "status": after.status.value},
    )
