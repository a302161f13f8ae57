"""A scenario case as written, read into types: what is sold, who buys, and the steps in order."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from tenor.conformance.cases import Case
from tenor.conformance.scenario.plans import Plan, percents, read_metric, read_plan
from tenor.conformance.scenario.strict import NotRunnable, only, required
from tenor.kernel.period import parse_instant
from tenor.kernel.quantity import parse_decimal
from tenor.metering.model import Metric

_CASE = frozenset(
    "id kind profile class source source_line source_lines also_in policy note topic context currency timezone offset "
    "metrics plans customers dunning complete steps expect".split()
)
_CUSTOMER = frozenset(
    "id timezone anchor_day parent balance tax_percents grace_days auto_pay has_payment_method".split()
)
_STAGE = frozenset(
    "name days_since_earliest_unpaid unpaid_invoices unpaid_balance block_change block_access_and_billing".split()
)


@dataclass(frozen=True, slots=True)
class Buyer:
    """A customer as the case opens: an anchor day of None is not set yet; grace days keep invoices draft so long."""

    id: str
    timezone: str
    anchor_day: int | None
    tax_percents: tuple[Decimal, ...]
    grace_days: int
    auto_pay: bool
    has_payment_method: bool
    balance: Decimal
    parent: str | None


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of dunning and what it takes to reach it: every bound that is named must be met."""

    name: str
    days_since_earliest_unpaid: int | None
    unpaid_invoices: int | None
    unpaid_balance: Decimal | None
    blocks_change: bool
    blocks_billing: bool


@dataclass(frozen=True, slots=True)
class Dunning:
    """When unpaid invoices move a customer from stage to stage, and when payment is tried again."""

    stages: tuple[Stage, ...]
    first_check_after_days: int
    retry_days: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step: a verb with its arguments. `at` None: the source gives no date; `is_refused`: it must be refused."""

    number: int
    at: datetime | None
    verb: str
    body: Mapping[str, Any]
    is_refused: bool


@dataclass(frozen=True, slots=True)
class Story:
    """All that a case states before its outcome."""

    plans: Mapping[str, Plan]
    metrics: Mapping[str, Metric]
    buyers: Mapping[str, Buyer]
    dunning: Dunning | None
    steps: tuple[Step, ...]


def read_story(case: Case) -> Story:
    """Read a scenario.

    Raises:
        NotRunnable: a key that nothing here knows.
    """
    body = only(case.body, _CASE, "case")
    return Story(
        plans={plan["id"]: read_plan(plan) for plan in body.get("plans", ())},
        metrics={metric["id"]: read_metric(metric) for metric in body.get("metrics", ())},
        buyers={buyer["id"]: _buyer(buyer, body) for buyer in body.get("customers", ())},
        dunning=_dunning(body["dunning"]) if "dunning" in body else None,
        steps=tuple(read_step(number, step) for number, step in enumerate(body["steps"])),
    )


def _buyer(body: Mapping[str, Any], case: Mapping[str, Any]) -> Buyer:
    only(body, _CUSTOMER, "customer")
    return Buyer(
        id=required(body, "id", "customer"),
        timezone=body.get("timezone") or case.get("timezone") or "UTC",
        anchor_day=body.get("anchor_day"),
        tax_percents=percents(body) or (),
        grace_days=body.get("grace_days", 0),
        auto_pay=body.get("auto_pay", True),
        has_payment_method=body.get("has_payment_method", True),
        balance=parse_decimal(body.get("balance", "0"), name="balance"),
        parent=body.get("parent"),
    )


def _dunning(body: Mapping[str, Any]) -> Dunning:
    return Dunning(
        stages=tuple(_stage(only(stage, _STAGE, "stage")) for stage in body["stages"]),
        first_check_after_days=body.get("first_check_after_days", 0),
        retry_days=tuple(body.get("retry_days", ())),
    )


def _stage(body: Mapping[str, Any]) -> Stage:
    unpaid = body.get("unpaid_balance")
    return Stage(
        name=body["name"],
        days_since_earliest_unpaid=body.get("days_since_earliest_unpaid"),
        unpaid_invoices=body.get("unpaid_invoices"),
        unpaid_balance=None if unpaid is None else parse_decimal(unpaid, name="unpaid_balance"),
        blocks_change=body.get("block_change", False),
        blocks_billing=body.get("block_access_and_billing", False),
    )


def read_step(number: int, body: Mapping[str, Any]) -> Step:
    """Read one step.

    Raises:
        NotRunnable: it names no verb, or a time that is no instant.
    """
    at = body.get("at")
    if at == "period_end" or (at is not None and "T" not in at):
        raise NotRunnable(f"step {number}: the time {at!r} is no instant")
    return Step(
        number=number,
        at=None if at is None else parse_instant(at),
        verb=required(body, "do", "step"),
        body={key: value for key, value in body.items() if key not in {"at", "do", "error"}},
        is_refused=body.get("error", False),
    )
