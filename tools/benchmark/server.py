"""A private PostgreSQL server that lives as long as a benchmark, with a base database and clones of it."""

import itertools
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tenor.platform.embedded import DATABASE_NAME, SERVER_SETTINGS, SUPERUSER, Address, EmbeddedServer
from tenor.platform.logins import Role
from tenor.platform.settings import Settings

STOP_SECONDS_MAX: Final = 60


@dataclass(frozen=True, slots=True)
class PrivateServer:
    """The server, with the settings that the product starts it with. `settings` name its base database."""

    folder: Path
    address: Address
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def base(self) -> Settings:
        """Settings of the base database; as an embedded one, so that its migration makes the roles logins."""
        return Settings(data_dir=self.folder)

    @contextmanager
    def clone(self) -> Iterator[Settings]:
        """Yield the settings of a fresh copy of the base database, dropped afterwards.

        Nobody may be connected to the base. A copy is on disk when it is handed out, with no dirty page in memory.
        """
        name = f"clone_{next(self._numbers)}"
        with self._superuser() as connection:
            connection.execute(
                sql.SQL("create database {} template {} strategy file_copy").format(
                    sql.Identifier(name), sql.Identifier(DATABASE_NAME)
                )
            )
        try:
            yield Settings(
                database_url=self._url(name, SUPERUSER),
                app_database_url=self._url(name, Role.APP),
                auditor_database_url=self._url(name, Role.AUDITOR),
            )
        finally:
            with self._superuser() as connection:
                connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))

    @contextmanager
    def _superuser(self) -> Iterator[psycopg.Connection]:
        with psycopg.connect(self._url("postgres", SUPERUSER), autocommit=True) as connection:
            yield connection

    def _url(self, name: str, user: str) -> str:
        address = self.address
        return make_conninfo(host=address.host, port=address.port, user=user, password=address.password, dbname=name)


@contextmanager
def private_server(parent: Path | None, *, is_synced: bool) -> Iterator[PrivateServer]:
    """Yield a new server in a folder of its own inside `parent` (None: the system's); both are gone afterwards.

    It has the settings of the product, but for fsync, which is off where not `is_synced`.
    """
    with tempfile.TemporaryDirectory(prefix="tenor-bench-", dir=parent, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        settings = {**SERVER_SETTINGS, "fsync": "on" if is_synced else "off"}
        server = EmbeddedServer(folder / "postgres", linger_seconds=0.2, server_settings=settings)
        try:
            yield PrivateServer(folder, server.join())
        finally:
            server.leave()
            _wait_for_stop(folder / "postgres" / "data" / "postmaster.pid")


def _wait_for_stop(pid_file: Path) -> None:
    deadline = time.monotonic() + STOP_SECONDS_MAX
    while pid_file.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
