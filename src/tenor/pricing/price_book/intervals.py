"""Intervals in a price book: how they are written, and which of them fit into each other."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tenor.kernel.calendar import Interval, Unit, half_years, quarters
from tenor.kernel.errors import Malformed
from tenor.pricing.price_book import tree
from tenor.pricing.price_book.fields import Spot, Unreadable, attempt, nearest, text, whole_number

WORDS: Final[Mapping[str, Interval]] = MappingProxyType(
    {unit.value: Interval(unit) for unit in Unit} | {"quarter": quarters(), "half_year": half_years()}
)
"""What an interval may be counted in."""

_COUNT_MAX: Final = 999
_COUNTED: Final = re.compile(r"(?:([0-9]{1,3}) +)?([a-z_]+)")


def interval(spot: Spot) -> Interval:
    """Read an interval: `month`, `3 months`, `quarter`, or `{month: 3}`."""
    if isinstance(spot.node, tree.Mapping):
        if len(spot.node.entries) != 1:
            raise Malformed("an interval counts one unit, for example {month: 3}")
        ((unit, value),) = spot.node.entries
        count = attempt(spot.at(value, f".{unit.text}"), whole_number(at_most=_COUNT_MAX))
        if count is None:
            raise Unreadable
        return _interval(spot, unit.text, count)
    written = text(spot)
    counted = _COUNTED.fullmatch(written)
    if not counted:
        raise Malformed(f"{written!r} is not an interval such as 'month' or '3 months'")
    digits, word = counted.groups()
    return _interval(spot, word if word in WORDS else word.removesuffix("s"), int(digits or 1))


def fit_together(one: Interval, other: Interval) -> bool:
    """Whether one of two intervals is a whole number of the other, so that their boundaries meet."""
    return _divides(one, other) or _divides(other, one)


def is_window_of(window: Interval, service: Interval) -> bool:
    """Whether every service period is a whole number of windows: whole days make a month, weeks do not."""
    if window == Interval(Unit.HOUR):
        return True
    if window == Interval(Unit.DAY):
        return service.unit is not Unit.HOUR
    return _divides(window, service)


def length(value: Interval) -> tuple[int, int, int]:
    """Return the length in hours, days and months; two of them are 0, for a month has no fixed number of days."""
    return (value.count if value.unit is Unit.HOUR else 0, value.days, value.months)


def in_words(value: Interval) -> str:
    """Return an interval as text: `month`, `3 months`."""
    return value.unit.value if value.count == 1 else f"{value.count} {value.unit.value}s"


def _interval(spot: Spot, word: str, count: int) -> Interval:
    if word not in WORDS:
        spot.report(f"{word!r} is not a unit of time", nearest(word, WORDS))
        raise Unreadable
    base = WORDS[word]
    return Interval(base.unit, base.count * count)


def _divides(small: Interval, large: Interval) -> bool:
    for small_length, large_length in zip(length(small), length(large), strict=True):
        if small_length and large_length:
            return large_length % small_length == 0
    return False
