"""Rows of an append-only table that have become visible since the last look: each exactly once, however they commit.

A number that a transaction hands out says nothing about when it commits, so no "after 1042" finds all that is new. Two
snapshots do: a transaction is visible in the last one or it is not. See docs/adr/0022.

The table of the rows has `transaction_id xid8` and a number from a sequence. The table of the looks has one row for
each tenant with `seen pg_snapshot`, `open_window pg_snapshot` and `window_after bigint`. Names come from code, never
from input.
"""

from typing import Final, LiteralString, NamedTuple

from psycopg import sql

from tenor.kernel.errors import Refusal
from tenor.kernel.ids import TenantId
from tenor.platform.database import Database
from tenor.platform.unit_of_work import UnitOfWork


class TransactionsRenumbered(Refusal):
    """The database counts its transactions from lower numbers than were seen: it was restored from a dump."""

    code = "transactions_renumbered"


class Look(NamedTuple):
    """What is looked at: what is visible in `window` and was not in `seen`, beyond the number `after`.

    Snapshots as PostgreSQL writes them. Pass it to a query as its parameters: see `IS_NEW`.
    """

    seen: str
    window: str
    after: int


IS_NEW: Final[LiteralString] = """
    transaction_id >= pg_snapshot_xmin(%(seen)s::pg_snapshot)
    and not pg_visible_in_snapshot(transaction_id, %(seen)s::pg_snapshot)
    and pg_visible_in_snapshot(transaction_id, %(window)s::pg_snapshot)
"""
"""The condition for a row; besides, its number is greater than `%(after)s`, and rows are taken in that order."""


def begin_look(uow: UnitOfWork, looks: LiteralString) -> Look | None:
    """Return what is to be looked at next, with the row in the table `looks` locked until the transaction ends.

    None while another transaction is looking. A window that was left half done is gone on with.

    Raises:
        TransactionsRenumbered: the database was restored from a dump.
    """
    table = sql.Identifier(looks)
    insert = "insert into {} (tenant_id, seen) values (%s, '1:1:') on conflict (tenant_id) do nothing"
    uow.execute(sql.SQL(insert).format(table), [uow.tenant_id])
    # The lock comes in a statement of its own: the next one then sees what the last look has committed.
    if uow.fetch_one(sql.SQL("select from {} for update skip locked").format(table)) is None:
        return None
    (row,) = uow.fetch_all(
        sql.SQL(
            """
            select seen::text, coalesce(open_window, pg_current_snapshot())::text, coalesce(window_after, 0),
                   pg_snapshot_xmax(pg_current_snapshot()) < pg_snapshot_xmax(seen)
            from {}
            """
        ).format(table)
    )
    if row[3]:
        raise TransactionsRenumbered(
            "the transactions of this database have lower numbers than were seen before; after a restore from a dump,"
            " move the counter past them (pg_resetwal --next-transaction-id, --epoch)"
        )
    return Look(*row[:3])


def end_look(uow: UnitOfWork, looks: LiteralString, look: Look, *, left_after: int | None) -> None:
    """Keep what has been looked at: the whole window, or where rows of it are left, up to the number `left_after`."""
    if left_after is None:
        change = "update {} set seen = %s::pg_snapshot, open_window = null, window_after = null"
        uow.execute(sql.SQL(change).format(sql.Identifier(looks)), [look.window])
    else:
        change = "update {} set open_window = %s::pg_snapshot, window_after = %s"
        uow.execute(sql.SQL(change).format(sql.Identifier(looks)), [look.window, left_after])


def tenants_with_new(database: Database, rows: LiteralString, looks: LiteralString) -> list[TenantId]:
    """Return the tenants that have rows in the table `rows` which a look at it has not come to yet."""
    query = sql.SQL(
        """
        select tenant_id from tenants left join {looks} l using (tenant_id)
        where l.open_window is not null or exists (
            select from {rows} e
            where e.tenant_id = tenants.tenant_id
              and e.transaction_id >= coalesce(pg_snapshot_xmin(l.seen), '0')
              and (l.seen is null or not pg_visible_in_snapshot(e.transaction_id, l.seen)))
        order by tenant_id
        """
    ).format(rows=sql.Identifier(rows), looks=sql.Identifier(looks))
    with database.auditor() as connection:
        return [TenantId(row[0]) for row in connection.execute(query)]
