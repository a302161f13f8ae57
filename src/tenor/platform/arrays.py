"""Rows as parameters: an array for each column, for statements that take a thousand rows at once.

To unnest them costs less than half of what COPY into a stage does, and leaves nothing to be emptied. The whole of it is
in memory on both sides; beyond some ten thousand rows, stage them (`UnitOfWork.staged`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from tenor.platform.binary import (
    BinaryArray,
    Encoded,
    binary_array,
    encoded_documents,
    encoded_instants,
    encoded_integers,
    encoded_texts,
)
from tenor.platform.unit_of_work import Column

_YEAR_2000: Final = 946_684_800_000_000  # where PostgreSQL counts its microseconds from, in those since 1970


def column_arrays(name: str, columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """Return the parameters of `unnested(name, columns)` that make it `rows`.

    Values are given nearly encoded: bytes for bytea and jsonb, UUID or its bytes for uuid, text as str, bigint as int,
    numeric as Decimal, datetimes or else microseconds since 1970-01-01 00:00 UTC for timestamptz. None is null,
    but for a numeric.
    """
    return arrays_of_columns(name, columns, list(zip(*rows, strict=True)) if rows else [()] * len(columns))


def arrays_of_columns(name: str, columns: Sequence[Column], values: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """Return what `column_arrays` does, of the values of each column."""
    return {
        f"{name}_{column}": _numerics(held) if kind == "numeric" else _binary(kind, held)
        for (column, kind), held in zip(columns, values, strict=True)
    }


def unnested(name: str, columns: Sequence[Column]) -> str:
    """Return what stands in a FROM clause for the rows of `column_arrays`, under the name `name`.

    Names and types come from code, never from input. Planned for a thousand rows: see also `looked_up`.
    """
    arrays = [f"%({name}_{column})s::{kind}[]" for column, kind in columns]
    # A join of two `unnest` is planned for 10 rows each, as a loop in a loop; `generate_subscripts` counts as 1,000.
    functions = ", ".join([*(f"unnest({array})" for array in arrays), f"generate_subscripts({arrays[0]}, 1)"])
    return f"rows from ({functions}) as {name} ({', '.join(column for column, _ in columns)}, place)"


def looked_up(name: str, columns: Sequence[Column]) -> str:
    """Return `unnested` for rows each of which asks an index: planned for ten, so that no table is read whole for them.

    Without the column `place`.
    """
    arrays = ", ".join(f"%({name}_{column})s::{kind}[]" for column, kind in columns)
    return f"unnest({arrays}) as {name} ({', '.join(column for column, _ in columns)})"


def _binary(kind: str, values: Sequence[Any]) -> BinaryArray:
    return BinaryArray(binary_array(kind, _ENCODERS[kind](values)))


def _numerics(values: Iterable[object]) -> str:
    return f"{{{','.join(map(str, values))}}}"


def _instants(values: Sequence[Any]) -> Encoded:
    if any(isinstance(value, datetime) for value in values):
        return encoded_instants(values)
    return encoded_integers([None if value is None else value - _YEAR_2000 for value in values])


def _uuids(values: Sequence[bytes | UUID | None]) -> Encoded:
    return [value.bytes if isinstance(value, UUID) else value for value in values]


_ENCODERS: Final[Mapping[str, Callable[[Sequence[Any]], Encoded]]] = {
    "bigint": encoded_integers,
    "timestamptz": _instants,
    "text": encoded_texts,
    "jsonb": encoded_documents,
    "bytea": lambda values: values,
    "uuid": _uuids,
}
