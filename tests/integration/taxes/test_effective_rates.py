"""Which rates each customer of a batch is billed with, and in how many statements."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tenor.customers import CustomerDetails, register_customers
from tenor.kernel.errors import NotFound
from tenor.kernel.ids import CustomerId, TenantId, new_id
from tenor.platform.database import Connection, Database
from tenor.platform.unit_of_work import UnitOfWork
from tenor.taxes import (
    AppliedRate,
    Jurisdiction,
    MalformedTax,
    TaxOverride,
    TaxOverrideNotFound,
    TaxProfile,
    effective_rates,
    end_tax_override,
    override_tax,
    set_tax_profiles,
)
from tests.integration.taxes.conftest import NOW, SINCE, rate, set_profile, set_rates, set_seller

ZERO = AppliedRate("VAT", Decimal(0), "DE")


def override(uow: UnitOfWork, customer_id: CustomerId, **facts: object) -> object:
    wanted = {"rates": (ZERO,), "audit_reference": "ruling 7", "valid_from": SINCE, **facts}
    return override_tax(
        uow,
        TaxOverride(customer_id=customer_id, **wanted),  # type: ignore[arg-type]
        now=NOW,
        actor="test",
        reason="told so",
    )


def percents(uow: UnitOfWork, customer_id: CustomerId, *, at: datetime = NOW, category: str = "standard") -> list[str]:
    found = effective_rates(uow, [customer_id], at)[customer_id].for_category(category)
    return [f"{applied.name} {applied.percent.normalize():f}" for applied in found.rates]


def test_a_customer_without_a_profile_has_its_own_percentage(uow: UnitOfWork, customers: dict[str, CustomerId]) -> None:
    set_rates(uow, rate("19"))

    assert percents(uow, customers["ada"]) == ["tax 7.7"]
    assert percents(uow, customers["bob"]) == []


def test_a_profile_goes_before_the_percentage_and_the_table_is_read_at_the_instant(
    uow: UnitOfWork, customers: dict[str, CustomerId]
) -> None:
    set_rates(uow, rate("19"), rate("16", since=datetime(2026, 7, 1, tzinfo=UTC)), rate("7", category="books"))
    set_profile(uow, customers["ada"])

    assert percents(uow, customers["ada"]) == ["VAT 19"]
    assert percents(uow, customers["ada"], category="books") == ["VAT 7"]
    assert percents(uow, customers["ada"], category="software") == ["VAT 19"]
    assert percents(uow, customers["ada"], at=datetime(2026, 7, 1, tzinfo=UTC)) == ["VAT 16"]
    assert percents(uow, customers["ada"], at=SINCE - timedelta(microseconds=1)) == ["tax 7.7"]  # no law yet


def test_country_and_region_both_tax(uow: UnitOfWork, customers: dict[str, CustomerId]) -> None:
    set_rates(uow, rate("5", "CA", name="GST"), rate("9.975", "CA-QC", name="QST"), rate("8", "CA-BC", name="PST"))
    set_profile(uow, customers["bob"], "CA-QC")

    assert percents(uow, customers["bob"]) == ["GST 5", "QST 9.975"]


def test_a_business_abroad_owes_the_tax_itself(uow: UnitOfWork, customers: dict[str, CustomerId]) -> None:
    set_seller(uow, "FR")
    set_rates(uow, rate("19"))
    set_profile(uow, customers["bob"], tax_id="DE136695976")
    set_profile(uow, customers["eve"])

    rates = effective_rates(uow, customers.values(), NOW)
    bob, eve = rates[customers["bob"]].for_category("standard"), rates[customers["eve"]].for_category("standard")
    assert (bob.is_charged, bob.note) == (False, "reverse charge")
    assert (eve.is_charged, eve.note) == (True, "")


def test_an_override_goes_before_all_else_as_long_as_it_holds(
    uow: UnitOfWork, customers: dict[str, CustomerId]
) -> None:
    set_rates(uow, rate("19"))
    set_profile(uow, customers["bob"])
    override_id = override(uow, customers["bob"], valid_to=NOW + timedelta(days=1))

    found = effective_rates(uow, [customers["bob"]], NOW)[customers["bob"]].for_category("standard")
    assert (found.rates, found.source, found.note) == ((ZERO,), "override", "rates by ruling 7")
    assert percents(uow, customers["bob"], at=NOW + timedelta(days=1)) == ["VAT 19"]

    end_tax_override(uow, override_id, at=NOW, now=NOW, actor="test", reason="over")  # type: ignore[arg-type]
    assert percents(uow, customers["bob"]) == ["VAT 19"]
    with pytest.raises(TaxOverrideNotFound):
        end_tax_override(uow, override_id, at=NOW, now=NOW, actor="test", reason="again")  # type: ignore[arg-type]
    actions = uow.fetch_all("select action, after->>'audit_reference' from audit_records where action like 'tax.%'")
    assert sorted(actions, key=lambda row: row[0]) == [("tax.end_override", None), ("tax.override", "ruling 7")]


def test_of_two_overrides_the_newer_holds(uow: UnitOfWork, customers: dict[str, CustomerId]) -> None:
    override(uow, customers["bob"])
    override_tax(
        uow,
        TaxOverride(customer_id=customers["bob"], rates=(), audit_reference="ruling 8", valid_from=SINCE),
        now=NOW,  # the clock of a sandbox may stand still
        actor="test",
        reason="told so again",
    )

    found = effective_rates(uow, [customers["bob"]], NOW)[customers["bob"]].for_category("standard")
    assert (found.rates, found.note) == ((), "rates by ruling 8")


@pytest.mark.parametrize(
    "facts",
    [
        {"audit_reference": " "},
        {"audit_reference": "x" * 501},
        {"audit_reference": "a\0"},
        {"rates": (AppliedRate("VAT", Decimal(200)),)},
        {"rates": (ZERO, ZERO)},
        {"valid_to": SINCE},
    ],
)
def test_an_override_without_a_proof_is_none(
    uow: UnitOfWork, customers: dict[str, CustomerId], facts: dict[str, object]
) -> None:
    with pytest.raises(MalformedTax):
        override(uow, customers["bob"], **facts)


def test_an_override_of_nobody_is_refused(uow: UnitOfWork) -> None:
    with pytest.raises(NotFound):
        override(uow, CustomerId(new_id(NOW)))


def test_a_thousand_customers_cost_as_many_statements_as_one_and_share_what_is_alike(
    database: Database, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.transaction(tenant) as uow:
        many = [CustomerDetails(external_id=f"c{number}", name="C") for number in range(1_000)]
        ids = list(register_customers(uow, many, now=SINCE, actor="test", reason="a test").values())
        set_rates(uow, *[rate("19", country) for country in ("DE", "FR", "IT")])
        places = [Jurisdiction(country) for country in ("DE", "FR", "IT")]
        profiles = {customer: TaxProfile(jurisdiction=places[number % 3]) for number, customer in enumerate(ids)}
        set_tax_profiles(uow, profiles, now=NOW, actor="test", reason="import")
        for customer in ids[:10]:
            override(uow, customer)
    statements: list[object] = []
    execute = psycopg.Connection.execute

    def counting(connection: Connection, statement: Any, *given: Any, **options: Any) -> Any:
        statements.append(statement)
        return execute(connection, statement, *given, **options)

    with database.transaction(tenant) as uow:
        monkeypatch.setattr(psycopg.Connection, "execute", counting)
        rates = effective_rates(uow, ids, NOW)
        monkeypatch.undo()

    assert len(statements) == 4
    assert len(rates) == 1_000
    assert len({id(found) for found in rates.values()}) == 10 + 3


def test_another_tenants_taxes_are_not_seen(database: Database, tenant: TenantId, other_tenant: TenantId) -> None:
    with database.transaction(other_tenant) as uow:
        set_seller(uow, "FR")
        set_rates(uow, rate("20"))
    with database.transaction(tenant) as uow:
        [ada] = register_customers(
            uow, [CustomerDetails(external_id="ada", name="Ada")], now=SINCE, actor="test", reason="a test"
        ).values()
        set_profile(uow, ada)

        assert effective_rates(uow, [ada], NOW)[ada].for_category("standard").note == "no tax rate in DE"
