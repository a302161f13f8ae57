"""Migrations: each applied once and whole, by however many processes at once."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tenor.platform import migrate as migrate_module
from tenor.platform.database import Database
from tenor.platform.migrate import Migration, MigrationChanged, RolesMissing, migrate, read_migrations
from tenor.platform.settings import Settings
from tests.support.postgres import Server

Release = Callable[..., None]


def migration(name: str, text: str) -> Migration:
    return Migration(name, text, hashlib.sha256(text.encode()).hexdigest())


@pytest.fixture
def empty(server: Server) -> Iterator[Settings]:
    """The settings of a database in which nothing has ever run."""
    with server.fresh_database() as name:
        yield server.settings(name)


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch) -> Release:
    """Sets the migrations of the release, `name=text`."""

    def set_migrations(**texts: str) -> None:
        migrations = [migration(name, text) for name, text in sorted(texts.items())]
        monkeypatch.setattr(migrate_module, "read_migrations", lambda: migrations)

    return set_migrations


def tables(database: Database) -> set[str]:
    with database.owner() as connection:
        rows = connection.execute("select relname from pg_class where relnamespace = 'tenor'::regnamespace")
        return {name for (name,) in rows if not name.endswith("_pkey")}


def test_the_files_of_this_release_are_numbered_without_a_gap_and_apply_once(empty: Settings) -> None:
    names = [migration.name for migration in read_migrations()]
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))

    with Database.open(empty) as database:
        assert migrate(database) == names
        assert migrate(database) == []


def test_only_what_is_new_is_applied_in_order(empty: Settings, release: Release) -> None:
    with Database.open(empty) as database:
        release(a1="create table tenor.one ()")
        assert migrate(database) == ["a1"]
        release(
            a1="create table tenor.one ()", a3="alter table tenor.two rename to three", a2="create table tenor.two ()"
        )
        assert migrate(database) == ["a2", "a3"]
        assert tables(database) == {"tenor_migrations", "one", "three"}


def test_a_changed_file_is_refused_and_nothing_is_applied(empty: Settings, release: Release) -> None:
    with Database.open(empty) as database:
        release(a1="create table tenor.one ()")
        migrate(database)
        release(a1="create table tenor.one (id bigint)", a2="create table tenor.two ()")
        with pytest.raises(MigrationChanged, match="a1"):
            migrate(database)
        assert tables(database) == {"tenor_migrations", "one"}


def test_a_migration_that_fails_leaves_nothing_behind_and_can_be_mended(empty: Settings, release: Release) -> None:
    with Database.open(empty) as database:
        release(a1="create table tenor.one ()", a2="create table tenor.two (); select 1 / 0")
        with pytest.raises(psycopg.errors.DivisionByZero):
            migrate(database)
        assert tables(database) == {"tenor_migrations", "one"}
        release(a1="create table tenor.one ()", a2="create table tenor.two ()")
        assert migrate(database) == ["a2"]


def test_of_processes_that_migrate_at_once_each_migration_is_applied_by_one(empty: Settings) -> None:
    applied: list[list[str]] = []

    def work(database: Database) -> None:
        applied.append(migrate(database))

    with ExitStack() as stack:
        databases = [stack.enter_context(Database.open(empty)) for _ in range(4)]
        threads = [threading.Thread(target=work, args=(database,)) for database in databases]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(name for names in applied for name in names) == [migration.name for migration in read_migrations()]
    assert len(applied) == 4


def test_a_migration_does_not_make_the_world_wait_for_a_lock(
    empty: Settings, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate_module, "LOCK_TIMEOUT", "50ms")
    with Database.open(empty) as database, Database.open(empty) as other:
        release(a1="create table tenor.one ()")
        migrate(database)
        release(a1="create table tenor.one ()", a2="alter table tenor.one add column id bigint")
        with other.owner() as reader:
            reader.execute("begin; select * from tenor.one")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                migrate(database)
        assert migrate(database) == ["a2"]


def test_a_login_that_may_not_prepare_the_database_is_told_what_to_run(empty: Settings, server: Server) -> None:
    assert empty.database_url
    with server.superuser() as connection:
        connection.execute("drop role if exists tenor_test_plain; create role tenor_test_plain")
    powerless = Settings(database_url=make_conninfo(empty.database_url, options="-c role=tenor_test_plain"))
    with Database.open(powerless) as database, pytest.raises(RolesMissing, match="grant create on database"):
        migrate(database)
    with server.superuser() as connection:
        connection.execute("drop role tenor_test_plain")


def test_the_roles_have_no_power_beyond_their_own(database: Database) -> None:
    with database.owner() as connection:
        roles = connection.execute(
            "select rolname, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls from pg_roles"
            " where rolname like 'tenor\\_%' and rolname not like 'tenor\\_test\\_%' order by rolname"
        ).fetchall()

    assert roles == [
        ("tenor_app", False, False, False, False),
        ("tenor_auditor", False, False, False, True),
        ("tenor_owner", False, False, False, False),
    ]
