"""A database on the embedded server, as a user without any setting gets it."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tenor.platform.database import Database
from tenor.platform.migrate import migrate
from tenor.platform.settings import Settings
from tenor.platform.tenants import create_tenant, find_tenant, list_tenants
from tests.support.processes import keeper_of, kill, processes_in, server_of, wait_until


@pytest.mark.parametrize("depth", [0, 2], ids=["socket", "loopback"])
def test_every_role_logs_in_by_itself(new_home: Path, depth: int) -> None:
    data_dir = new_home.joinpath(*["d" * 60] * depth)
    with Database.open(Settings(data_dir=data_dir, embedded_linger_seconds=0.2)) as database:
        migrate(database)
        tenant = create_tenant(database, slug="acme", name="Acme")
        with database.owner() as owner, database.auditor() as auditor, database.transaction(tenant) as uow:
            who = "select session_user::text, current_user::text"
            users = [owner.execute(who).fetchone(), auditor.execute(who).fetchone(), uow.fetch_one(who)]
        assert users == [(role, role) for role in ("tenor_owner", "tenor_auditor", "tenor_app")]
        assert f"embedded in {data_dir}" in database.description
        assert database.description.endswith("a login per role")
    wait_until(lambda: not processes_in(new_home))


def test_a_database_outlives_its_server(home: Path) -> None:
    with Database.open(Settings(data_dir=home.parent, embedded_linger_seconds=0.2)) as database:
        migrate(database)
        tenant = create_tenant(database, slug="acme", name="Acme")
        for _ in range(3):
            with database.transaction(tenant) as uow:
                assert uow.fetch_one("select slug from tenants") == ("acme",)
                backend = uow.connection.info.backend_pid
            kill(server_of(home))
            wait_until(partial(is_gone, backend))

        assert find_tenant(database, "acme").tenant_id == tenant


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_a_connection_made_while_the_server_is_going_down_waits_for_the_next_one(home: Path) -> None:
    with Database.open(Settings(data_dir=home.parent, embedded_linger_seconds=0.2)) as database:
        pid_file = home / "data" / "postmaster.pid"
        for _ in range(5):
            kill(keeper_of(home))
            wait_until(partial(is_going_down, pid_file))
            with database.setup() as connection:
                assert connection.execute("select 1").fetchone() == (1,)


def test_two_databases_of_one_process_share_the_server(home: Path) -> None:
    settings = Settings(data_dir=home.parent, embedded_linger_seconds=0.2)
    with Database.open(settings) as first, Database.open(replace(settings)) as second:
        migrate(first)
        create_tenant(first, slug="acme", name="Acme")
        assert [tenant.slug for tenant in list_tenants(second)] == ["acme"]


def is_going_down(pid_file: Path) -> bool:
    try:
        return "ready" not in pid_file.read_text()
    except FileNotFoundError:
        return True
