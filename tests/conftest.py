"""Fixtures for tests that need PostgreSQL: one server per run, one fresh migrated database per test."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenor.kernel.ids import TenantId
from tenor.platform.database import Database
from tenor.platform.tenants import create_tenant
from tenor.platform.unit_of_work import UnitOfWork
from tests.support.memory import directory_in_memory, remove
from tests.support.postgres import IN_MEMORY, Server, only_one_process, shared_server


def pytest_configure(config: pytest.Config) -> None:
    """Make the directory in memory before other processes of the run are started; they inherit its name."""
    if not hasattr(config, "workerinput") and (directory := directory_in_memory()):
        os.environ[IN_MEMORY] = str(directory)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove it after they have ended."""
    if not hasattr(config, "workerinput") and (directory := os.environ.pop(IN_MEMORY, None)):
        remove(Path(directory))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Server]:
    """The PostgreSQL server of this test run, shared by all its processes."""
    base: Path = tmp_path_factory.getbasetemp()
    with shared_server(base if worker_id == "master" else base.parent) as server:
        yield server


@pytest.fixture(scope="session")
def template(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of the migrated database that every other one is copied from."""
    with only_one_process(tmp_path_factory.getbasetemp().parent):
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
