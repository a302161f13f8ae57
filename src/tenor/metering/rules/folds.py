"""Folds: readings of a span in, one number out. Exact; whoever asks rounds."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from tenor.catalog.model import Aggregation
from tenor.kernel.money import round_decimal
from tenor.metering.model import Span
from tenor.metering.rules.readings import Reading
from tenor.pricing.policy import Rounding

_MICROSECOND: Final = timedelta(microseconds=1)
_ZERO: Final = Decimal(0)


class Readings(NamedTuple):
    """The readings of a span in order of time: those `inside`, and those `carried` over from before it."""

    carried: Sequence[Reading]
    inside: Sequence[Reading]

    def all(self) -> Sequence[Reading]:
        """Return the carried ones and those inside, in order."""
        return [*self.carried, *self.inside] if self.carried else self.inside


class Stretch(NamedTuple):
    """Whole local days, both ends included, on which one value was active. `removed_at` None: it still is."""

    opened_at: datetime
    first_day: date
    last_day: date
    removed_at: datetime | None

    @property
    def days(self) -> int:
        """Length in days; a value added and removed on one day was active for that day."""
        return (self.last_day - self.first_day).days + 1


def fold(readings: Readings, aggregation: Aggregation) -> Decimal | None:
    """Return what `readings` come to, each counted whole; None when there is nothing to go by.

    `weighted_sum` has a fold of its own: it needs the span.
    """
    everything = readings.all()
    if not everything:
        return None
    match aggregation:
        case Aggregation.COUNT:
            return Decimal(len(everything))
        case Aggregation.SUM:
            return sum((reading.amount for reading in everything), _ZERO)
        case Aggregation.MAX:
            return max(reading.amount for reading in everything)
        case Aggregation.MIN:
            return min(reading.amount for reading in everything)
        case Aggregation.AVG:
            return sum((reading.amount for reading in everything), _ZERO) / len(everything)
        case Aggregation.LATEST:
            return everything[-1].amount
        case Aggregation.UNIQUE_COUNT:
            return Decimal(len(active_keys(everything)))
        case Aggregation.WEIGHTED_SUM:
            raise ValueError("a weighted sum is folded over its span")


def fold_weighted(readings: Readings, span: Span, *, opening_level: Decimal) -> Decimal | None:
    """Return Σ level × time / length of the full billing period.

    Each reading moves the level by its amount; the level starts at `opening_level` plus what is carried.
    Time is taken in microseconds and divided once, so that nothing is rounded on the way.
    """
    if not readings.all() and not opening_level:
        return None
    level = opening_level + sum((reading.amount for reading in readings.carried), _ZERO)
    area, since = _ZERO, span.period.start
    for reading in readings.inside:
        area += level * ((reading.at - since) // _MICROSECOND)
        level, since = level + reading.amount, reading.at
    area += level * ((span.period.end - since) // _MICROSECOND)
    return mean_level(area, span)


def mean_level(area: Decimal, span: Span) -> Decimal:
    """Return the level that gives `area`, in value × microseconds, over the full billing period."""
    return area / span.full_microseconds


def fold_prorated(
    readings: Readings, aggregation: Aggregation, span: Span, *, units_rounding: Rounding
) -> Decimal | None:
    """Return what `readings` come to when each counts for its days of the full billing period.

    A value counts from its own local day to the last one, a carried one for all days of the span; a
    unique value for the days on which it was active. `units_rounding` of place `event` rounds each
    value's units, any other place their sum.
    """
    if not readings.all():
        return None
    if units_rounding.place == "event":
        return sum(per_event_units(readings, aggregation, span, units_rounding=units_rounding), _ZERO)
    total = sum(_unit_days(readings, aggregation, span), _ZERO) / span.full_days
    return round_units(total, units_rounding)


def per_event_units(
    readings: Readings, aggregation: Aggregation, span: Span, *, units_rounding: Rounding
) -> list[Decimal]:
    """Return the prorated units of each event; rounded only by a rounding of place `event`.

    What is carried over comes first, as one level; taking a unique value out adds 0 of its own, for its
    days stand with the event that added it.
    """
    units = [unit_days / span.full_days for unit_days in _unit_days(readings, aggregation, span)]
    if units_rounding.place == "event":
        return [round_units(unit, units_rounding) for unit in units]
    return units


def round_units(units: Decimal, rounding: Rounding) -> Decimal:
    """Round units by `rounding`; digits None mean whole units, for units have no currency."""
    return round_decimal(units, digits=rounding.digits or 0, mode=rounding.mode)


def active_keys(readings: Iterable[Reading]) -> set[str]:
    """Return the values that were added and not taken out again."""
    active: set[str] = set()
    for reading in readings:
        if reading.removes:
            active.discard(reading.key)
        else:
            active.add(reading.key)
    return active


def active_stretches(readings: Readings, span: Span) -> list[Stretch]:
    """Return the days on which each unique value was active, in the order in which they were opened.

    A value that is added again on the day on which it was taken out has not been away: the two
    stretches are one. Taking out what is not there changes nothing.
    """
    open_since = dict.fromkeys(active_keys(readings.carried), span.period.start)
    closed: dict[str, list[Stretch]] = {}
    for reading in readings.inside:
        if not reading.removes:
            if reading.key not in open_since:
                open_since[reading.key] = _reopened(reading, closed.get(reading.key, []), span)
        elif reading.key in open_since:
            opened_at = open_since.pop(reading.key)
            last_day = min(span.day_of(reading.at), span.last_day)
            stretch = Stretch(opened_at, span.day_of(opened_at), last_day, reading.at)
            closed.setdefault(reading.key, []).append(stretch)
    still_open = [Stretch(opened_at, span.day_of(opened_at), span.last_day, None) for opened_at in open_since.values()]
    ended = [stretch for stretches in closed.values() for stretch in stretches]
    return sorted(ended + still_open, key=lambda stretch: stretch.opened_at)


def _reopened(reading: Reading, closed: list[Stretch], span: Span) -> datetime:
    """Return since when an added value is active: since its last stretch if that ended on the same day."""
    if closed and closed[-1].last_day == span.day_of(reading.at):
        return closed.pop().opened_at
    return reading.at


def _unit_days(readings: Readings, aggregation: Aggregation, span: Span) -> list[Decimal]:
    """Return units × days for the carried level and for each event, in order of time."""
    if aggregation is Aggregation.UNIQUE_COUNT:
        stretches = active_stretches(readings, span)
        timed = [(stretch.opened_at, Decimal(stretch.days)) for stretch in stretches]
        timed += [(stretch.removed_at, _ZERO) for stretch in stretches if stretch.removed_at is not None]
        return [unit_days for _, unit_days in sorted(timed, key=lambda entry: entry[0])]
    carried = sum((reading.amount for reading in readings.carried), _ZERO)
    inside = [reading.amount * span.days_from(reading.at) for reading in readings.inside]
    return [carried * span.days, *inside] if carried else inside
