"""How far each reader of a tenant's feed has come, and who may read for it."""

from typing import Final, Literal, NamedTuple

from tenor.kernel.ids import TenantId
from tenor.platform.database import Database
from tenor.platform.unit_of_work import UnitOfWork

Reader = Literal["broker", "webhooks"]

LEASE_SECONDS: Final = 20
"""How long a relay that died keeps others from its tenant."""


class Lease(NamedTuple):
    """The right to read for `reader` from `position` on, until another one has taken a lease with a higher epoch."""

    reader: Reader
    position: int
    epoch: int


def start_reader(uow: UnitOfWork, reader: Reader, *, position: int) -> None:
    """Let a reader begin after `position`; nothing happens where it has begun already."""
    uow.execute(
        "insert into feed_readers (tenant_id, reader, position) values (%s, %s, %s)"
        " on conflict (tenant_id, reader) do nothing",
        [uow.tenant_id, reader, position],
    )


def lock_reader(uow: UnitOfWork, reader: Reader) -> int | None:
    """Return how far a reader has come, with its row locked until the transaction ends.

    None while another transaction has it locked, or when it has not begun.
    """
    row = uow.fetch_one("select position from feed_readers where reader = %s for update skip locked", [reader])
    return None if row is None else int(row[0])


def move_reader(uow: UnitOfWork, reader: Reader, *, position: int) -> None:
    """Move a locked reader."""
    uow.execute("update feed_readers set position = %s where reader = %s", [position, reader])


def take_lease(uow: UnitOfWork, reader: Reader) -> Lease | None:
    """Return a lease of `LEASE_SECONDS` by the database's clock; None while another one is running."""
    row = uow.fetch_one(
        """
        update feed_readers set epoch = epoch + 1, leased_until = clock_timestamp() + %s * interval '1 second'
        where reader = %s and leased_until < clock_timestamp()
        returning position, epoch
        """,
        [LEASE_SECONDS, reader],
    )
    return None if row is None else Lease(reader, *row)


def advance(uow: UnitOfWork, lease: Lease, *, position: int) -> Lease | None:
    """Move the reader and renew the lease; None when it belongs to another relay by now."""
    moved = uow.execute(
        "update feed_readers set position = %s, leased_until = clock_timestamp() + %s * interval '1 second'"
        " where reader = %s and epoch = %s",
        [position, LEASE_SECONDS, lease.reader, lease.epoch],
    )
    return lease._replace(position=position) if moved else None


def release(uow: UnitOfWork, lease: Lease) -> None:
    """End a lease before its time."""
    uow.execute(
        "update feed_readers set leased_until = '-infinity' where reader = %s and epoch = %s",
        [lease.reader, lease.epoch],
    )


def tenants_behind(database: Database, reader: Reader) -> list[tuple[TenantId, str]]:
    """Return id and slug of the tenants whose feed goes further than a reader that nobody holds a lease of."""
    with database.auditor() as connection:
        rows = connection.execute(
            """
            select t.tenant_id, t.slug from event_feeds f join tenants t using (tenant_id)
            left join feed_readers r on r.tenant_id = f.tenant_id and r.reader = %(reader)s
            where f.last_position > coalesce(r.position, 0)
              and coalesce(r.leased_until, '-infinity') < clock_timestamp()
              and (r.position is not null or %(reader)s = 'broker')
            order by t.tenant_id
            """,
            {"reader": reader},
        )
        return [(TenantId(row[0]), row[1]) for row in rows]
