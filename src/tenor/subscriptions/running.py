"""Running: the items of an opened subscription that a change is about, with the plan versions that they pin."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from tenor.kernel.ids import ItemId, to_wire
from tenor.kernel.period import format_instant
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import plan_versions
from tenor.subscriptions.changing import Effective, Opened, effective_instant, record_changes
from tenor.subscriptions.errors import NoSuchAddOn
from tenor.subscriptions.model import Facts, Recording, Subscription, Terms, Timeline
from tenor.subscriptions.rules.admission import item_ids
from tenor.subscriptions.rules.grid import period_end
from tenor.subscriptions.rules.replanning import replanned
from tenor.subscriptions.rules.resumption import Running
from tenor.subscriptions.rules.timeline import phase_at


def running_at(uow: UnitOfWork, timeline: Timeline, at: datetime) -> list[Running]:
    """Return the items of the plan and of add-ons that run at `at`, paused or not; none outside the life."""
    items = [item for item in timeline.items if phase_at(item, at)]
    plans = plan_versions(uow, {item.plan_version_id for item in items})
    return [Running(item, plans[item.plan_version_id]) for item in items]


def target_at(
    uow: UnitOfWork, opened: Opened, effective: Effective, *, add_on: ItemId | None, now: datetime
) -> tuple[datetime, Running]:
    """Return the instant that `effective` means, and the item that a change then is about.

    That is the item of the plan, or the add-on; "period_end" is the end of its own billing period.

    Raises:
        OutsideLife: nothing of the subscription runs then.
        NoSuchAddOn: the add-on does not.
    """
    at, item = effective_instant(uow, opened, "now" if add_on and effective == "period_end" else effective, now=now)
    running = running_at(uow, opened.timeline, at)
    target = _add_on(running, add_on, at) if add_on else next(one for one in running if one.item.id == item.id)
    if add_on and effective == "period_end":
        at = period_end(target.item, target.plan.interval, opened.subscription, at=at)
        target = _add_on(running_at(uow, opened.timeline, at), add_on, at)
    return at, target


def terms_at(target: Running, at: datetime) -> Terms:
    """Return what is agreed on an item that runs at `at`."""
    phase = phase_at(target.item, at)
    if phase is None:
        raise ValueError(f"item {target.item.id} does not run at {at}")
    return phase.terms


def new_item_ids(opened: Opened, *, now: datetime) -> Iterator[ItemId]:
    """Yield ids for the items that a change opens; the same for the same change."""
    return item_ids(opened.subscription.id, version=opened.subscription.version + 1, now=now)


def record_and_replan(
    uow: UnitOfWork, opened: Opened, entries: Sequence[tuple[Facts, datetime]], recording: Recording
) -> Subscription:
    """Write entries that replace items, and anew what was planned on those; return how the subscription then stands."""
    return record_changes(uow, opened, replanned(opened, entries, recording), recording)


def _add_on(running: list[Running], item_id: ItemId, at: datetime) -> Running:
    add_ons = [one for one in running if one.item.is_add_on]
    for one in add_ons:
        if one.item.id == item_id:
            return one
    known = [f"{to_wire('itm', one.item.id)} ({one.plan.plan})" for one in add_ons]
    raise NoSuchAddOn(
        f"at {format_instant(at)} no add-on {to_wire('itm', item_id)} runs; there is {', '.join(known) or 'none'}",
        item_id=to_wire("itm", item_id),
    )
