"""Usage that is billed before its period is over: in advance, and when it reaches a threshold."""

from datetime import datetime
from typing import Any

import pytest

from tenor.invoicing import (
    BillingSettingsChange,
    accept_quote,
    drafts_of,
    follow_usage,
    quote_change,
    set_billing_settings,
)
from tenor.metering import Amendment, UsageEvent, amend_usage
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions import Subscription, change_plan
from tests.support.company import Company, instant, told

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
  - code: ahead
    name: Ahead
    product: app
    interval: month
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: 20.00}
      - code: calls
        name: Calls
        kind: usage
        timing: advance
        metric: calls
        model: graduated
        tiers: [{up_to: 1000, unit_amount: 0.01}, {unit_amount: 0.005}]
  - code: metered
    name: Metered
    product: app
    interval: month
    usage_thresholds: {at: [10.00, 25.00], every: 10.00}
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: 20.00}
      - {code: calls, name: Calls, kind: usage, metric: calls, unit_amount: 0.01}
  - code: progressive
    name: Progressive
    product: app
    interval: month
    usage_thresholds: {at: [200.00]}
    charges:
      - {code: base, name: Base fee, kind: recurring, timing: arrears, amount: 31.00}
      - {code: calls, name: Calls, kind: usage, metric: calls, unit_amount: 0.0002}
  - code: capped
    name: Capped
    product: app
    interval: month
    usage_thresholds: {at: [10.00]}
    charges:
      - {code: calls, name: Calls, kind: usage, metric: calls, timing: advance, unit_amount: 0.01}
      - {code: ceiling, name: Ceiling, kind: cap, amount: 15.00}
"""


@pytest.fixture(autouse=True)
def _sold(acme: Company) -> None:
    acme.sell(BOOK)


def test_usage_in_advance_is_billed_as_it_comes(acme: Company) -> None:
    acme.subscribe("ann", "ahead", "2026-01-01")
    acme.bill("2026-01-01")
    acme.use("calls", 800, "2026-01-10T09:00")

    # 800 × 0.01
    assert acme.bill("2026-01-10T09:00") == told("""
        INV-2 ann 2026-01-10T09:00:00
        calls  2026-01-01 2026-02-01  8.00
        total 8.00  due 8.00
    """)
    assert acme.bill("2026-01-10T09:00") == ""
    acme.assert_proven()

    # 1,000 × 0.01 + 400 × 0.005 = 12.00, of which 8.00 is billed
    acme.use("calls", 600, "2026-01-15")
    assert acme.bill("2026-01-16") == told("""
        INV-3 ann 2026-01-16
        calls  2026-01-01 2026-02-01  4.00
        total 4.00  due 4.00
    """)
    acme.assert_proven()

    # 100 more in the second tier; what falls at midnight is February's
    acme.use("calls", 100, "2026-01-31T23:59:59")
    acme.use("calls", 200, "2026-02-01")
    assert acme.bill("2026-02-01") == told("""
        INV-4 ann 2026-02-01
        base   2026-02-01 2026-03-01  20.00
        calls  2026-01-01 2026-02-01   0.50
        calls  2026-02-01 2026-03-01   2.00
        total 22.50  due 22.50
    """)
    acme.assert_proven()


def test_usage_in_advance_that_falls_is_credited_and_how_far_it_counts_moves_on(acme: Company) -> None:
    acme.subscribe("ann", "ahead", "2026-01-01")
    acme.use("calls", 800, "2026-01-10")
    acme.bill("2026-01-10")

    # The event is moved to the 14th: as much is owed, and what is proved is what counts by then.
    with acme.work() as uow:
        ((source, event_id),) = uow.fetch_all("select source, event_id from usage_events")
        moved = UsageEvent(event_id, instant("2026-01-14"), {"value": "800"}, source, "calls", "ann")
        receipt = amend_usage(
            uow, [Amendment(source, event_id, moved)], now=instant("2026-01-15"), actor="test", reason=""
        )
        follow_usage(uow, receipt.touched, now=instant("2026-01-15"))
    assert acme.bill("2026-01-15") == ""
    acme.assert_proven()

    # 300 are taken back: 500 × 0.01 is owed of 8.00
    acme.use("calls", -300, "2026-01-16")
    assert acme.bill("2026-01-16") == told("""
        CN-1 ann 2026-01-16
        calls  2026-01-01 2026-02-01  -3.00
        total -3.00  due 0.00
    """)


def test_a_threshold_invoices_what_is_used_so_far_at_once_and_the_period_bills_the_rest(acme: Company) -> None:
    acme.subscribe("ann", "metered", "2026-01-01")
    acme.bill("2026-01-01")
    acme.use("calls", 900, "2026-01-05")
    assert acme.bill("2026-01-05") == ""  # 9.00 of 10.00
    acme.assert_proven()

    acme.use("calls", 300, "2026-01-08")
    assert acme.bill("2026-01-08") == told("""
        INV-2 ann 2026-01-08
        calls  2026-01-01 2026-02-01  12.00
        total 12.00  due 12.00
    """)
    acme.assert_proven()

    # 24.00: the first is reached already, the second is not
    acme.use("calls", 1200, "2026-01-10")
    assert acme.bill("2026-01-10") == ""
    acme.assert_proven()

    # 36.00: 25.00 and one further 10.00
    acme.use("calls", 1200, "2026-01-12")
    assert acme.bill("2026-01-12") == told("""
        INV-3 ann 2026-01-12
        calls  2026-01-01 2026-02-01  24.00
        total 24.00  due 24.00
    """)
    acme.use("calls", 800, "2026-01-20")  # 44.00 of 45.00
    assert acme.bill("2026-01-20") == ""

    assert acme.bill("2026-02-01") == told("""
        INV-4 ann 2026-02-01
        base   2026-02-01 2026-03-01  20.00
        calls  2026-01-01 2026-02-01   8.00
        total 28.00  due 28.00
    """)
    assert acme.bill("2026-02-01") == ""


def test_what_is_taken_back_after_a_threshold_invoice_is_held_until_the_period_is_over(acme: Company) -> None:
    acme.subscribe("ann", "metered", "2026-01-01")
    acme.use("calls", 1500, "2026-01-05")
    assert "calls 2026-01-01 2026-02-01 15.00" in acme.bill("2026-01-05")

    acme.use("calls", -1000, "2026-01-04", arrived="2026-01-06")
    assert acme.bill("2026-01-06") == ""
    assert acme.prove().pending == 1
    acme.change_plan("ann", "ahead", "2026-01-21", at="period_end")
    assert acme.bill("2026-01-21") == ""
    assert acme.prove().pending == 1

    assert acme.bill("2026-02-01") == told("""
        INV-3 ann 2026-02-01
        calls  2026-01-01 2026-02-01  -10.00
        base   2026-02-01 2026-03-01   20.00
        total 10.00  due 10.00
    """)
    assert acme.prove().pending == 0


def test_a_change_of_plan_after_a_threshold_invoice_bills_the_rest_of_the_usage(acme: Company) -> None:
    acme.subscribe("ann", "metered", "2026-01-01")
    acme.use("calls", 1500, "2026-01-05")
    acme.bill("2026-01-05")
    acme.use("calls", 100, "2026-01-11")
    acme.change_plan("ann", "ahead", "2026-01-16T12:00")
    acme.use("calls", 300, "2026-01-20")

    # Half of January at 20.00 is given back and charged again; of the first plan's usage 1.00 is left.
    assert acme.bill("2026-01-20") == told("""
        INV-3 ann 2026-01-16T12:00:00
        base   2026-01-01 2026-02-01  -10.00
        calls  2026-01-01 2026-02-01    1.00
        base   2026-01-01 2026-02-01   10.00
        total 1.00  due 1.00
        INV-4 ann 2026-01-20
        calls  2026-01-01 2026-02-01    3.00
        total 3.00  due 3.00
    """)


def test_a_threshold_for_life_is_reached_once_in_it(acme: Company) -> None:
    """The figures of Lago's own progressive billing test: 31.00 of fees, 0.0002 a unit, one threshold of 200.00."""
    acme.subscribe("ann", "progressive", "2022-12-01", profile="lago")
    months = [("2022-12-16", 1_000_000, "2023-01-01"), ("2023-01-16", 2_000_000, "2023-02-01")]
    totals = []
    for used_on, units, ends_on in months:
        acme.use("calls", units, used_on)
        for day in (used_on, ends_on):
            acme.bill(day)
            acme.assert_proven()
        totals.append(acme.rows("select total_minor from invoices order by number"))

    # December: 200.00 at once, then the fee; January: 400.00 with its fee, for 200.00 has been reached before
    assert totals == [[(20_000,), (3_100,)], [(20_000,), (3_100,), (43_100,)]]


def test_a_threshold_invoice_does_not_wait_for_the_days_of_grace(acme: Company) -> None:
    """Lago's test of it: 200.00 at once; the rest stays a draft for two days."""
    ann = acme.subscribe("ann", "progressive", "2022-12-01")
    words: dict[str, Any] = {"now": instant("2022-12-01"), "actor": "test", "reason": ""}
    with acme.work() as uow:
        set_billing_settings(uow, ann.customer_id, BillingSettingsChange(grace_days=2), **words)
    acme.use("calls", 1_000_000, "2022-12-06")
    assert "calls 2022-12-01 2023-01-01 200.00\ntotal 200.00" in acme.bill("2022-12-06")
    acme.use("calls", 1_000_000, "2022-12-16")
    assert acme.bill("2022-12-16") == ""
    assert acme.bill("2023-01-01") == ""
    with acme.work() as uow:
        (draft,) = drafts_of(uow, acme.subscription("ann"), as_of=instant("2023-01-01"))
    assert [entry.line.amount_minor for entry in draft.lines] == [3_100, 20_000]
    acme.assert_proven()

    assert acme.bill("2023-01-03") == told("""
        INV-2 ann 2023-01-01
        base   2022-12-01 2023-01-01   31.00
        calls  2022-12-01 2023-01-01  200.00
        total 231.00  due 231.00
    """)


def test_under_a_cap_usage_waits_until_the_period_is_over(acme: Company) -> None:
    acme.subscribe("ann", "capped", "2026-01-01")
    acme.use("calls", 2000, "2026-01-10")
    assert acme.bill("2026-01-10") == ""
    assert acme.bill("2026-02-01") == told("""
        INV-1 ann 2026-02-01
        calls    2026-01-01 2026-02-01  20.00
        ceiling  2026-01-01 2026-02-01  -5.00
        total 15.00  due 15.00
    """)


def test_a_change_costs_what_its_quote_says_with_the_usage_so_far(acme: Company) -> None:
    ann = acme.subscribe("ann", "ahead", "2026-01-01")
    acme.bill("2026-01-01")
    acme.use("calls", 800, "2026-01-10")

    def to_metered(uow: UnitOfWork, at: datetime) -> list[Subscription]:
        words: dict[str, Any] = {"effective": "now", "version": ann.version, "now": at, "actor": "test", "reason": ""}
        return [change_plan(uow, ann.id, plan="metered", **words)]

    noon = instant("2026-01-16T12:00")
    with acme.work() as uow:
        quote = quote_change(uow, to_metered, as_of=noon)
    assert [entry.line.amount_minor for draft in quote.drafts for entry in draft.lines] == [-1000, 800, 1000]
    with acme.work() as uow:
        issued = accept_quote(uow, to_metered, as_of=noon, digest=quote.digest, now=instant("2026-01-16T13:00"))
    assert [draft.total_minor for draft in issued] == [800]
