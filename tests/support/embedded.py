"""Embedded servers of a test's own, apart from the one that all tests share."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tenor.platform.embedded import Address, EmbeddedServer


@contextmanager
def joined(home: Path) -> Iterator[Address]:
    """Use the server in `home` for a block; it lingers for a fifth of a second."""
    server = EmbeddedServer(home, linger_seconds=0.2)
    try:
        yield server.join()
    finally:
        server.leave()
