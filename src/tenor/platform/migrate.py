"""Migrations: numbered SQL files, each applied once, in order, in one transaction."""

import hashlib
from collections.abc import Mapping
from importlib import resources
from typing import Any, Final, LiteralString, NamedTuple, cast

import psycopg
from psycopg import sql

from tenor.kernel.errors import Refusal
from tenor.platform.database import Connection, Database
from tenor.platform.logins import Role

LOCK_TIMEOUT: Final = "5s"
"""A migration that waits longer for a lock gives up, for every query of the table would wait behind it."""

_ADVISORY_KEY: Final = 0x74656E6F72  # "tenor"

_BYPASS: Final[Mapping[Role, LiteralString]] = {
    Role.OWNER: "nobypassrls",
    Role.APP: "nobypassrls",
    Role.AUDITOR: "bypassrls",
}
_BY_HAND: Final = (
    "as a superuser run: create role tenor_owner; create role tenor_app; create role tenor_auditor bypassrls;"
    " grant tenor_owner, tenor_app, tenor_auditor to <login>;"
    " grant create on database <database> to tenor_owner"
)


class MigrationChanged(Refusal):
    """A migration file differs from what was applied under its name."""

    code = "migration_changed"


class RolesMissing(Refusal):
    """The roles of the database do not exist, and this login may not make them."""

    code = "roles_missing"


class Migration(NamedTuple):
    """One file: `name` is its name without the ending, `digest` the SHA-256 of its text in hex."""

    name: str
    text: str
    digest: str


def migrate(database: Database) -> list[str]:
    """Bring the schema up to date; return the names of the migrations applied now.

    Makes the roles where they are missing. Two processes may migrate at once: one waits for the other.

    Raises:
        MigrationChanged: an applied file was edited; write a new one instead.
        RolesMissing: the login of the URL may not make roles.
    """
    migrations = read_migrations()
    with database.setup() as connection:
        try:
            _make_roles(connection, password=database.role_password)
            connection.execute(sql.SQL("set role {}").format(sql.Identifier(Role.OWNER)))
        except psycopg.errors.InsufficientPrivilege as error:
            raise RolesMissing(
                f"this login may not prepare the database: {error.diag.message_primary}; {_BY_HAND}"
            ) from error
        pending = _pending(connection, migrations)
        return [migration.name for migration in pending if _apply(connection, migration)]


def read_migrations() -> list[Migration]:
    """Return every migration of this release, in order."""
    files = [file for file in resources.files("tenor.migrations").iterdir() if file.name.endswith(".sql")]
    texts = {file.name.removesuffix(".sql"): file.read_text(encoding="utf-8") for file in files}
    return [Migration(name, text, hashlib.sha256(text.encode()).hexdigest()) for name, text in sorted(texts.items())]


def unapplied_migrations(database: Database) -> list[str]:
    """Return the migrations of this release that the database has not, by name.

    Raises:
        MigrationChanged: an applied one is not that of this release.
    """
    with database.owner() as connection:
        return [migration.name for migration in _pending(connection, read_migrations())]


def _pending(connection: Connection, migrations: list[Migration]) -> list[Migration]:
    if connection.execute("select to_regclass('tenor.tenor_migrations')").fetchone() == (None,):
        return migrations
    applied: dict[str, str] = dict(connection.execute("select name, digest from tenor.tenor_migrations").fetchall())
    for migration in migrations:
        if applied.get(migration.name, migration.digest) != migration.digest:
            raise MigrationChanged(
                f"migration {migration.name} was changed after it was applied; put it back and write a new one",
                migration=migration.name,
            )
    return [migration for migration in migrations if migration.name not in applied]


def _apply(connection: Connection, migration: Migration) -> bool:
    """Apply one migration; False when another process was faster."""
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", [_ADVISORY_KEY])
        connection.execute(
            """
            create schema if not exists tenor;
            create table if not exists tenor.tenor_migrations (
                name text primary key,
                digest text not null,
                applied_at timestamptz not null default now()
            )
            """
        )
        if not _pending(connection, [migration]):
            return False
        connection.execute(sql.SQL("set local lock_timeout = {}").format(LOCK_TIMEOUT))
        connection.execute(cast(Any, migration.text))
        connection.execute(
            "insert into tenor.tenor_migrations (name, digest) values (%s, %s)", [migration.name, migration.digest]
        )
    return True


def _make_roles(connection: Connection, *, password: str | None) -> None:
    """Make the roles that are missing, and let the owner create the schema.

    With a `password` the roles can log in (embedded); without one they are taken by the login of the
    URL, or the operator makes them logins. Roles belong to the whole server, not to one database.
    """
    missing, may_create = _missing_roles(connection)
    if not missing and may_create:
        return
    try:
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(%s)", [_ADVISORY_KEY])
            for role in missing:
                connection.execute(_create_role(role, password=password))
            name = sql.Identifier(connection.info.dbname)
            connection.execute(sql.SQL("grant create on database {} to tenor_owner").format(name))
            if not _missing_roles(connection)[1]:  # a GRANT that one may not give is only warned of
                raise RolesMissing(f"this login may not let tenor_owner create the schema; {_BY_HAND}")
    except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
        _make_roles(connection, password=password)  # a process in another database has just made them


def _missing_roles(connection: Connection) -> tuple[list[Role], bool]:
    """Return the roles that do not exist, and whether the owner may create a schema in this database."""
    found: dict[str, bool] = dict(
        connection.execute(
            """
            select rolname, has_database_privilege(rolname, current_database(), 'create')
            from pg_roles where rolname = any(%s)
            """,
            [list(Role)],
        ).fetchall()
    )
    return [role for role in Role if role not in found], found.get(Role.OWNER, False)


def _create_role(role: Role, *, password: str | None) -> sql.Composed:
    """Return the statements that make `role` and let the login that runs them take it."""
    login = sql.SQL("login password {}").format(password) if password else sql.SQL("nologin")
    return sql.SQL(
        "create role {role} nosuperuser nocreatedb nocreaterole {bypass} {login}; grant {role} to current_user"
    ).format(role=sql.Identifier(role), bypass=sql.SQL(_BYPASS[role]), login=login)
