-- Maximum spend as a kind of charge; editions of a plan for one customer.

alter table tenor.charges
    drop constraint charges_kind_check,
    add constraint charges_kind_check
        check (kind in ('recurring', 'seat', 'usage', 'one_off', 'commitment', 'cap'));

-- An edition that is sold to one customer alone counts its versions apart from those that are sold to anybody.
alter table tenor.plan_versions
    add column customer_id uuid,
    drop constraint plan_versions_tenant_id_plan_version_key;
alter table tenor.plan_versions
    add constraint plan_versions_by_customer unique nulls not distinct (tenant_id, plan, customer_id, version);
alter table tenor.plan_versions no force row level security;
alter table tenor.customers no force row level security;
alter table tenor.plan_versions
    add foreign key (tenant_id, customer_id) references tenor.customers (tenant_id, id);
alter table tenor.plan_versions force row level security;
alter table tenor.customers force row level security;

-- What is agreed with one customer apart from the price books. An amendment is the next version of the same code.
create table tenor.contracts (
    tenant_id uuid not null,
    id uuid not null,
    customer_id uuid not null,
    code text not null check (code ~ '^[a-z0-9][a-z0-9_.-]{0,62}$'),
    version bigint not null check (version > 0),
    -- The edition of a plan that it departs from.
    base_plan_version_id uuid not null,
    name text not null,
    payment_terms_kind text check (payment_terms_kind in ('net', 'end_of_month')),
    payment_terms_days bigint check (payment_terms_days between 0 and 365),
    po_number text check (po_number <> '' and length(po_number) <= 200),
    term_months bigint check (term_months > 0),
    source_digest bytea not null check (length(source_digest) = 32),
    agreed_at timestamptz not null,
    agreed_by text not null,
    reason text not null,
    primary key (tenant_id, id),
    unique (tenant_id, code, version),
    check ((payment_terms_kind is null) = (payment_terms_days is null)),
    foreign key (tenant_id, customer_id) references tenor.customers (tenant_id, id),
    foreign key (tenant_id, base_plan_version_id) references tenor.plan_versions (tenant_id, id)
);
create index contracts_by_customer on tenor.contracts (tenant_id, customer_id);
select tenor.protect('tenor.contracts', 'append');

-- The ramp: the first step begins with the subscription, each further one so many months after the first billable
-- instant or at an instant. From then on its private edition of the plan holds.
create table tenor.contract_steps (
    tenant_id uuid not null,
    contract_id uuid not null,
    step_no bigint not null check (step_no > 0),
    after_months bigint check (after_months > 0),
    starts_at timestamptz,
    plan_version_id uuid not null,
    primary key (tenant_id, contract_id, step_no),
    unique (tenant_id, plan_version_id),
    check (num_nonnulls(after_months, starts_at) = case step_no when 1 then 0 else 1 end),
    foreign key (tenant_id, contract_id) references tenor.contracts (tenant_id, id),
    foreign key (tenant_id, plan_version_id) references tenor.plan_versions (tenant_id, id)
);
select tenor.protect('tenor.contract_steps', 'append');

-- What a person decided about a feature, for all of a customer or for one of its subscriptions: granted, perhaps up to
-- a limit, or denied. Appended; of those that hold, the one with the highest number decides.
create table tenor.entitlement_overrides (
    tenant_id uuid not null,
    id uuid not null,
    customer_id uuid not null,
    override_no bigint not null check (override_no > 0),
    -- null: whatever the customer has or has not subscribed to.
    subscription_id uuid,
    feature text not null,
    is_granted boolean not null,
    -- null: without a limit.
    limit_value numeric(27, 12) check (limit_value <> 'NaN' and limit_value >= 0),
    starts_at timestamptz not null,
    ends_at timestamptz check (ends_at > starts_at),
    recorded_at timestamptz not null,
    actor text not null,
    reason text not null,
    primary key (tenant_id, id),
    unique (tenant_id, customer_id, override_no),
    check (is_granted or limit_value is null),
    foreign key (tenant_id, customer_id) references tenor.customers (tenant_id, id),
    foreign key (tenant_id, subscription_id) references tenor.subscriptions (tenant_id, id),
    foreign key (tenant_id, feature) references tenor.features (tenant_id, code)
);
create index entitlement_overrides_by_feature on tenor.entitlement_overrides (tenant_id, customer_id, feature);
select tenor.protect('tenor.entitlement_overrides', 'append');

-- An override that is revoked says nothing from then on.
create table tenor.entitlement_revocations (
    tenant_id uuid not null,
    override_id uuid not null,
    revoked_at timestamptz not null,
    actor text not null,
    reason text not null,
    primary key (tenant_id, override_id),
    foreign key (tenant_id, override_id) references tenor.entitlement_overrides (tenant_id, id)
);
select tenor.protect('tenor.entitlement_revocations', 'append');

-- Where a tenant decides otherwise than the engine what a state leaves of the features.
create table tenor.entitlement_access (
    tenant_id uuid not null references tenor.tenants,
    status text not null check (status in ('past_due', 'paused', 'suspended')),
    access text not null check (access in ('full', 'read_only', 'none')),
    primary key (tenant_id, status)
);
select tenor.protect('tenor.entitlement_access', 'update');
