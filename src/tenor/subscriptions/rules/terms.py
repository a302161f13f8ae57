"""Terms: what a customer may agree on a plan version, and what holds where nothing was said."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from tenor.kernel.errors import Malformed
from tenor.kernel.money import RoundingMode, exponent, round_decimal
from tenor.kernel.quantity import parse_quantity, parse_unit_price, plain
from tenor.pricing.model import ChargeKind, PlanVersion
from tenor.subscriptions.errors import Flaw
from tenor.subscriptions.model import Terms

NOTHING: Final[Mapping[str, Decimal]] = MappingProxyType({})
"""No quantities or prices."""

_HELD: Final = frozenset({ChargeKind.SEAT})
"""Kinds of charge of which a customer holds a number of units."""

_PRICED_BY_CONTRACT: Final = frozenset({ChargeKind.RECURRING, ChargeKind.SEAT, ChargeKind.ONE_OFF})
"""Kinds of charge whose unit price a contract may overrule: those with one price that does not hang on usage."""


def agreed_terms(
    plan: PlanVersion,
    *,
    quantities: Mapping[str, Decimal],
    prices: Mapping[str, Decimal],
    held: Mapping[str, Decimal],
) -> tuple[Terms, list[Flaw]]:
    """Return the terms that follow from what was asked for, and everything that is wrong with it.

    The terms name a quantity for every seat charge of the plan: the one asked for, else the one `held`
    before under the same code, else the plan's default; a default of zero says that it must be asked for.
    """
    agreed, flaws = agreed_quantities(plan, quantities)
    for charge in plan.charges:
        if charge.kind is ChargeKind.SEAT and charge.code not in quantities:
            agreed[charge.code] = held.get(charge.code, charge.default_quantity)
            if charge.code not in held and not charge.default_quantity:
                flaws.append(Flaw(f"quantities.{charge.code}", "missing, and the plan has no default"))
    prices_read, price_flaws = agreed_prices(plan, prices)
    return Terms(agreed, prices_read), flaws + price_flaws


def agreed_quantities(plan: PlanVersion, quantities: Mapping[str, Decimal]) -> tuple[dict[str, Decimal], list[Flaw]]:
    """Return the quantities asked for, and everything that is wrong with them; only seat charges have one."""
    return _read(plan, quantities, "quantities", _HELD, parse_quantity)


def agreed_prices(plan: PlanVersion, prices: Mapping[str, Decimal]) -> tuple[dict[str, Decimal], list[Flaw]]:
    """Return the unit prices asked for, and everything that is wrong with them."""
    agreed, flaws = _read(plan, prices, "prices", _PRICED_BY_CONTRACT, parse_unit_price)
    return agreed, flaws + _too_fine(plan, agreed)


def changed_prices(
    plan: PlanVersion, prices: Mapping[str, Decimal | None]
) -> tuple[dict[str, Decimal | None], list[Flaw]]:
    """Return the unit prices asked for, None for the plan's own, and everything that is wrong with them."""
    agreed, flaws = agreed_prices(plan, {code: price or Decimal(0) for code, price in prices.items()})
    return {code: None if prices[code] is None else price for code, price in agreed.items()}, flaws


def same_books(held: PlanVersion, target: PlanVersion) -> list[Flaw]:
    """Return a flaw for a target whose amounts could not stand on one document with those of the plan that is held."""
    if (target.currency, target.tax_mode) == (held.currency, held.tax_mode):
        return []
    return [
        Flaw(
            "plan",
            f"{target.plan!r} is in {target.currency}, tax {target.tax_mode};"
            f" the subscription is in {held.currency}, tax {held.tax_mode}",
        )
    ]


def _too_fine(plan: PlanVersion, prices: Mapping[str, Decimal]) -> list[Flaw]:
    """Return a flaw for each whole amount that the currency cannot pay; a unit price may be below a cent."""
    digits = exponent(plan.currency)
    whole = {charge.code for charge in plan.charges if charge.kind is not ChargeKind.SEAT}
    return [
        Flaw(f"prices.{code}", f"{plain(price)} is finer than {plan.currency} has digits")
        for code, price in prices.items()
        if code in whole and price != round_decimal(price, digits=digits, mode=RoundingMode.TRUNC)
    ]


def _read(
    plan: PlanVersion,
    asked: Mapping[str, Decimal],
    field: str,
    kinds: frozenset[ChargeKind],
    parse: Callable[[object], Decimal],
) -> tuple[dict[str, Decimal], list[Flaw]]:
    """Read the values asked for by charge code; a charge must exist and be of one of `kinds`."""
    agreed: dict[str, Decimal] = {}
    flaws: list[Flaw] = []
    for code, value in asked.items():
        kind = next((charge.kind for charge in plan.charges if charge.code == code), None)
        if kind is None:
            known = ", ".join(charge.code for charge in plan.charges)
            flaws.append(Flaw(f"{field}.{code}", f"plan {plan.plan!r} has no such charge; it has {known}"))
        elif kind not in kinds:
            flaws.append(Flaw(f"{field}.{code}", f"not for a {kind} charge, only for {', '.join(sorted(kinds))}"))
        else:
            try:
                agreed[code] = parse(value)
            except Malformed as refusal:
                flaws.append(Flaw(f"{field}.{code}", refusal.message))
    return agreed, flaws
