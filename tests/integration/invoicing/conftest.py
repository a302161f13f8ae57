"""A company on the eve of a bill run, made once and copied for each test: same ids, so the same documents."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tenor.invoicing.bill_run import plan
from tenor.kernel.ids import TenantId
from tenor.platform.database import Database
from tests.support import eventful as full
from tests.support.company import Company
from tests.support.postgres import Server

BOOK = """\
price_book: main
currency: USD
tax_mode: exclusive
effective: 2020-01-01T00:00:00Z
products:
  - {code: app, name: App}
metrics:
  - {code: calls, name: Calls, aggregation: sum, field: value, unit: call}
plans:
  - code: basic
    name: Basic
    product: app
    interval: month
    charges: [{code: base, name: Base fee, kind: recurring, amount: 31.00}]
  - code: team
    name: Team
    product: app
    interval: month
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: 20.00}
      - {code: seats, name: Seats, kind: seat, unit_amount: 5.00, quantity: 2}
      - {code: calls, name: Calls, kind: usage, metric: calls, unit_amount: 0.01}
  - code: committed
    name: Committed
    product: app
    interval: month
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: 10.00}
      - {code: calls, name: Calls, kind: usage, metric: calls, model: package, size: 100, amount: 2.00}
      - {code: floor, name: Minimum, kind: commitment, amount: 40.00}
"""
EVE = "2026-02-01"
"""The instant of the bill run that is still to come: credit notes, invoices that draw from them, corrections."""

BATCH = 3
"""Subscriptions in a batch of these tests, so that twelve of them make four."""

Copy = Callable[[], Company]


def furnish(company: Company) -> None:
    """Sell, subscribe twelve times and live until the eve of the run: every kind of news is in it."""
    company.sell(BOOK)
    for name in ("ann", "bob", "eve"):
        company.customer(name, tax_percent="20")
    for number in range(12):
        company.subscribe(
            f"s{number:02}",
            ("team", "basic", "team", "committed")[number % 4],
            "2025-12-01",
            customer=("ann", "bob", "eve")[number % 3],
            on=f"2025-11-01T00:00:{number:02}",  # ids, and so batches, are in the order of recording
        )
    company.run("2025-12-01")
    company.use("calls", 450, "2025-12-10", customer="ann")
    company.run("2026-01-01")
    company.use("calls", 120, "2025-12-20", customer="ann", arrived="2026-01-05")  # late
    company.use("calls", 777, "2026-01-08", customer="bob")
    company.use("calls", 40, "2026-01-09", customer="eve")
    company.cancel("s00", "2026-01-11T06:00:00")  # a credit for ann in the first batch, drawn in the second
    company.change_plan("s01", "team", "2026-01-16")
    company.change_seats("s02", 7, "2026-01-20T17:30:01")
    company.cancel("s07", "2026-01-21", at="period_end")
    company.cancel("s10", "2026-01-25", at="2025-12-16")  # backdated beyond what is billed
    company.change_plan("s11", "basic", "2026-01-30", at="2026-01-10")


@pytest.fixture(scope="session")
def prepared(server: Server, template: str) -> Iterator[tuple[str, TenantId]]:
    """The name of the database that holds the company, and its tenant; nobody is connected to it."""
    with server.fresh_database(template) as name:
        settings = server.settings(name)
        with Database.open(settings) as database:
            company = Company.found(database, settings)
            furnish(company)
        yield name, company.tenant_id


@pytest.fixture(scope="session")
def prepared_and_billed(server: Server, prepared: tuple[str, TenantId]) -> Iterator[tuple[str, TenantId]]:
    """The same company after the run, and after one more that leaves eve with a credit."""
    template, tenant_id = prepared
    with server.fresh_database(template) as name:
        settings = server.settings(name)
        with Database.open(settings) as database:
            company = Company(database, settings, tenant_id)
            company.run(EVE)
            company.cancel("s08", EVE)
            company.run(EVE)
        yield name, tenant_id


@pytest.fixture
def copy(server: Server, prepared: tuple[str, TenantId]) -> Iterator[Copy]:
    """Makes a copy of the prepared company, in a database of its own."""
    with ExitStack() as copies:
        yield lambda: copies.enter_context(_copied(server, *prepared))


@pytest.fixture
def company(copy: Copy) -> Company:
    """One copy of the prepared company."""
    return copy()


@pytest.fixture
def billed(server: Server, prepared_and_billed: tuple[str, TenantId]) -> Iterator[Company]:
    """A copy of the company after the run."""
    with _copied(server, *prepared_and_billed) as company:
        yield company


@contextmanager
def _copied(server: Server, template: str, tenant_id: TenantId) -> Iterator[Company]:
    with server.fresh_database(template) as name:
        settings = server.settings(name)
        with Database.open(settings) as database:
            yield Company(database, settings, tenant_id)


@pytest.fixture(scope="session")
def eventful_prepared(server: Server, template: str) -> Iterator[tuple[str, TenantId]]:
    """A company in which everything happens that can, on the eve of a run of which all of it is a part."""
    with server.fresh_database(template) as name:
        settings = server.settings(name)
        with Database.open(settings) as database, pytest.MonkeyPatch.context() as patch:
            patch.setattr(plan, "BATCH_SUBSCRIPTIONS", BATCH)
            company = Company.found(database, settings)
            full.furnish(company)
        yield name, company.tenant_id


@pytest.fixture
def eventful_copy(server: Server, eventful_prepared: tuple[str, TenantId]) -> Iterator[Copy]:
    """Makes a copy of that company, in a database of its own."""
    with ExitStack() as copies:
        yield lambda: copies.enter_context(_copied(server, *eventful_prepared))


@pytest.fixture
def eventful(eventful_copy: Copy) -> Company:
    """One copy of that company."""
    return eventful_copy()


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "BATCH_SUBSCRIPTIONS", BATCH)


@pytest.fixture(scope="session")
def undisturbed(server: Server, prepared: tuple[str, TenantId]) -> dict[str, list[str]]:
    """Everything that the run writes when nobody disturbs it."""
    name, tenant_id = prepared
    with pytest.MonkeyPatch.context() as patch, server.fresh_database(name) as fresh:
        patch.setattr(plan, "BATCH_SUBSCRIPTIONS", BATCH)
        settings = server.settings(fresh)
        with Database.open(settings) as database:
            company = Company(database, settings, tenant_id)
            company.run(EVE)
            company.assert_proven()
            return written(company)


def written(company: Company, *tables: str) -> dict[str, list[str]]:
    """Return every row that bill runs write, as PostgreSQL's own text; only the wall clock's times are left out.

    With `tables`, only the rows of these.
    """
    columns = {
        "invoices": "*",
        "invoice_lines": "*",
        "transfers": "id, effective_at, debit_account_id, credit_account_id, amount_minor, currency, customer_id,"
        " source_type, source_id, kind",
        "claims": "*",
        "adjustment_claims": "*",
        "refund_requests": "id, customer_id, currency, amount_minor, credit_note_id, status, reference",
        "customer_credits": "*",
        "wallets": "*",
        "credit_grants": "*",
        "wallet_uses": "*",
        "wallet_entries": "*",
        "wallet_alerts": "*",
        "wallet_payments": "*",
        "document_series": "*",
        "billing_positions": "*",
        "subscriptions": "*",
        "subscription_moves": "*",
        "bill_runs": "id, as_of, planned_subscriptions, planned_batches, finished_at is not null",
        "bill_run_batches": "run_id, batch_no, first_subscription_id, last_subscription_id, subscription_count,"
        " finished_at is not null",
        "bill_run_items": "*",
        "outbox_events": "case when right(type, 10) = '.finalised' then id end, type, object_id, payload, occurred_at",
    }
    return {
        table: sorted(text for (text,) in company.rows(f"select r::text from (select {what} from {table}) r"))
        for table, what in columns.items()
        if not tables or table in tables
    }
