"""Lists of ids and of instants as parameters, encoded as a whole.

The statements of a batch take a thousand of them each; the driver would encode them value by value, as text. Other
lists are left to the driver.
"""

from collections.abc import Sequence
from datetime import datetime
from types import NoneType
from typing import Any, Final
from uuid import UUID

from psycopg import postgres
from psycopg.abc import Buffer, DumperKey
from psycopg.adapt import PyFormat
from psycopg.pq import Format
from psycopg.types.array import BaseListDumper, ListBinaryDumper, ListDumper

from tenor.platform.binary import binary_array, encoded_ids, encoded_instants

INSTANTS: Final = "timestamptz"
IDS: Final = "uuid"


class _IdsDumper(BaseListDumper):
    format = Format.BINARY
    oid = postgres.types[IDS].array_oid

    def dump(self, obj: Sequence[UUID | None]) -> Buffer:
        return binary_array(IDS, encoded_ids(obj))


class _InstantsDumper(BaseListDumper):
    format = Format.BINARY
    oid = postgres.types[INSTANTS].array_oid

    def dump(self, obj: Sequence[datetime | None]) -> Buffer:
        return binary_array(INSTANTS, encoded_instants(obj))


class _WholeLists(BaseListDumper):
    """Chooses the dumper of a list by what is in it: one of those above, or else the driver's."""

    def get_key(self, obj: list[Any], format: PyFormat) -> DumperKey:  # noqa: A002  # the driver's name
        found = None if format is PyFormat.TEXT else _dumper_of(obj)  # as text it is part of a statement
        return super().get_key(obj, format) if found is None else (self.cls, found)

    def upgrade(self, obj: list[Any], format: PyFormat) -> Any:  # noqa: A002  # the driver's name
        found = None if format is PyFormat.TEXT else _dumper_of(obj)
        return super().upgrade(obj, format) if found is None else found(self.cls, self._tx)


class TextListDumper(_WholeLists, ListDumper):
    """What takes a list where the statement leaves the format open (`%s`)."""


class BinaryListDumper(_WholeLists, ListBinaryDumper):
    """What takes a list where the statement asks for binary (`%b`)."""


def _dumper_of(values: list[Any]) -> type[BaseListDumper] | None:
    kinds = set(map(type, values))
    kinds.discard(NoneType)
    if kinds == {UUID}:
        return _IdsDumper
    if kinds == {datetime} and all(value is None or value.tzinfo is not None for value in values):
        return _InstantsDumper
    return None
