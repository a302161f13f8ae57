"""Usage that is owed before its period is over: which dues there are, when a threshold is reached, and the cut-off."""

from dataclasses import replace
from datetime import UTC, timedelta
from decimal import Decimal

import pytest

from tenor.invoicing.rules.cut_off import open_from
from tenor.invoicing.rules.dues import Look, dues, newest_due_at, next_due_at
from tenor.invoicing.rules.owed import rate_dues
from tenor.invoicing.rules.price_memory import PriceMemory
from tenor.invoicing.rules.running import as_settled, served_span
from tenor.kernel.calendar import Grid, Interval, Unit
from tenor.kernel.period import Period
from tenor.pricing import MalformedThresholds, UsageThresholds
from tenor.pricing.charges import Price, Standard
from tenor.pricing.model import Timing
from tenor.pricing.policy import policy_with
from tenor.pricing.thresholds import thresholds_from_json, thresholds_to_json
from tests.support.invoicing import TENOR, at, base, calls, charge_id, in_words, item, phase, plan, span, used
from tests.support.worked_tables import worked_table

LIFE = item(phase("2026-01-01"))
AHEAD = replace(calls(), timing=Timing.ADVANCE)
INSTANT = timedelta(microseconds=1)


def looked(through: str, *, so_far: bool, settled: str | None = "2026-01-01", metered: str | None = None) -> Look:
    return Look(at(through), at(settled) if settled else None, None, at(metered or through), so_far)


@pytest.mark.parametrize("row", worked_table("algorithms/owed.md", "Usage before its period is over"), ids="-".join)
def test_which_usage_is_looked_at(row: list[str]) -> None:
    timing, look, through, expected = row
    version = plan(base("100.00"), replace(calls(), timing=Timing(timing)))
    asked = looked(through, so_far=look == "so far", settled=None)

    found = [due for due in dues(LIFE, version, asked, UTC, TENOR.calendar) if due.charge.metric is not None]

    words = [
        f"{text.split(' ', 1)[1]}{' so far' if due.metered_through else ''}"
        for due, text in zip(found, in_words(found), strict=True)
    ]
    assert words == [text for text in expected.split("; ") if text]


def test_midnight_belongs_to_the_period_that_begins() -> None:
    (over, running) = dues(LIFE, plan(AHEAD), looked("2026-02-01", so_far=False), UTC, TENOR.calendar)

    assert served_span(over) == span("2026-01-01", "2026-02-01")
    assert served_span(running) == Period(at("2026-02-01"), at("2026-02-01") + INSTANT)


def test_what_serves_later_in_a_period_costs_nothing_yet() -> None:
    life = item(phase("2026-01-01", "2026-01-20", is_billable=False), phase("2026-01-20"))

    (due,) = dues(life, plan(AHEAD), looked("2026-01-10", so_far=True, settled=None), UTC, TENOR.calendar)
    usage = used("calls", "2026-01-01", "2026-02-01", 50)

    (rating,) = rate_dues(life, [due], usage, PriceMemory(TENOR, currency="USD"), UTC)
    assert (served_span(due), rating.exact) == (None, Decimal(0))


def test_a_minimum_is_owed_when_the_period_is_over() -> None:
    price = Price(Standard(Decimal("0.50")), min_amount=Decimal(30))
    version = plan(calls(price))
    usage = used("calls", "2026-01-01", "2026-02-01", 50)

    def cost(through: str) -> str:
        found = dues(LIFE, version, looked(through, so_far=True), UTC, TENOR.calendar)
        return f"{rate_dues(LIFE, found[:1], usage, PriceMemory(TENOR, currency='USD'), UTC)[0].exact:.2f}"

    assert [cost("2026-01-31"), cost("2026-02-01")] == ["25.00", "30.00"]


def test_grace_keeps_fees_open_and_not_what_is_billed_as_it_comes() -> None:
    asked = looked("2026-01-29", so_far=False, metered="2026-02-03")

    found = dues(LIFE, plan(base("100.00"), AHEAD), asked, UTC, TENOR.calendar)

    assert in_words(found) == ["calls 01-01..02-01 @ 02-01", "calls 02-01..03-01 @ 02-03"]
    assert newest_due_at(found, through=at("2026-01-29")) == at("2026-01-29")  # corrections do not ride on them
    assert next_due_at(LIFE, plan(AHEAD), UTC, TENOR.calendar, after=at("2026-01-29")) == at("2026-02-01")


def test_a_proof_counts_usage_as_far_as_it_was_settled() -> None:
    look = looked("2026-02-10", so_far=True, settled=None)
    version = plan(calls(), calls(code="other"))
    january, february = span("2026-01-01", "2026-02-01"), span("2026-02-01", "2026-03-01")
    settled_at = {
        (charge_id("calls"), january): None,
        (charge_id("calls"), february): at("2026-02-05"),
        (charge_id("other"), january): None,
    }

    found = as_settled(dues(LIFE, version, look, UTC, TENOR.calendar), look, settled_at)

    assert [(text, due.metered_through) for text, due in zip(in_words(found), found, strict=True)] == [
        ("calls 01-01..02-01 @ 02-01", None),
        ("calls 02-01..03-01 @ 02-05", at("2026-02-05")),
        ("other 01-01..02-01 @ 02-01", None),
    ]


@pytest.mark.parametrize("row", worked_table("algorithms/owed.md", "Thresholds"), ids="-".join)
def test_when_a_threshold_is_reached(row: list[str]) -> None:
    amounts, before, after, expected, _ = row
    single, _, step = amounts.partition("every")
    thresholds = UsageThresholds(tuple(map(Decimal, single.split())), Decimal(step.strip()) if step else None)

    is_new = thresholds.reached(Decimal(after)) > thresholds.reached(Decimal(before))

    found = f"{thresholds.highest_reached(Decimal(after)):.2f}" if is_new else "-"
    assert found == expected
    assert thresholds_from_json(thresholds_to_json(thresholds)) == thresholds


@pytest.mark.parametrize(("amounts", "step"), [(("0",), None), (("5", "5"), None), (("-1",), None), ((), "0")])
def test_thresholds_rise_from_above_nothing(amounts: tuple[str, ...], step: str | None) -> None:
    with pytest.raises(MalformedThresholds):
        UsageThresholds(tuple(map(Decimal, amounts)), None if step is None else Decimal(step))


@pytest.mark.parametrize(
    ("policy", "now", "expected"),
    [
        ({}, "2026-02-10", None),  # late usage is always billed
        ({"late_usage_days": 0}, "2026-02-01", "2026-02-01"),
        ({"late_usage_days": 0}, "2026-01-31T23:59:59Z", "2026-01-01"),
        ({"late_usage_days": 5}, "2026-02-05T23:59:59Z", "2026-01-01"),
        ({"late_usage_days": 5}, "2026-02-06", "2026-02-01"),
        ({"late_usage_periods": 0}, "2026-02-10", "2026-02-01"),
        ({"late_usage_periods": 2}, "2026-03-10", "2026-01-01"),
        ({"late_usage_periods": 2, "late_usage_days": 20}, "2026-03-22", "2026-03-01"),  # whichever closes first
    ],
)
def test_a_period_is_open_to_late_usage_until_its_cut_off(
    policy: dict[str, object], now: str, expected: str | None
) -> None:
    months = Grid(Interval(Unit.MONTH, 1), anchor=at("2026-01-01"), zone=UTC, alignment="anniversary")

    found = open_from(months, policy_with("tenor", policy), now=at(now))

    assert found == (at(expected) if expected else None)
