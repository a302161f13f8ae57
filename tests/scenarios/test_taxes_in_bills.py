"""Stories: rates that change, customers who are exempt, a tax engine that answers or does not, refunds by policy."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from tenor.invoicing import BillingSettingsChange, set_billing_settings
from tenor.taxes import (
    Jurisdiction,
    TaxProfile,
    TaxRate,
    TaxSeller,
    set_tax_profiles,
    set_tax_rates,
    set_tax_seller,
)
from tests.support.company import Company, instant, told
from tests.support.documents import pay
from tests.support.tax_server import TaxServer, tax_server

BOOK = """
price_book: main
currency: EUR
tax_mode: {tax_mode}
effective: 2020-01-01T00:00:00Z
products:
  - {{code: app, name: App}}
plans:
  - code: team
    name: Team
    product: app
    interval: month
    charges:
      - {{code: base, name: Base, kind: recurring, amount: 30.00}}
      - {{code: book, name: Handbook, kind: recurring, amount: 10.00, tax_category: books}}
"""
GERMANY = Jurisdiction("DE")
SINCE = instant("2020-01-01")


def vat(percent: str, since: datetime, *, category: str = "standard") -> TaxRate:
    return TaxRate(name="VAT", jurisdiction=GERMANY, percent=Decimal(percent), valid_from=since, category=category)


def tax(company: Company, name: str, profile: TaxProfile) -> None:
    customer = company.customer(name)
    with company.work() as uow:
        set_tax_profiles(uow, {customer: profile}, now=SINCE, actor="test", reason="")


def tabled(company: Company, *rates: TaxRate) -> None:
    with company.work() as uow:
        set_tax_rates(uow, list(rates), now=SINCE, actor="test", reason="")


def test_a_rate_of_now_for_what_is_new_and_of_then_for_what_goes_back(acme: Company) -> None:
    acme.sell(BOOK.format(tax_mode="exclusive"))
    tabled(acme, vat("19", SINCE), vat("7", SINCE, category="books"), vat("20", instant("2026-07-01")))
    tax(acme, "ann", TaxProfile(jurisdiction=GERMANY))
    acme.subscribe("ann", "team", "2026-06-01")

    # 19 % of 30.00 is 5.70; 7 % of 10.00 is 0.70
    acme.bill("2026-06-01")
    assert acme.document("INV-1").tax_minor == 640
    # 20 % of 30.00 is 6.00 from July on
    acme.bill("2026-07-01")
    assert acme.document("INV-2").tax_minor == 670
    # Cancelled back to mid-June: half of June goes back with half of 5.70 and of 0.70, all of July with 6.00 and 0.70
    acme.cancel("ann", "2026-07-02", at="2026-06-16")
    acme.bill("2026-07-02")
    note = acme.document("CN-1")
    assert (note.net_minor, note.tax_minor) == (-1500 - 500 - 3000 - 1000, -285 - 35 - 600 - 70)
    assert acme.balances("EUR")["tax_payable"] == "3.20"


def test_an_exempt_customer_pays_a_price_that_holds_tax_without_it(acme: Company) -> None:
    acme.sell(BOOK.format(tax_mode="inclusive"))
    tabled(acme, vat("20", SINCE))
    tax(acme, "ann", TaxProfile(jurisdiction=GERMANY, is_exempt=True, exemption_reason="embassy"))
    acme.subscribe("ann", "team", "2026-06-01")

    acme.bill("2026-06-01")

    # 30.00 / 1.2 = 25.00 and 10.00 / 1.2 = 8.33
    document = acme.document("INV-1")
    assert (document.net_minor, document.tax_minor, document.total_minor) == (3333, 0, 3333)
    acme.cancel("ann", "2026-06-01", at="2026-06-01")
    acme.bill("2026-06-02")
    assert acme.document("CN-1").total_minor == -3333
    assert acme.balances("EUR") == {"receivable": "33.33", "customer_credit": "33.33"}


def engine(acme: Company, server: TaxServer) -> Company:
    """Return the company with its rates from a tax engine."""
    with acme.work() as uow:
        seller = TaxSeller(country="DE", rates_from="engine")
        set_tax_seller(uow, seller, now=SINCE, actor="test", reason="")
    return replace(acme, settings=replace(acme.settings, tax_engine_url=server.url))


def test_a_tax_engine_is_asked_before_the_run_and_fails_over_to_the_table(acme: Company) -> None:
    acme.sell(BOOK.format(tax_mode="exclusive"))
    tax(acme, "ann", TaxProfile(jurisdiction=GERMANY))
    acme.subscribe("ann", "team", "2026-06-01")
    with tax_server() as server:
        online = engine(acme, server)
        online.bill("2026-06-01")
        assert {question["category"] for question in server.asked[0]} == {"books", "standard"}
    # The server's 19 % on both
    assert acme.document("INV-1").tax_minor == 570 + 190

    # Gone, and no default rate: nobody is billed without tax
    assert online.bill("2026-07-01") == ""
    (parked,) = acme.rows("select reason from bill_run_items where outcome = 'parked'")
    assert parked[0].startswith("tax_not_quoted")
    tabled(acme, vat("16", SINCE))
    # Default rates of 16 %, marked
    (report,) = online.run("2026-07-02")
    assert report.taxes.from_fallback == 2  # of two categories
    assert report.taxes.failures
    assert acme.document("INV-2").tax_minor == 480 + 160
    ((note,),) = acme.rows("select tax_note from invoices where number = 2 and series = 'INV'")
    assert note == "default rates: the tax engine gave no answer"


@pytest.mark.parametrize(("policy", "account"), [("balance", "customer_credit"), ("refund", "refunds_payable")])
def test_a_credit_note_goes_by_the_settings(acme: Company, policy: str, account: str) -> None:
    acme.sell(BOOK.format(tax_mode="exclusive"))
    ann = acme.customer("ann")
    with acme.work() as uow:
        change = BillingSettingsChange(negative_total="refund" if policy == "refund" else "balance")
        set_billing_settings(uow, ann, change, now=SINCE, actor="test", reason="")
    acme.subscribe("ann", "team", "2026-06-01")
    acme.bill("2026-06-01")
    pay(acme, 40_00, "2026-06-02")
    acme.cancel("ann", "2026-06-16")

    assert acme.bill("2026-06-16") == told("""
        CN-1 ann 2026-06-16
        base  2026-06-01 2026-07-01  -15.00
        book  2026-06-01 2026-07-01   -5.00
        total -20.00  due 0.00
    """)
    assert acme.balances("EUR")[account] == "20.00"
    asked = acme.rows("select amount_minor, status from refund_requests")
    assert asked == ([(2000, "requested")] if policy == "refund" else [])
