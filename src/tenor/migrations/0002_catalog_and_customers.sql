-- Parties, and what is sold: products, metrics, features, price books and immutable plan versions.

create table tenor.customers (
    tenant_id uuid not null references tenor.tenants,
    id uuid not null,
    external_id text not null check (external_id <> '' and length(external_id) <= 200),
    name text not null check (length(name) <= 500),
    country text check (country ~ '^[A-Z]{2}$'),
    timezone text not null default 'UTC',
    tax_percent numeric(9, 6) not null default 0
        check (tax_percent <> 'NaN' and tax_percent >= 0 and tax_percent <= 100),
    created_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, external_id)
);
select tenor.protect('tenor.customers', 'update');

create table tenor.products (
    tenant_id uuid not null references tenor.tenants,
    code text not null check (code ~ '^[a-z0-9][a-z0-9_.-]{0,62}$'),
    name text not null,
    primary key (tenant_id, code)
);
select tenor.protect('tenor.products', 'update');

-- A metric's meaning never changes once events refer to it: a new meaning is a new code.
create table tenor.metrics (
    tenant_id uuid not null references tenor.tenants,
    code text not null check (code ~ '^[a-z0-9][a-z0-9_.-]{0,62}$'),
    name text not null,
    aggregation text not null
        check (aggregation in ('count', 'sum', 'max', 'min', 'avg', 'latest', 'unique_count', 'weighted_sum')),
    field text check ((field is null) = (aggregation = 'count')),
    unit text not null default 'unit',
    primary key (tenant_id, code)
);
select tenor.protect('tenor.metrics', 'append');

create table tenor.features (
    tenant_id uuid not null references tenor.tenants,
    code text not null check (code ~ '^[a-z0-9][a-z0-9_.-]{0,62}$'),
    name text not null,
    primary key (tenant_id, code)
);
select tenor.protect('tenor.features', 'update');

create table tenor.price_books (
    tenant_id uuid not null references tenor.tenants,
    code text not null check (code ~ '^[a-z0-9][a-z0-9_.-]{0,62}$'),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    tax_mode text not null check (tax_mode in ('exclusive', 'inclusive')),
    primary key (tenant_id, code)
);
select tenor.protect('tenor.price_books', 'append');

-- One row for each applied edition of a price book file; the plan versions it brought refer to it.
create table tenor.price_book_versions (
    tenant_id uuid not null references tenor.tenants,
    price_book text not null,
    version bigint not null check (version > 0),
    effective_at timestamptz not null,
    source_digest bytea not null check (length(source_digest) = 32),
    applied_at timestamptz not null,
    applied_by text not null,
    primary key (tenant_id, price_book, version),
    foreign key (tenant_id, price_book) references tenor.price_books (tenant_id, code)
);
select tenor.protect('tenor.price_book_versions', 'append');

-- An edition of a plan. Subscriptions pin one; it never changes, and content_hash proves that it did not.
create table tenor.plan_versions (
    tenant_id uuid not null references tenor.tenants,
    id uuid not null,
    price_book text not null,
    price_book_version bigint not null,
    plan text not null check (plan ~ '^[a-z0-9][a-z0-9_.-]{0,62}$'),
    version bigint not null check (version > 0),
    name text not null,
    product text not null,
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    tax_mode text not null check (tax_mode in ('exclusive', 'inclusive')),
    effective_at timestamptz not null,
    definition jsonb not null,
    content_hash bytea not null check (length(content_hash) = 32),
    primary key (tenant_id, id),
    unique (tenant_id, plan, version),
    foreign key (tenant_id, price_book, price_book_version)
        references tenor.price_book_versions (tenant_id, price_book, version),
    foreign key (tenant_id, product) references tenor.products (tenant_id, code)
);
select tenor.protect('tenor.plan_versions', 'append');

-- What an edition sells: the version of each plan that is in force from its effective_at until the next edition's.
-- A plan that is missing in the newest edition is no longer sold; who has it keeps it.
create table tenor.price_book_plans (
    tenant_id uuid not null references tenor.tenants,
    price_book text not null,
    price_book_version bigint not null,
    plan text not null,
    plan_version_id uuid not null,
    primary key (tenant_id, price_book, price_book_version, plan),
    foreign key (tenant_id, price_book, price_book_version)
        references tenor.price_book_versions (tenant_id, price_book, version),
    foreign key (tenant_id, plan_version_id) references tenor.plan_versions (tenant_id, id)
);
select tenor.protect('tenor.price_book_plans', 'append');

create table tenor.charges (
    tenant_id uuid not null references tenor.tenants,
    id uuid not null,
    plan_version_id uuid not null,
    code text not null check (code ~ '^[a-z0-9][a-z0-9_.-]{0,62}$'),
    kind text not null check (kind in ('recurring', 'seat', 'usage', 'one_off', 'commitment')),
    metric text check ((metric is not null) = (kind = 'usage')),
    primary key (tenant_id, id),
    unique (tenant_id, plan_version_id, code),
    foreign key (tenant_id, plan_version_id) references tenor.plan_versions (tenant_id, id),
    foreign key (tenant_id, metric) references tenor.metrics (tenant_id, code)
);
select tenor.protect('tenor.charges', 'append');

create table tenor.plan_version_features (
    tenant_id uuid not null references tenor.tenants,
    plan_version_id uuid not null,
    feature text not null,
    limit_value numeric(27, 12) check (limit_value <> 'NaN' and limit_value >= 0),
    primary key (tenant_id, plan_version_id, feature),
    foreign key (tenant_id, plan_version_id) references tenor.plan_versions (tenant_id, id),
    foreign key (tenant_id, feature) references tenor.features (tenant_id, code)
);
select tenor.protect('tenor.plan_version_features', 'append');
