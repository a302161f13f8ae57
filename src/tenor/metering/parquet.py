"""Read Parquet: the rows of a file as records, batch by batch, every number and instant exact."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from tenor.kernel.errors import Refusal
from tenor.kernel.strict_json import NotJson, parse_json

BATCH_ROWS: Final = 10_000
"""Rows that are held at a time."""

NESTING: Final = ("properties", "data")
"""Columns that may hold a record of their own: a struct, a map, or the text of a JSON object."""


class ParquetUnavailable(Refusal):
    """The library that reads Parquet is not installed: it is an optional part."""

    code = "parquet_unavailable"


class NotParquet(Exception):
    """The file, or what follows of it, cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class ParquetFile:
    """An open file: the names of its columns, those that hold times without a zone, and its records in order.

    A record has texts, whole numbers, decimals, truth values and None; an instant is its ISO 8601 text, with what is
    below a microsecond cut off. A 64-bit float is the shortest decimal that gives it, as it would be printed.
    """

    names: tuple[str, ...]
    zoneless: frozenset[str]
    records: Iterator[dict[str, Any]]


@contextmanager
def open_parquet(path: Path) -> Iterator[ParquetFile]:
    """Open a file to be read once.

    Raises:
        NotParquet: it is none, or has a column of which no property can be made; while its records are read: the
            rest of it is damaged.
        OSError: it cannot be opened.
        ParquetUnavailable: pyarrow is not installed.
    """
    arrow, parquet = _library()
    try:
        with parquet.ParquetFile(path) as file:
            schema = file.schema_arrow
            for field in schema:
                _require_readable(arrow, field.name, field.type, nests=field.name in NESTING)
            zoneless = {field.name for field in schema if arrow.types.is_timestamp(field.type) and not field.type.tz}
            yield ParquetFile(tuple(schema.names), frozenset(zoneless), _records(arrow, file))
    except arrow.ArrowException as error:
        raise NotParquet(str(error)) from None


def _library() -> tuple[Any, Any]:
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise ParquetUnavailable("reading Parquet needs an optional part: pip install 'tenor[parquet]'") from None


def _records(arrow: Any, file: Any) -> Iterator[dict[str, Any]]:
    microseconds = arrow.schema([_in_microseconds(arrow, field) for field in file.schema_arrow])
    read = {name: _object if name in NESTING else _plain for name in microseconds.names}
    try:
        for batch in file.iter_batches(batch_size=BATCH_ROWS):
            columns = [
                column.cast(field.type, safe=False) for column, field in zip(batch.columns, microseconds, strict=True)
            ]
            for row in arrow.RecordBatch.from_arrays(columns, schema=microseconds).to_pylist():
                yield {name: _cell(read[name], value) for name, value in row.items()}
    except (arrow.ArrowException, OSError) as error:
        raise NotParquet(str(error)) from None


def _in_microseconds(arrow: Any, field: Any) -> Any:
    return field.with_type(arrow.timestamp("us", field.type.tz)) if arrow.types.is_timestamp(field.type) else field


def _require_readable(arrow: Any, name: str, kind: Any, *, nests: bool) -> None:
    types = arrow.types
    if types.is_dictionary(kind):
        kind = kind.value_type
    if nests and types.is_struct(kind):
        for field in kind:
            _require_readable(arrow, f"{name}.{field.name}", field.type, nests=False)
    elif nests and types.is_map(kind):
        _require_readable(arrow, name, kind.item_type, nests=False)
    elif types.is_float16(kind) or types.is_float32(kind):
        raise NotParquet(f"column {name!r} is of {kind}, which holds no exact number: write decimals, or 64 bits")
    elif not any(
        is_one(kind)
        for is_one in (
            types.is_null,
            types.is_boolean,
            types.is_integer,
            types.is_float64,
            types.is_decimal,
            types.is_string,
            types.is_large_string,
            types.is_string_view,
            types.is_date,
            types.is_timestamp,
        )
    ):
        raise NotParquet(f"column {name!r} is of {kind}: write texts, numbers, truth values, dates or timestamps")


def _cell(read: Callable[[Any], Any], value: Any) -> Any:
    return None if value is None else read(value)


def _plain(value: Any) -> Any:
    match value:
        case float():
            return Decimal(repr(value))
        case datetime(tzinfo=None):
            return value.isoformat()
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case _:
            return value


def _object(value: Any) -> Any:
    """Return a record within a record; what is none stays as it is, for whoever knows what must be there."""
    match value:
        case str():
            try:
                return parse_json(value)
            except NotJson:
                return value
        case dict():
            return {name: _plain(part) for name, part in value.items()}
        case list():  # a map, as pairs
            return {name: _plain(part) for name, part in value}
        case _:
            return _plain(value)
