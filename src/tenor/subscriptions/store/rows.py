"""Writing rows of one table: few by INSERT, many by COPY."""

from collections.abc import Sequence
from typing import Any, Final

from psycopg import sql
from psycopg.types.json import Jsonb

from tenor.platform.unit_of_work import Column, UnitOfWork

FEW: Final = 100
"""Below this many rows a COPY with its stage costs more round trips than it saves."""


def write_rows(uow: UnitOfWork, table: str, columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> None:
    """Write `rows` into `table` as this tenant's; `columns` are its names and types without `tenant_id`."""
    if len(rows) >= FEW:
        uow.copy_rows(table, columns, rows)
        return
    names = sql.SQL(", ").join(sql.Identifier(name) for name, _ in columns)
    places = sql.SQL(", ").join([sql.Placeholder()] * (len(columns) + 1))
    insert = sql.SQL("insert into {} (tenant_id, {}) values ({})").format(sql.Identifier(table), names, places)
    json_places = frozenset(place for place, (_, column_type) in enumerate(columns) if column_type == "jsonb")
    with uow.connection.cursor() as cursor:
        cursor.executemany(
            insert,
            [
                (uow.tenant_id, *(Jsonb(value) if place in json_places else value for place, value in enumerate(row)))
                for row in rows
            ],
        )
