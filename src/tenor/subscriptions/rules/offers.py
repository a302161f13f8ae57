"""Offers: what a plan costs one customer, whether a change of plan goes up or down, and when it may take effect."""

from dataclasses import replace
from decimal import Decimal, localcontext
from fractions import Fraction
from math import lcm
from typing import Final, Literal, NamedTuple

from tenor.kernel.calendar import Interval
from tenor.kernel.money import EXACT, Money
from tenor.pricing.charges import Flat, Standard
from tenor.pricing.model import Charge, ChargeKind, PlanVersion
from tenor.pricing.policy import Policy, RatingPolicy
from tenor.pricing.rules.proration import Direction, PriceChange, direction
from tenor.pricing.rules.rating import UNROUNDED, Usage, rate
from tenor.subscriptions.model import Terms

MONTHS_IN_YEAR: Final = 12
DAYS_IN_YEAR: Final = 365
HOURS_IN_YEAR: Final = 8_760


class Offer(NamedTuple):
    """A plan version on the terms of one customer."""

    plan: PlanVersion
    terms: Terms


def direction_of(former: Offer, target: Offer, policy: Policy) -> Direction:
    """Return where `target` lies to `former` by what both cost in a year, usage left out."""
    old, new = yearly_amount(former, policy.rating), yearly_amount(target, policy.rating)
    scale = lcm(old.denominator, new.denominator)
    change = PriceChange(old=Decimal(int(old * scale)), new=Decimal(int(new * scale)))
    return direction([change], policy.proration.upgrade_test)


def effective_by_policy(former: Offer, target: Offer, policy: Policy) -> Literal["now", "period_end"]:
    """Return when a change of plan takes effect where nobody says so: by some policies a downgrade waits."""
    goes_down = direction_of(former, target, policy) is Direction.DOWNGRADE
    return policy.proration.downgrade_timing if goes_down else "now"


def yearly_amount(offer: Offer, policy: RatingPolicy) -> Fraction:
    """Return what the fees and seats of a plan cost in a year of 12 months or 365 days, in major units."""
    total = Fraction(0)
    with localcontext(EXACT):
        for charge in offer.plan.charges:
            if charge.kind in {ChargeKind.RECURRING, ChargeKind.SEAT}:
                amount = _amount(charge, offer.terms, policy)
                total += Fraction(amount) * _times_a_year(charge.interval or offer.plan.interval)
    return total


def order_of(offer: Offer, policy: Policy) -> Money:
    """Return what a customer orders with a plan: each fee and seat charge for one of its periods, and what is once."""
    ordered = {ChargeKind.RECURRING, ChargeKind.SEAT, ChargeKind.ONE_OFF}
    currency = offer.plan.currency
    with localcontext(EXACT):
        amounts = (
            _amount(charge, offer.terms, policy.rating) for charge in offer.plan.charges if charge.kind in ordered
        )
        return Money.from_decimal(sum(amounts, Decimal(0)), currency, policy.rounding.rounding.mode)


def _amount(charge: Charge, terms: Terms, policy: RatingPolicy) -> Decimal:
    units = terms.quantities.get(charge.code, charge.default_quantity)
    price = charge.price
    agreed = terms.prices.get(charge.code)
    if agreed is not None:
        price = replace(price, model=Standard(agreed) if charge.kind is ChargeKind.SEAT else Flat(agreed))
    return rate(price, Usage(units=units), policy, UNROUNDED).amount


def _times_a_year(interval: Interval) -> Fraction:
    if interval.months:
        return Fraction(MONTHS_IN_YEAR, interval.months)
    if interval.days:
        return Fraction(DAYS_IN_YEAR, interval.days)
    return Fraction(HOURS_IN_YEAR, interval.count)
