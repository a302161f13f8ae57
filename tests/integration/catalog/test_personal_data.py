"""Personal data: unreadable in the database, gone after an erasure, and still there after a rotation of keys."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tenor.customers import (
    CustomerDetails,
    CustomerErased,
    customers_by_external_id,
    erase_customer,
    register_customers,
    rewrap_keys,
    seal_plain_names,
)
from tenor.kernel.errors import NotFound
from tenor.kernel.ids import CustomerId, TenantId, new_id
from tenor.platform.database import Database
from tenor.platform.sealing import EncryptionKeyMissing, SealBroken
from tenor.platform.tenants import create_tenant
from tenor.platform.unit_of_work import UnitOfWork
from tests.support.postgres import Server

NOW = datetime(2026, 1, 10, tzinfo=UTC)
ADA = CustomerDetails(
    external_id="ada", name="Ada Lovelace", email="ada@example.org", address="12 St James's Square\nLondon"
)


def erase(uow: UnitOfWork, customer_id: CustomerId) -> bool:
    return erase_customer(uow, customer_id, now=NOW, actor="support", reason="asked for it")


def everything(database: Database) -> str:
    """All rows of all tables, as text."""
    with database.auditor() as connection:
        tables = connection.execute(
            "select relname from pg_class where relnamespace = 'tenor'::regnamespace and relkind in ('r', 'p')"
            " and not relispartition"  # its rows are those of the table that it is a part of
            " and relname <> 'tenor_migrations'"
        ).fetchall()
        return "\n".join(
            str(row) for (table,) in tables for row in connection.execute(f'select t::text from tenor."{table}" t')
        )


def test_no_row_of_any_table_shows_who_a_customer_is(database: Database, tenant: TenantId) -> None:
    with database.transaction(tenant) as uow:
        register_customers(uow, [ADA], now=NOW, actor="test", reason="a test")
        known = customers_by_external_id(uow, ["ada"])["ada"]
    assert (known.name, known.email, known.address) == (ADA.name, ADA.email, ADA.address)

    written = everything(database)
    assert "ada" in written  # the external id is the tenant's own name for it
    for text in (ADA.name, ADA.email, "St James"):
        assert text is not None
        assert text not in written
        assert text.encode().hex() not in written


def test_what_is_not_said_again_stays_and_what_is_said_replaces(database: Database, tenant: TenantId) -> None:
    with database.transaction(tenant) as uow:
        register_customers(uow, [ADA], now=NOW, actor="test", reason="a test")
        before = uow.fetch_all("select name_sealed from customers")
        register_customers(uow, [replace(ADA, email=None, address=None)], now=NOW, actor="test", reason="a test")
        assert uow.fetch_all("select name_sealed from customers") == before  # nothing new, nothing written
        register_customers(
            uow, [replace(ADA, email="countess@example.org", address=None)], now=NOW, actor="test", reason="a test"
        )
        known = customers_by_external_id(uow, ["ada"])["ada"]
    assert (known.name, known.email, known.address) == (ADA.name, "countess@example.org", ADA.address)


def test_an_erased_customer_keeps_its_id_and_nothing_else(
    database: Database, tenant: TenantId, other_tenant: TenantId
) -> None:
    with database.transaction(tenant) as uow:
        ada = register_customers(uow, [ADA], now=NOW, actor="test", reason="a test")["ada"]
    with database.transaction(other_tenant) as uow, pytest.raises(NotFound):
        erase(uow, ada)
    with database.transaction(tenant) as uow:
        assert erase(uow, ada)
        assert not erase(uow, ada)
        known = customers_by_external_id(uow, ["ada"])["ada"]
        assert (known.id, known.name, known.email, known.address, known.is_erased) == (ada, "", None, None, True)
        assert sorted(uow.fetch_all("select action, reason from audit_records")) == [
            ("customer.created", "a test"),
            ("customer.erased", "asked for it"),
        ]
        assert sorted(uow.fetch_all("select type from outbox_events")) == [("customer.created",), ("customer.erased",)]
        with pytest.raises(CustomerErased):
            register_customers(
                uow, [CustomerDetails(external_id="bob", name="Bob"), ADA], now=NOW, actor="test", reason="a test"
            )
        assert list(customers_by_external_id(uow, ["ada", "bob"])) == ["ada"]


def test_keys_are_wrapped_anew_without_touching_what_they_sealed(server: Server, template: str, tmp_path: Path) -> None:
    many = [CustomerDetails(external_id=f"c{n}", name=f"Customer {n}") for n in range(250)]
    with server.fresh_database(template) as name:
        settings = replace(server.settings(name), keys_file=tmp_path / "keys")
        with Database.open(settings) as database:
            tenant = create_tenant(database, slug="acme", name="Acme")
            with database.transaction(tenant) as uow:
                register_customers(uow, many, now=NOW, actor="test", reason="a test")
                sealed = uow.fetch_all("select id, name_sealed from customers order by id")
            old = database.keyring().newest
            database.rotate_keyring()
            with database.transaction(tenant) as uow:
                assert [rewrap_keys(uow, limit=100) for _ in range(4)] == [100, 100, 50, 0]
                assert uow.fetch_all("select id, name_sealed from customers order by id") == sealed
                assert uow.fetch_all("select distinct key_id from customer_keys") == [(database.keyring().newest,)]
            database.keyring().without([old], database.keys_file)
        with Database.open(settings) as database, database.transaction(tenant) as uow:  # the old key is gone for good
            assert {one.name for one in customers_by_external_id(uow, ["c0", "c249"]).values()} == {
                "Customer 0",
                "Customer 249",
            }

        elsewhere = replace(settings, keys_file=tmp_path / "elsewhere" / "keys")
        with (
            Database.open(elsewhere) as database,
            database.transaction(tenant) as uow,
            pytest.raises(EncryptionKeyMissing, match="TENOR_KEYS_FILE"),
        ):
            customers_by_external_id(uow, ["c0"])
        assert not (tmp_path / "elsewhere").exists()  # no second key is begun beside the first


def test_a_name_of_an_earlier_release_is_shown_and_then_sealed(database: Database, tenant: TenantId) -> None:
    old = CustomerId(new_id(NOW))
    with database.transaction(tenant) as uow:
        uow.execute(
            "insert into customers (tenant_id, id, external_id, name, created_at)"
            " values (%s, %s, 'old', 'Old Ltd', %s)",
            [tenant, old, NOW],
        )
        assert customers_by_external_id(uow, ["old"])["old"].name == "Old Ltd"
        assert [seal_plain_names(uow, limit=10, now=NOW) for _ in range(2)] == [1, 0]
        assert uow.fetch_all("select name from customers") == [(None,)]
        assert customers_by_external_id(uow, ["old"])["old"].name == "Old Ltd"


def test_what_was_sealed_for_one_customer_does_not_open_for_another(database: Database, tenant: TenantId) -> None:
    with database.transaction(tenant) as uow:
        ids = register_customers(
            uow, [ADA, CustomerDetails(external_id="bob", name="Bob")], now=NOW, actor="test", reason="a test"
        )
        uow.execute(
            "update customers set name_sealed = (select name_sealed from customers where id = %s) where id = %s",
            [ids["ada"], ids["bob"]],
        )
        with pytest.raises(SealBroken):
            customers_by_external_id(uow, ["bob"])
