"""Prepaid credit that is sold: invoiced, granted when it is paid or at once, taken back, topped up; always provable."""

from decimal import Decimal
from typing import Any

import pytest

from tenor.invoicing import BilledPurchase, CreditOffer, bill_top_ups, customer_statements, sell_credits
from tenor.invoicing.purchase_settlement import CreditsNotReturnable
from tenor.invoicing.request_keys import RequestKeyReused
from tenor.kernel.calendar import Interval, Unit
from tenor.kernel.errors import Malformed
from tenor.kernel.money import format_minor
from tenor.wallets import TopUpRule, WalletNotFound, lapse_grants, order_top_ups, set_top_up
from tests.support.company import Company, instant
from tests.support.documents import credit, doing, lose, pay, stands, void
from tests.support.prepaid import BOOK, Wallet, open_purse, sums


@pytest.fixture
def purse(acme: Company) -> Wallet:
    """Ann, taxed at 20 %, has a wallet of tokens, each worth 0.01 when it pays."""
    acme.sell(BOOK)
    acme.customer("ann", tax_percent="20")
    return open_purse(acme, "ann", "2026-01-01", unit="tokens", rate=Decimal("0.01"), pays="everything")


def sell(purse: Wallet, on: str, amount: str = "5000", *, key: str = "s1", **more: Any) -> BilledPurchase:
    """Sell tokens."""
    ann = purse.company.customer_of("ann")
    with purse.company.work() as uow:
        offer = CreditOffer(customer_id=ann, amount=Decimal(amount), **more)
        return sell_credits(uow, offer, key=key, **doing(on))


def top_up(purse: Wallet, on: str) -> list[BilledPurchase]:
    """Order what fills wallets up, and bill it, as two jobs do."""
    with purse.company.work() as uow:
        order_top_ups(uow, now=instant(on))
    with purse.company.work() as uow:
        return bill_top_ups(uow, **doing(on))


def test_credit_is_granted_when_its_invoice_is_paid(purse: Wallet) -> None:
    shop = purse.company
    sold = sell(purse, "2026-01-05", price_minor=40_00)

    assert (sold.name, sold.purchase.status, purse.left("2026-01-05")) == ("INV-1", "pending", 0)
    document = shop.document("INV-1")
    assert (document.kind, document.net_minor, document.tax_minor, document.due_minor) == ("one_off", 40_00, 0, 40_00)
    assert document.tax_note == "prepaid credit: taxed when it is used"
    assert [line.description for line in document.lines] == ["5000 tokens of prepaid credit"]
    assert shop.balances("EUR") == {"receivable": "40.00", "deferred_revenue": "40.00"}

    pay(shop, 15_00, "2026-01-06")
    assert purse.left("2026-01-06") == 0
    pay(shop, 30_00, "2026-01-07")
    assert purse.left("2026-01-07") == 5000
    assert shop.balances("EUR") == {"cash": "45.00", "prepaid_credits": "40.00", "customer_credit": "5.00"}
    assert sell(purse, "2026-01-08", price_minor=40_00).purchase.status == "granted"  # the same key, the same sale
    with pytest.raises(RequestKeyReused):
        sell(purse, "2026-01-08", price_minor=41_00)


def test_credit_pays_the_invoice_of_what_it_was_sold_for_and_is_earned_then(purse: Wallet) -> None:
    shop = purse.company
    sell(purse, "2026-01-05", price_minor=40_00)
    pay(shop, 40_00, "2026-01-05")

    shop.subscribe("ann", "metered", "2026-01-10")
    shop.bill("2026-01-10")

    # 10.00 + 2.00 take 1,200 tokens, which had cost 9.60: 2.40 of the price were given as a discount
    assert sums(shop, "INV-2") == (12_00, 12_00, 0, 0)
    assert shop.balances("EUR") == {
        "cash": "40.00",
        "prepaid_credits": "30.40",
        "credit_discounts": "2.40",
        "deferred_revenue": "10.00",
        "tax_payable": "2.00",
    }
    with shop.work() as uow:
        ann = shop.customer_of("ann")
        (statement,) = customer_statements(uow, ann, since=instant("2026-01-01"), until=instant("2026-02-01"))
    assert [(entry.what, entry.name, format_minor(entry.amount_minor, "EUR")) for entry in statement.entries] == [
        ("one_off", "INV-1", "40.00"),
        ("payment", "wire 2026-01-05 4000", "-40.00"),
        ("invoice", "INV-2", "12.00"),
        ("wallet", "main", "-12.00"),
    ]
    assert statement.closing_minor == 0


def test_granted_at_once_it_lasts_as_long_as_it_was_sold_for(purse: Wallet) -> None:
    shop = purse.company
    sold = sell(
        purse, "2026-01-31", price_minor=40_00, granted="at_once", lasts=Interval(Unit.MONTH), tax_category="standard"
    )

    assert sold.purchase.status == "granted"
    assert sums(shop, "INV-1") == (48_00, 0, 0, 48_00)  # taxed, because the sale says so
    assert (purse.left("2026-02-27"), purse.left("2026-02-28")) == (5000, 0)  # a month from the 31st
    with shop.work() as uow:
        lapse_grants(uow, now=instant("2026-03-01"))
    assert shop.balances("EUR") == {"receivable": "48.00", "tax_payable": "8.00", "breakage": "40.00"}
    pay(shop, 48_00, "2026-03-02")
    assert purse.left("2026-03-02") == 0  # granted once


def test_customer_credit_that_pays_all_of_it_grants_it(purse: Wallet) -> None:
    pay(purse.company, 60_00, "2026-01-02")
    sold = sell(purse, "2026-01-05")  # 5,000 tokens at 0.01

    assert (sold.purchase.status, sold.due_minor) == ("granted", 0)
    assert purse.left("2026-01-05") == 5000
    assert purse.company.balances("EUR") == {"cash": "60.00", "prepaid_credits": "50.00", "customer_credit": "10.00"}


def test_what_was_not_paid_is_taken_back_with_its_invoice(purse: Wallet) -> None:
    shop = purse.company
    sell(purse, "2026-01-05")
    with pytest.raises(CreditsNotReturnable):
        credit(shop, "INV-1", "2026-01-06", amount_minor=10_00)

    void(shop, "INV-1", "2026-01-06", rebill=True)

    assert sell(purse, "2026-01-07").purchase.status == "failed"
    shop.subscribe("ann", "metered", "2026-01-10")
    shop.bill("2026-01-10")
    assert [line.charge_code for line in shop.document("INV-2").lines] == ["base"]  # nothing is sold again
    assert purse.left("2026-01-10") == 0


def test_what_was_paid_goes_back_as_far_as_it_was_not_used(purse: Wallet) -> None:
    shop = purse.company
    sell(purse, "2026-01-05", price_minor=40_00)
    pay(shop, 40_00, "2026-01-05")
    shop.subscribe("ann", "metered", "2026-01-10")
    shop.bill("2026-01-10")  # 1,200 tokens of 9.60

    for asked in (None, 10_00, 30_41):
        with pytest.raises(CreditsNotReturnable):
            credit(shop, "INV-1", "2026-01-11", amount_minor=asked)
    assert purse.left("2026-01-11") == 3800
    note = credit(shop, "INV-1", "2026-01-11", amount_minor=30_40)

    assert sums(shop, note.name) == (-30_40, 0, 0, 0)
    assert purse.left("2026-01-11") == 0
    assert shop.balances("EUR")["customer_credit"] == "30.40"
    assert "prepaid_credits" not in shop.balances("EUR")
    # What goes back to the voided grant is taken out again, and can be given back then.
    void(shop, "INV-2", "2026-01-12")
    credit(shop, "INV-1", "2026-01-13", amount_minor=9_60, key="k2")
    assert shop.balances("EUR") == {"cash": "40.00", "customer_credit": "40.00"}


def test_a_wallet_that_runs_low_is_topped_up_by_an_invoice(purse: Wallet) -> None:
    shop = purse.company
    purse.grant("3000", "2026-01-02")
    with shop.work() as uow:
        set_top_up(uow, purse.id, TopUpRule(Decimal(2000), Decimal(5000), max_per_day=3), **doing("2026-01-02"))
    assert top_up(purse, "2026-01-03") == []
    shop.subscribe("ann", "metered", "2026-01-10")
    shop.bill("2026-01-10")  # 1,200 tokens: 1,800 are left

    (sold,) = top_up(purse, "2026-01-11")
    assert (sold.name, sold.due_minor) == ("INV-2", 32_00)  # up to 5,000
    assert top_up(purse, "2026-01-11") == []  # one is in flight

    lose(shop, "INV-2", "2026-01-12")  # it has failed, and another may be ordered
    (again,) = top_up(purse, "2026-01-12")
    assert (again.name, again.due_minor) == ("INV-3", 32_00)
    void(shop, "INV-3", "2026-01-13")
    (third,) = top_up(purse, "2026-01-13")
    pay(shop, 32_00, "2026-01-14", third.name)
    assert purse.left("2026-01-14") == 5000
    assert shop.rows("select status, count(*) from top_up_orders group by status order by status") == [
        ("failed", 2),
        ("paid", 1),
    ]
    pay(shop, 32_00, "2026-01-15", "INV-2")  # what was given up is paid after all, and granted
    assert purse.left("2026-01-15") == 8200
    assert stands(shop, "INV-2") == ("paid", 0)


def test_what_cannot_be_sold_is_refused(purse: Wallet) -> None:
    with pytest.raises(WalletNotFound):
        sell(purse, "2026-01-05", wallet="other")
    for wrong in ({"price_minor": 0}, {"amount": "0"}, {"amount": "0.1"}, {"description": " "}, {"priority": 256}):
        with pytest.raises(Malformed):
            sell(purse, "2026-01-05", **wrong)
