"""Whether a coupon may be redeemed on an occasion, by its terms and the clock."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from tenor.kernel.errors import Refusal
from tenor.kernel.ids import CouponId, CustomerId, PromotionCodeId
from tenor.kernel.money import Money
from tenor.pricing.discounts.admission import require_redeemable
from tenor.pricing.discounts.errors import (
    CouponArchived,
    CurrencyMismatch,
    NotFirstPurchase,
    OrderBelowMinimum,
    PromotionCodeNotFound,
    RedemptionTooLate,
)
from tenor.pricing.discounts.model import Coupon, DiscountTerms, Limits, Occasion, PromotionCode

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ADA, BOB = CustomerId(UUID(int=1)), CustomerId(UUID(int=2))
TEN_PERCENT = DiscountTerms(code="spring", name="Spring", percent_off=Decimal(10))
FIVE_EURO = DiscountTerms(code="fiver", name="Fiver", amount_off=Decimal(5), currency="EUR")
NO_LIMITS = Limits()


def coupon(limits: Limits = NO_LIMITS, *, terms: DiscountTerms = TEN_PERCENT, archived: bool = False) -> Coupon:
    return Coupon(
        id=CouponId(UUID(int=3)),
        terms=terms,
        limits=limits,
        max_per_customer=None,
        archived_at=NOW if archived else None,
        redeemed=0,
    )


def code(limits: Limits = NO_LIMITS, *, customer: CustomerId | None = None) -> PromotionCode:
    return PromotionCode(
        id=PromotionCodeId(UUID(int=4)),
        code="SPRING",
        coupon_id=CouponId(UUID(int=3)),
        limits=limits,
        customer_id=customer,
        redeemed=0,
    )


def redeem(
    offer: Coupon,
    promotion: PromotionCode | None = None,
    *,
    now: datetime = NOW,
    currency: str = "EUR",
    order: Money | None = None,
    is_first_purchase: bool = False,
) -> type[Refusal] | None:
    """Return how ada's redemption is refused; None where it is not."""
    occasion = Occasion(customer_id=ADA, currency=currency, order=order, is_first_purchase=is_first_purchase)
    try:
        require_redeemable(offer, promotion, occasion, now=now)
    except Refusal as refusal:
        return type(refusal)
    return None


def test_an_offer_ends_with_the_instant_until_which_it_could_be_redeemed() -> None:
    until_now = Limits(redeem_by=NOW)

    assert redeem(coupon(until_now), now=NOW - timedelta(microseconds=1)) is None
    assert redeem(coupon(until_now)) is RedemptionTooLate
    assert redeem(coupon(), code(until_now)) is RedemptionTooLate


@pytest.mark.parametrize(
    ("order", "refused"),
    [
        (Money(50_00, "EUR"), None),
        (Money(49_99, "EUR"), OrderBelowMinimum),
        (Money(50_00, "USD"), OrderBelowMinimum),
        (None, OrderBelowMinimum),
    ],
)
def test_an_order_comes_to_the_minimum_in_its_currency(order: Money | None, refused: type[Refusal] | None) -> None:
    least = Limits(minimum_order=Money(50_00, "EUR"))

    assert redeem(coupon(least), order=order) is refused
    assert redeem(coupon(), code(least), order=order) is refused


def test_an_amount_is_taken_off_in_its_own_currency_and_a_percentage_off_any() -> None:
    assert redeem(coupon(terms=FIVE_EURO)) is None
    assert redeem(coupon(terms=FIVE_EURO), currency="USD") is CurrencyMismatch
    assert redeem(coupon(), currency="USD") is None


def test_an_offer_for_first_purchases_is_for_nobody_else() -> None:
    first = Limits(is_first_purchase_only=True)

    assert redeem(coupon(first), is_first_purchase=True) is None
    assert redeem(coupon(first)) is NotFirstPurchase


def test_an_archived_coupon_is_no_longer_offered_whatever_the_code() -> None:
    assert redeem(coupon(archived=True), code()) is CouponArchived


def test_a_code_of_one_customer_is_unknown_to_all_others() -> None:
    assert redeem(coupon(), code(customer=ADA)) is None
    assert redeem(coupon(), code(customer=BOB)) is PromotionCodeNotFound
