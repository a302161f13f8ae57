"""A company that sells, bills and proves: what the billing stories and the tests of the bill run are told with."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from types import MappingProxyType
from typing import Any, Final

from tenor.customers import CustomerDetails, register_customers
from tenor.invoicing import BillRunReport, IssuedDocument, Proof, bill, find_document, follow_usage, prove
from tenor.kernel.ids import CustomerId, TenantId
from tenor.kernel.money import format_minor
from tenor.ledger import trial_balance
from tenor.metering import UsageEvent, record_usage
from tenor.platform.database import Connection, Database
from tenor.platform.settings import Settings
from tenor.platform.tenants import create_tenant
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing.price_book import apply_price_book, read_price_book
from tenor.subscriptions import (
    Effective,
    NewSubscription,
    Subscription,
    cancel,
    change_plan,
    change_quantity,
    find_subscription,
    subscribe,
)

Numbers = Mapping[str, str | int]
"""Quantities or prices by charge code."""

NONE: Final[Numbers] = MappingProxyType({})
SINCE: Final = "2020-01-01"
"""From when everything is sold, unless a test says otherwise."""


def instant(text: str) -> datetime:
    """Return `text`, ISO 8601 without a zone, as an instant in UTC: '2026-02-01' or '2026-02-01T12:00'."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass(slots=True)
class Company:
    """A tenant with the words in which a story is told. Days are ISO 8601 texts in UTC.

    A change is recorded at the instant `on`, and takes effect then unless `at` says otherwise.
    """

    database: Database
    settings: Settings
    tenant_id: TenantId
    _event_numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @classmethod
    def found(cls, database: Database, settings: Settings, slug: str = "acme") -> "Company":
        """Return a new company in `database`."""
        return cls(database, settings, create_tenant(database, slug=slug, name=slug.title(), is_sandbox=True))

    @contextmanager
    def work(self, *, is_snapshot: bool = False) -> Iterator[UnitOfWork]:
        """Yield a transaction of the company."""
        with self.database.transaction(self.tenant_id, is_snapshot=is_snapshot) as uow:
            yield uow

    @contextmanager
    def owner(self) -> Iterator[Connection]:
        """Yield the owner's connection with the company's rows in sight, in autocommit."""
        with self.database.owner() as connection:
            connection.execute("select set_config('tenor.tenant_id', %s, false)", [str(self.tenant_id)])
            yield connection

    def sell(self, price_book: str, *, on: str = SINCE) -> None:
        """Apply a price book."""
        with self.work() as uow:
            apply_price_book(uow, read_price_book(price_book.encode()), actor="test", now=instant(on))

    def customer(self, name: str, *, tax_percent: str = "0", timezone: str = "UTC") -> CustomerId:
        """Register a customer, or find the one of that name."""
        details = CustomerDetails(external_id=name, name=name, timezone=timezone, tax_percent=Decimal(tax_percent))
        with self.work() as uow:
            return register_customers(uow, [details], now=instant(SINCE), actor="test", reason="a test")[name]

    def customer_of(self, name: str) -> CustomerId:
        """Return the id of a registered customer."""
        ((customer_id,),) = self.rows("select id from customers where external_id = %s", name)
        return CustomerId(customer_id)

    def subscribe(
        self, name: str, plan: str, starts: str, *, customer: str = "ann", on: str | None = None, **terms: Any
    ) -> Subscription:
        """Subscribe a customer (registered without tax if it is new), recorded at the start unless `on` is given."""
        with self.work() as uow:
            known = uow.fetch_one("select id from customers where external_id = %s", [customer])
        agreed: dict[str, Any] = {
            key: _decimals(value) if isinstance(value, Mapping) else value for key, value in terms.items()
        }
        request = NewSubscription(
            external_id=name,
            customer_id=CustomerId(known[0]) if known else self.customer(customer),
            plan=plan,
            starts_at=instant(starts),
            **agreed,
        )
        with self.work() as uow:
            subscribe(uow, [request], now=instant(on or starts), actor="test", reason="")
        return self.subscription(name)

    def subscription(self, name: str) -> Subscription:
        """Return how a subscription stands."""
        with self.work() as uow:
            return find_subscription(uow, name)

    def change_plan(
        self,
        name: str,
        plan: str,
        on: str,
        *,
        at: str | None = None,
        quantities: Numbers = NONE,
        prices: Numbers = NONE,
    ) -> Subscription:
        """Put a subscription on another plan, or on the newest edition of its own."""
        with self.work() as uow:
            one = find_subscription(uow, name)
            terms: dict[str, Any] = {"quantities": _decimals(quantities), "prices": _decimals(prices)}
            return change_plan(uow, one.id, plan=plan, **terms, **_change(one, on, at))

    def change_seats(self, name: str, seats: int, on: str, *, at: str | None = None) -> Subscription:
        """Set the number of a subscription's seats."""
        with self.work() as uow:
            one = find_subscription(uow, name)
            return change_quantity(uow, one.id, quantities={"seats": Decimal(seats)}, **_change(one, on, at))

    def cancel(self, name: str, on: str, *, at: str | None = None) -> Subscription:
        """Cancel a subscription; `at` may be 'period_end'."""
        with self.work() as uow:
            one = find_subscription(uow, name)
            return cancel(uow, one.id, **_change(one, on, at))

    def use(
        self,
        metric: str,
        value: str | int,
        on: str,
        *,
        customer: str = "ann",
        arrived: str | None = None,
        **properties: Any,
    ) -> None:
        """Take one event of usage, `arrived` later than it happened if given, and tell the bill run of it."""
        event = UsageEvent(
            event_id=f"{customer} {on} {arrived} {next(self._event_numbers)}",
            source="test",
            customer=customer,
            metric_code=metric,
            occurred_at=instant(on),
            properties={"value": str(value), **properties},
        )
        with self.work() as uow:
            take_usage(uow, [event], now=instant(arrived or on))

    def bill(self, as_of: str, *, workers: int = 1) -> str:
        """Bill what is due and return the documents that were issued, as `paper` gives them."""
        before = set(self.names())
        self.run(as_of, workers=workers)
        return paper(*(self.document(name) for name in self.names() if name not in before))

    def run(self, as_of: str, *, workers: int = 1) -> list[BillRunReport]:
        """Bill what is due and return what the runs report."""
        return bill(self.database, self.settings, self.tenant_id, as_of=instant(as_of), actor="test", workers=workers)

    def names(self) -> list[str]:
        """Return the numbers of all documents, invoices first, in the order in which they were taken."""
        with self.work() as uow:
            rows = uow.fetch_all("select series || '-' || number from invoices order by series desc, number")
        return [name for (name,) in rows]

    def document(self, name: str) -> IssuedDocument:
        """Return the document with a number."""
        with self.work() as uow:
            return find_document(uow, name)

    def balances(self, currency: str = "USD") -> dict[str, str]:
        """Return the balance of each account that is not zero, as a decimal."""
        with self.work() as uow:
            accounts = trial_balance(uow).accounts
        return {
            account.code: format_minor(account.balance_minor, currency)
            for account in accounts
            if account.currency == currency and account.balance_minor
        }

    def prove(self) -> Proof:
        """Derive everything again."""
        with self.work(is_snapshot=True) as uow:
            return prove(uow)

    def assert_proven(self) -> None:
        """Assert that the proof finds nothing and that debits equal credits."""
        assert self.prove().findings == []
        with self.work() as uow:
            balance = trial_balance(uow)
        assert {currency: balance.difference_minor(currency) for currency in balance.currencies} == dict.fromkeys(
            balance.currencies, 0
        )

    def rows(self, statement: str, *params: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query over the company's own rows."""
        with self.work() as uow:
            return uow.fetch_all(statement, params or None)


def take_usage(uow: UnitOfWork, events: list[UsageEvent], *, now: datetime) -> None:
    """Record usage and do what follows from it, as whoever takes usage in has to."""
    receipt = record_usage(uow, events, now=now, strict=True)
    follow_usage(uow, receipt.touched, now=now)


def paper(*documents: IssuedDocument) -> str:
    """Return documents as text: number, subscription and instant; each line with its period; the sums.

    Tax and drawn credit are left out where there are none.
    """
    rows = []
    for document in documents:
        money = {
            "tax": document.tax_minor,
            "total": document.total_minor,
            "credit": document.credit_applied_minor,
            "due": document.due_minor,
        }
        rows.append(f"{document.name} {document.subscription_external_id} {_day(document.billed_for)}")
        for line in document.lines:
            code = f"{line.charge_code}/{line.dimension}" if line.dimension else line.charge_code
            amount = format_minor(line.amount_minor, document.currency)
            rows.append(f"{code} {_day(line.period.start)} {_day(line.period.end)} {amount}")
        sums = [
            f"{name} {format_minor(minor, document.currency)}"
            for name, minor in money.items()
            if minor or name in {"total", "due"}
        ]
        rows.append(" ".join(sums))
    return "\n".join(rows)


def told(text: str) -> str:
    """Return a text as `paper` writes it: one blank between words, no empty lines, no notes after '#'."""
    rows = (" ".join(line.split("#")[0].split()) for line in text.splitlines())
    return "\n".join(row for row in rows if row)


def _change(subscription: Subscription, on: str, at: str | None) -> dict[str, Any]:
    effective: Effective = "now" if at is None else "period_end" if at == "period_end" else instant(at)
    return {
        "effective": effective,
        "version": subscription.version,
        "now": instant(on),
        "actor": "test",
        "reason": "",
    }


def _decimals(values: Numbers) -> dict[str, Decimal]:
    return {code: Decimal(value) for code, value in values.items()}


def _day(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d" if at.time() == at.min.time() else "%Y-%m-%dT%H:%M:%S")
