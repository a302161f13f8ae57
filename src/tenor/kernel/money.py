"""Money: whole minor units of one ISO 4217 currency, and the only place where amounts are rounded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal

from tenor.kernel.errors import Malformed, Refusal

EXACT: Final = Context(prec=120, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow])
"""The context in which prices meet quantities.

Two bounded decimals (27 digits each) multiply exactly inside 120 digits, so nothing is rounded
before the one named rounding. Enter it with `decimal.localcontext(EXACT)` at the door of a pure
function that multiplies decimals.
"""

MINOR_LIMIT: Final = 2**62
"""No amount may reach this many minor units: sums of amounts must still fit a 64-bit column."""

_EXPONENT_DEFAULT: Final = 2
_EXPONENTS: Final[Mapping[str, int]] = MappingProxyType(
    dict.fromkeys(
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(),
        0,
    )
    | dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3)
    | dict.fromkeys("CLF UYW".split(), 4)
)
_TWO_DIGIT: Final = frozenset(
    """AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW
    CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR
    ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV
    MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD
    SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW
    ZWG""".split()
)
CURRENCIES: Final = frozenset(_EXPONENTS) | _TWO_DIGIT
"""Active ISO 4217 currency codes with a minor unit; funds without one (XAU, XTS, …) cannot be billed."""


class UnknownCurrency(Malformed):
    """A currency code that ISO 4217 does not list as a currency one can pay in."""

    code = "unknown_currency"


class AmountTooLarge(Refusal):
    """An amount outside what the ledger can hold."""

    code = "amount_too_large"


def exponent(currency: str) -> int:
    """Return the number of minor digits of `currency` (ISO 4217: USD 2, JPY 0, KWD 3, CLF 4).

    Raises:
        UnknownCurrency: the code is not an active ISO 4217 currency, or not in capitals.
    """
    if currency in _TWO_DIGIT:
        return _EXPONENT_DEFAULT
    try:
        return _EXPONENTS[currency]
    except KeyError:
        raise UnknownCurrency(
            f"{currency!r} is not an ISO 4217 currency code such as 'USD'", currency=currency
        ) from None


class RoundingMode(StrEnum):
    """How a value between two representable ones is decided; the names are those of the policy files."""

    HALF_UP = "half_up"  # half away from zero
    HALF_EVEN = "half_even"
    CEIL = "ceil"
    FLOOR = "floor"
    TRUNC = "trunc"  # toward zero
    NONE = "none"  # kept as it is


_DECIMAL_MODE: Final = MappingProxyType(
    {
        RoundingMode.HALF_UP: ROUND_HALF_UP,
        RoundingMode.HALF_EVEN: ROUND_HALF_EVEN,
        RoundingMode.CEIL: ROUND_CEILING,
        RoundingMode.FLOOR: ROUND_FLOOR,
        RoundingMode.TRUNC: ROUND_DOWN,
    }
)


def round_decimal(value: Decimal, *, digits: int, mode: RoundingMode) -> Decimal:
    """Round `value` to `digits` after the point (negative: tens, hundreds …) by `mode`.

    `RoundingMode.NONE` returns the value unchanged. The sign of a zero is dropped.
    """
    if mode is RoundingMode.NONE:
        return value
    rounded = value.quantize(Decimal(1).scaleb(-digits), rounding=_DECIMAL_MODE[mode], context=EXACT)
    return rounded if rounded else abs(rounded)


def divide_rounded(numerator: int, denominator: int, mode: RoundingMode = RoundingMode.HALF_UP) -> int:
    """Return `numerator / denominator` rounded to a whole number by `mode`, exactly, in integers.

    The denominator must be positive. `RoundingMode.NONE` has no whole-number answer and is refused.
    """
    if denominator <= 0:
        raise ValueError("the denominator of a share must be positive")
    quotient, rest = divmod(numerator, denominator)  # floor; 0 <= rest < denominator
    if not rest:
        return quotient
    match mode:
        case RoundingMode.FLOOR:
            return quotient
        case RoundingMode.CEIL:
            return quotient + 1
        case RoundingMode.TRUNC:
            return quotient + (1 if numerator < 0 else 0)
        case RoundingMode.HALF_UP:
            twice = 2 * rest
            away = twice > denominator or (twice == denominator and numerator > 0)
            return quotient + (1 if away else 0)
        case RoundingMode.HALF_EVEN:
            twice = 2 * rest
            up = twice > denominator or (twice == denominator and quotient % 2 == 1)
            return quotient + (1 if up else 0)
        case RoundingMode.NONE:
            raise ValueError("a whole number of minor units needs a rounding mode")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (cents) of one currency. Signed: a credit is a negative amount."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        exponent(self.currency)
        if isinstance(self.minor, bool) or not isinstance(self.minor, int):
            raise Malformed(f"an amount is a whole number of minor units, not {self.minor!r}")
        if abs(self.minor) >= MINOR_LIMIT:
            raise AmountTooLarge(f"{self.minor} minor units of {self.currency} cannot be kept in the ledger")

    @classmethod
    def from_decimal(cls, amount: Decimal, currency: str, mode: RoundingMode = RoundingMode.HALF_UP) -> "Money":
        """Round `amount` (major units, e.g. dollars) once to the currency's minor unit."""
        return cls(to_minor(amount, currency, mode), currency)

    def as_decimal(self) -> Decimal:
        """Return the amount in major units, with exactly the currency's digits."""
        return Decimal(self.minor).scaleb(-exponent(self.currency), context=EXACT)

    def __str__(self) -> str:
        return f"{format_minor(self.minor, self.currency)} {self.currency}"


def to_minor(amount: Decimal, currency: str, mode: RoundingMode = RoundingMode.HALF_UP) -> int:
    """Return `amount` (major units) as whole minor units of `currency`, rounded once by `mode`."""
    scaled = amount.scaleb(exponent(currency), context=EXACT)
    return int(scaled.to_integral_value(rounding=_DECIMAL_MODE[mode], context=EXACT))


def format_minor(minor: int, currency: str) -> str:
    """Return `minor` as a plain decimal number of major units: 123456 USD → '1234.56', 5 JPY → '5'."""
    digits = exponent(currency)
    if not digits:
        return str(minor)
    sign = "-" if minor < 0 else ""
    whole, fraction = divmod(abs(minor), 10**digits)
    return f"{sign}{whole}.{fraction:0{digits}d}"


def allocate(total_minor: int, weights: Sequence[Decimal | int]) -> list[int]:
    """Split `total_minor` by `weights` so that the parts sum to it exactly.

    Each part is first cut toward zero; the minor units left over go one each to the parts with
    the largest remainder, ties to the earlier part. Parts of weight zero get nothing.

    Raises:
        Malformed: there are no weights, one is negative, or all are zero.
    """
    parts, remainders = _cut(abs(total_minor), weights)
    left = abs(total_minor) - sum(parts)
    for position in sorted(range(len(parts)), key=remainders.__getitem__, reverse=True)[:left]:
        parts[position] += 1
    return [-part for part in parts] if total_minor < 0 else parts


def allocate_by_key(
    total_minor: int,
    weights: Mapping[str, Decimal | int],
    *,
    remainder: Literal["largest_remainder", "last"] = "largest_remainder",
) -> dict[str, int]:
    """Split `total_minor` by the weights of named parts; parts of 0 are left out, their order is kept.

    What is left over after each part is cut toward zero goes one each to the largest remainders, ties to
    the lower key, so that the result does not hang on the order of the parts; or all to the last part.

    Raises:
        Malformed: as `allocate`; only a total of 0 needs no weights.
    """
    if not total_minor:
        return {}
    keys = sorted(weights) if remainder == "largest_remainder" else list(weights)
    ordered = [weights[key] for key in keys]
    if remainder == "last":
        sign = -1 if total_minor < 0 else 1
        cut, _ = _cut(abs(total_minor), ordered)
        shares = [sign * part for part in cut[:-1]]
        shares.append(total_minor - sum(shares))
    else:
        shares = allocate(total_minor, ordered)
    parts = dict(zip(keys, shares, strict=True))
    return {key: parts[key] for key in weights if parts[key]}


def _cut(total: int, weights: Sequence[Decimal | int]) -> tuple[list[int], list[int]]:
    """Return the whole parts of a `total` of at least 0 by `weights`, and what each leaves over, in equal fractions."""
    exact = [Decimal(weight) for weight in weights]
    if not exact or any(weight < 0 for weight in exact) or not any(exact):
        raise Malformed("a split needs weights of which none is negative and one is positive")
    shift = max(0, *(-int(weight.as_tuple().exponent) for weight in exact))
    scaled = [int(weight.scaleb(shift, context=EXACT)) for weight in exact]
    whole = sum(scaled)
    shares = [divmod(total * weight, whole) for weight in scaled]
    return [part for part, _ in shares], [rest for _, rest in shares]
