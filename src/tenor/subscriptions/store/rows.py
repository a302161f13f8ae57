"""Writing rows of one table: few by INSERT, many by COPY."""

from collections.abc import Sequence
from functools import cache
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
    json_places = frozenset(place for place, (_, column_type) in enumerate(columns) if column_type == "jsonb")
    told = [
        (uow.tenant_id, *(Jsonb(value) if place in json_places else value for place, value in enumerate(row)))
        for row in rows
    ]
    insert = _insert(table, tuple(name for name, _ in columns))
    if len(told) == 1:  # what a call over HTTP writes: not worth a pipeline
        uow.execute(insert, told[0])
        return
    with uow.connection.cursor() as cursor:
        cursor.executemany(insert, told)


@cache
def _insert(table: str, names: tuple[str, ...]) -> str:
    """Return the statement that writes a row; the names come from code. Put together once, for that is not cheap."""
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    places = sql.SQL(", ").join([sql.Placeholder()] * (len(names) + 1))
    return (
        sql.SQL("insert into {} (tenant_id, {}) values ({})").format(sql.Identifier(table), columns, places).as_string()
    )
