-- Usage that is billed before its period is over, and what is told of it: thresholds, alerts, late events.

-- A settlement that counted the usage of a period which still ran counted what had been used through this instant.
-- The last claim of a period says how far it is counted; null: the period was over.
alter table tenor.claims
    add column metered_through timestamptz check (metered_through >= period_start and metered_through < period_end);

-- The last instant through which usage of the item was billed before its period was over; null: it never was.
alter table tenor.billing_positions add column metered_through timestamptz;

-- Whether news of usage is worth a look at once: usage paid in advance, or a threshold.
alter table tenor.plan_versions
    add column bills_running_usage boolean not null generated always as (
        definition ? 'usage_thresholds'
        or jsonb_path_exists(definition, '$.charges[*] ? (@.kind == "usage" && @.timing == "advance")')
    ) stored;

-- Thresholds agreed with a customer, or for one subscription, as a plan's definition has them: the newest version
-- holds. One that names no amount says that there are none, whatever the plan says.
create table tenor.usage_thresholds (
    tenant_id uuid not null,
    holder_id uuid not null generated always as (coalesce(subscription_id, customer_id)) stored,
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    version bigint not null check (version > 0),
    customer_id uuid not null,
    subscription_id uuid,
    thresholds jsonb not null check (jsonb_typeof(thresholds -> 'at') = 'array'),
    set_at timestamptz not null,
    actor text not null check (actor <> '' and length(actor) <= 200),
    reason text not null check (length(reason) <= 1000),
    primary key (tenant_id, holder_id, currency, version),
    foreign key (tenant_id, customer_id) references tenor.customers (tenant_id, id),
    foreign key (tenant_id, subscription_id) references tenor.subscriptions (tenant_id, id)
);
select tenor.protect('tenor.usage_thresholds', 'append');

-- Whoever is to be told when the usage of a running period reaches `threshold`: units of a metric, or (metric_code
-- null) what it costs so far, in major units. `percent` of `base` is how it was asked for.
create table tenor.usage_alerts (
    tenant_id uuid not null,
    id uuid not null,
    subscription_id uuid not null,
    metric_code text,
    threshold numeric(27, 12) not null check (threshold <> 'NaN' and threshold > 0),
    base numeric(27, 12) check (base <> 'NaN' and base > 0),
    percent numeric(9, 4) check (percent <> 'NaN' and percent > 0),
    added_at timestamptz not null,
    removed_at timestamptz,
    primary key (tenant_id, id),
    check ((base is null) = (percent is null)),
    foreign key (tenant_id, subscription_id) references tenor.subscriptions (tenant_id, id),
    foreign key (tenant_id, metric_code) references tenor.metrics (tenant_id, code)
);
create index usage_alerts_of_subscription on tenor.usage_alerts (tenant_id, subscription_id) where removed_at is null;
select tenor.protect('tenor.usage_alerts', 'update');
revoke update on tenor.usage_alerts from tenor_app;
grant update (removed_at) on tenor.usage_alerts to tenor_app;

-- That it was told: once for each alert and period.
create table tenor.usage_alert_crossings (
    tenant_id uuid not null,
    alert_id uuid not null,
    period_start timestamptz not null,
    period_end timestamptz not null check (period_end > period_start),
    value numeric not null check (value <> 'NaN' and abs(value) < 1e33),
    reached_at timestamptz not null,
    primary key (tenant_id, alert_id, period_start),
    foreign key (tenant_id, alert_id) references tenor.usage_alerts (tenant_id, id)
);
select tenor.protect('tenor.usage_alert_crossings', 'append');

-- Usage that came after the cut-off of its period, and what became of it: `reported` counts nowhere, `moved` counts as
-- used when it came.
create table tenor.late_usage (
    tenant_id uuid not null,
    event_id uuid not null,
    customer_id uuid not null,
    metric_code text not null,
    occurred_at timestamptz not null,
    open_from timestamptz not null check (open_from > occurred_at),
    value numeric(33, 18) not null check (value <> 'NaN'),
    treatment text not null check (treatment in ('reported', 'moved')),
    recorded_at timestamptz not null,
    primary key (tenant_id, event_id),
    foreign key (tenant_id, customer_id) references tenor.customers (tenant_id, id),
    foreign key (tenant_id, metric_code) references tenor.metrics (tenant_id, code)
);
create index late_usage_by_time on tenor.late_usage (tenant_id, recorded_at);
select tenor.protect('tenor.late_usage', 'append');
