"""Give a coupon a word by which customers redeem it."""

from dataclasses import replace
from datetime import datetime

from tenor.kernel.ids import CustomerId, PromotionCodeId, new_id, to_wire
from tenor.platform.telling import tell
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing.discounts.errors import CouponArchived, CouponCodeTaken, CouponNotFound
from tenor.pricing.discounts.model import Limits, PromotionCode, coupon_code, promotion_code
from tenor.pricing.discounts.operations.create_coupon import limits_facts
from tenor.pricing.discounts.store import find_coupon, find_promotion_code, insert_promotion_code


def create_promotion_code(
    uow: UnitOfWork,
    code: str,
    *,
    coupon: str,
    limits: Limits | None = None,
    customer_id: CustomerId | None = None,
    now: datetime,
    actor: str,
    reason: str,
) -> PromotionCode:
    """Write a promotion code for the coupon of code `coupon`; `code` is kept in capitals and unique in the tenant.

    Its limits hold beside the coupon's. With `customer_id` only that customer may use it. The same code again, with
    the same limits, is answered with the one that there is.

    Raises:
        MalformedDiscount: the word has other characters than letters, digits, `_` and `-`.
        CouponNotFound, CouponArchived: there is no such coupon, or it is no longer offered.
        CouponCodeTaken: the word belongs to another coupon or has other limits.
    """
    word = promotion_code(code)
    offered = find_coupon(uow, coupon_code(coupon))
    if offered is None:
        raise CouponNotFound(f"there is no coupon {coupon!r}")
    if offered.archived_at is not None:
        raise CouponArchived(f"coupon {coupon!r} is no longer offered")
    promotion = PromotionCode(
        id=PromotionCodeId(new_id(now)),
        code=word,
        coupon_id=offered.id,
        limits=limits or Limits(),
        customer_id=customer_id,
        redeemed=0,
    )
    if not insert_promotion_code(uow, promotion, now=now):
        found = find_promotion_code(uow, word)
        if found is None or replace(found[0], id=promotion.id, redeemed=0) != promotion:
            raise CouponCodeTaken(f"there is a promotion code {word!r} with another coupon or other limits")
        return found[0]
    facts = {
        "code": word,
        "coupon": coupon,
        "customer_id": None if customer_id is None else to_wire("cus", customer_id),
        **limits_facts(promotion.limits),
    }
    tell(uow, "promotion_code.created", promotion.id, facts, now=now, actor=actor, reason=reason)
    return promotion
