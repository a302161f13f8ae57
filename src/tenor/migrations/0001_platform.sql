-- Platform: the tenant of a transaction, the protection of every table, tenants, events, audit.
--
-- Rules for every later migration:
--   * tenant_id comes first in every primary and unique key, and is part of every foreign key;
--   * every table ends with `select tenor.protect('tenor.<table>', 'append' | 'update' | 'read')`;
--   * a table that is partitioned by time gets its partitions from tenor.ensure_month_partitions only;
--   * a change that has to see the rows of all tenants (a backfill, a foreign key added later) stands between
--     `alter table … no force row level security` and `… force row level security`;
--   * views are made with (security_invoker = true), states are text with a check, keys are uuid or bigint.
-- tests/architecture/test_posture.py reads the catalogue and refuses what breaks them.

grant usage on schema tenor to tenor_app, tenor_auditor;
alter default privileges revoke execute on functions from public;


-- The tenant of this transaction. Policies call it as `(select tenor.current_tenant())`, which runs once
-- per statement. A transaction that has set none is refused, for "no rows" would hide the mistake.
create function tenor.current_tenant() returns uuid
    language plpgsql stable parallel safe
    set search_path = pg_catalog, pg_temp
as $$
declare
    setting text := current_setting('tenor.tenant_id', true);  -- empty, not null, once a transaction has set it
begin
    if setting is null or setting = '' then
        raise exception 'this transaction has set no tenant'
            using errcode = 'insufficient_privilege', hint = 'open it with Database.transaction(tenant_id)';
    end if;
    return setting::uuid;
end $$;
grant execute on function tenor.current_tenant() to tenor_app, tenor_auditor;


create function tenor.refuse_change() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception '%.% is append-only: % is refused', tg_table_schema, tg_table_name, tg_op
        using errcode = 'restrict_violation', hint = 'write a row that corrects the earlier one';
end $$;


-- Binds everyone but the auditor to the rows of one tenant, the owner too; `is_append_only` refuses every
-- change of a row to everyone.
create function tenor.isolate(target regclass, is_append_only boolean) returns void
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
begin
    execute format('alter table %s enable row level security, force row level security', target);
    execute format(
        'create policy tenant_isolation on %s using (tenant_id = (select tenor.current_tenant()))'
        ' with check (tenant_id = (select tenor.current_tenant()))', target);
    if is_append_only then
        execute format(
            'create trigger append_only before update or delete or truncate on %s'
            ' for each statement execute function tenor.refuse_change()', target);
        execute format('alter table %s enable always trigger append_only', target);
    end if;
end $$;


-- Protects a table: row-level security, and what the application may do with it.
create function tenor.protect(target regclass, access text) returns void
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
declare
    verbs text := case access
        when 'append' then 'select, insert'
        when 'update' then 'select, insert, update'
        when 'read' then 'select'
    end;
begin
    if verbs is null then
        raise exception 'access is append, update or read, not %', access;
    end if;
    perform tenor.isolate(target, access = 'append');
    execute format('grant %s on %s to tenor_app', verbs, target);
    execute format('grant select on %s to tenor_auditor', target);
end $$;


-- Makes the missing monthly partitions `<parent>_yYYYYmMM` (UTC) from the month of the first date through the
-- month of the last one; returns how many. Runs as the owner, because the application may not create tables,
-- and therefore checks what it is asked for. Partitions have no grants: their rows are reached by the parent.
create function tenor.ensure_month_partitions(parent regclass, from_month date, to_month date) returns integer
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    first_month timestamp := date_trunc('month', from_month::timestamp);
    last_month timestamp := date_trunc('month', to_month::timestamp);
    month timestamp;
    parent_name name;
    is_append_only boolean;
    partition text;
    made integer := 0;
    tenant text := coalesce(current_setting('tenor.tenant_id', true), '');
begin
    if first_month is null or last_month is null or first_month < '1970-01-01' or last_month >= '2100-01-01'
        or last_month < first_month or last_month >= first_month + interval '240 months'
    then
        raise exception 'partitions from % through % are not 1 to 240 months of the years 1970 to 2099',
            from_month, to_month using errcode = 'invalid_parameter_value';
    end if;
    select relname into parent_name
    from pg_class join pg_partitioned_table on partrelid = pg_class.oid
    where pg_class.oid = parent and relnamespace = 'tenor'::regnamespace and partstrat = 'r' and partnatts = 1;
    if parent_name is null then
        raise exception '% is not a table of Tenor that is partitioned by time', parent
            using errcode = 'invalid_parameter_value';
    end if;
    for month in select generate_series(first_month, last_month, interval '1 month') loop
        partition := format('tenor.%I', parent_name || to_char(month, '"_y"YYYY"m"MM'));
        continue when to_regclass(partition) is not null;
        if made = 0 then  -- one process makes partitions at a time; what it made meanwhile is seen below
            perform pg_advisory_xact_lock(hashtextextended('tenor partitions of ' || parent_name, 0));
            select exists (select from pg_trigger where tgrelid = parent and tgname = 'append_only')
            into is_append_only;
            -- Attaching looks for rows that break a foreign key. A new partition has none, so it looks as nobody.
            perform set_config('tenor.tenant_id', '00000000-0000-0000-0000-000000000000', true);
            continue when to_regclass(partition) is not null;
        end if;
        execute format(
            'create table %s (like %s including all excluding indexes excluding identity excluding statistics)',
            partition, parent);
        perform tenor.isolate(partition::regclass, is_append_only);
        execute format(
            'alter table %s attach partition %s for values from (%L) to (%L)', parent, partition,
            to_char(month, 'YYYY-MM-DD 00:00:00+00'), to_char(month + interval '1 month', 'YYYY-MM-DD 00:00:00+00'));
        made := made + 1;
    end loop;
    perform set_config('tenor.tenant_id', tenant, true);
    return made;
end $$;
grant execute on function tenor.ensure_month_partitions(regclass, date, date) to tenor_app;


-- Who is billed for. The slug is the operator's own name for a tenant; only the owner writes it, so that its
-- uniqueness tells no tenant about another one.
create table tenor.tenants (
    tenant_id uuid primary key,
    slug text not null constraint tenants_slug_key unique,
    name text not null,
    is_sandbox boolean not null,
    clock_at timestamptz,  -- a sandbox's own time; null: it follows the wall clock
    timezone text not null,
    profile text not null,
    created_at timestamptz not null default now(),
    constraint tenants_slug_is_plain check (slug ~ '^[a-z][a-z0-9-]{0,62}$'),
    constraint tenants_only_a_sandbox_has_a_clock check (clock_at is null or is_sandbox)
);
select tenor.protect('tenor.tenants', 'read');


-- Events on their way out, written in the transaction of their cause. `transaction_id` is in commit order what a
-- sequence is not: a reader that stops below pg_snapshot_xmin(pg_current_snapshot()) misses no event.
create table tenor.outbox_events (
    tenant_id uuid not null,
    recorded_at timestamptz not null default now(),
    id uuid not null,
    type text not null,
    object_id uuid not null,
    payload jsonb not null,
    occurred_at timestamptz not null,
    transaction_id xid8 not null default pg_current_xact_id(),
    primary key (tenant_id, recorded_at, id)
) partition by range (recorded_at);
select tenor.protect('tenor.outbox_events', 'append');


-- Who did what to which object, and why. Same transaction as the deed, hence the same transaction_id.
create table tenor.audit_records (
    tenant_id uuid not null,
    recorded_at timestamptz not null default now(),
    id uuid not null,
    actor text not null,
    action text not null,
    object_type text not null,
    object_id uuid not null,
    reason text not null,
    before jsonb,
    after jsonb,
    occurred_at timestamptz not null,
    transaction_id xid8 not null default pg_current_xact_id(),
    primary key (tenant_id, recorded_at, id)
) partition by range (recorded_at);
select tenor.protect('tenor.audit_records', 'append');
