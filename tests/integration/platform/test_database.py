"""Transactions: committed or refused, never lost quietly; bound to one tenant on every connection."""

import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import psycopg
import pytest
from psycopg import sql

from tenor.kernel.ids import TenantId
from tenor.platform import database as database_module
from tenor.platform.database import Database, DatabaseTooOld, DatabaseUnreachable, LostTransaction
from tenor.platform.logins import Role, UrlLogins
from tenor.platform.settings import Settings
from tenor.platform.unit_of_work import UnitOfWork
from tests.support.postgres import Server

NOTES = [("id", "bigint"), ("body", "text"), ("amount", "numeric"), ("at", "timestamptz"), ("facts", "jsonb")]
MAY = datetime(2025, 5, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def notes(database: Database) -> None:
    """A table to write to."""
    with database.owner() as connection:
        connection.execute(
            """
            create table tenor.notes (
                tenant_id uuid not null, id bigint not null, body text, amount numeric, at timestamptz, facts jsonb,
                primary key (tenant_id, id), check (body <> 'forbidden')
            );
            select tenor.protect('tenor.notes', 'update');
            """
        )


def add(uow: UnitOfWork, number: int, body: str = "x") -> None:
    uow.execute("insert into notes (tenant_id, id, body) values (%s, %s, %s)", [uow.tenant_id, number, body])


def numbers(database: Database, tenant: TenantId) -> list[int]:
    with database.transaction(tenant) as uow:
        return [number for (number,) in uow.fetch_all("select id from notes order by id")]


def app_connection(server: Server, database: Database) -> psycopg.Connection:
    """A connection of the application that no Database has touched."""
    with database.owner() as owner:
        settings = server.settings(owner.info.dbname)
    assert settings.database_url
    return psycopg.connect(UrlLogins(settings, settings.database_url).conninfo(Role.APP), autocommit=True)


def test_a_transaction_is_kept_at_its_end_and_forgotten_after_an_error(database: Database, tenant: TenantId) -> None:
    with database.transaction(tenant) as uow:
        add(uow, 1)
    with pytest.raises(ZeroDivisionError), database.transaction(tenant) as uow:
        add(uow, 2)
        _ = 1 // 0

    assert numbers(database, tenant) == [1]


def test_a_swallowed_error_is_not_a_success(database: Database, tenant: TenantId) -> None:
    with pytest.raises(LostTransaction), database.transaction(tenant) as uow:
        add(uow, 1)
        with pytest.raises(psycopg.errors.CheckViolation):
            add(uow, 2, body="forbidden")

    assert numbers(database, tenant) == []


@pytest.mark.parametrize("statement", ["commit", "rollback"])
def test_a_transaction_that_was_ended_inside_is_not_a_success(
    database: Database, tenant: TenantId, statement: str
) -> None:
    with pytest.raises(LostTransaction), database.transaction(tenant) as uow:
        uow.execute(statement)


def test_an_error_inside_a_savepoint_costs_only_the_savepoint(database: Database, tenant: TenantId) -> None:
    with database.transaction(tenant) as uow:
        add(uow, 1)
        with pytest.raises(psycopg.errors.CheckViolation), uow.connection.transaction():
            add(uow, 2)
            add(uow, 3, body="forbidden")
        add(uow, 4)

    assert numbers(database, tenant) == [1, 4]


def test_a_failing_commit_raises_and_keeps_nothing(database: Database, tenant: TenantId) -> None:
    with database.owner() as connection:
        connection.execute(
            "alter table tenor.notes add constraint one_body unique (tenant_id, body) deferrable initially deferred"
        )
    with pytest.raises(psycopg.errors.UniqueViolation), database.transaction(tenant) as uow:
        add(uow, 1)
        add(uow, 2)

    assert numbers(database, tenant) == []


def test_a_snapshot_sees_one_instant_and_writes_nothing(database: Database, tenant: TenantId) -> None:
    with database.transaction(tenant, is_snapshot=True) as snapshot:
        assert snapshot.fetch_one("select count(*) from notes") == (0,)
        with database.transaction(tenant) as uow:
            add(uow, 1)
        assert snapshot.fetch_one("select count(*) from notes") == (0,)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), snapshot.connection.transaction():
            add(snapshot, 2)

    assert numbers(database, tenant) == [1]


def test_without_a_tenant_nothing_is_read(server: Server, database: Database, tenant: TenantId) -> None:
    with database.transaction(tenant) as uow:
        add(uow, 1)
    with app_connection(server, database) as fresh:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="set no tenant"):
            fresh.execute("select * from notes")
        with fresh.transaction():
            fresh.execute("select set_config('tenor.tenant_id', %s, true)", [str(tenant)])
            assert fresh.execute("select id from notes").fetchall() == [(1,)]
        # PostgreSQL now knows the setting as '' instead of not at all; that must make no difference.
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="set no tenant"):
            fresh.execute("select * from notes")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="set no tenant"):
            fresh.execute("insert into notes (tenant_id, id) values (%s, 2)", [tenant])


@pytest.mark.parametrize(
    "leak",
    [
        "select set_config('tenor.tenant_id', '{other}', false)",
        "set search_path = pg_catalog",
        "set timezone = 'Asia/Tokyo'",
        "set role none",
        "set session characteristics as transaction read only",
    ],
)
def test_a_kept_connection_carries_nothing_over(
    database: Database, tenant: TenantId, other_tenant: TenantId, leak: str
) -> None:
    with database.transaction(other_tenant) as uow:
        add(uow, 2)
        backend = uow.connection.info.backend_pid
        uow.execute(leak.format(other=other_tenant))

    with database.transaction(tenant) as uow:
        assert uow.connection.info.backend_pid == backend
        add(uow, 1)
        assert uow.fetch_all("select id, current_user::text from notes") == [(1, "tenor_app")]
        assert uow.fetch_one("show timezone") == ("UTC",)


def test_one_login_for_all_roles_is_the_application_again_after_it_left_the_role(
    server: Server, database: Database, tenant: TenantId
) -> None:
    with database.owner() as connection:
        one_login = replace(server.settings(connection.info.dbname), app_database_url=None)
    with Database.open(one_login) as other:
        with other.transaction(tenant) as uow:
            uow.execute("set role none")
            assert uow.fetch_one("select current_user = session_user") == (True,)
        with other.transaction(tenant) as uow:
            assert uow.fetch_one("select current_user::text") == ("tenor_app",)


def test_a_kept_connection_that_died_is_replaced(database: Database, tenant: TenantId) -> None:
    with database.transaction(tenant) as uow:
        backend = uow.connection.info.backend_pid
    with database.setup() as connection:
        connection.execute("select pg_terminate_backend(%s)", [backend])

    with database.transaction(tenant) as uow:
        add(uow, 1)
    assert numbers(database, tenant) == [1]


def test_a_connection_that_dies_inside_a_transaction_is_not_kept(database: Database, tenant: TenantId) -> None:
    with pytest.raises(psycopg.OperationalError), database.transaction(tenant) as uow:
        add(uow, 1)
        with database.setup() as connection:
            connection.execute("select pg_terminate_backend(%s)", [uow.connection.info.backend_pid])
        uow.fetch_one("select 1")

    assert numbers(database, tenant) == []


def test_threads_share_a_database_and_never_a_tenant(
    database: Database, tenant: TenantId, other_tenant: TenantId
) -> None:
    seen: dict[TenantId, set[tuple[object, ...]]] = {tenant: set(), other_tenant: set()}

    def work(own: TenantId, first: int) -> None:
        for number in range(first, first + 20):
            with database.transaction(own) as uow:
                add(uow, number)
                seen[own] |= set(uow.fetch_all("select distinct tenant_id from notes"))

    threads = [
        threading.Thread(target=work, args=(own, 100 * index))
        for index, own in enumerate([tenant, other_tenant, tenant, other_tenant])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert seen == {tenant: {(tenant,)}, other_tenant: {(other_tenant,)}}
    assert len(numbers(database, tenant)) == 40


def test_a_database_is_refused_in_a_forked_process(
    database: Database, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.getpid", lambda: -1)
    with pytest.raises(RuntimeError, match="another process"), database.transaction(tenant):
        pass


def test_the_auditor_reads_every_tenant_in_one_snapshot_and_writes_nothing(
    database: Database, tenant: TenantId, other_tenant: TenantId
) -> None:
    for number, own in enumerate([tenant, other_tenant]):
        with database.transaction(own) as uow:
            add(uow, number)
    with database.auditor() as auditor:
        assert auditor.execute("select count(*) from notes").fetchone() == (2,)
        with database.transaction(tenant) as uow:
            add(uow, 9)
        assert auditor.execute("select count(*) from notes").fetchone() == (2,)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            auditor.execute("insert into notes (tenant_id, id) values (%s, 10)", [tenant])
    with database.auditor() as auditor:
        auditor.execute("rollback; begin; set transaction read write")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            auditor.execute("insert into notes (tenant_id, id) values (%s, 10)", [tenant])


def test_an_unreachable_server_is_named_with_the_fix(tenant: TenantId) -> None:
    settings = Settings(database_url="postgresql://me:secret@127.0.0.1:1/books")
    with (
        Database.open(settings) as database,
        pytest.raises(DatabaseUnreachable, match=r"127\.0\.0\.1:1/books.*TENOR_DATABASE_URL") as refusal,
        database.transaction(tenant),
    ):
        pass
    assert "secret" not in str(refusal.value)


def test_a_server_that_is_too_old_is_refused(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "OLDEST_MAJOR", 99)
    with pytest.raises(DatabaseTooOld), database.owner():
        pass


def test_the_description_tells_how_the_roles_are_kept_apart(server: Server, database: Database) -> None:
    with database.owner() as connection:
        name = connection.info.dbname
    one_login = replace(server.settings(name), app_database_url=None)
    with Database.open(one_login) as other:
        assert other.description.startswith("PostgreSQL ")
        assert other.description.endswith("one login that takes the roles")
        with other.transaction(TenantId(uuid.uuid4())) as uow:
            assert uow.fetch_one("select current_user::text") == ("tenor_app",)
    if server.has_logins:
        assert database.description.endswith("a login per role")


def rows_of(count: int, first: int = 0) -> list[tuple[object, ...]]:
    return [(first + n, f"n{n}", Decimal(n) / 4, MAY, {"n": n}) for n in range(count)]


def test_copied_rows_arrive_as_they_were(database: Database, tenant: TenantId) -> None:
    rows = [(1, "ü\t\\N", Decimal("0.000000000001"), MAY, {"a": [1, None]}), (2, None, None, None, None)]
    with database.transaction(tenant) as uow:
        assert uow.copy_rows("notes", NOTES, rows) == 2
        stored = uow.fetch_all("select tenant_id, id, body, amount, at, facts from notes order by id")

    assert stored == [(tenant, *row) for row in rows]


@pytest.mark.parametrize("count", [0, 1, 12_345])
def test_copying_loses_and_doubles_nothing(database: Database, tenant: TenantId, count: int) -> None:
    with database.transaction(tenant) as uow:
        assert uow.copy_rows("notes", NOTES, iter(rows_of(count))) == count
        assert uow.copy_rows("notes", NOTES, rows_of(3, first=count)) == 3  # the stage was emptied
    with database.transaction(tenant) as uow:
        assert uow.copy_rows("notes", [("id", "bigint")], [(count + 3,)]) == 1  # other columns, another stage

    assert numbers(database, tenant) == list(range(count + 4))


def test_a_failed_copy_leaves_nothing_for_the_next_one(
    database: Database, tenant: TenantId, other_tenant: TenantId
) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation), database.transaction(tenant) as uow:
        uow.copy_rows("notes", NOTES, [*rows_of(2), *rows_of(1)])
    with pytest.raises(ValueError, match="boom"), database.transaction(tenant) as uow:
        uow.copy_rows("notes", NOTES, failing_after(rows_of(5)))
    with database.transaction(tenant) as uow, pytest.raises(psycopg.errors.UniqueViolation):
        with uow.connection.transaction():
            uow.copy_rows("notes", NOTES, [*rows_of(2), *rows_of(1)])
        uow.copy_rows("notes", NOTES, rows_of(2))
    with database.transaction(other_tenant) as uow:
        assert uow.copy_rows("notes", NOTES, rows_of(1)) == 1

    assert numbers(database, tenant) == []
    assert numbers(database, other_tenant) == [0]


def failing_after(rows: list[tuple[object, ...]]) -> Iterator[tuple[object, ...]]:
    yield from rows
    raise ValueError("boom")


def test_rows_of_another_tenant_cannot_be_copied(database: Database, tenant: TenantId, other_tenant: TenantId) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), database.transaction(tenant) as uow:
        replace(uow, tenant_id=other_tenant).copy_rows("notes", NOTES, rows_of(1))
    with pytest.raises(psycopg.errors.DuplicateColumn), database.transaction(tenant) as uow:
        uow.copy_rows("notes", [("tenant_id", "uuid"), ("id", "bigint")], [(other_tenant, 1)])
    assert numbers(database, other_tenant) == []


def test_names_and_types_cannot_carry_sql(database: Database, tenant: TenantId) -> None:
    with pytest.raises(ValueError, match="plain name"), database.transaction(tenant) as uow:
        uow.copy_rows("notes", [("id", "bigint) ; drop table tenor.notes --")], [])
    with pytest.raises(psycopg.errors.UndefinedTable), database.transaction(tenant) as uow:
        uow.copy_rows('notes" ; drop table tenor.notes --', [("id", "bigint")], [])
    assert numbers(database, tenant) == []


def test_a_stage_serves_an_update_of_many_rows(database: Database, tenant: TenantId) -> None:
    with database.transaction(tenant) as uow:
        uow.copy_rows("notes", NOTES, rows_of(3))
        with uow.staged("new_bodies", [("id", "bigint"), ("body", "text")], [(0, "a"), (2, "c")]) as stage:
            update = sql.SQL("update notes set body = s.body from {} s where notes.id = s.id").format(stage)
            assert uow.execute(update) == 2
        assert uow.fetch_all("select body from notes order by id") == [("a",), ("n1",), ("c",)]
