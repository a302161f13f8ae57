"""What was used: the numbers of many windows at once, wherever the tenant's events are kept."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from tenor.catalog import Filter, metrics_by_code
from tenor.catalog.rules import parse_expression
from tenor.kernel.errors import NotFound
from tenor.kernel.ids import CustomerId, SubscriptionId
from tenor.kernel.period import EARLIEST, Period
from tenor.metering.home import store_of
from tenor.metering.model import DimensionValues, Metric, Part, Span, UsageWindow
from tenor.metering.rules.aggregate import Aggregate, Terms, aggregate, answer, carries_over, used_span
from tenor.metering.rules.folds import Readings
from tenor.metering.rules.readings import Reading
from tenor.metering.rules.totals import NOTHING, Totals, answer_from_totals, needs_each_event, readings_left
from tenor.metering.rules.windows import days_within
from tenor.metering.store.arrivals import Arrival, Before, EventName
from tenor.metering.store.spans import Asked
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing.policy import MeteringPolicy, Rounding


def find_metrics(uow: UnitOfWork, codes: Collection[str] | None = None) -> dict[str, Metric]:
    """Return the tenant's metrics by code; those of `codes` only, where given. Unknown ones are left out."""
    return {
        code: Metric(
            code,
            metric.aggregation,
            metric.field,
            recurring=metric.recurring,
            prorated=metric.prorated,
            rounding=None if metric.rounding is None else Rounding(*metric.rounding, place="total"),
            expression=None if metric.expression is None else parse_expression(metric.expression),
        )
        for code, metric in metrics_by_code(uow).items()
        if codes is None or code in codes
    }


def usage_totals(
    uow: UnitOfWork, windows: Sequence[UsageWindow], terms: Terms, *, from_events: bool = False
) -> list[dict[Part, Aggregate]]:
    """Return for each window its numbers by the values of its dimensions, in the order of `windows`.

    A window without dimensions has exactly one number, under (). With dimensions there is one for each
    combination of values and each pool that was used, and none where nothing was used.
    Whole hours (UTC) come from the running aggregates and the rest from the events, all of it with `from_events`:
    whoever proves a number must not take it from where it came from. What carries over from before a window is
    its hours, never its events. Two statements at most, however many windows. Exact.
    """
    if not windows:
        return []
    spans = [used_span(window.span, terms.policy) for window in windows]
    asked = [part for index, window in enumerate(windows) for part in _asked_totals(index, window, spans[index], terms)]
    by_event = [
        Asked((index, spans[index].period), window, spans[index].period, spans[index].period)
        for index, window in enumerate(windows)
        if window.metric.prorated and needs_each_event(window.metric, terms)
    ]
    used: list[dict[Part, _Used]] = [{} for _ in windows]
    store = store_of(uow)
    for (index, period), values, totals in store.totals(uow, asked, from_events=from_events):
        used[index].setdefault(values, _Used({}, [])).totals[period] = totals
    for (index, _), values, reading in store.readings(uow, by_event):
        used[index].setdefault(values, _Used({}, [])).readings.append(reading)
    found: list[dict[Part, Aggregate]] = []
    for window, span, parts in zip(windows, spans, used, strict=True):
        numbers = {values: _answer(part, window.metric, span, terms) for values, part in parts.items()}
        if not window.dimensions and not numbers:
            numbers[()] = aggregate((), window.metric, span, terms)
        found.append(numbers)
    return found


def current_usage(
    uow: UnitOfWork,
    customer_id: CustomerId,
    metric_code: str,
    period: Period,
    *,
    dimensions: tuple[str, ...] = (),
    conditions: Filter = (),
    subscription_id: SubscriptionId | None = None,
    zone: tzinfo = UTC,
    policy: MeteringPolicy,
) -> dict[DimensionValues, Aggregate]:
    """Return what a customer has used of a metric in `period`, which may still be running: see `usage_totals`.

    Raises:
        NotFound: there is none of this code.
    """
    metric = find_metrics(uow, {metric_code}).get(metric_code)
    if metric is None:
        raise NotFound(f"there is no metric {metric_code!r}")
    window = UsageWindow(customer_id, metric, Span(period, zone), subscription_id, dimensions, conditions)
    (numbers,) = usage_totals(uow, [window], Terms(policy))
    return {part: number for part, number in numbers.items() if isinstance(part, tuple)}


def usage_values(uow: UnitOfWork, windows: Sequence[UsageWindow], terms: Terms) -> list[list[Decimal]]:
    """Return for each window what each of its events measured, in the order in which they happened.

    For charges that price every event by itself; one statement, however many windows.
    """
    if not windows:
        return []
    periods = [used_span(window.span, terms.policy).period for window in windows]
    asked = [
        Asked((index, period), window, period, period)
        for index, (window, period) in enumerate(zip(windows, periods, strict=True))
    ]
    found = store_of(uow).values(uow, asked)
    return [found.get(one.slot, []) for one in asked]


def arrivals(uow: UnitOfWork, wanted: Sequence[Before], *, recorded_at: datetime) -> list[Arrival]:
    """Return the events that `uow` itself took at an instant, of times before those wanted, and that still count.

    What was corrected or cancelled is left out, and so is what counts in the place of another event.
    """
    return store_of(uow).arrivals(uow, wanted, recorded_at=recorded_at)


def event_names(uow: UnitOfWork, rows: Mapping[UUID, datetime]) -> Mapping[UUID, EventName]:
    """Return what the senders call the events of these rows, given with their times of use; two statements."""
    return store_of(uow).names(uow, rows)


class _Used(NamedTuple):
    """What was used in a window under one combination of values: totals by period, or each event inside it."""

    totals: dict[Period, Totals]
    readings: list[Reading]


def _asked_totals(index: int, window: UsageWindow, span: Span, terms: Terms) -> Iterator[Asked]:
    """Yield what has to be known of a window: all of it at once; of a prorated metric what carries over and each day.

    What carries over counts from the start of the span on.
    """
    metric, served = window.metric, span.period
    before = Period(EARLIEST, served.start)
    if not metric.prorated:
        yield Asked((index, served), window, served, served)
        if carries_over(metric, terms.policy):
            yield Asked((index, served), window, before, served)
        return
    if metric.recurring:
        yield Asked((index, before), window, before, before, names_keys=True)
    if not needs_each_event(metric, terms):
        for day in days_within(served, span.zone):
            yield Asked((index, day), window, day, day)


def _answer(used: _Used, metric: Metric, span: Span, terms: Terms) -> Aggregate:
    if not metric.prorated:
        return answer_from_totals(used.totals[span.period], metric, span, terms)
    before = Period(EARLIEST, span.period.start)
    carried = used.totals.get(before, NOTHING)
    days = {period: totals for period, totals in sorted(used.totals.items()) if period != before}
    inside = used.readings or [left for day, totals in days.items() for left in readings_left(totals, metric, day)]
    count = carried.event_count + len(used.readings) + sum(totals.event_count for totals in days.values())
    readings = Readings(readings_left(carried, metric, span.period), inside)
    return answer(readings, metric, span, terms, event_count=count)
