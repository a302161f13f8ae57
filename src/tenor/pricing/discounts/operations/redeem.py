"""Redeem a coupon, and undo it."""

from datetime import datetime

from tenor.kernel.ids import DiscountId, new_id, to_wire
from tenor.platform.telling import tell
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing.discounts.admission import require_redeemable
from tenor.pricing.discounts.errors import (
    CouponNotFound,
    DiscountNotFound,
    PromotionCodeNotFound,
    RedemptionsUsedUp,
)
from tenor.pricing.discounts.model import Coupon, Discount, Occasion, PromotionCode, coupon_code, promotion_code
from tenor.pricing.discounts.store import (
    count_on_coupon,
    count_on_customer,
    count_on_promotion_code,
    find_coupon,
    find_promotion_code,
    insert_redemption,
    redemption_exists,
    undo_counted,
)


def redeem_promotion_code(
    uow: UnitOfWork, code: str, occasion: Occasion, *, now: datetime, actor: str, reason: str
) -> Discount:
    """Redeem the coupon behind a promotion code, however it is typed; the caller writes the discount into its journal.

    Raises:
        MalformedDiscount: the text cannot be a promotion code.
        PromotionCodeNotFound: there is no such code for this customer.
        Refusal: as `redeem_coupon`.
    """
    found = find_promotion_code(uow, promotion_code(code))
    if found is None:
        raise PromotionCodeNotFound(f"there is no promotion code {code!r}")
    promotion, coupon = found
    return _redeem(uow, coupon, promotion, occasion, now=now, actor=actor, reason=reason)


def redeem_coupon(
    uow: UnitOfWork, code: str, occasion: Occasion, *, now: datetime, actor: str, reason: str
) -> Discount:
    """Redeem a coupon for a customer; the caller writes the discount that it grants into its journal.

    Sessions that redeem one coupon at the same time wait for each other until they commit. A refusal has counted and
    written nothing.

    Raises:
        MalformedDiscount, CouponNotFound: the text cannot be a coupon's code, or is that of none.
        CouponArchived, RedemptionTooLate, CurrencyMismatch, OrderBelowMinimum, NotFirstPurchase: as they say.
        RedemptionsUsedUp: no redemption is left, for anybody or for this customer.
    """
    coupon = find_coupon(uow, coupon_code(code))
    if coupon is None:
        raise CouponNotFound(f"there is no coupon {code!r}")
    return _redeem(uow, coupon, None, occasion, now=now, actor=actor, reason=reason)


def undo_redemption(uow: UnitOfWork, discount_id: DiscountId, *, now: datetime, actor: str, reason: str) -> bool:
    """Give a redemption back, so that another may take its place; return False where it was undone already.

    Raises:
        DiscountNotFound: no redemption has this id.
    """
    if undo_counted(uow, discount_id, now=now):
        tell(uow, "discount.undone", discount_id, {}, now=now, actor=actor, reason=reason)
        return True
    if not redemption_exists(uow, discount_id):
        raise DiscountNotFound(f"there is no discount {to_wire('dis', discount_id)}")
    return False


def _redeem(
    uow: UnitOfWork,
    coupon: Coupon,
    promotion: PromotionCode | None,
    occasion: Occasion,
    *,
    now: datetime,
    actor: str,
    reason: str,
) -> Discount:
    require_redeemable(coupon, promotion, occasion, now=now)
    discount = Discount.of(coupon.terms, occasion.discount_id or DiscountId(new_id(now)))
    with uow.connection.transaction():  # a savepoint: a refusal takes back what was counted before it
        _count(uow, coupon, promotion, occasion)
        promotion_code_id = None if promotion is None else promotion.id
        insert_redemption(uow, discount.id, coupon.id, promotion_code_id, occasion, now=now)
    facts = {
        "coupon": coupon.terms.code,
        "promotion_code": None if promotion is None else promotion.code,
        "customer_id": to_wire("cus", occasion.customer_id),
        "subscription_id": None if occasion.subscription_id is None else to_wire("sub", occasion.subscription_id),
    }
    tell(uow, "discount.redeemed", discount.id, facts, now=now, actor=actor, reason=reason)
    return discount


def _count(uow: UnitOfWork, coupon: Coupon, promotion: PromotionCode | None, occasion: Occasion) -> None:
    """Count the redemption wherever there is a limit, the coupon first, so that no two sessions wait in a circle."""
    offer = f"coupon {coupon.terms.code!r}"
    if not count_on_coupon(uow, coupon.id):
        raise RedemptionsUsedUp(f"{offer} is used up", code=coupon.terms.code)
    if promotion is not None and not count_on_promotion_code(uow, promotion.id):
        raise RedemptionsUsedUp(f"promotion code {promotion.code!r} is used up", code=promotion.code)
    if not count_on_customer(uow, coupon, occasion.customer_id):
        raise RedemptionsUsedUp(f"this customer has redeemed {offer} as often as it may", code=coupon.terms.code)
