"""Whether a coupon may be redeemed on an occasion, as far as its terms and the clock decide it.

How often it was redeemed is not asked here: only the database can count under concurrency.
"""

from datetime import datetime

from tenor.kernel.period import format_instant
from tenor.pricing.discounts.errors import (
    CouponArchived,
    CurrencyMismatch,
    NotFirstPurchase,
    OrderBelowMinimum,
    PromotionCodeNotFound,
    RedemptionTooLate,
)
from tenor.pricing.discounts.model import Coupon, Limits, Occasion, PromotionCode


def require_redeemable(coupon: Coupon, promotion: PromotionCode | None, occasion: Occasion, *, now: datetime) -> None:
    """Refuse the redemption of a coupon, by a promotion code or without one.

    Raises:
        PromotionCodeNotFound: the code is another customer's.
        CouponArchived, RedemptionTooLate, CurrencyMismatch, OrderBelowMinimum, NotFirstPurchase: as they say.
    """
    if promotion is not None and promotion.customer_id not in (None, occasion.customer_id):
        raise PromotionCodeNotFound(f"there is no promotion code {promotion.code!r} for this customer")
    if coupon.archived_at is not None:
        raise CouponArchived(f"coupon {coupon.terms.code!r} is no longer offered")
    if coupon.terms.currency not in (None, occasion.currency):
        raise CurrencyMismatch(
            f"coupon {coupon.terms.code!r} takes off {coupon.terms.currency}, but {occasion.currency} is paid"
        )
    _require_within(coupon.limits, f"coupon {coupon.terms.code!r}", occasion, now)
    if promotion is not None:
        _require_within(promotion.limits, f"promotion code {promotion.code!r}", occasion, now)


def _require_within(limits: Limits, offer: str, occasion: Occasion, now: datetime) -> None:
    if limits.redeem_by is not None and now >= limits.redeem_by:
        raise RedemptionTooLate(f"{offer} could be redeemed until {format_instant(limits.redeem_by)}")
    if limits.is_first_purchase_only and not occasion.is_first_purchase:
        raise NotFirstPurchase(f"{offer} is for customers who never bought before")
    if limits.minimum_order is None:
        return
    if occasion.order is None or occasion.order.currency != limits.minimum_order.currency:
        raise OrderBelowMinimum(f"{offer} needs an order of {limits.minimum_order}, and its amount in that currency")
    if occasion.order.minor < limits.minimum_order.minor:
        raise OrderBelowMinimum(f"{offer} needs an order of {limits.minimum_order}, not {occasion.order}")
