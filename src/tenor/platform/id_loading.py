"""Ids in the rows of an answer: read in less than half the time that the driver takes."""

from uuid import UUID

from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format

from tenor.kernel.ids import id_of


class TextIdLoader(Loader):
    """Reads a uuid that the server has sent as text."""

    def load(self, data: Buffer) -> UUID:
        """Return the id."""
        return id_of(int(bytes(data).replace(b"-", b""), 16))


class BinaryIdLoader(Loader):
    """Reads a uuid that the server has sent in binary."""

    format = Format.BINARY

    def load(self, data: Buffer) -> UUID:
        """Return the id."""
        return id_of(int.from_bytes(data))
