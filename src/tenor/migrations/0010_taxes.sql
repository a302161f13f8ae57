-- Taxes: rates with their validity, how each customer is taxed, overrides with their proof, and answers of a tax engine.

-- Where the tenant itself is taxed, and who says the rates.
create table tenor.tax_sellers (
    tenant_id uuid not null references tenor.tenants,
    country text not null check (country ~ '^[A-Z]{2}$'),
    tax_id text,
    rates_from text not null check (rates_from in ('table', 'engine')),
    primary key (tenant_id)
);
select tenor.protect('tenor.tax_sellers', 'update');

-- A rate never changes: a later row closes it, and all that the application may update is its end. A row that ends
-- where it begins was replaced before it ever held; it stays as what was once entered.
create table tenor.tax_rates (
    tenant_id uuid not null references tenor.tenants,
    id uuid not null,
    country text not null check (country ~ '^[A-Z]{2}$'),
    region text not null check (region ~ '^[A-Z0-9]{0,3}$'),
    category text not null check (category ~ '^[a-z0-9][a-z0-9_.-]{0,62}$'),
    name text not null check (name <> '' and length(name) <= 60),
    percent numeric(9, 6) not null check (percent <> 'NaN' and percent >= 0 and percent <= 100),
    valid_from timestamptz not null,
    valid_to timestamptz check (valid_to >= valid_from),
    primary key (tenant_id, id)
);
create unique index tax_rates_begin_once on tenor.tax_rates (tenant_id, country, region, category, name, valid_from)
    where valid_to is null or valid_to > valid_from;
create unique index tax_rates_end_once on tenor.tax_rates (tenant_id, country, region, category, name, valid_to)
    nulls not distinct where valid_to is null or valid_to > valid_from;
select tenor.protect('tenor.tax_rates', 'update');
revoke update on tenor.tax_rates from tenor_app;
grant update (valid_to) on tenor.tax_rates to tenor_app;

create table tenor.customer_tax_profiles (
    tenant_id uuid not null,
    customer_id uuid not null,
    country text not null check (country ~ '^[A-Z]{2}$'),
    region text not null check (region ~ '^[A-Z0-9]{0,3}$'),
    tax_id text,
    is_exempt boolean not null,
    exemption_reason text not null check (is_exempt = (exemption_reason <> '') and length(exemption_reason) <= 500),
    is_reverse_charge boolean not null check (not (is_reverse_charge and is_exempt)),
    primary key (tenant_id, customer_id),
    foreign key (tenant_id, customer_id) references tenor.customers (tenant_id, id)
);
select tenor.protect('tenor.customer_tax_profiles', 'update');

-- Rates that replace all others, for a customer or for one document of it. Nobody overrides without a proof.
create table tenor.tax_overrides (
    tenant_id uuid not null,
    id uuid not null,
    -- Of overrides that hold at once the newest counts; a sandbox whose clock stands still has no newer instant.
    override_no bigint generated always as identity,
    customer_id uuid not null,
    document_id uuid,
    -- [{"name", "percent", "jurisdiction", "is_inclusive"}]
    rates jsonb not null check (jsonb_typeof(rates) = 'array'),
    audit_reference text not null check (audit_reference ~ '\S' and length(audit_reference) <= 500),
    valid_from timestamptz not null,
    valid_to timestamptz check (valid_to >= valid_from),
    created_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, customer_id) references tenor.customers (tenant_id, id)
);
create index tax_overrides_by_customer on tenor.tax_overrides (tenant_id, customer_id) where document_id is null;
create index tax_overrides_by_document on tenor.tax_overrides (tenant_id, document_id) where document_id is not null;
select tenor.protect('tenor.tax_overrides', 'update');
revoke update on tenor.tax_overrides from tenor_app;
grant update (valid_to) on tenor.tax_overrides to tenor_app;

-- What the tax engine answered, kept by the digest of what it was asked: fetched outside transactions, read inside.
-- A fallback is what the table of rates said while the engine failed; an answer of the engine goes before it.
create table tenor.tax_quotes (
    tenant_id uuid not null references tenor.tenants,
    situation_digest bytea not null check (length(situation_digest) = 32),
    category text not null check (category ~ '^[a-z0-9][a-z0-9_.-]{0,62}$'),
    source text not null check (source in ('engine', 'fallback')),
    situation jsonb not null,
    rates jsonb not null check (jsonb_typeof(rates) = 'array'),
    is_charged boolean not null,
    note text not null,
    asked_at timestamptz not null,
    primary key (tenant_id, situation_digest, category, source)
);
select tenor.protect('tenor.tax_quotes', 'append');
