"""Offer a coupon."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from tenor.kernel.ids import CouponId, new_id
from tenor.kernel.money import EXACT, exponent
from tenor.kernel.period import format_instant
from tenor.platform.telling import tell
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing.discounts.errors import CouponCodeTaken
from tenor.pricing.discounts.model import Coupon, DiscountTerms, Limits, MalformedDiscount, coupon_code, require_count
from tenor.pricing.discounts.store import find_coupon, insert_coupon


def create_coupon(
    uow: UnitOfWork,
    terms: DiscountTerms,
    *,
    limits: Limits | None = None,
    max_per_customer: int | None = None,
    now: datetime,
    actor: str,
    reason: str,
) -> Coupon:
    """Write a coupon that can be redeemed from now on; its terms and limits never change.

    The same coupon again is answered with the one that there is, and writes nothing.

    Raises:
        MalformedDiscount: the code has other characters than a-z, 0-9 and `_.-`, or the amount is no whole number of
            minor units.
        CouponCodeTaken: a coupon of this code has other terms or limits.
    """
    coupon_code(terms.code)
    _require_whole_minor_units(terms)
    require_count("max_per_customer", max_per_customer)
    coupon = Coupon(
        id=CouponId(new_id(now)),
        terms=terms,
        limits=limits or Limits(),
        max_per_customer=max_per_customer,
        archived_at=None,
        redeemed=0,
    )
    if not insert_coupon(uow, coupon, now=now):
        known = find_coupon(uow, terms.code)
        if known is None or replace(known, id=coupon.id, archived_at=None, redeemed=0) != coupon:
            raise CouponCodeTaken(f"there is a coupon {terms.code!r} with other terms; terms never change")
        return known
    tell(uow, "coupon.created", coupon.id, coupon_facts(coupon), now=now, actor=actor, reason=reason)
    return coupon


def coupon_facts(coupon: Coupon) -> dict[str, Any]:
    """Return the terms and limits of a coupon as JSON."""
    return {
        **coupon.terms.to_json(),
        **limits_facts(coupon.limits),
        "max_per_customer": coupon.max_per_customer,
    }


def limits_facts(limits: Limits) -> dict[str, Any]:
    """Return limits as JSON."""
    minimum = limits.minimum_order
    return {
        "max_redemptions": limits.max_redemptions,
        "redeem_by": None if limits.redeem_by is None else format_instant(limits.redeem_by),
        "minimum_order_minor": None if minimum is None else minimum.minor,
        "minimum_order_currency": None if minimum is None else minimum.currency,
        "is_first_purchase_only": limits.is_first_purchase_only,
    }


def _require_whole_minor_units(terms: DiscountTerms) -> None:
    if terms.amount_off is None or terms.currency is None:
        return
    minor = terms.amount_off.scaleb(exponent(terms.currency), context=EXACT)
    if minor != minor.to_integral_value():
        raise MalformedDiscount(f"{terms.amount_off} {terms.currency} is no whole number of minor units")
