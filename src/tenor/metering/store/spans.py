"""Usage of many spans at once, in one statement each: what it comes to, or each event of it."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final, LiteralString, NamedTuple

from psycopg.types.json import Jsonb

from tenor.catalog.model import Filter
from tenor.kernel.period import Period
from tenor.metering.model import Part, UsageWindow
from tenor.metering.rules.readings import OPERATION, Reading
from tenor.metering.rules.totals import Totals
from tenor.metering.store.hours import CARRIES, DIMENSION_VALUES, KEY, LATEST, MONTH, STANDING
from tenor.platform.unit_of_work import Row, UnitOfWork

Slot = tuple[int, Period]
"""What numbers are asked for under: a window's place among others, and a period of it."""


class Asked(NamedTuple):
    """The events of `period` that a window is about; all that share a `slot` are taken together.

    `served` is the span in which they count: a value of before it is there from its start on. With `names_keys` the
    values that a unique count leaves are named, not only counted.
    """

    slot: Slot
    window: UsageWindow
    period: Period
    served: Period
    names_keys: bool = False


def totals_of(uow: UnitOfWork, asked: Sequence[Asked], *, from_events: bool) -> Iterator[tuple[Slot, Part, Totals]]:
    """Yield what each slot comes to; whole hours (UTC) from the running aggregates unless it is to be `from_events`.

    A slot in which nothing was used is left out.
    """
    for slot, pool, values, *numbers, keys, area in _fetch(uow, _TOTALS, asked, from_events=from_events):
        yield slot, tuple(values) if pool is None else pool, Totals._make((*numbers, tuple(keys), area))


def readings_of(uow: UnitOfWork, asked: Sequence[Asked]) -> Iterator[tuple[Slot, Part, Reading]]:
    """Yield what each event of each slot says, those of a slot in the order in which they happened."""
    for slot, pool, values, *reading in _fetch(uow, _READINGS, asked):
        yield slot, tuple(values) if pool is None else pool, Reading(*reading)


def values_of(uow: UnitOfWork, asked: Sequence[Asked]) -> dict[Slot, list[Decimal]]:
    """Return what each event of each slot measured, in the order in which they happened."""
    return dict(_fetch(uow, _VALUES, asked))


def _placed(conditions: Filter, window: UsageWindow) -> list[dict[str, object]]:
    """Return the conditions of a filter, each with the place (from 1) of its property among what is kept apart."""
    places = {name: place for place, name in enumerate(window.kept_dimensions, 1)}
    return [{"place": places[name], "texts": values, "excludes": excludes} for name, values, excludes in conditions]


# Each span is looked up on its own (lateral), because it must be the index that finds its events also while a
# new partition has no statistics yet: a join of all events with all spans was a hundred times slower then.
# The bounds over all spans are given once more as constants: with them the planner leaves out partitions.
_SPANS: Final = """
    spans as materialized (
        select w.*, array(
            select name from jsonb_array_elements_text(w.names) with ordinality as d (name, place) order by place
        ) as dimensions
        from unnest(
            %(slots)s::integer[], %(customers)s::uuid[], %(subscriptions)s::uuid[], %(metrics)s::text[],
            %(dimensions)s::jsonb[], %(shown)s::integer[], %(filters)s::jsonb[], %(pools)s::jsonb[],
            %(starts)s::timestamptz[], %(ends)s::timestamptz[],
            %(served_from)s::timestamptz[], %(served_until)s::timestamptz[], %(names_keys)s::boolean[]
        ) as w (slot, customer_id, subscription_id, metric_code, names, shown, filter, pools, starts_at, ends_at,
                served_from, served_until, names_keys)
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
_MICROSECONDS: Final = "extract(epoch from {}) * 1000000"

# Whether values of the kept dimensions meet a filter, and the place from 0 of the first pool that they meet.
_MET: Final = """({filter} = '[]' or not exists (
                select from jsonb_to_recordset({filter}) as asked (place integer, texts jsonb, excludes boolean)
                where (asked.texts ? {values}[asked.place]) = asked.excludes
            ))"""
_POOL: Final = f"""case when {{pools}} <> '[]' then (
                select number - 1 from jsonb_array_elements({{pools}}) with ordinality as pool (filter, number)
                where {_MET.format(filter="pool.filter", values="{values}")} order by number limit 1
            ) end"""
_SHOWN: Final = "case when pool is null then dimension_values[1:shown] else '{}' end"

# The whole hours of a span are empty when it holds none, or where its breakdown is not kept; then the first of its
# two ends is empty too, and the second one is all of it. Where months are kept, they stand for the hours of all that
# was ever used before the last of them. A sum weighted by time is Σ value × (end − time), which the
# hours give as their total × (end − hour) − moment; what was there before the span is there for all of it.
_TOTALS: Final = f"""
    with {_SPANS},
    cut as materialized (
        select w.*, case when is_kept then first_hour else starts_at end as whole_start,
               case when is_kept then last_hour else starts_at end as whole_end,
               case when is_kept and carries and starts_at = '1970-01-01 00:00:00+00'
                    then {MONTH.format("ends_at")} else starts_at end as months_end
        from (
            select w.*, {CARRIES} as carries, first_hour, last_hour,
                   not %(from_events)s and first_hour < last_hour and exists (
                       select from usage_breakdowns b
                       where b.metric_code = w.metric_code and b.dimensions = w.dimensions
                   ) as is_kept
            from spans w join metrics m on m.code = w.metric_code cross join lateral (
                select date_bin('1 hour', starts_at + interval '1 hour - 1 microsecond', '1970-01-01 00:00:00+00'),
                       date_bin('1 hour', ends_at, '1970-01-01 00:00:00+00')
            ) as hours (first_hour, last_hour)
        ) w
    ),
    parts as (
        select c.slot, c.names_keys, c.shown, s.pool, s.dimension_values, h.key, h.event_count,
               case when h.hour >= c.served_from then h.event_count else 0 end as inside_count,
               h.total, h.highest, h.lowest, h.latest,
               case when h.moment is null then null
                    when h.hour >= c.served_from
                    then h.total * {_MICROSECONDS.format("(c.served_until - h.hour)")} - h.moment
                    else h.total * {_MICROSECONDS.format("(c.served_until - c.served_from)")} end as area
        from cut c cross join lateral (
            select s.id, s.dimension_values, {_POOL.format(pools="c.pools", values="s.dimension_values")} as pool
            from usage_series s
            where s.customer_id = c.customer_id and s.metric_code = c.metric_code and s.dimensions = c.dimensions
              and (s.subscription_id = c.subscription_id or s.subscription_id is null or c.subscription_id is null)
              and {_MET.format(filter="c.filter", values="s.dimension_values")}
        ) s cross join lateral (
            select h.hour, h.key, h.event_count, h.total, h.highest, h.lowest, h.latest, h.moment from usage_hours h
            where h.series_id = s.id and h.hour >= greatest(c.whole_start, c.months_end) and h.hour < c.whole_end
              and h.event_count > 0
            union all
            select h.month, h.key, h.event_count, h.total, null, null, h.latest, 0 from usage_months h
            where h.series_id = s.id and h.month < c.months_end and c.starts_at < c.months_end and h.event_count > 0
        ) h
        union all
        select w.slot, w.names_keys, w.shown, {_POOL.format(pools="w.pools", values="e.dimension_values")}, e.* from (
            select c.slot, c.names_keys, c.shown, c.filter, c.pools, c.customer_id, c.subscription_id, c.metric_code,
                   c.dimensions, c.served_from, c.served_until, ragged.*
            from cut c cross join lateral (
                values (c.starts_at, c.whole_start), (c.whole_end, c.ends_at)
            ) as ragged (starts_at, ends_at)
            where ragged.starts_at < ragged.ends_at
        ) w join metrics m on m.code = w.metric_code cross join lateral (
            select {DIMENSION_VALUES} as dimension_values,
                   case m.aggregation when 'unique_count' then {KEY} else '' end,
                   1, case when e.occurred_at >= w.served_from then 1 else 0 end, e.value, e.value, e.value, {LATEST},
                   case m.aggregation when 'weighted_sum' then e.value
                       * {_MICROSECONDS.format("(w.served_until - greatest(e.occurred_at, w.served_from))")} end
            {_USED}
        ) e where {_MET.format(filter="w.filter", values="e.dimension_values")}
    ),
    by_key as (
        select slot, names_keys, pool, {_SHOWN} as shown_values, key, sum(event_count) as event_count,
               sum(inside_count) as inside_count, sum(total) as total, max(highest) as highest,
               min(lowest) as lowest, max(latest) as latest, sum(area) as area
        from parts group by slot, names_keys, pool, shown_values, key
    )
    select slot, pool, shown_values, sum(event_count)::bigint, sum(inside_count)::bigint, sum(total), max(highest),
           min(lowest), (max(latest))[3], count(*) filter (where latest[4] = 0),
           coalesce(array_agg(encode(key, 'hex') order by key) filter (where names_keys and latest[4] = 0), '{{}}'),
           sum(area)
    from by_key group by slot, pool, shown_values
"""
_READINGS: Final = f"""
    with {_SPANS},
    used as (
        select w.slot, w.shown, {_POOL.format(pools="w.pools", values="e.dimension_values")} as pool, e.*
        from spans w join metrics m on m.code = w.metric_code cross join lateral (
            select {DIMENSION_VALUES} as dimension_values, e.occurred_at, e.ordinal, e.value,
                   case m.aggregation when 'unique_count' then encode({KEY}, 'hex') else '' end as key,
                   m.aggregation = 'unique_count'
                       and coalesce(e.properties ->> '{OPERATION}' = 'remove', false) as removes
            {_USED}
        ) e where {_MET.format(filter="w.filter", values="e.dimension_values")}
    )
    select slot, pool, {_SHOWN}, occurred_at, value, key, removes from used order by occurred_at, ordinal
"""
_VALUES: Final = f"""
    with {_SPANS}
    select w.slot, array(
        select e.value from (select e.value, e.occurred_at, e.ordinal, {DIMENSION_VALUES} as dimension_values {_USED}) e
        where {_MET.format(filter="w.filter", values="e.dimension_values")} order by e.occurred_at, e.ordinal
    ) from spans w
"""


def _fetch(
    uow: UnitOfWork, statement: LiteralString, asked: Sequence[Asked], *, from_events: bool = False
) -> Iterator[Row]:
    """Yield the rows of `statement` over what is asked, each with its slot; there are none when nothing is asked."""
    if not asked:
        return
    slots = list(dict.fromkeys(one.slot for one in asked))
    numbers = {slot: number for number, slot in enumerate(slots)}
    for number, *row in uow.fetch_all(
        statement,
        {
            "slots": [numbers[one.slot] for one in asked],
            "customers": [one.window.customer_id for one in asked],
            "subscriptions": [one.window.subscription_id for one in asked],
            "metrics": [one.window.metric.code for one in asked],
            "dimensions": [Jsonb(one.window.kept_dimensions) for one in asked],
            "shown": [len(one.window.dimensions) for one in asked],
            "filters": [Jsonb(_placed(one.window.filter, one.window)) for one in asked],
            "pools": [Jsonb([_placed(pool, one.window) for pool in one.window.pools]) for one in asked],
            "starts": [one.period.start for one in asked],
            "ends": [one.period.end for one in asked],
            "served_from": [one.served.start for one in asked],
            "served_until": [one.served.end for one in asked],
            "names_keys": [one.names_keys for one in asked],
            "earliest": min(one.period.start for one in asked),
            "latest": max(one.period.end for one in asked),
            "from_events": from_events,
        },
    ):
        yield (slots[number], *row)
