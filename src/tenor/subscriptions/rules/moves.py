"""Moves: what the calendar alone does to a subscription's state, with no request and no payment.

The state follows the timeline from instant to instant. A subscription that is overdue keeps that state whatever
begins or ends in its timeline, until a payment settles it; only the end of the timeline ends it too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from types import MappingProxyType
from typing import Final, NamedTuple

from tenor.subscriptions.lifecycle import Trigger, next_status
from tenor.subscriptions.model import PhaseState, Status, Subscription, Timeline

_ENDED: Final = frozenset({Status.EXPIRED, Status.CANCELLED})
"""States in which an end has been reached."""

_FOLLOWING: Final[Mapping[tuple[PhaseState, Status], Trigger]] = MappingProxyType(
    {
        (PhaseState.TRIAL, Status.CREATED): Trigger.TRIAL_STARTED,
        (PhaseState.TRIAL, Status.PAUSED): Trigger.TRIAL_RESUMED,
        (PhaseState.TRIAL, Status.EXPIRED): Trigger.REACTIVATED,
        (PhaseState.ACTIVE, Status.CREATED): Trigger.STARTED,
        (PhaseState.ACTIVE, Status.TRIALING): Trigger.TRIAL_CONVERTED,
        (PhaseState.ACTIVE, Status.PAUSED): Trigger.RESUMED,
        (PhaseState.ACTIVE, Status.EXPIRED): Trigger.REACTIVATED,
        (PhaseState.PAUSED, Status.CREATED): Trigger.STARTED,
        (PhaseState.PAUSED, Status.TRIALING): Trigger.PAUSED,
        (PhaseState.PAUSED, Status.ACTIVE): Trigger.PAUSED,
        (PhaseState.PAUSED, Status.EXPIRING_SOON): Trigger.PAUSED,
        (PhaseState.PAUSED, Status.EXPIRED): Trigger.REACTIVATED,
    }
)
"""What brings a state to what runs; a pair without a row agrees already, or waits for a payment."""

_TERM_END: Final[Mapping[Status, Trigger]] = MappingProxyType(
    {
        Status.TRIALING: Trigger.TRIAL_LAPSED,
        Status.ACTIVE: Trigger.END_NOTICED,
        Status.EXPIRING_SOON: Trigger.TERM_ENDED,
        Status.PAUSED: Trigger.TERM_ENDED,
    }
)
"""What the end of an agreed term does; a state without a row (overdue) has no way to expire and is cancelled.

A term that ends unnoticed passes through EXPIRING_SOON at that same instant.
"""


INSTANT: Final = timedelta(microseconds=1)
"""The shortest time there is."""


class Move(NamedTuple):
    """One move of a state: what made it, from where to where, and from when it holds."""

    trigger: Trigger
    from_status: Status
    to_status: Status
    effective_at: datetime


class _Stretch(NamedTuple):
    """A stretch of a timeline in one state until the next one begins; None: it is over."""

    starts_at: datetime
    state: PhaseState | None


def follow(
    subscription: Subscription, timeline: Timeline, *, since: datetime | None, through: datetime
) -> tuple[Subscription, tuple[Move, ...]]:
    """Return a subscription as the calendar leaves it at `through`, and the moves to there, oldest first.

    Looks at `since` and at every instant after it at which anything begins; None: nothing has begun. A `since` that is
    still ahead stays ahead. Stops before the end of a term that renews itself, because that has to be prolonged first.
    """
    if subscription.ends_at is not None and runs_on(subscription, timeline):
        through = min(through, subscription.ends_at - INSTANT)
    stretches = _stretches(subscription, timeline, through)
    instants = _instants(subscription, stretches)
    looks = set() if since is None else {since, *(at for at in instants if since < at)}
    moves: list[Move] = []
    for at in sorted(at for at in looks if at <= through):
        status = moves[-1].to_status if moves else subscription.status
        moves += _moves(status, subscription, stretches, at, caused_at=at)
    return _after(subscription, moves, looks.union(instants), through), tuple(moves)


def follow_change(
    subscription: Subscription, timeline: Timeline, *, caused_at: datetime, now: datetime
) -> tuple[Subscription, tuple[Move, ...]]:
    """Return a subscription that agreed with its timeline until that changed from `caused_at` on, and its moves.

    A change in the past moves the state from then, but only to what holds `now`: a pause that is recorded when it
    is over has not been a state.
    """
    stretches = _stretches(subscription, timeline, now)
    moves = _moves(subscription.status, subscription, stretches, now, caused_at=caused_at)
    return _after(subscription, moves, _instants(subscription, stretches), now), tuple(moves)


def runs_on(subscription: Subscription, timeline: Timeline) -> bool:
    """Whether the plan goes on at the end of its term, because that renews itself: no cancellation or lapse ends it."""
    if subscription.renewal is None or subscription.cancels_at_end or subscription.status in _ENDED:
        return False
    lapses_at = None if subscription.trial_converts else subscription.trial_ends_at
    return any(
        not item.is_add_on and item.ends_at == subscription.ends_at and item.ends_at != lapses_at
        for item in timeline.items
    )


def _after(
    subscription: Subscription, moves: Sequence[Move], instants: Iterable[datetime], through: datetime
) -> Subscription:
    status = moves[-1].to_status if moves else subscription.status
    ahead = (at for at in instants if at > through and status is not Status.CANCELLED)
    return replace(subscription, status=status, next_move_at=min(ahead, default=None))


def _stretches(subscription: Subscription, timeline: Timeline, through: datetime) -> list[_Stretch]:
    """Return the life of the plan as its states, one after the other; a life that never begins is over already."""
    phases = [phase for item in timeline.items if not item.is_add_on for phase in item.phases]
    if not phases:
        return [_Stretch(min(subscription.starts_at, through), None)]
    seams = [after for before, after in pairwise(phases) if before.state is not after.state]
    stretches = [_Stretch(phase.starts_at, phase.state) for phase in (phases[0], *seams)]
    ends_at = phases[-1].ends_at
    return stretches if ends_at is None else [*stretches, _Stretch(ends_at, None)]


def _instants(subscription: Subscription, stretches: Iterable[_Stretch]) -> list[datetime]:
    """Return every instant at which the calendar may move the state."""
    noticed_at = _noticed_at(subscription)
    return [stretch.starts_at for stretch in stretches] + ([] if noticed_at is None else [noticed_at])


def _noticed_at(subscription: Subscription) -> datetime | None:
    """Return when the end of the term is noticed; None where no term ends, or nobody asked for notice."""
    if subscription.ends_at is None or subscription.cancels_at_end or not subscription.notice_days:
        return None
    return subscription.ends_at - timedelta(days=subscription.notice_days)


def _moves(
    status: Status, subscription: Subscription, stretches: Sequence[_Stretch], at: datetime, *, caused_at: datetime
) -> list[Move]:
    """Return the moves that bring `status` to what holds at `at`."""
    stretch = next((stretch for stretch in reversed(stretches) if stretch.starts_at <= at), None)
    moves: list[Move] = []
    while stretch is not None and (trigger := _trigger(status, subscription, stretch.state, at)):
        effective_at = min(max(stretch.starts_at, caused_at), at)
        moves.append(Move(trigger, status, next_status(status, trigger), effective_at))
        status = moves[-1].to_status
    return moves


def _trigger(status: Status, subscription: Subscription, state: PhaseState | None, at: datetime) -> Trigger | None:
    """Return what moves `status` next where `state` runs, None: where all is over; None when it agrees."""
    if state is None:
        if status in _ENDED:
            return None
        return Trigger.CANCELLED if subscription.cancels_at_end else _TERM_END.get(status, Trigger.CANCELLED)
    noticed_at = _noticed_at(subscription)
    if state is PhaseState.ACTIVE and status is Status.ACTIVE and noticed_at is not None and noticed_at <= at:
        return Trigger.END_NOTICED
    if state is PhaseState.ACTIVE and status is Status.EXPIRING_SOON and _is_far(subscription, at):
        return Trigger.RENEWED
    return _FOLLOWING.get((state, status))


def _is_far(subscription: Subscription, at: datetime) -> bool:
    """Whether no end is near any more."""
    if subscription.ends_at is None:
        return True
    return at < subscription.ends_at - timedelta(days=subscription.notice_days)
