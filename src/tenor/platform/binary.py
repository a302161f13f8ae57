"""Values as PostgreSQL receives them in its binary format, a column of them at a time.

To encode a column whole takes a fraction of what the driver takes, value by value.
"""

import struct
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, Final
from uuid import UUID

from psycopg import postgres
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

Encoded = Sequence[bytes | None]
"""Encoded values; None is null."""

_HEAD: Final = struct.Struct(">iiI")  # dimensions, whether there are nulls, element type
_DIMENSION: Final = struct.Struct(">ii")  # length, lower bound
_INTEGER: Final = struct.Struct(">i").pack
_BIGINT: Final = struct.Struct(">q").pack
_NULL: Final = _INTEGER(-1)
_YEAR_2000: Final = datetime(2000, 1, 1, tzinfo=UTC)  # where PostgreSQL counts its microseconds from
_MICROSECOND: Final = timedelta(microseconds=1)


class BinaryArray:
    """An array in the format in which PostgreSQL sends and receives it. A statement casts it to its type."""

    __slots__ = ("encoded",)

    def __init__(self, encoded: bytes) -> None:
        self.encoded = encoded


class BinaryArrayDumper(Dumper):
    """Hands an encoded array to the server, without a type."""

    format = Format.BINARY

    def dump(self, obj: BinaryArray) -> Buffer:
        """Return the bytes."""
        return obj.encoded


def binary_array(kind: str, elements: Encoded) -> bytes:
    """Return encoded values as an array of the type `kind`."""
    element_oid = postgres.types[kind].oid
    if not elements:
        return _HEAD.pack(0, 0, element_oid)
    has_nulls = None in elements
    head = _HEAD.pack(1, has_nulls, element_oid) + _DIMENSION.pack(len(elements), 1)
    return head + (_framed_with_nulls(elements) if has_nulls else _framed(elements))


def encoded_ids(values: Sequence[UUID | None]) -> Encoded:
    """Return ids as uuid."""
    return [None if value is None else value.int.to_bytes(16) for value in values]


def encoded_instants(values: Sequence[datetime | None]) -> Encoded:
    """Return aware instants as timestamptz."""
    return [None if value is None else _BIGINT((value - _YEAR_2000) // _MICROSECOND) for value in values]


def encoded_integers(values: Sequence[int | None]) -> Encoded:
    """Return whole numbers as bigint."""
    return _each(_BIGINT, values)


def encoded_texts(values: Sequence[str | None]) -> Encoded:
    """Return texts as text."""
    return _each(str.encode, values)


def encoded_documents(values: Sequence[bytes | None]) -> Encoded:
    """Return JSON texts as jsonb."""
    return [None if value is None else b"\x01" + value for value in values]  # the format's version


def _each(encode: Callable[[Any], bytes], values: Sequence[Any]) -> Encoded:
    if None in values:
        return [None if value is None else encode(value) for value in values]
    return list(map(encode, values))


def _framed(elements: Sequence[Any]) -> bytes:
    widths = set(map(len, elements))
    if len(widths) == 1:
        frame = _INTEGER(widths.pop())
        return frame + frame.join(elements)
    return b"".join(chain.from_iterable(zip(map(_INTEGER, map(len, elements)), elements, strict=True)))


def _framed_with_nulls(elements: Encoded) -> bytes:
    return b"".join([_NULL if element is None else _INTEGER(len(element)) + element for element in elements])
