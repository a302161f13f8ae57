-- The HTTP interface: API keys, stored answers of calls, and what customers and subscriptions carry for their tenant's own use.

-- A key names its tenant inside its text, so that it is looked up under row-level security like any other row; what
-- is stored is the SHA-256 of the whole text, of which 192 bits are random.
create table tenor.api_keys (
    tenant_id uuid not null references tenor.tenants,
    id uuid not null,
    name text not null check (name <> '' and length(name) <= 200),
    mode text not null check (mode in ('live', 'test')),
    -- The first letters, by which people tell keys apart; they leave 157 random bits unsaid.
    hint text not null check (length(hint) between 10 and 20),
    digest bytea not null check (length(digest) = 32),
    scopes text[] not null check (cardinality(scopes) between 1 and 100),
    created_at timestamptz not null,
    expires_at timestamptz check (expires_at > created_at),
    revoked_at timestamptz,
    -- The key that this one takes the place of; a key has one successor, so that no more than two are live.
    rotates_id uuid,
    primary key (tenant_id, id),
    unique (tenant_id, digest),
    unique (tenant_id, rotates_id),
    foreign key (tenant_id, rotates_id) references tenor.api_keys (tenant_id, id)
);
select tenor.protect('tenor.api_keys', 'update');
revoke update on tenor.api_keys from tenor_app;
grant update (expires_at, revoked_at) on tenor.api_keys to tenor_app;

-- What a call was answered under a key of the caller's choice, written in the transaction of its effect. The
-- fingerprint is the SHA-256 of the call; the body is sealed under a secret of the caller's. An answer that has expired gives its key free.
create table tenor.idempotency_answers (
    tenant_id uuid not null references tenor.tenants,
    key text not null check (key <> '' and length(key) <= 255),
    fingerprint bytea not null check (length(fingerprint) = 32),
    status bigint not null check (status between 200 and 599),
    body bytea not null,
    answered_at timestamptz not null,
    expires_at timestamptz not null check (expires_at > answered_at),
    primary key (tenant_id, key)
);
create index idempotency_answers_expiring on tenor.idempotency_answers (tenant_id, expires_at);
select tenor.protect('tenor.idempotency_answers', 'update');

-- Deletes the answers of this transaction's tenant that have expired, a thousand at most; returns how many. Runs as the
-- owner, because the application deletes nothing; row-level security is forced on the owner too.
create function tenor.forget_expired_answers(through timestamptz) returns bigint
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    forgotten bigint;
begin
    delete from tenor.idempotency_answers
    where tenant_id = tenor.current_tenant() and key in (
        select key from tenor.idempotency_answers
        where tenant_id = tenor.current_tenant() and expires_at <= through
        order by expires_at limit 1000 for update skip locked);
    get diagnostics forgotten = row_count;
    return forgotten;
end $$;
grant execute on function tenor.forget_expired_answers(timestamptz) to tenor_app;

-- What the tenant's own systems keep with a customer or a subscription: text by name, never read by the engine.
-- `recorded_at` is of the wall clock: lists go by it, because many things are made at one instant of a sandbox.
alter table tenor.customers
    add column metadata jsonb not null default '{}'
        check (jsonb_typeof(metadata) = 'object' and octet_length(metadata::text) <= 65536),
    add column version bigint not null default 1 check (version > 0),
    add column recorded_at timestamptz not null default clock_timestamp();
create index customers_by_recorded_at on tenor.customers (tenant_id, recorded_at, id);
alter table tenor.subscriptions
    add column metadata jsonb not null default '{}'
        check (jsonb_typeof(metadata) = 'object' and octet_length(metadata::text) <= 65536),
    add column recorded_at timestamptz not null default clock_timestamp();
create index subscriptions_by_recorded_at on tenor.subscriptions (tenant_id, recorded_at, id);
