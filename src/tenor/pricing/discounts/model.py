"""Coupons, promotion codes, and the discount that a redemption grants.

A coupon is an offer: terms, and limits on who may redeem it and how often. A promotion code is a word that a customer
types to redeem a coupon, with limits of its own. A discount is what one redemption granted: a copy of the coupon's
terms, so that it needs nothing else to be applied again years later.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal, cast, get_args
from uuid import UUID

from tenor.kernel.errors import Malformed
from tenor.kernel.ids import CouponId, CustomerId, DiscountId, PromotionCodeId, SubscriptionId
from tenor.kernel.money import Money, exponent
from tenor.kernel.quantity import parse_decimal, plain

Duration = Literal["once", "repeating", "forever"]
"""For how many billing windows a discount holds: the first, the first n, or all."""

PERIODS_MAX: Final = 1_200
"""A repeating discount counts at most this many billing windows: a hundred years of months."""

CODE_LENGTH_MAX: Final = 64
NAME_LENGTH_MAX: Final = 200
REDEMPTIONS_MAX: Final = 10**12
SCOPE_CODES_MAX: Final = 100
"""A scope names at most this many codes of one kind."""

_COUPON_CODE: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")
_PROMOTION_CODE: Final = re.compile(r"[A-Z0-9][A-Z0-9_-]{0,63}")
_SCOPES: Final = ("plans", "products", "charges", "metrics")


class MalformedDiscount(Malformed):
    """Terms of a discount that contradict each other or lie outside their bounds."""

    code = "malformed_discount"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscountTerms:
    """A percentage or a fixed amount off, for a while, on the lines inside its scope.

    Exactly one of `percent_off` (above 0, at most 100) and `amount_off` (major units of `currency`, above 0) is
    set; `currency` goes with the amount. `periods` counts the billing windows of a `repeating` discount and is
    None otherwise. A line is inside the scope when each of `plans`, `products`, `charges` and `metrics` that names
    anything names the line's own; empty scopes take every line.

    Raises:
        MalformedDiscount: the terms break one of these rules.
        UnknownCurrency: the currency is none of ISO 4217.
    """

    code: str
    name: str
    percent_off: Decimal | None = None
    amount_off: Decimal | None = None
    currency: str | None = None
    duration: Duration = "forever"
    periods: int | None = None
    plans: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    charges: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _require_text("code", self.code, CODE_LENGTH_MAX)
        _require_text("name", self.name, NAME_LENGTH_MAX)
        self._require_value()
        self._require_duration()
        for scope in _SCOPES:
            _require_codes(scope, getattr(self, scope))

    def _require_value(self) -> None:
        if (self.percent_off is None) == (self.amount_off is None):
            raise MalformedDiscount("a discount is either a percentage or an amount off, and not both")
        if self.percent_off is not None:
            if not 0 < parse_decimal(self.percent_off, name="percent_off") <= 100:
                raise MalformedDiscount(f"percent_off is above 0 and at most 100, not {self.percent_off}")
            if self.currency is not None:
                raise MalformedDiscount("a percentage has no currency")
            return
        if parse_decimal(self.amount_off, name="amount_off") <= 0:
            raise MalformedDiscount(f"amount_off is above 0, not {self.amount_off}")
        if self.currency is None:
            raise MalformedDiscount("an amount off needs its currency")
        exponent(self.currency)

    def _require_duration(self) -> None:
        if self.duration not in get_args(Duration):
            raise MalformedDiscount(f"a discount lasts {', '.join(get_args(Duration))}, not {self.duration!r}")
        if self.duration != "repeating":
            if self.periods is not None:
                raise MalformedDiscount(f"a discount that lasts {self.duration!r} has no number of periods")
            return
        if isinstance(self.periods, bool) or not isinstance(self.periods, int):
            raise MalformedDiscount("a repeating discount needs its number of periods, a whole number")
        if not 1 <= self.periods <= PERIODS_MAX:
            raise MalformedDiscount(f"a discount repeats for 1 to {PERIODS_MAX} periods, not {self.periods}")

    def to_json(self) -> dict[str, Any]:
        """Return the canonical JSON: decimals as plain text, terms that are not set left out."""
        terms: dict[str, Any] = {
            "code": self.code,
            "name": self.name,
            "percent_off": None if self.percent_off is None else plain(self.percent_off),
            "amount_off": None if self.amount_off is None else plain(self.amount_off),
            "currency": self.currency,
            "duration": self.duration,
            "periods": self.periods,
        } | {scope: list(getattr(self, scope)) or None for scope in _SCOPES}
        return {name: value for name, value in terms.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount(DiscountTerms):
    """What one redemption granted; `id` is the redemption's, `code` the coupon's."""

    id: DiscountId

    @classmethod
    def of(cls, terms: DiscountTerms, discount_id: DiscountId) -> "Discount":
        """Return the discount that these terms grant under an id of its own."""
        return cls(id=discount_id, **{field.name: getattr(terms, field.name) for field in fields(DiscountTerms)})

    def to_json(self) -> dict[str, Any]:
        """Return the canonical JSON: the id, and the terms as theirs."""
        return {"id": str(self.id), **DiscountTerms.to_json(self)}

    @classmethod
    def from_json(cls, json: Mapping[str, Any]) -> "Discount":
        """Read what `to_json` returned."""
        try:
            return cls(
                id=DiscountId(UUID(json["id"])),
                code=json["code"],
                name=json["name"],
                percent_off=_optional_decimal(json, "percent_off"),
                amount_off=_optional_decimal(json, "amount_off"),
                currency=json.get("currency"),
                duration=cast(Duration, json["duration"]),
                periods=json.get("periods"),
                **{scope: tuple(json.get(scope, ())) for scope in _SCOPES},
            )
        except (KeyError, TypeError, ValueError) as error:
            raise MalformedDiscount(f"a discount cannot be read: {error}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a redemption is held to; None and False limit nothing.

    `max_redemptions` counts all customers together; from the instant `redeem_by` on there are none; the order must
    come to `minimum_order` before the discount; `is_first_purchase_only`: only for customers who never bought before.
    """

    max_redemptions: int | None = None
    redeem_by: datetime | None = None
    minimum_order: Money | None = None
    is_first_purchase_only: bool = False

    def __post_init__(self) -> None:
        require_count("max_redemptions", self.max_redemptions)
        if self.redeem_by is not None and self.redeem_by.tzinfo is None:
            raise MalformedDiscount("redeem_by is an instant and needs its zone or offset")
        if self.minimum_order is not None and self.minimum_order.minor <= 0:
            raise MalformedDiscount(f"a minimum order is above 0, not {self.minimum_order}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Coupon:
    """An offer of the tenant. Its terms and limits never change; `redeemed` counts the redemptions that stand."""

    id: CouponId
    terms: DiscountTerms
    limits: Limits
    max_per_customer: int | None
    archived_at: datetime | None
    redeemed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionCode:
    """A word that redeems a coupon, in capitals; `customer_id` None: for everybody who knows it."""

    id: PromotionCodeId
    code: str
    coupon_id: CouponId
    limits: Limits
    customer_id: CustomerId | None
    redeemed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """For whom and what a coupon is redeemed, as far as only the caller knows it.

    `currency` is that of what is bought. `order` is what it costs before the discount; None, not known, meets no
    minimum. `is_first_purchase` says that the customer never bought before. `discount_id` is the id that the discount
    is to have, for a caller to whom the same occasion has to give the same one; None: a new one.
    """

    customer_id: CustomerId
    currency: str
    subscription_id: SubscriptionId | None = None
    order: Money | None = None
    is_first_purchase: bool = False
    discount_id: DiscountId | None = None


def coupon_code(text: str) -> str:
    """Return `text` as the code of a coupon.

    Raises:
        MalformedDiscount: it is none: 1 to 63 of a-z, 0-9, `_`, `.` and `-`.
    """
    if not _COUPON_CODE.fullmatch(text):
        raise MalformedDiscount(
            f"{text[:CODE_LENGTH_MAX]!r} is no code of a coupon: 1 to 63 of a-z, 0-9, '_', '.', '-'"
        )
    return text


def promotion_code(text: str) -> str:
    """Return `text`, however it is typed, as the word of a promotion code: in capitals.

    Raises:
        MalformedDiscount: it is none: 1 to 64 letters A-Z, digits, `_` and `-`.
    """
    word = text.strip().upper()
    if not text.isascii() or not _PROMOTION_CODE.fullmatch(word):
        raise MalformedDiscount(
            f"{text[:CODE_LENGTH_MAX]!r} is no promotion code: 1 to 64 letters A-Z, digits, '_', '-'"
        )
    return word


def require_count(name: str, count: int | None) -> None:
    """Refuse a limit that is no whole number above zero."""
    if count is not None and (isinstance(count, bool) or not 1 <= count <= REDEMPTIONS_MAX):
        raise MalformedDiscount(f"{name} is a whole number from 1 to {REDEMPTIONS_MAX}, not {count}")


def _optional_decimal(json: Mapping[str, Any], name: str) -> Decimal | None:
    return parse_decimal(json[name], name=name) if name in json else None


def _require_text(name: str, value: object, length_max: int) -> None:
    if not isinstance(value, str) or not value.strip() or len(value) > length_max:
        raise MalformedDiscount(f"the {name} of a discount is a text of 1 to {length_max} characters")


def _require_codes(scope: str, codes: tuple[str, ...]) -> None:
    if len(codes) > SCOPE_CODES_MAX or len(set(codes)) != len(codes):
        raise MalformedDiscount(f"{scope}: at most {SCOPE_CODES_MAX} different codes")
    for code in codes:
        _require_text(f"scope {scope}", code, CODE_LENGTH_MAX)
