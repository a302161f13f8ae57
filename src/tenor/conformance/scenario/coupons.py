"""Coupons: what a customer was given, what it takes off a final invoice, and until when it holds."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from tenor.conformance.discount import decimal, discount_of
from tenor.conformance.scenario.documents import UNSOLD, ZERO, Account, AppliedCoupon, Invoice, Line
from tenor.conformance.scenario.reading import Step
from tenor.conformance.scenario.world import World
from tenor.kernel.calendar import local_date, shift_months
from tenor.pricing.rules.discounts import Discountable, LineDiscount, spread, totals


def apply_coupon(world: World, step: Step) -> None:
    """Give a customer a coupon."""
    give(world, world.account(step.body["customer"]), step.body["coupon"])


def give(world: World, account: Account, body: Mapping[str, Any], *, subscription: str | None = None) -> None:
    """Give a customer a coupon from today on, for one subscription or for all it has."""
    duration = body.get("duration", "forever")
    today = local_date(world.now, world.zone(account.id))
    discount = discount_of(body, len(account.coupons), world.terms.currency)
    if subscription is not None:
        discount = replace(discount, products=(subscription,))
    over_on = shift_months(today, body["months"], day_of_month=today.day) if duration == "months" else None
    account.coupons.append(
        AppliedCoupon(
            discount=discount,
            cycles_left={"once": 1, "cycles": body.get("cycles", 1)}.get(duration),
            over_on=over_on,
            amount_left=discount.amount_off if duration == "once" else None,
        )
    )


def is_active(world: World, account: Account, coupon: AppliedCoupon) -> bool:
    """Whether a coupon still takes something off; its months run on whatever the subscription does."""
    is_over = coupon.over_on is not None and local_date(world.now, world.zone(account.id)) >= coupon.over_on
    return not is_over and (coupon.cycles_left is None or coupon.cycles_left > 0)


def take(world: World, account: Account, invoice: Invoice) -> None:
    """Set what the active coupons take off each line of an invoice, and off all of them, rounded."""
    terms = world.terms
    lines = [line for line in invoice.lines if line.kind not in UNSOLD]
    for line in lines:
        line.discount = ZERO
    for found, line in zip(_taken(world, account, lines), lines, strict=True):
        line.discount = decimal(found.amount)
    invoice.discount = terms.money.apply(sum((line.discount for line in lines), ZERO))


def count_use(world: World, account: Account, invoice: Invoice) -> None:
    """Count an invoice that has become final: one cycle less, a fixed amount that is due once is used as far as taken.

    A coupon that took nothing is not used up.
    """
    lines = [line for line in invoice.lines if line.kind not in UNSOLD]
    used = {share.discount.id: share.amount for share in totals(_taken(world, account, lines))}
    for coupon in account.coupons:
        taken = used.get(coupon.discount.id, Fraction(0))
        if not taken or coupon.cycles_left is None:
            continue
        if coupon.amount_left is not None:
            coupon.amount_left -= decimal(taken)
        if not coupon.amount_left or coupon.amount_left <= 0:
            coupon.cycles_left -= 1


def _taken(world: World, account: Account, lines: list[Line]) -> list[LineDiscount]:
    policy = world.terms.policy
    active = [coupon for coupon in account.coupons if is_active(world, account, coupon)]
    return spread(
        [_discountable(line) for line in lines],
        [coupon.discount for coupon in active],
        policy.discounts,
        world.terms.digits,
        remainder=policy.rounding.remainder,
        rounds_percentages=True,
        amounts_left={
            coupon.discount.id: Fraction(coupon.amount_left) for coupon in active if coupon.amount_left is not None
        },
    )


def _discountable(line: Line) -> Discountable:
    """Return a line as the rule takes it; a subscription is what a coupon is limited to as a product is elsewhere."""
    return Discountable(
        id(line),
        line.amount - line.progressive,
        plan=line.plan or "",
        product=line.subscription or "",
        metric=line.metric,
    )
