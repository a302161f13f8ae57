"""Calendar moves: what time alone does to a subscription's state, with no request and no payment."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Final, NamedTuple

from tenor.subscriptions.lifecycle import Trigger, next_status
from tenor.subscriptions.model import Status, Subscription

_STILL: Final = frozenset({Status.EXPIRED, Status.CANCELLED})
"""States in which the calendar has nothing left to do."""

_TERM_END: Final[Mapping[Status, Trigger]] = MappingProxyType(
    {
        Status.TRIALING: Trigger.TRIAL_LAPSED,
        Status.ACTIVE: Trigger.END_NOTICED,
        Status.EXPIRING_SOON: Trigger.TERM_ENDED,
    }
)
"""What the end of an agreed term does; a state without a row (overdue, paused) has no way to expire and is cancelled.

A term that ends unnoticed passes through EXPIRING_SOON at that same instant.
"""


class Move(NamedTuple):
    """One move of a state: what made it, from where to where, and from when it holds."""

    trigger: Trigger
    from_status: Status
    to_status: Status
    effective_at: datetime


def calendar_moves(subscription: Subscription, *, through: datetime) -> list[Move]:
    """Return the moves that the calendar owes a subscription up to and including `through`, oldest first."""
    moves: list[Move] = []
    status = subscription.status
    while (ahead := _ahead(status, subscription)) and ahead[0] <= through:
        effective_at, trigger = ahead
        moves.append(_move(trigger, status, effective_at))
        status = moves[-1].to_status
    return moves


def cancellation_moves(subscription: Subscription, *, now: datetime) -> list[Move]:
    """Return the moves of a subscription whose end has just been set by a cancellation.

    One that will never start is cancelled at once; else the calendar decides, as for any other end.
    """
    if subscription.status is Status.CREATED and subscription.ends_at == subscription.starts_at:
        return [_move(Trigger.CANCELLED, subscription.status, now)]
    return calendar_moves(subscription, through=now)


def next_move_at(subscription: Subscription) -> datetime | None:
    """Return when the calendar next moves a subscription as it stands; None when nothing is ahead."""
    ahead = _ahead(subscription.status, subscription)
    return ahead[0] if ahead else None


def after_moves(subscription: Subscription, moves: Sequence[Move]) -> Subscription:
    """Return `subscription` in the state to which `moves` lead."""
    return replace(subscription, status=moves[-1].to_status) if moves else subscription


def _move(trigger: Trigger, status: Status, effective_at: datetime) -> Move:
    return Move(trigger, status, next_status(status, trigger), effective_at)


def _ahead(status: Status, subscription: Subscription) -> tuple[datetime, Trigger] | None:
    """Return when the calendar next moves `status`, and by what; of two equal instants the end goes first."""
    if status in _STILL:
        return None
    trial_ends_at, ends_at = subscription.trial_ends_at, subscription.ends_at
    if status is Status.CREATED:
        has_trial = trial_ends_at is not None and trial_ends_at > subscription.starts_at
        return subscription.starts_at, Trigger.TRIAL_STARTED if has_trial else Trigger.STARTED
    if status is Status.TRIALING and trial_ends_at is not None and (ends_at is None or trial_ends_at < ends_at):
        return trial_ends_at, Trigger.TRIAL_CONVERTED if subscription.trial_converts else Trigger.TRIAL_LAPSED
    if ends_at is None:
        return None
    return ends_at, Trigger.CANCELLED if subscription.cancels_at_end else _TERM_END.get(status, Trigger.CANCELLED)
