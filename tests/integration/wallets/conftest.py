"""What wallets are tested on: two customers, and a wallet of euros of the first."""

from datetime import UTC, datetime

import pytest

from tenor.customers import CustomerDetails, register_customers
from tenor.kernel.ids import CustomerId, TenantId
from tenor.platform.database import Database
from tests.support.wallets import Purse

SINCE = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def customers(database: Database, tenant: TenantId) -> dict[str, CustomerId]:
    """The customers by external id."""
    details = [CustomerDetails(external_id=name, name=name.title()) for name in ("globex", "initech")]
    with database.transaction(tenant) as uow:
        return register_customers(uow, details, now=SINCE, actor="test", reason="a test")


@pytest.fixture
def purse(database: Database, tenant: TenantId, customers: dict[str, CustomerId]) -> Purse:
    """A wallet of euros that may not be overdrawn."""
    return Purse.open(database, tenant, customers["globex"])
