"""The frame of every change to a subscription: lock, check the version, find the instant, record."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from tenor.kernel.ids import SubscriptionId
from tenor.kernel.period import format_instant, parse_instant
from tenor.platform.audit import Deed, record
from tenor.platform.outbox import publish
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import plan_versions
from tenor.pricing.model import PlanVersion
from tenor.pricing.policy import profile
from tenor.subscriptions.errors import OutsideLife, VersionConflict
from tenor.subscriptions.events import change_event, move_event
from tenor.subscriptions.model import Change, Facts, Item, Recording, Subscription
from tenor.subscriptions.plan_credits import keep_plan_credits
from tenor.subscriptions.rules.amendment import Amendment, Opened, amend, caught_up, renewed
from tenor.subscriptions.rules.grid import period_end
from tenor.subscriptions.rules.moves import runs_on
from tenor.subscriptions.rules.timeline import fold, item_at
from tenor.subscriptions.store.facts import kind_of
from tenor.subscriptions.store.journal import append_changes, journals
from tenor.subscriptions.store.moves import Moved, apply_moves
from tenor.subscriptions.store.positions import groups_of, mark_news, next_looks, open_positions
from tenor.subscriptions.store.subscriptions import lock_subscription, save_changes_of
from tenor.subscriptions.store.timeline import Superseding, insert_items, item_ids, put_in_force

Effective = Literal["now", "period_end"] | datetime
"""When a change takes effect: at once, when the running billing period ends, or at an instant within the life."""


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
    return open_locked(uow, [subscription], now=now)[0]


def open_locked(uow: UnitOfWork, subscriptions: Sequence[Subscription], *, now: datetime) -> list[Opened]:
    """Return locked subscriptions, in the same order, as the calendar has brought them to now.

    A term that renews itself and has ended by now is prolonged first, as an entry of its own in the journal.
    """
    ids = [subscription.id for subscription in subscriptions]
    known_journals, known_items = journals(uow, ids), item_ids(uow, ids)
    opened = []
    for subscription in subscriptions:
        journal = tuple(known_journals[subscription.id])
        opened.append(Opened(subscription, (), journal, fold(journal), frozenset(known_items[subscription.id])))
    renewals = {one.subscription.id: renewal for one in opened if (renewal := renewed(one, now=now))}
    if renewals:
        write_amendments(uow, list(renewals.values()), now=now)
        opened = [
            renewals[one.subscription.id].reopened() if one.subscription.id in renewals else one for one in opened
        ]
    return [caught_up(one, now=now) for one in opened]


def effective_instant(uow: UnitOfWork, opened: Opened, effective: Effective, *, now: datetime) -> tuple[datetime, Item]:
    """Return the instant that `effective` means, in the past or ahead, and the item of the plan that runs at it.

    Before the start, "now" means the start, and "period_end" the end of the first period. At its very end a term
    that renews itself still runs.

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


def record_changes(
    uow: UnitOfWork, opened: Opened, entries: Sequence[tuple[Facts, datetime]], recording: Recording
) -> Subscription:
    """Write entries, each with its effective instant, and all that follows; return the subscription as it then stands.

    Every entry is a version of its own, in the order given. See `write_amendments`.
    """
    amendment = amend(opened, entries, recording)
    write_amendments(uow, [amendment], now=recording.now)
    return amendment.subscription


def write_amendments(uow: UnitOfWork, amendments: Sequence[Amendment], *, now: datetime) -> None:
    """Write amendments of locked subscriptions, at most one of each, in a number of statements that is constant.

    The entries of the journals decide; phases, discounts, states, billing positions, events, audit records and the
    credits that plans promise follow from them in this transaction.
    """
    append_changes(uow, [(one.subscription.id, entry) for one in amendments for entry in one.entries])
    save_changes_of(uow, [one.subscription for one in amendments])
    apply_moves(uow, [Moved(one.subscription, one.moves) for one in amendments], now=now)
    _put_in_force(uow, amendments, now=now)
    publish(
        uow,
        [
            event
            for one in amendments
            for event in (
                *(change_event(one.subscription, entry) for entry in one.entries),
                *(move_event(one.subscription, move, now=now) for move in one.moves),
            )
        ],
    )
    record(uow, [_deed(one, entry) for one in amendments for entry in one.entries])
    keep_plan_credits(uow, [one.subscription.id for one in amendments], now=now)


def _put_in_force(uow: UnitOfWork, amendments: Sequence[Amendment], *, now: datetime) -> None:
    """Write what the timelines become, and tell the bill run which items to look at again, and when."""
    waiting = {one.subscription.id for one in amendments if _waits_for_the_next_invoice(one.subscription)}
    looks = next_looks(uow, waiting, now=now) if waiting else {}
    new_items = [(one.subscription.id, item) for one in amendments for item in one.new_items]
    if new_items:
        insert_items(uow, new_items)
        groups = groups_of(uow, {subscription_id for subscription_id, _ in new_items})
        opened = [
            (subscription_id, item.id, max(item.starts_at, looks.get(subscription_id, item.starts_at)))
            for subscription_id, item in new_items
        ]
        open_positions(uow, opened, groups=groups)
    put_in_force(
        uow,
        [
            Superseding(one.subscription.id, one.subscription.version, before=one.opened.timeline, after=one.timeline)
            for one in amendments
        ],
    )
    mark_news(
        uow,
        {item_id: since for one in amendments for item_id, since in one.news.items()},
        now=now,
        waits={
            item_id: looks[one.subscription.id]
            for one in amendments
            if one.subscription.id in looks
            for item_id in one.news
        },
    )


def _waits_for_the_next_invoice(subscription: Subscription) -> bool:
    """Whether by policy what a change comes to rides on the next invoice instead of having one of its own."""
    return profile(subscription.profile).billing.proration_invoicing == "next_invoice"


def _item_running(opened: Opened, at: datetime) -> Item:
    item = item_at(opened.timeline, at)
    if item is None and at == opened.subscription.ends_at and runs_on(opened.subscription, opened.timeline):
        item = next(item for item in opened.timeline.items if not item.is_add_on and item.ends_at == at)
    if item is None:
        spans = [
            f"{format_instant(item.starts_at)} to {_shown_end(item)}"
            for item in opened.timeline.items
            if not item.is_add_on
        ]
        raise OutsideLife(
            f"at {format_instant(at)} nothing of the subscription runs; it runs {' and '.join(spans) or 'never'}",
            effective_at=format_instant(at),
        )
    return item


def _shown_end(item: Item) -> str:
    return "an open end" if item.ends_at is None else format_instant(item.ends_at)


def _deed(amendment: Amendment, entry: Change) -> Deed:
    before, after = amendment.opened.subscription, amendment.subscription
    return Deed(
        actor=entry.actor,
        action=f"subscription.{kind_of(entry.facts)}",
        object_type="subscription",
        object_id=after.id,
        reason=entry.reason,
        occurred_at=entry.recorded_at,
        before={"version": entry.version - 1, "status": before.status.value},
        after={"version": entry.version, "status": after.status.value},
    )


__all__ = [
    "Effective",
    "Opened",
    "effective_instant",
    "open_for_change",
    "open_locked",
    "plan_of",
    "record_changes",
    "write_amendments",
]
