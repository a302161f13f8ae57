"""The company that is billed: one plan of three charges, and as many subscribers as are asked for.

Every subscriber is a customer of their own with one subscription, 2 to 8 seats and one or two usage events. The
first run bills what is paid in advance for the first month; the second one, which is measured, then makes one invoice
of exactly three lines for each: base fee and seats of the second month, usage of the first. Every subscription starts
at a second of its own and uses another number of units, so that periods and prices must be worked out for each.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from tenor.customers import CustomerDetails, register_customers
from tenor.invoicing import bill
from tenor.kernel.ids import TenantId
from tenor.metering import UsageEvent, record_usage
from tenor.platform.database import Database
from tenor.platform.migrate import migrate
from tenor.platform.settings import Settings
from tenor.platform.tenants import create_tenant
from tenor.pricing import apply_price_book, read_price_book
from tenor.subscriptions import NewSubscription, subscribe

FIRST_RUN: Final = datetime(2026, 1, 31, tzinfo=UTC)
MEASURED_RUN: Final = datetime(2026, 2, 28, tzinfo=UTC)
LINES_PER_INVOICE: Final = 3

ACTOR: Final = "bench"
_OPENING: Final = datetime(2026, 1, 1, tzinfo=UTC)
_START_SECONDS: Final = 27 * 86_400  # all start before the first run, and begin their second month before the measured
_UNITS_MAX: Final = 1_000_000
_STRIDE: Final = 7_919  # prime, so that n * _STRIDE modulo the two above repeats as late as can be
_CHUNK: Final = 10_000

_PRICE_BOOK: Final = b"""\
price_book: bench
currency: EUR
tax_mode: exclusive
effective: 2026-01-01T00:00:00Z
products:
  - {code: app, name: App}
metrics:
  - {code: calls, name: Calls, aggregation: sum, field: n, unit: call}
plans:
  - code: team
    name: Team
    product: app
    interval: month
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: "20.00"}
      - {code: seats, name: Seats, kind: seat, unit_amount: "5.00"}
      - code: calls
        name: Calls
        kind: usage
        metric: calls
        model: graduated
        tiers:
          - {up_to: 1000, unit_amount: "0.01"}
          - {up_to: 100000, unit_amount: "0.005"}
          - {up_to: null, unit_amount: "0.0025"}
"""


def found_company(settings: Settings) -> TenantId:
    """Migrate the database and make the tenant with its price book; return its id."""
    with Database.open(settings) as database:
        migrate(database)
        tenant_id = create_tenant(database, slug="bench", name="Bench", is_sandbox=True)
        with database.transaction(tenant_id) as uow:
            apply_price_book(uow, read_price_book(_PRICE_BOOK), actor=ACTOR, now=_OPENING)
    return tenant_id


def add_subscribers(
    settings: Settings, tenant_id: TenantId, *, first: int, last: int, tell: Callable[[int], None]
) -> None:
    """Add the subscribers from number `first` to before `last`, with their usage, and do the first run.

    `tell` hears how many subscribers have been added. The tables are vacuumed at the end, as they would be in a
    system that has run for a while.
    """
    with Database.open(settings) as database:
        for start in range(first, last, _CHUNK):
            numbers = range(start, min(start + _CHUNK, last))
            _add_chunk(database, tenant_id, numbers)
            tell(numbers.stop - first)
        bill(database, settings, tenant_id, as_of=FIRST_RUN, actor=ACTOR)
        with database.setup() as connection:
            connection.execute("vacuum (analyze)")


def _add_chunk(database: Database, tenant_id: TenantId, numbers: range) -> None:
    with database.transaction(tenant_id) as uow:
        customers = [
            CustomerDetails(external_id=f"customer-{n}", name=f"Customer {n}", tax_percent=Decimal(20)) for n in numbers
        ]
        ids = register_customers(uow, customers, now=FIRST_RUN, actor="benchmark", reason="made for it")
        subscriptions = [
            NewSubscription(
                external_id=f"subscription-{n}",
                customer_id=ids[f"customer-{n}"],
                plan="team",
                starts_at=_start(n),
                quantities={"seats": Decimal(2 + n % 7)},
            )
            for n in numbers
        ]
        subscribe(uow, subscriptions, now=FIRST_RUN, actor=ACTOR, reason="benchmark")
    with database.transaction(tenant_id) as uow:
        record_usage(uow, list(_events(numbers)), now=MEASURED_RUN, strict=True)


def _start(n: int) -> datetime:
    return _OPENING + timedelta(seconds=n * _STRIDE % _START_SECONDS)


def _events(numbers: range) -> Iterator[UsageEvent]:
    for n in numbers:
        units = 2 + n * _STRIDE % _UNITS_MAX
        parts = (units,) if n % 2 else (units // 2, units - units // 2)
        for place, part in enumerate(parts):
            yield UsageEvent(
                event_id=f"{n}-{place}",
                source="bench",
                customer=f"customer-{n}",
                metric_code="calls",
                occurred_at=_start(n) + timedelta(days=3 + 11 * place),
                properties={"n": str(part)},
            )
