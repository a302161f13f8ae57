"""The billing calendar: one pure function says where the boundaries of periods fall.

Boundary k of a grid is always counted from the grid's own origin, never from the boundary before it,
so that day 31 becomes 28 February and then 31 March again. All else here asks `boundary`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Final, Literal

from tenor.kernel.calendar.civil import MIDNIGHT, instant_of, is_last_of_month, shift_months
from tenor.kernel.errors import Malformed
from tenor.kernel.period import Period

COUNT_MAX: Final = 999
"""Most units of one interval: with years up to 8999 every boundary then fits a datetime."""

Alignment = Literal["anniversary", "calendar", "anchor", "account_bill_date", "sliding", "billing_cycle", "never"]
MonthEnd = Literal["clamp", "sticky_last_day"]
BoundaryTime = Literal["anchor_time", "midnight"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS_IN_YEAR: Final = 12


class NotAnInterval(Malformed):
    """A count of units that is not between 1 and 999."""

    code = "not_an_interval"


class NoGrid(Malformed):
    """Periods that no grid of boundaries holds: nothing to count from, or an alignment without boundaries."""

    code = "no_grid"


class BeyondCalendar(Malformed):
    """A boundary before the year 1 or after the year 9999."""

    code = "beyond_calendar"


class Unit(StrEnum):
    """What an interval counts. Hours are exact; the others are civil and follow the local clock."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


_MONTHS_IN: Final = {Unit.MONTH: 1, Unit.YEAR: _MONTHS_IN_YEAR}
_DAYS_IN: Final = {Unit.DAY: 1, Unit.WEEK: 7}


@dataclass(frozen=True, slots=True)
class Interval:
    """So many units, e.g. three months. Raises `NotAnInterval` for a count below 1 or above 999."""

    unit: Unit
    count: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.count <= COUNT_MAX:
            raise NotAnInterval(f"an interval counts 1 to {COUNT_MAX} {self.unit}s, not {self.count!r}")

    @property
    def months(self) -> int:
        """Length in months; 0 when it is not counted in months or years."""
        return self.count * _MONTHS_IN.get(self.unit, 0)

    @property
    def days(self) -> int:
        """Length in days; 0 when it is not counted in days or weeks."""
        return self.count * _DAYS_IN.get(self.unit, 0)


def quarters(count: int = 1) -> Interval:
    """Return `count` quarters as months."""
    return Interval(Unit.MONTH, 3 * count)


def half_years(count: int = 1) -> Interval:
    """Return `count` half-years as months."""
    return Interval(Unit.MONTH, 6 * count)


@dataclass(frozen=True, slots=True)
class Grid:
    """Boundaries that follow each other for ever in both directions, `interval` apart.

    - `anchor`: the UTC instant that the grid counts from. None: the civil calendar alone says where
      boundaries fall; hours then count from midnight UTC, 1 January 1970.
    - `alignment`: `calendar` counts civil units at local midnight: Monday weeks, months, years, and blocks
      of months that divide the year from 1 January; of other counts the block that holds the anchor is
      one. `anniversary`, `anchor` and `account_bill_date` count from the anchor itself, as hours always do.
    - `month_end`: `clamp` keeps the anchor's day of month and cuts it in short months;
      `sticky_last_day` takes an anchor on the last day of its month as the last day for ever.
    - `boundary_time`: boundaries keep the anchor's local time of day, or fall on local midnight.
    - `anchor_day`: the day of month that is wanted where the anchor itself had to be cut (28 February for a 31st).

    Raises:
        NoGrid: the alignment has no boundaries (`sliding`, `billing_cycle`, `never`), or has no anchor to count from.
    """

    interval: Interval
    anchor: datetime | None
    zone: tzinfo
    alignment: Alignment = "anniversary"
    month_end: MonthEnd = "clamp"
    boundary_time: BoundaryTime = "anchor_time"
    anchor_day: int | None = None

    # What `boundary` counts from, worked out once: the civil day and time of boundary 0 and the length of a step.
    origin_date: date = field(init=False, repr=False, compare=False)
    origin_time: time = field(init=False, repr=False, compare=False)
    day_of_month: int = field(init=False, repr=False, compare=False)
    step_months: int = field(init=False, repr=False, compare=False)
    step_days: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        set_ = object.__setattr__  # the only way to fill a derived field of a frozen value
        day, clock = _origin(self)
        set_(self, "origin_date", day)
        set_(self, "origin_time", clock)
        set_(self, "day_of_month", self.anchor_day or _wanted_day(day, self.month_end))
        set_(self, "step_months", self.interval.months)
        set_(self, "step_days", self.interval.days)


def boundary(grid: Grid, index: int) -> datetime:
    """Return boundary `index` of `grid` as a UTC instant: 0 is the origin, negative ones lie before it.

    Clock changes: a local time that the day skips moves forward by what was skipped; one that comes
    twice is its first coming, or the one at which the anchor itself stands (`civil.instant_of`). Boundaries
    therefore never go backwards. Two can be equal only where a zone skipped a whole day (Apia, 30
    December 2011): that day's period is empty, and no function below yields it.

    Raises:
        BeyondCalendar: the boundary lies outside the years 1 to 9999.

    Source: docs/algorithms/calendar.md.
    """
    try:
        if grid.step_months:
            day = shift_months(grid.origin_date, index * grid.step_months, day_of_month=grid.day_of_month)
        elif grid.step_days:
            day = grid.origin_date + timedelta(days=index * grid.step_days)
        else:
            origin = instant_of(grid.origin_date, grid.origin_time, grid.zone)
            return origin + timedelta(hours=index * grid.interval.count)
        return instant_of(day, grid.origin_time, grid.zone)
    except (ValueError, OverflowError):
        raise BeyondCalendar(f"boundary {index} of this grid lies outside the years 1 to 9999") from None


def period_index(grid: Grid, instant: datetime) -> int:
    """Return the index of the period that holds `instant`: boundary(index) <= instant < boundary(index + 1)."""
    index, _ = _locate(grid, instant)
    return index


def period_at(grid: Grid, instant: datetime) -> Period:
    """Return the whole period of the grid that holds `instant`."""
    _, period = _locate(grid, instant)
    return period


def boundary_from(grid: Grid, instant: datetime) -> datetime:
    """Return the first boundary at or after `instant`."""
    period = period_at(grid, instant)
    return instant if period.start == instant else period.end


def periods_between(grid: Grid, start: datetime, end: datetime) -> Iterator[Period]:
    """Yield the whole periods of the grid that touch [start, end), in order and uncut."""
    if start >= end:
        return
    index, period = _locate(grid, start)
    while period.start < end:
        if not period.is_empty:
            yield period
        index += 1
        period = Period(period.end, boundary(grid, index + 1))


def _locate(grid: Grid, instant: datetime) -> tuple[int, Period]:
    """Return the period that holds `instant`, and its index.

    The local date gives the index to within one; the loops correct it by asking the boundaries, which
    alone decide (a time of day, a clock change at midnight, or a skipped day can each move it by one).
    """
    index = _estimate(grid, instant)
    start = boundary(grid, index)
    while start > instant:
        index -= 1
        start = boundary(grid, index)
    end = boundary(grid, index + 1)
    while end <= instant:
        index += 1
        start, end = end, boundary(grid, index + 1)
    return index, Period(start, end)


def _estimate(grid: Grid, instant: datetime) -> int:
    if not grid.step_months and not grid.step_days:
        return (instant - boundary(grid, 0)) // timedelta(hours=grid.interval.count)
    day = instant.astimezone(grid.zone).date()
    if grid.step_days:
        return (day - grid.origin_date).days // grid.step_days
    months = (day.year - grid.origin_date.year) * _MONTHS_IN_YEAR + day.month - grid.origin_date.month
    return (months - (day.day < grid.day_of_month)) // grid.step_months


def _wanted_day(day: date, month_end: MonthEnd) -> int:
    return 31 if month_end == "sticky_last_day" and is_last_of_month(day) else day.day


def _origin(grid: Grid) -> tuple[date, time]:
    """Return the civil day and time from which the grid counts."""
    if grid.alignment in {"sliding", "billing_cycle", "never"}:
        raise NoGrid(f"alignment {grid.alignment!r} has no grid of boundaries")
    local = (grid.anchor or _EPOCH).astimezone(grid.zone)
    day, clock = local.date(), local.time()
    if grid.interval.unit is Unit.HOUR:
        return day, clock
    if grid.alignment == "calendar":
        return _calendar_origin(grid.interval, day), MIDNIGHT
    if grid.anchor is None:
        raise NoGrid(f"alignment {grid.alignment!r} needs an anchor to count from")
    return day, MIDNIGHT if grid.boundary_time == "midnight" else clock


def _calendar_origin(interval: Interval, near: date) -> date:
    """Return the first day of a civil block of `interval`: the one from which the blocks around `near` count."""
    match interval.unit:
        case Unit.WEEK:
            return near - timedelta(days=near.weekday())
        case Unit.MONTH if _MONTHS_IN_YEAR % interval.count:
            return near.replace(day=1)
        case Unit.MONTH | Unit.YEAR:
            return near.replace(month=1, day=1)
        case Unit.DAY | Unit.HOUR:
            return near
