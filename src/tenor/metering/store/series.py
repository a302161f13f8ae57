"""Series that are there, and those that events are the first of."""

from collections.abc import Mapping
from typing import Any, Final
from weakref import WeakKeyDictionary

from psycopg import Connection

from tenor.kernel.ids import TenantId
from tenor.metering.rules.series import Series, array_text
from tenor.platform.arrays import column_arrays, unnested
from tenor.platform.unit_of_work import UnitOfWork

SERIES_COLUMNS: Final = (
    ("id", "uuid"),
    ("customer_id", "uuid"),
    ("subscription_id", "uuid"),
    ("metric_code", "text"),
    ("dimensions", "text"),
    ("dimension_values", "text"),
)

_REMEMBERED_MAX: Final = 50_000
_remembered: WeakKeyDictionary[Connection[Any], dict[TenantId, set[bytes]]] = WeakKeyDictionary()
"""Ids of series that a session has seen to be committed. They stay true: a series is never taken away again."""


def missing_series(uow: UnitOfWork, series: Mapping[bytes, Series]) -> set[Series]:
    """Return those of `series`, by their ids, that are not there yet."""
    remembered = _remembered.setdefault(uow.connection, {}).setdefault(uow.tenant_id, set())
    wanted = series.keys() - remembered
    if not wanted:
        return set()
    rows = uow.fetch_all(_MISSING, column_arrays("wanted", _ID_COLUMN, [(series_id,) for series_id in wanted]))
    missing = {row[0].bytes for row in rows if row[0] is not None}
    if (None, True) in rows:
        if len(remembered) + len(wanted) > _REMEMBERED_MAX:
            remembered.clear()
        remembered |= wanted - missing
    return {series[series_id] for series_id in missing}


def series_arrays(series: set[Series]) -> dict[str, Any]:
    """Return the parameters of `unnested("series", SERIES_COLUMNS)` that make it `series`."""
    rows = [
        (
            entry.id,
            entry.customer_id.bytes,
            None if entry.subscription_id is None else entry.subscription_id.bytes,
            entry.metric_code,
            array_text(entry.dimensions),
            array_text(entry.dimension_values),
        )
        for entry in series
    ]
    return column_arrays("series", SERIES_COLUMNS, rows)


_ID_COLUMN: Final = (("id", "uuid"),)

# Of a transaction that has written nothing yet, everything that it sees is committed.
_MISSING: Final = f"""
    (select id, false from {unnested("wanted", _ID_COLUMN)}
     except select id, false from usage_series where id = any(%(wanted_id)s::uuid[]))
    union all select null, pg_current_xact_id_if_assigned() is null
"""
