"""Usage that comes late, intervals that differ, minimum commitments and discounts."""

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
  - code: team
    name: Team
    product: app
    interval: month
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: 20.00}
      - {code: seats, name: Seats, kind: seat, unit_amount: 5.00, quantity: 3}
      - &calls
        code: calls
        name: Calls
        kind: usage
        metric: calls
        model: graduated
        tiers: [{up_to: 1000, unit_amount: 0.01}, {unit_amount: 0.005}]
  - code: committed
    name: Committed
    product: app
    interval: month
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: 20.00}
      - *calls
      - {code: floor, name: Minimum, kind: commitment, amount: 100.00}
  - code: yearly
    name: Yearly
    product: app
    interval: year
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: 240.00}
      - {code: calls, name: Calls, kind: usage, interval: month, metric: calls, unit_amount: 0.01}
"""


@pytest.fixture(autouse=True)
def _sold(acme: Company) -> None:
    acme.sell(BOOK)


def test_late_usage_is_billed_as_the_difference_for_the_period_in_which_it_happened(acme: Company) -> None:
    acme.subscribe("ann", "team", "2026-01-01")
    acme.bill("2026-01-01")
    acme.use("calls", 1500, "2026-01-10")
    acme.bill("2026-02-01")  # 1,000 × 0.01 + 500 × 0.005 = 12.50

    # 100 more calls of January, in the second tier: 13.00 is owed, 12.50 is billed.
    acme.use("calls", 100, "2026-01-11", arrived="2026-02-03")
    acme.use("calls", 300, "2026-02-05")

    assert acme.prove().pending == 1
    assert acme.bill("2026-03-01") == told("""
        INV-3 ann 2026-03-01
        base   2026-03-01 2026-04-01  20.00
        seats  2026-03-01 2026-04-01  15.00
        calls  2026-01-01 2026-02-01   0.50
        calls  2026-02-01 2026-03-01   3.00
        total 38.50  due 38.50
    """)


def test_late_usage_can_be_billed_by_another_run_as_of_the_same_instant(acme: Company) -> None:
    acme.subscribe("ann", "team", "2026-01-01")
    acme.bill("2026-01-01")
    assert acme.bill("2026-02-01") != ""

    acme.use("calls", 100, "2026-01-11", arrived="2026-02-01")

    assert acme.bill("2026-02-01") == told("""
        INV-3 ann 2026-02-01
        calls  2026-01-01 2026-02-01  1.00
        total 1.00  due 1.00
    """)
    assert acme.bill("2026-02-01") == ""


def test_usage_taken_back_after_the_invoice_is_credited(acme: Company) -> None:
    acme.subscribe("ann", "team", "2026-01-01")
    acme.use("calls", 1200, "2026-01-10")
    acme.bill("2026-02-01")  # 1,000 × 0.01 + 200 × 0.005 = 11.00

    acme.use("calls", -400, "2026-01-10", arrived="2026-02-03")  # 800 × 0.01 = 8.00 is owed

    assert acme.bill("2026-02-03") == told("""
        CN-1 ann 2026-02-03
        calls  2026-01-01 2026-02-01  -3.00
        total -3.00  due 0.00
    """)


def test_a_yearly_base_with_monthly_usage(acme: Company) -> None:
    acme.subscribe("ann", "yearly", "2026-01-01")
    assert acme.bill("2026-01-01") == told("""
        INV-1 ann 2026-01-01
        base  2026-01-01 2027-01-01  240.00
        total 240.00  due 240.00
    """)
    acme.use("calls", 300, "2026-01-20")
    assert acme.bill("2026-02-01") == told("""
        INV-2 ann 2026-02-01
        calls  2026-01-01 2026-02-01  3.00
        total 3.00  due 3.00
    """)
    assert acme.bill("2026-03-01") == ""  # nothing was used

    # Cancelled after 181 of 365 days: 240.00 × 181/365 = 119.0137 is owed of the year.
    acme.use("calls", 100, "2026-06-15")
    acme.cancel("ann", "2026-07-01")
    assert acme.bill("2026-07-01") == told("""
        CN-1 ann 2026-07-01
        base   2026-01-01 2027-01-01  -120.99
        calls  2026-06-01 2026-07-01     1.00
        total -119.99  due 0.00
    """)


def test_a_commitment_is_trued_up_and_falls_as_late_usage_comes(acme: Company) -> None:
    acme.subscribe("ann", "committed", "2026-01-01")
    acme.bill("2026-01-01")
    acme.use("calls", 1500, "2026-01-10")

    # January: 20.00 + 12.50, so 67.50 is short of 100.00
    assert acme.bill("2026-02-01") == told("""
        INV-2 ann 2026-02-01
        base   2026-02-01 2026-03-01  20.00
        calls  2026-01-01 2026-02-01  12.50
        floor  2026-01-01 2026-02-01  67.50
        total 100.00  due 100.00
    """)

    # 1,000 more calls of January cost 5.00, which was paid already under the minimum.
    # February: 20.00 + 10.00 + 18,000 × 0.005 = 120.00: nothing is short.
    acme.use("calls", 1000, "2026-01-11", arrived="2026-02-03")
    acme.use("calls", 19_000, "2026-02-05")
    assert acme.bill("2026-03-01") == told("""
        INV-3 ann 2026-03-01
        base   2026-03-01 2026-04-01   20.00
        calls  2026-01-01 2026-02-01    5.00
        calls  2026-02-01 2026-03-01  100.00
        floor  2026-01-01 2026-02-01   -5.00
        total 120.00  due 120.00
    """)


def test_a_commitment_of_a_part_of_a_month_is_its_share(acme: Company) -> None:
    acme.subscribe("ann", "committed", "2026-02-01")
    acme.bill("2026-02-01")

    acme.cancel("ann", "2026-02-08")

    # A quarter of February: 25.00 is committed, the base fee comes to 5.00 of the 20.00 billed.
    assert acme.bill("2026-02-08") == told("""
        INV-2 ann 2026-02-08
        base   2026-02-01 2026-03-01  -15.00
        floor  2026-02-01 2026-03-01   20.00
        total 5.00  due 5.00
    """)


def test_a_discount_of_ten_percent_is_on_everything_and_survives_a_change_of_plan(acme: Company) -> None:
    acme.subscribe("ann", "team", "2026-02-01", discount_percent="10")
    assert acme.bill("2026-02-01") == told("""
        INV-1 ann 2026-02-01
        base   2026-02-01 2026-03-01  18.00
        seats  2026-02-01 2026-03-01  13.50
        total 31.50  due 31.50
    """)
    acme.use("calls", 150, "2026-02-02")
    acme.change_plan("ann", "committed", "2026-02-15")

    # Half goes back of what was really paid: −9.00, −6.75; the 150 calls cost 1.50 less 10 %.
    assert acme.bill("2026-02-15") == told("""
        CN-1 ann 2026-02-15
        base   2026-02-01 2026-03-01   -9.00
        seats  2026-02-01 2026-03-01   -6.75
        calls  2026-02-01 2026-03-01    1.35
        base   2026-02-01 2026-03-01    9.00
        total -5.40  due 0.00
    """)
    # The minimum is about what the customer pays: half of 100.00, less the 9.00; then 18.00 for March.
    assert acme.bill("2026-03-01") == told("""
        INV-2 ann 2026-03-01
        base   2026-03-01 2026-04-01  18.00
        floor  2026-02-01 2026-03-01  41.00
        total 59.00  credit 5.40  due 53.60
    """)
