"""Windows: a period cut at local minutes, hours or days, and the whole units that a span touches."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final, Literal

from tenor.kernel.period import Period

Unit = Literal["second", "minute", "hour", "day"]

_LENGTHS: Final[dict[Unit, timedelta]] = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
}


def unit_start(instant: datetime, unit: Unit, zone: tzinfo) -> datetime:
    """Return the UTC instant at which the local second, minute, hour or day of `instant` began."""
    local = instant.astimezone(zone)
    if unit == "day":
        return datetime.combine(local.date(), time.min, tzinfo=zone).astimezone(UTC)
    into_day = timedelta(hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return (instant - into_day % _LENGTHS[unit]).astimezone(UTC)


def next_unit(start: datetime, unit: Unit, zone: tzinfo) -> datetime:
    """Return the UTC instant at which the unit that begins at `start` ends.

    Seconds, minutes and hours are lengths of time; a day ends at the next local midnight, so that a day
    on which the clocks change has 23 or 25 hours.
    """
    if unit == "day":
        tomorrow = start.astimezone(zone).date() + timedelta(days=1)
        return datetime.combine(tomorrow, time.min, tzinfo=zone).astimezone(UTC)
    return start + _LENGTHS[unit]


def whole_units(period: Period, unit: Unit, zone: tzinfo, *, partial: Literal["widen", "drop"]) -> Period:
    """Return `period` with its two ends moved to unit boundaries.

    A unit that an end cuts counts whole (`widen`) or not at all (`drop`).
    """
    start, end = unit_start(period.start, unit, zone), unit_start(period.end, unit, zone)
    if partial == "widen":
        return Period(start, end if end == period.end else next_unit(end, unit, zone))
    return Period(start if start == period.start else next_unit(start, unit, zone), end)


def windows(period: Period, unit: Unit, zone: tzinfo) -> Iterator[Period]:
    """Yield the units of a period that begins and ends on unit boundaries, in order and without a gap."""
    start = period.start
    while start < period.end:
        end = next_unit(start, unit, zone)
        yield Period(start, end)
        start = end


def days_within(period: Period, zone: tzinfo) -> Iterator[Period]:
    """Yield the parts of a period that lie on each of its local days, in order and without a gap."""
    for day in windows(whole_units(period, "day", zone, partial="widen"), "day", zone):
        yield day.overlap(period)
