"""What is told of usage while its period runs: cost so far, alerts, and events that come after their cut-off."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest

from tenor.invoicing import (
    Crossing,
    MalformedUsageAlert,
    cost_so_far,
    explain_line,
    follow_usage,
    late_usage,
    remove_usage_alert,
    set_usage_alert,
    set_usage_thresholds,
    usage_alerts,
)
from tenor.kernel.calendar import parse_zone
from tenor.kernel.errors import NotFound
from tenor.metering import Amendment, amend_usage
from tenor.pricing import MalformedThresholds, UsageThresholds
from tenor.pricing.policy import Policy, policy_with
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
  - {code: peak, name: Peak, aggregation: max, field: value}
  - {code: idle, name: Idle, aggregation: count}
plans:
  - code: metered
    name: Metered
    product: app
    interval: month
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: 20.00}
      - code: calls
        name: Calls
        kind: usage
        metric: calls
        included: 100
        model: graduated
        tiers: [{up_to: 1000, unit_amount: 0.01}, {unit_amount: 0.005}]
      - {code: peak, name: Peak, kind: usage, metric: peak, unit_amount: 2.00, minimum: 50.00}
      - {code: floor, name: Minimum, kind: commitment, amount: 100.00}
"""
JANUARY = "calls 2026-01-01 2026-02-01"


@pytest.fixture(autouse=True)
def _sold(acme: Company) -> None:
    acme.sell(BOOK)


@contextmanager
def following(monkeypatch: pytest.MonkeyPatch, **changes: object) -> Iterator[None]:
    """Have all subscriptions billed by the default policy with some keys changed."""

    def changed(_name: str) -> Policy:
        return policy_with("tenor", changes)

    with monkeypatch.context() as patch:
        patch.setattr("tenor.invoicing.cut_off.profile", changed)
        patch.setattr("tenor.invoicing.bill_run.loading.profile", changed)
        yield


def test_the_cost_so_far_is_what_a_bill_of_it_would_say(acme: Company) -> None:
    ann = acme.subscribe("ann", "metered", "2026-01-01", discount_percent="10")
    acme.bill("2026-01-01")
    acme.use("calls", 1300, "2026-01-10")
    acme.use("peak", 7, "2026-01-11")
    acme.use("peak", 4, "2026-01-12")
    acme.use("calls", 500, "2026-01-20T00:00:01")

    with acme.work() as uow:
        (so_far,) = cost_so_far(uow, [ann.id], as_of=instant("2026-01-20"))

    # 1,300 less 100 included: 1,000 × 0.01 + 200 × 0.005 = 11.00; 7 × 2.00, no minimum yet; 10 % off both
    assert [
        (one.charge.code, one.units, one.amount_minor, one.billed_minor, one.period.end) for one in so_far.charges
    ] == [
        ("calls", Decimal(1300), 990, 0, instant("2026-02-01")),
        ("peak", Decimal(7), 1260, 0, instant("2026-02-01")),
    ]
    assert (so_far.amount_minor, so_far.billed_minor) == (2250, 0)
    assert so_far.charges[0].owed[0].trace["through"] == "2026-01-20T00:00:00Z"


def test_a_threshold_of_a_subscription_goes_before_its_customers(acme: Company) -> None:
    ann = acme.subscribe("ann", "metered", "2026-01-01")
    acme.bill("2026-01-01")
    acme.use("calls", 600, "2026-01-10")
    ten, fifty = UsageThresholds((Decimal(5),)), UsageThresholds((Decimal(10),), Decimal(2))
    words: dict[str, Any] = {"now": instant("2026-01-11"), "actor": "test", "reason": ""}
    with acme.work() as uow:
        set_usage_thresholds(uow, ann, fifty, currency="USD", **words)
        set_usage_thresholds(uow, ann.customer_id, ten, currency="USD", **words)
        with pytest.raises(MalformedThresholds):
            set_usage_thresholds(uow, ann, UsageThresholds((Decimal("0.005"),)), currency="USD", **words)
    assert acme.bill("2026-01-11") == ""  # 500 × 0.01: the customer's, but not its own

    with acme.work() as uow:
        set_usage_thresholds(uow, acme.subscription("ann"), ten, currency="USD", **words)
    assert acme.bill("2026-01-11") == told(f"""
        INV-2 ann 2026-01-11
        {JANUARY} 5.00
        total 5.00 due 5.00
    """)
    document = acme.document("INV-2")
    assert explain_line(document.lines[0], currency="USD", zone=parse_zone("UTC")) == [
        "100 units included",
        "500 × 0.01 = 5.00 (first 1000)",
        "used through 2026-01-11, while the period runs: 5.00 has been reached",
        "rounded once to 5.00 USD",
    ]
    (event,) = acme.rows("select payload from outbox_events where type = 'usage_threshold.reached'")
    assert (event[0]["threshold"], event[0]["subscription"]) == ("5.00", "ann")

    with acme.work() as uow:
        set_usage_thresholds(uow, acme.subscription("ann"), UsageThresholds(), currency="USD", **words)
    acme.use("calls", 5000, "2026-01-12")
    assert acme.bill("2026-01-12") == ""


def test_usage_billed_ahead_is_never_billed_twice_and_credits_of_it_hold(acme: Company) -> None:
    """What was credited of a threshold invoice is given up for good; the rest of the period is billed as ever."""
    ann = acme.subscribe("ann", "metered", "2026-01-01")
    with acme.work() as uow:
        every = UsageThresholds((), Decimal(4))
        words: dict[str, Any] = {"now": instant("2026-01-01"), "actor": "test", "reason": ""}
        set_usage_thresholds(uow, ann, every, currency="USD", **words)
    acme.bill("2026-01-01")
    for day in ("05", "06", "07"):
        acme.use("calls", 300, f"2026-01-{day}")
        acme.bill(f"2026-01-{day}")
        acme.assert_proven()

    # 200 × 0.01 = 2.00 of 4.00; 500 × 0.01 = 5.00; 800 × 0.01 = 8.00, 5.00 of it billed
    assert [(row[0], row[1]) for row in acme.rows("select series || number, total_minor from invoices order by 1")] == [
        ("INV1", 2000),
        ("INV2", 500),
        ("INV3", 300),
    ]
    assert f"{JANUARY} " not in acme.bill("2026-02-01")
    assert acme.bill("2026-02-01") == ""


def test_alerts_are_told_once_in_each_period(acme: Company) -> None:
    ann = acme.subscribe("ann", "metered", "2026-01-01")
    words: dict[str, Any] = {"actor": "test", "reason": ""}
    with acme.work() as uow:
        start = instant("2026-01-01")
        calls, none = set_usage_alert(uow, ann, metric="calls", percent=Decimal(80), now=start, **words)
        cost, _ = set_usage_alert(uow, ann, threshold=Decimal(5), now=start, **words)
        assert (calls.threshold, none) == (Decimal(80), [])  # 80 % of the 100 included
        with pytest.raises(NotFound):
            set_usage_alert(uow, ann, metric="idle", threshold=Decimal(5), now=start, **words)
        wrongs: list[dict[str, Decimal]] = [
            {},
            {"percent": Decimal(80)},
            {"threshold": Decimal(1), "percent": Decimal(1)},
        ]
        for wrong in wrongs:
            with pytest.raises(MalformedUsageAlert):
                set_usage_alert(uow, ann, now=start, **words | wrong)

    def told_so_far() -> list[tuple[str | None, str, str]]:
        rows = acme.rows("select payload from outbox_events where type = 'usage_alert.reached' order by occurred_at")
        return [(body["metric"], body["value"], body["period_start"][:10]) for (body,) in rows]

    acme.use("calls", 79, "2026-01-05")
    assert told_so_far() == []
    acme.use("calls", 1, "2026-01-06")
    acme.use("calls", 1, "2026-01-07")
    assert told_so_far() == [("calls", "80", "2026-01-01")]

    acme.use("calls", 519, "2026-01-08")  # 500 above those included, at 0.01
    acme.use("calls", 1, "2026-01-09")
    assert told_so_far()[1:] == [(None, "5", "2026-01-01")]

    acme.use("calls", 1000, "2026-02-03")
    assert sorted(told_so_far()[2:], key=str) == [("calls", "1000", "2026-02-01"), (None, "9", "2026-02-01")]
    with acme.work() as uow:
        remove_usage_alert(uow, calls.id, now=instant("2026-02-04"), **words)
        assert [alert.id for alert in usage_alerts(uow, [ann.id])] == [cost.id]
        late, at_once = set_usage_alert(
            uow, ann, metric="calls", threshold=Decimal(10), now=instant("2026-02-04"), **words
        )
        assert [(one.alert.id, one.value) for one in at_once] == [(late.id, Decimal(1000))]
        assert isinstance(at_once[0], Crossing)


def test_usage_after_the_cut_off_is_reported_and_not_billed(acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    acme.subscribe("ann", "metered", "2026-01-01")
    acme.use("calls", 300, "2026-01-10")
    acme.bill("2026-02-01")
    with following(monkeypatch, late_usage_days=5):
        acme.use("calls", 100, "2026-01-31T23:00", arrived="2026-02-05")  # the fifth day: still January's
        acme.use("calls", 200, "2026-01-31T23:30", arrived="2026-02-06")  # too late
        acme.use("calls", 400, "2026-02-01", arrived="2026-02-06")  # midnight is February's
        bill = acme.bill("2026-03-01")

    assert f"{JANUARY} 1.00" in bill
    assert "calls 2026-02-01 2026-03-01 3.00" in bill  # 400 less 100
    with acme.work() as uow:
        (event,) = late_usage(uow, since=instant("2026-02-01"), limit=10)
    assert (event.value, event.treatment, event.open_from) == (Decimal(200), "reported", instant("2026-02-01"))
    acme.assert_proven()


def test_usage_after_the_cut_off_can_count_as_used_when_it_came(acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    acme.subscribe("ann", "metered", "2026-01-01")
    acme.bill("2026-02-01")
    with following(monkeypatch, late_usage_periods=0, late_usage_after="current_period"):
        acme.use("calls", 300, "2026-01-31T23:30", arrived="2026-02-06")
        bill = acme.bill("2026-03-01")

    assert JANUARY not in bill
    assert "calls 2026-02-01 2026-03-01 2.00" in bill  # 300 less 100
    with acme.work() as uow:
        assert [event.treatment for event in late_usage(uow, since=instant("2026-02-01"), limit=10)] == ["moved"]


def test_before_the_invoice_there_is_no_cut_off_and_a_correction_has_none(
    acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme.subscribe("ann", "metered", "2026-01-01")
    acme.bill("2026-01-01")
    with following(monkeypatch, late_usage_days=0):
        acme.use("calls", 300, "2026-01-10", arrived="2026-02-20")
        assert f"{JANUARY} 2.00" in acme.bill("2026-02-20")
        with acme.work() as uow:
            ((source, event_id),) = uow.fetch_all("select source, event_id from usage_events")
            receipt = amend_usage(
                uow, [Amendment(source, event_id)], now=instant("2026-02-21"), actor="test", reason=""
            )
            follow_usage(uow, receipt.touched, now=instant("2026-02-21"))
        assert f"{JANUARY} -2.00" in acme.bill("2026-03-01")


def test_what_is_given_back_of_usage_can_stand_on_a_credit_note(acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    acme.subscribe("ann", "metered", "2026-01-01")
    acme.use("calls", 1100, "2026-01-10")
    acme.bill("2026-02-01")
    acme.use("calls", -400, "2026-01-10", arrived="2026-02-03")
    with following(monkeypatch, late_usage_credit="credit_note"):
        paper = acme.bill("2026-03-01")

    # 600 × 0.01 of 10.00; the minimum of 100.00 had nothing to add in February but what the fee of 20.00 leaves short
    assert "CN-1 ann 2026-03-01" in paper
    assert f"{JANUARY} -4.00\ntotal -4.00" in paper


def test_a_correction_is_billed_however_long_its_period_is_closed(acme: Company) -> None:
    """Under a profile whose usage closes after two periods: 1,300 calls of January are cancelled in June."""
    acme.subscribe("ann", "metered", "2026-01-01", profile="killbill")
    acme.use("calls", 1300, "2026-01-10")
    acme.bill("2026-06-01")
    with acme.work() as uow:
        ((source, event_id),) = uow.fetch_all("select source, event_id from usage_events")
        receipt = amend_usage(uow, [Amendment(source, event_id)], now=instant("2026-06-10"), actor="test", reason="")
        assert follow_usage(uow, receipt.touched, now=instant("2026-06-10")).after_cut_off == 0

    # 1,000 × 0.01 + 200 × 0.005, all of it given back
    assert f"{JANUARY} -11.00" in acme.bill("2026-06-10")
