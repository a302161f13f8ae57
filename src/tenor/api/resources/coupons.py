"""`/v1/coupons` and `/v1/promotion-codes`: offers, and the words that redeem them."""

from typing import Annotated, Literal

from fastapi import Path, Security
from pydantic import Field
from starlette.responses import Response

from tenor.api.bodies import Body, Code, Currency, DecimalIn, InstantIn, Line, Reference
from tenor.api.call import Call, Effect, Work, a_call, an_effect
from tenor.api.pages import After, Limit, Page, keyed_page, place
from tenor.api.resource import resource
from tenor.customers import customer_id_of
from tenor.kernel.money import Money
from tenor.kernel.quantity import parse_amount
from tenor.pricing import (
    CouponNotFound,
    DiscountTerms,
    Limits,
    all_coupons,
    archive_coupon,
    create_coupon,
    create_promotion_code,
    find_coupon,
    promotion_words,
)
from tenor.wire import (
    CouponJson,
    ListedCouponJson,
    PromotionCodeJson,
    coupon_json,
    listed_coupon_json,
    promotion_code_json,
)

router = resource("Coupons")
Reads = Annotated[Call, Security(a_call, scopes=["catalog:read"])]
Writes = Annotated[Effect, Security(an_effect, scopes=["catalog:write"])]
CouponRef = Annotated[Code, Path(description="Code.")]
Count = Annotated[int, Field(ge=1, le=10**12)]
Scope = Annotated[list[Code], Field(max_length=100)]
"""Codes on whose lines alone it takes something off; empty: on every line."""


class OrderMinimum(Body):
    """What an order must come to before the discount."""

    amount: DecimalIn
    currency: Currency


class LimitsBody(Body):
    """What redemptions are held to; what is left out limits nothing. `max_redemptions` counts all customers."""

    max_redemptions: Count | None = None
    redeem_by: InstantIn | None = None
    minimum_order: OrderMinimum | None = None
    is_first_purchase_only: bool = False
    reason: Line | None = None

    def limits(self) -> Limits:
        """Return the limits."""
        minimum = self.minimum_order
        return Limits(
            max_redemptions=self.max_redemptions,
            redeem_by=self.redeem_by,
            minimum_order=None
            if minimum is None
            else Money(parse_amount(minimum.amount, minimum.currency, name="/minimum_order/amount"), minimum.currency),
            is_first_purchase_only=self.is_first_purchase_only,
        )


class NewCoupon(LimitsBody):
    """An offer to be: `percent_off`, or `amount_off` in major units of `currency`. Its terms never change."""

    code: Code
    name: Annotated[Line | None, Field(description="On documents; the code where none is given.")] = None
    percent_off: DecimalIn | None = None
    amount_off: DecimalIn | None = None
    currency: Currency | None = None
    duration: Literal["once", "repeating", "forever"] = "forever"
    periods: Annotated[int | None, Field(ge=1, le=1_200, description="Of a repeating discount.")] = None
    plans: Scope = Field(default_factory=list)
    products: Scope = Field(default_factory=list)
    charges: Scope = Field(default_factory=list)
    metrics: Scope = Field(default_factory=list)
    max_per_customer: Count | None = None

    def terms(self) -> DiscountTerms:
        """Return the terms."""
        return DiscountTerms(
            code=self.code,
            name=self.name or self.code,
            percent_off=self.percent_off,
            amount_off=self.amount_off,
            currency=self.currency,
            duration=self.duration,
            periods=self.periods,
            plans=tuple(self.plans),
            products=tuple(self.products),
            charges=tuple(self.charges),
            metrics=tuple(self.metrics),
        )


class NewPromotionCode(LimitsBody):
    """A word that redeems a coupon, with limits beside the coupon's; for one customer where it names one."""

    code: Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
    coupon: Code
    customer: Reference | None = None


class Archiving(Body):
    """Why an offer ends."""

    reason: Line | None = None


@router.post("/coupons", status_code=201, response_model=CouponJson)
def create(call: Writes, body: NewCoupon) -> Response:
    """Offer a coupon. The same one again changes nothing."""

    def make(work: Work) -> CouponJson:
        made = create_coupon(
            work.uow,
            body.terms(),
            limits=body.limits(),
            max_per_customer=body.max_per_customer,
            **work.deed(body.reason),
        )
        return coupon_json(made)

    return call.once(make, status=201)


@router.get("/coupons", response_model=Page[ListedCouponJson])
def list_(call: Reads, limit: Limit = 20, after: After = None) -> Response:
    """List the coupons with what is left of them and the words that redeem them, by code."""

    def read(work: Work) -> Page[ListedCouponJson]:
        (code,) = place(after, str) or ("",)
        found = all_coupons(work.uow, after=code, limit=limit + 1)
        words = promotion_words(work.uow, [one.id for one in found])
        return keyed_page(
            found,
            limit=limit,
            key_of=lambda one: (one.terms.code,),
            shown=lambda one: listed_coupon_json(one, words.get(one.id, ())),
        )

    return call.show(read)


@router.get("/coupons/{coupon}", response_model=ListedCouponJson)
def retrieve(call: Reads, coupon: CouponRef) -> Response:
    """Return a coupon with what is left of it and the words that redeem it."""

    def read(work: Work) -> ListedCouponJson:
        held = find_coupon(work.uow, coupon)
        if held is None:
            raise CouponNotFound(f"there is no coupon {coupon!r}")
        return listed_coupon_json(held, promotion_words(work.uow, [held.id]).get(held.id, ()))

    return call.show(read)


@router.post("/coupons/{coupon}/archive", response_model=CouponJson)
def archive(call: Writes, coupon: CouponRef, body: Archiving) -> Response:
    """End an offer, also through its promotion codes; discounts that were granted go on. Repeatable."""
    return call.once(lambda work: coupon_json(archive_coupon(work.uow, coupon, **work.deed(body.reason))))


@router.post("/promotion-codes", status_code=201, response_model=PromotionCodeJson)
def create_promotion_code_(call: Writes, body: NewPromotionCode) -> Response:
    """Give a coupon a word by which customers redeem it; capitals and small letters are the same."""

    def make(work: Work) -> PromotionCodeJson:
        made = create_promotion_code(
            work.uow,
            body.code,
            coupon=body.coupon,
            limits=body.limits(),
            customer_id=None if body.customer is None else customer_id_of(work.uow, body.customer),
            **work.deed(body.reason),
        )
        return promotion_code_json(made, coupon=body.coupon)

    return call.once(make, status=201)
