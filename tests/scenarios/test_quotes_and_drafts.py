"""Stories: what a change will cost and then costs, drafts that grace keeps open, and one invoice for several plans."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tenor.invoicing import (
    BillingSettingsChange,
    QuoteExpired,
    QuoteOutdated,
    accept_quote,
    drafts_of,
    quote_change,
    set_billing_settings,
    settle_now,
)
from tenor.kernel.ids import DiscountId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import DiscountTerms, create_coupon
from tenor.pricing.discounts.model import Discount
from tenor.subscriptions import Subscription, apply_discount, cancel, change_plan, change_quantity, find_subscription
from tenor.subscriptions.changing import open_for_change, record_changes
from tenor.subscriptions.model import DiscountApplied, Recording
from tests.support.company import Company, instant, told

DISCOUNT = DiscountId(UUID(int=77))
BOOK = """
price_book: main
currency: EUR
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
      - {code: base, name: Base, kind: recurring, amount: 30.00}
      - {code: seats, name: Seats, kind: seat, unit_amount: 10.00, quantity: 1}
      - {code: calls, name: Calls, kind: usage, metric: calls, unit_amount: 0.10}
  - code: business
    name: Business
    product: app
    interval: month
    charges:
      - {code: base, name: Base, kind: recurring, amount: 90.00}
      - {code: seats, name: Seats, kind: seat, unit_amount: 8.00, quantity: 1}
"""


@pytest.fixture(autouse=True)
def sold(acme: Company) -> None:
    acme.sell(BOOK)


def upgrade(uow: UnitOfWork, at: datetime) -> list[Subscription]:
    held = find_subscription(uow, "ann")
    terms: dict[str, Any] = {"version": held.version, "now": at, "actor": "ann", "reason": "more"}
    return [change_plan(uow, held.id, plan="business", effective="now", **terms)]


def test_a_quote_costs_exactly_what_it_says_and_leaves_nothing_behind(acme: Company) -> None:
    acme.customer("ann", tax_percent="19")
    acme.subscribe("ann", "team", "2026-06-01", quantities={"seats": 3})
    acme.bill("2026-06-01")
    before = acme.rows("select count(*), max(version) from subscription_changes")

    with acme.work() as uow:
        quoted = quote_change(uow, upgrade, as_of=instant("2026-06-16"))

    # Half of June is left: 90.00 × 15/30 − 30.00 × 15/30 = 45.00 − 15.00; seats 3 × 8.00 / 2 − 3 × 10.00 / 2 = 12 − 15.
    # Net 27.00; tax on what is new: 45.00 → 8.55, 12.00 → 2.28; given back: half of 5.70 is 2.85, twice.
    (draft,) = quoted.drafts
    assert (draft.net_minor, draft.tax_minor) == (2700, 855 + 228 - 285 - 285)
    assert acme.rows("select count(*), max(version) from subscription_changes") == before
    assert acme.names() == ["INV-1"]

    with acme.work() as uow:
        issued = accept_quote(
            uow, upgrade, as_of=quoted.as_of, digest=quoted.digest, now=quoted.as_of + timedelta(hours=3)
        )
    assert [one.id for one in issued] == [draft.id]
    assert acme.document("INV-2").total_minor == draft.total_minor == 2700 + 513
    assert acme.bill("2026-06-17") == ""
    acme.assert_proven()


def test_a_quote_that_no_longer_holds_is_refused_whole(acme: Company) -> None:
    acme.subscribe("ann", "team", "2026-06-01", quantities={"seats": 3})
    acme.bill("2026-06-01")
    with acme.work() as uow:
        quoted = quote_change(uow, upgrade, as_of=instant("2026-06-16"))
    acme.change_seats("ann", 4, "2026-06-15")

    with pytest.raises(QuoteOutdated), acme.work() as uow:
        accept_quote(uow, upgrade, as_of=quoted.as_of, digest=quoted.digest, now=quoted.as_of)
    with pytest.raises(QuoteExpired), acme.work() as uow:
        accept_quote(uow, upgrade, as_of=quoted.as_of, digest=quoted.digest, now=quoted.as_of + timedelta(days=2))

    assert acme.subscription("ann").version == 2
    assert acme.names() == ["INV-1"]


def test_a_change_can_be_invoiced_at_once(acme: Company) -> None:
    acme.subscribe("ann", "team", "2026-06-01", quantities={"seats": 3})
    acme.bill("2026-06-01")

    at = instant("2026-06-16")
    with acme.work() as uow:
        held = find_subscription(uow, "ann")
        terms: dict[str, Any] = {"version": held.version, "now": at, "actor": "ann", "reason": ""}
        more = change_quantity(uow, held.id, quantities={"seats": Decimal(5)}, effective="now", **terms)
        settle_now(uow, [more], as_of=at, recorded_at=at)
    # Two seats more for half of June: 2 × 10.00 × 15/30
    assert [line.amount_minor for line in acme.document("INV-2").lines] == [1000]
    with acme.work() as uow:
        held = find_subscription(uow, "ann")
        terms = {"version": held.version, "now": at, "actor": "ann", "reason": ""}
        gone = cancel(uow, held.id, effective="now", **terms)
        settle_now(uow, [gone], as_of=at, recorded_at=at)

    # The other half of 30.00 and of 5 × 10.00: 15.00 + 25.00 go back
    assert acme.document("CN-1").total_minor == -4000
    assert acme.bill("2026-07-01") == ""
    acme.assert_proven()


def test_grace_keeps_a_draft_open_and_late_usage_joins_it(acme: Company) -> None:
    ann = acme.customer("ann")
    with acme.work() as uow:
        change = BillingSettingsChange(grace_days=3)
        set_billing_settings(uow, ann, change, now=instant("2026-05-01"), actor="test", reason="")
    acme.subscribe("ann", "team", "2026-06-01")

    assert acme.bill("2026-06-01") == ""
    with acme.work() as uow:
        (draft,) = drafts_of(uow, acme.subscription("ann"), as_of=instant("2026-06-01"))
    assert draft.total_minor == 4000
    assert acme.names() == []

    assert acme.bill("2026-06-04") == told("""
        INV-1 ann 2026-06-01
        base   2026-06-01 2026-07-01  30.00
        seats  2026-06-01 2026-07-01  10.00
        total 40.00  due 40.00
    """)
    acme.use("calls", 100, "2026-06-30", arrived="2026-07-02")
    assert acme.bill("2026-07-03") == ""
    assert acme.bill("2026-07-04") == told("""
        INV-2 ann 2026-07-01
        base   2026-07-01 2026-08-01  30.00
        seats  2026-07-01 2026-08-01  10.00
        calls  2026-06-01 2026-07-01  10.00
        total 50.00  due 50.00
    """)
    acme.assert_proven()


def test_one_invoice_for_all_plans_of_a_customer(acme: Company) -> None:
    ann = acme.customer("ann")
    with acme.work() as uow:
        change = BillingSettingsChange(consolidates=True)
        set_billing_settings(uow, ann, change, now=instant("2026-05-01"), actor="test", reason="")
    acme.subscribe("ann", "team", "2026-06-01", quantities={"seats": 2})
    acme.subscribe("ann-2", "business", "2026-06-01")
    acme.subscribe("bob", "team", "2026-06-01", customer="bob")

    acme.bill("2026-06-01")

    invoices = [acme.document(name) for name in acme.names()]
    # ann: 30.00 + 2 × 10.00 and 90.00 + 8.00 on one; bob 30.00 + 10.00
    assert sorted(one.total_minor for one in invoices) == [4000, 14800]
    links = acme.rows(
        "select s.external_id, sum(l.amount_minor)::bigint from invoice_lines l"
        " join subscriptions s on s.id = l.subscription_id group by 1 order by 1"
    )
    assert links == [("ann", 5000), ("ann-2", 9800)]
    acme.cancel("ann-2", "2026-06-16")
    acme.change_seats("ann", 4, "2026-06-16")
    # One document again: −45.00 − 4.00 of the plan that ends, + 2 × 10.00 / 2
    acme.bill("2026-06-16")
    assert [acme.document(name).total_minor for name in acme.names() if name.startswith("CN")] == [-3900]
    acme.assert_proven()


def test_a_coupon_on_two_invoices_gives_back_what_was_paid(acme: Company) -> None:
    held = acme.subscribe("ann", "team", "2026-06-01")
    coupon = Discount(
        id=DISCOUNT, code="TEN", name="Ten off", amount_off=Decimal(10), currency="EUR", duration="repeating", periods=2
    )
    with acme.work() as uow:
        opened = open_for_change(uow, held.id, version=held.version, now=instant("2026-06-01"))
        recording = Recording(instant("2026-06-01"), "test", "")
        record_changes(uow, opened, [(DiscountApplied(coupon), instant("2026-06-01"))], recording)

    # 10.00 over 30.00 and 10.00: 7.50 and 2.50
    assert acme.bill("2026-06-01") == told("""
        INV-1 ann 2026-06-01
        base   2026-06-01 2026-07-01  22.50
        seats  2026-06-01 2026-07-01   7.50
        total 30.00  due 30.00
    """)
    acme.use("calls", 100, "2026-06-20")
    # 30.00, 10.00 and 10.00 of usage share the 10.00: 6, 2 and 2
    assert acme.bill("2026-07-01") == told("""
        INV-2 ann 2026-07-01
        base   2026-07-01 2026-08-01  24.00
        seats  2026-07-01 2026-08-01   8.00
        calls  2026-06-01 2026-07-01   8.00
        total 40.00  due 40.00
    """)
    # Cancelled at half of July's 31 days less a half: the 16th at noon. Half of 24.00 and of 8.00
    acme.cancel("ann", "2026-07-16T12:00")
    assert acme.bill("2026-07-17") == told("""
        CN-1 ann 2026-07-16T12:00:00
        base   2026-07-01 2026-08-01  -12.00
        seats  2026-07-01 2026-08-01   -4.00
        total -16.00  due 0.00
    """)
    acme.assert_proven()


def test_a_coupon_is_redeemed_by_a_quote_and_costs_what_was_quoted(acme: Company) -> None:
    """A tenth off 30.00 and 10.00."""
    acme.subscribe("ann", "team", "2026-06-01")
    at = instant("2026-06-01")
    tenth = DiscountTerms(code="tenth", name="A tenth", percent_off=Decimal(10), duration="forever")
    with acme.work() as uow:
        create_coupon(uow, tenth, now=at, actor="test", reason="")

    def redeem(uow: UnitOfWork, at: datetime) -> list[Subscription]:
        held = find_subscription(uow, "ann")
        terms: dict[str, Any] = {"version": held.version, "now": at, "actor": "ann", "reason": ""}
        return [apply_discount(uow, held.id, coupon="tenth", effective="now", **terms)]

    with acme.work() as uow:
        quoted = quote_change(uow, redeem, as_of=at)
    assert acme.rows("select redeemed from coupons") == [(0,)]
    with acme.work() as uow:
        issued = accept_quote(uow, redeem, as_of=at, digest=quoted.digest, now=at)

    assert [one.total_minor for one in (*quoted.drafts, *issued)] == [3600, 3600]
    assert acme.rows("select redeemed from coupons") == [(1,)]


def test_by_some_policies_a_change_rides_on_the_next_invoice(acme: Company) -> None:
    acme.subscribe("ann", "team", "2026-06-01", profile="stripe")
    acme.bill("2026-06-01")
    acme.change_plan("ann", "business", "2026-06-16")

    assert acme.bill("2026-06-17") == ""
    # Half of June: −30.00 / 2 and −10.00 / 2 for what was, 90.00 / 2 and 8.00 / 2 for what is; July in full
    assert acme.bill("2026-07-01") == told("""
        INV-2 ann 2026-07-01
        base   2026-06-01 2026-07-01  -15.00
        seats  2026-06-01 2026-07-01   -5.00
        base   2026-06-01 2026-07-01   45.00
        base   2026-07-01 2026-08-01   90.00
        seats  2026-06-01 2026-07-01    4.00
        seats  2026-07-01 2026-08-01    8.00
        total 127.00  due 127.00
    """)
