"""Pause a subscription."""

from datetime import datetime
from typing import Final, Literal

from tenor.kernel.ids import SubscriptionId
from tenor.kernel.period import format_instant, parse_instant
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions.changing import Effective, Opened, open_for_change
from tenor.subscriptions.errors import AlreadyPaused, PauseRefused
from tenor.subscriptions.model import BillingDate, Closing, Facts, Paused, Recording, Resumed, Subscription
from tenor.subscriptions.operations.resume import extension, items_reopened
from tenor.subscriptions.rules.amendment import amend
from tenor.subscriptions.rules.resumption import Cycles, end_of_cycles
from tenor.subscriptions.rules.standing import pauses
from tenor.subscriptions.running import record_and_replan, target_at

UnusedTime = Literal["none", "credit", "extend"]
"""What becomes of time that is paid ahead and falls into a pause: it is lost, credited, or served after the pause."""

_CLOSINGS: Final = {"none": Closing.WHOLE, "credit": Closing.PRORATED, "extend": Closing.WHOLE}


def pause(
    uow: UnitOfWork,
    subscription_id: SubscriptionId,
    *,
    effective: Effective,
    version: int,
    now: datetime,
    actor: str,
    reason: str,
    until: datetime | Cycles | None = None,
    unused_time: UnusedTime = "credit",
    billing_date: BillingDate | None = None,
    extends_term: bool = False,
) -> Subscription:
    """Stop service and billing at the effective instant, add-ons included; return how the subscription then stands.

    It goes on at `until`: an instant, or the boundary that ends so many billing periods; None: when `resume` says
    so. A known end is an entry of the journal of its own. `billing_date` says what the end does to the billing
    dates (by default they stay, with `unused_time` "extend" they shift), `extends_term` whether the agreed term
    grows by the length of the pause.

    Raises:
        SubscriptionNotFound, VersionConflict, OutsideLife: see `tenor.subscriptions.changing`.
        AlreadyPaused: at that instant, or a pause that is planned lies in this one.
        PauseRefused: it would end before it begins, or extends unused time without a shift.
        NotAPauseLength, GridRefused: see `tenor.subscriptions.rules.resumption`.
    """
    opened = open_for_change(uow, subscription_id, version=version, now=now)
    at, target = target_at(uow, opened, effective, add_on=None, now=now)
    ends_at = end_of_cycles(until, target, opened.subscription, since=at) if isinstance(until, Cycles) else until
    if ends_at is not None:
        ends_at = parse_instant(ends_at, name="until")
    _require_free(opened, at, ends_at)
    facts = Paused(_CLOSINGS[unused_time], _billing_date(unused_time, billing_date), extends_term)
    recording = Recording(now, actor, reason)
    entries: list[tuple[Facts, datetime]] = [(facts, at)]
    if ends_at is not None:
        entries += extension(opened, facts, paused_version=opened.subscription.version + 1, paused_at=at, at=ends_at)
        timeline = amend(opened, entries, recording).timeline
        reopened = items_reopened(uow, opened, timeline, facts, paused_at=at, at=ends_at, now=now)
        entries.append((Resumed(reopened), ends_at))
    return record_and_replan(uow, opened, entries, recording)


def _billing_date(unused_time: UnusedTime, asked: BillingDate | None) -> BillingDate:
    if unused_time != "extend":
        return asked or BillingDate.KEEP
    if asked not in (None, BillingDate.SHIFT):
        raise PauseRefused(f"unused time can be served after the pause only if the billing date shifts, not {asked}")
    return BillingDate.SHIFT


def _require_free(opened: Opened, at: datetime, ends_at: datetime | None) -> None:
    """Refuse a pause that is empty, or that meets another one."""
    if ends_at is not None and ends_at <= at:
        raise PauseRefused(f"a pause from {format_instant(at)} cannot end at {format_instant(ends_at)}")
    for known in pauses(opened.journal):
        begins_inside = at <= known.starts_at and (ends_at is None or known.starts_at < ends_at)
        if known.holds(at) or begins_inside:
            end = "it is resumed" if known.ends_at is None else format_instant(known.ends_at)
            raise AlreadyPaused(
                f"it is paused from {format_instant(known.starts_at)} until {end} (entry {known.paused.version})",
                entry=known.paused.version,
            )
