"""Answer cases of the kinds discount and discount_reversal with the engine's own rules."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any, Final
from uuid import UUID

from tenor.conformance.cases import Case
from tenor.kernel.ids import DiscountId
from tenor.kernel.money import EXACT
from tenor.kernel.quantity import parse_decimal
from tenor.pricing.discounts.model import Discount
from tenor.pricing.rules.discounts import Discountable, discount_back, spread
from tenor.pricing.rules.rating import MoneyRounding

ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)


def answer(case: Case) -> Mapping[str, Any]:
    """Return the discount and what is left to pay, of each line and of the whole."""
    rounding = money_rounding(case)
    lines = case.body["lines"]
    with localcontext(EXACT):
        amounts = [number(line, "amount") for line in lines]
        open_to_coupons = [line.get("discountable", True) for line in lines]
        taken = coupons_taken(
            case, [amount if is_open else ZERO for amount, is_open in zip(amounts, open_to_coupons, strict=True)]
        )
        discount = rounding.apply(sum(taken, ZERO))
        of_lines = line_rounding(case)
        return {
            "discount": discount,
            "payable": rounding.apply(sum(amounts, ZERO) - discount),
            "line_discounts": [of_lines.apply(off) for off in taken],
            "line_payables": [of_lines.apply(amount - off) for amount, off in zip(amounts, taken, strict=True)],
        }


def answer_reversal(case: Case) -> Mapping[str, Any]:
    """Return the credit of some of the units that were bought, and the discount that it takes along."""
    original, credit = case.body["original"], case.body["credit"]
    rounding = money_rounding(case)
    with localcontext(EXACT):
        bought = number(original, "quantity", ONE)
        unit_amount = number(original, "unit_amount")
        returned = number(credit, "quantity", bought)
        proration = number(credit, "proration", ONE)
        discount = number(original, "discount")
        if original.get("discount_kind") == "percent":
            discount = bought * unit_amount * discount / 100
        back = discount_back(
            line_discount=discount,
            coupon_discount=discount,
            credited=Fraction(returned) * Fraction(proration) / Fraction(bought),
            basis=case.policy().discounts.discount_basis,
        )
        credited = rounding.apply(returned * unit_amount * proration)
        reversed_discount = rounding.apply(decimal(back))
        return {
            "credit": credited,
            "discount_reversed": reversed_discount,
            "net_credit": credited - reversed_discount,
        }


def coupons_taken(case: Case, amounts: Sequence[Decimal]) -> list[Decimal]:
    """Return what the coupons of a case take off lines of these amounts, each percentage rounded for the document."""
    policy = case.policy()
    found = spread(
        [Discountable(place, amount) for place, amount in enumerate(amounts)],
        _discounts(case),
        policy.discounts,
        money_rounding(case).digits,
        remainder=policy.rounding.remainder,
        rounds_percentages=True,
    )
    return [decimal(line.amount) for line in found]


def money_rounding(case: Case) -> MoneyRounding:
    """Return how the case's policy rounds amounts."""
    rounding = case.policy().rounding.rounding
    return MoneyRounding(rounding.mode, case.currency_digits if rounding.digits is None else rounding.digits)


def line_rounding(case: Case) -> MoneyRounding:
    """Return how a line's share of a coupon is shown: to the digits to which the policy keeps it, else as money."""
    rounding, kept = money_rounding(case), case.policy().discounts.coupon_share_digits
    return rounding if kept is None else rounding._replace(digits=kept)


def number(body: Mapping[str, Any], name: str, default: Decimal = ZERO) -> Decimal:
    """Return a decimal of the case."""
    return parse_decimal(body.get(name, default), name=name)


def decimal(amount: Fraction) -> Decimal:
    """Return an exact amount as a decimal, to be rounded."""
    return Decimal(amount.numerator) / Decimal(amount.denominator)


def _discounts(case: Case) -> list[Discount]:
    """Return the discounts of the case's coupons; one of nothing is none."""
    return [
        discount_of(coupon, place, case.body.get("currency", "USD"))
        for place, coupon in enumerate(case.body.get("coupons", ()))
        if number(coupon, "percent_off") or number(coupon, "amount_off")
    ]


def discount_of(coupon: Mapping[str, Any], place: int, currency: str) -> Discount:
    """Return the discount of a coupon as a case writes it, the `place`-th of its customer; it holds for ever."""
    limits = coupon.get("limited_to", {})
    is_fixed = "amount_off" in coupon
    return Discount(
        id=DiscountId(UUID(int=place)),
        code=f"coupon-{place}",
        name=f"coupon {place}",
        percent_off=number(coupon, "percent_off") if "percent_off" in coupon else None,
        amount_off=number(coupon, "amount_off") if is_fixed else None,
        currency=currency if is_fixed else None,
        plans=tuple(limits.get("plans", ())),
        metrics=tuple(limits.get("metrics", ())),
    )
