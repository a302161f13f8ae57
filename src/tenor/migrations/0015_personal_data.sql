-- Personal data: sealed field by field under a key of each customer's own, which a key-encryption key wraps. The
-- key-encryption keys never come near the database. Who destroys a customer's key has erased what it sealed.

-- In a table of its own, so that backups can leave the keys out, or keep them for a shorter time. `key_id` says which
-- key-encryption key wraps it; `wrapped` is gone once the customer was erased.
create table tenor.customer_keys (
    tenant_id uuid not null,
    customer_id uuid not null,
    key_id text check (key_id ~ '^[0-9a-f]{16}$'),
    wrapped bytea check (length(wrapped) = 61),
    made_at timestamptz not null,
    destroyed_at timestamptz,
    primary key (tenant_id, customer_id),
    check ((wrapped is null) = (destroyed_at is not null)),
    check ((key_id is null) = (wrapped is null)),
    foreign key (tenant_id, customer_id) references tenor.customers (tenant_id, id)
);
create index customer_keys_by_key on tenor.customer_keys (tenant_id, key_id) where key_id is not null;
select tenor.protect('tenor.customer_keys', 'update');
revoke update on tenor.customer_keys from tenor_app;
grant update (key_id, wrapped, destroyed_at) on tenor.customer_keys to tenor_app;

-- `name` holds the names of before, until `tenor keys rotate` has sealed them too.
alter table tenor.customers
    alter column name drop not null,
    add column name_sealed bytea check (length(name_sealed) <= 2100),
    add column email_sealed bytea check (length(email_sealed) <= 2100),
    add column address_sealed bytea check (length(address_sealed) <= 4200),
    add check (name is null or name_sealed is null);
