"""Laws that hold after any scenario of an account: nothing is billed twice, nothing is given back twice."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import localcontext
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tenor.conformance import Case
from tenor.conformance.scenario.documents import Account
from tenor.conformance.scenario.facts import FactWatcher
from tenor.conformance.scenario.playing import play
from tenor.conformance.scenario.reading import read_story
from tenor.conformance.scenario.running import run
from tenor.conformance.scenario.terms import terms_of
from tenor.conformance.scenario.world import World
from tenor.invoicing.rules.spans import without
from tenor.kernel.money import EXACT
from tenor.kernel.period import Period

Body = dict[str, Any]

START = datetime(2026, 1, 20, 9, 30, tzinfo=UTC)
MONTH: Body = {"interval": "month", "interval_count": 1}
TRIAL: Body = {
    "type": "trial",
    "length": {"interval": "day", "interval_count": 30},
    "charges": [{"kind": "one_off", "amount": "0"}],
}
CALLS: Body = {
    "kind": "usage",
    "metric": "calls",
    "model": "graduated",
    "properties": {"tiers": [{"up_to": None, "block_size": "10", "block_amount": "1.25"}], "round": "up"},
    "timing": "arrears",
    **MONTH,
}


def plan(name: str, *charges: Body, trial: bool = False, **other: Any) -> Body:
    phases = [*([TRIAL] if trial else []), {"type": "evergreen", "charges": list(charges)}]
    return {"id": name, "product": name, "phases": phases, **other}


PLANS = [
    plan("monthly", {"kind": "recurring", "amount": "29.95", **MONTH}),
    plan("tried", {"kind": "recurring", "amount": "99.99", **MONTH}, trial=True),
    plan("yearly", {"kind": "recurring", "amount": "365.25", "interval": "year", "interval_count": 1}, trial=True),
    plan("quarterly", {"kind": "recurring", "amount": "70.01", "interval": "month", "interval_count": 3}),
    plan("late", {"kind": "recurring", "amount": "45.10", **MONTH}, CALLS, timing="arrears"),
]

NAMES = st.sampled_from([body["id"] for body in PLANS])
DAYS = st.integers(-20, 40)


@st.composite
def step_lists(draw: st.DrawFn) -> list[Body]:
    """Draw a subscription and what happens to it, at growing instants."""
    at = START
    steps: list[Body] = [{"do": "subscribe", "customer": "c1", "subscription": "s1", "plan": draw(NAMES)}]
    times = [at]
    for _ in range(draw(st.integers(1, 7))):
        at += timedelta(days=draw(st.sampled_from([0, 0, 1, 9, 31])), hours=draw(st.sampled_from([0, 5])))
        date = max(START, at + timedelta(days=draw(DAYS))).date().isoformat()  # nothing ends before it began
        effective = draw(st.sampled_from(["now", "period_end", date]))
        steps.append(
            draw(
                st.sampled_from(
                    [
                        {"do": "change_plan", "plan": draw(NAMES), "effective": effective},
                        {"do": "change_quantity", "quantity": str(draw(st.integers(1, 4)))},
                        {"do": "change_anchor", "anchor_day": draw(st.integers(1, 31))},
                        {"do": "pause", "effective": date},
                        {"do": "resume"},
                        {"do": "cancel", "effective": effective},
                        {"do": "usage", "metric": "calls", "units": str(draw(st.integers(1, 90)))},
                        {"do": "run_invoicing", "customer": "c1", "target": date},
                        {"do": "credit_account", "customer": "c1", "amount": "40"},
                        {"do": "set_flag", "customer": "c1", "flag": "invoicing_off", "on": draw(st.booleans())},
                    ]
                )
            )
        )
        times.append(at)
    needs_subscription = {"change_plan", "change_quantity", "change_anchor", "pause", "resume", "cancel", "usage"}
    return [
        {"at": time.isoformat(), **step, **({"subscription": "s1"} if step["do"] in needs_subscription else {})}
        for time, step in zip(times, steps, strict=True)
    ]


def played(steps: list[Body], *, zone: str) -> World:
    body: Body = {
        "id": "law",
        "kind": "scenario",
        "profile": "killbill",
        "class": "core",
        "currency": "USD",
        "metrics": [{"id": "calls", "aggregation": "sum"}],
        "plans": PLANS,
        "customers": [{"id": "c1", "timezone": zone, "anchor_day": None}],
        "steps": [*steps, {"at": "2026-12-24T09:30:00Z", "do": "advance"}],
        "expect": [],
    }
    case = Case("law", "scenario", "killbill", "core", body)
    return play(read_story(case), terms_of(case, START), FactWatcher([], is_complete=False))


def spans_overlap(account: Account) -> bool:
    """Whether any instant of one stream of service stands billed on two lines."""
    standing: dict[object, list[Period]] = defaultdict(list)
    for line in account.lines:
        if line.billed is not None and line.billed.price_minor:
            given = [credit.span for credit in line.billed.given_back]
            standing[line.billed.key] += without([line.billed.span], given)
    return any(earlier.end > later.start for spans in standing.values() for earlier, later in pairwise(sorted(spans)))


@settings(max_examples=60, deadline=None)
@given(step_lists(), st.sampled_from(["UTC", "America/New_York"]))
def test_after_any_life_a_second_run_finds_nothing_and_no_time_is_billed_twice(steps: list[Body], zone: str) -> None:
    with localcontext(EXACT):
        world = played(steps, zone=zone)
        account = world.accounts["c1"]
        account.flags.clear()
        run(world, "c1")

        assert run(world, "c1") == []
    assert not spans_overlap(account)
    assert account.credit >= 0
    for line in account.lines:
        if line.billed is not None:
            given_back = sum(credit.amount_minor for credit in line.billed.given_back)
            assert 0 <= given_back <= line.billed.amount_minor


@settings(max_examples=30, deadline=None)
@given(step_lists())
def test_a_story_told_again_gives_the_same_documents(steps: list[Body]) -> None:
    def documents() -> list[tuple[object, ...]]:
        account = played(steps, zone="UTC").accounts["c1"]
        return [(line.kind, line.amount, line.span, line.units) for line in account.lines]

    with localcontext(EXACT):
        assert documents() == documents()
