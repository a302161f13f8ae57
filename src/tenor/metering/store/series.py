"""Series that are there, and those that events are the first of."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from tenor.metering.rules.series import Series, array_text
from tenor.metering.store.remembered import Remembered
from tenor.platform.arrays import column_arrays
from tenor.platform.unit_of_work import UnitOfWork

SERIES_COLUMNS: Final = (
    ("id", "uuid"),
    ("customer_id", "uuid"),
    ("subscription_id", "uuid"),
    ("metric_code", "text"),
    ("dimensions", "text"),
    ("dimension_values", "text"),
)

_committed: Final = Remembered[bytes, None]()
"""Ids of series. A series is never taken away again."""


def missing_series(uow: UnitOfWork, series: Mapping[bytes, Series]) -> set[Series]:
    """Return those of `series`, by their ids, that are not there yet."""
    wanted = series.keys() - _committed.of(uow).keys()
    if not wanted:
        return set()
    rows = uow.fetch_all(
        "select id from usage_series where id = any(%b::uuid[])", [[UUID(bytes=series_id) for series_id in wanted]]
    )
    found = {row[0].bytes: None for row in rows}
    _committed.add(uow, found)
    return {series[series_id] for series_id in wanted - found.keys()}


def series_arrays(series: set[Series]) -> dict[str, Any]:
    """Return the parameters of `unnested("series", SERIES_COLUMNS)` that make it `series`."""
    rows = [
        (
            entry.id,
            entry.customer_id,
            entry.subscription_id,
            entry.metric_code,
            array_text(entry.dimensions),
            array_text(entry.dimension_values),
        )
        for entry in series
    ]
    return column_arrays("series", SERIES_COLUMNS, rows)
