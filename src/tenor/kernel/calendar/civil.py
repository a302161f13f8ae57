"""Civil time: zones, local dates, and the instant at which a local clock shows a given time."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from tenor.kernel.errors import Malformed
from tenor.kernel.period import Period

MIDNIGHT: Final = time(0)

_DAY: Final = timedelta(days=1)
_DAYS_IN_MONTH: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FEBRUARY: Final = 2
_FIXED_OFFSET: Final = re.compile(r"[+-][0-2]\d:[0-5]\d", re.ASCII)


class UnknownZone(Malformed):
    """A time zone that is neither an IANA name nor a fixed offset."""

    code = "unknown_zone"


@lru_cache(maxsize=1024)
def parse_zone(name: str) -> tzinfo:
    """Return the zone of an IANA name ('Europe/Berlin', 'UTC') or of a fixed offset ('-08:00').

    Raises:
        UnknownZone: there is no such zone.
    """
    try:
        if _FIXED_OFFSET.fullmatch(name):
            sign = -1 if name[0] == "-" else 1
            return timezone(sign * timedelta(hours=int(name[1:3]), minutes=int(name[4:])))
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise UnknownZone(f"{name[:60]!r} is not a time zone such as 'Europe/Berlin' or '-08:00'") from None


def fixed_offset_at(zone: tzinfo, instant: datetime) -> tzinfo:
    """Return the offset that `zone` has at `instant` as a zone of its own, all year."""
    offset = instant.astimezone(zone).utcoffset()
    return timezone(offset or timedelta(0))


def local_date(instant: datetime, zone: tzinfo) -> date:
    """Return the civil day of `instant` in `zone`."""
    return instant.astimezone(zone).date()


def instant_of(day: date, clock: time, zone: tzinfo) -> datetime:
    """Return the UTC instant at which the local clock of `zone` shows `clock` on `day`.

    A time that the day skips (the clock is put forward) moves forward by what was skipped: 02:30
    becomes 03:30. A time that comes twice (the clock is put back) is its first coming, or its second
    where `clock.fold` is 1. So the instants of successive days never go backwards.
    """
    instant = datetime.combine(day, clock, zone).astimezone(UTC)
    if clock.fold:
        # Python reads a skipped time with fold 1 backwards; the later of the two readings is the one stated above.
        return max(instant, datetime.combine(day, clock.replace(fold=0), zone).astimezone(UTC))
    return instant


def midnight_of(day: date, zone: tzinfo) -> datetime:
    """Return the UTC instant at which `day` begins in `zone`."""
    return instant_of(day, MIDNIGHT, zone)


def start_of_month(instant: datetime, zone: tzinfo) -> datetime:
    """Return the start of the local month that holds `instant`, in UTC."""
    return midnight_of(local_date(instant, zone).replace(day=1), zone)


def days_in_month(year: int, month: int) -> int:
    """Return 28 to 31, by the Gregorian calendar."""
    leap = month == _FEBRUARY and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return _DAYS_IN_MONTH[month - 1] + leap


def is_last_of_month(day: date) -> bool:
    """Whether the next day lies in another month."""
    return day.day == days_in_month(day.year, day.month)


def shift_months(day: date, months: int, *, day_of_month: int) -> date:
    """Return `day_of_month` in the month `months` after that of `day`; the last day of a month that is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day_of_month, days_in_month(year, month + 1)))


def days_between(span: Period, zone: tzinfo) -> int:
    """Return the difference of the local dates of both ends; clock changes do not matter."""
    return (local_date(span.end, zone) - local_date(span.start, zone)).days


def clock_days(span: Period, zone: tzinfo) -> int:
    """Return how many whole days pass on the local clock between both ends (31 Aug 10:00 to 1 Sep 09:00: 0)."""
    start, end = (instant.astimezone(zone).replace(tzinfo=None) for instant in span)
    return (end - start) // _DAY
