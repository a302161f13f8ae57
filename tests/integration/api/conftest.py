"""One server and one database for the tests of a file; each takes tenants of its own."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import httpx
import pytest

from tenor.api import create_app
from tenor.kernel.ids import TenantId
from tenor.platform.database import Database
from tenor.platform.tenants import create_tenant
from tenor.subscribers import SUBSCRIBERS
from tests.support.api import Caller, new_secret, served
from tests.support.postgres import Server

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
_numbers: Final = itertools.count()


@dataclass(frozen=True, slots=True)
class World:
    """A served database."""

    client: httpx.Client
    database: Database

    def tenant(self) -> TenantId:
        """Return a fresh sandbox whose clock stands at the start of 2026."""
        slug = f"t{next(_numbers)}"
        return create_tenant(self.database, slug=slug, name=slug, is_sandbox=True, clock_at=START)

    def caller(self, tenant: TenantId, *scopes: str) -> Caller:
        """Return somebody with a fresh key of a tenant."""
        return Caller(self.client, new_secret(self.database, tenant, *scopes))


@pytest.fixture(scope="module")
def world(server: Server, template: str) -> Iterator[World]:
    """A served database, without a tenant."""
    with (
        server.fresh_database(template) as name,
        Database.open(server.settings(name), subscribers=SUBSCRIBERS) as database,
        served(create_app(database, server.settings(name), calls_per_minute=1_000_000)) as base,
        httpx.Client(base_url=base, timeout=60, trust_env=False) as client,
    ):
        yield World(client, database)


@pytest.fixture
def caller(world: World) -> Caller:
    """Somebody who may do everything in a fresh sandbox."""
    return world.caller(world.tenant())
