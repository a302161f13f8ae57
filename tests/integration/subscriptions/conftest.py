"""What subscriptions are tested on: a few plans, sold since 2020, and a customer."""

from datetime import UTC, datetime

import pytest

from tenor.customers import CustomerDetails, register_customers
from tenor.kernel.ids import CustomerId, PlanVersionId, TenantId
from tenor.platform.database import Database
from tenor.pricing.price_book import apply_price_book, read_price_book

SINCE = datetime(2020, 1, 1, tzinfo=UTC)
EURO = """\
price_book: euro
currency: EUR
tax_mode: exclusive
effective: 2020-01-01T00:00:00Z
products:
  - {code: service, name: Service}
metrics:
  - {code: calls, name: Calls, aggregation: count}
plans:
  - code: basic
    name: Basic
    product: service
    interval: month
    charges: &base_and_seats
      - {code: base, name: Base, kind: recurring, amount: 10}
      - {code: seats, name: Seats, kind: seat, unit_amount: 5, quantity: 1}
  - {code: yearly, name: Yearly, product: service, interval: year, charges: *base_and_seats}
  - {code: tried, name: Tried, product: service, interval: month, trial_days: 14, charges: *base_and_seats}
  - code: team
    name: Team
    product: service
    interval: month
    charges:
      - {code: base, name: Base, kind: recurring, amount: 10}
      - {code: seats, name: Seats, kind: seat, unit_amount: 4, quantity: 0}
      - {code: calls, name: Calls, kind: usage, metric: calls, unit_amount: 0.01}
  - code: flat
    name: Flat
    product: service
    interval: month
    charges:
      - {code: base, name: Base, kind: recurring, amount: 10}
"""
DOLLAR = """\
price_book: dollar
currency: USD
tax_mode: exclusive
effective: 2020-01-01T00:00:00Z
products:
  - {code: service, name: Service}
plans:
  - code: dollar
    name: Dollar
    product: service
    interval: month
    charges:
      - {code: base, name: Base, kind: recurring, amount: 10}
"""


@pytest.fixture
def plans(database: Database, tenant: TenantId) -> dict[str, PlanVersionId]:
    """The plan versions that are sold, by plan."""
    sold: dict[str, PlanVersionId] = {}
    with database.transaction(tenant) as uow:
        for text in (EURO, DOLLAR):
            sold |= apply_price_book(uow, read_price_book(text.encode()), actor="test", now=SINCE).plan_versions
    return sold


@pytest.fixture
def customer(database: Database, tenant: TenantId) -> CustomerId:
    """A customer in Berlin."""
    details = CustomerDetails(external_id="berliner", name="Berliner", country="DE", timezone="Europe/Berlin")
    with database.transaction(tenant) as uow:
        return register_customers(uow, [details], now=SINCE, actor="test", reason="a test")["berliner"]
