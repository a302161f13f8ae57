"""Documents paid by wallets: drawn after tax, line by line, and given back when a document is; always provable."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tenor.invoicing import accept_quote, drafts_of, explain_line, quote_change
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions import Subscription, cancel
from tests.support.company import Company, instant
from tests.support.documents import charge, credit, grant, pay, void
from tests.support.prepaid import BOOK, open_purse, payers, sums


@pytest.fixture
def shop(acme: Company) -> Company:
    """Ann, taxed at 20 %, has the plan from January 2026: INV-1 of 10.00 + 2.00; she makes 300 calls and keeps 5 GB."""
    acme.sell(BOOK)
    acme.customer("ann", tax_percent="20")
    acme.subscribe("ann", "metered", "2026-01-01")
    acme.bill("2026-01-01")
    acme.use("calls", 300, "2026-01-10")
    acme.use("gigabytes", 5, "2026-01-10")
    return acme


def test_a_wallet_pays_lines_of_usage_with_their_tax(shop: Company) -> None:
    purse = open_purse(shop, "ann", "2026-01-05")
    purse.grant("40.00", "2026-01-05", cost_minor=40_00)

    shop.bill("2026-02-01")

    # calls 30.00 + 6.00, storage 5.00 + 1.00, base 10.00 + 2.00: the wallet pays 36.00 and 4.00 of the 6.00
    assert sums(shop, "INV-2") == (54_00, 40_00, 0, 14_00)
    assert payers(shop, "INV-2") == [("calls", "main", "36 EUR", 36_00), ("storage", "main", "4 EUR", 4_00)]
    assert purse.left("2026-02-01") == 0
    assert shop.balances("EUR") == {
        "cash": "40.00",
        "receivable": "26.00",  # 12.00 of January and 14.00
        "revenue": "35.00",
        "deferred_revenue": "20.00",
        "tax_payable": "11.00",
    }


def test_what_was_drawn_goes_back_with_the_lines_and_no_further(shop: Company) -> None:
    tokens = open_purse(shop, "ann", "2026-01-05", code="tokens", unit="tokens", rate=Decimal("0.003"))
    tokens.grant("20000", "2026-01-05", cost_minor=30_00)  # worth 60.00 when it pays
    shop.bill("2026-02-01")
    # 36.00 are 12,000 tokens, 6.00 are 2,000
    assert payers(shop, "INV-2") == [
        ("calls", "tokens", "12000 tokens", 36_00),
        ("storage", "tokens", "2000 tokens", 6_00),
    ]
    assert tokens.left("2026-02-01") == 6000

    # 10.00 of the 30.00 for calls, with tax 12.00: 4,000 tokens
    note = credit(shop, "INV-2", "2026-02-02", lines={2: 10_00})
    assert sums(shop, note.name) == (-12_00, -12_00, 0, 0)
    assert payers(shop, note.name) == [("calls", "tokens", "-4000 tokens", -12_00)]
    assert tokens.left("2026-02-02") == 10_000
    assert shop.balances("EUR").get("customer_credit") is None

    # the base fee was paid by nobody: its 12.00 are owed no longer, no token moves
    credit(shop, "INV-2", "2026-02-03", lines={1: 10_00}, key="k2")
    assert shop.document("INV-2").receivable.open_minor == 0
    assert tokens.left("2026-02-03") == 10_000

    rest = credit(shop, "INV-2", "2026-02-04", key="k3")
    assert sums(shop, rest.name) == (-30_00, -30_00, 0, 0)
    assert tokens.left("2026-02-04") == 20_000


def test_void_gives_everything_back_and_a_rebill_draws_it_again(shop: Company) -> None:
    everything = open_purse(shop, "ann", "2026-01-05", pays="everything")
    everything.grant("50.00", "2026-01-05", cost_minor=50_00)
    shop.bill("2026-02-01")
    assert sums(shop, "INV-2") == (54_00, 50_00, 0, 4_00)

    note = void(shop, "INV-2", "2026-02-02", rebill=True)

    assert sums(shop, note.name) == (-54_00, -50_00, 0, 0)
    assert everything.left("2026-02-02") == 50
    assert shop.document("INV-2").receivable.open_minor == 0
    shop.bill("2026-02-03")
    assert sums(shop, "INV-3") == (54_00, 50_00, 0, 4_00)


def test_what_a_settlement_gives_back_goes_to_the_wallet_that_had_paid_for_it(shop: Company) -> None:
    gift = open_purse(shop, "ann", "2026-01-05", pays="everything")
    gift.grant("9.00", "2026-01-05")
    shop.bill("2026-02-01")  # the wallet pays 9.00 of 12.00 for February's base fee, which stands first
    assert payers(shop, "INV-2") == [("base", "main", "9 EUR", 9_00)]

    shop.cancel("ann", "2026-02-15")
    shop.bill("2026-02-15")

    # 14 of 28 days are over: 5.00 and 1.00 of tax go back, to the wallet that had paid them, and not as money
    assert sums(shop, "CN-1") == (-6_00, -6_00, 0, 0)
    assert gift.left("2026-02-15") == 6
    assert "customer_credit" not in shop.balances("EUR")


def test_grants_for_a_metric_or_a_charge_pay_nothing_else(shop: Company) -> None:
    purse = open_purse(shop, "ann", "2026-01-05", pays="everything")
    purse.grant("2.00", "2026-01-05", features=frozenset({"gigabytes"}))  # the metric of the charge storage
    purse.grant("3.00", "2026-01-05", features=frozenset({"base"}))
    purse.grant("1.50", "2026-01-05", features=frozenset({"calls", "storage"}), priority=0)
    purse.grant("100.00", "2026-01-05", features=frozenset({"messages"}))

    shop.bill("2026-02-01")

    assert payers(shop, "INV-2") == [
        ("base", "main", "3 EUR", 3_00),
        ("calls", "main", "1.5 EUR", 1_50),
        ("storage", "main", "2 EUR", 2_00),
    ]
    assert purse.left("2026-02-01") == 100


def test_a_second_wallet_pays_the_rest_and_customer_credit_what_they_leave(shop: Company) -> None:
    pay(shop, 20_00, "2026-01-06")  # 12.00 for INV-1, and 8.00 to the customer's credit
    first = open_purse(shop, "ann", "2026-01-05", code="first")
    second = open_purse(shop, "ann", "2026-01-06", code="second")
    first.grant("30.00", "2026-01-06")
    second.grant("9.00", "2026-01-06")

    shop.bill("2026-02-01")

    # 36.00 for calls: 30.00 and 6.00; 6.00 for storage: 3.00; of 54.00 − 39.00 credit pays 8.00
    assert payers(shop, "INV-2") == [
        ("calls", "first", "30 EUR", 30_00),
        ("calls", "second", "6 EUR", 6_00),
        ("storage", "second", "3 EUR", 3_00),
    ]
    assert sums(shop, "INV-2") == (54_00, 39_00, 8_00, 7_00)
    note = credit(shop, "INV-2", "2026-02-02", lines={2: 5_00})  # 6.00 with tax, to the wallet that paid last
    assert payers(shop, note.name) == [("calls", "second", "-6 EUR", -6_00)]
    void(shop, "INV-2", "2026-02-03")
    assert (first.left("2026-02-03"), second.left("2026-02-03")) == (30, 9)
    assert shop.balances("EUR")["customer_credit"] == "8.00"


def test_what_a_document_gives_back_lowers_what_wallets_pay_of_it(shop: Company) -> None:
    purse = open_purse(shop, "ann", "2026-01-05")
    purse.grant("100.00", "2026-01-05")
    grant(shop, "2026-01-20", 42_00, invoicing="next_invoice")  # a credit of 42.00 + 8.40, on the next invoice

    shop.bill("2026-02-01")

    # base 12.00, calls 36.00, storage 6.00, less 50.40: the first lines are lowered first, 3.60 of storage is left
    assert sums(shop, "INV-2") == (3_60, 3_60, 0, 0)
    assert payers(shop, "INV-2") == [("storage", "main", "3.6 EUR", 3_60)]
    assert void(shop, "INV-2", "2026-02-02").name == "CN-1"
    assert purse.left("2026-02-02") == 100


def test_a_quote_and_drafts_say_what_wallets_would_pay_and_draw_nothing(shop: Company) -> None:
    purse = open_purse(shop, "ann", "2026-01-05", pays="everything")
    purse.grant("10.00", "2026-01-05")
    subscription = shop.subscription("ann")
    before = shop.rows("select count(*) from wallet_entries")

    def cancelling(uow: UnitOfWork, now: datetime) -> list[Subscription]:
        return [cancel(uow, subscription.id, effective="now", version=1, now=now, actor="test", reason="")]

    at = instant("2026-01-16T12:00")
    with shop.work() as uow:
        quote = quote_change(uow, cancelling, as_of=at)
        (draft,) = drafts_of(uow, subscription, as_of=instant("2026-02-01"))
    # half of January's base goes back: 5.00 + 1.00; calls 36.00 and storage 6.00: 36.00, of which 10.00 are there
    assert [(one.total_minor, one.prepaid_minor, one.due_minor) for one in quote.drafts] == [(36_00, 10_00, 26_00)]
    assert (draft.total_minor, draft.prepaid_minor, draft.due_minor) == (54_00, 10_00, 44_00)
    assert shop.rows("select count(*) from wallet_entries") == before
    assert purse.left("2026-02-01") == 10

    with shop.work() as uow:
        (issued,) = accept_quote(uow, cancelling, as_of=at, digest=quote.digest, now=at)
    assert issued.wallet_payments == quote.drafts[0].wallet_payments
    assert purse.left("2026-02-01") == 0


def test_a_one_off_charge_is_paid_by_a_wallet_that_pays_everything(shop: Company) -> None:
    purse = open_purse(shop, "ann", "2026-01-05", pays="everything")
    purse.grant("10.00", "2026-01-05")

    assert charge(shop, "2026-01-10", 5_00) == "INV-2"

    assert sums(shop, "INV-2") == (6_00, 6_00, 0, 0)
    assert shop.document("INV-2").status(instant("2026-01-10").date()) == "paid"
    assert purse.left("2026-01-10") == 4


def test_the_explanation_of_a_line_names_the_wallet(shop: Company) -> None:
    open_purse(shop, "ann", "2026-01-05", code="tokens", unit="tokens", rate=Decimal("0.01")).grant("120", "2026-01-05")
    shop.bill("2026-02-01")

    line = shop.document("INV-2").lines[1]
    assert explain_line(line, currency="EUR", zone=UTC)[-1] == "paid with 120 tokens of wallet tokens: 1.20 EUR"


def test_each_line_goes_back_to_what_had_paid_it_whatever_went_back_before(shop: Company) -> None:
    purse = open_purse(shop, "ann", "2026-01-05", pays="everything")
    purse.grant("60.00", "2026-01-05")
    shop.bill("2026-02-01")  # 12.00 for the base fee, 36.00 for calls, 6.00 for storage
    shop.cancel("ann", "2026-02-15")
    shop.bill("2026-02-15")  # CN-1 gives half of the base fee back

    note = credit(shop, "INV-2", "2026-02-16", lines={2: 30_00})
    assert payers(shop, note.name) == [("calls", "main", "-36 EUR", -36_00)]
    rest = credit(shop, "INV-2", "2026-02-17", lines={1: 5_00, 3: 5_00}, key="k2")
    assert payers(shop, rest.name) == [("base", "main", "-6 EUR", -6_00), ("storage", "main", "-6 EUR", -6_00)]
    assert purse.left("2026-02-17") == 60
