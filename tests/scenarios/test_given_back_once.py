"""What credit notes give back is given back once: not by a cap again, not as money twice, and not lost on the way."""

from tenor.invoicing import BillingSettingsChange, refund_requests, set_billing_settings
from tests.support.company import Company, told
from tests.support.documents import charge, credit, doing, grant, lines, open_shop, pay, void

CAPPED = """\
price_book: main
currency: EUR
tax_mode: exclusive
effective: 2020-01-01T00:00:00Z
products: [{code: app, name: App}]
metrics: [{code: calls, name: Calls, aggregation: sum, field: value, unit: call}]
plans:
  - code: capped
    name: Capped
    product: app
    interval: month
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: 20.00}
      - {code: calls, name: Calls, kind: usage, metric: calls, unit_amount: 0.02}
      - {code: ceiling, name: Maximum, kind: cap, amount: 60.00}
"""
"""January's 9,000 calls are 180.00; with the fee of 20.00 that is 140.00 more than the cap."""


def _capped(acme: Company) -> None:
    acme.sell(CAPPED)
    acme.customer("ann", tax_percent="10")
    acme.subscribe("ann", "capped", "2026-01-01")
    acme.bill("2026-01-01")
    acme.use("calls", 9000, "2026-01-10")
    assert acme.bill("2026-02-01") == told("""
        INV-2 ann 2026-02-01
        base    2026-02-01 2026-03-01   20.00
        calls   2026-01-01 2026-02-01  180.00
        ceiling 2026-01-01 2026-02-01 -140.00
        tax 6.00  total 66.00  due 66.00
    """)


def test_a_void_invoice_is_not_capped_once_more(acme: Company) -> None:
    _capped(acme)

    void(acme, "INV-2", "2026-02-02")

    assert acme.document("CN-1").total_minor == -66_00
    assert acme.bill("2026-02-03") == ""
    # 100 calls more are 2.00, which the cap takes off again; 8,950 fewer leave 150 of 3.00, of which 180.00 are waived
    acme.use("calls", 100, "2026-01-11", arrived="2026-02-04")
    assert "calls 2026-01-01 2026-02-01 2.00\nceiling 2026-01-01 2026-02-01 -2.00" in acme.bill("2026-02-04")
    acme.use("calls", -8950, "2026-01-11", arrived="2026-02-05")
    assert "calls 2026-01-01 2026-02-01 -2.00\nceiling 2026-01-01 2026-02-01 2.00" in acme.bill("2026-02-05")
    acme.assert_proven()


def test_all_of_an_invoice_can_be_credited_where_a_cap_lowers_it(acme: Company) -> None:
    _capped(acme)

    credit(acme, "INV-2", "2026-02-02", amount_minor=6_00, key="a")
    credit(acme, "INV-2", "2026-02-03", key="b")

    # 6.60 and then the rest of 66.00
    assert [acme.document(name).total_minor for name in ("CN-1", "CN-2")] == [-6_60, -59_40]
    assert acme.bill("2026-02-04") == ""
    acme.assert_proven()


def test_a_line_that_gave_something_back_is_owed_anew_when_it_is_credited(acme: Company) -> None:
    """The move to basic on the 16th gives 20.00 × 16/31 = 10.32 and 2.60 back and bills 31.00 × 16/31 = 16.00."""
    open_shop(acme)
    acme.change_plan("ann", "basic", "2026-01-16")
    acme.bill("2026-01-16")

    credit(acme, "INV-2", "2026-01-17", lines={1: -10_32, 3: 12_00})

    assert acme.bill("2026-01-18") != ""
    assert [amount for _, amount, _ in lines(acme, "CN-2")] == ["-10.32"]
    acme.assert_proven()


def test_a_credit_that_waited_for_a_void_invoice_comes_with_the_next(acme: Company) -> None:
    open_shop(acme)
    grant(acme, "2026-01-20", 5_00, invoicing="next_invoice")
    acme.bill("2026-02-01")
    assert [amount for _, amount, _ in lines(acme, "INV-2")] == ["20.00", "5.03", "-5.00"]

    void(acme, "INV-2", "2026-02-02")
    acme.bill("2026-03-01")

    assert [amount for _, amount, _ in lines(acme, "INV-3")] == ["20.00", "5.03", "-5.00"]
    acme.assert_proven()


def test_what_money_has_paid_goes_back_as_money_once(acme: Company) -> None:
    """A charge of 238.00 is paid by 119.00 of credit and as much money; it is credited in two parts."""
    open_shop(acme)
    grant(acme, "2026-01-02", 100_00)
    charge(acme, "2026-01-03", 200_00)
    pay(acme, 119_00, "2026-01-04", "INV-2")

    credit(acme, "INV-2", "2026-01-05", amount_minor=150_00, settles="refund", key="a")  # 178.50: 119.00 and 59.50
    credit(acme, "INV-2", "2026-01-06", amount_minor=50_00, settles="refund", key="b")  # 59.50 that credit had paid

    with acme.work() as uow:
        assert [request.amount_minor for request in refund_requests(uow)] == [119_00]
    assert acme.balances("EUR")["customer_credit"] == "119.00"
    acme.assert_proven()


def test_a_cap_takes_off_no_more_than_is_left_of_what_it_capped(acme: Company) -> None:
    """February's fee of 20.00 is billed ahead; its 3,000 calls of 60.00 are above the cap by those 20.00."""
    acme.sell(CAPPED)
    acme.subscribe("ann", "capped", "2026-02-01", customer="ann")
    acme.bill("2026-02-01")
    acme.use("calls", 3000, "2026-02-10")
    assert "ceiling 2026-02-01 2026-03-01 -20.00" in acme.bill("2026-03-01")

    credit(acme, "INV-1", "2026-03-02", key="fee")
    assert acme.bill("2026-03-02") == ""  # 60.00 of calls less 20.00: the cap has taken off what it may
    credit(acme, "INV-2", "2026-03-03", lines={2: 50_00}, key="calls")
    assert "ceiling 2026-02-01 2026-03-01 10.00" in acme.bill("2026-03-03")  # of the calls, 10.00 are left
    acme.assert_proven()


def _refunded(acme: Company, paid_minor: int) -> tuple[str, list[int]]:
    """Cancel in the middle of January, 29.79 of which were billed; return how that settles, and what is sent back."""
    open_shop(acme)
    with acme.work() as uow:
        change = BillingSettingsChange(negative_total="refund")
        set_billing_settings(uow, acme.customer_of("ann"), change, **doing("2026-01-02"))
    if paid_minor:
        pay(acme, paid_minor, "2026-01-05")
    acme.cancel("ann", "2026-01-16", at="2026-01-16")
    acme.bill("2026-01-16")
    acme.assert_proven()
    with acme.work() as uow:
        return acme.document("CN-1").settles, [request.amount_minor for request in refund_requests(uow)]


def test_what_was_paid_is_refunded(acme: Company) -> None:
    # 20.00 × 16/31 = 10.32 and 5.03 × 16/31 = 2.60, with their tax of 1.96 and 0.50: 15.38
    assert _refunded(acme, 29_79) == ("refund", [15_38])


def test_nobody_is_sent_money_who_has_paid_nothing(acme: Company) -> None:
    assert _refunded(acme, 0) == ("balance", [])
    assert acme.balances("EUR")["customer_credit"] == "15.38"


def test_nobody_is_sent_money_for_an_invoice_that_is_open_in_part(acme: Company) -> None:
    assert _refunded(acme, 20_00) == ("balance", [])
