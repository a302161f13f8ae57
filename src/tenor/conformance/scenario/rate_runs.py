"""Scenarios of one charge that is rated in runs: what each run books, when usage arrives late or is taken back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Any, Final, NamedTuple

from tenor.conformance.cases import Case
from tenor.conformance.compare import equals
from tenor.conformance.scenario.plans import Charge, read_plan
from tenor.conformance.scenario.reading import Step, read_step
from tenor.conformance.scenario.strict import NotRunnable, only
from tenor.kernel.money import EXACT
from tenor.kernel.period import Period, parse_instant
from tenor.kernel.quantity import parse_decimal
from tenor.pricing.charges import Dynamic
from tenor.pricing.policy import Policy
from tenor.pricing.rules.rating import (
    PRICED,
    RUNNING_TOTAL,
    WHOLE_PERIOD,
    MoneyRounding,
    StepKind,
    Usage,
    line_amounts,
    rate,
)

ZERO: Final = Decimal(0)
_CASE: Final = frozenset(
    "id kind profile class source source_line source_lines also_in policy note topic context currency timezone "
    "plans steps expect".split()
)
_RATE_RUN: Final = frozenset({"from", "to", "final", "cumulative_units", "cumulative_units_per_run"})
_NO_NEWS: Final[Mapping[str, frozenset[str]]] = {"apply_credits": frozenset({"amount"})}
"""Verbs that change how something is paid, and so neither what is owed nor what was booked; with their arguments."""


class Part(NamedTuple):
    """What tells the parts of a price apart: the kind of the step and the tier that it lies in.

    `total`: the amount itself, where it is the price of all units at once: a new one then replaces the one booked.
    """

    kind: StepKind
    above: Decimal | None = None
    up_to: Decimal | None = None
    total: Decimal | None = None


Parts = Mapping[Part, Decimal]


class RunLine(NamedTuple):
    """One amount that a run books; `is_correction`: on the period of an earlier run."""

    period: Period
    amount: Decimal
    is_correction: bool


@dataclass(slots=True)
class Run:
    """One run: the period that it closes, what was booked on that period so far, and the lines that it made itself."""

    period: Period
    booked: Parts = field(default_factory=dict)
    lines: list[RunLine] = field(default_factory=list)

    @property
    def amount(self) -> Decimal:
        """What the run books in all."""
        return sum((line.amount for line in self.lines), ZERO)


@dataclass(slots=True)
class RatedCharge:
    """A charge and its runs so far. Amounts are rounded on the period's running total, then differences are taken."""

    charge: Charge
    policy: Policy
    rounding: MoneyRounding
    runs: list[Run] = field(default_factory=list)

    def rate_run(self, period: Period, totals: Sequence[Decimal], *, is_final: bool) -> Run:
        """Close a period: book what the running totals cost now and was not booked before.

        `totals`: the running total at the end of each run so far, as now known, the last for this run.
        """
        self.runs.append(Run(period))
        run = self.runs[-1]
        if self.policy.billing.late_usage == "period_preserving":
            before: Parts = {}
            for number, (earlier, total) in enumerate(zip(self.runs, totals, strict=True), start=1):
                parts = self._parts(total, is_final=is_final and number == len(self.runs))
                self._book(run, earlier, less(parts, before))
                before = parts
        else:
            owed = self._parts(totals[-1], is_final=is_final)
            for earlier in self.runs[:-1]:
                owed = less(owed, earlier.booked)
            self._book(run, run, owed)
        return run

    def _book(self, run: Run, on: Run, owed: Parts) -> None:
        """Book on the period of `on` what is owed for it and was not booked; a line for each part that differs."""
        news = less(owed, on.booked).values()
        run.lines += [RunLine(on.period, amount, is_correction=on is not run) for amount in news if amount]
        on.booked = owed

    def _parts(self, units: Decimal, *, is_final: bool) -> Parts:
        if self.charge.price is None:
            raise NotRunnable(f"charge {self.charge.name} has no price")
        segment = WHOLE_PERIOD if is_final else RUNNING_TOTAL._replace(bills_volume=False)
        rated = rate(self.charge.price, Usage(units=units), self.policy.rating, self.rounding, segment=segment)
        steps = [step for step in rated.steps if step.kind in PRICED and (step.units or step.amount)]
        steps += [step for step in rated.steps if step.kind is StepKind.MINIMUM]
        is_one_price = isinstance(self.charge.price.model, Dynamic)
        parts: dict[Part, Decimal] = {}
        for step, amount in zip(steps, line_amounts(rated.steps, self.rounding), strict=True):
            part = Part(step.kind, step.above, step.up_to, amount if is_one_price else None)
            parts[part] = parts.get(part, ZERO) + amount
        residue = rated.amount - sum(parts.values(), ZERO)
        return parts | {Part(StepKind.ROUNDING): residue}


def less(owed: Parts, booked: Parts) -> Parts:
    """Return what is owed less what was booked, part by part; a part that is owed no more is negative."""
    return {part: owed.get(part, ZERO) - booked.get(part, ZERO) for part in {**booked, **owed}}


def answer(case: Case) -> Mapping[str, Any]:
    """Play the runs of a case; return, as `unmet`, one sentence for each fact that was not met.

    Raises:
        NotRunnable: the scenario asks for something that is not built yet.
    """
    body, policy = only(case.body, _CASE, "case"), case.policy()
    charges = [charge for plan in body["plans"] for phase in read_plan(plan).phases for charge in phase.charges]
    if len(charges) != 1:
        raise NotRunnable(f"runs of {len(charges)} charges")
    rounding = policy.rounding.rounding
    digits = case.currency_digits if rounding.digits is None else rounding.digits
    rated = RatedCharge(charges[0], policy, MoneyRounding(rounding.mode, digits))
    runs: dict[datetime | None, Run] = {}
    with localcontext(EXACT):
        for step in [read_step(number, step) for number, step in enumerate(body["steps"])]:
            if step.verb in _NO_NEWS:
                only(step.body, _NO_NEWS[step.verb], f"step {step.number}")
            else:
                runs[step.at] = _run(rated, step)
        facts = [(number, fact, runs.get(parse_instant(fact["at"]))) for number, fact in enumerate(body["expect"])]
        return {"unmet": [sentence for number, fact, run in facts for sentence in _differences(number, fact, run)]}


def _run(rated: RatedCharge, step: Step) -> Run:
    if step.verb != "rate_run":
        raise NotRunnable(f"step {step.number}: the verb {step.verb!r} is not built yet")
    body = only(step.body, _RATE_RUN, f"step {step.number}")
    period = Period(parse_instant(body["from"]), parse_instant(body["to"]))
    totals = body.get("cumulative_units_per_run") or [body["cumulative_units"]]
    units = [parse_decimal(total, name="cumulative_units") for total in totals]
    return rated.rate_run(period, units, is_final=body.get("final", False))


def _differences(number: int, fact: Mapping[str, Any], run: Run | None) -> list[str]:
    if run is None:
        return [f"fact {number}: there is no run at {fact['at']}"]
    figures: dict[str, Any] = {
        "run_amount": run.amount,
        "run_lines": [
            {"from": line.period.start, "to": line.period.end, "amount": line.amount, "correction": line.is_correction}
            for line in run.lines
        ],
    }
    return [
        f"fact {number} at {fact['at']}: {key}: expected {wanted}, got {figures.get(key)}"
        for key, wanted in fact.items()
        if key not in {"at", "source_line"} and not equals(key, wanted, figures.get(key))
    ]
