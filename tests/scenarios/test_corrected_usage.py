"""Usage that is put right after it was billed: the next invoice carries the difference for its period."""

import pytest

from tenor.metering import Amendment, UsageEvent, amend_usage, record_usage
from tenor.subscriptions import LateUsage, mark_late_usage
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
  - code: metered
    name: Metered
    product: app
    interval: month
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: 20.00}
      - {code: calls, name: Calls, kind: usage, metric: calls, unit_amount: 0.01}
"""


def used(value: int, on: str, event_id: str = "e1") -> UsageEvent:
    return UsageEvent(event_id, instant(on), {"value": value}, "test", "calls", "ann")


@pytest.fixture
def billed(acme: Company) -> Company:
    """Ann has used 1,500 + 200 calls in January, and has been billed for them: 17.00."""
    acme.sell(BOOK)
    acme.subscribe("ann", "metered", "2026-01-01")
    acme.bill("2026-01-01")
    with acme.work() as uow:
        record_usage(uow, [used(1500, "2026-01-10"), used(200, "2026-01-20", "e2")], now=instant("2026-01-20"))
    assert acme.bill("2026-02-01") == told("""
        INV-2 ann 2026-02-01
        base 2026-02-01 2026-03-01 20.00
        calls 2026-01-01 2026-02-01 17.00
        total 37.00 due 37.00
    """)
    return acme


def amend(company: Company, amendment: Amendment, on: str) -> None:
    with company.work() as uow:
        receipt = amend_usage(uow, [amendment], now=instant(on), actor="ann", reason="")
        mark_late_usage(uow, [LateUsage(*entry) for entry in receipt.touched], now=instant(on))


def test_a_correction_of_settled_usage_is_billed_as_the_difference(billed: Company) -> None:
    amend(billed, Amendment("test", "e1", used(1600, "2026-01-10")), "2026-02-10")

    # 16.00 + 2.00 are owed for January, 17.00 is billed
    assert "calls 2026-01-01 2026-02-01 1.00" in billed.bill("2026-03-01")
    billed.assert_proven()
    assert billed.bill("2026-03-01") == ""


def test_a_cancellation_of_settled_usage_is_given_back(billed: Company) -> None:
    amend(billed, Amendment("test", "e1"), "2026-02-10")

    # 2.00 are owed for January, 17.00 is billed
    assert "calls 2026-01-01 2026-02-01 -15.00" in billed.bill("2026-03-01")
    billed.assert_proven()


def test_usage_that_moves_to_another_month_moves_on_the_invoice(billed: Company) -> None:
    amend(billed, Amendment("test", "e1", used(1500, "2026-02-03")), "2026-02-10")

    paper = billed.bill("2026-03-01")

    assert "calls 2026-01-01 2026-02-01 -15.00" in paper
    assert "calls 2026-02-01 2026-03-01 15.00" in paper
    billed.assert_proven()
