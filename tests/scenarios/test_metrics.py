"""What is measured, from the price book to the invoice: expressions, what carries over, filters, days of their own."""

from datetime import UTC, datetime, timedelta

import pytest

from tenor.metering import UsageEvent, record_usage
from tests.support.company import Company, instant, told

BOOK = """\
price_book: main
currency: USD
tax_mode: exclusive
effective: 2020-01-01T00:00:00Z
products:
  - {code: app, name: App}
metrics:
  - {code: llm, name: Model calls, aggregation: sum, expression: "(input * 3 + output * 15) / 1000", unit: credit}
  - {code: video, name: Video, aggregation: sum, unit: minute,
     expression: 'if(kind == "preview", 0, ceil(ms / 60000))'}
  - {code: traffic, name: Traffic, aggregation: sum, field: value, unit: byte, rounding: {mode: ceil, digits: -3}}
  - {code: storage, name: Storage, aggregation: weighted_sum, field: value, recurring: true, unit: GB-month}
  - {code: seats, name: Seats, aggregation: unique_count, field: user, recurring: true, prorated: true, unit: seat}
  - {code: devices, name: Devices, aggregation: sum, field: value, recurring: true, prorated: true, unit: device}
  - {code: users, name: Users, aggregation: unique_count, field: user, recurring: true}
  - {code: gauge, name: Gauge, aggregation: latest, field: value, recurring: true}
  - {code: calls, name: Calls, aggregation: count}
  - {code: visitors, name: Visitors, aggregation: unique_count, field: user}
plans:
  - code: worked-out
    name: Worked out
    product: app
    interval: month
    charges:
      - {code: llm, name: Model calls, kind: usage, metric: llm, unit_amount: 0.50}
      - {code: video, name: Video, kind: usage, metric: video, unit_amount: 0.25}
      - {code: traffic, name: Traffic, kind: usage, metric: traffic, unit_amount: 0.001}
  - &lasting
    code: lasting
    name: Lasting
    product: app
    interval: month
    charges:
      - {code: storage, name: Storage, kind: usage, metric: storage, unit_amount: 0.10}
      - {code: seats, name: Seats, kind: usage, metric: seats, unit_amount: 31}
      - {code: devices, name: Devices, kind: usage, metric: devices, unit_amount: 28}
      - {code: users, name: Users, kind: usage, metric: users, unit_amount: 2}
      - {code: gauge, name: Gauge, kind: usage, metric: gauge, unit_amount: 1}
  - code: lasting-plus
    name: Lasting plus
    product: app
    interval: month
    charges:
      - {code: seats, name: Seats, kind: usage, metric: seats, unit_amount: 62}
  - code: sorted
    name: Sorted
    product: app
    interval: month
    charges:
      - {code: europe, name: Europe, kind: usage, metric: calls, unit_amount: 0.10, filter: {region: [eu, uk]}}
      - {code: beyond, name: Beyond, kind: usage, metric: calls, unit_amount: 1, filter: {region: {not: [uk, eu]}}}
      - {code: nowhere, name: Nowhere, kind: usage, metric: calls, unit_amount: 5, filter: {region: null, size: large}}
      - code: pooled
        name: Pooled
        kind: usage
        metric: visitors
        model: matrix
        dimensions: [region, size]
        prices:
          - {when: {region: [eu, uk]}, model: graduated, tiers: [{up_to: 2, unit_amount: 1}, {unit_amount: 0.5}]}
          - {when: {region: eu, size: large}, unit_amount: 7}
          - {when: {}, unit_amount: 0.01}
  - code: daily
    name: Daily
    product: app
    interval: month
    charges:
      - {code: calls, name: Calls, kind: usage, metric: calls, unit_amount: 1, included: 10, tier_window: day}
"""


@pytest.fixture(autouse=True)
def _sold(acme: Company) -> None:
    acme.sell(BOOK)


def test_an_event_measures_what_the_expression_makes_of_it(acme: Company) -> None:
    acme.subscribe("ann", "worked-out", "2026-01-01")
    acme.use("llm", 0, "2026-01-05", input="1200", output=340)  # (3,600 + 5,100) / 1,000 = 8.7
    acme.use("llm", 0, "2026-01-06", input=100, output="0.0")  # 0.3
    acme.use("video", 0, "2026-01-07", ms=60_001, kind="film")  # 2 minutes begun
    acme.use("video", 0, "2026-01-07", ms=60_000, kind="film")  # 1
    acme.use("video", 0, "2026-01-07", kind="preview")  # 0: how long it was is not even looked at
    acme.use("traffic", 1001, "2026-01-08")  # rounded up to 2,000

    assert acme.bill("2026-02-01") == told("""
        INV-1 ann 2026-02-01
        llm      2026-01-01 2026-02-01  4.50  # 9 x 0.50
        video    2026-01-01 2026-02-01  0.75  # 3 x 0.25
        traffic  2026-01-01 2026-02-01  2.00
        total 7.25  due 7.25
    """)


def test_an_event_that_an_expression_cannot_use_is_rejected_with_the_reason(acme: Company) -> None:
    said = [{"input": "1"}, {"input": "1", "output": "many"}, {"ms": "1"}, {"input": "9" * 15, "output": "9" * 15}]
    acme.customer("ann")
    with acme.work() as uow:
        receipt = record_usage(
            uow,
            [
                UsageEvent(str(n), instant("2026-01-05"), properties, "test", "video" if n == 2 else "llm", "ann")
                for n, properties in enumerate(said)
            ],
            now=instant("2026-01-06"),
        )

    assert [(entry.field, entry.reason) for entry in receipt.rejected] == [
        ("output", "output: the event has no such property"),
        ("output", "output: 'many' is not a decimal number such as 12.50"),
    ]
    # Without a kind it is no preview; and (3 + 15) × 999,999,999,999,999 / 1,000 is still below 10^15.
    assert receipt.accepted == (2, 3)


def test_what_is_there_carries_over_and_late_usage_moves_every_later_month(acme: Company) -> None:
    acme.subscribe("ann", "lasting", "2026-01-01")
    acme.use("storage", 100, "2026-01-16T12:00")  # 100 GB for 15.5 of 31 days: 50
    acme.use("seats", 0, "2026-01-01", user="u1")
    acme.use("seats", 0, "2026-01-11", user="u2")  # 21 days
    acme.use("seats", 0, "2026-01-11", user="u3")
    acme.use("seats", 0, "2026-01-20", user="u3", operation_type="remove")  # 10 days: 1 + 21/31 + 10/31 = 2
    acme.use("users", 0, "2026-01-11", user="u2")
    acme.use("users", 0, "2026-01-12", user="u3")
    acme.use("users", 0, "2026-01-30", user="u3", operation_type="remove")
    acme.use("gauge", 7, "2026-01-03")
    acme.use("devices", 31, "2026-01-22")  # 31 x 10/31 = 10

    assert acme.bill("2026-02-01") == told("""
        INV-1 ann 2026-02-01
        storage  2026-01-01 2026-02-01    5.00
        seats    2026-01-01 2026-02-01   62.00
        devices  2026-01-01 2026-02-01  280.00
        users    2026-01-01 2026-02-01    2.00
        gauge    2026-01-01 2026-02-01    7.00
        total 356.00  due 356.00
    """)

    acme.use("storage", -40, "2026-02-15")  # 100 - 40 x 14/28 = 80
    acme.use("storage", 62, "2026-01-31", arrived="2026-02-20")  # January: 2 more; from then on 62
    acme.use("seats", 0, "2026-02-14", user="u1", operation_type="remove")  # 14 of 28 days; u2 all of them
    acme.use("devices", -29, "2026-02-01")  # 31 - 29 = 2

    assert acme.bill("2026-03-01") == told("""
        INV-2 ann 2026-03-01
        storage  2026-01-01 2026-02-01   0.20
        storage  2026-02-01 2026-03-01  14.20  # 142 x 0.10
        seats    2026-02-01 2026-03-01  46.50  # 1.5 x 31
        devices  2026-02-01 2026-03-01  56.00
        users    2026-02-01 2026-03-01   2.00
        gauge    2026-02-01 2026-03-01   7.00
        total 125.90  due 125.90
    """)


def test_the_day_on_which_a_plan_changes_belongs_to_the_new_one(acme: Company) -> None:
    acme.subscribe("ann", "lasting", "2026-01-01")
    acme.use("seats", 0, "2026-01-01", user="u1")
    acme.use("seats", 0, "2026-01-16T09:00", user="u2")
    acme.change_plan("ann", "lasting-plus", "2026-01-16T12:00")

    # u1: 15 of 31 days at 31.00, then 16 of 31 days at 62.00; u2 the same 16 days.
    assert acme.bill("2026-02-01") == told("""
        INV-1 ann 2026-01-16T12:00:00
        seats  2026-01-01 2026-02-01  15.00
        total 15.00  due 15.00
        INV-2 ann 2026-02-01
        seats  2026-01-01 2026-02-01  64.00
        total 64.00  due 64.00
    """)


def test_charges_count_what_meets_their_filter_and_pools_are_one_number(acme: Company) -> None:
    acme.subscribe("ann", "sorted", "2026-01-01")
    regions = ["eu", "uk", "uk", "us", "", None]
    for day, region in enumerate(regions, 1):
        acme.use("calls", 1, f"2026-01-0{day}", **{"region": region} if region is not None else {}, size="large")
    # One person in both countries is one visitor of the pool; whoever is large in eu has a price of his own.
    for region, size, user in [
        ("eu", "small", "a"), ("uk", "small", "a"), ("uk", "large", "b"), ("eu", "", "c"),
        ("eu", "large", "a"), ("us", "large", "a"), ("jp", "", "z"),
    ]:  # fmt: skip
        acme.use("visitors", 0, "2026-01-10", region=region, size=size, user=user)

    assert acme.bill("2026-02-01") == told("""
        INV-1 ann 2026-02-01
        europe               2026-01-01 2026-02-01   0.30
        beyond               2026-01-01 2026-02-01   3.00  # us, and twice without a region
        nowhere              2026-01-01 2026-02-01  10.00
        pooled/eu / large    2026-01-01 2026-02-01   7.00
        pooled/eu | uk / *   2026-01-01 2026-02-01   2.50  # a, b, c: 1 + 1 + 0.50
        pooled               2026-01-01 2026-02-01   0.02  # a and z, in no other cell
        total 22.82  due 22.82
    """)


def test_free_units_begin_anew_each_local_day_of_23_and_of_25_hours(acme: Company) -> None:
    """Berlin: 29 March 2026 has 23 hours, from 23:00 to 22:00 UTC; 25 October has 25, from 22:00 to 23:00 UTC."""
    acme.customer("ann", timezone="Europe/Berlin")
    acme.subscribe("ann", "daily", "2026-02-28T23:00")
    instant_before = timedelta(microseconds=1)
    for midnight, following in [
        (datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC)),
        (datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC)),
    ]:
        for at, count in [
            (midnight - instant_before, 10),  # the day before: all free
            (midnight, 9),
            (following - instant_before, 4),  # the same day: 13, of which 3 are paid
            (following, 10),
        ]:
            for _ in range(count):
                acme.use("calls", 1, at.replace(tzinfo=None).isoformat())
    end_of_march = datetime(2026, 3, 31, 22, tzinfo=UTC)
    for _ in range(11):  # the first instant of April: 1 is paid then
        acme.use("calls", 1, end_of_march.replace(tzinfo=None).isoformat())

    assert acme.bill("2026-03-31T22:00") == told("""
        INV-1 ann 2026-03-31T22:00:00
        calls  2026-02-28T23:00:00 2026-03-31T22:00:00  3.00
        total 3.00  due 3.00
    """)
    assert acme.bill("2026-04-30T22:00") == told("""
        INV-2 ann 2026-04-30T22:00:00
        calls  2026-03-31T22:00:00 2026-04-30T22:00:00  1.00
        total 1.00  due 1.00
    """)
    assert acme.bill("2026-10-31T23:00") == told("""
        INV-3 ann 2026-10-31T23:00:00
        calls  2026-09-30T22:00:00 2026-10-31T23:00:00  3.00
        total 3.00  due 3.00
    """)
