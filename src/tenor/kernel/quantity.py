"""Quantities and unit prices: bounded exact decimals, refused before any arithmetic when they are not."""

import re
from decimal import Decimal
from typing import Final, NewType

from tenor.kernel.errors import Malformed
from tenor.kernel.money import EXACT, exponent, to_minor

Quantity = NewType("Quantity", Decimal)
"""Units of something: below 10^15 in size, at most 12 digits after the point."""

UnitPrice = NewType("UnitPrice", Decimal)
"""Price of one unit in major units of a currency: the same bounds; may be far below a cent."""

INTEGER_DIGITS: Final = 15
FRACTION_DIGITS: Final = 12
TEXT_LENGTH_MAX: Final = 40

_SMALL: Final = 10**INTEGER_DIGITS
_DECIMAL_TEXT: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")


class NotADecimal(Malformed):
    """A number that is not a plain finite decimal inside the bounds."""

    code = "not_a_decimal"


def parse_decimal(value: object, *, name: str = "number", fraction_digits: int = FRACTION_DIGITS) -> Decimal:
    """Read `value` as an exact decimal within the bounds of this module.

    Accepts `int`, `Decimal` and ASCII text such as '12.50' or '1e-6'. Refuses floats (they are not
    exact), bools, NaN, infinities, other digits than 0–9, underscores, spaces, and any value that
    has more than 15 digits before or `fraction_digits` after the point. Text is measured before it
    is converted, so '1e999999' costs nothing.

    Raises:
        NotADecimal: with `name`, which says what the number was meant to be.
    """
    if type(value) is int and -_SMALL < value < _SMALL:  # what a counter sends, a million times an hour
        return Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise NotADecimal(f'{name}: {_shown(value)} is not a decimal number (write it as text, e.g. "12.50")')
    if isinstance(value, str):
        if len(value) > TEXT_LENGTH_MAX or not value.isascii() or not _DECIMAL_TEXT.fullmatch(value):
            raise NotADecimal(f"{name}: {_shown(value)} is not a decimal number such as 12.50")
        value = Decimal(value)
    elif isinstance(value, int):
        if value.bit_length() > 64:
            raise NotADecimal(f"{name}: a number of {value.bit_length()} bits is too large")
        value = Decimal(value)
    if not value.is_finite():
        raise NotADecimal(f"{name}: {value} is not a finite number")
    if value and value.adjusted() >= INTEGER_DIGITS:
        raise NotADecimal(f"{name}: {_shown(value)} has more than {INTEGER_DIGITS} digits before the point")
    if -int(value.as_tuple().exponent) > fraction_digits:
        kept = value.normalize(EXACT)
        if not kept or -int(kept.as_tuple().exponent) > fraction_digits:
            raise NotADecimal(f"{name}: {_shown(value)} has more than {fraction_digits} digits after the point")
        value = kept
    return value if value else Decimal(0)


def parse_quantity(value: object, *, name: str = "quantity") -> Quantity:
    """Read `value` as a quantity that is not negative; see `parse_decimal` for what is refused."""
    number = parse_decimal(value, name=name)
    if number < 0:
        raise NotADecimal(f"{name}: {number} is negative")
    return Quantity(number)


def parse_unit_price(value: object, *, name: str = "unit price") -> UnitPrice:
    """Read `value` as a unit price that is not negative; see `parse_decimal` for what is refused."""
    number = parse_decimal(value, name=name)
    if number < 0:
        raise NotADecimal(f"{name}: {number} is negative")
    return UnitPrice(number)


def parse_amount(value: object, currency: str, *, name: str = "amount") -> int:
    """Read an amount in major units as minor units of `currency`, exactly; see `parse_decimal` for what is refused.

    Raises:
        NotADecimal: also for more digits than the currency has.
        UnknownCurrency: there is no such currency.
    """
    return to_minor(parse_decimal(value, name=name, fraction_digits=exponent(currency)), currency)


def plain(value: Decimal) -> str:
    """Return `value` in plain notation without trailing zeros: 1E+3 → '1000', 2.50 → '2.5'."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def _shown(value: object) -> str:
    text = str(value) if isinstance(value, Decimal) else repr(value)
    return text if len(text) <= TEXT_LENGTH_MAX else f"{text[:TEXT_LENGTH_MAX]}…"
