-- Planner statistics for tables that have just grown: a bill run that follows an import must not be planned as if
-- its tables were empty, and autovacuum comes by too late for that. The size on disk tells, because counters lag.

create function tenor.refresh_statistics() returns bigint
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    grown record;
    refreshed bigint := 0;
begin
    for grown in
        select c.oid::regclass as name
        from pg_class c
        where c.relnamespace = 'tenor'::regnamespace and c.relkind = 'r'
          and pg_relation_size(c.oid) / current_setting('block_size')::bigint > 2 * c.relpages + 8
        order by c.oid
    loop
        execute format('analyze %s', grown.name);
        refreshed := refreshed + 1;
    end loop;
    return refreshed;
end $$;
grant execute on function tenor.refresh_statistics() to tenor_app;
