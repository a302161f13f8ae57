"""What was used: totals from the running aggregates and the events at the ragged ends, many windows at once."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, tzinfo
from decimal import Decimal
from typing import Final, LiteralString, NamedTuple

from psycopg.types.json import Jsonb

from tenor.catalog import metrics_by_code
from tenor.kernel.errors import NotFound
from tenor.kernel.ids import CustomerId, SubscriptionId
from tenor.kernel.period import EARLIEST, Period
from tenor.metering.model import Metric, Span, UsageEvent
from tenor.metering.rules.aggregate import Aggregate, Terms, aggregate, carries_over, used_span
from tenor.metering.rules.readings import OPERATION
from tenor.metering.rules.totals import NOTHING, Totals, answer, follows_from_totals
from tenor.metering.store.hours import DIMENSION_VALUES, KEY, LATEST, STANDING
from tenor.platform.unit_of_work import Row, UnitOfWork
from tenor.pricing.policy import MeteringPolicy

DimensionValues = tuple[str, ...]
"""The values of a window's dimensions, in their order; "" stands for an absent property."""


class UsageWindow(NamedTuple):
    """One number asked for: a metric of one customer over a span.

    With `subscription_id`, usage that names another subscription is left out; usage that names none
    counts. With `dimensions`, properties of the events, there is one number for each combination of values.
    """

    customer_id: CustomerId
    metric: Metric
    span: Span
    subscription_id: SubscriptionId | None = None
    dimensions: tuple[str, ...] = ()


def find_metrics(uow: UnitOfWork, codes: Collection[str] | None = None) -> dict[str, Metric]:
    """Return the tenant's metrics by code; those of `codes` only, where given. Unknown ones are left out."""
    return {
        code: Metric(code, metric.aggregation, metric.field)
        for code, metric in metrics_by_code(uow).items()
        if codes is None or code in codes
    }


def usage_totals(
    uow: UnitOfWork, windows: Sequence[UsageWindow], terms: Terms, *, from_events: bool = False
) -> list[dict[DimensionValues, Aggregate]]:
    """Return for each window its numbers by the values of its dimensions, in the order of `windows`.

    A window without dimensions has exactly one number, under (). With dimensions there is one for each
    combination of values that was used, and none where nothing was used.
    Whole hours (UTC) come from the running aggregates and the rest from the events, all of it with `from_events`:
    whoever proves a number must not take it from where it came from. Three statements at most, however many
    windows. Exact.
    """
    found: list[dict[DimensionValues, Aggregate]] = [{} for _ in windows]
    inside = {index: used_span(window.span, terms.policy).period for index, window in enumerate(windows)}
    everything = {
        index: Period(EARLIEST, period.end) if carries_over(windows[index].metric, terms.policy) else period
        for index, period in inside.items()
    }
    added = {index for index, window in enumerate(windows) if follows_from_totals(window.metric)}
    carried = {index for index in added if everything[index] != inside[index]}
    totals = _totals(uow, windows, {index: everything[index] for index in added}, from_events=from_events)
    within = _totals(uow, windows, {index: inside[index] for index in carried}, from_events=from_events)
    for (index, values), all_of_it in totals.items():
        part = within.get((index, values), NOTHING) if index in carried else all_of_it
        found[index][values] = answer(all_of_it, part, windows[index].metric, terms)
    folded = {index: everything[index] for index in inside if index not in added}
    for (index, values), used in _events(uow, windows, folded).items():
        found[index][values] = aggregate(used, windows[index].metric, windows[index].span, terms)
    for window, numbers in zip(windows, found, strict=True):
        if not window.dimensions and not numbers:
            numbers[()] = aggregate((), window.metric, window.span, terms)
    return found


def current_usage(
    uow: UnitOfWork,
    customer_id: CustomerId,
    metric_code: str,
    period: Period,
    *,
    dimensions: tuple[str, ...] = (),
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
    window = UsageWindow(customer_id, metric, Span(period, zone), subscription_id, dimensions)
    (numbers,) = usage_totals(uow, [window], Terms(policy))
    return numbers


def usage_values(uow: UnitOfWork, windows: Sequence[UsageWindow], terms: Terms) -> list[list[Decimal]]:
    """Return for each window what each of its events measured, in the order in which they happened.

    For charges that price every event by itself; one statement, however many windows.
    """
    found: list[list[Decimal]] = [[] for _ in windows]
    periods = {index: used_span(window.span, terms.policy).period for index, window in enumerate(windows)}
    for index, values in _fetch(uow, _EACH, windows, periods):
        found[index] = values
    return found


_Key = tuple[int, DimensionValues]


def _totals(
    uow: UnitOfWork, windows: Sequence[UsageWindow], periods: Mapping[int, Period], *, from_events: bool
) -> dict[_Key, Totals]:
    rows = _fetch(uow, _TOTALS, windows, periods, from_events=from_events)
    return {(index, tuple(values)): Totals(*numbers) for index, values, *numbers in rows}


def _events(
    uow: UnitOfWork, windows: Sequence[UsageWindow], periods: Mapping[int, Period]
) -> dict[_Key, list[UsageEvent]]:
    found: defaultdict[_Key, list[UsageEvent]] = defaultdict(list)
    for index, values, occurred_at, text, operation in _fetch(uow, _EVENTS, windows, periods):
        properties = {windows[index].metric.field or "": text, OPERATION: operation}
        found[index, tuple(values)].append(UsageEvent("", occurred_at, properties))
    return found


# Each window is looked up on its own (lateral), because it must be the index that finds its events also while a
# new partition has no statistics yet: a join of all events with all windows was a hundred times slower then.
# The bounds over all windows are given once more as constants: with them the planner leaves out partitions.
_WINDOWS: Final = """
    windows as materialized (
        select w.*, array(
            select name from jsonb_array_elements_text(w.names) with ordinality as d (name, place) order by place
        ) as dimensions
        from unnest(
            %(indexes)s::integer[], %(customers)s::uuid[], %(subscriptions)s::uuid[], %(metrics)s::text[],
            %(fields)s::text[], %(dimensions)s::jsonb[], %(starts)s::timestamptz[], %(ends)s::timestamptz[]
        ) as w (index, customer_id, subscription_id, metric_code, field, names, starts_at, ends_at)
    )
"""
_USED: Final = f"""
    from usage_events e
    where e.customer_id = w.customer_id and e.metric_code = w.metric_code
      and e.occurred_at >= w.starts_at and e.occurred_at < w.ends_at
      and e.occurred_at >= %(earliest)s and e.occurred_at < %(latest)s
      and (e.subscription_id = w.subscription_id or e.subscription_id is null or w.subscription_id is null)
      and {STANDING}
"""

# The whole hours of a window are empty when it holds none, or where its breakdown is not kept; then the first of its
# two ends is empty too, and the second one is all of it.
_TOTALS: Final = f"""
    with {_WINDOWS},
    cut as materialized (
        select w.*, case when is_kept then first_hour else starts_at end as whole_start,
               case when is_kept then last_hour else starts_at end as whole_end
        from (
            select w.*, first_hour, last_hour, not %(from_events)s and first_hour < last_hour and exists (
                select from usage_breakdowns b where b.metric_code = w.metric_code and b.dimensions = w.dimensions
            ) as is_kept
            from windows w cross join lateral (
                select date_bin('1 hour', starts_at + interval '1 hour - 1 microsecond', '1970-01-01 00:00:00+00'),
                       date_bin('1 hour', ends_at, '1970-01-01 00:00:00+00')
            ) as hours (first_hour, last_hour)
        ) w
    ),
    parts as (
        select c.index, s.dimension_values, h.key, h.event_count, h.total, h.highest, h.lowest, h.latest
        from cut c
        join usage_series s on s.customer_id = c.customer_id and s.metric_code = c.metric_code
            and s.dimensions = c.dimensions
            and (s.subscription_id = c.subscription_id or s.subscription_id is null or c.subscription_id is null)
        cross join lateral (
            select * from usage_hours h
            where h.series_id = s.id and h.hour >= c.whole_start and h.hour < c.whole_end and h.event_count > 0
        ) h
        union all
        select w.index, e.* from (
            select index, customer_id, subscription_id, metric_code, dimensions, starts_at, whole_start as ends_at
            from cut where starts_at < whole_start
            union all
            select index, customer_id, subscription_id, metric_code, dimensions, whole_end, ends_at
            from cut where whole_end < ends_at
        ) w join metrics m on m.code = w.metric_code cross join lateral (
            select {DIMENSION_VALUES}, case m.aggregation when 'unique_count' then {KEY} else '' end,
                   1, e.value, e.value, e.value, {LATEST}
            {_USED}
        ) e
    ),
    by_key as (
        select index, dimension_values, key, sum(event_count) as event_count, sum(total) as total,
               max(highest) as highest, min(lowest) as lowest, max(latest) as latest
        from parts group by index, dimension_values, key
    )
    select index, dimension_values, sum(event_count)::bigint, sum(total), max(highest), min(lowest),
           (max(latest))[3], count(*) filter (where latest[4] = 0)
    from by_key group by index, dimension_values
"""
_EVENTS: Final = f"""
    with {_WINDOWS}
    select w.index, used.* from windows w cross join lateral (
        select {DIMENSION_VALUES}, e.occurred_at, e.properties ->> w.field, e.properties ->> '{OPERATION}'
        {_USED} order by e.occurred_at, e.ordinal
    ) used
"""

_EACH: Final = f"""
    with {_WINDOWS}
    select w.index, array(select e.value {_USED} order by e.occurred_at, e.ordinal) from windows w
"""


def _fetch(
    uow: UnitOfWork,
    statement: LiteralString,
    windows: Sequence[UsageWindow],
    periods: Mapping[int, Period],
    *,
    from_events: bool = False,
) -> Iterable[Row]:
    """Run `statement` over the windows of these indexes and periods; nothing is asked when there are none."""
    if not periods:
        return ()
    asked = [windows[index] for index in periods]
    return uow.fetch_all(
        statement,
        {
            "indexes": list(periods),
            "customers": [window.customer_id for window in asked],
            "subscriptions": [window.subscription_id for window in asked],
            "metrics": [window.metric.code for window in asked],
            "fields": [window.metric.field for window in asked],
            "dimensions": [Jsonb(window.dimensions) for window in asked],
            "starts": [period.start for period in periods.values()],
            "ends": [period.end for period in periods.values()],
            "earliest": min(period.start for period in periods.values()),
            "latest": max(period.end for period in periods.values()),
            "from_events": from_events,
        },
    )
