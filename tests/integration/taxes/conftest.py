"""What taxes are tested on: three customers and a few helpers to set what holds for them."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tenor.customers import CustomerDetails, register_customers
from tenor.kernel.ids import CustomerId, TenantId
from tenor.platform.database import Database
from tenor.platform.unit_of_work import UnitOfWork
from tenor.taxes import Jurisdiction, TaxProfile, TaxRate, TaxSeller, set_tax_profiles, set_tax_rates, set_tax_seller

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
SINCE = datetime(2020, 1, 1, tzinfo=UTC)
GERMANY = Jurisdiction("DE")


@pytest.fixture
def customers(database: Database, tenant: TenantId) -> dict[str, CustomerId]:
    """Ada pays 7.7 % of her own; Bob and Eve pay none."""
    with database.transaction(tenant) as uow:
        return register_customers(
            uow,
            [
                CustomerDetails(external_id="ada", name="Ada", tax_percent=Decimal("7.7")),
                CustomerDetails(external_id="bob", name="Bob", country="DE"),
                CustomerDetails(external_id="eve", name="Eve"),
            ],
            now=SINCE,
            actor="test",
            reason="a test",
        )


def rate(percent: str, where: str = "DE", *, name: str = "VAT", since: datetime = SINCE, **facts: object) -> TaxRate:
    """Return a rate of the standard category, in force since 2020."""
    country, _, region = where.partition("-")
    return TaxRate(
        name=name,
        jurisdiction=Jurisdiction(country, region),
        percent=Decimal(percent),
        valid_from=since,
        **facts,  # type: ignore[arg-type]
    )


def set_rates(uow: UnitOfWork, *rates: TaxRate) -> list[TaxRate]:
    """Set rates as the law."""
    return set_tax_rates(uow, rates, now=NOW, actor="test", reason="the law")


def set_seller(uow: UnitOfWork, country: str = "DE", *, from_engine: bool = False) -> None:
    """Say where the tenant is taxed."""
    seller = TaxSeller(country=country, rates_from="engine" if from_engine else "table")
    set_tax_seller(uow, seller, now=NOW, actor="test", reason="moved")


def set_profile(uow: UnitOfWork, customer_id: CustomerId, where: str = "DE", **facts: object) -> None:
    """Give a customer a profile."""
    country, _, region = where.partition("-")
    profile = TaxProfile(jurisdiction=Jurisdiction(country, region), **facts)  # type: ignore[arg-type]
    set_tax_profiles(uow, {customer_id: profile}, now=NOW, actor="test", reason="form")
