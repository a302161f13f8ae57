-- What each call over HTTP does in several statements, in one: round trips are its cost.

-- Lets one transaction at a time go on with an idempotency key, and tells what was answered under it. Two statements
-- inside: the second one sees what the transaction before has committed. Where another transaction is at work,
-- `is_turn` is false and nothing is told.
create function tenor.take_turn(turn text, asked text)
    returns table (is_turn boolean, fingerprint bytea, status bigint, body bytea, answered_at timestamptz)
    language plpgsql volatile
    set search_path = pg_catalog, pg_temp
as $$
begin
    is_turn := pg_try_advisory_xact_lock(hashtextextended(turn, 0));
    if is_turn then
        select kept.fingerprint, kept.status, kept.body, kept.answered_at
        into take_turn.fingerprint, take_turn.status, take_turn.body, take_turn.answered_at
        from tenor.idempotency_answers kept where kept.key = asked;
    end if;
    return next;
end $$;

-- Write events and records with the partitions that they need, as whoever calls: row-level security applies.
create function tenor.write_events(tenant uuid, ids uuid[], types text[], objects uuid[], payloads jsonb[],
                                   instants timestamptz[]) returns void
    language plpgsql volatile
    set search_path = pg_catalog, pg_temp
as $$
begin
    perform tenor.ensure_month_partitions('tenor.outbox_events', current_date, current_date);
    insert into tenor.outbox_events (tenant_id, id, type, object_id, payload, occurred_at)
    select tenant, * from unnest(ids, types, objects, payloads, instants);
end $$;

create function tenor.write_audit_records(tenant uuid, ids uuid[], actors text[], actions text[], object_types text[],
                                          objects uuid[], reasons text[], befores jsonb[], afters jsonb[],
                                          instants timestamptz[]) returns void
    language plpgsql volatile
    set search_path = pg_catalog, pg_temp
as $$
begin
    perform tenor.ensure_month_partitions('tenor.audit_records', current_date, current_date);
    insert into tenor.audit_records
        (tenant_id, id, actor, action, object_type, object_id, reason, before, after, occurred_at)
    select tenant, * from unnest(ids, actors, actions, object_types, objects, reasons, befores, afters, instants);
end $$;

grant execute on function tenor.take_turn(text, text) to tenor_app;
grant execute on function tenor.write_events(uuid, uuid[], text[], uuid[], jsonb[], timestamptz[]) to tenor_app;
grant execute on function tenor.write_audit_records(uuid, uuid[], text[], text[], text[], uuid[], text[], jsonb[],
                                                    jsonb[], timestamptz[]) to tenor_app;
