"""The charge models: which steps each of them prices."""

from collections.abc import Sequence
from decimal import Decimal

from tenor.pricing.charges import (
    Capacity,
    ChargeModel,
    DimensionKey,
    Dynamic,
    Flat,
    Graduated,
    Matrix,
    MetricSum,
    Package,
    ParallelQuotaWindows,
    Percentage,
    ProratedGraduated,
    QuotaWindows,
    Stairstep,
    Standard,
    Volume,
    WindowedCommitment,
)
from tenor.pricing.policy import RatingPolicy
from tenor.pricing.rules.rating import tiers, windows
from tenor.pricing.rules.rating.tiers import HUNDREDTH, Span, blocks, reversed_steps
from tenor.pricing.rules.rating.trace import Step, StepKind
from tenor.pricing.rules.rating.usage import ZERO, Segment, Usage, UsageEvent


def price_steps(model: ChargeModel, usage: Usage, span: Span, policy: RatingPolicy, segment: Segment) -> list[Step]:
    """Price `span` (the converted units, free ones taken off) and what else `model` reads from `usage`.

    The amounts are exact; their sum is price(before + now) − price(before), except that a flat amount
    and, unless the policy says otherwise, a volume price fall into one segment only.
    """
    match model:
        case Standard():
            return _by_unit(span, model.unit_amount)
        case Graduated():
            return tiers.graduated(model.tiers, span, flat_at_zero=policy.flat_fee_at_zero_units)
        case Flat():
            return [Step(StepKind.FLAT, amount=model.amount)] if segment.bills_flat else []
        case Volume():
            return _volume(model, usage, span, policy, segment)
        case Package():
            return _packages(model, span)
        case Percentage():
            return _percentage(model, usage, span)
        case Stairstep():
            before = [] if span.before is None else tiers.stairstep(model, span.before)
            return reversed_steps(before) + tiers.stairstep(model, span.to)
        case Dynamic():
            return _dynamic(model, usage, span)
        case ProratedGraduated():
            return tiers.prorated_graduated(model.tiers, usage.events, flat_at_zero=policy.flat_fee_at_zero_units)
        case Matrix() | MetricSum():
            return _parts(model, usage, policy, segment)
        case Capacity():
            return tiers.capacity(model, usage.by_metric)
        case WindowedCommitment():
            return windows.windowed_commitment(model, usage.windows)
        case QuotaWindows():
            return windows.over_quota(model, usage.quotas)
        case ParallelQuotaWindows():
            return windows.while_exhausted(model, usage.quotas, usage.events)


def percentage_of_events(model: Percentage, events: Sequence[UsageEvent]) -> list[Step]:
    """Price the events in their order; free is what the allowance covers, until the first paid event."""
    running = paid_units = bounds = ZERO
    paid_events = 0
    for number, event in enumerate(events, 1):
        running += event.units
        units = event.units
        if not paid_events and _may_be_free(model, number):
            if not model.free_amount or running <= model.free_amount:
                continue
            units = running - model.free_amount  # the event that crosses the allowance pays for its excess
        paid_events += 1
        paid_units += units
        cost = units * model.rate_percent * HUNDREDTH + model.fixed_amount
        bounds += _bounded(model, cost) - cost
    steps = []
    if paid_events:
        amount = paid_units * model.rate_percent * HUNDREDTH
        steps.append(Step(StepKind.PERCENT, paid_units, model.rate_percent, amount))
    if paid_events and model.fixed_amount:
        count = Decimal(paid_events)
        steps.append(Step(StepKind.PER_EVENT, count, model.fixed_amount, count * model.fixed_amount))
    if bounds:
        steps.append(Step(StepKind.EVENT_BOUNDS, amount=bounds))
    return steps


def _may_be_free(model: Percentage, number: int) -> bool:
    """Whether the event with this number can be free at all: 0 and None are no limits."""
    if not model.free_events:
        return bool(model.free_amount)
    return number <= model.free_events


def _bounded(model: Percentage, cost: Decimal) -> Decimal:
    if model.min_per_event is not None and cost < model.min_per_event:
        return model.min_per_event
    if model.max_per_event is not None and cost > model.max_per_event:
        return model.max_per_event
    return cost


def _percentage(model: Percentage, usage: Usage, span: Span) -> list[Step]:
    if usage.events:
        return percentage_of_events(model, usage.events) if span.to > 0 else []
    free = model.free_amount or ZERO
    units = max(span.to - free, ZERO) - max((span.before or ZERO) - free, ZERO)
    return [Step(StepKind.PERCENT, units, model.rate_percent, units * model.rate_percent * HUNDREDTH)]


def _by_unit(span: Span, unit_amount: Decimal) -> list[Step]:
    units = span.units
    return [Step(StepKind.UNITS, units, unit_amount, units * unit_amount)]


def _volume(model: Volume, usage: Usage, span: Span, policy: RatingPolicy, segment: Segment) -> list[Step]:
    """Price all units so far; each segment takes back what the one before it booked, or only the last one bills."""
    at_zero = policy.flat_fee_at_zero_units
    steps = tiers.volume(model.tiers, span.to, tier_units=usage.tier_units, flat_at_zero=at_zero)
    if not policy.volume_progressive:
        return steps if segment.bills_volume else []
    if span.before is None:
        return steps
    return reversed_steps(tiers.volume(model.tiers, span.before, tier_units=None, flat_at_zero=at_zero)) + steps


def _packages(model: Package, span: Span) -> list[Step]:
    started = model.round == "up"
    count = blocks(max(span.to, ZERO), model.size, started=started)
    count -= blocks(max(span.before or ZERO, ZERO), model.size, started=started)
    return [Step(StepKind.BLOCKS, count, model.amount, count * model.amount, of=model.size)]


def _dynamic(model: Dynamic, usage: Usage, span: Span) -> list[Step]:
    if model.multiplier is not None:
        return _by_unit(span, model.multiplier)
    if span.units <= 0:
        return []
    return [Step(StepKind.CARRIED, span.units, amount=sum((event.amount for event in usage.events), ZERO))]


def parts_of(model: ChargeModel, usage: Usage) -> list[tuple[str, DimensionKey, Decimal]]:
    """Return the usage of each key of a matrix with the text of the key, in the order of the texts."""
    if not isinstance(model, Matrix):
        return []
    return sorted(
        ((model.text_of(key), key, units) for key, units in usage.by_dimension.items()), key=lambda part: part[0]
    )


def _parts(model: Matrix | MetricSum, usage: Usage, policy: RatingPolicy, segment: Segment) -> list[Step]:
    """Price each dimension value or metric alone, in the order of their names."""
    priced: list[tuple[str, ChargeModel, Decimal]]
    if isinstance(model, Matrix):
        priced = [(text, model.model_for(key), units) for text, key, units in parts_of(model, usage)]
    else:
        priced = [(part.metric, part.model, usage.by_metric.get(part.metric, ZERO)) for part in model.parts]
    return [
        step._replace(name=name)
        for name, part, units in priced
        for step in price_steps(part, Usage(units), Span(units, None), policy, segment)
    ]
