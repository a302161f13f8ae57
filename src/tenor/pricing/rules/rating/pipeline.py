"""The rating pipeline: from metered units to the amount of one charge, in its one order."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from tenor.kernel.errors import Refusal
from tenor.kernel.money import round_decimal
from tenor.kernel.quantity import plain
from tenor.pricing.charges import ChargeModel, Price, UnitConversion
from tenor.pricing.policy import RatingPolicy
from tenor.pricing.rules.rating.models import parts_of, price_steps
from tenor.pricing.rules.rating.tiers import HUNDREDTH, Span
from tenor.pricing.rules.rating.trace import Step, StepKind
from tenor.pricing.rules.rating.usage import WHOLE_PERIOD, ZERO, MoneyRounding, Segment, Usage


class CreditsExceedAmount(Refusal):
    """More credits than the charge costs; nothing of them would be left to pay."""

    code = "credits_exceed_amount"


class Rated(NamedTuple):
    """What a charge costs. `amount` is the sum of the amounts of `steps`.

    `exact` is the model's price in the charge's currency before any rounding or reduction; `units` are
    those priced now (converted, free ones taken off), `units_before` those of earlier segments.
    """

    amount: Decimal
    exact: Decimal
    units: Decimal
    units_before: Decimal
    steps: tuple[Step, ...]


def rate(
    price: Price,
    usage: Usage,
    policy: RatingPolicy,
    rounding: MoneyRounding,
    *,
    segment: Segment = WHOLE_PERIOD,
    draws: Sequence[Decimal] = (),
) -> Rated:
    """Rate the usage of one charge in one period, or in one segment of it.

    The caller has entered `decimal.localcontext(EXACT)` and passes bounded decimals.
    `draws` are prepaid credits that pay the charge, in their order.
    Rounding: the model's price is exact and rounded once by `rounding`; every reduction after it is
    itself rounded, so that the steps add up in money. `UNROUNDED` keeps everything exact.

    Raises:
        CreditsExceedAmount: the draws are more than the amount.
        UnpricedDimension: a matrix has no price for a dimension that was used.
    """
    steps: list[Step] = []
    spans = _billable_spans(price, usage, policy, segment, steps)
    if price.unit_conversion is not None and (usage.by_dimension or usage.by_metric):
        usage = _with_parts_converted(usage, price.model, price.unit_conversion, steps)
    for span in spans:
        steps += price_steps(price.model, usage, span, policy, segment)
    exact = sum((step.amount for step in steps), ZERO)
    amount = _rounded(exact, rounding, steps)
    if price.pricing_unit_rate is not None:
        money = amount * price.pricing_unit_rate
        steps.append(Step(StepKind.PRICING_UNIT, None, price.pricing_unit_rate, money - amount, of=amount))
        exact *= price.pricing_unit_rate
        amount = _rounded(money, rounding, steps)
    if price.percent_off:
        discount = rounding.apply(amount * price.percent_off * HUNDREDTH)
        if discount:
            steps.append(Step(StepKind.PERCENT_OFF, None, price.percent_off, -discount))
            amount -= discount
    if price.max_amount is not None:
        excess = rounding.apply(segment.billed_before) + amount - rounding.apply(price.max_amount)
        if excess > 0 and amount > 0:
            excess = min(excess, amount)
            steps.append(Step(StepKind.MAXIMUM, None, price.max_amount, -excess))
            amount -= excess
    if price.min_amount is not None and segment.asks_minimum:
        missing = top_up(segment.billed_before + amount, minimum=price.min_amount, rounding=rounding)
        if missing:
            steps.append(Step(StepKind.MINIMUM, None, price.min_amount, missing))
            amount += missing
    for draw in draws:
        if draw > amount:
            raise CreditsExceedAmount(f"a credit of {plain(draw)} is more than the {plain(amount)} left to pay")
        steps.append(Step(StepKind.CREDIT, amount=-draw))
        amount -= draw

    units = sum((span.units for span in spans), ZERO)
    units_before = max(spans[0].before or ZERO, ZERO) if spans else ZERO
    return Rated(amount, exact, units, units_before, tuple(steps))


def top_up(amount: Decimal, *, minimum: Decimal, rounding: MoneyRounding) -> Decimal:
    """Return what `amount` lacks of a minimum or commitment, both rounded; never below 0."""
    return max(rounding.apply(minimum) - rounding.apply(amount), ZERO)


def _rounded(exact: Decimal, rounding: MoneyRounding, steps: list[Step]) -> Decimal:
    amount = rounding.apply(exact)
    if amount != exact:
        steps.append(Step(StepKind.ROUNDING, amount=amount - exact))
    return amount


def _billable_spans(
    price: Price, usage: Usage, policy: RatingPolicy, segment: Segment, steps: list[Step]
) -> list[Span]:
    """Return the units to price: converted, then the free ones taken off, on the running totals of the period.

    Buckets are priced each alone, so each is a span of its own.
    """
    before = segment.units_before
    metered = [Span(usage.units + (before or ZERO), before)]
    if usage.buckets is not None:
        metered = [Span(bucket, None) for bucket in usage.buckets]
    conversion, free = price.unit_conversion, price.free_units
    if conversion is None and not free:
        return metered
    spans = []
    for span in metered:
        if conversion is not None:
            converted = _converted_span(span, conversion, scope=policy.unit_conversion_scope)
            if span.units:
                steps.append(Step(StepKind.CONVERTED, converted.units, of=span.units))
            span = converted
        if free:
            paid = Span(max(span.to - free, ZERO), None if span.before is None else max(span.before - free, ZERO))
            steps.append(Step(StepKind.FREE_UNITS, span.units - paid.units))
            span = paid
        spans.append(span)
    return spans


def _converted_span(span: Span, conversion: UnitConversion, *, scope: str) -> Span:
    """Convert and round the running totals (`period`), or what each segment holds alone (`segment`)."""
    if span.before is None:
        return Span(_converted(span.to, conversion), None)
    before = _converted(span.before, conversion)
    if scope == "segment":
        return Span(before + _converted(span.to - span.before, conversion), before)
    return Span(_converted(span.to, conversion), before)


def _converted(units: Decimal, conversion: UnitConversion) -> Decimal:
    value = units / conversion.factor if conversion.operation == "divide" else units * conversion.factor
    return round_decimal(value, digits=conversion.digits, mode=conversion.rounding)


def _with_parts_converted(usage: Usage, model: ChargeModel, conversion: UnitConversion, steps: list[Step]) -> Usage:
    """Convert the units of every metric and dimension, which have no running totals."""

    def converted(name: str, units: Decimal) -> Decimal:
        value = _converted(units, conversion)
        steps.append(Step(StepKind.CONVERTED, value, of=units, name=name))
        return value

    return usage._replace(
        by_dimension={key: converted(text, units) for text, key, units in parts_of(model, usage)},
        by_metric={metric: converted(metric, units) for metric, units in sorted(usage.by_metric.items())},
    )
