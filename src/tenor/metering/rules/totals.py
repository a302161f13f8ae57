"""Totals: what events came to, hour by hour or one by one, and the answer of a metric that follows from it."""

from decimal import Decimal, localcontext
from typing import Final, NamedTuple

from tenor.catalog.model import Aggregation
from tenor.kernel.money import EXACT
from tenor.metering.model import Metric
from tenor.metering.rules.aggregate import Aggregate, Terms
from tenor.metering.rules.folds import round_units

_ZERO: Final = Decimal(0)


class Totals(NamedTuple):
    """What the events of any stretch of time come to; every number but the counts is None when there are none.

    `active_count`: of the values that a unique count tells apart, those whose last event does not take them out.
    """

    event_count: int
    total: Decimal | None
    highest: Decimal | None
    lowest: Decimal | None
    latest: Decimal | None
    active_count: int


NOTHING: Final = Totals(0, None, None, None, None, 0)


def follows_from_totals(metric: Metric) -> bool:
    """Whether `metric` follows from totals: it depends on no event's distance from the ends of the span."""
    return not metric.prorated and metric.aggregation is not Aggregation.WEIGHTED_SUM


def answer(everything: Totals, inside: Totals, metric: Metric, terms: Terms) -> Aggregate:
    """Return what `aggregate` gives for the same events.

    `inside` are the events of the span, `everything` those and what carries over from before it; the same
    where nothing does. Exact but for the metric's own rounding.
    """
    counted = everything if metric.is_additive else inside
    if not everything.event_count:
        return Aggregate(_ZERO if terms.policy.no_events == "zero" else None, 0)
    value = _value(everything, metric.aggregation)
    if metric.aggregation is Aggregation.LATEST and terms.policy.latest_negative == "zero":
        value = max(value, _ZERO)
    if metric.rounding is not None:
        value = round_units(value, metric.rounding)
    return Aggregate(value, counted.event_count)


def _value(totals: Totals, aggregation: Aggregation) -> Decimal:
    match aggregation:
        case Aggregation.COUNT:
            return Decimal(totals.event_count)
        case Aggregation.UNIQUE_COUNT:
            return Decimal(totals.active_count)
        case Aggregation.AVG:
            with localcontext(EXACT):
                return _known(totals.total) / totals.event_count
        case Aggregation.SUM | Aggregation.WEIGHTED_SUM:
            return _known(totals.total)
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
