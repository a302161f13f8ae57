"""Two tenants in one database: every known way round row-level security, tried by one of them."""

from dataclasses import dataclass

import psycopg
import pytest

from tenor.kernel.ids import TenantId
from tenor.platform.database import Database

SCHEMA = """
    create table tenor.secrets (
        tenant_id uuid not null, id bigint not null, code text not null, body text not null,
        primary key (tenant_id, id), unique (tenant_id, code)
    );
    select tenor.protect('tenor.secrets', 'update');
    create table tenor.readings (
        tenant_id uuid not null, secret_id bigint not null, at timestamptz not null, body text not null,
        primary key (tenant_id, secret_id, at),
        foreign key (tenant_id, secret_id) references tenor.secrets (tenant_id, id)
    ) partition by range (at);
    select tenor.protect('tenor.readings', 'append');
    select tenor.ensure_month_partitions('tenor.readings', '2025-05-01', '2025-05-01');
    create view tenor.secrets_view with (security_invoker = true) as select * from tenor.secrets;
    create view tenor.careless_view as select * from tenor.secrets;
    create function tenor.careless_function() returns setof text
        language sql security definer set search_path = pg_catalog as 'select body from tenor.secrets';
    grant select on tenor.secrets_view, tenor.careless_view to tenor_app;
    grant execute on function tenor.careless_function() to tenor_app;
"""


@dataclass(frozen=True, slots=True)
class Thief:
    """The first tenant; `other` has the secret number 2 with the code 'twin' and the body 'canary'."""

    database: Database
    own: TenantId
    other: TenantId

    def all_of(self, query: str) -> list[tuple[object, ...]]:
        with self.database.transaction(self.own) as uow:
            return uow.fetch_all(query)

    def refused(self, kind: type[psycopg.Error], statement: str) -> None:
        """Expect `statement` to fail; `{own}` and `{other}` in it stand for the tenants."""
        with pytest.raises(kind), self.database.transaction(self.own) as uow:
            uow.execute(statement.format(own=self.own, other=self.other))


@pytest.fixture
def thief(database: Database, tenant: TenantId, other_tenant: TenantId) -> Thief:
    with database.owner() as connection:
        connection.execute(SCHEMA)
    for number, own, body in ((1, tenant, "own"), (2, other_tenant, "canary")):
        with database.transaction(own) as uow:
            uow.execute("insert into secrets values (%s, %s, 'twin', %s)", [own, number, body])
            uow.execute("insert into readings values (%s, %s, '2025-05-05', %s)", [own, number, body])
    return Thief(database, tenant, other_tenant)


@pytest.mark.parametrize(
    "query",
    [
        "select body from secrets",
        "select body from readings",
        "select body from secrets_view",
        "select body from careless_view",  # runs as the owner, and row-level security is forced on it too
        "select * from careless_function()",
        "select body from secrets where id = 2 or true",
        "select s.body from readings r right join secrets s on true",
        "with recursive r as (select body from secrets union select s.body from secrets s, r) select body from r",
        "select body from secrets for update",
        "select slug from tenants",
    ],
)
def test_reading_shows_the_own_rows(thief: Thief, query: str) -> None:
    assert thief.all_of(query) == [("acme",) if "tenants" in query else ("own",)]


def test_copying_out_shows_the_own_rows(thief: Thief) -> None:
    with thief.database.transaction(thief.own) as uow:
        with uow.connection.cursor() as cursor, cursor.copy("copy (select body from secrets) to stdout") as copy:
            assert b"".join(bytes(part) for part in copy) == b"own\n"
        with uow.connection.cursor() as cursor, cursor.copy("copy secrets to stdout") as copy:
            assert b"canary" not in b"".join(bytes(part) for part in copy)


def test_a_function_that_peeks_sees_no_foreign_row(thief: Thief) -> None:
    # A function in WHERE must not run before the policy has thrown the foreign rows out.
    notices: list[str | None] = []
    with thief.database.transaction(thief.own) as uow:
        uow.connection.add_notice_handler(lambda notice: notices.append(notice.message_primary))
        uow.execute(
            """
            set local client_min_messages = notice;
            create function pg_temp.peek(body text) returns boolean language plpgsql cost 0.0001
            as $$ begin raise notice 'saw %', body; return true; end $$;
            select * from secrets where pg_temp.peek(body)
            """
        )
    assert notices == ["saw own"]


def test_the_planner_statistics_are_hidden(thief: Thief) -> None:
    with thief.database.owner() as connection:
        connection.execute("analyze tenor.secrets")
    with thief.database.setup() as superuser:
        query = "select attname from pg_stats where tablename = 'secrets'"
        assert len(superuser.execute(query).fetchall()) == 4

    assert thief.all_of(query) == []


@pytest.mark.parametrize(
    "statement",
    [
        "select body from readings_y2025m05",  # the partition itself
        "insert into readings_y2025m05 values ('{other}', 2, '2025-05-06', 'x')",
        "insert into secrets values ('{other}', 3, 'x', 'x')",
        "insert into secrets values ('{other}', 2, 'x', 'x') on conflict (tenant_id, id) do update set body = 'x'",
        "insert into secrets select '{other}', 9, 'x', 'x'",
        "update secrets set tenant_id = '{other}'",
        "insert into readings values ('{other}', 2, '2025-05-06', 'x')",
        "merge into secrets using (select 1) x on id = 2 when not matched then insert values ('{other}', 3, 'x', 'x')",
        "delete from secrets",
        "truncate secrets",
        "update readings set body = 'x'",
        "delete from readings",
        "truncate readings",
        "insert into tenants values ('{own}', 'umbra')",  # would tell whether the slug is taken
        "update tenants set slug = 'umbra'",
        "set local row_security = off; select * from secrets",
        "alter table secrets disable row level security",
        "alter table secrets no force row level security",
        "create policy mine on secrets using (true)",
        "drop policy tenant_isolation on secrets",
        "alter function tenor.current_tenant() owner to tenor_app",
        "create or replace function tenor.current_tenant() returns uuid language sql as 'select null::uuid'",
        "create function tenor.mine() returns void language sql as ''",
        "create table tenor.mine ()",
        "create table mine (tenant_id uuid references secrets)",
        "create trigger mine before insert on secrets for each row execute function tenor.refuse_change()",
        "alter table readings disable trigger append_only",
        "set local session_replication_role = replica",
        "select tenor.protect('tenor.secrets', 'update')",
        "select tenor.isolate('tenor.secrets', false)",
        "select * from tenor.tenor_migrations",
        "copy secrets to program 'cat'",
        "copy secrets to '/tmp/secrets'",
        "select pg_read_file('postgresql.conf')",
        "select * from pg_authid",
        "select * from pg_statistic",
    ],
)
def test_what_the_application_may_not_do(thief: Thief, statement: str) -> None:
    thief.refused(psycopg.errors.InsufficientPrivilege, statement)


@pytest.mark.parametrize("role", ["tenor_owner", "tenor_auditor"])
def test_a_login_of_its_own_cannot_become_another(thief: Thief, role: str) -> None:
    """With one login that takes the roles this way is open; `Database.description` tells the operator so."""
    with thief.database.transaction(thief.own) as uow:
        login = uow.fetch_one("select session_user::text")
    if login == ("tenor_app",):
        thief.refused(psycopg.errors.InsufficientPrivilege, f"set local role none; set local role {role}")
    else:
        assert thief.database.description.endswith("one login that takes the roles")


def test_the_same_business_key_in_two_tenants_is_no_conflict_and_no_hint(thief: Thief) -> None:
    with thief.database.transaction(thief.own) as uow:
        uow.execute("insert into secrets values (%s, 2, 'another', 'x')", [thief.own])  # the other tenant's id
    with pytest.raises(psycopg.errors.UniqueViolation) as error, thief.database.transaction(thief.own) as uow:
        uow.execute("insert into secrets values (%s, 3, 'twin', 'x')", [thief.own])
    assert str(thief.other) not in str(error.value)


def test_a_row_of_another_tenant_cannot_be_referred_to(thief: Thief) -> None:
    thief.refused(psycopg.errors.ForeignKeyViolation, "insert into readings values ('{own}', 2, '2025-05-06', 'x')")


def test_copy_cannot_write_past_the_policy(thief: Thief) -> None:
    with (
        pytest.raises(psycopg.errors.FeatureNotSupported),
        thief.database.transaction(thief.own) as uow,
        uow.connection.cursor() as cursor,
        cursor.copy("copy secrets from stdin") as copy,
    ):
        copy.write_row((thief.other, 3, "x", "x"))


def test_a_temporary_table_cannot_stand_in_for_a_real_one(thief: Thief) -> None:
    with thief.database.transaction(thief.own) as uow:
        uow.execute("create temporary table secrets (body text)")
    assert thief.all_of("select body from secrets") == [("own",)]


def test_partitions_cannot_be_had_from_a_look_alike(thief: Thief) -> None:
    statement = """
        create temporary table readings (at timestamptz) partition by range (at);
        select tenor.ensure_month_partitions('pg_temp.readings', '2025-01-01', '2025-01-01')
    """
    thief.refused(psycopg.errors.InvalidParameterValue, statement)


def test_the_owner_is_bound_as_well(thief: Thief) -> None:
    with thief.database.owner() as owner:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="set no tenant"):
            owner.execute("select * from secrets")
        with owner.transaction():
            owner.execute("select set_config('tenor.tenant_id', %s, true)", [str(thief.own)])
            assert owner.execute("select body from secrets").fetchall() == [("own",)]
            assert owner.execute("select body from readings_y2025m05").fetchall() == [("own",)]
            for table in ("readings", "readings_y2025m05"):
                for change in (f"update {table} set body = 'x'", f"delete from {table}", f"truncate {table}"):
                    with pytest.raises(psycopg.errors.RestrictViolation, match=f"{table} is append-only"):
                        _in_savepoint(owner, change)


def test_a_tenant_that_sql_of_our_own_sets_ends_with_the_transaction(thief: Thief) -> None:
    """Row-level security is no defence against SQL that the application itself runs: it may set the tenant.

    No statement is built from input, so that only code can; and what it set is gone afterwards.
    """
    with thief.database.transaction(thief.own) as uow:
        uow.execute("select set_config('tenor.tenant_id', %s, false)", [str(thief.other)])
        assert uow.fetch_all("select body from secrets") == [("canary",)]
    assert thief.all_of("select body from secrets") == [("own",)]


def _in_savepoint(connection: psycopg.Connection, statement: str) -> None:
    with connection.transaction():
        connection.execute(statement)
