"""The first months of a customer's life: fees, seats and usage, trials, starts, and months that were missed."""

from tests.support.company import Company, told

TEAM = """\
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
    charges: &team
      - {code: base, name: Base fee, kind: recurring, amount: 20.00}
      - {code: seats, name: Seats, kind: seat, unit_amount: 5.00, quantity: 1}
      - code: calls
        name: Calls
        kind: usage
        metric: calls
        model: graduated
        tiers: [{up_to: 1000, unit_amount: 0.01}, {unit_amount: 0.005}]
  - {code: tried, name: Team with a trial, product: app, interval: month, trial_days: 14, charges: *team}
"""


def test_three_months_of_base_fee_seats_and_graduated_usage(acme: Company) -> None:
    acme.sell(TEAM)
    acme.subscribe("ann-team", "team", "2026-01-01", quantities={"seats": 3})

    # In advance: 20.00 + 3 × 5.00
    assert acme.bill("2026-01-01") == told("""
        INV-1 ann-team 2026-01-01
        base   2026-01-01 2026-02-01  20.00
        seats  2026-01-01 2026-02-01  15.00
        total 35.00  due 35.00
    """)

    # 1,500 calls in January: 1,000 × 0.01 + 500 × 0.005 = 12.50, in arrears
    acme.use("calls", 900, "2026-01-10")
    acme.use("calls", 600, "2026-01-31T23:59:59")
    assert acme.bill("2026-02-01") == told("""
        INV-2 ann-team 2026-02-01
        base   2026-02-01 2026-03-01  20.00
        seats  2026-02-01 2026-03-01  15.00
        calls  2026-01-01 2026-02-01  12.50
        total 47.50  due 47.50
    """)

    # 600 calls in February, the first of them at its very first instant: 600 × 0.01 = 6.00
    acme.use("calls", 400, "2026-02-01")
    acme.use("calls", 200, "2026-02-20")
    assert acme.bill("2026-03-01") == told("""
        INV-3 ann-team 2026-03-01
        base   2026-03-01 2026-04-01  20.00
        seats  2026-03-01 2026-04-01  15.00
        calls  2026-02-01 2026-03-01   6.00
        total 41.00  due 41.00
    """)

    # 35.00 + 47.50 + 41.00 = 123.50 is owed to us; 12.50 + 6.00 of it is earned, the rest was invoiced ahead.
    assert acme.balances() == {"receivable": "123.50", "revenue": "18.50", "deferred_revenue": "105.00"}


def test_a_trial_that_converts_is_paid_from_its_end_and_its_usage_is_free(acme: Company) -> None:
    acme.sell(TEAM)
    acme.subscribe("ann-tried", "tried", "2026-01-01")
    acme.use("calls", 500, "2026-01-14")  # in the trial, which ends on 15 January
    acme.use("calls", 100, "2026-01-20")

    assert acme.bill("2026-01-10") == ""
    assert acme.bill("2026-01-15") == told("""
        INV-1 ann-tried 2026-01-15
        base   2026-01-15 2026-02-15  20.00
        seats  2026-01-15 2026-02-15   5.00
        total 25.00  due 25.00
    """)
    assert acme.subscription("ann-tried").status == "active"
    assert acme.bill("2026-02-15") == told("""
        INV-2 ann-tried 2026-02-15
        base   2026-02-15 2026-03-15  20.00
        seats  2026-02-15 2026-03-15   5.00
        calls  2026-01-15 2026-02-15   1.00    # 100 × 0.01; the 500 of the trial are not there
        total 26.00  due 26.00
    """)


def test_a_trial_that_lapses_is_never_billed(acme: Company) -> None:
    acme.sell(TEAM)
    acme.subscribe("ann-tried", "tried", "2026-01-01", trial_converts=False)
    acme.use("calls", 500, "2026-01-14")

    assert acme.bill("2026-01-15") == ""
    assert acme.bill("2026-06-01") == ""
    assert acme.subscription("ann-tried").status == "expired"


def test_a_start_ahead_is_billed_when_it_comes(acme: Company) -> None:
    acme.sell(TEAM)
    acme.subscribe("ann-team", "team", "2026-03-01", on="2026-01-10")

    assert acme.bill("2026-02-01") == ""
    assert acme.subscription("ann-team").status == "created"
    assert acme.bill("2026-03-01") == told("""
        INV-1 ann-team 2026-03-01
        base   2026-03-01 2026-04-01  20.00
        seats  2026-03-01 2026-04-01   5.00
        total 25.00  due 25.00
    """)
    assert acme.subscription("ann-team").status == "active"


def test_a_start_in_the_past_gives_an_invoice_for_each_month_since(acme: Company) -> None:
    acme.sell(TEAM)
    acme.subscribe("ann-team", "team", "2026-01-15", on="2026-03-20")
    acme.use("calls", 100, "2026-02-01", arrived="2026-03-20")

    assert acme.bill("2026-03-20") == told("""
        INV-1 ann-team 2026-01-15
        base   2026-01-15 2026-02-15  20.00
        seats  2026-01-15 2026-02-15   5.00
        total 25.00  due 25.00
        INV-2 ann-team 2026-02-15
        base   2026-02-15 2026-03-15  20.00
        seats  2026-02-15 2026-03-15   5.00
        calls  2026-01-15 2026-02-15   1.00
        total 26.00  due 26.00
        INV-3 ann-team 2026-03-15
        base   2026-03-15 2026-04-15  20.00
        seats  2026-03-15 2026-04-15   5.00
        total 25.00  due 25.00
    """)


def test_three_missed_months_give_exactly_three_invoices(acme: Company) -> None:
    acme.sell(TEAM)
    acme.subscribe("ann-team", "team", "2026-01-01")
    acme.bill("2026-01-01")
    for month, calls in (("01", 100), ("02", 200), ("03", 300)):
        acme.use("calls", calls, f"2026-{month}-15")

    # Each month's calls × 0.01 stand on the invoice of the month after.
    assert acme.bill("2026-04-01") == told("""
        INV-2 ann-team 2026-02-01
        base   2026-02-01 2026-03-01  20.00
        seats  2026-02-01 2026-03-01   5.00
        calls  2026-01-01 2026-02-01   1.00
        total 26.00  due 26.00
        INV-3 ann-team 2026-03-01
        base   2026-03-01 2026-04-01  20.00
        seats  2026-03-01 2026-04-01   5.00
        calls  2026-02-01 2026-03-01   2.00
        total 27.00  due 27.00
        INV-4 ann-team 2026-04-01
        base   2026-04-01 2026-05-01  20.00
        seats  2026-04-01 2026-05-01   5.00
        calls  2026-03-01 2026-04-01   3.00
        total 28.00  due 28.00
    """)


def test_an_anchor_on_the_31st_is_kept_over_short_months(acme: Company) -> None:
    acme.sell(TEAM)
    acme.subscribe("ann-team", "team", "2026-01-31")
    acme.use("calls", 100, "2026-02-27T23:59:59")
    acme.use("calls", 200, "2026-02-28")

    # Boundaries are the 31st, cut in short months: 31 January, 28 February, 31 March, 30 April.
    assert acme.bill("2026-03-31") == told("""
        INV-1 ann-team 2026-01-31
        base   2026-01-31 2026-02-28  20.00
        seats  2026-01-31 2026-02-28   5.00
        total 25.00  due 25.00
        INV-2 ann-team 2026-02-28
        base   2026-02-28 2026-03-31  20.00
        seats  2026-02-28 2026-03-31   5.00
        calls  2026-01-31 2026-02-28   1.00
        total 26.00  due 26.00
        INV-3 ann-team 2026-03-31
        base   2026-03-31 2026-04-30  20.00
        seats  2026-03-31 2026-04-30   5.00
        calls  2026-02-28 2026-03-31   2.00
        total 27.00  due 27.00
    """)
