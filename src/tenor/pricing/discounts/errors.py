"""What is refused about coupons and promotion codes, each with its code."""

from tenor.kernel.errors import Conflict, NotFound, Refusal


class CouponNotFound(NotFound):
    """No coupon of this code."""

    code = "coupon_not_found"


class PromotionCodeNotFound(NotFound):
    """No promotion code of this word, or none for this customer."""

    code = "promotion_code_not_found"


class DiscountNotFound(NotFound):
    """No redemption of this id."""

    code = "discount_not_found"


class CouponCodeTaken(Conflict):
    """A coupon or promotion code of this code exists with other terms."""

    code = "coupon_code_taken"


class CouponArchived(Refusal):
    """The coupon is no longer offered."""

    code = "coupon_archived"


class RedemptionTooLate(Refusal):
    """The coupon or the promotion code has expired."""

    code = "redemption_too_late"


class RedemptionsUsedUp(Refusal):
    """The coupon or the promotion code was redeemed as often as it may be, by all customers or by this one."""

    code = "redemptions_used_up"


class CurrencyMismatch(Refusal):
    """The coupon takes off an amount of another currency than the one that is paid."""

    code = "currency_mismatch"


class OrderBelowMinimum(Refusal):
    """What is bought comes to less than the coupon or the promotion code asks for."""

    code = "order_below_minimum"


class NotFirstPurchase(Refusal):
    """The offer is for customers who never bought before."""

    code = "not_first_purchase"
