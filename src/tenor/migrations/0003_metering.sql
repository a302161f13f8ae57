-- Metering: usage events as they arrived, and the guard that keeps each of them from being counted twice.

-- Order of arrival: what decides between two readings of one instant. Gaps mean nothing.
create sequence tenor.usage_event_ordinals;
grant usage on sequence tenor.usage_event_ordinals to tenor_app;

-- One row for each event ever taken, never expired and not partitioned: a sender may repeat itself after a year.
-- The same id with the same content is a duplicate, with other content a conflict.
create table tenor.usage_event_keys (
    tenant_id uuid not null references tenor.tenants,
    source text not null check (length(source) <= 200),
    event_id text not null check (event_id <> '' and length(event_id) <= 200),
    content_hash bytea not null check (length(content_hash) = 16),
    occurred_at timestamptz not null,
    primary key (tenant_id, source, event_id)
);
select tenor.protect('tenor.usage_event_keys', 'append');

-- The id is derived from source, event_id and occurred_at, so that the primary key refuses a second copy even
-- where the guard has been bypassed. `value` is the number that the event's metric measures, 1 where it counts.
create table tenor.usage_events (
    tenant_id uuid not null,
    id uuid not null,
    source text not null,
    event_id text not null,
    customer_id uuid not null,
    subscription_id uuid,
    metric_code text not null,
    occurred_at timestamptz not null,
    value numeric not null check (value <> 'NaN' and abs(value) < 1e15 and scale(value) <= 18),
    properties jsonb not null check (jsonb_typeof(properties) = 'object'),
    ordinal bigint not null default nextval('tenor.usage_event_ordinals'),
    recorded_at timestamptz not null,
    primary key (tenant_id, id, occurred_at),
    foreign key (tenant_id, customer_id) references tenor.customers (tenant_id, id),
    foreign key (tenant_id, metric_code) references tenor.metrics (tenant_id, code)
) partition by range (occurred_at);
-- The bill run reads one customer's metric over one span; with the included columns it need not visit the rows.
create index usage_events_by_metric on tenor.usage_events (tenant_id, customer_id, metric_code, occurred_at)
    include (value, subscription_id);
select tenor.protect('tenor.usage_events', 'append');
