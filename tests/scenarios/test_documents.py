"""What people do to documents: charge, credit, void, write off, take money and send it back; always provable."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tenor.invoicing import (
    AdjustmentRequest,
    BillingSettingsChange,
    PaymentTerms,
    TermsKind,
    charge_once,
    customer_statements,
    make_proforma,
    mark_refunded,
    request_refund,
    set_billing_settings,
)
from tenor.invoicing.operations.request_refund import RefundExceedsCredit
from tenor.invoicing.request_keys import RequestKeyReused
from tenor.invoicing.rules.credit_notes import CreditExceedsDocument, CreditExceedsLine
from tenor.invoicing.rules.lifecycle import DocumentGivenBack, DocumentMoveRefused
from tenor.invoicing.rules.receivable import DocumentPaid, NothingOpen
from tenor.kernel.errors import Malformed, NotFound
from tenor.kernel.money import format_minor
from tenor.pricing.model import TaxMode
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
from tests.support.documents import (
    BOOK,
    charge,
    credit,
    doing,
    grant,
    lines,
    lose,
    open_shop,
    paid_with,
    pay,
    stands,
    void,
)


@pytest.fixture
def shop(acme: Company) -> Company:
    """Ann has the plan team since January 2026: INV-1 of 20.00 + 5.03, with 3.80 + 0.96 of tax, 29.79 in all."""
    open_shop(acme)
    return acme


def test_a_payment_pays_the_oldest_first_and_the_rest_is_credit_for_the_next_invoice(shop: Company) -> None:
    assert charge(shop, "2026-01-10", 100_00) == "INV-2"  # 100.00 + 19.00

    # 29.79 for INV-1, and 119.00 − 98.79 = 20.21 stay open of INV-2
    receipt = pay(shop, 128_58, "2026-01-12")
    assert (receipt.name, paid_with(receipt)) == ("RCP-1", {"INV-1": 29_79, "INV-2": 98_79, "credit": 0})
    assert (stands(shop, "INV-1"), stands(shop, "INV-2")) == (("paid", 0), ("open", 20_21))
    # 20.21 for the rest and 9.79 to spare
    assert paid_with(pay(shop, 30_00, "2026-01-13")) == {"INV-2": 20_21, "credit": 9_79}
    assert shop.balances("EUR") == {
        "cash": "158.58",
        "customer_credit": "9.79",
        "deferred_revenue": "25.03",
        "revenue": "100.00",
        "tax_payable": "23.76",  # 4.76 + 19.00
    }
    assert shop.bill("2026-02-01") == told("""
        INV-3 ann 2026-02-01
        base   2026-02-01 2026-03-01  20.00
        seats  2026-02-01 2026-03-01   5.03
        tax 4.76  total 29.79  credit 9.79  due 20.00
    """)
    shop.assert_proven()


def test_a_payment_for_named_documents_pays_these(shop: Company) -> None:
    charge(shop, "2026-01-10", 100_00)

    assert paid_with(pay(shop, 130_00, "2026-01-12", "INV-2")) == {"INV-2": 119_00, "credit": 11_00}
    assert stands(shop, "INV-1") == ("open", 29_79)
    with pytest.raises(NothingOpen):
        pay(shop, 1_00, "2026-01-13", "INV-2")
    shop.assert_proven()


def test_a_repeated_payment_is_the_same_payment(shop: Company) -> None:
    first = pay(shop, 10_00, "2026-01-12", reference="wire 1")

    assert pay(shop, 10_00, "2026-01-13", reference="wire 1", received="2026-01-12") == first
    with pytest.raises(RequestKeyReused):
        pay(shop, 11_00, "2026-01-13", reference="wire 1", received="2026-01-12")
    assert stands(shop, "INV-1") == ("open", 19_79)
    shop.assert_proven()


def test_a_payment_that_has_not_come_yet_is_refused(shop: Company) -> None:
    with pytest.raises(Malformed, match="has not been received"):
        pay(shop, 1_00, "2026-01-12", received="2026-01-13")


def test_a_one_off_charge_waits_for_the_next_invoice_of_its_subscription(shop: Company) -> None:
    subscription_id = shop.subscription("ann").id
    assert charge(shop, "2026-01-10", 12_50, subscription_id=subscription_id, invoicing="next_invoice") is None

    # 12.50 × 19 % = 2.375, rounded half up to 2.38
    assert shop.bill("2026-02-01") == told("""
        INV-2 ann 2026-02-01
        base     2026-02-01 2026-03-01  20.00
        seats    2026-02-01 2026-03-01   5.03
        one_off  2026-01-10 2026-01-10T00:00:00  12.50
        tax 7.14  total 44.67  due 44.67
    """)
    assert "one_off" not in shop.bill("2026-03-01")
    shop.assert_proven()


def test_a_repeated_charge_is_the_same_charge(shop: Company) -> None:
    assert charge(shop, "2026-01-10", 10_00) == "INV-2"
    assert charge(shop, "2026-01-11", 10_00) == "INV-2"
    with pytest.raises(RequestKeyReused):
        charge(shop, "2026-01-11", 11_00)
    assert shop.names() == ["INV-1", "INV-2"]
    shop.assert_proven()


def test_a_charge_draws_the_customers_credit_first(shop: Company) -> None:
    pay(shop, 39_79, "2026-01-05")  # 10.00 to spare
    charge(shop, "2026-01-10", 20_00)

    document = shop.document("INV-2")
    assert (document.kind, document.total_minor, document.credit_applied_minor, document.due_minor) == (
        "one_off",
        23_80,
        10_00,
        13_80,
    )
    shop.assert_proven()


def test_an_sla_credit_is_a_credit_note_with_its_clause(shop: Company) -> None:
    assert grant(shop, "2026-01-10", 10_00, clause="§ 4.2: below 99.9 %") == "CN-1"

    # −10.00 with 1.90 of tax goes to the credit, of which February draws
    assert lines(shop, "CN-1") == [("sla_credit", "-10.00", "-1.90")]
    assert shop.document("CN-1").lines[0].trace["clause"] == "§ 4.2: below 99.9 %"
    assert shop.balances("EUR")["customer_credit"] == "11.90"
    assert shop.bill("2026-02-01").endswith("tax 4.76 total 29.79 credit 11.90 due 17.89")
    shop.assert_proven()


def test_a_credit_on_the_next_invoice_is_a_line_of_it(shop: Company) -> None:
    assert grant(shop, "2026-01-10", 10_00, invoicing="next_invoice") is None

    # 25.03 − 10.00 = 15.03; tax 3.80 + 0.96 − 1.90 = 2.86
    assert shop.bill("2026-02-01").endswith("tax 2.86 total 17.89 due 17.89")
    assert lines(shop, "INV-2")[-1] == ("manual_credit", "-10.00", "-1.90")
    shop.assert_proven()


def test_crediting_an_open_invoice_lowers_what_is_due_and_is_not_billed_again(shop: Company) -> None:
    note = credit(shop, "INV-1", "2026-01-10", lines={1: 8_00})

    # 8.00 of 20.00 with 8/20 of 3.80 = 1.52 of tax: 9.52 less to pay
    assert note.name == "CN-1"
    assert lines(shop, "CN-1") == [("base", "-8.00", "-1.52")]
    assert stands(shop, "INV-1") == ("open", 20_27)
    assert shop.document("CN-1").credits == "INV-1"
    assert shop.document("INV-1").credited_by == ("CN-1",)
    shop.assert_proven()
    # Cancelled half-way with 17 of 31 days to come: 20.00 × 14/31 = 9.03 used, less 8.00 waived: 1.03 are owed of
    # the 12.00 billed, so 10.97 go back, with tax down to 19 % of 1.03 = 0.20 of the 2.28 left.
    # Seats: 5.03 × 14/31 = 2.27 of 5.03: 2.76 go back.
    shop.cancel("ann", "2026-01-15")
    shop.bill("2026-01-15")
    assert [(code, amount) for code, amount, _ in lines(shop, "CN-2")] == [("base", "-10.97"), ("seats", "-2.76")]
    shop.assert_proven()


def test_the_tax_of_partial_credits_sums_to_the_tax_of_the_line(shop: Company) -> None:
    """0.96 of tax on 5.03 in seven parts: each leaves 0.96 × rest / 5.03, rounded, so the roundings never add up.

    The rests 4.31, 3.59, 2.87, 2.15, 1.43 and 0.71 bear 0.82, 0.69, 0.55, 0.41, 0.27 and 0.14.
    """
    for number, part in enumerate((72, 72, 72, 72, 72, 72, 71)):
        credit(shop, "INV-1", "2026-01-10", key=f"k{number}", lines={2: part})

    taxes = [lines(shop, f"CN-{number}")[0][2] for number in range(1, 8)]
    assert taxes == ["-0.14", "-0.13", "-0.14", "-0.14", "-0.14", "-0.13", "-0.14"]
    with pytest.raises(CreditExceedsLine, match=r"0\.00 EUR are left of line 2 of INV-1"):
        credit(shop, "INV-1", "2026-01-10", key="k9", lines={2: 1})
    assert stands(shop, "INV-1") == ("open", 23_80)  # the base fee and its tax
    shop.assert_proven()


def test_a_credit_reverses_each_tax_of_a_line(shop: Company) -> None:
    """In Quebec 100.00 bear 5.00 of GST and 9.975, so 9.98, of QST; the credits hold after the rates have changed."""
    ann, quebec = shop.customer_of("ann"), Jurisdiction("CA", "QC")
    with shop.work() as uow:
        set_tax_seller(uow, TaxSeller(country="CA"), **doing("2026-01-02"))
        rates = [
            TaxRate(name=name, jurisdiction=place, percent=Decimal(percent), valid_from=instant("2026-01-01"))
            for name, place, percent in (("GST", Jurisdiction("CA"), "5"), ("QST", quebec, "9.975"))
        ]
        set_tax_rates(uow, rates, **doing("2026-01-02"))
        set_tax_profiles(uow, {ann: TaxProfile(jurisdiction=quebec)}, **doing("2026-01-02"))
    assert charge(shop, "2026-01-10", 100_00) == "INV-2"
    with shop.work() as uow:
        dearer = [
            TaxRate(name="GST", jurisdiction=Jurisdiction("CA"), percent=Decimal(7), valid_from=instant("2026-01-11"))
        ]
        set_tax_rates(uow, dearer, **doing("2026-01-11"))
    for number, part in enumerate((33_33, 33_33, 33_34)):
        credit(shop, "INV-2", "2026-01-12", key=f"k{number}", lines={1: part})

    def taxes(name: str) -> dict[str, int]:
        return {share.name: share.amount_minor for share in shop.document(name).lines[0].taxes}

    assert taxes("INV-2") == {"GST": 5_00, "QST": 9_98}
    given_back = [taxes(f"CN-{number}") for number in (1, 2, 3)]
    assert {name: sum(part[name] for part in given_back) for name in ("GST", "QST")} == {"GST": -5_00, "QST": -9_98}
    # 66.67 of 100.00 leave 14.98 × 66.67 / 100 = 9.987, so 9.99 of 14.98: 4.99 go back
    assert sum(given_back[0].values()) == -4_99
    assert stands(shop, "INV-2") == ("paid", 0)
    shop.assert_proven()


def test_a_credit_carves_inclusive_tax_out_of_what_it_gives_back(acme: Company) -> None:
    """20.00 hold 20/120 = 3.33 of tax; 10.00 given back leave 1.665, so 1.67 of it: 1.66 go back, then 1.67."""
    acme.sell(BOOK.replace("exclusive", "inclusive"))
    acme.customer("ann", tax_percent="20")
    acme.subscribe("ann", "basic", "2026-01-01")
    acme.bill("2026-01-01")  # 31.00
    assert charge(acme, "2026-01-02", 20_00, tax_mode=TaxMode.INCLUSIVE) == "INV-2"
    for number in range(2):
        credit(acme, "INV-2", "2026-01-03", key=f"k{number}", lines={1: 10_00})

    assert acme.document("INV-2").total_minor == 20_00
    assert [lines(acme, name) for name in ("CN-1", "CN-2")] == [
        [("one_off", "-10.00", "-1.66")],
        [("one_off", "-10.00", "-1.67")],
    ]
    assert [acme.document(name).total_minor for name in ("CN-1", "CN-2")] == [-10_00, -10_00]


def test_crediting_a_paid_invoice_refunds_what_was_paid_if_that_is_asked_for(shop: Company) -> None:
    pay(shop, 29_79, "2026-01-05")
    credit(shop, "INV-1", "2026-01-10", amount_minor=10_00, settles="refund")

    # 10.00 over 20.00 and 5.03: 7.99 and 2.01; tax 1.518 → 1.52 and 0.3836 → 0.38
    assert lines(shop, "CN-1") == [("base", "-7.99", "-1.52"), ("seats", "-2.01", "-0.38")]
    assert shop.balances("EUR")["refunds_payable"] == "11.90"
    assert "customer_credit" not in shop.balances("EUR")
    with shop.work() as uow:
        (request,) = [row[0] for row in uow.fetch_all("select id from refund_requests")]
        mark_refunded(uow, request, reference="sepa 1", **doing("2026-01-11"))
        mark_refunded(uow, request, reference="sepa 1", **doing("2026-01-12"))
    assert shop.balances("EUR")["cash"] == "17.89"
    assert "refunds_payable" not in shop.balances("EUR")
    assert stands(shop, "INV-1") == ("paid", 0)
    shop.assert_proven()


def test_a_credit_without_lines_takes_all_that_is_left(shop: Company) -> None:
    credit(shop, "INV-1", "2026-01-10", lines={1: 5_00})
    credit(shop, "INV-1", "2026-01-11", key="k2")

    assert lines(shop, "CN-2") == [("base", "-15.00", "-2.85"), ("seats", "-5.03", "-0.96")]
    assert stands(shop, "INV-1") == ("paid", 0)
    with pytest.raises(Malformed, match="nothing of INV-1 is left"):
        credit(shop, "INV-1", "2026-01-12", key="k3")
    shop.assert_proven()


@pytest.mark.parametrize(
    ("what", "refusal"),
    [
        ({"lines": {1: 20_01}}, CreditExceedsLine),
        ({"lines": {3: 1}}, Malformed),
        ({"lines": {1: 0}}, Malformed),
        ({"lines": {1: -1}}, Malformed),
        ({"lines": {}}, Malformed),
        ({"amount_minor": 25_04}, CreditExceedsDocument),
        ({"amount_minor": 0}, CreditExceedsDocument),
        ({"amount_minor": 1, "lines": {1: 1}}, Malformed),
    ],
)
def test_what_cannot_be_credited_is_refused(shop: Company, what: dict[str, Any], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        credit(shop, "INV-1", "2026-01-10", **what)
    assert shop.names() == ["INV-1"]
    shop.assert_proven()


def test_a_repeated_credit_is_the_same_credit_note(shop: Company) -> None:
    first = credit(shop, "INV-1", "2026-01-10", lines={1: 5_00})

    assert credit(shop, "INV-1", "2026-01-11", lines={1: 5_00}) == first
    assert shop.names() == ["INV-1", "CN-1"]


def test_a_credit_does_not_reach_what_a_bill_run_gave_back(shop: Company) -> None:
    """After a cancellation on the 15th 9.03 of the 20.00 are left: no more can be credited, and no void."""
    shop.cancel("ann", "2026-01-15")
    shop.bill("2026-01-15")

    with pytest.raises(CreditExceedsLine, match=r"9\.03 EUR are left"):
        credit(shop, "INV-1", "2026-01-16", lines={1: 9_04})
    with pytest.raises(DocumentGivenBack, match="CN-1"):
        void(shop, "INV-1", "2026-01-16")
    # All that is left: 9.03 and 2.27, with whatever of 4.76 of tax CN-1 has left
    credit(shop, "INV-1", "2026-01-16", lines={1: 9_03, 2: 2_27})
    taxes = [line.tax_minor for name in ("CN-1", "CN-2") for line in shop.document(name).lines]
    assert sum(taxes) == -4_76
    shop.assert_proven()


def test_a_void_invoice_keeps_its_number_and_is_not_billed_again(shop: Company) -> None:
    note = void(shop, "INV-1", "2026-01-10")

    assert note.name == "CN-1"
    assert lines(shop, "CN-1") == [("base", "-20.00", "-3.80"), ("seats", "-5.03", "-0.96")]
    assert stands(shop, "INV-1") == ("void", 0)
    assert shop.balances("EUR") == {}
    with pytest.raises(DocumentMoveRefused):
        void(shop, "INV-1", "2026-01-11")
    with pytest.raises(DocumentMoveRefused):
        credit(shop, "INV-1", "2026-01-11")
    with pytest.raises(NothingOpen):
        lose(shop, "INV-1", "2026-01-11")
    assert paid_with(pay(shop, 1_00, "2026-01-11")) == {"credit": 1_00}
    shop.change_seats("ann", 2, "2026-01-16")  # one seat more for 16 of 31 days: 2.60 (5.03 × 16/31 = 2.596)
    shop.bill("2026-01-16")
    assert [(code, amount) for code, amount, _ in lines(shop, "INV-2")] == [("seats", "2.60")]
    shop.assert_proven()


def test_a_void_invoice_can_be_billed_anew(shop: Company) -> None:
    void(shop, "INV-1", "2026-01-10", rebill=True)

    assert shop.prove().pending == 1
    shop.bill("2026-01-11")
    assert lines(shop, "INV-2") == [("base", "20.00", "3.80"), ("seats", "5.03", "0.96")]
    assert shop.balances("EUR") == {"receivable": "29.79", "deferred_revenue": "25.03", "tax_payable": "4.76"}
    void(shop, "INV-2", "2026-01-12", rebill=True)
    shop.bill("2026-01-13")
    assert [stands(shop, name)[0] for name in ("INV-1", "INV-2", "INV-3")] == ["void", "void", "open"]
    shop.assert_proven()


def test_a_void_one_off_invoice_can_be_billed_anew(shop: Company) -> None:
    charge(shop, "2026-01-10", 100_00)
    void(shop, "INV-2", "2026-01-11", rebill=True)

    assert shop.bill("2026-02-01").count("one_off") == 1
    assert stands(shop, "INV-2") == ("void", 0)
    shop.assert_proven()


def test_what_was_drawn_from_credit_goes_back_to_it_when_an_invoice_is_void(shop: Company) -> None:
    pay(shop, 39_79, "2026-01-05")  # 10.00 to spare
    charge(shop, "2026-01-10", 20_00)  # 23.80, of which 10.00 are drawn
    void(shop, "INV-2", "2026-01-11")

    assert shop.balances("EUR")["customer_credit"] == "10.00"
    assert "receivable" not in shop.balances("EUR")
    shop.assert_proven()


def test_an_invoice_with_a_payment_cannot_be_voided(shop: Company) -> None:
    pay(shop, 5_00, "2026-01-05")
    with pytest.raises(DocumentPaid, match=r"5\.00 EUR was paid for INV-1"):
        void(shop, "INV-1", "2026-01-06")
    pay(shop, 24_79, "2026-01-07")
    with pytest.raises(DocumentPaid):
        void(shop, "INV-1", "2026-01-08")
    shop.assert_proven()


def test_voiding_an_invoice_with_a_credit_line_owes_that_credit_again(shop: Company) -> None:
    """The move to basic on the 16th gives 20.00 × 16/31 = 10.32 and 2.60 back and bills 31.00 × 16/31 = 16.00."""
    shop.change_plan("ann", "basic", "2026-01-16")
    shop.bill("2026-01-16")
    assert [amount for _, amount, _ in lines(shop, "INV-2")] == ["-10.32", "-2.60", "16.00"]

    void(shop, "INV-2", "2026-01-17")
    assert [amount for _, amount, _ in lines(shop, "CN-1")] == ["10.32", "2.60", "-16.00"]
    shop.bill("2026-01-18")
    assert [amount for _, amount, _ in lines(shop, "CN-2")] == ["-10.32", "-2.60"]
    shop.assert_proven()


def test_a_write_off_is_recovered_by_a_later_payment(shop: Company) -> None:
    pay(shop, 9_79, "2026-01-05")
    lose(shop, "INV-1", "2026-03-01")

    assert stands(shop, "INV-1") == ("written off", 0)
    assert shop.balances("EUR")["bad_debt"] == "20.00"
    with pytest.raises(NothingOpen):
        lose(shop, "INV-1", "2026-03-02")
    shop.assert_proven()
    assert paid_with(pay(shop, 15_00, "2026-03-10")) == {"INV-1": 15_00, "credit": 0}
    assert (stands(shop, "INV-1"), shop.balances("EUR")["bad_debt"]) == (("written off", 0), "5.00")
    assert paid_with(pay(shop, 15_00, "2026-03-11")) == {"INV-1": 5_00, "credit": 10_00}
    assert stands(shop, "INV-1") == ("paid", 0)
    assert "bad_debt" not in shop.balances("EUR")
    shop.assert_proven()


def test_money_pays_what_is_open_before_what_was_written_off(shop: Company) -> None:
    lose(shop, "INV-1", "2026-01-05")
    charge(shop, "2026-01-10", 10_00)

    assert paid_with(pay(shop, 21_90, "2026-01-11")) == {"INV-2": 11_90, "INV-1": 10_00, "credit": 0}
    shop.assert_proven()


def test_a_credit_takes_a_write_off_back(shop: Company) -> None:
    lose(shop, "INV-1", "2026-01-05")
    credit(shop, "INV-1", "2026-01-10")

    assert (stands(shop, "INV-1"), shop.balances("EUR")) == (("paid", 0), {})
    shop.assert_proven()


def test_a_refund_takes_no_more_than_the_credit(shop: Company) -> None:
    pay(shop, 39_79, "2026-01-05")
    ann = shop.customer_of("ann")
    with shop.work() as uow:
        asked = {"currency": "EUR", "key": "r1", **doing("2026-01-06")}
        with pytest.raises(RefundExceedsCredit, match=r"10\.00 EUR to its credit"):
            request_refund(uow, ann, amount_minor=10_01, **asked)
        first = request_refund(uow, ann, amount_minor=10_00, **asked)
        assert request_refund(uow, ann, amount_minor=10_00, **asked) == first
    assert shop.balances("EUR")["refunds_payable"] == "10.00"
    assert "customer_credit" not in shop.balances("EUR")
    shop.assert_proven()


def test_a_negative_total_is_refunded_where_the_settings_say_so(shop: Company) -> None:
    with shop.work() as uow:
        change = BillingSettingsChange(negative_total="refund")
        set_billing_settings(uow, shop.customer_of("ann"), change, **doing("2026-01-02"))
    pay(shop, 29_79, "2026-01-05")
    shop.cancel("ann", "2026-01-15")
    shop.bill("2026-01-15")

    assert shop.document("CN-1").settles == "refund"
    total = format_minor(-shop.document("CN-1").total_minor, "EUR")
    assert shop.balances("EUR")["refunds_payable"] == total
    shop.assert_proven()


def test_payment_terms_and_po_number_of_the_customer_stand_on_its_invoices(shop: Company) -> None:
    with shop.work() as uow:
        ann = shop.customer_of("ann")
        for customer_id, change in (
            (None, BillingSettingsChange(payment_terms=PaymentTerms(TermsKind.NET, 14), po_number="none")),
            (ann, BillingSettingsChange(po_number="PO-7")),
        ):
            set_billing_settings(uow, customer_id, change, **doing("2026-01-02"))
    charge(shop, "2026-01-10", 10_00)

    document = shop.document("INV-2")
    assert (str(document.due_on), document.po_number) == ("2026-01-24", "PO-7")
    assert [document.status(instant(day).date()) for day in ("2026-01-24", "2026-01-25")] == ["open", "overdue"]


def test_a_consolidated_invoice_is_credited_and_voided_like_any_other(shop: Company) -> None:
    with shop.work() as uow:
        set_billing_settings(
            uow, shop.customer_of("ann"), BillingSettingsChange(consolidates=True), **doing("2026-01-02")
        )
    shop.subscribe("second", "basic", "2026-02-01")
    shop.bill("2026-02-01")

    document = shop.document("INV-2")
    assert sorted(document.subscription_external_ids) == ["ann", "second"]
    assert sorted(line.plan for line in document.lines) == ["basic", "team", "team"]
    credit(shop, "INV-2", "2026-02-02", amount_minor=10_00)
    shop.assert_proven()
    void(shop, "INV-2", "2026-02-03", rebill=True)
    shop.bill("2026-02-04")
    # 31.00 + 20.00 + 5.03 less the 10.00 that were waived
    assert shop.document("INV-3").net_minor == 46_03


@pytest.mark.parametrize("category", ["", "A", "a b", "a" * 64])
def test_a_charge_names_a_tax_category_by_its_code(shop: Company, category: str) -> None:
    with pytest.raises(Malformed, match="is not a code such as 'standard'"):
        AdjustmentRequest(
            customer_id=shop.customer_of("ann"),
            currency="EUR",
            amount_minor=1,
            description="Licence",
            tax_category=category,
        )


def test_a_proforma_has_a_number_and_changes_nothing(shop: Company) -> None:
    ann = shop.customer_of("ann")
    lines = [
        AdjustmentRequest(customer_id=ann, currency="EUR", amount_minor=minor, description="Licence")
        for minor in (100_00, 33_33)
    ]
    before = (shop.balances("EUR"), shop.names())
    with shop.work() as uow:
        proforma = make_proforma(uow, lines, key="p1", **doing("2026-01-10"))
        assert make_proforma(uow, lines, key="p1", **doing("2026-01-11")) == proforma

    # 33.33 × 19 % = 6.3327, so 6.33
    assert (proforma.name, proforma.net_minor, proforma.tax_minor, proforma.total_minor) == (
        "PRO-1",
        133_33,
        25_33,
        158_66,
    )
    assert (shop.balances("EUR"), shop.names()) == before
    shop.assert_proven()


def test_a_statement_tells_every_movement_with_the_balance(shop: Company) -> None:
    charge(shop, "2026-01-10", 100_00)
    credit(shop, "INV-1", "2026-01-11", lines={1: 8_00})  # 9.52
    pay(shop, 150_00, "2026-02-12", reference="wire 7")
    lose_at = instant("2026-02-12") + timedelta(days=1)

    with shop.work() as uow:
        (february,) = customer_statements(uow, shop.customer_of("ann"), since=instant("2026-02-01"), until=lose_at)
        (every,) = customer_statements(uow, shop.customer_of("ann"), since=instant("2026-01-01"), until=lose_at)
    assert [(entry.what, entry.name, entry.amount_minor, entry.balance_minor) for entry in every.entries] == [
        ("invoice", "INV-1", 29_79, 29_79),
        ("one_off", "INV-2", 119_00, 148_79),
        ("credit_note", "CN-1", -9_52, 139_27),
        ("payment", "wire 7", -150_00, -10_73),
    ]
    assert (february.opening_minor, len(february.entries), february.closing_minor) == (139_27, 1, -10_73)


def test_strangers_are_refused(shop: Company) -> None:
    bob = shop.customer("bob")
    with shop.work() as uow, pytest.raises(NotFound, match="no subscription"):
        request = AdjustmentRequest(
            customer_id=bob,
            currency="EUR",
            amount_minor=1,
            description="x",
            subscription_id=shop.subscription("ann").id,
        )
        charge_once(uow, request, key="s1", **doing("2026-01-10"))
