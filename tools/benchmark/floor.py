"""The floor: binary COPY of exactly the rows that a run wrote, already encoded, by the owner and without RLS.

Nothing is read, worked out or encoded; what remains is what PostgreSQL needs to take the rows: every constraint,
foreign key and index, the log and the commit. No bill run can be faster than this without writing less.
"""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Final

from psycopg import sql

from tenor.invoicing.bill_run.plan import open_or_plan_run
from tenor.kernel.ids import TenantId
from tenor.platform.database import Connection, Database
from tenor.platform.settings import Settings
from tenor.subscriptions import advance
from tools.benchmark.subscribers import MEASURED_RUN
from tools.benchmark.written import Documents, columns_of

_BLOCK_BYTES: Final = 1 << 18

Files = Mapping[str, Path]
"""For each table the file that holds its rows as binary COPY."""


@dataclass(frozen=True, slots=True)
class FloorFigures:
    """One load. `seconds` runs from the first byte to the last commit."""

    connections: int
    rows: int
    megabytes: float
    seconds: float


def prepare_run(settings: Settings, tenant_id: TenantId, documents: Documents) -> None:
    """Make what a run makes before its first batch, for rows to refer to: the run itself, and new partitions."""
    with Database.open(settings) as database, database.transaction(tenant_id) as uow:
        advance(uow, now=MEASURED_RUN)
        open_or_plan_run(uow, as_of=MEASURED_RUN, now=documents.started_at)


def measure_floor(settings: Settings, parts: Sequence[Files], *, rows: int) -> FloorFigures:
    """Load each of `parts` over a connection of its own, all at the same time, each in one transaction.

    `rows` is how many there are in all of them.
    """
    with Database.open(settings) as database, ExitStack() as stack:
        with database.owner() as owner:
            switch_row_level_security_off(owner)
        with database.setup() as operator:
            operator.execute("checkpoint")
        connections = [stack.enter_context(database.owner()) for _ in parts]
        start = threading.Barrier(len(parts) + 1)
        with ThreadPoolExecutor(len(parts)) as pool:
            loads = [
                pool.submit(_load, connection, files, start)
                for connection, files in zip(connections, parts, strict=True)
            ]
            start.wait()
            begun = perf_counter()
            for load in loads:
                load.result()
            seconds = perf_counter() - begun
    size = sum(path.stat().st_size for files in parts for path in files.values())
    return FloorFigures(connections=len(parts), rows=rows, megabytes=round(size / 1e6, 1), seconds=seconds)


def _load(connection: Connection, files: Files, start: threading.Barrier) -> None:
    statements = {table: _copy(connection, table) for table in files}
    start.wait()
    with connection.transaction(), connection.cursor() as cursor:
        for table, path in files.items():
            with path.open("rb") as file, cursor.copy(statements[table]) as copy:
                while block := file.read(_BLOCK_BYTES):
                    copy.write(block)


def _copy(connection: Connection, table: str) -> sql.Composed:
    columns = sql.SQL(", ").join(map(sql.Identifier, columns_of(connection, table)))
    return sql.SQL("copy {} ({}) from stdin (format binary)").format(sql.Identifier("tenor", table), columns)


def switch_row_level_security_off(owner: Connection) -> None:
    """Let the owner see and COPY the rows of all tenants."""
    tables = owner.execute(
        "select relname from pg_class where relnamespace = 'tenor'::regnamespace and relkind in ('r', 'p')"
    ).fetchall()
    for (name,) in tables:
        table = sql.Identifier("tenor", name)
        owner.execute(sql.SQL("alter table {} no force row level security, disable row level security").format(table))
