-- The life of a document, held here as well: the pairs of `DOCUMENT_MOVES` in invoicing/rules/lifecycle.py, no other.

create function tenor.document_move_allowed(from_status text, to_status text) returns boolean
language sql immutable parallel safe
as $$
    select (from_status, to_status) in (
        ('draft', 'finalized'), ('draft', 'void'),
        ('finalized', 'paid'), ('finalized', 'uncollectible'), ('finalized', 'void'),
        ('paid', 'finalized'),
        ('uncollectible', 'paid'), ('uncollectible', 'void')
    )
$$;
grant execute on function tenor.document_move_allowed(text, text) to tenor_app, tenor_auditor;

-- A document without a row is finalized: its first row says where it went from there. Asked afterwards, because an
-- insert that becomes an update is no insert.
create function tenor.refuse_illegal_document_move() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    was text := case tg_op when 'INSERT' then 'finalized' else old.status end;
begin
    if was <> new.status and not tenor.document_move_allowed(was, new.status) then
        raise exception 'a document cannot go from % to %', was, new.status
            using errcode = 'check_violation', constraint = 'document_move_allowed';
    end if;
    return null;
end
$$;
create trigger refuse_illegal_document_move after insert or update of status on tenor.document_states
    for each row execute function tenor.refuse_illegal_document_move();
