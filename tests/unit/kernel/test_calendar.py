"""The billing calendar: the worked tables of its page, and what the tables do not say."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest

from tenor.kernel.calendar import (
    BeyondCalendar,
    Grid,
    Interval,
    NoGrid,
    NotAnInterval,
    SpanRunsBackwards,
    Unit,
    UnknownZone,
    aligned_date,
    anchor_day_grid,
    bill_date_grid,
    boundary,
    boundary_from,
    clock_days,
    continued,
    days_between,
    days_in_month,
    due_boundaries,
    fixed_offset_at,
    full_period,
    half_years,
    instant_of,
    local_date,
    midnight_of,
    one_interval_before,
    parse_zone,
    period_at,
    period_end,
    period_index,
    periods_between,
    periods_over,
    quarters,
    run_bounds,
    service_period_at,
    service_periods,
)
from tenor.kernel.period import Period
from tests.support.worked_tables import worked_table

PAGE = "algorithms/calendar.md"
MONTH = Interval(Unit.MONTH)


def utc(text: str) -> datetime:
    """Read '2026-01-31' (midnight UTC) or '2026-01-31T10:00:00Z'."""
    instant = datetime.fromisoformat(text)
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def step(text: str) -> Interval:
    """Read '3 month'."""
    count, unit = text.split()
    return Interval(Unit(unit), int(count))


def iso(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize("row", worked_table(PAGE, "Month ends"), ids="-".join)
def test_month_ends(row: list[str]) -> None:
    anchor, month_end, every, *boundaries = row
    assert month_end in {"clamp", "sticky_last_day"}
    sticky = month_end == "sticky_last_day"

    grid = Grid(step(every), utc(anchor), UTC, month_end="sticky_last_day" if sticky else "clamp")

    assert [boundary(grid, k).date().isoformat() for k in (1, 2, 3, -1)] == boundaries


@pytest.mark.parametrize("row", worked_table(PAGE, "Clock changes"), ids="-".join)
def test_clock_changes(row: list[str]) -> None:
    zone, anchor, every, k, expected, _ = row

    grid = Grid(step(every), utc(anchor), parse_zone(zone))

    assert iso(boundary(grid, int(k))) == expected


@pytest.mark.parametrize("row", worked_table(PAGE, "Civil units"), ids="-".join)
def test_civil_units(row: list[str]) -> None:
    zone, every, instant, opens, ends = row

    grid = Grid(step(every), None, parse_zone(zone), alignment="calendar")

    assert period_at(grid, utc(instant)) == (utc(opens), utc(ends))


@pytest.mark.parametrize("row", worked_table(PAGE, "The first boundary on a day of the month"), ids="-".join)
def test_first_boundary_on_a_day_of_the_month(row: list[str]) -> None:
    start, day, every, first, second = row

    grid = anchor_day_grid(step(every), start=utc(start), anchor_day=int(day), zone=UTC)

    assert [boundary(grid, 0), boundary(grid, 1)] == [utc(first), utc(second)]


@pytest.mark.parametrize("row", worked_table(PAGE, "Stepped periods"), ids="-".join)
def test_stepped_periods(row: list[str]) -> None:
    anchor, start, every, ends, _ = row

    assert iso(period_end(Grid(step(every), utc(anchor), UTC), utc(start), "stepped")) == ends


@pytest.mark.parametrize("row", worked_table(PAGE, "How far a run bills"), ids="-".join)
def test_how_far_a_run_bills(row: list[str]) -> None:
    timing, arrears_run, end, target, through = row
    start = utc("2012-07-16")

    bounds = run_bounds(
        anchor_day_grid(MONTH, start=start, anchor_day=17, zone=UTC),
        start=start,
        end=None if end == "-" else utc(end),
        target=utc(target),
        timing="advance" if timing == "advance" else "arrears",
        arrears_run="greedy" if arrears_run == "greedy" else "closed_periods",
    )

    assert bounds.billed_through == (None if through == "-" else utc(through))


def test_a_run_names_the_boundaries_around_what_it_bills() -> None:
    start = utc("2012-07-16")
    grid = anchor_day_grid(MONTH, start=start, anchor_day=17, zone=UTC)

    bounds = run_bounds(grid, start=start, end=None, target=utc("2012-09-20"), timing="advance")

    assert bounds == (utc("2012-07-17"), utc("2012-10-17"), utc("2012-10-17"), utc("2012-11-17"))


def test_a_run_that_ends_before_the_first_boundary_has_no_last_one() -> None:
    start = utc("2012-01-16")
    grid = anchor_day_grid(MONTH, start=start, anchor_day=25, zone=UTC)

    bounds = run_bounds(grid, start=start, end=utc("2012-01-19"), target=utc("2012-01-25"), timing="arrears")

    assert bounds == (utc("2012-01-25"), utc("2012-01-19"), None, utc("2012-01-25"))


@pytest.mark.parametrize(("end", "target"), [("2011-03-15", "2011-05-15"), ("2011-06-15", "2011-02-15")])
def test_a_run_refuses_an_end_or_a_target_before_the_start(end: str, target: str) -> None:
    start = utc("2011-04-30")
    grid = anchor_day_grid(MONTH, start=start, anchor_day=15, zone=UTC)

    with pytest.raises(SpanRunsBackwards):
        run_bounds(grid, start=start, end=utc(end), target=utc(target), timing="advance")


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        # leading: one interval back from 28 February is 28 January, although the grid wants the 31st
        ("2011-02-14", "2011-02-28", ("2011-01-28", "2011-02-28")),
        # it ended before the first boundary: one interval back from the end
        ("2011-02-14", "2011-02-20", ("2011-01-20", "2011-02-20")),
        # trailing: from the last boundary to the next
        ("2011-02-28", "2011-03-10", ("2011-02-28", "2011-03-31")),
    ],
)
def test_the_full_period_of_a_part(start: str, end: str, expected: tuple[str, str]) -> None:
    grid = anchor_day_grid(MONTH, start=utc("2011-02-14"), anchor_day=31, zone=UTC)

    assert full_period(grid, Period(utc(start), utc(end))) == tuple(map(utc, expected))


def test_a_start_off_the_grid_makes_a_shorter_first_period_and_the_end_a_shorter_last_one() -> None:
    grid = Grid(MONTH, None, UTC, alignment="calendar")

    periods = list(service_periods(grid, utc("2026-01-20"), utc("2026-03-05")))

    assert periods == [
        (utc("2026-01-20"), utc("2026-02-01")),
        (utc("2026-02-01"), utc("2026-03-01")),
        (utc("2026-03-01"), utc("2026-03-05")),
    ]


def test_periods_between_are_whole_and_touch_the_span() -> None:
    grid = Grid(MONTH, utc("2024-01-05"), UTC)

    periods = list(periods_between(grid, utc("2024-01-03"), utc("2024-02-05")))

    # the boundary 5 February is the end of the span, so the period that opens there is not touched
    assert periods == [(utc("2023-12-05"), utc("2024-01-05")), (utc("2024-01-05"), utc("2024-02-05"))]
    assert list(periods_between(grid, utc("2024-01-03"), utc("2024-01-03"))) == []


def test_a_day_that_never_was_is_no_period() -> None:
    apia = parse_zone("Pacific/Apia")
    grid = Grid(Interval(Unit.DAY), utc("2011-12-28T10:00:00Z"), apia)

    days = [local_date(start, apia).day for start, _ in periods_between(grid, boundary(grid, 0), boundary(grid, 5))]

    assert days == [28, 29, 31, 1]
    # 30 December 10:00 UTC is the first instant of the 31st; the period of the 30th holds nothing
    assert period_index(grid, utc("2011-12-30T10:00:00Z")) == 3
    assert period_at(grid, utc("2011-12-30T09:59:59Z")).start == utc("2011-12-29T10:00:00Z")


def test_midnight_that_is_skipped_does_not_move_the_later_ones() -> None:
    # Sao Paulo skipped 00:00 to 01:00 on 4 November 2018; a grid anchored on that day still bills at midnight
    zone = parse_zone("America/Sao_Paulo")
    anchor = midnight_of(date(2018, 11, 4), zone)

    grid = Grid(MONTH, anchor, zone, boundary_time="midnight")

    assert anchor == utc("2018-11-04T03:00:00Z")  # 01:00 summer time
    assert boundary(grid, 0) == anchor
    assert boundary(grid, 1) == utc("2018-12-04T02:00:00Z")  # 00:00 summer time


def test_a_clock_that_goes_back_over_midnight_does_not_confuse_the_days() -> None:
    # Until 2011 St John's put the clock back at 00:01 to 23:01 of the day before: 7 November 2010 began twice
    zone = parse_zone("America/St_Johns")
    grid = Grid(Interval(Unit.DAY), midnight_of(date(2010, 11, 1), zone), zone)
    seventh = midnight_of(date(2010, 11, 7), zone)

    assert seventh == utc("2010-11-07T02:30:00Z")  # the first 00:00, at -02:30
    assert period_index(grid, seventh) == 6
    # half an hour later it is 23:30 of the 6th again, but the period of the 7th goes on
    assert local_date(seventh + timedelta(minutes=30), zone) == date(2010, 11, 6)
    assert period_index(grid, seventh + timedelta(minutes=30)) == 6
    assert period_at(grid, seventh + timedelta(minutes=30)).start == seventh


def test_boundary_time_midnight_takes_the_whole_first_day() -> None:
    zone = parse_zone("America/Bogota")  # -05:00 all year

    grid = Grid(Interval(Unit.YEAR), utc("2022-02-04T19:00:00Z"), zone, boundary_time="midnight")

    assert boundary(grid, 1) == utc("2023-02-04T05:00:00Z")


def test_hours_count_from_the_anchor_or_from_midnight_utc() -> None:
    every_three = Interval(Unit.HOUR, 3)

    assert period_at(Grid(every_three, None, UTC), utc("2026-06-15T14:30:00Z")).start == utc("2026-06-15T12:00:00Z")
    anchored = Grid(every_three, utc("2026-06-15T01:00:00Z"), parse_zone("Europe/Berlin"))
    assert period_at(anchored, utc("2026-06-15T14:30:00Z")).start == utc("2026-06-15T13:00:00Z")


def test_blocks_that_do_not_divide_the_year_count_from_the_anchor_s_block() -> None:
    five_months = Grid(Interval(Unit.MONTH, 5), utc("2026-03-22"), UTC, alignment="calendar")
    two_weeks = Grid(Interval(Unit.WEEK, 2), utc("2026-03-25"), UTC, alignment="calendar")

    assert [boundary(five_months, k) for k in (0, 1)] == [utc("2026-03-01"), utc("2026-08-01")]
    assert [boundary(two_weeks, k) for k in (0, 1)] == [utc("2026-03-23"), utc("2026-04-06")]  # Mondays


def test_quarters_and_half_years_are_months() -> None:
    assert (quarters(), half_years(2)) == (Interval(Unit.MONTH, 3), Interval(Unit.MONTH, 12))


def test_the_first_boundary_from_an_instant_may_be_that_instant() -> None:
    grid = Grid(MONTH, utc("2026-01-15"), UTC)

    assert boundary_from(grid, utc("2026-03-15")) == utc("2026-03-15")
    assert boundary_from(grid, utc("2026-03-15T00:00:01Z")) == utc("2026-04-15")


@pytest.mark.parametrize(
    ("every", "first_end"),
    [
        ("1 year", "2017-12-15"),  # the last bill day not after 2018-01-10
        ("1 month", "2017-01-15"),
        ("3 month", "2017-03-15"),
        ("1 day", "2017-01-11"),  # no bill day within one day: the plan's own grid
    ],
)
def test_the_first_period_ends_on_the_last_bill_date_within_one_interval(every: str, first_end: str) -> None:
    start = utc("2017-01-10")

    grid = bill_date_grid(step(every), start=start, anchor_day=15, zone=UTC)

    assert period_at(grid, start).end == utc(first_end)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-01-01", ("2026-01-20", "2026-02-01")),  # before the start: the first period
        ("2026-02-10", ("2026-02-01", "2026-03-01")),
        ("2026-09-01", ("2026-03-01", "2026-03-05")),  # after the end: the last period, cut
    ],
)
def test_the_period_that_serves_an_instant(at: str, expected: tuple[str, str]) -> None:
    grid = Grid(MONTH, None, UTC, alignment="calendar")

    period = service_period_at(grid, utc(at), start=utc("2026-01-20"), end=utc("2026-03-05"))

    assert period == tuple(map(utc, expected))


def test_a_life_that_ends_on_a_boundary_was_served_by_the_period_before_it() -> None:
    grid = Grid(MONTH, None, UTC, alignment="calendar")

    period = service_period_at(grid, utc("2026-09-01"), start=None, end=utc("2026-03-01"))

    assert period == (utc("2026-02-01"), utc("2026-03-01"))


@pytest.mark.parametrize(("at", "over"), [("2024-01-09", 0), ("2024-01-10", 1), ("2024-02-09", 1), ("2024-02-10", 2)])
def test_a_shorter_first_period_counts_as_over(at: str, over: int) -> None:
    grid = Grid(MONTH, utc("2023-12-10"), UTC)

    assert periods_over(grid, utc(at), start=utc("2024-01-01")) == over


def test_a_run_bills_what_is_due_on_its_day_or_all_that_was_missed() -> None:
    zone = parse_zone("Asia/Kolkata")  # +05:30
    grid = Grid(Interval(Unit.WEEK), utc("2023-02-02"), zone, alignment="calendar")
    monday = utc("2023-02-12T18:30:00Z")  # 13 February 00:00 local

    assert due_boundaries(grid, after=None, at=monday, catch_up=False) == [monday]
    assert due_boundaries(grid, after=None, at=monday - timedelta(seconds=1), catch_up=False) == []
    assert due_boundaries(grid, after=monday, at=monday + timedelta(hours=12), catch_up=False) == []
    missed = due_boundaries(grid, after=utc("2023-02-01"), at=monday + timedelta(days=2), catch_up=True)
    assert missed == [utc("2023-02-05T18:30:00Z"), monday]


def test_a_period_continues_where_the_last_invoice_stopped_after_a_move() -> None:
    period = Period(utc("2026-03-01T05:00:00Z"), utc("2026-04-01T04:00:00Z"))

    assert continued(period, utc("2026-03-01")).start == utc("2026-03-01")
    # 26 hours is the farthest that two zones lie apart; a larger gap is not the move's
    assert continued(period, utc("2026-02-28T03:00:00Z")).start == utc("2026-02-28T03:00:00Z")
    assert continued(period, utc("2026-02-28T02:59:59Z")).start == period.start


def test_a_century_is_a_leap_year_every_four_hundred_years() -> None:
    assert [days_in_month(year, 2) for year in (1900, 2000, 2023, 2024, 2100)] == [28, 29, 28, 29, 28]


def test_civil_days() -> None:
    new_york = parse_zone("America/New_York")
    paris = parse_zone("Europe/Paris")

    # 8 March 19:00 to 10 March 20:00 local, over the night in which the clock is put forward
    assert days_between(Period(utc("2024-03-09"), utc("2024-03-11")), new_york) == 2
    # 1 September 01:10 to 1 October 00:59:59 local: 29 whole days and 23:49:59
    september = Period(utc("2023-08-31T23:10:00Z"), utc("2023-09-30T22:59:59Z"))
    assert (days_between(september, paris), clock_days(september, paris)) == (30, 29)


def test_dates_and_zones() -> None:
    berlin = parse_zone("Europe/Berlin")
    reference = utc("2026-01-20T07:30:00Z").astimezone(berlin)

    assert aligned_date(date(2026, 2, 3), 31) == date(2026, 2, 28)
    assert instant_of(date(2026, 7, 1), reference.time(), berlin) == utc("2026-07-01T06:30:00Z")  # 08:30 summer time
    assert one_interval_before(MONTH, at=utc("2026-03-31"), zone=UTC) == utc("2026-02-28")
    winter_all_year = fixed_offset_at(berlin, reference)
    assert midnight_of(date(2026, 7, 1), winter_all_year) == utc("2026-06-30T23:00:00Z")


@pytest.mark.parametrize("name", ["Europe/Atlantis", "", "+1:00", "+25:00", "../etc/passwd", "Europe"])
def test_unknown_zones_are_refused(name: str) -> None:
    with pytest.raises(UnknownZone, match=re.escape(repr(name))):
        parse_zone(name)


@pytest.mark.parametrize("count", [0, -1, 1000])
def test_counts_outside_the_limit_are_refused(count: int) -> None:
    with pytest.raises(NotAnInterval):
        Interval(Unit.MONTH, count)


def test_what_has_no_grid_is_refused() -> None:
    with pytest.raises(NoGrid):
        Grid(MONTH, utc("2026-01-01"), UTC, alignment="never")
    with pytest.raises(NoGrid):
        Grid(MONTH, None, UTC)


@pytest.mark.parametrize("index", [12 * 8000, -(12 * 2100)])
def test_a_boundary_outside_the_years_1_to_9999_is_refused(index: int) -> None:
    with pytest.raises(BeyondCalendar):
        boundary(Grid(MONTH, utc("2026-01-01"), UTC), index)
