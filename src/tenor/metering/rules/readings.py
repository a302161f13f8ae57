"""Readings: what one event says about one metric."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from tenor.catalog.model import Aggregation
from tenor.catalog.rules import Expression, NoResult
from tenor.kernel.errors import Malformed
from tenor.kernel.money import EXACT, divide_rounded
from tenor.kernel.quantity import NotADecimal, parse_decimal, plain
from tenor.metering.model import Metric, PropertyValue, UsageEvent

VALUE_FRACTION_DIGITS: Final = 18
"""Digits after the point of a measured value: six more than of a price, so that what a sender once kept
as a binary float (17 significant digits) can still be taken as it was printed."""

OPERATION: Final = "operation_type"
"""Property that says whether a `unique_count` event adds its value (also when absent) or takes it out."""

ONE: Final = Decimal(1)
"""The amount of an event that is counted, or whose value is told apart."""

_UNUSABLE: Final = (NotADecimal, NoResult)


class Reading(NamedTuple):
    """What an event says: `amount` is the number measured (1 where events are counted).

    `key` is the value that `unique_count` tells apart; `removes` that it is taken out again.
    """

    at: datetime
    amount: Decimal
    key: str = ""
    removes: bool = False


def read(event: UsageEvent, metric: Metric) -> Reading:
    """Return what `event` says about `metric`.

    Raises:
        NotADecimal: the field is missing, or is not a finite number within the bounds of a value.
        NoResult: the metric's expression has no result for this event.
    """
    amount = read_amount(event, metric)
    if metric.aggregation is not Aggregation.UNIQUE_COUNT:
        return Reading(event.occurred_at, amount)
    key = property_text(event.properties.get(metric.field or "")) or ""
    return Reading(event.occurred_at, amount, key, event.properties.get(OPERATION) == "remove")


def read_amount(event: UsageEvent, metric: Metric) -> Decimal:
    """Return the number of `read`: what `metric` measures in `event`, 1 where events are counted.

    Raises:
        NotADecimal, NoResult: as `read`.
    """
    field = metric.field
    if field is None or metric.aggregation is Aggregation.COUNT:
        return ONE if metric.expression is None else _worked_out(metric.expression, event)
    value = event.properties.get(field)
    if value is None:
        raise NotADecimal(f"{field}: the event has no such property")
    return ONE if metric.aggregation is Aggregation.UNIQUE_COUNT else read_value(value, name=field)


def read_value(value: PropertyValue, *, name: str = "value") -> Decimal:
    """Return a measured value: below 10^15 in size, at most 18 digits after the point, either sign.

    Raises:
        NotADecimal: with `name`; text that is no number, NaN, an infinity, a bool, or out of bounds.
    """
    return parse_decimal(value, name=name, fraction_digits=VALUE_FRACTION_DIGITS)


def valid_readings(events: Iterable[UsageEvent], metric: Metric) -> list[Reading]:
    """Return the readings of `events` in the order of event time; ties keep the order of storage.

    Events that say nothing usable are left out: `is_readable` tells which.
    """
    readings = []
    for event in events:
        try:
            readings.append(read(event, metric))
        except _UNUSABLE:
            continue
    readings.sort(key=lambda reading: reading.at)
    return readings


def is_readable(event: UsageEvent, metric: Metric) -> bool:
    """Whether `event` says something that `metric` can use."""
    try:
        read_amount(event, metric)
    except _UNUSABLE:
        return False
    return True


def part_at_fault(error: Malformed, metric: Metric) -> str:
    """Return the property because of which `read` could not read an event, empty where it is none alone."""
    return error.field if isinstance(error, NoResult) else metric.field or ""


class _Said(NamedTuple):
    """What an event says, as an expression asks for it."""

    event: UsageEvent

    def number(self, name: str) -> Decimal:
        value = self.event.properties.get(name)
        if value is None:
            raise NoResult(f"{name}: the event has no such property", field=name)
        try:
            return read_value(value, name=name)
        except NotADecimal as error:
            raise NoResult(error.message, field=name) from None

    def text(self, name: str) -> str | None:
        return property_text(self.event.properties.get(name))


def _worked_out(expression: Expression, event: UsageEvent) -> Decimal:
    """Return the result of an expression, rounded once, half away from zero, to the digits that a value can have."""
    result = expression.of(_Said(event))
    scaled = divide_rounded(result.numerator * 10**VALUE_FRACTION_DIGITS, result.denominator)
    return read_value(Decimal(scaled).scaleb(-VALUE_FRACTION_DIGITS, context=EXACT), name="result")


def property_text(value: PropertyValue) -> str | None:
    """Return a property as text, so that 1, 1.0 and "1" are one value; None when it is absent."""
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case Decimal():
            return plain(value) if value.is_finite() else str(value)
