"""What a run wrote: the rows themselves, for the floor, and their totals, to see that three jobs wrote the same."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Final

from psycopg import sql

from tenor.kernel.ids import BillRunId
from tenor.platform.database import Connection, Database
from tenor.platform.settings import Settings
from tools.benchmark.subscribers import MEASURED_RUN

WRITTEN_BY_A_RUN: Final[Mapping[str, str]] = {
    "invoices": "t.id = i.id",
    "invoice_lines": "t.invoice_id = i.id and t.issued_at = i.issued_at",
    "claims": "t.invoice_id = i.id",
    "transfers": "t.source_id = i.id and t.effective_at = i.issued_at",
    "outbox_events": "t.object_id = i.id",
    "bill_run_items": "t.run_id = i.run_id and t.subscription_id = i.subscription_id",
}
"""Every table that gets rows for each invoice, and how its rows find theirs."""


@dataclass(frozen=True, slots=True)
class Written:
    """Totals of the measured run. `digest` is over the digests of its documents in the order of their numbers,
    which cover each document's number, head and lines."""

    rows: dict[str, int]
    total_minor: int
    lines_minor: int
    claimed_minor: int
    transfers_minor: int
    digest: str

    @property
    def row_count(self) -> int:
        """The rows of all tables together."""
        return sum(self.rows.values())


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents of the measured run: its id, when it was recorded, and their legal numbers, all in one row."""

    run_id: BillRunId
    started_at: datetime
    first: int
    last: int

    def cut(self, parts: int) -> list["Documents"]:
        """Return `parts` spans of equal length, which are the whole together."""
        count = self.last - self.first + 1
        ends = [self.first + count * part // parts for part in range(parts + 1)]
        return [Documents(self.run_id, self.started_at, low, high - 1) for low, high in pairwise(ends)]

    def head(self, count: int) -> "Documents":
        """Return the first `count` of them."""
        return Documents(self.run_id, self.started_at, self.first, min(self.last, self.first + count - 1))


def measured_documents(settings: Settings) -> Documents:
    """Return the documents of the measured run."""
    with _auditor(settings) as connection:
        row = connection.execute(
            """
            select r.id, r.started_at, min(i.number), max(i.number)
            from bill_runs r join invoices i on i.tenant_id = r.tenant_id and i.run_id = r.id
            where r.as_of = %s group by r.tenant_id, r.id, r.started_at
            """,
            [MEASURED_RUN],
        ).fetchone()
    if row is None:
        raise LookupError("the measured run has made no invoice")
    return Documents(BillRunId(row[0]), *row[1:])


def read_written(settings: Settings, documents: Documents) -> Written:
    """Return the totals of what was written for `documents`.

    Analyses the tables first: nobody has looked yet at what a job has just written.
    """
    with Database.open(settings) as database, database.setup() as operator:
        operator.execute("analyze " + ", ".join(WRITTEN_BY_A_RUN))
    with _auditor(settings) as connection:
        rows = {table: _number(connection, table, documents, "count(*)") for table in WRITTEN_BY_A_RUN}
        digest = _fetch(
            connection, "invoices", documents, "encode(sha256(string_agg(t.digest, '' order by t.number)), 'hex')"
        )
        return Written(
            rows=rows,
            total_minor=_number(connection, "invoices", documents, "sum(t.total_minor)"),
            lines_minor=_number(connection, "invoice_lines", documents, "sum(t.amount_minor)"),
            claimed_minor=_number(connection, "claims", documents, "sum(t.amount_minor)"),
            transfers_minor=_number(connection, "transfers", documents, "sum(t.amount_minor)"),
            digest=str(digest),
        )


def export_rows(settings: Settings, documents: Documents, folder: Path) -> dict[str, Path]:
    """Write the rows of `documents` to a file for each table in `folder`: as binary COPY encodes them, in order.

    Call it after `read_written`, which analyses the tables.
    """
    files = {}
    folder.mkdir()
    with _auditor(settings) as connection, connection.cursor() as cursor:
        for table in WRITTEN_BY_A_RUN:
            files[table] = folder / f"{table}.copy"
            columns = sql.SQL(", ").join(sql.Identifier("t", name) for name in columns_of(connection, table))
            query = sql.SQL("copy ({} order by i.number) to stdout (format binary)").format(
                _of(table, documents, columns)
            )
            with files[table].open("wb") as file, cursor.copy(query) as copy:
                for block in copy:
                    file.write(block)
    return files


def columns_of(connection: Connection, table: str) -> list[str]:
    """Return the columns of `table` that can be written: all but the generated ones."""
    rows = connection.execute(
        """
        select attname from pg_attribute
        where attrelid = ('tenor.' || %s)::regclass and attnum > 0 and not attisdropped and attgenerated = ''
        order by attnum
        """,
        [table],
    )
    return [row[0] for row in rows]


def _of(table: str, documents: Documents, what: sql.Composable) -> sql.Composed:
    query = "select {} from tenor.{} t join tenor.invoices i on i.tenant_id = t.tenant_id and {}"
    where = " where i.run_id = {} and i.number between {} and {}"
    return sql.SQL(query + where).format(
        what,
        sql.Identifier(table),
        sql.SQL(WRITTEN_BY_A_RUN[table]),
        documents.run_id,
        documents.first,
        documents.last,
    )


def _fetch(connection: Connection, table: str, documents: Documents, what: str) -> object:
    row = connection.execute(_of(table, documents, sql.SQL(what))).fetchone()
    return row[0] if row else None


def _number(connection: Connection, table: str, documents: Documents, what: str) -> int:
    return int(str(_fetch(connection, table, documents, what) or 0))


@contextmanager
def _auditor(settings: Settings) -> Iterator[Connection]:
    with Database.open(settings) as database, database.auditor() as connection:
        yield connection
