"""Coupons and promotion codes as JSON."""

from collections.abc import Sequence

from typing_extensions import TypedDict

from tenor.kernel.ids import to_wire
from tenor.kernel.quantity import plain
from tenor.pricing import Coupon, Limits, PromotionCode
from tenor.wire.forms import Amount, DecimalText, Instant, amount, instant


class MinimumOrderJson(TypedDict):
    """What an order must come to before the discount."""

    amount: Amount
    currency: str


class LimitsJson(TypedDict):
    """What a redemption is held to; null and false limit nothing."""

    max_redemptions: int | None
    redeem_by: Instant | None
    minimum_order: MinimumOrderJson | None
    is_first_purchase_only: bool
    redeemed: int


class CouponJson(LimitsJson):
    """An offer: a percentage or an amount off, for a while, on the lines inside its scope; empty scopes take all."""

    id: str
    code: str
    name: str
    percent_off: DecimalText | None
    amount_off: DecimalText | None
    currency: str | None
    duration: str
    periods: int | None
    plans: list[str]
    products: list[str]
    charges: list[str]
    metrics: list[str]
    max_per_customer: int | None
    archived_at: Instant | None


class ListedCouponJson(CouponJson):
    """A coupon with the words that redeem it."""

    promotion_codes: list[str]


class PromotionCodeJson(LimitsJson):
    """A word that redeems a coupon, with limits of its own; `customer` null: for everybody who knows it."""

    id: str
    code: str
    coupon: str
    customer: str | None


def coupon_json(coupon: Coupon) -> CouponJson:
    """Return a coupon."""
    terms = coupon.terms
    return CouponJson(
        id=to_wire("cpn", coupon.id),
        code=terms.code,
        name=terms.name,
        percent_off=None if terms.percent_off is None else plain(terms.percent_off),
        amount_off=None if terms.amount_off is None else plain(terms.amount_off),
        currency=terms.currency,
        duration=terms.duration,
        periods=terms.periods,
        plans=list(terms.plans),
        products=list(terms.products),
        charges=list(terms.charges),
        metrics=list(terms.metrics),
        max_per_customer=coupon.max_per_customer,
        archived_at=instant(coupon.archived_at),
        **_limits_json(coupon.limits, redeemed=coupon.redeemed),
    )


def listed_coupon_json(coupon: Coupon, words: Sequence[str]) -> ListedCouponJson:
    """Return a coupon with the words of its promotion codes."""
    return ListedCouponJson(**coupon_json(coupon), promotion_codes=list(words))


def promotion_code_json(promotion: PromotionCode, *, coupon: str) -> PromotionCodeJson:
    """Return a promotion code of the coupon with this code."""
    return PromotionCodeJson(
        id=to_wire("prm", promotion.id),
        code=promotion.code,
        coupon=coupon,
        customer=None if promotion.customer_id is None else to_wire("cus", promotion.customer_id),
        **_limits_json(promotion.limits, redeemed=promotion.redeemed),
    )


def _limits_json(limits: Limits, *, redeemed: int) -> LimitsJson:
    minimum = limits.minimum_order
    return LimitsJson(
        max_redemptions=limits.max_redemptions,
        redeem_by=instant(limits.redeem_by),
        minimum_order=None
        if minimum is None
        else MinimumOrderJson(amount=amount(minimum.minor, minimum.currency), currency=minimum.currency),
        is_first_purchase_only=limits.is_first_purchase_only,
        redeemed=redeemed,
    )
