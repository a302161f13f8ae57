"""Windows by local clocks, also where the clocks change."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from tenor.catalog.model import Aggregation
from tenor.kernel.period import Period, parse_instant
from tenor.metering.model import Metric, Span, UsageEvent
from tenor.metering.rules.aggregate import Terms, aggregate, aggregate_windows
from tenor.metering.rules.windows import unit_start, whole_units, windows
from tenor.pricing.policy import profile

POLICY = profile("tenor").metering
TOTAL = Metric("m", Aggregation.SUM, "n")


def span(start: str, end: str) -> Period:
    return Period(parse_instant(start), parse_instant(end))


def event(at: str, value: int) -> UsageEvent:
    return UsageEvent(at, parse_instant(at), {"n": value})


@pytest.mark.parametrize(
    ("zone", "start", "end", "hours"),
    [
        ("Europe/Berlin", "2026-03-28T00:00:00+01:00", "2026-03-31T00:00:00+02:00", [24, 23, 24]),
        ("Europe/Berlin", "2026-10-24T00:00:00+02:00", "2026-10-27T00:00:00+01:00", [24, 25, 24]),
        ("America/Sao_Paulo", "2018-11-03T00:00:00-03:00", "2018-11-05T00:00:00-02:00", [24, 23]),  # no midnight
        ("America/Havana", "2026-10-31T00:00:00-04:00", "2026-11-02T00:00:00-05:00", [24, 25]),  # two midnights
    ],
)
def test_local_days_have_23_to_25_hours(zone: str, start: str, end: str, hours: list[int]) -> None:
    found = list(windows(span(start, end), "day", ZoneInfo(zone)))

    assert [window.seconds / 3600 for window in found] == hours
    assert all(window.end == after.start for window, after in pairwise(found))


def test_an_hour_of_a_half_hour_zone_begins_at_its_own_hour() -> None:
    kolkata = ZoneInfo("Asia/Kolkata")  # UTC+5:30

    assert unit_start(parse_instant("2026-03-01T10:45:10Z"), "hour", kolkata) == parse_instant("2026-03-01T10:30:00Z")
    assert unit_start(parse_instant("2026-03-01T10:45:10.5Z"), "second", kolkata).microsecond == 0


@pytest.mark.parametrize(
    ("partial", "start", "end"),
    [
        ("widen", "2026-03-01T10:00:00Z", "2026-03-01T13:00:00Z"),
        ("drop", "2026-03-01T11:00:00Z", "2026-03-01T12:00:00Z"),
    ],
)
def test_units_that_an_end_cuts_count_whole_or_not_at_all(partial: str, start: str, end: str) -> None:
    cut = span("2026-03-01T10:20:00Z", "2026-03-01T12:00:01Z")
    whole = span("2026-03-01T10:00:00Z", "2026-03-01T12:00:00Z")
    utc = ZoneInfo("UTC")

    assert whole_units(cut, "hour", utc, partial="widen" if partial == "widen" else "drop") == span(start, end)
    assert whole_units(whole, "hour", utc, partial="widen") == whole_units(whole, "hour", utc, partial="drop") == whole


def test_a_coarse_clock_moves_the_bounds_to_whole_minutes() -> None:
    asked = Span(span("2026-03-01T10:00:30Z", "2026-03-01T10:02:30Z"))
    events = [event(f"2026-03-01T10:{at}Z", 1) for at in ("00:10", "00:40", "01:00", "02:20", "02:40", "03:00")]

    def counted(**policy: str) -> Decimal | None:
        return aggregate(events, TOTAL, asked, Terms(replace(POLICY, **policy))).value  # type: ignore[arg-type]  # test data

    assert counted() == 3  # 00:40, 01:00, 02:20
    assert counted(time_resolution="minute") == 5  # 10:00 to 10:03
    assert counted(time_resolution="minute", partial_windows="drop") == 1  # 10:01 to 10:02
    assert counted(time_resolution="second") == 3


def test_each_window_is_a_period_of_its_own() -> None:
    asked = Span(span("2026-03-01T00:00:00Z", "2026-03-01T04:00:00Z"))
    events = [event("2026-03-01T00:10:00Z", 2), event("2026-03-01T00:50:00Z", 1), event("2026-03-01T03:00:00Z", 4)]

    def rows(metric: Metric, **policy: str) -> list[tuple[int, object]]:
        terms = Terms(replace(POLICY, **policy))  # type: ignore[arg-type]  # test data
        found = aggregate_windows(events, metric, asked, terms, window="hour")
        return [(period.start.hour, row.value) for period, row in found]

    level = Metric("m", Aggregation.LATEST, "n", recurring=True)
    assert rows(TOTAL) == [(0, 3), (1, 0), (2, 0), (3, 4)]
    assert rows(TOTAL, empty_windows="omit") == [(0, 3), (3, 4)]
    assert rows(level) == [(0, 1), (1, 1), (2, 1), (3, 4)]
    assert rows(replace(TOTAL, recurring=True)) == [(0, 3), (1, 3), (2, 3), (3, 7)]


def test_the_windows_of_a_period_hold_each_of_its_instants_once() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    october = span("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z")  # the 25 hours of 25 October
    found = list(windows(october, "hour", berlin))

    assert len(found) == 25
    assert (found[0].start, found[-1].end) == tuple(october)
    assert {window.end - window.start for window in found} == {timedelta(hours=1)}
    assert isinstance(found[0].start, datetime)
