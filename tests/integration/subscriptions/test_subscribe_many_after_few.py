"""A bulk write after a few rows in the same session: what was planned for the few must not be used for the many."""

from datetime import UTC, datetime

import pytest

from tenor.customers import CustomerDetails, register_customers
from tenor.kernel.ids import TenantId
from tenor.platform.database import Database
from tenor.subscriptions import NewSubscription, subscribe

NOW = datetime(2026, 5, 10, 12, tzinfo=UTC)
FEW = 30
MANY = 1_000


def subscribe_new_customers(database: Database, tenant: TenantId, names: list[str]) -> None:
    with database.transaction(tenant) as uow:
        customers = register_customers(
            uow,
            [CustomerDetails(external_id=name, name=name) for name in names],
            now=NOW,
            actor="test",
            reason="a test",
        )
        requests = [
            NewSubscription(external_id=name, customer_id=customers[name], plan="basic", starts_at=NOW)
            for name in names
        ]
        subscribe(uow, requests, now=NOW, actor="test", reason="test")


@pytest.mark.usefixtures("plans")
def test_foreign_keys_of_a_bulk_write_do_not_read_the_tenants_rows_for_each_row(
    database: Database, tenant: TenantId
) -> None:
    subscribe_new_customers(database, tenant, [f"few-{n}" for n in range(FEW)])

    subscribe_new_customers(database, tenant, [f"many-{n}" for n in range(MANY)])

    with database.transaction(tenant) as uow:
        uow.execute("select pg_stat_force_next_flush()")  # the counters of the session are shown after a transaction
    with database.transaction(tenant) as uow:
        rows_read = uow.fetch_one(
            "select sum(idx_tup_read)::bigint from pg_stat_all_indexes where relname = 'subscriptions'"
        )
    # Each of the 1,030 rows of five tables that refer to a subscription reads one; reading all of the tenant's
    # each time would be a million and more.
    assert rows_read is not None
    assert rows_read[0] < 20_000
