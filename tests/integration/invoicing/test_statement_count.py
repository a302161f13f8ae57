"""A batch asks its questions about all subscriptions at once: the number of statements does not grow with them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tenor.customers import CustomerDetails, register_customers
from tenor.metering import UsageEvent
from tenor.subscriptions import NewSubscription, subscribe
from tenor.wallets import grant_credits, open_wallets
from tenor.wallets.model import NewGrant
from tests.integration.invoicing.conftest import BOOK
from tests.support.company import Company, instant, take_usage
from tests.support.wallets import terms


@pytest.fixture(autouse=True)
def _one_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenor.invoicing.bill_run.plan.BATCH_SUBSCRIPTIONS", 100)


def test_fifty_subscriptions_take_as_many_statements_as_five(company: Company) -> None:
    few = _lived(company, "few", subscriptions=5)
    many = _lived(company, "many", subscriptions=50)

    counts = {}
    for one in (few, many):
        with _counted() as billed:
            (report,) = one.run("2026-03-01")
        with _counted() as proven:
            one.assert_proven()
        counts[report.done.subscriptions] = (len(billed), len(proven))
        # Each of them: one for the day of the change and one for 1 March, which carries what corrects earlier months.
        assert report.done.documents.total() == 2 * report.done.subscriptions
        assert report.done.lines == 10 * report.done.subscriptions

    assert counts[50] == counts[5]
    assert counts[5] < (120, 60)  # small by any measure


def test_wallets_are_asked_all_at_once(company: Company) -> None:
    """The documents of everybody are paid by a wallet, and a credit note gives back to it."""
    counts = {}
    for slug, subscriptions in (("few-prepaid", 2), ("many-prepaid", 12)):
        one = _lived(company, slug, subscriptions=subscriptions, credit="70")
        for number in range(subscriptions):
            one.cancel(f"s-c{number}", "2026-02-12")
        with _counted() as billed:
            (report,) = one.run("2026-03-01")
        prepaid = one.rows(
            "select count(*) filter (where prepaid_minor > 0), count(*) filter (where prepaid_minor < 0)"
            " from invoices where run_id = %s",
            report.run_id,
        )
        assert prepaid == [(subscriptions, subscriptions)]
        counts[subscriptions] = len(billed)
        one.assert_proven()

    assert counts[12] == counts[2] < 175


def _lived(company: Company, slug: str, *, subscriptions: int, credit: str = "") -> Company:
    """Return a company whose customers have used, changed their plans and used late since their last invoice.

    With `credit` each of them has so much in a wallet that pays everything.
    """
    one = Company.found(company.database, company.settings, slug)
    one.sell(BOOK)
    start = instant("2026-01-01")
    with one.work() as uow:
        names = [f"c{number}" for number in range(subscriptions)]
        details = [CustomerDetails(external_id=name, name=name, tax_percent=Decimal(20)) for name in names]
        customers = register_customers(uow, details, now=start, actor="test", reason="a test")
        requests = [
            NewSubscription(external_id=f"s-{name}", customer_id=customers[name], plan="committed", starts_at=start)
            for name in names
        ]
        subscribe(uow, requests, now=start, actor="test", reason="")
        if credit:
            agreed = terms(unit="USD", currency="USD", pays="everything")
            wanted = {(customer_id, "main"): agreed for customer_id in customers.values()}
            for wallet in open_wallets(uow, wanted, now=start, actor="test", reason="").values():
                new = NewGrant(Decimal(credit), "purchase", "paid", cost_minor=60_00)
                grant_credits(uow, wallet.id, new, now=start, actor="test", reason="")
    one.run("2026-02-01")
    for name in names:
        one.change_plan(f"s-{name}", "team", "2026-02-11")
    with one.work() as uow:
        late = [
            UsageEvent(
                event_id=f"{name} {day}",
                source="test",
                customer=name,
                metric_code="calls",
                occurred_at=start + timedelta(days=day),
                properties={"value": "150"},
            )
            for name in names
            for day in (5, 35, 50)
        ]
        take_usage(uow, late, now=instant("2026-02-25"))
    return one


@contextmanager
def _counted() -> Iterator[list[str]]:
    """Yield a list that receives every statement of every connection."""
    statements: list[str] = []

    def noting(name: str) -> Any:
        real = getattr(psycopg.Cursor, name)

        def note(cursor: psycopg.Cursor[Any], statement: Any, *args: Any, **options: Any) -> Any:
            statements.append(str(statement))
            return real(cursor, statement, *args, **options)

        return note

    with pytest.MonkeyPatch.context() as patch:
        for name in ("execute", "copy"):
            patch.setattr(psycopg.Cursor, name, noting(name))
        patch.setattr(psycopg.Cursor, "executemany", None)  # many statements in the coat of one
        yield statements
