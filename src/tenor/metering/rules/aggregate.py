"""Aggregate: events of one question in, its answer out, under one metering policy."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Final, NamedTuple

from tenor.catalog.model import Aggregation
from tenor.kernel.money import EXACT, RoundingMode
from tenor.kernel.period import Period
from tenor.metering.model import Metric, Span, UsageEvent
from tenor.metering.rules.folds import (
    Readings,
    fold,
    fold_prorated,
    fold_weighted,
    per_event_units,
    round_units,
)
from tenor.metering.rules.readings import Reading, property_text, valid_readings
from tenor.metering.rules.windows import Unit, whole_units, windows
from tenor.pricing.policy import MeteringPolicy, Rounding

UNROUNDED: Final = Rounding(RoundingMode.NONE)
_ZERO: Final = Decimal(0)

Dimensions = tuple[tuple[str, str | None], ...]
"""Property names with their texts, in the order asked for: the key of a group."""


class Aggregate(NamedTuple):
    """One number and how many events stand behind it; `value` None: no row, for nothing was measured."""

    value: Decimal | None
    event_count: int


class Terms(NamedTuple):
    """How the answer is taken: the policy, the rounding of prorated units, the level before all events."""

    policy: MeteringPolicy
    units_rounding: Rounding = UNROUNDED
    opening_level: Decimal = _ZERO


def aggregate(events: Iterable[UsageEvent], metric: Metric, span: Span, terms: Terms) -> Aggregate:
    """Return what `events` come to for `metric` over `span`.

    `events` are those the question is about, deduplicated, of any time and in the order of storage:
    those inside count, and of the earlier ones those that carry over. Exact but for the roundings of
    the metric and of `terms`.
    """
    return _answer(valid_readings(events, metric), metric, used_span(span, terms.policy), terms)


def aggregate_groups(
    events: Iterable[UsageEvent], metric: Metric, span: Span, terms: Terms, *, group_by: Sequence[str]
) -> dict[Dimensions, Aggregate]:
    """Return one aggregate for each combination of the properties `group_by` that holds a usable event.

    When there is none the policy decides: one row of zero with every property missing, or no row.
    """
    missing = None if terms.policy.missing_dimension == "null" else ""
    members: dict[Dimensions, list[UsageEvent]] = {}
    for event in events:
        members.setdefault(_dimensions(event, group_by, missing), []).append(event)
    rows_only = terms._replace(policy=replace(terms.policy, no_events="no_row"))
    answers = {key: aggregate(group, metric, span, rows_only) for key, group in members.items()}
    rows = {key: answer for key, answer in answers.items() if answer.value is not None}
    if not rows and terms.policy.no_events == "zero":
        return {tuple((name, missing) for name in group_by): Aggregate(_ZERO, 0)}
    return rows


def aggregate_windows(
    events: Iterable[UsageEvent], metric: Metric, span: Span, terms: Terms, *, window: Unit
) -> list[tuple[Period, Aggregate]]:
    """Return one aggregate for each local minute, hour or day of `span`, in order.

    Each window is aggregated as a period of its own. Windows without a usable event are left out, or
    are zero, as the policy says.
    """
    readings = valid_readings(events, metric)
    rows_only = terms._replace(policy=replace(terms.policy, no_events="no_row"))
    rows = []
    for period in windows(used_span(span, terms.policy, window=window).period, window, span.zone):
        answer = _answer(readings, metric, replace(span, period=period), rows_only)
        if answer.value is not None:
            rows.append((period, answer))
        elif terms.policy.empty_windows == "zero":
            rows.append((period, Aggregate(_ZERO, 0)))
    return rows


def per_event(events: Iterable[UsageEvent], metric: Metric, span: Span, terms: Terms) -> list[Decimal]:
    """Return the units of each event, in order of time: prorated where the metric is, else as measured."""
    span = used_span(span, terms.policy)
    readings = readings_of(valid_readings(events, metric), metric, span.period, terms.policy)
    if not metric.prorated:
        return [reading.amount for reading in readings.all()]
    with localcontext(EXACT):
        return per_event_units(readings, metric.aggregation, span, units_rounding=terms.units_rounding)


def used_span(span: Span, policy: MeteringPolicy, *, window: Unit | None = None) -> Span:
    """Return `span` with its ends moved to whole windows, or to whole units of the policy's resolution."""
    if window is None:
        if policy.time_resolution == "exact":
            return span
        window = policy.time_resolution
    return replace(span, period=whole_units(span.period, window, span.zone, partial=policy.partial_windows))


def readings_of(readings: Sequence[Reading], metric: Metric, period: Period, policy: MeteringPolicy) -> Readings:
    """Return those of `readings` (in order of time) that `period` holds, and those that carry over into it."""
    first, end = (bisect_left(readings, instant, key=_at) for instant in period)
    carried = readings[:first] if carries_over(metric, policy) else ()
    return Readings(carried, inside=readings[first:end])


def carries_over(metric: Metric, policy: MeteringPolicy) -> bool:
    """Whether events before a period bear on it."""
    return metric.recurring or (metric.aggregation is Aggregation.LATEST and bool(policy.carry_over))


def answer(readings: Readings, metric: Metric, span: Span, terms: Terms, *, event_count: int) -> Aggregate:
    """Return what the readings of `span`, and those carried over into it, come to: see `aggregate`.

    `event_count` is of the events that stand behind them.
    """
    with localcontext(EXACT):
        value = _fold(readings, metric, span, terms)
    return finish(value, event_count, metric, terms)


def finish(value: Decimal | None, event_count: int, metric: Metric, terms: Terms) -> Aggregate:
    """Return the answer that an exact value gives; None where nothing was measured."""
    if value is None:
        return Aggregate(_ZERO if terms.policy.no_events == "zero" else None, event_count)
    if metric.aggregation is Aggregation.LATEST and terms.policy.latest_negative == "zero":
        value = max(value, _ZERO)
    if metric.rounding is not None:
        value = round_units(value, metric.rounding)
    return Aggregate(value, event_count)


def _answer(readings: Sequence[Reading], metric: Metric, span: Span, terms: Terms) -> Aggregate:
    used = readings_of(readings, metric, span.period, terms.policy)
    # What carries over into a sum is counted with it; a level or a last reading was counted in its own time.
    counted = used.all() if metric.is_additive else used.inside
    return answer(used, metric, span, terms, event_count=len(counted))


def _fold(readings: Readings, metric: Metric, span: Span, terms: Terms) -> Decimal | None:
    if metric.aggregation is Aggregation.WEIGHTED_SUM:
        return fold_weighted(readings, span, opening_level=terms.opening_level)
    if metric.prorated:
        return fold_prorated(readings, metric.aggregation, span, units_rounding=terms.units_rounding)
    return fold(readings, metric.aggregation)


def _dimensions(event: UsageEvent, group_by: Sequence[str], missing: str | None) -> Dimensions:
    texts = ((name, property_text(event.properties.get(name))) for name in group_by)
    return tuple((name, missing if text is None else text) for name, text in texts)


def _at(reading: Reading) -> datetime:
    return reading.at
