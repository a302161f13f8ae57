"""Stories for the scenario tests of a tenant that gives credit notes and bills on the days of its job."""

from collections.abc import Sequence
from typing import Any

from tenor.conformance import Case, Outcome, run_case

Body = dict[str, Any]


def at(day: str) -> str:
    """Return an instant: midnight UTC of a day, or the instant itself."""
    return day if "T" in day else f"{day}T00:00:00Z"


def step(day: str, do: str, **arguments: Any) -> Body:
    return {"at": at(day), "do": do, **arguments}


def subscribe(day: str, plan: str = "p", subscription: str = "s1", **other: Any) -> Body:
    return step(day, "subscribe", **{"customer": "c1", "plan": plan, "subscription": subscription, **other})


def cancel(day: str, **other: Any) -> Body:
    return step(day, "cancel", subscription="s1", **other)


def advance(day: str, **other: Any) -> Body:
    return step(day, "advance", **other)


def used(day: str, metric: str = "m", **other: Any) -> Body:
    return step(day, "usage", subscription="s1", metric=metric, **other)


def plan(timing: str, *charges: Body, id: str = "p", **other: Any) -> Body:  # noqa: A002 - the case's own word
    """Return a monthly plan, in `advance` or in `arrears`."""
    return {"id": id, "interval": "month", "interval_count": 1, "timing": timing, "charges": list(charges), **other}


def fee(amount: str) -> Body:
    return {"kind": "recurring", "amount": amount}


def usage_charge(unit_amount: str, metric: str = "m", timing: str = "arrears", **other: Any) -> Body:
    return {
        "kind": "usage",
        "metric": metric,
        "model": "standard",
        "properties": {"unit_amount": unit_amount},
        "timing": timing,
        **other,
    }


def metric(id: str = "m", aggregation: str = "sum", **other: Any) -> Body:  # noqa: A002 - the case's own word
    return {"id": id, "aggregation": aggregation, **({} if aggregation == "count" else {"field": "n"}), **other}


def invoice(day: str, **asked: Any) -> Body:
    return {"at": at(day), "invoice": {"customer": "c1", **asked}}


def line(kind: str, amount: str, **other: Any) -> Body:
    return {"kind": kind, "amount": amount, **other}


def run(
    steps: Sequence[Body], expect: Sequence[Body], *plans: Body, metrics: Sequence[Body] = (metric(),), **other: Any
) -> Outcome:
    """Play a scenario. `customer` holds what the customer has: taxes, grace, a zone."""
    customer = {"id": "c1", **other.pop("customer", {})}
    body: Body = {
        "id": "story",
        "kind": "scenario",
        "profile": "lago",
        "class": "core",
        "currency": "EUR",
        "timezone": "UTC",
        "metrics": list(metrics),
        "plans": list(plans),
        "customers": [customer],
        **other,
        "steps": list(steps),
        "expect": list(expect),
    }
    return run_case(Case(body["id"], body["kind"], body["profile"], body["class"], body))


def passes(steps: Sequence[Body], expect: Sequence[Body], *plans: Body, **other: Any) -> None:
    """Assert that a scenario meets every fact."""
    outcome = run(steps, expect, *plans, **other)
    assert outcome.passed, outcome.why
