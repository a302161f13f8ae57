"""Usage billed in advance: what an event adds above the highest level already billed."""

from collections.abc import Iterable
from decimal import Decimal, localcontext
from typing import Final, NamedTuple

from tenor.catalog.model import Aggregation
from tenor.kernel.money import EXACT
from tenor.metering.model import Metric, Span, UnmeasurableMetric, UsageEvent
from tenor.metering.rules.aggregate import Aggregate, Terms, readings_of, used_span
from tenor.metering.rules.folds import Readings, active_keys, fold, round_units
from tenor.metering.rules.readings import Reading, valid_readings

_ZERO: Final = Decimal(0)


class AdvanceState(NamedTuple):
    """What is known of a period whose usage is billed on arrival, all in units.

    `current` is what the period's own events have added so far, `highest` the highest it has been,
    `active` the unique values that are there, `carried_in` what the period started with, and
    `billed_prorated` what has been billed for the period's own events. None: not known.
    """

    current: Decimal | None = None
    highest: Decimal | None = None
    active: frozenset[str] = frozenset()
    carried_in: Decimal | None = None
    billed_prorated: Decimal = _ZERO


class CurrentUsage(NamedTuple):
    """Units to be billed for a running period, the units that are there, and how many events counted."""

    value: Decimal
    full_units: Decimal
    event_count: int


def increment(
    events: Iterable[UsageEvent], metric: Metric, span: Span, terms: Terms, *, state: AdvanceState
) -> Aggregate:
    """Return the units that `events` make due now: those above the highest level so far, never negative.

    Where the metric is prorated, each event's units count for the days that are left at its time.

    Raises:
        UnmeasurableMetric: the aggregation is not the sum of what its events add.
    """
    _require_additive(metric)
    span = used_span(span, terms.policy)
    readings = readings_of(valid_readings(events, metric), metric, span.period, terms.policy)
    active = set(state.active) | active_keys(readings.carried)
    level = Decimal(len(active)) if state.current is None else state.current
    highest = level if state.highest is None else state.highest
    due = _ZERO
    with localcontext(EXACT):
        for reading in readings.inside:
            level += _step(reading, metric, active)
            units, highest = max(_ZERO, level - highest), max(highest, level)
            if metric.prorated:
                units = round_units(units * span.days_from(reading.at) / span.full_days, terms.units_rounding)
            due += units
    return Aggregate(due, len(readings.inside))


def current_usage(
    events: Iterable[UsageEvent], metric: Metric, span: Span, terms: Terms, *, state: AdvanceState
) -> CurrentUsage:
    """Return the units of a running period: what it started with plus the highest level billed since.

    Where the metric is prorated: what it started with, less what has been given back since, for the
    span's share of the full period, plus what has been billed for the period's own events.

    Raises:
        UnmeasurableMetric: the aggregation is not the sum of what its events add.
    """
    _require_additive(metric)
    span = used_span(span, terms.policy)
    readings = readings_of(valid_readings(events, metric), metric, span.period, terms.policy)
    with localcontext(EXACT):
        current = _ZERO if state.current is None else state.current
        highest = current if state.highest is None else state.highest
        carried_in = state.carried_in
        if carried_in is None:
            carried_in = fold(Readings(carried=readings.carried, inside=()), metric.aggregation) or _ZERO
        if metric.prorated:
            kept = max(_ZERO, carried_in + min(_ZERO, current))
            value = round_units(kept * span.days / span.full_days, terms.units_rounding) + state.billed_prorated
        else:
            value = max(_ZERO, carried_in + highest)
        return CurrentUsage(value, max(_ZERO, carried_in + current), len(readings.all()))


def _step(reading: Reading, metric: Metric, active: set[str]) -> Decimal:
    """Return how far `reading` moves the level, and keep account of the unique values that are `active`."""
    if metric.aggregation is not Aggregation.UNIQUE_COUNT:
        return reading.amount
    if reading.removes == (reading.key not in active):
        return _ZERO  # adds what is there, or takes out what is not
    active ^= {reading.key}
    return -reading.amount if reading.removes else reading.amount


def _require_additive(metric: Metric) -> None:
    if not metric.is_additive:
        raise UnmeasurableMetric(f"metric {metric.code!r}: {metric.aggregation} cannot be billed on arrival")
