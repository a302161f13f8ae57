"""Refusals of a price, each naming the field, and the checks that the values of this package share."""

from collections.abc import Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Any, Protocol, Self

from tenor.kernel.errors import Malformed
from tenor.kernel.quantity import NotADecimal, parse_decimal, plain


class InvalidPrice(Malformed):
    """A price that cannot be charged. `path` leads to the field, as in `tiers[1].up_to`; '' is the price itself."""

    code = "invalid_price"

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}" if path else problem, path=path)
        self.path = path
        self.problem = problem

    def under(self, prefix: str) -> Self:
        """Return the same refusal as seen from a value that holds the refused one at `prefix`."""
        joint = "." if self.path and not self.path.startswith("[") else ""
        return type(self)(f"{prefix}{joint}{self.path}", self.problem)


class InvalidPriceNumber(InvalidPrice):
    """A number that is not a plain decimal within bounds, or is negative where only 0 and above make sense."""

    code = "invalid_price_number"


class SizeNotPositive(InvalidPrice):
    """A block, a package or a conversion factor of size zero, by which nothing can be divided."""

    code = "size_not_positive"


class TiersNotAscending(InvalidPrice):
    """A tier that ends where, or before, the tier below it ends."""

    code = "tiers_not_ascending"


class OpenTierNotLast(InvalidPrice):
    """A tier without an end that is followed by another one."""

    code = "open_tier_not_last"


class UnknownChargeModel(InvalidPrice):
    """A charge model that the engine has no rule for."""

    code = "unknown_charge_model"


class UnknownPriceField(InvalidPrice):
    """A field that its charge model does not have."""

    code = "unknown_price_field"


class MissingPriceField(InvalidPrice):
    """A field without which its charge model says nothing."""

    code = "missing_price_field"


class HasUpTo(Protocol):
    """Anything that ends at a number of units; None is open."""

    @property
    def up_to(self) -> Decimal | None:
        """The last unit that belongs to it."""


def check_numbers(value: Any, *, signed: Sequence[str] = ()) -> None:
    """Read every number of a new dataclass `value` within the kernel's bounds; only `signed` fields may be negative.

    Runs before any arithmetic, so that NaN, 1e999 or a bool never reaches a price.
    """
    for field in fields(value):
        number = getattr(value, field.name)
        if field.type not in (Decimal, Decimal | None, int, int | None) or number is None:
            continue
        try:
            read = parse_decimal(number, name=field.name)
        except NotADecimal as refusal:
            raise InvalidPriceNumber(field.name, refusal.message.removeprefix(f"{field.name}: ")) from None
        if read < 0 and field.name not in signed:
            raise InvalidPriceNumber(field.name, f"{plain(read)} is negative")
        if field.type in (int, int | None):
            if read != int(read):
                raise InvalidPriceNumber(field.name, f"{plain(read)} is not a whole number")
            object.__setattr__(value, field.name, int(read))
        else:
            object.__setattr__(value, field.name, read)


def check_positive(**sizes: Decimal | None) -> None:
    """Refuse a size of zero; the keyword is the field's name. None is a size that is not used."""
    for name, size in sizes.items():
        if size is not None and size <= 0:
            raise SizeNotPositive(name, f"{plain(size)} is not above 0")


def check_not_crossed(*, low: Decimal | None, high: Decimal | None, path: str) -> None:
    """Refuse a minimum above its maximum; `path` is the field that holds the minimum."""
    if low is not None and high is not None and low > high:
        raise InvalidPrice(path, f"{plain(low)} is above the maximum of {plain(high)}")


def check_tiers(tiers: Sequence[HasUpTo]) -> None:
    """Refuse an empty list, a tier that does not end above the one before, and an open tier that is not the last."""
    if not tiers:
        raise MissingPriceField("tiers", "there is no tier")
    below: Decimal | None = None
    for position, tier in enumerate(tiers):
        path = f"tiers[{position}].up_to"
        if tier.up_to is None:
            if position != len(tiers) - 1:
                raise OpenTierNotLast(path, "only the last tier may be open; give this one an end")
        elif below is not None and tier.up_to <= below:
            raise TiersNotAscending(path, f"{plain(tier.up_to)} is not above {plain(below)}, where the tier below ends")
        below = tier.up_to
