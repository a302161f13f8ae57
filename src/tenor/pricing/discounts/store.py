"""Coupons, promotion codes and redemptions in the database, and the counters that limit them."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from tenor.kernel.ids import CouponId, CustomerId, DiscountId, PromotionCodeId
from tenor.kernel.money import Money, to_minor
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing.discounts.model import Coupon, DiscountTerms, Limits, Occasion, PromotionCode

_LIMITS: Final = (
    "max_redemptions, redeem_by, minimum_order_minor, minimum_order_currency, is_first_purchase_only".split(", ")
)
_TERMS: Final = "code, name, percent_off, currency, duration, periods, plans, products, charges, metrics".split(", ")
_COUPON: Final = ["id", *_TERMS, "amount_off_minor", *_LIMITS, "max_per_customer", "archived_at", "redeemed"]
_PROMOTION: Final = ["id", "code", "coupon_id", "customer_id", *_LIMITS, "redeemed"]


def insert_coupon(uow: UnitOfWork, coupon: Coupon, *, now: datetime) -> bool:
    """Write a new coupon; return False, and write nothing, where its code is taken."""
    terms = coupon.terms
    amount_off_minor = None
    if terms.amount_off is not None and terms.currency is not None:
        amount_off_minor = to_minor(terms.amount_off, terms.currency)
    return _insert(
        uow,
        "coupons",
        {name: getattr(terms, name) for name in _TERMS}
        | {scope: list(getattr(terms, scope)) for scope in ("plans", "products", "charges", "metrics")}
        | _limit_columns(coupon.limits)
        | {"id": coupon.id, "amount_off_minor": amount_off_minor, "max_per_customer": coupon.max_per_customer}
        | {"created_at": now},
    )


def insert_promotion_code(uow: UnitOfWork, promotion: PromotionCode, *, now: datetime) -> bool:
    """Write a new promotion code; return False, and write nothing, where the word is taken."""
    own = {name: getattr(promotion, name) for name in ("id", "code", "coupon_id", "customer_id")}
    return _insert(uow, "promotion_codes", own | _limit_columns(promotion.limits) | {"created_at": now})


def find_coupon(uow: UnitOfWork, code: str) -> Coupon | None:
    """Return the coupon of this code; None where there is none."""
    row = uow.fetch_one(f"select {', '.join(_COUPON)} from coupons where code = %s", [code])
    return None if row is None else _coupon(dict(zip(_COUPON, row, strict=True)))


def find_promotion_code(uow: UnitOfWork, code: str) -> tuple[PromotionCode, Coupon] | None:
    """Return the promotion code of this word, in capitals, and the coupon that it redeems."""
    columns = [f"promotion.{name}" for name in _PROMOTION] + [f"coupon.{name}" for name in _COUPON]
    row = uow.fetch_one(
        f"""
        select {", ".join(columns)}
        from promotion_codes promotion
        join coupons coupon on (coupon.tenant_id, coupon.id) = (promotion.tenant_id, promotion.coupon_id)
        where promotion.code = %s
        """,
        [code],
    )
    if row is None:
        return None
    split = len(_PROMOTION)
    promotion = _promotion(dict(zip(_PROMOTION, row[:split], strict=True)))
    return promotion, _coupon(dict(zip(_COUPON, row[split:], strict=True)))


def all_coupons(uow: UnitOfWork, *, after: str = "", limit: int | None = None) -> list[Coupon]:
    """Return the coupons of the tenant by code: those after a code, and no more than `limit` where it is given."""
    rows = uow.fetch_all(
        f"select {', '.join(_COUPON)} from coupons where code > %s order by code limit %s", [after, limit]
    )
    return [_coupon(dict(zip(_COUPON, row, strict=True))) for row in rows]


def promotion_words(uow: UnitOfWork, coupons: Collection[CouponId]) -> dict[CouponId, list[str]]:
    """Return the words of the promotion codes of some coupons, by their coupon, in alphabetical order."""
    rows = uow.fetch_all(
        "select coupon_id, array_agg(code order by code) from promotion_codes where coupon_id = any(%b::uuid[])"
        " group by coupon_id",
        [list(coupons)],
    )
    return {CouponId(coupon_id): codes for coupon_id, codes in rows}


def set_archived(uow: UnitOfWork, coupon_id: CouponId, *, now: datetime) -> bool:
    """Take a coupon off offer; return False where it was already."""
    return bool(
        uow.execute(
            "update coupons set status = 'archived', archived_at = %s where id = %s and status = 'active'",
            [now, coupon_id],
        )
    )


def count_on_coupon(uow: UnitOfWork, coupon_id: CouponId) -> bool:
    """Add one redemption to an offered coupon; return False where none is left, or it has just been archived.

    Whoever redeems the same coupon at the same time waits here, and then counts on what this one has left.
    """
    return bool(
        uow.execute(
            """
            update coupons set redeemed = redeemed + 1
            where id = %s and status = 'active' and (redeemed < max_redemptions) is not false
            """,
            [coupon_id],
        )
    )


def count_on_promotion_code(uow: UnitOfWork, promotion_code_id: PromotionCodeId) -> bool:
    """Add one redemption to a promotion code; return False where none is left."""
    return bool(
        uow.execute(
            "update promotion_codes set redeemed = redeemed + 1"
            " where id = %s and (redeemed < max_redemptions) is not false",
            [promotion_code_id],
        )
    )


def count_on_customer(uow: UnitOfWork, coupon: Coupon, customer_id: CustomerId) -> bool:
    """Add one redemption of a coupon to a customer; return False where none is left for it."""
    return bool(
        uow.execute(
            """
            insert into coupon_customers as counted (tenant_id, coupon_id, customer_id, max_per_customer, redeemed)
            values (%s, %s, %s, %s, 1)
            on conflict (tenant_id, coupon_id, customer_id) do update set redeemed = counted.redeemed + 1
            where (counted.redeemed < counted.max_per_customer) is not false
            """,
            [uow.tenant_id, coupon.id, customer_id, coupon.max_per_customer],
        )
    )


def insert_redemption(
    uow: UnitOfWork,
    discount_id: DiscountId,
    coupon_id: CouponId,
    promotion_code_id: PromotionCodeId | None,
    occasion: Occasion,
    *,
    now: datetime,
) -> None:
    """Write that a coupon was redeemed, perhaps by a promotion code."""
    uow.execute(
        """
        insert into redemptions
            (tenant_id, id, coupon_id, promotion_code_id, customer_id, subscription_id, redeemed_at)
        values (%s, %s, %s, %s, %s, %s, %s)
        """,
        [
            uow.tenant_id,
            discount_id,
            coupon_id,
            promotion_code_id,
            occasion.customer_id,
            occasion.subscription_id,
            now,
        ],
    )


def redemption_exists(uow: UnitOfWork, discount_id: DiscountId) -> bool:
    """Return whether there is a redemption of this id, undone or not."""
    return uow.fetch_one("select from redemptions where id = %s", [discount_id]) is not None


def undo_counted(uow: UnitOfWork, discount_id: DiscountId, *, now: datetime) -> bool:
    """Mark a redemption as undone and take it off every counter; return False where it was undone already."""
    row = uow.fetch_one(
        """
        update redemptions set undone_at = %s where id = %s and undone_at is null
        returning coupon_id, promotion_code_id, customer_id
        """,
        [now, discount_id],
    )
    if row is None:
        return False
    coupon_id, promotion_code_id, customer_id = row
    uow.execute("update coupons set redeemed = redeemed - 1 where id = %s", [coupon_id])
    uow.execute("update promotion_codes set redeemed = redeemed - 1 where id = %s", [promotion_code_id])
    uow.execute(
        "update coupon_customers set redeemed = redeemed - 1 where coupon_id = %s and customer_id = %s",
        [coupon_id, customer_id],
    )
    return True


def _insert(uow: UnitOfWork, table: str, values: Mapping[str, Any]) -> bool:
    names, marks = ", ".join(values), ", ".join("%s" for _ in values)
    written = uow.execute(
        f"insert into {table} (tenant_id, {names}) values (%s, {marks}) on conflict (tenant_id, code) do nothing",
        [uow.tenant_id, *values.values()],
    )
    return bool(written)


def _limit_columns(limits: Limits) -> dict[str, Any]:
    minimum = limits.minimum_order
    return {
        "max_redemptions": limits.max_redemptions,
        "redeem_by": limits.redeem_by,
        "minimum_order_minor": None if minimum is None else minimum.minor,
        "minimum_order_currency": None if minimum is None else minimum.currency,
        "is_first_purchase_only": limits.is_first_purchase_only,
    }


def _limits(row: Mapping[str, Any]) -> Limits:
    minor, currency = row["minimum_order_minor"], row["minimum_order_currency"]
    return Limits(
        max_redemptions=row["max_redemptions"],
        redeem_by=row["redeem_by"],
        minimum_order=None if minor is None else Money(minor, currency),
        is_first_purchase_only=row["is_first_purchase_only"],
    )


def _coupon(row: Mapping[str, Any]) -> Coupon:
    minor, currency = row["amount_off_minor"], row["currency"]
    return Coupon(
        id=CouponId(row["id"]),
        terms=DiscountTerms(
            code=row["code"],
            name=row["name"],
            percent_off=row["percent_off"],
            amount_off=None if minor is None else Money(minor, currency).as_decimal(),
            currency=currency,
            duration=row["duration"],
            periods=row["periods"],
            **{scope: tuple(row[scope]) for scope in ("plans", "products", "charges", "metrics")},
        ),
        limits=_limits(row),
        max_per_customer=row["max_per_customer"],
        archived_at=row["archived_at"],
        redeemed=row["redeemed"],
    )


def _promotion(row: Mapping[str, Any]) -> PromotionCode:
    customer_id = row["customer_id"]
    return PromotionCode(
        id=PromotionCodeId(row["id"]),
        code=row["code"],
        coupon_id=CouponId(row["coupon_id"]),
        limits=_limits(row),
        customer_id=None if customer_id is None else CustomerId(customer_id),
        redeemed=row["redeemed"],
    )
