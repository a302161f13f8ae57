"""What is asked of ClickHouse: one table, and the statements over it. The tenant is in every key and every statement.

A row is an event, or says that one no longer counts: the same row once more, `is_removed`. Of rows of one key the
greatest `is_removed` stays, whatever came first and however often, so that sending again changes nothing.
"""

from typing import Final

from tenor.metering.rules.readings import OPERATION

TABLE: Final = """
    create table if not exists usage_events (
        tenant_id UUID,
        metric_code LowCardinality(String),
        customer_id UUID,
        occurred_at DateTime64(6, 'UTC'),
        id UUID,
        source LowCardinality(String),
        event_id String,
        subscription_id Nullable(UUID),
        value Decimal(38, 18),
        properties Map(LowCardinality(String), String),
        ordinal UInt64,
        recorded_at DateTime64(6, 'UTC'),
        is_removed UInt8,
        index by_id id type bloom_filter granularity 1
    )
    engine = ReplacingMergeTree(is_removed)
    partition by toYYYYMM(occurred_at)
    order by (tenant_id, metric_code, customer_id, occurred_at, id)
    settings fsync_after_insert = 1, fsync_part_directory = 1
"""

_CONDITIONS: Final = "Array(Tuple(place UInt32, texts Array(String), excludes UInt8))"
_ASKED: Final = f"""
    spans as (
        select arrayJoin({{spans:Array(Tuple(
            slot UInt32, customer_id UUID, subscription_id Nullable(UUID), metric_code String, field String,
            is_unique UInt8, names_keys UInt8, dimensions Array(String), shown UInt32,
            filter {_CONDITIONS}, pools Array({_CONDITIONS}),
            starts_at DateTime64(6, 'UTC'), ends_at DateTime64(6, 'UTC'), served_from Int64, served_until Int64
        ))}}) as w, w.customer_id as customer_id, w.metric_code as metric_code
    ),
    used as (
        select w, arrayMap(name -> e.properties[name], w.dimensions) as said, e.*
        from usage_events as e final
        inner join spans on e.customer_id = spans.customer_id and e.metric_code = spans.metric_code
        where e.tenant_id = {{tenant:UUID}}
          and (e.metric_code, e.customer_id) in {{usage:Array(Tuple(String, UUID))}}
          and e.occurred_at >= {{earliest:DateTime64(6, 'UTC')}} and e.occurred_at < {{latest:DateTime64(6, 'UTC')}}
          and e.occurred_at >= w.starts_at and e.occurred_at < w.ends_at
          and (w.subscription_id is null or e.subscription_id is null or e.subscription_id = w.subscription_id)
    )
"""
_ARE_MET: Final = "arrayAll(one -> has(one.texts, said[one.place]) != one.excludes, {})"
_AT: Final = "toUnixTimestamp64Micro(occurred_at)"

# Decimal256, because a sum of Decimal128 passes its bounds in silence. `pool` counts from 1; 0 is none.
TOTALS: Final = f"""
    with {_ASKED},
    by_key as (
        select w.slot as slot, arrayFirstIndex(pool -> {_ARE_MET.format("pool")}, w.pools) as pool,
               if(pool > 0, [], arraySlice(said, 1, w.shown)) as shown_values,
               if(w.is_unique, properties[w.field], '') as key, w.names_keys as names_keys,
               count() as event_count, countIf({_AT} >= w.served_from) as inside_count,
               sum(toDecimal256(value, 18)) as total, max(value) as highest, min(value) as lowest,
               max((occurred_at, ordinal)) as arrival, argMax(value, (occurred_at, ordinal)) as latest,
               argMax(properties['{OPERATION}'], (occurred_at, ordinal)) <> 'remove' as is_there,
               sum(toDecimal256(value, 18) * (w.served_until - greatest({_AT}, w.served_from))) as area
        from used where is_removed = 0 and {_ARE_MET.format("w.filter")}
        group by slot, pool, shown_values, key, names_keys
    )
    select slot, pool, shown_values, sum(event_count), sum(inside_count), toString(sum(total)), toString(max(highest)),
           toString(min(lowest)), toString(argMax(latest, arrival)), countIf(is_there),
           arraySort(groupArrayIf(key, is_there and names_keys)), toString(sum(area))
    from by_key group by slot, pool, shown_values
    format JSONCompactEachRow
"""
ROWS: Final = f"""
    with {_ASKED}
    select w.slot, said, toString(id), {_AT}, ordinal, toString(value), properties[w.field],
           properties['{OPERATION}'], is_removed
    from used
    format JSONCompactEachRow
"""
ROWS_OF_IDS: Final = """
    select * replace (toString(value) as value)
    from usage_events final where tenant_id = {tenant:UUID} and id in {ids:Array(UUID)}
    format JSONEachRow
"""
COUNT: Final = """
    select count(), toString(sum(toDecimal256(value, 18)))
    from usage_events final where tenant_id = {tenant:UUID} and is_removed = 0
    format JSONCompactEachRow
"""
