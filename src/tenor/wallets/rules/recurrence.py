"""Recurrence: which interval a promise has come to, what is owed of it, and what of the one before rolls over."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from tenor.kernel.calendar import Grid, parse_zone, period_at, periods_between
from tenor.kernel.ids import GrantId
from tenor.kernel.period import Period
from tenor.wallets.model import ZERO, HeldGrant, NewGrant, RecurringGrant
from tenor.wallets.rules.movements import Movements


class Due(NamedTuple):
    """A recurring grant of which one is to be made: for which interval, and how much is owed of it.

    `is_begun`: part of the interval's grant was issued before, and what is promised has changed since. `missed` are
    the starts of intervals before it that nobody has issued, and whose grants would still last.
    """

    recurring: RecurringGrant
    interval: Period
    owed: Decimal
    is_begun: bool
    missed: tuple[datetime, ...] = ()


def grid_of(recurring: RecurringGrant) -> Grid:
    """Return the boundaries at which a promise makes its grants."""
    return Grid(recurring.every, recurring.anchor, parse_zone(recurring.timezone))


def due_of(recurring: RecurringGrant, now: datetime) -> Due:
    """Return what a promise owes by now.

    Of an interval that was issued before, that is what is promised now less what was issued, if that is more. One that
    rolls over is taken interval by interval, so that each rolls over into the next, however late it is.
    """
    grid = grid_of(recurring)
    if recurring.issued_until is None or recurring.next_at is None:
        return Due(recurring, period_at(grid, now), recurring.amount, is_begun=False)
    if now < recurring.issued_until:
        owed = max(ZERO, recurring.amount - recurring.issued)
        return Due(recurring, period_at(grid, now), owed, is_begun=True)
    since = min(now, recurring.next_at)
    interval = period_at(grid, since if recurring.rollover_max else now)
    missed = () if recurring.lasts is None else tuple(one.start for one in periods_between(grid, since, interval.start))
    lasting = tuple(start for start in missed if since <= start and now < _expiry(recurring, start, interval.end))
    return Due(recurring, interval, recurring.amount, is_begun=False, missed=lasting)


def issued(due: Due) -> RecurringGrant:
    """Return a promise of which an interval has been issued."""
    in_all = due.owed + (due.recurring.issued if due.is_begun else ZERO)
    return due.recurring._replace(next_at=due.interval.end, issued=in_all, issued_until=due.interval.end)


def grants_of(due: Due, kept: Decimal | None, now: datetime) -> list[NewGrant]:
    """Return the grants that a promise is owed: its amount, what makes up the least that rolls over, what was missed.

    A grant takes effect with its interval, but not before it was promised.
    """
    recurring, (start, end) = due.recurring, due.interval
    if recurring.issued_until is None or due.is_begun:
        start = max(now, start)
    amounts = [due.owed, ZERO if kept is None else max(ZERO, recurring.rollover_min - kept)]
    missed = [grant_of(recurring, recurring.amount, start=begun, end=end) for begun in due.missed]
    return missed + [grant_of(recurring, amount, start=start, end=end) for amount in amounts if amount]


def grant_of(recurring: RecurringGrant, amount: Decimal, *, start: datetime, end: datetime) -> NewGrant:
    """Return a grant of a promise that takes effect at `start`, in an interval that ends at `end`."""
    return NewGrant(
        amount=amount,
        source="plan",
        category=recurring.category,
        priority=recurring.priority,
        features=recurring.features,
        effective_at=start,
        expires_at=_expiry(recurring, start, end),
    )


def _expiry(recurring: RecurringGrant, start: datetime, end: datetime) -> datetime:
    """Return when a grant expires that takes effect at `start`, in an interval that ends at `end`."""
    if recurring.lasts is None:
        return end
    return period_at(Grid(recurring.lasts, start, parse_zone(recurring.timezone)), start).end


class Kept(NamedTuple):
    """What rolls over: the new expiry of each grant, and how much of each promise that had an interval before."""

    expiries: dict[GrantId, datetime]
    amounts: dict[UUID, Decimal]


def roll_over(beginning: Mapping[UUID, Due], rolling: Sequence[tuple[UUID, HeldGrant]], movements: Movements) -> Kept:
    """Let lapse what is more than may be kept for another interval."""
    room = {promise_id: one.recurring.rollover_max for promise_id, one in beginning.items()}
    goes_on = {promise_id for promise_id, one in beginning.items() if one.recurring.issued_until == one.interval.start}
    expiries: dict[GrantId, datetime] = {}
    amounts = dict.fromkeys(goes_on, ZERO)
    for promise_id, held in rolling:
        interval = beginning[promise_id].interval
        if held.grant.expires_at is None or held.grant.expires_at > interval.start:
            continue
        kept = min(room[promise_id], held.remaining) if held.grant.expires_at == interval.start else ZERO
        movements.move("lapsed", held.id, held.remaining - kept)
        if kept:
            room[promise_id] -= kept
            amounts[promise_id] = amounts.get(promise_id, ZERO) + kept
            expiries[held.id] = interval.end
    return Kept(expiries, amounts)
