"""Give committed events their place in the feed: a position in the tenant, a sequence in their object, without gaps.

Publishers hand out no position: a transaction that publishes early may commit late, and who reads by such numbers
passes it over. Places are given here, to what is visible, by one relay at a time. See docs/adr/0022.
"""

from typing import Final, LiteralString

from tenor.kernel.ids import TenantId
from tenor.platform.database import Database
from tenor.platform.newly_visible import IS_NEW, begin_look, end_look, tenants_with_new
from tenor.platform.unit_of_work import UnitOfWork

BATCH_EVENTS: Final = 10_000


def sequence_events(uow: UnitOfWork, *, limit: int = BATCH_EVENTS) -> int:
    """Place at most `limit` committed events that have no place yet; return how many.

    Events of one object keep the order in which they were published. Does nothing while another relay is at it. Its
    cost is that of the transactions since the last call and those that were open then, not of the history.

    Raises:
        TransactionsRenumbered: the database was restored from a dump.
    """
    look = begin_look(uow, "event_feeds")
    if look is None:
        return 0
    uow.execute("select tenor.ensure_month_partitions('tenor.feed_events', current_date, current_date)")
    count, last_no = uow.fetch_all(_PLACE, {**look._asdict(), "tenant": uow.tenant_id, "limit": limit})[0]
    if count:
        uow.execute("update event_feeds set last_position = last_position + %s", [count])
    end_look(uow, "event_feeds", look, left_after=last_no if count == limit else None)
    return int(count)


def tenants_with_news(database: Database) -> list[TenantId]:
    """Return the tenants that have committed events without a place."""
    return tenants_with_new(database, "outbox_events", "event_feeds")


_PLACE: Final[LiteralString] = f"""
    with picked as (
        select publication_no, id, recorded_at, object_id, type
        from outbox_events
        where {IS_NEW} and publication_no > %(after)s
        order by publication_no
        limit %(limit)s
    ), numbered as (
        select picked.*, row_number() over (order by publication_no) as place,
               row_number() over (partition by object_id order by publication_no desc) - 1 as followers
        from picked
    ), objects as (
        insert into event_objects as known (tenant_id, object_id, last_sequence)
        select %(tenant)s, object_id, count(*) from picked group by object_id
        on conflict (tenant_id, object_id) do update set last_sequence = known.last_sequence + excluded.last_sequence
        returning object_id, last_sequence
    ), written as (
        insert into feed_events (tenant_id, position, object_id, sequence, type, event_id, recorded_at)
        select %(tenant)s, (select last_position from event_feeds) + place, object_id, last_sequence - followers,
               type, id, recorded_at
        from numbered join objects using (object_id)
        returning 1
    )
    select (select count(*) from written), (select max(publication_no) from picked)
"""
