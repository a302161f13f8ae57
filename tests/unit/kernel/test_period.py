"""Periods are half-open: what meets neither overlaps nor leaves a gap."""

from datetime import UTC, datetime

import pytest

from tenor.kernel.period import NotAnInstant, Period, format_instant, parse_instant, require_utc


def day(number: int) -> datetime:
    return datetime(2026, 6, number, tzinfo=UTC)


JUNE_5_TO_9 = Period(day(5), day(9))


def test_the_start_belongs_to_a_period_and_the_end_to_the_next_one() -> None:
    assert [number for number in range(4, 11) if JUNE_5_TO_9.holds(day(number))] == [5, 6, 7, 8]


@pytest.mark.parametrize(
    ("other", "shared", "is_covered"),
    [
        (Period(day(6), day(7)), Period(day(6), day(7)), True),
        (JUNE_5_TO_9, JUNE_5_TO_9, True),
        (Period(day(1), day(6)), Period(day(5), day(6)), False),
        (Period(day(8), day(12)), Period(day(8), day(9)), False),
    ],
)
def test_what_two_periods_share(other: Period, shared: Period, is_covered: bool) -> None:
    assert JUNE_5_TO_9.overlap(other) == other.overlap(JUNE_5_TO_9) == shared
    assert JUNE_5_TO_9.covers(other) is is_covered


@pytest.mark.parametrize("other", [Period(day(1), day(5)), Period(day(9), day(12)), Period(day(20), day(21))])
def test_periods_that_meet_share_nothing(other: Period) -> None:
    assert JUNE_5_TO_9.overlap(other).is_empty
    assert not JUNE_5_TO_9.covers(other)


def test_a_length_is_exact_and_in_whole_seconds_cut_off() -> None:
    span = Period(day(5), day(5).replace(second=1, microsecond=999_999))

    assert (span.microseconds, span.seconds) == (1_999_999, 1)
    assert not span.is_empty
    assert Period(day(5), day(5)).is_empty


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-06-05T00:00:00Z", "2026-06-05T00:00:00Z"),
        ("2026-06-05T02:00:00+02:00", "2026-06-05T00:00:00Z"),
        ("2026-06-05 00:00Z", "2026-06-05T00:00:00Z"),
        ("2026-06-05T00:00:00.1234569Z", "2026-06-05T00:00:00.123456Z"),  # cut off, not rounded
    ],
)
def test_an_instant_is_read_into_utc(text: str, instant: str) -> None:
    assert format_instant(parse_instant(text)) == instant


@pytest.mark.parametrize(
    "text",
    ["2026-06-05", "2026-06-05T00:00:00", "2026-02-30T00:00:00Z", "1969-12-31T23:59:59Z", "9000-01-01T00:00Z", 5],
)
def test_what_names_no_zone_or_no_day_is_no_instant(text: object) -> None:
    with pytest.raises(NotAnInstant, match="starts_at"):
        parse_instant(text, name="starts_at")


def test_a_datetime_without_a_zone_is_no_instant() -> None:
    with pytest.raises(NotAnInstant, match="names no time zone"):
        require_utc(datetime(2026, 6, 5))  # noqa: DTZ001  that is what is refused
