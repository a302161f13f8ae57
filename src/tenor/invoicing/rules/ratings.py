"""Ratings: what one due costs, exactly, and how it came about."""

from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from tenor.invoicing.rules.dues import Due
from tenor.kernel.quantity import plain


class Rating(NamedTuple):
    """What one due costs before it is rounded: the exact amount in major units, and how it came about.

    `whole` is what it would cost if service went on to the end of its period, None where that is the amount
    itself: an amount off is due in the same part as the price.
    """

    due: Due
    dimension: str
    exact: Decimal | Fraction
    trace: dict[str, Any]
    whole: Decimal | Fraction | None = None


def exact_text(value: Decimal | Fraction) -> str:
    """Return an exact number: as a decimal, or as 'numerator/denominator' where a decimal never ends."""
    if isinstance(value, Decimal):
        return plain(value)
    return str(value.numerator) if value.denominator == 1 else f"{value.numerator}/{value.denominator}"
