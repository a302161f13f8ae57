"""Periods: half-open spans of time between two UTC instants."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from tenor.kernel.errors import Malformed

EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(9000, 1, 1, tzinfo=UTC)

_INSTANT: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})", re.ASCII
)
_BEYOND_MICROSECOND: Final = re.compile(r"(\.\d{6})\d+", re.ASCII)
_LENGTH_BEYOND_MICROSECOND: Final = len("2026-01-31T00:00:00.0000000Z")
_MICROSECOND: Final = timedelta(microseconds=1)
_SECOND: Final = timedelta(seconds=1)


class NotAnInstant(Malformed):
    """A point in time that names no zone, or that no calendar has."""

    code = "not_an_instant"


class Period(NamedTuple):
    """The half-open span [start, end) of two aware UTC instants; `start < end` unless it is empty."""

    start: datetime
    end: datetime

    @property
    def is_empty(self) -> bool:
        """Whether no instant lies inside."""
        return self.start >= self.end

    @property
    def microseconds(self) -> int:
        """Length in whole microseconds, exact."""
        return (self.end - self.start) // _MICROSECOND

    @property
    def seconds(self) -> int:
        """Length in whole seconds, a fraction cut off."""
        return (self.end - self.start) // _SECOND

    def holds(self, instant: datetime) -> bool:
        """Whether `instant` lies inside: the start belongs to the period, the end to the next one."""
        return self.start <= instant < self.end

    def covers(self, other: "Period") -> bool:
        """Whether all of `other` lies inside."""
        return self.start <= other.start and other.end <= self.end

    def overlap(self, other: "Period") -> "Period":
        """Return the part that both periods share; empty when they do not meet."""
        return Period(max(self.start, other.start), min(self.end, other.end))


def parse_instant(value: object, *, name: str = "instant") -> datetime:
    """Read ISO 8601 text with a zone ('2026-01-31T00:00:00Z', '…+02:00') as an aware UTC datetime.

    Digits beyond a microsecond are cut off: two instants in one microsecond are one. A text without
    a zone is refused, for nobody can know which day it means.

    Raises:
        NotAnInstant: with `name`, which says what the instant was meant to be.
    """
    if isinstance(value, datetime):
        return require_utc(value, name=name)
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}([T ][\d:.]+)?", value, re.ASCII):
            raise NotAnInstant(f"{name}: {value!r} names no time zone; write e.g. '{value[:10]}T00:00:00Z'")
        raise NotAnInstant(f"{name}: {str(value)[:40]!r} is not an instant such as '2026-01-31T00:00:00Z'")
    text = _BEYOND_MICROSECOND.sub(r"\1", value) if len(value) >= _LENGTH_BEYOND_MICROSECOND else value
    try:
        instant = datetime.fromisoformat(text)
        instant = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise NotAnInstant(f"{name}: {value!r}: {error}") from None
    return require_utc(instant, name=name)


def require_utc(value: datetime, *, name: str = "instant") -> datetime:
    """Return an aware `value` in UTC; refuse one without a zone or outside the years 1970 to 8999."""
    if value.tzinfo is None:
        raise NotAnInstant(f"{name}: {value.isoformat()} names no time zone")
    value = value if value.tzinfo is UTC else value.astimezone(UTC)
    if not EARLIEST <= value < LATEST:
        raise NotAnInstant(f"{name}: {value.isoformat()} lies outside the years 1970 to 8999")
    return value


def format_instant(value: datetime) -> str:
    """Return a UTC instant as ISO 8601 with `Z`, fractions only where there are any."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
