"""A subscription that a rule refuses is parked with the reason; the others are billed, and the next run tries again."""

from tests.support.company import Company, told

BOOK = """\
price_book: main
currency: USD
tax_mode: exclusive
effective: 2020-01-01T00:00:00Z
products:
  - {code: app, name: App}
metrics:
  - {code: jobs, name: Jobs, aggregation: sum, field: value, unit: job}
plans:
  - code: team
    name: Team
    product: app
    interval: month
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: 20.00}
      - code: jobs
        name: Jobs
        kind: usage
        metric: jobs
        model: matrix
        dimensions: [region]
        prices: [{when: {region: eu}, unit_amount: 0.02}]
"""
PRICED = BOOK.replace("effective: 2020", "effective: 2026").replace(
    "prices: [", "prices: [{when: {region: ap}, unit_amount: 0.03}, "
)


def test_usage_without_a_price_parks_its_subscription_until_there_is_one(acme: Company) -> None:
    acme.sell(BOOK)
    acme.subscribe("ann-team", "team", "2026-01-01", on="2025-12-01")
    acme.subscribe("bob-team", "team", "2026-01-01", on="2025-12-02", customer="bob")
    acme.bill("2026-01-01")
    acme.use("jobs", 100, "2026-01-10", region="eu")
    acme.use("jobs", 10, "2026-01-11", region="ap")
    acme.use("jobs", 200, "2026-01-12", customer="bob", region="eu")

    # Nobody has said what a job costs in `ap`: nothing of ann's is billed, not even what is clear.
    assert acme.bill("2026-02-01") == told("""
        INV-3 bob-team 2026-02-01
        base     2026-02-01 2026-03-01  20.00
        jobs/eu  2026-01-01 2026-02-01   4.00
        total 24.00  due 24.00
    """)
    outcomes = acme.rows(
        "select s.external_id, i.outcome, i.document_count, i.reason from bill_run_items i"
        " join subscriptions s on s.id = i.subscription_id join bill_runs r on r.id = i.run_id"
        " where r.as_of = '2026-02-01' order by 1"
    )
    assert outcomes == [
        ("ann-team", "parked", 0, "unpriced_dimension: no price for region = 'ap'"),
        ("bob-team", "invoiced", 1, None),
    ]
    acme.assert_proven()

    # Every run tries again, and says so.
    (report,) = acme.run("2026-02-03")
    assert (report.planned_subscriptions, report.done.parked, report.document_count) == (1, 1, 0)

    # A price is agreed, and ann is put on it from the beginning.
    acme.sell(PRICED, on="2026-02-04")
    acme.change_plan("ann-team", "team", "2026-02-04", at="2026-01-01")
    assert acme.bill("2026-02-04") == told("""
        INV-4 ann-team 2026-02-01
        base     2026-01-01 2026-02-01 -20.00    # on the version without the price
        base     2026-01-01 2026-02-01  20.00
        base     2026-02-01 2026-03-01  20.00
        jobs/ap  2026-01-01 2026-02-01   0.30
        jobs/eu  2026-01-01 2026-02-01   2.00
        total 22.30  due 22.30
    """)
