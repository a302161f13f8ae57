-- Metering: a narrow guard, running aggregates by the hour, corrections of events, and events that were refused.

-- The guard of 0003, narrowed: at tens of millions of events it is the width of its index that decides what an event
-- costs. `identity` is the first 16 bytes of SHA-256 over '<length of source>:<source><event id>'.
create table tenor.usage_identities (
    tenant_id uuid not null,
    identity bytea not null check (length(identity) = 16),
    content_hash bytea not null check (length(content_hash) = 16),
    occurred_at timestamptz not null,
    primary key (tenant_id, identity)
);
alter table tenor.usage_event_keys no force row level security;
insert into tenor.usage_identities (tenant_id, identity, content_hash, occurred_at)
select tenant_id, substring(sha256(convert_to(length(source) || ':' || source || event_id, 'UTF8')) for 16),
       content_hash, occurred_at
from tenor.usage_event_keys;
drop table tenor.usage_event_keys;
select tenor.protect('tenor.usage_identities', 'append');

-- That customer and metric of an event exist follows from the series below, which every event is added to by the
-- statement that writes it. Keys of its own would cost half of what an event costs in all.
alter table tenor.usage_events
    drop constraint usage_events_tenant_id_customer_id_fkey,
    drop constraint usage_events_tenant_id_metric_code_fkey;

-- By which properties a charge of this metric is priced; what its usage is kept apart by.
alter table tenor.charges
    add column dimensions text[] not null default '{}' check (cardinality(dimensions) <= 20),
    no force row level security, disable trigger append_only;
alter table tenor.plan_versions no force row level security;
update tenor.charges c set dimensions = array(select jsonb_array_elements_text(body -> 'price' -> 'dimensions'))
from tenor.plan_versions v, jsonb_array_elements(v.definition -> 'charges') body
where v.tenant_id = c.tenant_id and v.id = c.plan_version_id
  and body ->> 'code' = c.code and body -> 'price' ? 'dimensions';
alter table tenor.plan_versions force row level security;
alter table tenor.charges force row level security, enable always trigger append_only;
create index charges_by_dimensions on tenor.charges (tenant_id, metric, dimensions)
    where metric is not null and dimensions <> '{}';

-- What usage is added up by: a metric as a whole ('{}') and by each set of dimensions that a charge prices it by.
-- A row says that the hours below are complete for it, events of before it included.
create table tenor.usage_breakdowns (
    tenant_id uuid not null,
    metric_code text not null,
    dimensions text[] not null check (cardinality(dimensions) <= 20),
    primary key (tenant_id, metric_code, dimensions),
    foreign key (tenant_id, metric_code) references tenor.metrics (tenant_id, code)
);
select tenor.protect('tenor.usage_breakdowns', 'append');

-- Whose usage of what: one row for each customer, subscription named by events, and values of the dimensions.
-- The id is derived from all other columns.
create table tenor.usage_series (
    tenant_id uuid not null,
    id uuid not null,
    customer_id uuid not null,
    subscription_id uuid,
    metric_code text not null,
    dimensions text[] not null,
    dimension_values text[] not null check (cardinality(dimension_values) = cardinality(dimensions)),
    primary key (tenant_id, id),
    foreign key (tenant_id, customer_id) references tenor.customers (tenant_id, id),
    foreign key (tenant_id, metric_code, dimensions)
        references tenor.usage_breakdowns (tenant_id, metric_code, dimensions)
);
create index usage_series_by_metric on tenor.usage_series (tenant_id, customer_id, metric_code);
select tenor.protect('tenor.usage_series', 'append');

-- What the events of an hour (UTC) come to, kept up to date in the transaction that takes them.
-- `key` tells the values of a unique count apart (16 bytes of SHA-256), and is empty for all other metrics.
-- `latest` is of the last event of the hour, where the order of events matters to the metric: its time (seconds since
-- 1970), ordinal, value, and 1 if it takes a unique value out. Of two such arrays the greater one is the later event.
-- An hour whose events have all been taken out again stays, with a count of 0 and nothing else to say.
create table tenor.usage_hours (
    tenant_id uuid not null,
    series_id uuid not null,
    hour timestamptz not null,
    key bytea not null check (length(key) in (0, 16)),
    event_count bigint not null check (event_count >= 0),
    total numeric not null check (total <> 'NaN' and abs(total) < 1e33 and scale(total) <= 18),
    highest numeric check (highest <> 'NaN' and abs(highest) < 1e15 and scale(highest) <= 18),
    lowest numeric check (lowest <> 'NaN' and abs(lowest) < 1e15 and scale(lowest) <= 18),
    latest numeric[] check (cardinality(latest) = 4 and not 'NaN' = any(latest) and abs(latest[3]) < 1e15),
    primary key (tenant_id, series_id, hour, key),
    check ((highest is null) = (event_count = 0) and (lowest is null) = (event_count = 0)),
    foreign key (tenant_id, series_id) references tenor.usage_series (tenant_id, id)
) with (fillfactor = 70);  -- so that an hour that grows is rewritten on its own page, without touching the index
select tenor.protect('tenor.usage_hours', 'update');
revoke update on tenor.usage_hours from tenor_app;
grant update (event_count, total, highest, lowest, latest)
    on tenor.usage_hours to tenor_app;

-- An event that no longer counts, and the one that counts in its place; none when it was cancelled. `revision` counts
-- from 1 for each identity; `content_hash` is of what was asked for, so that asking again changes nothing.
create table tenor.usage_corrections (
    tenant_id uuid not null,
    identity bytea not null,
    revision bigint not null check (revision > 0),
    event_id uuid not null,
    replacement_id uuid,
    content_hash bytea check (length(content_hash) = 16),
    actor text not null check (actor <> '' and length(actor) <= 200),
    reason text not null check (length(reason) <= 1000),
    recorded_at timestamptz not null,
    primary key (tenant_id, identity, revision),
    unique (tenant_id, event_id),
    check ((replacement_id is null) = (content_hash is null)),
    foreign key (tenant_id, identity) references tenor.usage_identities (tenant_id, identity)
);
select tenor.protect('tenor.usage_corrections', 'append');

-- Events that could not be taken, as they were sent. The id is derived from what was sent, so that a sender who
-- repeats a bad event adds no row. `settled_at` is when a replay took it, or found it taken.
create table tenor.usage_rejections (
    tenant_id uuid not null references tenor.tenants,
    id uuid not null,
    payload text not null check (length(payload) <= 70000),
    field text not null,
    reason text not null,
    first_at timestamptz not null,
    last_at timestamptz not null,
    times bigint not null check (times > 0),
    settled_at timestamptz,
    primary key (tenant_id, id)
);
create index usage_rejections_open on tenor.usage_rejections (tenant_id, first_at, id) where settled_at is null;
select tenor.protect('tenor.usage_rejections', 'update');
revoke update on tenor.usage_rejections from tenor_app;
grant update (field, reason, last_at, times, settled_at) on tenor.usage_rejections to tenor_app;
