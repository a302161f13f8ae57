"""Totals: what events came to, hour by hour or one by one, and the answer of a metric that follows from it."""

from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import Final, NamedTuple

from tenor.catalog.model import Aggregation
from tenor.kernel.money import EXACT
from tenor.kernel.period import Period
from tenor.metering.model import Metric, Span
from tenor.metering.rules.aggregate import Aggregate, Terms, finish
from tenor.metering.rules.folds import active_keys, mean_level
from tenor.metering.rules.readings import ONE, Reading

_ZERO: Final = Decimal(0)


class Totals(NamedTuple):
    """What the events of a span come to, with those before it that carry over.

    Every number but the counts is None where there is no event. `event_count` is of all of them, `inside_count` of
    those inside the span. `active_count`: of the values that a unique count tells apart, those whose last event does
    not take them out; `active_keys` are these values, where they are asked for. `area` is Σ value × microseconds that
    it was there inside the span, known of a sum weighted by time alone.
    """

    event_count: int
    inside_count: int
    total: Decimal | None
    highest: Decimal | None
    lowest: Decimal | None
    latest: Decimal | None
    active_count: int
    active_keys: tuple[str, ...]
    area: Decimal | None


NOTHING: Final = Totals(0, 0, None, None, None, None, 0, (), None)


def add_up(readings: Sequence[Reading], metric: Metric, served: Period) -> Totals:
    """Return what readings, one at least, in the order in which they happened, come to; see `Totals`.

    Those of before `served` are there from its start on.
    """
    amounts = [reading.amount for reading in readings]
    keys = tuple(sorted(active_keys(readings))) if metric.aggregation is Aggregation.UNIQUE_COUNT else ()
    area = None
    with localcontext(EXACT):
        if metric.aggregation is Aggregation.WEIGHTED_SUM:
            since = [(reading.amount, max(reading.at, served.start)) for reading in readings]
            area = sum((amount * Period(at, served.end).microseconds for amount, at in since), _ZERO)
        total = sum(amounts, _ZERO)
    return Totals(
        event_count=len(readings),
        inside_count=sum(1 for reading in readings if reading.at >= served.start),
        total=total,
        highest=max(amounts),
        lowest=min(amounts),
        latest=amounts[-1],
        active_count=len(keys),
        active_keys=keys,
        area=area,
    )


def answer_from_totals(totals: Totals, metric: Metric, span: Span, terms: Terms) -> Aggregate:
    """Return what `aggregate` gives for the same events of a metric that is not prorated.

    Exact but for the metric's own rounding.
    """
    with localcontext(EXACT):
        value = _value(totals, metric.aggregation, span, opening_level=terms.opening_level)
    # What carries over into a sum is counted with it; a level or a last reading was counted in its own time.
    return finish(value, totals.event_count if metric.is_additive else totals.inside_count, metric, terms)


def needs_each_event(metric: Metric, terms: Terms) -> bool:
    """Whether the prorated units of `metric` hang on its single events, not on the totals of the days alone."""
    return metric.aggregation is Aggregation.UNIQUE_COUNT or terms.units_rounding.place == "event"


def readings_left(totals: Totals, metric: Metric, period: Period) -> list[Reading]:
    """Return readings at the start of `period` that leave behind the same as the additive events of `totals`.

    One of all that they add up to; of a unique count one for each value that is still there.
    """
    if not totals.event_count:
        return []
    if metric.aggregation is not Aggregation.UNIQUE_COUNT:
        return [Reading(period.start, _known(totals.total))]
    return [Reading(period.start, ONE, key) for key in totals.active_keys] or [Reading(period.start, ONE, removes=True)]


def _value(totals: Totals, aggregation: Aggregation, span: Span, *, opening_level: Decimal) -> Decimal | None:
    if aggregation is Aggregation.WEIGHTED_SUM and opening_level:
        return mean_level(opening_level * span.period.microseconds + (totals.area or _ZERO), span)
    if not totals.event_count:
        return None
    match aggregation:
        case Aggregation.COUNT:
            return Decimal(totals.event_count)
        case Aggregation.UNIQUE_COUNT:
            return Decimal(totals.active_count)
        case Aggregation.AVG:
            return _known(totals.total) / totals.event_count
        case Aggregation.SUM:
            return _known(totals.total)
        case Aggregation.WEIGHTED_SUM:
            return mean_level(_known(totals.area), span)
        case Aggregation.MAX:
            return _known(totals.highest)
        case Aggregation.MIN:
            return _known(totals.lowest)
        case Aggregation.LATEST:
            return _known(totals.latest)


def _known(value: Decimal | None) -> Decimal:
    if value is None:
        raise ValueError("there are no events that it could be of")
    return value
