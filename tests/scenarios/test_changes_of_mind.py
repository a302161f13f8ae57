"""Customers who change their minds: upgrades, seats, cancellations, now, ahead and in the past."""

import pytest

from tests.support.company import Company, told

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
  - code: pro
    name: Pro
    product: app
    interval: month
    charges: [{code: base, name: Base fee, kind: recurring, amount: 62.00}]
  - code: team
    name: Team
    product: app
    interval: month
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: 20.00}
      - {code: seats, name: Seats, kind: seat, unit_amount: 5.00, quantity: 1}
      - {code: calls, name: Calls, kind: usage, metric: calls, unit_amount: 0.01}
"""


@pytest.fixture(autouse=True)
def _sold(acme: Company) -> None:
    acme.sell(BOOK)


def test_an_upgrade_gives_back_the_rest_of_the_old_plan_and_charges_the_rest_of_the_new_by_seconds(
    acme: Company,
) -> None:
    acme.subscribe("ann", "basic", "2026-01-01")
    acme.bill("2026-01-01")

    acme.change_plan("ann", "pro", "2026-01-11T12:34:56")

    # 909,296 of January's 2,678,400 seconds have passed, 1,769,104 are left.
    # Basic: 31.00 × 909296/2678400 = 10.5243, so 10.52 − 31.00 = −20.48. Pro: 62.00 × 1769104/2678400 = 40.9515.
    assert acme.bill("2026-01-11T12:34:56") == told("""
        INV-2 ann 2026-01-11T12:34:56
        base  2026-01-01 2026-02-01  -20.48
        base  2026-01-01 2026-02-01   40.95
        total 20.47  due 20.47
    """)
    assert acme.bill("2026-02-01") == told("""
        INV-3 ann 2026-02-01
        base  2026-02-01 2026-03-01   62.00    # the billing grid has stayed where it was
        total 62.00  due 62.00
    """)


def test_an_upgrade_in_the_month_that_lost_an_hour_counts_its_743_hours(acme: Company) -> None:
    acme.customer("ann", timezone="Europe/Berlin")
    acme.subscribe("ann", "basic", "2026-02-28T23:00")  # 1 March in Berlin; April begins at 22:00 UTC
    acme.bill("2026-02-28T23:00")

    acme.change_plan("ann", "pro", "2026-03-15T23:00")

    # 360 of 743 hours have passed: 31.00 × 360/743 = 15.0202, and 62.00 × 383/743 = 31.9596.
    assert acme.bill("2026-03-15T23:00") == told("""
        INV-2 ann 2026-03-15T23:00:00
        base  2026-02-28T23:00:00 2026-03-31T22:00:00  -15.98
        base  2026-02-28T23:00:00 2026-03-31T22:00:00   31.96
        total 15.98  due 15.98
    """)


def test_an_upgrade_that_is_billed_days_later_is_one_document_for_its_own_day(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-02-01")
    acme.bill("2026-02-01")
    acme.change_plan("ann", "pro", "2026-02-15")

    # Half of each: what goes back must not stand on a document of its own, or the full 31.00 would be asked for.
    assert acme.bill("2026-02-17") == told("""
        INV-2 ann 2026-02-15
        base  2026-02-01 2026-03-01  -15.50
        base  2026-02-01 2026-03-01   31.00
        total 15.50  due 15.50
    """)


def test_a_downgrade_is_a_credit_note_that_pays_the_next_invoice(acme: Company) -> None:
    acme.subscribe("ann", "pro", "2026-02-01")
    acme.bill("2026-02-01")

    acme.change_plan("ann", "basic", "2026-02-15")

    # Half of February: −62.00/2 + 31.00/2
    assert acme.bill("2026-02-15") == told("""
        CN-1 ann 2026-02-15
        base  2026-02-01 2026-03-01  -31.00
        base  2026-02-01 2026-03-01   15.50
        total -15.50  due 0.00
    """)
    assert acme.bill("2026-03-01") == told("""
        INV-2 ann 2026-03-01
        base  2026-03-01 2026-04-01   31.00
        total 31.00  credit 15.50  due 15.50
    """)


def test_seats_are_charged_and_given_back_from_the_day_of_the_change(acme: Company) -> None:
    acme.subscribe("ann", "team", "2026-02-01", quantities={"seats": 2})
    acme.bill("2026-02-01")

    # Three more seats for 14 of 28 days: 3 × 5.00 / 2
    acme.change_seats("ann", 5, "2026-02-15")
    assert acme.bill("2026-02-15") == told("""
        INV-2 ann 2026-02-15
        seats  2026-02-01 2026-03-01  7.50
        total 7.50  due 7.50
    """)
    # Four fewer for 7 of 28 days: −4 × 5.00 / 4
    acme.change_seats("ann", 1, "2026-02-22")
    assert acme.bill("2026-02-22") == told("""
        CN-1 ann 2026-02-22
        seats  2026-02-01 2026-03-01  -5.00
        total -5.00  due 0.00
    """)
    assert acme.bill("2026-03-01") == told("""
        INV-3 ann 2026-03-01
        base   2026-03-01 2026-04-01  20.00
        seats  2026-03-01 2026-04-01   5.00
        total 25.00  credit 5.00  due 20.00
    """)


def test_a_seat_change_that_no_run_has_seen_rides_with_the_next_invoice(acme: Company) -> None:
    acme.subscribe("ann", "team", "2026-02-01", quantities={"seats": 2})
    acme.bill("2026-02-01")
    acme.change_seats("ann", 5, "2026-02-15")

    assert acme.bill("2026-03-01") == told("""
        INV-2 ann 2026-03-01
        base   2026-03-01 2026-04-01  20.00
        seats  2026-02-01 2026-03-01   7.50
        seats  2026-03-01 2026-04-01  25.00
        total 52.50  due 52.50
    """)


def test_a_backdated_seat_change_corrects_every_period_since(acme: Company) -> None:
    acme.subscribe("ann", "team", "2026-02-01", quantities={"seats": 2})
    acme.bill("2026-02-01")
    acme.bill("2026-03-01")

    acme.change_seats("ann", 5, "2026-03-10", at="2026-02-15")

    # Three more seats: half of February, and all of March.
    assert acme.bill("2026-03-10") == told("""
        INV-3 ann 2026-03-10
        seats  2026-02-01 2026-03-01   7.50
        seats  2026-03-01 2026-04-01  15.00
        total 22.50  due 22.50
    """)


def test_cancelled_now_is_credited_and_pays_for_another_subscription_of_the_same_customer(acme: Company) -> None:
    acme.customer("ann", tax_percent="20")
    acme.subscribe("ann-team", "team", "2026-02-01", on="2026-01-01", quantities={"seats": 3})
    acme.subscribe("ann-basic", "basic", "2026-02-01", on="2026-01-02")
    acme.bill("2026-02-01")
    acme.use("calls", 200, "2026-02-10")

    acme.cancel("ann-team", "2026-02-15")

    # Half of February goes back: 20.00/2, 15.00/2; the 200 calls are due at once. Tax 20 % of each line.
    assert acme.bill("2026-02-15") == told("""
        CN-1 ann-team 2026-02-15
        base   2026-02-01 2026-03-01  -10.00
        seats  2026-02-01 2026-03-01   -7.50
        calls  2026-02-01 2026-03-01    2.00
        tax -3.10  total -18.60  due 0.00
    """)
    assert acme.subscription("ann-team").status == "cancelled"
    assert acme.balances()["customer_credit"] == "18.60"
    assert acme.bill("2026-03-01") == told("""
        INV-3 ann-basic 2026-03-01
        base   2026-03-01 2026-04-01   31.00
        tax 6.20  total 37.20  credit 18.60  due 18.60
    """)
    assert acme.bill("2026-04-01") == told("""
        INV-4 ann-basic 2026-04-01
        base   2026-04-01 2026-05-01   31.00
        tax 6.20  total 37.20  due 37.20
    """)
    # Receivable: 42.00 + 37.20 in February, 18.60, 37.20. Tax: 7.00 + 6.20 − 3.10 + 6.20 + 6.20.
    # Ahead: 35.00 + 31.00 − 17.50 + 31.00 + 31.00. Earned: the 2.00 of the calls.
    assert acme.balances() == {
        "receivable": "135.00",
        "tax_payable": "22.50",
        "deferred_revenue": "110.50",
        "revenue": "2.00",
    }


def test_a_credit_is_drawn_by_one_invoice_after_the_other_and_never_twice(acme: Company) -> None:
    acme.subscribe("ann-pro", "pro", "2026-02-01", on="2026-01-01")
    acme.subscribe("ann-team", "team", "2026-03-01", on="2026-01-02")
    acme.subscribe("ann-basic", "basic", "2026-03-01", on="2026-01-03")
    acme.subscribe("bob-basic", "basic", "2026-03-01", on="2026-01-04", customer="bob")
    acme.bill("2026-02-01")
    acme.cancel("ann-pro", "2026-02-15")
    acme.bill("2026-02-15")  # −31.00 to ann's credit

    # One run draws 25.00 and then the 6.00 that are left; bob has no part in it.
    assert acme.bill("2026-03-01") == told("""
        INV-2 ann-team 2026-03-01
        base   2026-03-01 2026-04-01  20.00
        seats  2026-03-01 2026-04-01   5.00
        total 25.00  credit 25.00  due 0.00
        INV-3 ann-basic 2026-03-01
        base   2026-03-01 2026-04-01  31.00
        total 31.00  credit 6.00  due 25.00
        INV-4 bob-basic 2026-03-01
        base   2026-03-01 2026-04-01  31.00
        total 31.00  due 31.00
    """)


def test_cancelled_at_period_end_costs_what_is_paid_already_and_the_last_usage(acme: Company) -> None:
    acme.subscribe("ann", "team", "2026-02-01")
    acme.bill("2026-02-01")

    acme.cancel("ann", "2026-02-10", at="period_end")
    acme.use("calls", 100, "2026-02-20")

    assert acme.bill("2026-02-10") == ""
    assert acme.subscription("ann").status == "active"
    assert acme.bill("2026-03-01") == told("""
        INV-2 ann 2026-03-01
        calls  2026-02-01 2026-03-01  1.00
        total 1.00  due 1.00
    """)
    assert acme.subscription("ann").status == "cancelled"
    assert acme.bill("2026-06-01") == ""


def test_a_cancellation_in_the_past_gives_back_also_the_period_billed_since(acme: Company) -> None:
    acme.subscribe("ann", "team", "2026-02-01", quantities={"seats": 3})
    acme.bill("2026-02-01")
    acme.use("calls", 100, "2026-02-10")
    acme.use("calls", 100, "2026-02-20")
    acme.bill("2026-03-01")  # March in advance, and 2.00 for the calls of February

    acme.cancel("ann", "2026-03-05", at="2026-02-15")

    # Half of February, the calls after the end, and all of March.
    assert acme.bill("2026-03-05") == told("""
        CN-1 ann 2026-03-05
        base   2026-02-01 2026-03-01  -10.00
        seats  2026-02-01 2026-03-01   -7.50
        calls  2026-02-01 2026-03-01   -1.00
        base   2026-03-01 2026-04-01  -20.00
        seats  2026-03-01 2026-04-01  -15.00
        total -53.50  due 0.00
    """)


def test_cancelled_at_its_first_instant_everything_is_given_back_in_order(acme: Company) -> None:
    acme.subscribe("ann", "team", "2026-02-01")
    acme.bill("2026-04-01")  # three months

    acme.cancel("ann", "2026-04-03", at="2026-02-01")

    assert acme.bill("2026-04-03") == told("""
        CN-1 ann 2026-04-03
        base   2026-02-01 2026-03-01  -20.00
        base   2026-03-01 2026-04-01  -20.00
        base   2026-04-01 2026-05-01  -20.00
        seats  2026-02-01 2026-03-01   -5.00
        seats  2026-03-01 2026-04-01   -5.00
        seats  2026-04-01 2026-05-01   -5.00
        total -75.00  due 0.00
    """)
    assert acme.bill("2026-06-01") == ""


def test_a_change_that_a_later_one_takes_the_place_of_is_given_back_whole(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-02-01")
    acme.bill("2026-02-01")
    acme.change_plan("ann", "pro", "2026-02-15")
    acme.bill("2026-02-15")  # −15.50 + 31.00

    # It should have been Team with two seats, from that very day. Pro goes back; Team costs 20.00/2 + 10.00/2.
    acme.change_plan("ann", "team", "2026-02-20", at="2026-02-15", quantities={"seats": 2})

    assert acme.bill("2026-02-20") == told("""
        CN-1 ann 2026-02-20
        base   2026-02-01 2026-03-01  -31.00
        base   2026-02-01 2026-03-01   10.00
        seats  2026-02-01 2026-03-01    5.00
        total -16.00  due 0.00
    """)


def test_a_downgrade_in_the_past_is_one_credit_note_and_asks_for_nothing(acme: Company) -> None:
    acme.subscribe("ann", "pro", "2026-02-01")
    acme.bill("2026-03-01")

    acme.change_plan("ann", "basic", "2026-03-10", at="2026-02-15")

    # −62.00/2 − 62.00 + 31.00/2 + 31.00; Basic's half February is not asked for again on a document of its own.
    assert acme.bill("2026-03-10") == told("""
        CN-1 ann 2026-03-10
        base  2026-02-01 2026-03-01  -31.00
        base  2026-03-01 2026-04-01  -62.00
        base  2026-02-01 2026-03-01   15.50
        base  2026-03-01 2026-04-01   31.00
        total -46.50  due 0.00
    """)


def test_what_a_run_gives_back_it_does_not_ask_for_on_another_document(acme: Company) -> None:
    acme.subscribe("ann", "pro", "2026-02-01")
    acme.bill("2026-02-01")
    acme.change_plan("ann", "team", "2026-02-15")

    # Monthly runs only: Team's half February fell due on the 15th, what corrects Pro rides with 1 March.
    assert acme.bill("2026-03-01") == told("""
        INV-2 ann 2026-02-15
        base   2026-02-01 2026-03-01   10.00
        seats  2026-02-01 2026-03-01    2.50
        total 12.50  credit 6.00  due 6.50
        CN-1 ann 2026-03-01
        base   2026-02-01 2026-03-01  -31.00
        base   2026-03-01 2026-04-01   20.00
        seats  2026-03-01 2026-04-01    5.00
        total -6.00  due 0.00
    """)


def test_a_planned_change_stays_planned_when_another_comes_before_it(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-02-01")
    acme.bill("2026-02-01")
    acme.change_plan("ann", "pro", "2026-02-03", at="period_end")
    acme.change_plan("ann", "team", "2026-02-15")

    assert acme.bill("2026-02-15") == told("""
        CN-1 ann 2026-02-15
        base   2026-02-01 2026-03-01  -15.50
        base   2026-02-01 2026-03-01   10.00
        seats  2026-02-01 2026-03-01    2.50
        total -3.00  due 0.00
    """)
    assert acme.bill("2026-03-01") == told("""
        INV-2 ann 2026-03-01
        base   2026-03-01 2026-04-01   62.00
        total 62.00  credit 3.00  due 59.00
    """)
