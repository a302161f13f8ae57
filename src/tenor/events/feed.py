"""Read the feed: every event of a tenant once, in order, without a gap however its transactions committed."""

from collections.abc import Sequence
from typing import Any, Final, LiteralString, NamedTuple
from uuid import UUID

from tenor.events.model import FeedEvent, FeedPage, require_event_types
from tenor.kernel.errors import NotFound
from tenor.kernel.ids import to_wire
from tenor.platform.database import Database
from tenor.platform.unit_of_work import UnitOfWork

PAGE_EVENTS_MAX: Final = 1_000

# Each event is looked up on its own (lateral, limit 1): a join of a page with all of the outbox is what the planner
# takes for it otherwise, at a cost that grows with the history.
_TOLD: Final[LiteralString] = """
    select f.position, f.sequence, e.id, e.type, e.object_id, e.occurred_at, f.sequenced_at, e.payload
    from page f cross join lateral (
        select o.* from outbox_events o
        where o.tenant_id = f.tenant_id and o.recorded_at = f.recorded_at and o.id = f.event_id limit 1
    ) e
    order by f.position
"""


class FeedStatus(NamedTuple):
    """How far a tenant's feed goes, and how far each reader has come. `unsequenced`: there is news without a place."""

    tenant: str
    last_position: int
    unsequenced: bool
    broker_position: int | None
    webhooks_position: int | None


def events_after(
    uow: UnitOfWork, cursor: int, *, limit: int = 100, types: Sequence[str] = (), object_id: UUID | None = None
) -> FeedPage:
    """Return the next events after the position `cursor` (0: from the first), at most `limit` (1 to 1,000).

    `types` holds types such as 'invoice.finalised' or 'invoice.*', none for all; `object_id` keeps the events of one
    object. A position that was read never gets a neighbour before it later, so a reader that goes on from
    `page.cursor` misses nothing. Without a filter the positions have no gap.

    Raises:
        NotAnEventType: one of `types` is none.
    """
    asked = require_event_types(types)
    rows = uow.fetch_all(
        f"""
        with page as materialized (
            select * from feed_events
            where position > %(cursor)s {"" if object_id is None else "and object_id = %(object)s"}
              and (%(any_type)s or type = any(%(types)s) or split_part(type, '.', 1) || '.*' = any(%(types)s))
            order by position limit %(limit)s
        ) {_TOLD}
        """,
        {
            "cursor": cursor,
            "any_type": not asked,
            "types": list(asked),
            "object": object_id,
            "limit": min(max(limit, 1), PAGE_EVENTS_MAX) + 1,
        },
    )
    found = [FeedEvent(*row) for row in rows]
    page = found[: min(max(limit, 1), PAGE_EVENTS_MAX)]
    return FeedPage(page, page[-1].position if page else cursor, has_more=len(found) > len(page))


def find_event(uow: UnitOfWork, event_id: UUID) -> FeedEvent:
    """Return one event.

    Raises:
        NotFound: the feed holds none of this id; what was just written may get its place in a moment.
    """
    found = f"with page as materialized (select * from feed_events where event_id = %s) {_TOLD}"
    row = uow.fetch_one(found, [event_id])
    if row is None:
        raise NotFound(f"there is no event {to_wire('evt', event_id)}")
    return FeedEvent(*row)


def events_at(uow: UnitOfWork, positions: Sequence[int]) -> dict[int, FeedEvent]:
    """Return the events at these positions."""
    found = f"with page as materialized (select * from feed_events where position = any(%s)) {_TOLD}"
    rows = uow.fetch_all(found, [list(positions)])
    return {row[0]: FeedEvent(*row) for row in rows}


def last_position(uow: UnitOfWork) -> int:
    """Return the position of the newest event; 0 for none."""
    row = uow.fetch_one("select last_position from event_feeds")
    return 0 if row is None else int(row[0])


def feed_status(database: Database) -> list[FeedStatus]:
    """Return where the feed of every tenant stands, by slug."""
    with database.auditor() as connection:
        return [FeedStatus(*row) for row in connection.execute(_STATUS)]


_STATUS: Final[Any] = """
    select t.slug, coalesce(f.last_position, 0),
           exists (select from outbox_events e
                   where e.tenant_id = t.tenant_id
                     and e.transaction_id >= coalesce(pg_snapshot_xmin(f.seen), '0')
                     and (f.seen is null or not pg_visible_in_snapshot(e.transaction_id, f.seen))),
           (select position from feed_readers r where r.tenant_id = t.tenant_id and reader = 'broker'),
           (select position from feed_readers r where r.tenant_id = t.tenant_id and reader = 'webhooks')
    from tenants t left join event_feeds f using (tenant_id)
    order by t.slug
"""
