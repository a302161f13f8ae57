"""Resume a paused subscription."""

from dataclasses import replace
from datetime import datetime

from tenor.kernel.calendar import parse_zone
from tenor.kernel.ids import SubscriptionId
from tenor.kernel.period import format_instant
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions.changing import Effective, Opened, effective_instant, open_for_change
from tenor.subscriptions.errors import NotPaused
from tenor.subscriptions.model import (
    BillingDate,
    Facts,
    Paused,
    Recording,
    Reopened,
    Resumed,
    Subscription,
    TermChanged,
    Timeline,
    Undone,
)
from tenor.subscriptions.rules.amendment import amend
from tenor.subscriptions.rules.anchors import clock_time_between, later_by
from tenor.subscriptions.rules.resumption import reopened_at
from tenor.subscriptions.rules.standing import Pause, agreed_end, pause_at
from tenor.subscriptions.running import new_item_ids, record_and_replan, running_at


def resume(
    uow: UnitOfWork,
    subscription_id: SubscriptionId,
    *,
    effective: Effective,
    version: int,
    now: datetime,
    actor: str,
    reason: str,
    billing_date: BillingDate | None = None,
    extends_term: bool | None = None,
) -> Subscription:
    """End the pause that runs at the effective instant, or else the one that runs now; return how it then stands.

    The end that the pause had so far, earlier or later, is taken back. None leaves `billing_date` and `extends_term`
    as the pause agreed them.

    Raises:
        SubscriptionNotFound, VersionConflict, OutsideLife: see `tenor.subscriptions.changing`.
        NotPaused: neither at that instant nor now.
        GridRefused: see `tenor.subscriptions.rules.resumption`.
    """
    opened = open_for_change(uow, subscription_id, version=version, now=now)
    at, _ = effective_instant(uow, opened, effective, now=now)
    found = pause_at(opened.journal, at) or pause_at(opened.journal, now)
    if found is None or at < found.starts_at:
        raise NotPaused(f"at {format_instant(at)} the subscription is not paused")
    agreed = _agreed(found, billing_date, extends_term=extends_term)
    taken_back = [part for part in (found.resumed, found.extension) if part is not None]
    recording = Recording(now, actor, reason)
    entries: list[tuple[Facts, datetime]] = [(Undone(part.version), part.effective_at) for part in taken_back]
    kept = replace(opened, journal=tuple(change for change in opened.journal if change not in taken_back))
    paused_at = found.starts_at
    entries += extension(kept, agreed, paused_version=found.paused.version, paused_at=paused_at, at=at)
    timeline = amend(opened, entries, recording).timeline if entries else opened.timeline
    reopened = items_reopened(uow, opened, timeline, agreed, paused_at=paused_at, at=at, now=now)
    return record_and_replan(uow, opened, [*entries, (Resumed(reopened), at)], recording)


def items_reopened(
    uow: UnitOfWork,
    opened: Opened,
    timeline: Timeline,
    agreed: Paused,
    *,
    paused_at: datetime,
    at: datetime,
    now: datetime,
) -> tuple[Reopened, ...]:
    """Return as which items those of `timeline`, in which the pause is open, go on when it ends at `at`."""
    return reopened_at(
        at,
        running_at(uow, timeline, at),
        opened.subscription,
        paused_at=paused_at,
        closing=agreed.closing,
        billing_date=agreed.billing_date,
        ids=new_item_ids(opened, now=now),
    )


def extension(
    opened: Opened, agreed: Paused, *, paused_version: int, paused_at: datetime, at: datetime
) -> list[tuple[Facts, datetime]]:
    """Return the entry that moves the end of the agreed term by the length of a pause; none where nothing moves it."""
    ends_at = agreed_end(opened.journal)
    if ends_at is None or not agreed.extends_term:
        return []
    zone = parse_zone(opened.subscription.timezone)
    length = clock_time_between(paused_at, at, zone)
    return [(TermChanged(later_by(ends_at, length, zone), paused_version), paused_at)]


def _agreed(found: Pause, billing_date: BillingDate | None, *, extends_term: bool | None) -> Paused:
    """Return what the pause agreed, where the request does not say otherwise."""
    facts = found.paused.facts
    if not isinstance(facts, Paused):
        raise TypeError(f"entry {found.paused.version} is no pause")
    return replace(
        facts,
        billing_date=facts.billing_date if billing_date is None else billing_date,
        extends_term=facts.extends_term if extends_term is None else extends_term,
    )
