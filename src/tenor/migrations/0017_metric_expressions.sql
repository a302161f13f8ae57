-- Metrics that work their number out of several properties, carry over, are prorated or rounded; and a running column
-- by which a sum weighted by time follows from the hours.

alter table tenor.metrics
    -- The number of an event as an expression over its properties, in the place of one `field`.
    add column expression text check (expression <> '' and length(expression) <= 500),
    -- What earlier periods added is still there.
    add column recurring boolean not null default false
        check (not recurring or aggregation in ('count', 'sum', 'unique_count', 'latest', 'weighted_sum')),
    -- Each value counts for the days of the period that it was there.
    add column prorated boolean not null default false
        check (not prorated or aggregation in ('count', 'sum', 'unique_count')),
    add column rounding_mode text check (rounding_mode in ('half_up', 'half_even', 'ceil', 'floor', 'trunc', 'none')),
    add column rounding_digits integer check (rounding_digits between -12 and 12),
    add check ((rounding_mode is null) = (rounding_digits is null)),
    drop constraint metrics_check,
    add constraint metrics_measure check (
        case when aggregation = 'count' then field is null and expression is null
             when aggregation = 'unique_count' then field is not null and expression is null
             else (field is null) <> (expression is null) end
    );

-- Of a metric that weighs values by time: Σ value × microseconds since the hour began, so that Σ value × (end − time)
-- is total × (end − hour) − moment. Null for all other metrics.
alter table tenor.usage_hours
    add column moment numeric check (moment <> 'NaN' and abs(moment) < 1e43 and scale(moment) <= 18);
grant update (moment) on tenor.usage_hours to tenor_app;

-- What the events of a month (UTC) come to, of metrics whose past bears on every later period: recurring ones, and
-- latest values. The sum of the hours of the month, kept up to date with them, so that what carries over into a period
-- is read from some rows for each year.
create table tenor.usage_months (
    tenant_id uuid not null,
    series_id uuid not null,
    month timestamptz not null check (month = date_trunc('month', month, 'UTC')),
    key bytea not null check (length(key) in (0, 16)),
    event_count bigint not null check (event_count >= 0),
    total numeric not null check (total <> 'NaN' and abs(total) < 1e36 and scale(total) <= 18),
    latest numeric[] check (cardinality(latest) = 4 and not 'NaN' = any(latest) and abs(latest[3]) < 1e15),
    primary key (tenant_id, series_id, month, key),
    foreign key (tenant_id, series_id) references tenor.usage_series (tenant_id, id)
) with (fillfactor = 70);

alter table tenor.metrics no force row level security;
alter table tenor.usage_series no force row level security;
alter table tenor.usage_hours no force row level security;
alter table tenor.usage_events no force row level security;
alter table tenor.usage_corrections no force row level security;
update tenor.usage_hours h set moment = 0
from tenor.usage_series s join tenor.metrics m on m.tenant_id = s.tenant_id and m.code = s.metric_code
where s.tenant_id = h.tenant_id and s.id = h.series_id and m.aggregation = 'weighted_sum';
update tenor.usage_hours h set moment = f.moment
from (
    select s.tenant_id, s.id, date_bin('1 hour', e.occurred_at, '1970-01-01 00:00:00+00') as hour,
           sum(e.value * (extract(epoch from e.occurred_at
               - date_bin('1 hour', e.occurred_at, '1970-01-01 00:00:00+00')) * 1000000)::bigint) as moment
    from tenor.usage_series s
    join tenor.metrics m on m.tenant_id = s.tenant_id and m.code = s.metric_code and m.aggregation = 'weighted_sum'
    join tenor.usage_events e on e.tenant_id = s.tenant_id and e.customer_id = s.customer_id
        and e.metric_code = s.metric_code and e.subscription_id is not distinct from s.subscription_id
        and s.dimension_values = array(
            select coalesce(e.properties ->> name, '')
            from unnest(s.dimensions) with ordinality as d (name, place) order by place
        )
    where not exists (
        select from tenor.usage_corrections c where c.tenant_id = e.tenant_id and c.event_id = e.id
    )
    group by 1, 2, 3
) f
where f.tenant_id = h.tenant_id and f.id = h.series_id and f.hour = h.hour;
insert into tenor.usage_months (tenant_id, series_id, month, key, event_count, total, latest)
select h.tenant_id, h.series_id, date_trunc('month', h.hour, 'UTC'), h.key, sum(h.event_count), sum(h.total), max(h.latest)
from tenor.usage_hours h
join tenor.usage_series s on s.tenant_id = h.tenant_id and s.id = h.series_id
join tenor.metrics m on m.tenant_id = s.tenant_id and m.code = s.metric_code and m.aggregation = 'latest'
group by 1, 2, 3, 4;
alter table tenor.usage_corrections force row level security;
alter table tenor.usage_events force row level security;
alter table tenor.usage_hours force row level security;
alter table tenor.usage_series force row level security;
alter table tenor.metrics force row level security;

select tenor.protect('tenor.usage_months', 'update');
revoke update on tenor.usage_months from tenor_app;
grant update (event_count, total, latest) on tenor.usage_months to tenor_app;
