"""Tiered models: graduated, volume, stairstep, capacity and the prorated level."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final, NamedTuple

from tenor.pricing.charges import Capacity, Stairstep, Tier
from tenor.pricing.rules.rating.trace import Step, StepKind
from tenor.pricing.rules.rating.usage import ZERO, UsageEvent

HUNDREDTH: Final = Decimal("0.01")


class Span(NamedTuple):
    """The units to price: from `before` (None: nothing was priced yet, which is less than 0 units) to `to`."""

    to: Decimal
    before: Decimal | None

    @property
    def units(self) -> Decimal:
        """How many units lie in the span; below 0 there are none."""
        return max(self.to, ZERO) - max(self.before or ZERO, ZERO)


def graduated(tiers: Sequence[Tier], span: Span, *, flat_at_zero: bool) -> list[Step]:
    """Price the units of `span` tier by tier: price(to) − price(before), for each tier alone.

    `flat_at_zero`: the first tier's flat fee is due without usage.
    """
    to, before = span
    reach = to if before is None or to > before else before
    steps: list[Step] = []
    lower = ZERO
    for position, tier in enumerate(tiers):
        if position and reach <= lower:
            break
        inside = _inside(tier, to, lower)
        inside_before = ZERO if before is None else _inside(tier, before, lower)
        if inside != inside_before:
            steps += _tier_steps(tier, inside, inside_before, lower=lower)
        if tier.flat_amount:
            due_at_zero = flat_at_zero and not position
            times = _is_entered(to, lower, at_zero=due_at_zero) - _is_entered(before, lower, at_zero=due_at_zero)
            if times:
                amount = tier.flat_amount * times
                steps.append(Step(StepKind.FLAT, None, None, amount, lower, tier.up_to))
        if tier.up_to is None:
            break
        lower = tier.up_to
    return steps


def volume(tiers: Sequence[Tier], units: Decimal, *, tier_units: Decimal | None, flat_at_zero: bool) -> list[Step]:
    """Price all `units` at the tier that holds them, or that holds `tier_units` where given."""
    if units < 0:
        return []
    if not units:
        return graduated(tiers, Span(ZERO, None), flat_at_zero=flat_at_zero)
    position = _reached(tiers, units if tier_units is None else tier_units)
    tier = tiers[position]
    lower = (tiers[position - 1].up_to or ZERO) if position else ZERO
    steps = _tier_steps(tier, units, ZERO, lower=lower)
    if tier.flat_amount:
        steps.append(Step(StepKind.FLAT, None, None, tier.flat_amount, lower, tier.up_to))
    return steps


def stairstep(model: Stairstep, units: Decimal) -> list[Step]:
    """Price the step that `units` reach."""
    if units < 0:
        return []
    if not units and model.zero_usage_amount is not None:
        return [Step(StepKind.FLAT, amount=model.zero_usage_amount)]
    position = _reached(model.tiers, units)
    tier = model.tiers[position]
    lower = model.tiers[position - 1].up_to if position else ZERO
    return [Step(StepKind.FLAT, None, None, tier.flat_amount or ZERO, lower, tier.up_to)]


def capacity(model: Capacity, by_metric: Mapping[str, Decimal]) -> list[Step]:
    """Price the first tier into which every metric fits; the last one where none does."""
    if not any(by_metric.values()):
        return [Step(StepKind.FLAT, amount=model.zero_usage_amount)]
    for tier in model.tiers:
        if all(bound.up_to is None or by_metric.get(bound.metric, ZERO) <= bound.up_to for bound in tier.bounds):
            return [Step(StepKind.FLAT, amount=tier.flat_amount)]
    return [Step(StepKind.FLAT, amount=model.tiers[-1].flat_amount)]


def prorated_graduated(tiers: Sequence[Tier], events: Sequence[UsageEvent], *, flat_at_zero: bool) -> list[Step]:
    """Price every move of a running level by the tiers it moves through, × the event's prorated share.

    A move down gives back at the price of the tier it leaves. The flat fees of all tiers ever touched
    stay due; a level that ends below 0 costs nothing at all.
    """
    level = highest = ZERO
    steps = []
    for event in events:
        if not event.units:
            continue
        moved = graduated(tiers, Span(level + event.units, level), flat_at_zero=False)
        full = sum((step.amount for step in moved if step.kind is StepKind.UNITS), ZERO)
        # multiplied before it is divided, so that a third of three units stays exact
        amount = full * event.prorated_units / event.units
        steps.append(Step(StepKind.PRORATED, event.units, None, amount, of=event.prorated_units))
        level += event.units
        highest = max(highest, level)
    if level < 0:
        return []
    flats = graduated(tiers, Span(highest, None), flat_at_zero=flat_at_zero)
    return steps + [step for step in flats if step.kind is StepKind.FLAT]


def reversed_steps(steps: Sequence[Step]) -> list[Step]:
    """Return the steps that take back what `steps` add."""
    return [step._replace(units=None if step.units is None else -step.units, amount=-step.amount) for step in steps]


def blocks(units: Decimal, size: Decimal, *, started: bool = True) -> Decimal:
    """Return how many blocks of `size` are in `units` ≥ 0; a started one counts whole, or not at all."""
    whole, rest = divmod(units, size)
    return whole + 1 if rest and started else whole


def _inside(tier: Tier, units: Decimal, lower: Decimal) -> Decimal:
    """Return how many of the first `units` lie in `tier`, which begins above `lower`."""
    if units <= lower:
        return ZERO
    return (units if tier.up_to is None or units < tier.up_to else tier.up_to) - lower


def _is_entered(units: Decimal | None, lower: Decimal, *, at_zero: bool) -> bool:
    return units is not None and (units > lower or (at_zero and not units))


def _reached(tiers: Sequence[Tier], units: Decimal) -> int:
    """Return the position of the tier that holds `units`, the last one where none does."""
    for position, tier in enumerate(tiers):
        if tier.up_to is None or units <= tier.up_to:
            return position
    return len(tiers) - 1


def _tier_steps(tier: Tier, inside: Decimal, inside_before: Decimal, *, lower: Decimal) -> list[Step]:
    """Price the units of one tier from `inside_before` to `inside`, counted from its start; no flat fee."""
    units = inside - inside_before
    above = lower + inside_before
    steps = []
    if tier.unit_amount is not None:
        steps.append(Step(StepKind.UNITS, units, tier.unit_amount, units * tier.unit_amount, above, tier.up_to))
    elif tier.block_size is not None and tier.block_amount is not None:
        count = blocks(inside, tier.block_size) - blocks(inside_before, tier.block_size)
        amount = count * tier.block_amount
        steps.append(Step(StepKind.BLOCKS, count, tier.block_amount, amount, above, tier.up_to, tier.block_size))
    if tier.rate_percent is not None:
        amount = units * tier.rate_percent * HUNDREDTH
        steps.append(Step(StepKind.PERCENT, units, tier.rate_percent, amount, above, tier.up_to))
    if tier.max_amount is not None:
        excess = _excess(tier, inside) - _excess(tier, inside_before)
        if excess:
            steps.append(Step(StepKind.TIER_CAP, None, tier.max_amount, -excess, above, tier.up_to))
    return steps


def _excess(tier: Tier, inside: Decimal) -> Decimal:
    """Return by how much `inside` units of `tier` cost more than the tier may cost."""
    cost = sum((step.amount for step in _tier_steps(replace(tier, max_amount=None), inside, ZERO, lower=ZERO)), ZERO)
    return max(cost - (tier.max_amount or ZERO), ZERO)
