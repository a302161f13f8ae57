"""Anchors: from which instant the grid of an item counts, where a change moves it."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, tzinfo
from typing import Final

from tenor.kernel.calendar import Interval, instant_of, local_date, shift_months
from tenor.kernel.errors import Malformed
from tenor.kernel.ids import ItemId
from tenor.pricing.policy import profile
from tenor.subscriptions.errors import GridRefused
from tenor.subscriptions.model import Item, Reopened

DAY_OF_MONTH_MAX: Final = 31
MONTHS_IN_YEAR: Final = 12


class NotADayOfMonth(Malformed):
    """A day of the month that is not between 1 and 31."""

    code = "not_a_day_of_month"


def anchor_on_day(day_of_month: int, *, near: datetime, former: datetime, interval: Interval, zone: tzinfo) -> datetime:
    """Return an anchor on a day of the month, from which an interval of months or years is to count.

    It lies in the month of the boundary `near`, or so many intervals later that its month has the day: a grid that
    counts from a 31st has its boundaries on the 31st wherever there is one, one that counts from a 28 February has
    not. Where no such month comes (a year from February) it is the last day. It keeps the local time of day of the
    `former` anchor.

    Raises:
        NotADayOfMonth: it is not between 1 and 31.
    """
    if isinstance(day_of_month, bool) or not 1 <= day_of_month <= DAY_OF_MONTH_MAX:
        raise NotADayOfMonth(f"a day of the month is 1 to {DAY_OF_MONTH_MAX}, not {day_of_month!r}")
    first = local_date(near, zone)
    candidates = [
        shift_months(first, step * interval.months, day_of_month=day_of_month) for step in range(MONTHS_IN_YEAR)
    ]
    chosen = next((day for day in candidates if day.day == day_of_month), candidates[0])
    return instant_of(chosen, former.astimezone(zone).time(), zone)


def reanchored(
    items: Iterable[Item], *, former: datetime, anchor_at: datetime, ids: Iterator[ItemId]
) -> tuple[Reopened, ...]:
    """Return as what those items go on whose grid counted from the `former` anchor and now counts from `anchor_at`."""
    if anchor_at == former:
        return ()
    return tuple(Reopened(item.id, next(ids), anchor_at) for item in items if item.anchor_at == former)


def require_movable(profile_name: str) -> None:
    """Refuse to move the billing dates where a profile lets them follow the civil calendar, whatever the anchor.

    Raises:
        GridRefused: it does.
    """
    if profile(profile_name).calendar.alignment == "calendar":
        raise GridRefused(
            f"profile {profile_name!r} bills civil periods (months from the 1st), which no change can move"
        )


def later_by(at: datetime, length: timedelta, zone: tzinfo) -> datetime:
    """Return the instant at which the local clock shows what it shows at `at`, and `length` more."""
    local = at.astimezone(zone).replace(tzinfo=None) + length
    return instant_of(local.date(), local.time(), zone)


def clock_time_between(start: datetime, end: datetime, zone: tzinfo) -> timedelta:
    """Return what passes on the local clock: ten days are ten days where the clock is put forward in between."""
    return end.astimezone(zone).replace(tzinfo=None) - start.astimezone(zone).replace(tzinfo=None)
