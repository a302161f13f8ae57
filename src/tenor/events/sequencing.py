"""Give committed events their place in the feed: a position in the tenant, a sequence in their object, without gaps.

Publishers hand out no position: a transaction that publishes early may commit late, and who reads by such numbers
passes it over. Places are given here, to what is visible, by one relay at a time. See docs/adr/0022.
"""

from typing import Final, NamedTuple

from tenor.events.errors import ForeignFeed
from tenor.kernel.ids import TenantId
from tenor.platform.database import Database
from tenor.platform.unit_of_work import UnitOfWork

BATCH_EVENTS: Final = 10_000


class _Feed(NamedTuple):
    """The row of a feed: the snapshots come and go as PostgreSQL writes them."""

    last_position: int
    sequenced: str
    window: str
    window_after: int
    is_foreign: bool


def sequence_events(uow: UnitOfWork, *, limit: int = BATCH_EVENTS) -> int:
    """Place at most `limit` committed events that have no place yet; return how many.

    Events of one object keep the order in which they were published. Does nothing while another relay is at it. Its
    cost is that of the transactions since the last call and those that were open then, not of the history.

    Raises:
        ForeignFeed: the database was restored from a dump, and its transactions are numbered anew.
    """
    feed = _locked_feed(uow)
    if feed is None:
        return 0
    if feed.is_foreign:
        raise ForeignFeed(
            "the transactions of this database have lower numbers than those that its event feed has seen; after a"
            " restore from a dump, move the counter past them (pg_resetwal --next-transaction-id, --epoch)"
        )
    uow.execute("select tenor.ensure_month_partitions('tenor.feed_events', current_date, current_date)")
    count, last_no = uow.fetch_all(_PLACE, _placing(uow, feed, limit))[0]
    if count < limit:
        uow.execute(
            "update event_feeds set last_position = last_position + %s, sequenced = %s::pg_snapshot,"
            " open_window = null, window_after = null where tenant_id = %s",
            [count, feed.window, uow.tenant_id],
        )
    else:
        uow.execute(
            "update event_feeds set last_position = last_position + %s, open_window = %s::pg_snapshot,"
            " window_after = %s where tenant_id = %s",
            [count, feed.window, last_no, uow.tenant_id],
        )
    return int(count)


def tenants_with_news(database: Database) -> list[TenantId]:
    """Return the tenants that have committed events without a place."""
    with database.auditor() as connection:
        return [TenantId(row[0]) for row in connection.execute(_NEWS)]


def _locked_feed(uow: UnitOfWork) -> _Feed | None:
    """Return the feed, locked until the transaction ends; None while another relay holds it."""
    uow.execute(
        "insert into event_feeds (tenant_id, sequenced) values (%s, '1:1:') on conflict (tenant_id) do nothing",
        [uow.tenant_id],
    )
    # The lock comes in a statement of its own: the next one then sees what the last relay has committed.
    if uow.fetch_one("select from event_feeds for update skip locked") is None:
        return None
    row = uow.fetch_one(
        """
        select last_position, sequenced::text, coalesce(open_window, pg_current_snapshot())::text,
               coalesce(window_after, 0), pg_snapshot_xmax(pg_current_snapshot()) < pg_snapshot_xmax(sequenced)
        from event_feeds
        """
    )
    return None if row is None else _Feed(*row)


def _placing(uow: UnitOfWork, feed: _Feed, limit: int) -> dict[str, object]:
    return {
        "tenant": uow.tenant_id,
        "after": feed.window_after,
        "limit": limit,
        "sequenced": feed.sequenced,
        "window": feed.window,
        "last": feed.last_position,
    }


_PLACE: Final = """
    with picked as (
        select publication_no, id, recorded_at, object_id, type
        from outbox_events
        where transaction_id >= pg_snapshot_xmin(%(sequenced)s::pg_snapshot)
          and not pg_visible_in_snapshot(transaction_id, %(sequenced)s::pg_snapshot)
          and pg_visible_in_snapshot(transaction_id, %(window)s::pg_snapshot)
          and publication_no > %(after)s
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
        select %(tenant)s, %(last)s + place, object_id, last_sequence - followers, type, id, recorded_at
        from numbered join objects using (object_id)
        returning 1
    )
    select (select count(*) from written), (select max(publication_no) from picked)
"""

_NEWS: Final = """
    select tenant_id from tenants left join event_feeds feed using (tenant_id)
    where feed.open_window is not null or exists (
        select from outbox_events e
        where e.tenant_id = tenants.tenant_id
          and e.transaction_id >= coalesce(pg_snapshot_xmin(feed.sequenced), '0')
          and (feed.sequenced is null or not pg_visible_in_snapshot(e.transaction_id, feed.sequenced)))
    order by tenant_id
"""
