"""A wallet that is low orders a top-up for itself; where its customer's settings say so, that is invoiced at once."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from time import sleep

import pytest

from tenor.invoicing import BillingSettingsChange, set_billing_settings
from tenor.invoicing.receivables import lock_customer
from tenor.wallets import Ticked, TopUpRule, catch_up_wallets, lock_wallets, order_top_ups, set_top_up
from tenor.wallets.store.top_ups import top_up_orders
from tests.support.company import Company, instant
from tests.support.documents import doing, pay, void
from tests.support.prepaid import BOOK, Wallet, open_purse


def purse_of(company: Company, customer: str, *, at_once: bool) -> Wallet:
    """Open a wallet of tokens at 0.01 each that fills itself up from less than 1,000 to 5,000, twice a day at most."""
    company.customer(customer)
    purse = open_purse(company, customer, "2026-01-01", unit="tokens", rate=Decimal("0.01"))
    with company.work() as uow:
        change = BillingSettingsChange(invoices_top_ups=at_once)
        set_billing_settings(uow, company.customer_of(customer), change, **doing("2026-01-01"))
        set_top_up(uow, purse.id, TopUpRule(Decimal(1000), Decimal(5000), 2), **doing("2026-01-01"))
    return purse


def tick(company: Company, on: str) -> Ticked:
    return catch_up_wallets(company.database, company.tenant_id, now=instant(on))


def orders(purse: Wallet) -> list[tuple[str, bool]]:
    """Return how each top-up stands, and whether a document bills it; the newest first."""
    with purse.company.work() as uow:
        return [(order.status, order.is_invoiced) for order in top_up_orders(uow, purse.id)]


@pytest.fixture
def shop(acme: Company) -> Company:
    """A company that sells."""
    acme.sell(BOOK)
    return acme


def test_a_low_wallet_is_invoiced_and_filled_when_that_is_paid(shop: Company) -> None:
    purse, by_hand = purse_of(shop, "ann", at_once=True), purse_of(shop, "bob", at_once=False)
    purse.grant("800", "2026-01-01")

    assert tick(shop, "2026-01-02").top_ups_ordered == 2

    assert (orders(purse), orders(by_hand)) == ([("pending", True)], [("pending", False)])
    document = shop.document("INV-1")  # 5,000 - 800 = 4,200 tokens at 0.01
    assert [line.description for line in document.lines] == ["4200 tokens of prepaid credit (top-up)"]
    assert (document.kind, document.due_minor, shop.names()) == ("one_off", 42_00, ["INV-1"])
    assert tick(shop, "2026-01-02").top_ups_ordered == 0

    pay(shop, 42_00, "2026-01-03")
    assert purse.left("2026-01-03") == 5000
    assert orders(purse) == [("paid", True)]


def test_what_the_customers_credit_pays_is_there_at_once(shop: Company) -> None:
    purse = purse_of(shop, "ann", at_once=True)
    pay(shop, 60_00, "2026-01-01")

    assert tick(shop, "2026-01-02").top_ups_ordered == 1  # and no second one: it is filled

    assert orders(purse) == [("paid", True)]
    assert purse.left("2026-01-02") == 5000
    assert shop.document("INV-1").due_minor == 0
    assert shop.balances("EUR") == {"cash": "60.00", "prepaid_credits": "50.00", "customer_credit": "10.00"}


def test_a_bill_run_orders_and_invoices_what_it_finds_low(shop: Company) -> None:
    purse = purse_of(shop, "ann", at_once=True)

    shop.bill("2026-01-02")

    assert orders(purse) == [("pending", True)]
    void(shop, "INV-1", "2026-01-03")
    assert orders(purse) == [("failed", True)]


def test_who_orders_locks_customers_before_wallets_as_who_pays_does(shop: Company) -> None:
    """Otherwise one holds the wallet and waits for the customer while the other holds the customer and waits for it."""
    purse = purse_of(shop, "ann", at_once=True)
    with ThreadPoolExecutor(1) as pool:
        with shop.work() as uow:
            lock_customer(uow, shop.customer_of("ann"))
            ordering = pool.submit(tick, shop, "2026-01-02")
            _wait_for_a_lock(shop)
            uow.execute("set local lock_timeout = '1s'")
            assert lock_wallets(uow, [purse.id])
        assert ordering.result().top_ups_ordered == 1
    assert orders(purse) == [("pending", True)]


def test_an_order_that_cannot_be_invoiced_is_not_made(shop: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    purse = purse_of(shop, "ann", at_once=True)
    monkeypatch.setattr("tenor.invoicing.operations.bill_top_ups.issue_sales", _fail)

    with pytest.raises(ZeroDivisionError), shop.work() as uow:
        order_top_ups(uow, now=instant("2026-01-02"))

    assert (orders(purse), shop.names()) == ([], [])


def _fail(*_: object, **__: object) -> None:
    raise ZeroDivisionError


def _wait_for_a_lock(company: Company) -> None:
    """Return once somebody waits for a lock."""
    waiting = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    with company.database.setup() as connection:
        for _ in range(500):
            if connection.execute(waiting).fetchone() is not None:
                return
            sleep(0.01)
    raise AssertionError("nobody waits for a lock")
