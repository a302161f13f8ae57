"""Reading scenarios of a wallet alone: the setting of a case, its steps, and grants as a step makes them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, Final

from tenor.conformance.cases import Case
from tenor.conformance.scenario.plans import read_interval
from tenor.conformance.scenario.reading import Step, read_step
from tenor.conformance.scenario.strict import NotRunnable, only
from tenor.kernel.calendar import Grid
from tenor.kernel.period import parse_instant
from tenor.kernel.quantity import parse_decimal
from tenor.pricing.policy import Policy
from tenor.pricing.rules.rating import MoneyRounding
from tenor.wallets.model import PRIORITY_LAST, ZERO, Grant

_CASE: Final = frozenset(
    "id kind profile class source source_line source_lines also_in policy note topic context currency timezone unit "
    "metrics measure_from usage_period now steps expect".split()
)
_METRIC: Final = frozenset({"id", "aggregation", "field"})
_RESOLUTIONS: Final = {"second": timedelta(seconds=1), "minute": timedelta(minutes=1)}
GRANT_WORDS: Final = (
    "grant grant_prefix count amount priority effective_at expires_at recurrence max_rollover min_rollover features"
)
"""What a step that makes grants can say of them."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What holds for the whole of a case. `usage_period` resets usage by itself; `now` bounds what can be done."""

    policy: Policy
    zone: tzinfo
    money: MoneyRounding
    measure_from: datetime | None
    usage_period: Grid | None
    now: datetime | None
    aggregation: str

    def down(self, instant: datetime) -> datetime:
        """Return an instant cut to the resolution of time: when a grant, a reset or an event counts."""
        step = _RESOLUTIONS.get(self.policy.metering.time_resolution)
        return instant if step is None else instant - (instant - _EPOCH) % step

    def up(self, instant: datetime) -> datetime:
        """Return an instant raised to the resolution of time: a read sees all of the unit that it lies in."""
        step = _RESOLUTIONS.get(self.policy.metering.time_resolution)
        return instant if step is None else instant + (_EPOCH - instant) % step


_EPOCH: Final = parse_instant("1970-01-01T00:00:00Z")


def read_setting(case: Case) -> Setting:
    """Read what a case says apart from its steps.

    Raises:
        NotRunnable: a key that nothing here knows.
    """
    body, policy = only(case.body, _CASE, "case"), case.policy()
    metrics = [only(metric, _METRIC, "metric") for metric in body.get("metrics", ())]
    rounding = policy.rounding.rounding
    return Setting(
        policy=policy,
        zone=case.zone(),
        money=MoneyRounding(rounding.mode, case.currency_digits if rounding.digits is None else rounding.digits),
        measure_from=_instant(body, "measure_from"),
        usage_period=_grid(body.get("usage_period"), case.zone()),
        now=_instant(body, "now"),
        aggregation=metrics[0]["aggregation"] if metrics else "sum",
    )


def read_steps(case: Case) -> list[Step]:
    """Read the steps of a case in their order."""
    return [read_step(number, step) for number, step in enumerate(case.body["steps"])]


def instant_of(step: Step) -> datetime:
    """Return when a step is done.

    Raises:
        NotRunnable: its source gives no date.
    """
    if step.at is None:
        raise NotRunnable(f"step {step.number}: {step.verb} needs a time")
    return step.at


def read_grants(setting: Setting, step: Step) -> Iterator[Grant]:
    """Yield the grants that a step makes: one, or `count` equal ones that are numbered."""
    body, made_at = step.body, instant_of(step)
    expires_at = _instant(body, "expires_at")
    for name in _names(step):
        yield Grant(
            id=name,
            amount=parse_decimal(body["amount"], name="amount"),
            effective_at=setting.down(_instant(body, "effective_at") or made_at),
            expires_at=None if expires_at is None else setting.down(expires_at),
            priority=body.get("priority", PRIORITY_LAST),
            created_at=made_at,
            features=frozenset(body.get("features", ())),
            recurrence=_grid(body.get("recurrence"), setting.zone),
            rollover_min=_amount(body, "min_rollover"),
            rollover_max=_amount(body, "max_rollover"),
        )


def _names(step: Step) -> list[str]:
    if "grant_prefix" in step.body:
        return [f"{step.body['grant_prefix']}{number + 1}" for number in range(step.body.get("count", 1))]
    return [step.body.get("grant", f"step-{step.number}")]


def _amount(body: Mapping[str, Any], name: str) -> Decimal:
    return parse_decimal(body[name], name=name) if name in body else ZERO


def _instant(body: Mapping[str, Any], name: str) -> datetime | None:
    return parse_instant(body[name], name=name) if body.get(name) is not None else None


def _grid(body: Mapping[str, Any] | None, zone: tzinfo) -> Grid | None:
    interval = None if body is None else read_interval(body)
    return None if body is None or interval is None else Grid(interval, parse_instant(body["anchor"]), zone)
