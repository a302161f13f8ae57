"""The server that tests run on, and fresh migrated databases on it.

The server is the one of `TENOR_TEST_DATABASE_URL` (a superuser's URL, PostgreSQL 15 or later), else one
embedded server that all test processes of a run share, in memory where there is a directory for it. A database is
cloned from a template that was migrated once.
"""

import fcntl
import hashlib
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tenor.platform.database import Database
from tenor.platform.embedded import SERVER_SETTINGS, SUPERUSER, EmbeddedServer
from tenor.platform.logins import Role
from tenor.platform.migrate import migrate, read_migrations
from tenor.platform.settings import Settings

_MAINTENANCE: Final = "postgres"
# What a test wrote need not survive a power cut; a clone then takes a third of the time.
_SETTINGS: Final = {**SERVER_SETTINGS, "shared_buffers": "256MB", "fsync": "off", "full_page_writes": "off"}
_numbers: Final = itertools.count()

DIRECTORY: Final = "TENOR_TEST_DIRECTORY"
"""Names the directory that the first process of a test run has made for its server."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server, given by its superuser's URL. `has_logins`: the roles can log in with the password of the URL."""

    superuser_url: str
    has_logins: bool

    def url(self, name: str, user: str | None = None) -> str:
        """Return the URL of the database `name`, as the superuser unless another `user` is given."""
        return make_conninfo(self.superuser_url, dbname=name, **({"user": user} if user else {}))

    def settings(self, name: str) -> Settings:
        """Return the settings of an application in the database `name`."""
        if not self.has_logins:
            return Settings(database_url=self.url(name), keys_file=Path(os.environ["TENOR_KEYS_FILE"]))
        return Settings(
            keys_file=Path(os.environ["TENOR_KEYS_FILE"]),
            database_url=self.url(name),
            app_database_url=self.url(name, Role.APP),
            auditor_database_url=self.url(name, Role.AUDITOR),
        )

    @contextmanager
    def superuser(self, name: str = _MAINTENANCE) -> Iterator[psycopg.Connection]:
        """Yield a superuser's connection in autocommit."""
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            yield connection

    @contextmanager
    def fresh_database(self, template: str | None = None) -> Iterator[str]:
        """Yield the name of a new database, a copy of `template` or empty; dropped afterwards."""
        name = f"tenor_test_{os.getpid()}_{next(_numbers)}"
        self._create(name, template)
        try:
            yield name
        finally:
            with self.superuser() as connection:
                connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))

    def template(self) -> str:
        """Return the name of a database with the schema of this checkout, made now if it is missing."""
        digest = hashlib.sha256("".join(migration.digest for migration in read_migrations()).encode()).hexdigest()
        name = f"tenor_template_{digest[:16]}"
        with self.superuser() as connection:
            if connection.execute("select from pg_database where datname = %s", [name]).fetchone() is None:
                unfinished = f"{name}_{os.getpid()}"
                self._create(unfinished, None)
                with Database.open(Settings(database_url=self.url(unfinished))) as database:
                    migrate(database)
                if self.has_logins:
                    connection.execute("alter role tenor_app login; alter role tenor_auditor login")
                connection.execute(
                    sql.SQL("alter database {} rename to {}").format(sql.Identifier(unfinished), sql.Identifier(name))
                )
        return name

    def _create(self, name: str, template: str | None) -> None:
        # File copy, because a template is small and rarely written: 21 ms instead of 32 ms for 80 tables.
        with self.superuser() as connection:
            connection.execute(
                sql.SQL("create database {} template {} strategy file_copy").format(
                    sql.Identifier(name), sql.Identifier(template or "template0")
                )
            )


@contextmanager
def shared_server() -> Iterator[Server]:
    """Yield the server of this test run, the same for all its processes."""
    url = os.environ.get("TENOR_TEST_DATABASE_URL")
    if url:
        yield Server(url, has_logins=False)
        return
    embedded = EmbeddedServer(Path(os.environ[DIRECTORY]) / "postgres", linger_seconds=1.0, server_settings=_SETTINGS)
    address = embedded.join()
    try:
        yield Server(
            make_conninfo(host=address.host, port=address.port, user=SUPERUSER, password=address.password),
            has_logins=True,
        )
    finally:
        embedded.leave()


@contextmanager
def only_one_process(shared_dir: Path) -> Iterator[None]:
    """Let one process of the test run into the block at a time."""
    with (shared_dir / "template.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
