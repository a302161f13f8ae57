"""Where a grid gets its anchor from, when it is not simply the start, and where a period off the grid ends."""

from datetime import date, datetime, timedelta, tzinfo
from typing import Literal

from tenor.kernel.calendar.civil import instant_of, local_date, midnight_of, shift_months
from tenor.kernel.calendar.grid import (
    BoundaryTime,
    Grid,
    Interval,
    Unit,
    boundary,
    boundary_from,
    period_at,
)

Stepping = Literal["anchored", "stepped"]


def aligned_date(day: date, anchor_day: int) -> date:
    """Return `anchor_day` in the month of `day`, its last day where the month is shorter; it may lie before `day`."""
    return shift_months(day, 0, day_of_month=anchor_day)


def anchor_day_grid(interval: Interval, *, start: datetime, anchor_day: int, zone: tzinfo) -> Grid:
    """Return the grid of local midnights on day `anchor_day` of the month; boundary 0 is the first from `start` on.

    Months and years count from `anchor_day` in the month of `start`, in whole intervals. Days and weeks know no day
    of the month: they count from the day of `start`, hours from `start` itself.
    """
    if not interval.months:
        return Grid(interval, anchor=start, zone=zone, boundary_time="midnight")
    day = aligned_date(local_date(start, zone), anchor_day)

    def grid_from(anchor: datetime) -> Grid:
        return Grid(interval, anchor=anchor, zone=zone, boundary_time="midnight", anchor_day=anchor_day)

    return grid_from(boundary_from(grid_from(midnight_of(day, zone)), start))


def bill_date_grid(
    interval: Interval, *, start: datetime, anchor_day: int, zone: tzinfo, boundary_time: BoundaryTime = "anchor_time"
) -> Grid:
    """Return the grid whose first period ends on the last account bill day not later than one interval after `start`.

    Where no bill day lies within one interval (plans of days or weeks), the grid counts from `start`.
    """
    own = Grid(interval, anchor=start, zone=zone, boundary_time=boundary_time)
    monthly = anchor_day_grid(Interval(Unit.MONTH), start=start, anchor_day=anchor_day, zone=zone)
    bill_date = period_at(monthly, boundary(own, 1)).start
    if bill_date <= start:
        return own
    return Grid(interval, anchor=bill_date, zone=zone, boundary_time="midnight", anchor_day=anchor_day)


def one_interval_before(interval: Interval, *, at: datetime, zone: tzinfo) -> datetime:
    """Return the instant one interval before `at`, counted from that very day, at the same local time.

    So a quarter before 28 February is 28 November, even where the grid wants the 31st. It is also the start of
    the sliding window [at − interval, at).
    """
    return boundary(Grid(interval, anchor=at, zone=zone), -1)


def period_end(grid: Grid, start: datetime, stepping: Stepping = "anchored") -> datetime:
    """Return the end of the period that opens at `start`, on the grid or off it.

    `anchored`: the next boundary of the grid. `stepped`: found from the start itself, so that a
    subscription that once got a wrong boundary keeps its cadence: days + n; weeks: the anchor's weekday
    strictly after, plus n − 1 weeks; months: the anchor's day of this month if still ahead, else of the month
    n later; years: the anchor's month and day in year + n; always at the anchor's time of day.
    """
    if stepping == "anchored" or grid.interval.unit is Unit.HOUR:
        return period_at(grid, start).end
    return instant_of(_stepped_date(grid, local_date(start, grid.zone)), grid.origin_time, grid.zone)


def _stepped_date(grid: Grid, day: date) -> date:
    count, anchor = grid.interval.count, grid.origin_date
    match grid.interval.unit:
        case Unit.YEAR:
            return shift_months(anchor, 12 * (day.year + count - anchor.year), day_of_month=grid.day_of_month)
        case Unit.MONTH:
            this_month = aligned_date(day, grid.day_of_month)
            return this_month if this_month > day else shift_months(day, count, day_of_month=grid.day_of_month)
        case Unit.WEEK:
            days_ahead = (anchor.weekday() - day.weekday()) % 7 or 7
            return day + timedelta(days=days_ahead + 7 * (count - 1))
        case _:
            return day + timedelta(days=count)
