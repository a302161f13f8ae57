"""One transaction of one tenant: explicit SQL in, rows out, and the fast way to write many rows."""

import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, cast

import psycopg
from psycopg import sql
from psycopg.abc import Params

from tenor.kernel.ids import TenantId
from tenor.platform.event import Event
from tenor.platform.sealing import KeyRing
from tenor.platform.settings import Settings

Row = tuple[Any, ...]
Statement = str | sql.SQL | sql.Composed
Column = tuple[str, str]
"""Name and PostgreSQL type of a column, e.g. `("amount_minor", "bigint")`."""


class Subscriber(Protocol):
    """What is told of events of a type in the transaction that publishes them; see `tenor.platform.outbox`."""

    def __call__(self, uow: "UnitOfWork", events: Sequence[Event], /) -> None: ...


Subscribers = Mapping[str, Sequence[Subscriber]]
"""Who follows which types of events. Functions of modules, so that a worker process can be given them."""

NOBODY: Final[Subscribers] = {}

_TYPE: Final = re.compile(r"[a-z][a-z0-9_ ]*(\[\])?")


@dataclass(frozen=True, slots=True)
class UnitOfWork:
    """A transaction of the role `tenor_app` that sees and writes the rows of `tenant_id` only.

    Made by `Database.transaction`. All writes of a business verb go through one of these, so that they
    commit together or not at all. Catch a database error only around `connection.transaction()`, which
    is a savepoint here: without one, the whole transaction is lost, and its end says so. `keyring` gives the keys
    that personal data is sealed under, `settings` are those that the database was opened with, `subscribers` are told
    of events.
    """

    connection: psycopg.Connection[Row]
    tenant_id: TenantId
    keyring: Callable[[], KeyRing]
    settings: Settings = field(repr=False)
    subscribers: Subscribers = field(default_factory=dict, repr=False)

    def execute(self, statement: Statement, params: Params | None = None) -> int:
        """Run a statement; return the number of rows that it wrote or found."""
        return self.connection.execute(statement, params).rowcount

    def fetch_all(self, statement: Statement, params: Params | None = None) -> list[Row]:
        """Return every row of a query."""
        return self.connection.execute(statement, params).fetchall()

    def fetch_one(self, statement: Statement, params: Params | None = None) -> Row | None:
        """Return the first row of a query, or None."""
        return self.connection.execute(statement, params).fetchone()

    def copy_rows(self, table: str, columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> int:
        """Write `rows` into `table` as this tenant's; return how many there were.

        `columns` are the table's without `tenant_id`, in the order of the values of a row. Binary COPY
        into a stage, then one INSERT … SELECT: the way for batches of a hundred rows and more. COPY
        itself is refused on a table with row-level security.

        Names and types come from code, never from input. Values are written as the column's type says:
        a `jsonb` takes what `msgspec.json.encode` takes.
        """
        names = sql.SQL(", ").join(sql.Identifier(name) for name, _ in columns)
        insert = sql.SQL("insert into {} (tenant_id, {}) select %s, {} from {}")
        with self.staged(table, columns, rows) as stage:
            # A session keeps the plans of its foreign-key checks. One made while the parent table was nearly empty may
            # use an index that is no longer selective, and read all rows of the tenant for each row written.
            self.connection.execute("discard plans")
            return self.execute(insert.format(sql.Identifier("tenor", table), names, names, stage), [self.tenant_id])

    @contextmanager
    def staged(self, name: str, columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> Iterator[sql.Identifier]:
        """Yield a temporary table that holds `rows`, for a set-based INSERT or UPDATE … FROM.

        `name` only makes the stage recognisable. The stage is made once per connection and set of
        columns, has no constraints, and is empty again after the block (and after any transaction).
        """
        types = [_require_type(column_type) for _, column_type in columns]
        signature = ",".join(f"{column} {column_type}" for column, column_type in columns)
        stage = sql.Identifier("pg_temp", f"stage_{name[:40]}_{zlib.crc32(signature.encode()):08x}")
        definition = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(cast(Any, column_type)))
            for (column, _), column_type in zip(columns, types, strict=True)
        )
        create = sql.SQL("create temporary table if not exists {} ({}) on commit delete rows")
        self.connection.execute(create.format(stage, definition))
        with (
            self.connection.cursor() as cursor,
            cursor.copy(sql.SQL("copy {} from stdin (format binary)").format(stage)) as copy,
        ):
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)
        yield stage
        self.connection.execute(sql.SQL("delete from {}").format(stage))  # cheaper than truncate up to 10,000s of rows


def _require_type(column_type: str) -> str:
    if not _TYPE.fullmatch(column_type):
        raise ValueError(f"{column_type!r} is not the plain name of a PostgreSQL type")
    return column_type
