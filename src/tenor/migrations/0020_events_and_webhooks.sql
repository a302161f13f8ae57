-- Events on their way out: the feed and its order, who has read how far, webhook endpoints, what is sent to them and each try.

-- The order in which events were published. A writer that has locked an object publishes before it lets the object go,
-- so the numbers of one object are in the order of its changes; numbers of different objects say nothing.
create sequence tenor.outbox_publications;
grant usage on sequence tenor.outbox_publications to tenor_app;
alter table tenor.outbox_events
    add column publication_no bigint not null default nextval('tenor.outbox_publications');
create index outbox_events_by_transaction on tenor.outbox_events (tenant_id, transaction_id, publication_no);

-- How far the feed of a tenant goes. Every event whose transaction is visible in `seen` has its position. While a
-- window that was too long for one batch is worked off, it is kept with the last publication that has been placed.
create table tenor.event_feeds (
    tenant_id uuid primary key references tenor.tenants,
    last_position bigint not null default 0 check (last_position >= 0),
    seen pg_snapshot not null,
    open_window pg_snapshot,
    window_after bigint,
    check ((open_window is null) = (window_after is null))
);
select tenor.protect('tenor.event_feeds', 'update');

-- How many events an object has had.
create table tenor.event_objects (
    tenant_id uuid not null references tenor.tenants,
    object_id uuid not null,
    last_sequence bigint not null check (last_sequence > 0),
    primary key (tenant_id, object_id)
) with (fillfactor = 80);
select tenor.protect('tenor.event_objects', 'update');
revoke update on tenor.event_objects from tenor_app;
grant update (last_sequence) on tenor.event_objects to tenor_app;

-- The feed: the place of each event among all of its tenant (`position`) and of its object (`sequence`), both without a
-- gap. What the event says stays in the outbox.
create table tenor.feed_events (
    tenant_id uuid not null,
    sequenced_at timestamptz not null default now(),
    position bigint not null check (position > 0),
    object_id uuid not null,
    sequence bigint not null check (sequence > 0),
    type text not null,
    event_id uuid not null,
    recorded_at timestamptz not null,
    primary key (tenant_id, sequenced_at, position)
) partition by range (sequenced_at);
create index feed_events_by_position on tenor.feed_events (tenant_id, position);
create index feed_events_by_object on tenor.feed_events (tenant_id, object_id, position);
create index feed_events_by_id on tenor.feed_events (tenant_id, event_id);
select tenor.protect('tenor.feed_events', 'append');

-- How far a reader of the feed has come. Who reads for a network takes a lease, and each lease has a higher epoch.
create table tenor.feed_readers (
    tenant_id uuid not null references tenor.tenants,
    reader text not null check (reader in ('broker', 'webhooks')),
    position bigint not null check (position >= 0),
    epoch bigint not null default 0,
    leased_until timestamptz not null default '-infinity',
    primary key (tenant_id, reader)
);
select tenor.protect('tenor.feed_readers', 'update');

create table tenor.webhook_endpoints (
    tenant_id uuid not null references tenor.tenants,
    id uuid not null,
    url text not null check (length(url) between 1 and 2000),
    description text not null check (length(description) <= 500),
    -- 'invoice.finalised', or 'invoice.*' for all of an object; none: every event.
    event_types text[] not null check (cardinality(event_types) <= 100),
    status text not null check (status in ('active', 'disabled')),
    disabled_because text check (disabled_because in ('operator', 'gone', 'failing')),
    created_at timestamptz not null,
    -- Since when no attempt has succeeded; null while the last one did.
    failing_since timestamptz,
    delivered_at timestamptz,
    primary key (tenant_id, id),
    check ((status = 'disabled') = (disabled_because is not null))
);
select tenor.protect('tenor.webhook_endpoints', 'update');
revoke update on tenor.webhook_endpoints from tenor_app;
grant update (status, disabled_because, failing_since, delivered_at) on tenor.webhook_endpoints to tenor_app;

-- The keys that an endpoint's messages are signed with; the newest and, for a while after a rotation, the one before.
-- Sealed as customers' keys are: `key_id` says which key-encryption key wraps it.
create table tenor.webhook_secrets (
    tenant_id uuid not null,
    endpoint_id uuid not null,
    secret_no bigint not null check (secret_no > 0),
    key_id text not null check (key_id ~ '^[0-9a-f]{16}$'),
    wrapped bytea not null check (length(wrapped) = 61),
    created_at timestamptz not null,
    expires_at timestamptz,
    primary key (tenant_id, endpoint_id, secret_no),
    foreign key (tenant_id, endpoint_id) references tenor.webhook_endpoints (tenant_id, id)
);
select tenor.protect('tenor.webhook_secrets', 'update');
revoke update on tenor.webhook_secrets from tenor_app;
grant update (expires_at, key_id, wrapped) on tenor.webhook_secrets to tenor_app;

-- One event for one endpoint, written before the first call. A claim counts as a try, so that a message whose
-- sender dies is not tried for ever: `attempt_count` counts all, `try_no` those since the message was written or replayed.
-- Who holds a message until `claimed_until` tries it.
create table tenor.webhook_messages (
    tenant_id uuid not null,
    sequenced_at timestamptz not null,
    endpoint_id uuid not null,
    position bigint not null check (position > 0),
    event_id uuid not null,
    object_id uuid not null,
    status text not null check (status in ('pending', 'delivered', 'dead')),
    attempt_count bigint not null default 0 check (attempt_count >= 0),
    try_no bigint not null default 0 check (try_no >= 0),
    next_attempt_at timestamptz,
    claimed_until timestamptz,
    primary key (tenant_id, sequenced_at, endpoint_id, position),
    check ((status = 'pending') = (next_attempt_at is not null)),
    foreign key (tenant_id, endpoint_id) references tenor.webhook_endpoints (tenant_id, id)
) partition by range (sequenced_at);
create index webhook_messages_pending on tenor.webhook_messages (tenant_id, endpoint_id, next_attempt_at, position)
    where status = 'pending';
create index webhook_messages_in_order on tenor.webhook_messages (tenant_id, endpoint_id, object_id, position)
    where status = 'pending';
create index webhook_messages_under_way on tenor.webhook_messages (tenant_id, endpoint_id)
    where claimed_until is not null;
create index webhook_messages_dead on tenor.webhook_messages (tenant_id, endpoint_id, position) where status = 'dead';
create index webhook_messages_by_event on tenor.webhook_messages (tenant_id, event_id);
select tenor.protect('tenor.webhook_messages', 'update');
revoke update on tenor.webhook_messages from tenor_app;
grant update (status, attempt_count, try_no, next_attempt_at, claimed_until) on tenor.webhook_messages to tenor_app;

-- What came of each try. `status_code` is what the receiver answered, `error` why there was no answer.
create table tenor.webhook_attempts (
    tenant_id uuid not null,
    started_at timestamptz not null,
    endpoint_id uuid not null,
    event_id uuid not null,
    attempt_no bigint not null check (attempt_no > 0),
    status_code bigint,
    error text check (length(error) <= 500),
    answer text not null check (length(answer) <= 1024),
    duration_ms bigint not null check (duration_ms >= 0),
    primary key (tenant_id, started_at, endpoint_id, event_id, attempt_no),
    check ((status_code is null) = (error is not null)),
    foreign key (tenant_id, endpoint_id) references tenor.webhook_endpoints (tenant_id, id)
) partition by range (started_at);
create index webhook_attempts_by_endpoint on tenor.webhook_attempts (tenant_id, endpoint_id, started_at);
create index webhook_attempts_by_event on tenor.webhook_attempts (tenant_id, event_id);
select tenor.protect('tenor.webhook_attempts', 'append');

-- The audit trail: the request that a deed came with, and a chain of hashes over all records, in which the change or
-- loss of one shows. The chain is forged after the commit, as places in the feed are given, so that nobody waits for it.
create sequence tenor.audit_numbers;
grant usage on sequence tenor.audit_numbers to tenor_app;
alter table tenor.audit_records
    add column record_no bigint not null default nextval('tenor.audit_numbers'),
    add column request_id text default nullif(current_setting('tenor.request_id', true), '')
        check (length(request_id) <= 200);
create index audit_records_by_transaction on tenor.audit_records (tenant_id, transaction_id, record_no);

create table tenor.audit_chains (
    tenant_id uuid primary key references tenor.tenants,
    last_position bigint not null default 0 check (last_position >= 0),
    last_hash bytea not null default sha256('') check (length(last_hash) = 32),
    seen pg_snapshot not null,
    open_window pg_snapshot,
    window_after bigint,
    check ((open_window is null) = (window_after is null))
);
select tenor.protect('tenor.audit_chains', 'update');

-- One link for each record: SHA-256 over the hash of the link before and all that the record says.
create table tenor.audit_links (
    tenant_id uuid not null,
    chained_at timestamptz not null default now(),
    position bigint not null check (position > 0),
    record_id uuid not null,
    recorded_at timestamptz not null,
    hash bytea not null check (length(hash) = 32),
    primary key (tenant_id, chained_at, position)
) partition by range (chained_at);
create index audit_links_by_position on tenor.audit_links (tenant_id, position);
select tenor.protect('tenor.audit_links', 'append');
