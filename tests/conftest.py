"""Fixtures for tests that need PostgreSQL: one server per run, one fresh migrated database per test."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenor.kernel.ids import TenantId
from tenor.platform.database import Database
from tenor.platform.tenants import create_tenant
from tenor.platform.unit_of_work import UnitOfWork
from tests.support.postgres import DIRECTORY, Server, only_one_process, shared_server
from tests.support.run_directory import directory_of_run, remove


def pytest_configure(config: pytest.Config) -> None:
    """Make the directory of the run before its other processes are started, which inherit its name."""
    if not hasattr(config, "workerinput"):
        os.environ[DIRECTORY] = directory = str(directory_of_run())
        os.environ["TENOR_KEYS_FILE"] = f"{directory}/keys"


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove it after they have ended."""
    if not hasattr(config, "workerinput"):
        remove(Path(os.environ.pop(DIRECTORY)))


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The PostgreSQL server of this test run, shared by all its processes."""
    with shared_server() as server:
        yield server


@pytest.fixture(scope="session")
def template(server: Server) -> str:
    """The name of the migrated database that every other one is copied from."""
    with only_one_process(Path(os.environ[DIRECTORY])):
        return server.template()


@pytest.fixture
def database(server: Server, template: str) -> Iterator[Database]:
    """A fresh migrated database of this test's own, without a tenant."""
    with server.fresh_database(template) as name, Database.open(server.settings(name)) as database:
        yield database


@pytest.fixture
def tenant(database: Database) -> TenantId:
    """A tenant of the fresh database."""
    return create_tenant(database, slug="acme", name="Acme")


@pytest.fixture
def other_tenant(database: Database) -> TenantId:
    """A second tenant, whose rows the first must never see."""
    return create_tenant(database, slug="umbra", name="Umbra")


@pytest.fixture
def uow(database: Database, tenant: TenantId) -> Iterator[UnitOfWork]:
    """A transaction of the tenant, committed when the test has passed."""
    with database.transaction(tenant) as uow:
        yield uow
