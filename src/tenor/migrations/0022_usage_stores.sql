-- Usage of tenants that was relocated to ClickHouse: the fact of it, and shipments of events on their way there.

-- A row says that the tenant's usage is in ClickHouse: all that PostgreSQL held by then (so many events that counted, of
-- that sum), and all that came since. From then on the tables of 0003 and 0014 take no event and no hour of it.
create table tenor.usage_relocations (
    tenant_id uuid not null references tenor.tenants,
    event_count bigint not null check (event_count >= 0),
    total numeric not null check (total <> 'NaN' and abs(total) < 1e33 and scale(total) <= 18),
    recorded_at timestamptz not null,
    primary key (tenant_id)
);
select tenor.protect('tenor.usage_relocations', 'append');

-- Events that were taken, in the rows that ClickHouse keeps: an array of objects. The payload goes once ClickHouse has
-- acknowledged it, and not before: until then whoever reads usage adds it to what is found there. `id` is the ordinal
-- of one of its rows.
create table tenor.usage_shipments (
    tenant_id uuid not null,
    id bigint not null,
    row_count bigint not null check (row_count > 0),
    payload jsonb check (jsonb_typeof(payload) = 'array' and jsonb_array_length(payload) = row_count),
    recorded_at timestamptz not null,
    shipped_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id) references tenor.usage_relocations (tenant_id),
    check ((payload is null) = (shipped_at is not null))
);
create index usage_shipments_waiting on tenor.usage_shipments (tenant_id, id) where shipped_at is null;
select tenor.protect('tenor.usage_shipments', 'update');
revoke update on tenor.usage_shipments from tenor_app;
grant update (payload, shipped_at) on tenor.usage_shipments to tenor_app;

-- A writer that chose PostgreSQL, and then waited for the relocation to end, must not write where nobody reads any more.
create function tenor.refuse_relocated_usage() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
begin
    if exists (select from tenor.usage_relocations) then
        raise exception 'the usage of this tenant was relocated to ClickHouse'
            using errcode = 'restrict_violation', hint = 'send it again';
    end if;
    return null;
end $$;
create trigger refuse_relocated before insert on tenor.usage_events
    for each statement execute function tenor.refuse_relocated_usage();
