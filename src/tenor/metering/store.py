"""Usage events in PostgreSQL: explicit SQL, always for many at once."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from typing import Final, LiteralString, NamedTuple

from psycopg import sql
from psycopg.types.json import Jsonb

from tenor.catalog import metrics_by_code
from tenor.catalog.model import Aggregation
from tenor.kernel.ids import CustomerId, SubscriptionId, derived_id
from tenor.kernel.money import EXACT
from tenor.kernel.period import EARLIEST, Period
from tenor.metering.model import Metric, Span, UsageEvent
from tenor.metering.rules.acceptance import content_hash, stored_properties
from tenor.metering.rules.aggregate import Aggregate, Terms, aggregate, carries_over, used_span
from tenor.metering.rules.readings import OPERATION
from tenor.platform.partitions import prepare_partitions
from tenor.platform.unit_of_work import Row, UnitOfWork

_STAGE_COLUMNS: Final = (
    ("position", "integer"),
    ("source", "text"),
    ("event_id", "text"),
    ("content_hash", "bytea"),
    ("id", "uuid"),
    ("customer_id", "uuid"),
    ("subscription_id", "uuid"),
    ("metric_code", "text"),
    ("occurred_at", "timestamptz"),
    ("value", "numeric"),
    ("properties", "jsonb"),
    ("recorded_at", "timestamptz"),
)

_IN_SQL: Final = frozenset({Aggregation.COUNT, Aggregation.SUM, Aggregation.MAX, Aggregation.MIN, Aggregation.AVG})
"""Aggregations that the database computes; the others depend on the order of events and are folded here."""


DimensionValues = tuple[str, ...]
"""The values of a window's dimensions, in their order; "" stands for an absent property."""


class AcceptedEvent(NamedTuple):
    """An event that may be kept: its place in the batch, whose it is, and the number that it measures."""

    position: int
    event: UsageEvent
    customer_id: CustomerId
    value: Decimal
    recorded_at: datetime


class WrittenEvents(NamedTuple):
    """Positions in the batch: those now kept, those that were kept before, and those that contradict what is kept."""

    fresh: frozenset[int]
    duplicates: tuple[int, ...]
    conflicts: tuple[int, ...]


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


def write_events(uow: UnitOfWork, accepted: Sequence[AcceptedEvent]) -> WrittenEvents:
    """Keep those events whose (source, event id) was never taken before, and say what became of the others.

    Of several in one batch the first counts. Makes the partitions that the batch needs.
    """
    if not accepted:
        return WrittenEvents(frozenset(), (), ())
    instants = [entry.event.occurred_at for entry in accepted]
    prepare_partitions(uow, "usage_events", Period(min(instants), max(instants) + timedelta(microseconds=1)))
    with uow.staged("usage_events", _STAGE_COLUMNS, map(_stage_row, accepted)) as stage:
        fresh = frozenset(
            position for (position,) in uow.fetch_all(_WRITE.format(stage=stage), {"tenant": uow.tenant_id})
        )
        if len(fresh) == len(accepted):
            return WrittenEvents(fresh, (), ())
        known = uow.fetch_all(_COMPARE.format(stage=stage))
    old = [(position, is_same) for position, is_same in known if position not in fresh]
    return WrittenEvents(
        fresh,
        duplicates=tuple(position for position, is_same in old if is_same),
        conflicts=tuple(position for position, is_same in old if not is_same),
    )


# The guard is written first, in the order of its key, so that two batches that share events wait for each
# other instead of deadlocking; only what it lets through becomes an event, in the order of the batch.
_WRITE: Final = sql.SQL("""
    with first_sent as (
        select distinct on (source, event_id) * from {stage} order by source, event_id, position
    ), new_keys as (
        insert into usage_event_keys (tenant_id, source, event_id, content_hash, occurred_at)
        select %(tenant)s, source, event_id, content_hash, occurred_at from first_sent order by source, event_id
        on conflict do nothing
        returning source, event_id
    ), fresh as (
        select first_sent.* from first_sent join new_keys using (source, event_id)
    ), written as (
        insert into usage_events (tenant_id, id, source, event_id, customer_id, subscription_id, metric_code,
                                  occurred_at, value, properties, recorded_at)
        select %(tenant)s, id, source, event_id, customer_id, subscription_id, metric_code,
               occurred_at, value, properties, recorded_at
        from fresh order by position
    )
    select position from fresh
""")

# A statement of its own: it must also see what another transaction committed while the first one waited.
_COMPARE: Final = sql.SQL("""
    select stage.position, stage.content_hash = key.content_hash
    from {stage} stage join usage_event_keys key using (source, event_id)
    order by stage.position
""")


def _stage_row(entry: AcceptedEvent) -> tuple[object, ...]:
    event = entry.event
    return (
        entry.position,
        event.source,
        event.event_id,
        content_hash(event),
        derived_id(event.occurred_at, event.source.encode(), event.event_id.encode()),
        entry.customer_id,
        event.subscription_id,
        event.metric_code,
        event.occurred_at,
        entry.value,
        stored_properties(event.properties),
        entry.recorded_at,
    )


def usage_totals(
    uow: UnitOfWork, windows: Sequence[UsageWindow], terms: Terms
) -> list[dict[DimensionValues, Aggregate]]:
    """Return for each window its numbers by the values of its dimensions, in the order of `windows`.

    A window without dimensions has exactly one number, under (). With dimensions there is one for each
    combination of values that was used, and none where nothing was used.
    Two statements in all, however many windows: totals that the database adds up, and the events of
    windows whose aggregation depends on their order or on earlier periods. Exact.
    """
    found: list[dict[DimensionValues, Aggregate]] = [{} for _ in windows]
    summed = {index for index, window in enumerate(windows) if _is_summed(window.metric)}
    for index, values, count, *numbers in _fetch(uow, _TOTALS, windows, summed, terms):
        value = _value_of(windows[index].metric.aggregation, count, *numbers)
        found[index][tuple(values)] = Aggregate(value, count)
    events: defaultdict[tuple[int, DimensionValues], list[UsageEvent]] = defaultdict(list)
    folded = set(range(len(windows))) - summed
    for index, values, occurred_at, text, operation in _fetch(uow, _EVENTS, windows, folded, terms):
        properties = {windows[index].metric.field or "": text, OPERATION: operation}
        events[index, tuple(values)].append(UsageEvent("", occurred_at, properties))
    for (index, values), used in events.items():
        found[index][values] = aggregate(used, windows[index].metric, windows[index].span, terms)
    for window, totals in zip(windows, found, strict=True):
        if not window.dimensions and not totals:
            totals[()] = aggregate((), window.metric, window.span, terms)
    return found


def usage_values(uow: UnitOfWork, windows: Sequence[UsageWindow], terms: Terms) -> list[list[Decimal]]:
    """Return for each window what each of its events measured, in the order in which they happened.

    For charges that price every event by itself; one statement, however many windows.
    """
    found: list[list[Decimal]] = [[] for _ in windows]
    for index, values in _fetch(uow, _EACH, windows, range(len(windows)), terms):
        found[index] = values
    return found


# Each window is looked up on its own (lateral), because it must be the index that finds its events also while a
# new partition has no statistics yet: a join of all events with all windows was a hundred times slower then.
# The bounds over all windows are given once more as constants: with them the planner leaves out partitions.
# Windows with dimensions are read apart, because the others are answered from the index alone.
_WINDOWS: Final = """
    with windows as materialized (
        select * from unnest(
            %(indexes)s::integer[], %(customers)s::uuid[], %(subscriptions)s::uuid[], %(metrics)s::text[],
            %(fields)s::text[], %(dimensions)s::jsonb[], %(starts)s::timestamptz[], %(ends)s::timestamptz[]
        ) as w (index, customer_id, subscription_id, metric_code, field, dimensions, starts_at, ends_at)
    )
"""
_USED: Final = """
    from usage_events e
    where e.customer_id = w.customer_id and e.metric_code = w.metric_code
      and e.occurred_at >= w.starts_at and e.occurred_at < w.ends_at
      and e.occurred_at >= %(earliest)s and e.occurred_at < %(latest)s
      and (e.subscription_id = w.subscription_id or e.subscription_id is null or w.subscription_id is null)
"""
_NUMBERS: Final = "count(*), sum(e.value), max(e.value), min(e.value)"
_VALUES: Final = """array(
        select coalesce(e.properties ->> name, '')
        from jsonb_array_elements_text(w.dimensions) with ordinality as asked (name, place) order by place
    )"""
_TOTALS: Final = f"""
    {_WINDOWS}
    select w.index, '{{}}'::text[], used.* from windows w cross join lateral (
        select {_NUMBERS} {_USED} having count(*) > 0
    ) used where w.dimensions is null
    union all
    select w.index, used.* from windows w cross join lateral (
        select {_VALUES}, {_NUMBERS} {_USED} group by 1
    ) used where w.dimensions is not null
"""
_EVENTS: Final = f"""
    {_WINDOWS}
    select w.index, used.* from windows w cross join lateral (
        select {_VALUES}, e.occurred_at, e.properties ->> w.field, e.properties ->> '{OPERATION}'
        {_USED} order by e.occurred_at, e.ordinal
    ) used
"""

_EACH: Final = f"""
    {_WINDOWS}
    select w.index, array(select e.value {_USED} order by e.occurred_at, e.ordinal) from windows w
"""


def _fetch(
    uow: UnitOfWork, statement: LiteralString, windows: Sequence[UsageWindow], indexes: Collection[int], terms: Terms
) -> Iterable[Row]:
    """Run `statement` over the windows with these indexes; nothing is asked when there are none."""
    if not indexes:
        return ()
    asked = [(index, windows[index]) for index in sorted(indexes)]
    periods = [_read_period(window, terms) for _, window in asked]
    return uow.fetch_all(
        statement,
        {
            "indexes": [index for index, _ in asked],
            "customers": [window.customer_id for _, window in asked],
            "subscriptions": [window.subscription_id for _, window in asked],
            "metrics": [window.metric.code for _, window in asked],
            "fields": [window.metric.field for _, window in asked],
            "dimensions": [Jsonb(window.dimensions) if window.dimensions else None for _, window in asked],
            "starts": [period.start for period in periods],
            "ends": [period.end for period in periods],
            "earliest": min(period.start for period in periods),
            "latest": max(period.end for period in periods),
        },
    )


def _is_summed(metric: Metric) -> bool:
    """Whether the database may add up the metric's events: each counts whole, and only in its own period."""
    return metric.aggregation in _IN_SQL and not (metric.recurring or metric.prorated or metric.rounding)


def _read_period(window: UsageWindow, terms: Terms) -> Period:
    """Return the time whose events bear on the window: all before it too, where usage carries over."""
    period = used_span(window.span, terms.policy).period
    return Period(EARLIEST, period.end) if carries_over(window.metric, terms.policy) else period


def _value_of(aggregation: Aggregation, count: int, total: Decimal, highest: Decimal, lowest: Decimal) -> Decimal:
    match aggregation:
        case Aggregation.COUNT:
            return Decimal(count)
        case Aggregation.MAX:
            return highest
        case Aggregation.MIN:
            return lowest
        case Aggregation.AVG:
            with localcontext(EXACT):
                return total / count
        case _:
            return total
