"""Stories share one database; each is told in a company of its own, and ends with a proof."""

import re
from collections.abc import Iterator

import pytest

from tenor.platform.database import Database
from tenor.subscribers import SUBSCRIBERS
from tests.support.company import Company
from tests.support.postgres import Server


@pytest.fixture(scope="session")
def town(server: Server, template: str) -> Iterator[tuple[Server, str]]:
    """The database in which all companies of this process live."""
    with server.fresh_database(template) as name:
        yield server, name


@pytest.fixture
def acme(town: tuple[Server, str], request: pytest.FixtureRequest) -> Iterator[Company]:
    """A company; when its story is over, the proof must find nothing and the books must balance."""
    server, name = town
    settings = server.settings(name)
    slug = re.sub("[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:60]
    with Database.open(settings, subscribers=SUBSCRIBERS) as database:
        company = Company.found(database, settings, slug)
        yield company
        company.assert_proven()
