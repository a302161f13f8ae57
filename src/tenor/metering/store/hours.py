"""Running aggregates: what the events of each hour come to, by series; one fold for arrivals, backfill and repair.

A *series* is the usage of one customer (and subscription, where events name one) of a metric, by one combination of
dimension values. The sets of dimensions that a metric is added up by are its *breakdowns*: none at all, and each that
a charge prices it by.
What carries over from before a period is added up by the month, too: its cost is not that of an account's whole age.
"""

from typing import Final

from tenor.metering.rules.readings import OPERATION
from tenor.metering.rules.series import MetricHours
from tenor.platform.unit_of_work import UnitOfWork

_SERIES: Final = (
    "concat_ws(chr(31), customer_id, coalesce(subscription_id::text, ''), metric_code, dimensions, dimension_values)"
)

STANDING: Final = "not exists (select from usage_corrections c where c.event_id = e.id)"
"""Of an event `e`: neither corrected nor cancelled."""

_DIGEST: Final = "substring(sha256(convert_to({text}, 'UTF8')) for 16)"

KEY: Final = _DIGEST.format(text="e.properties ->> m.field")
"""What tells the values of a unique count `m` apart in an event `e`; the texts may be too long for an index."""

DIMENSION_VALUES: Final = """array(
                   select coalesce(e.properties ->> name, '')
                   from unnest(w.dimensions) with ordinality as d (name, place) order by place
               )"""
"""What an event `e` says of the dimensions of `w`."""

HOUR: Final = "date_bin('1 hour', e.occurred_at, '1970-01-01 00:00:00+00')"
"""The hour (UTC) of an event `e`."""

MOMENT: Final = f"""case m.aggregation when 'weighted_sum'
                   then e.value * (extract(epoch from e.occurred_at - {HOUR}) * 1000000)::bigint end"""
"""Of an event `e`, where its metric `m` weighs values by time: its value × the microseconds since its hour began."""

LATEST: Final = f"""array[
                   extract(epoch from e.occurred_at), e.ordinal, e.value,
                   case when e.properties ->> '{OPERATION}' = 'remove' then 1 else 0 end
               ]"""
"""Event `e` so that of two of them the greater one is the later: by its time, then by its arrival."""

CARRIES: Final = "(m.recurring or m.aggregation = 'latest')"
"""Whether what a metric `m` measured once can bear on every later period."""

MONTH: Final = "date_trunc('month', {}, 'UTC')"
"""The month (UTC) of an instant."""

FOLD: Final = f"""
    measured as (
        select e.customer_id, e.subscription_id, e.metric_code, w.dimensions,
               case when w.dimensions = '{{}}' then w.dimensions else {DIMENSION_VALUES} end as dimension_values,
               {HOUR} as hour,
               case m.aggregation when 'unique_count' then {KEY} else '' end as key,
               e.value, case when m.aggregation in ('latest', 'unique_count') then {LATEST} end as latest,
               {MOMENT} as moment, {CARRIES} as carries
        from counted e join metrics m on m.code = e.metric_code join breakdowns w on w.metric_code = e.metric_code
    ),
    folded as materialized (
        select encode({_DIGEST.format(text=_SERIES)}, 'hex')::uuid as series_id,
               customer_id, subscription_id, metric_code, dimensions, dimension_values, hour, key,
               count(*) as event_count, sum(value) as total, max(value) as highest, min(value) as lowest,
               max(latest) as latest, sum(moment) as moment, carries
        from measured
        group by customer_id, subscription_id, metric_code, dimensions, dimension_values, hour, key, carries
    )
"""
"""Folds `counted`, rows of usage events, into hours of `breakdowns`."""

# In the order of the key, so that two transactions that add to the same hours wait for each other and no more.
ADD_HOURS: Final = f"""
    added as (
        insert into usage_hours as h
            (tenant_id, series_id, hour, key, event_count, total, highest, lowest, latest, moment)
        select %(tenant)s, series_id, hour, key, event_count, total, highest, lowest, latest, moment
        from folded order by series_id, hour, key
        on conflict (tenant_id, series_id, hour, key) do update set
            event_count = h.event_count + excluded.event_count,
            total = h.total + excluded.total,
            highest = greatest(h.highest, excluded.highest),
            lowest = least(h.lowest, excluded.lowest),
            latest = greatest(h.latest, excluded.latest),
            moment = h.moment + excluded.moment
    ),
    added_months as (
        insert into usage_months as h (tenant_id, series_id, month, key, event_count, total, latest)
        select %(tenant)s, series_id, {MONTH.format("hour")}, key, sum(event_count), sum(total), max(latest)
        from folded where carries group by 2, 3, 4 order by 2, 3, 4
        on conflict (tenant_id, series_id, month, key) do update set
            event_count = h.event_count + excluded.event_count,
            total = h.total + excluded.total,
            latest = greatest(h.latest, excluded.latest)
    )
"""
"""Adds what `folded` holds to the hours, and to the months of what carries over.

Of series that are there, or that the same statement makes.
"""

ADD: Final = f"""
    new_series as (
        insert into usage_series
            (tenant_id, id, customer_id, subscription_id, metric_code, dimensions, dimension_values)
        select distinct %(tenant)s::uuid, series_id, customer_id, subscription_id, metric_code, dimensions,
               dimension_values
        from folded order by series_id
        on conflict do nothing
    ),
    {ADD_HOURS}
"""
"""Adds what `folded` holds to the hours and months, and the series that are missing."""


def kept_hours(uow: UnitOfWork) -> dict[str, MetricHours]:
    """Return for each metric what its usage is added up by; call it after `prepare_hours`."""
    rows = uow.fetch_all(
        f"""
        select m.code, case m.aggregation when 'unique_count' then m.field end,
               m.aggregation in ('latest', 'unique_count'), m.aggregation = 'weighted_sum', {CARRIES},
               b.dimensions
        from usage_breakdowns b join metrics m on m.code = b.metric_code
        """
    )
    found: dict[str, MetricHours] = {}
    for code, key_field, is_ordered, is_timed, carries, dimensions in rows:
        others = found[code].breakdowns if code in found else ()
        found[code] = MetricHours(key_field, is_ordered, is_timed, carries, (*others, tuple(dimensions)))
    return found


def prepare_hours(uow: UnitOfWork) -> None:
    """Make sure that the hours that a charge is priced by are kept; call it before usage is written.

    Until the end of the transaction no other one begins or repairs aggregates. A breakdown that is new is worked out
    from all events that there are, while nobody else writes any.
    """
    if uow.fetch_one(_WANTED) is not None:
        lock_hours(uow)
        uow.execute(_BACKFILL, {"tenant": uow.tenant_id})
    uow.execute("select pg_advisory_xact_lock_shared(hashtextextended('tenor usage of ' || %s, 0))", [uow.tenant_id])


def lock_hours(uow: UnitOfWork) -> None:
    """Wait until nobody writes usage of the tenant, and keep it so until the end of the transaction."""
    uow.execute("select pg_advisory_xact_lock(hashtextextended('tenor usage of ' || %s, 0))", [uow.tenant_id])


_WANTED: Final = """
    select wanted.metric_code, wanted.dimensions
    from (
        select code, '{}'::text[] from metrics
        union all
        select distinct metric, dimensions from charges where metric is not null and dimensions <> '{}'
    ) wanted (metric_code, dimensions)
    where not exists (
        select from usage_breakdowns b where (b.metric_code, b.dimensions) = (wanted.metric_code, wanted.dimensions)
    )
"""
"""Breakdowns that are not kept yet."""

_BACKFILL: Final = f"""
    with breakdowns as (
        insert into usage_breakdowns (tenant_id, metric_code, dimensions)
        select %(tenant)s, wanted.* from ({_WANTED}) wanted on conflict do nothing
        returning metric_code, dimensions
    ),
    counted as (
        select e.* from usage_events e where e.metric_code in (select metric_code from breakdowns) and {STANDING}
    ),
    {FOLD},
    {ADD}
    select
"""
