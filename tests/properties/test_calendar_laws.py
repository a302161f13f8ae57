"""Laws of the billing calendar over zones, leap days, clock changes and both directions of time."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from tenor.kernel.calendar import (
    Grid,
    Interval,
    Unit,
    boundary,
    local_date,
    parse_zone,
    period_at,
    period_end,
    period_index,
    periods_between,
    service_periods,
)

ZONES: Final = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",  # put the clock back over midnight until 2011
    "America/Sao_Paulo",  # skipped midnight until 2018
    "America/Havana",  # midnight comes twice
    "Asia/Kolkata",
    "Asia/Kathmandu",  # +05:45
    "Australia/Lord_Howe",  # moves by half an hour
    "Africa/Casablanca",  # moves around Ramadan
    "Pacific/Apia",  # skipped a day
    "Pacific/Chatham",
    "-08:00",
]
SKIPPED_DAY: Final = {date(2011, 12, 30), date(2011, 12, 31)}
LONGEST_DAY: Final = timedelta(hours=27)

instants = st.datetimes(datetime(1975, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  hypothesis takes naive bounds
intervals = st.builds(Interval, st.sampled_from(Unit), st.integers(1, 18))
grids = st.builds(
    Grid,
    interval=intervals,
    anchor=instants,
    zone=st.sampled_from(ZONES).map(parse_zone),
    alignment=st.sampled_from(["anniversary", "calendar"]),
    month_end=st.sampled_from(["clamp", "sticky_last_day"]),
    boundary_time=st.sampled_from(["anchor_time", "midnight"]),
)
indexes = st.integers(-40, 400)


def is_skipped(grid: Grid, index: int) -> bool:
    """Whether boundary `index` stands where Apia skipped 30 December 2011 whole."""
    return grid.zone == parse_zone("Pacific/Apia") and local_date(boundary(grid, index), grid.zone) in SKIPPED_DAY


@settings(max_examples=300, deadline=None)
@given(grids, indexes)
def test_periods_tile_and_each_boundary_opens_its_period(grid: Grid, index: int) -> None:
    start, end = boundary(grid, index), boundary(grid, index + 1)

    assert start < end or (start == end and is_skipped(grid, index))
    if start < end:
        assert period_at(grid, start) == (start, end)
        assert period_at(grid, end - timedelta(microseconds=1)) == (start, end)
        assert period_index(grid, start) == index
        assert period_end(grid, start) == end


@settings(max_examples=300, deadline=None)
@given(grids, instants)
def test_every_instant_has_one_period(grid: Grid, instant: datetime) -> None:
    period = period_at(grid, instant)

    assert period.start <= instant < period.end
    assert period.start == boundary(grid, period_index(grid, instant))


@settings(max_examples=300, deadline=None)
@given(grids, indexes)
def test_the_wanted_day_and_the_time_of_day_are_kept(grid: Grid, index: int) -> None:
    if grid.interval.unit in {Unit.HOUR, Unit.DAY, Unit.WEEK} or is_skipped(grid, index):
        return
    local = boundary(grid, index).astimezone(grid.zone)
    wanted = min(grid.day_of_month, monthrange(local.year, local.month)[1])
    clock = local.replace(tzinfo=None) - datetime.combine(date(local.year, local.month, wanted), grid.origin_time)

    # A skipped time of day moves forward by an hour at most; nothing ever moves backwards.
    assert timedelta(0) <= clock <= timedelta(hours=1)


@settings(max_examples=200, deadline=None)
@given(grids, indexes)
def test_a_step_is_as_long_as_its_days(grid: Grid, index: int) -> None:
    if grid.interval.unit is Unit.HOUR:
        return
    start, end = boundary(grid, index), boundary(grid, index + 1)
    days = (local_date(end, grid.zone) - local_date(start, grid.zone)).days

    assert abs((end - start) - timedelta(days=days)) < LONGEST_DAY
    if grid.interval.unit in {Unit.DAY, Unit.WEEK} and not (is_skipped(grid, index) or is_skipped(grid, index + 1)):
        assert days == grid.step_days


@settings(max_examples=100, deadline=None)
@given(grids, instants, st.integers(1, 20 * 366 * 24))
def test_service_periods_cover_a_life_without_gap_or_overlap(grid: Grid, start: datetime, hours: int) -> None:
    if grid.interval.unit is Unit.HOUR:
        hours = 1 + hours % 500
    end = start + timedelta(hours=hours)
    if grid.interval.unit is Unit.DAY:
        end = min(end, start + timedelta(days=300))

    periods = list(service_periods(grid, start, end))
    whole = list(periods_between(grid, start, end))

    assert periods[0].start == start
    assert periods[-1].end == end
    assert all(before.end == after.start for before, after in pairwise(periods))
    assert not any(period.is_empty for period in periods)
    # cut or whole, they are the same periods
    assert len(whole) == len(periods)
    assert all(period.overlap(part) == part for period, part in zip(whole, periods, strict=True))
