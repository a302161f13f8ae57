"""Cancel a subscription."""

from dataclasses import replace
from datetime import datetime

from tenor.kernel.ids import SubscriptionId
from tenor.kernel.period import format_instant
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions.changing import Effective, Opened, effective_instant, open_for_change, record_changes
from tenor.subscriptions.errors import AlreadyCancelled
from tenor.subscriptions.model import Cancelled, Change, Closing, Recording, Subscription, Undone
from tenor.subscriptions.rules.standing import standing
from tenor.subscriptions.rules.timeline import fold


def cancel(
    uow: UnitOfWork,
    subscription_id: SubscriptionId,
    *,
    effective: Effective,
    version: int,
    now: datetime,
    actor: str,
    reason: str,
    closing: Closing = Closing.PRORATED,
) -> Subscription:
    """End service and billing at the effective instant; return how the subscription then stands.

    `closing` says what becomes of the period that the end cuts: nothing of it is credited, the rest, or all of it.
    An end that has come already, or a start that will never come, moves the state at once; an end ahead
    leaves it until the calendar reaches it, and can be undone. A cancellation for an earlier instant takes the place
    of one that is still ahead.

    Raises:
        SubscriptionNotFound, VersionConflict: see `tenor.subscriptions.changing`.
        OutsideLife: it has ended by then anyhow, or not begun.
        AlreadyCancelled: for that instant or an earlier one.
    """
    opened = open_for_change(uow, subscription_id, version=version, now=now)
    cancellations = [change for change in standing(opened.journal) if isinstance(change.facts, Cancelled)]
    at, _ = effective_instant(uow, _without(opened, cancellations), effective, now=now)
    _require_earlier(at, cancellations)
    replaced = [(Undone(one.version), one.effective_at) for one in cancellations if one.effective_at > now]
    return record_changes(uow, opened, [*replaced, (Cancelled(closing), at)], Recording(now, actor, reason))


def _without(opened: Opened, cancellations: list[Change]) -> Opened:
    """Return the subscription as if it had not been cancelled: a cancellation may cut a later one short."""
    kept = [change for change in standing(opened.journal) if change not in cancellations]
    return replace(opened, timeline=fold(kept))


def _require_earlier(at: datetime, cancellations: list[Change]) -> None:
    for one in cancellations:
        if one.effective_at <= at:
            raise AlreadyCancelled(
                f"it is cancelled for {format_instant(one.effective_at)} (entry {one.version});"
                " undo that entry, while it is ahead, to cancel for a later instant",
                effective_at=format_instant(one.effective_at),
                entry=one.version,
            )
