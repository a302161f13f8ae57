"""Customers: registering many at once, again, and with other facts."""

import threading
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tenor.customers import CustomerDetails, CustomerDiffers, customers_by_external_id, register_customers
from tenor.kernel.errors import Malformed
from tenor.kernel.ids import CustomerId, TenantId
from tenor.platform.database import Database
from tenor.platform.unit_of_work import UnitOfWork

NOW = datetime(2026, 1, 10, tzinfo=UTC)
ADA = CustomerDetails(external_id="ada", name="Ada", country="GB", timezone="Europe/London", tax_percent=Decimal(20))
BOB = CustomerDetails(external_id="bob", name="Bob")


def changed(customer: CustomerDetails, **facts: object) -> CustomerDetails:
    known = {name: getattr(customer, name) for name in ("external_id", "name", "country", "timezone", "tax_percent")}
    return CustomerDetails(**{**known, **facts})


def test_customers_are_registered_and_found(uow: UnitOfWork) -> None:
    ids = register_customers(uow, [ADA, BOB], now=NOW, actor="test", reason="a test")
    found = customers_by_external_id(uow, ["ada", "bob", "eve"])

    assert list(found) == list(ids) == ["ada", "bob"]
    ada, bob = found["ada"], found["bob"]
    assert (ada.id, ada.name, ada.country, ada.timezone, ada.tax_percent) == (
        ids["ada"],
        "Ada",
        "GB",
        "Europe/London",
        Decimal(20),
    )
    assert (bob.country, bob.timezone, bob.tax_percent) == (None, "UTC", Decimal(0))


def test_registering_again_keeps_the_ids(uow: UnitOfWork) -> None:
    first = register_customers(uow, [ADA], now=NOW, actor="test", reason="a test")
    second = register_customers(
        uow, [ADA, BOB, ADA], now=datetime(2026, 5, 1, tzinfo=UTC), actor="test", reason="a test"
    )

    assert second["ada"] == first["ada"]
    assert uow.fetch_all("select count(*) from customers") == [(2,)]


def test_a_new_name_is_taken_over(uow: UnitOfWork) -> None:
    register_customers(uow, [BOB], now=NOW, actor="test", reason="a test")
    register_customers(uow, [changed(BOB, name="Robert")], now=NOW, actor="test", reason="a test")

    assert customers_by_external_id(uow, ["bob"])["bob"].name == "Robert"


def test_who_is_new_and_who_has_changed_is_told_and_nobody_else(uow: UnitOfWork) -> None:
    def register(*customers: CustomerDetails) -> None:
        register_customers(uow, customers, now=NOW, actor="ada", reason="the import of June")

    register(ADA, BOB)
    register(ADA, BOB)
    register(ADA, changed(BOB, name="Robert"))

    told = uow.fetch_all("select type, payload->>'external_id', payload->'version' from outbox_events")
    assert sorted(told) == [
        ("customer.changed", "bob", 2),
        ("customer.created", "ada", 1),
        ("customer.created", "bob", 1),
    ]
    assert customers_by_external_id(uow, ["bob"])["bob"].version == 2
    deeds = uow.fetch_all("select action, after->>'external_id' from audit_records where actor = 'ada'")
    assert sorted(deeds) == [("customer.changed", "bob"), ("customer.created", "ada"), ("customer.created", "bob")]


@pytest.mark.parametrize(
    "facts", [{"country": "DE"}, {"country": None}, {"timezone": "UTC"}, {"tax_percent": Decimal("20.01")}]
)
def test_what_decides_amounts_and_dates_is_not_changed_by_an_import(uow: UnitOfWork, facts: dict[str, object]) -> None:
    register_customers(uow, [ADA], now=NOW, actor="test", reason="a test")

    with pytest.raises(CustomerDiffers, match="customer 'ada'"):
        register_customers(uow, [BOB, changed(ADA, name="Countess", **facts)], now=NOW, actor="test", reason="a test")

    assert list(customers_by_external_id(uow, ["ada", "bob"])) == ["ada"]  # bob neither
    assert customers_by_external_id(uow, ["ada"])["ada"].name == "Ada"


def test_two_different_customers_of_one_id_are_refused(uow: UnitOfWork) -> None:
    with pytest.raises(CustomerDiffers):
        register_customers(uow, [ADA, changed(ADA, country="DE")], now=NOW, actor="test", reason="a test")


@pytest.mark.parametrize(
    "facts",
    [
        {"external_id": ""},
        {"external_id": "x" * 201},
        {"external_id": "a\0"},
        {"name": "x" * 501},
        {"country": "de"},
        {"country": "DEU"},
        {"timezone": "Mars/Base"},
        {"tax_percent": Decimal(-1)},
        {"tax_percent": Decimal("100.1")},
        {"tax_percent": Decimal("1.0000001")},
        {"tax_percent": Decimal("NaN")},
    ],
)
def test_details_that_no_customer_has_are_refused(facts: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        changed(ADA, **facts)


def test_many_are_registered_at_once(uow: UnitOfWork) -> None:
    many = [CustomerDetails(external_id=f"c{number}", name=f"Customer {number}") for number in range(7_043)]

    assert len(register_customers(uow, many, now=NOW, actor="test", reason="a test")) == 7_043


def test_none_is_no_error(uow: UnitOfWork) -> None:
    assert register_customers(uow, [], now=NOW, actor="test", reason="a test") == {}


def test_one_customer_registered_twice_at_once_is_one(database: Database, tenant: TenantId) -> None:
    found: list[CustomerId] = []

    def register() -> None:
        with database.transaction(tenant) as uow:
            found.append(register_customers(uow, [ADA], now=NOW, actor="test", reason="a test")["ada"])

    threads = [threading.Thread(target=register) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)

    assert len(found) == 4
    assert len(set(found)) == 1
