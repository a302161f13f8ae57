"""Prices worked out before, and the one place where an exact amount becomes minor units."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

from tenor.kernel.ids import ChargeId
from tenor.kernel.money import MINOR_LIMIT, AmountTooLarge, RoundingMode, divide_rounded, exponent
from tenor.pricing.charges import Flat, Price, Standard
from tenor.pricing.model import Charge, ChargeKind
from tenor.pricing.policy import Policy
from tenor.pricing.rules.rating import UNROUNDED, Rated, Usage, rate, steps_to_json

REMEMBERED_MAX: Final = 5_000
"""Prices that a `PriceMemory` holds at most."""


class PriceMemory:
    """Prices that have been worked out before: many subscriptions of a run have the same terms.

    Purely a saving: what it returns is what `rate` returns for the same charge, units and price. It forgets
    everything when it has grown large, so that the memory of a run does not grow with its subscriptions.
    """

    def __init__(self, policy: Policy, *, currency: str) -> None:
        self.policy = policy
        self.digits = exponent(currency)
        self._rated: dict[tuple[ChargeId, Decimal, Decimal | None], tuple[Decimal, list[dict[str, str]]]] = {}

    def amount(self, charge: Charge, units: Decimal, price: Decimal | None) -> tuple[Decimal, list[dict[str, str]]]:
        """Return the exact amount of `units` of `charge` and its steps; `price` overrules the plan's own."""
        key = (charge.id, units, price)
        known = self._rated.get(key)
        if known is None:
            if len(self._rated) >= REMEMBERED_MAX:
                self._rated.clear()
            rated = self.rate(charge.price if price is None else _overruled(charge, price), Usage(units=units))
            known = self._rated[key] = (rated.amount, steps_to_json(rated.steps))
        return known

    def rate(self, price: Price, usage: Usage) -> Rated:
        """Return the exact price of `usage`."""
        return rate(price, usage, self.policy.rating, UNROUNDED)


def to_minor_exact(amount: Decimal | Fraction, digits: int, mode: RoundingMode) -> int:
    """Return an exact amount in major units as minor units, rounded once by `mode`.

    Raises:
        AmountTooLarge: the ledger cannot hold it.
    """
    numerator, denominator = amount.as_integer_ratio()
    minor = divide_rounded(numerator * 10**digits, denominator, mode)
    if abs(minor) >= MINOR_LIMIT:
        raise AmountTooLarge(f"{minor} minor units cannot be kept in the ledger")
    return minor


def _overruled(charge: Charge, price: Decimal) -> Price:
    """Return the charge's price with a subscription's own amount in place of the plan's model."""
    return replace(charge.price, model=Standard(price) if charge.kind is ChargeKind.SEAT else Flat(price))
