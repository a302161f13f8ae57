"""Ramp: how a subscription walks the steps of a contract, worked out before the first of them begins.

A step counts its months on the billing calendar of the item, from its anchor, so that it begins where a period does.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from tenor.kernel.calendar import Interval, Unit, boundary, boundary_from, period_index
from tenor.kernel.ids import ItemId
from tenor.kernel.period import format_instant
from tenor.pricing.contracts.model import StepStart
from tenor.pricing.model import ChargeKind, PlanVersion
from tenor.subscriptions.errors import Flaw
from tenor.subscriptions.model import Item, PlanChanged, Subscription, Terms
from tenor.subscriptions.rules.grid import billing_grid
from tenor.subscriptions.rules.terms import NOTHING, agreed_terms

_MEASURED: Final = frozenset({ChargeKind.COMMITMENT, ChargeKind.CAP})
"""Kinds of charge that a step must not cut, for what lies before and after it would be measured apart."""


class Step(NamedTuple):
    """A step of a contract with its private edition of the plan."""

    start: StepStart
    plan: PlanVersion


class Stage(NamedTuple):
    """A step that a subscription comes to: when, on which edition and terms, and which edition it goes on from."""

    at: datetime
    plan: PlanVersion
    terms: Terms
    follows: PlanVersion

    def facts(self, item: Item, item_id: ItemId) -> PlanChanged:
        """Return the entry that takes a subscription here from `item`, or from whatever has come of it by then."""
        return PlanChanged(item_id, self.plan.id, item.anchor_at, self.terms, follows=self.follows.id)


def instant_after(months: int, item: Item, subscription: Subscription) -> datetime:
    """Return the instant so many months of the billing calendar after the anchor of an item."""
    grid = billing_grid(item, Interval(Unit.MONTH), subscription)
    return boundary(grid, period_index(grid, item.anchor_at) + months)


def begun_by(steps: Sequence[Step], at: datetime, item: Item, subscription: Subscription) -> int:
    """Return the place in `steps` of the one that holds at `at`: the last that has begun by then."""
    return max(place for place, step in enumerate(steps) if (_begins(step, item, subscription) or at) <= at)


def stages_ahead(
    steps: Sequence[Step],
    current: int,
    item: Item,
    subscription: Subscription,
    *,
    quantities: Mapping[str, Decimal],
    until: datetime | None,
) -> tuple[list[Stage], list[Flaw]]:
    """Return the steps after `steps[current]` that begin before `until`, and everything that is wrong with them.

    `item` runs on the current step. `quantities` are the seats that each step begins with, unless they have been
    changed by then.
    """
    stages: list[Stage] = []
    flaws: list[Flaw] = []
    former = steps[current].plan
    for step in steps[current + 1 :]:
        at = _begins(step, item, subscription)
        if at is None or (until is not None and at >= until):
            break
        terms, term_flaws = agreed_terms(step.plan, quantities={}, prices=NOTHING, held=quantities)
        flaws += [*term_flaws, *_cut(former, step.plan, at, item, subscription)]
        stages.append(Stage(at, step.plan, terms, follows=former))
        former = step.plan
    return stages, flaws


def _begins(step: Step, item: Item, subscription: Subscription) -> datetime | None:
    """Return when a step begins; None for the first, which is where a subscription begins."""
    if step.start.after_months is not None:
        return instant_after(step.start.after_months, item, subscription)
    return step.start.at


def _cut(
    former: PlanVersion, plan: PlanVersion, at: datetime, item: Item, subscription: Subscription
) -> Iterator[Flaw]:
    """Yield a flaw for each commitment or cap whose period the step would cut in two."""
    intervals = {
        (charge.code, charge.interval or version.interval)
        for version in (former, plan)
        for charge in version.charges
        if charge.kind in _MEASURED
    }
    for code, interval in sorted(intervals, key=str):
        if boundary_from(billing_grid(item, interval, subscription), at) != at:
            length = f"{interval.count} {interval.unit.value}{'s' if interval.count > 1 else ''}"
            message = f"the step of {format_instant(at)} would cut a period of {length}, over which it is measured"
            yield Flaw(f"charges.{code}", message)
