"""Read the credits of a plan: how much prepaid credit it promises every month, and what of it lasts."""

from decimal import Decimal
from functools import partial
from typing import Any, Final

from tenor.kernel.calendar import Interval
from tenor.kernel.errors import Malformed
from tenor.kernel.money import CURRENCIES
from tenor.kernel.quantity import plain
from tenor.pricing.definition import interval_to_json
from tenor.pricing.price_book.fields import (
    Field,
    Reader,
    Spot,
    code,
    not_above,
    number,
    one_of,
    peek,
    read_fields,
    read_items,
    reference,
    report_repeated,
    spot_below,
    text,
    whole_number,
)
from tenor.pricing.price_book.intervals import interval

PRIORITY_MAX: Final = 255
_CATEGORIES: Final = ("promotional", "paid")
_UNIT_LENGTH_MAX: Final = 32


def read_credits(
    spot: Spot,
    *,
    charges: frozenset[str],
    plan_interval: Interval | None,
    currency: str | None,
) -> dict[str, dict[str, Any]]:
    """Read the credits of a plan, by their codes, as the definition keeps them.

    `charges` are the codes of the plan's own charges; what cannot be read of the plan is None.
    """
    read = partial(_credit, charges=charges, plan_interval=plan_interval, currency=currency)
    found = read_items(spot, read)
    report_repeated("code", [(item, (body_code,)) for item, (body_code, _) in found])
    return dict(body for _, body in found)


def _credit(
    spot: Spot,
    *,
    charges: frozenset[str],
    plan_interval: Interval | None,
    currency: str | None,
) -> tuple[str, dict[str, Any]]:
    most = peek(spot, "rollover_max", number())
    unit = peek(spot, "unit", _unit)
    values = read_fields(
        spot,
        {
            "code": Field(code),
            "amount": Field(number(above_zero=True)),
            "wallet": Field(code, "main"),
            "unit": Field(_unit, currency),
            "rate": Field(_rate(unit, currency), Decimal(1)),
            "per": Field(reference("charge", charges, declared="in this plan"), None),
            "every": Field(interval, plan_interval),
            "rollover_min": Field(not_above(number(), maximum=most or Decimal(0)), Decimal(0)),
            "rollover_max": Field(number(), Decimal(0)),
            "lasts": Field(interval, None),
            "priority": Field(whole_number(at_most=PRIORITY_MAX), PRIORITY_MAX),
            "category": Field(one_of(_CATEGORIES), _CATEGORIES[0]),
            "features": Field(_codes, []),
        },
    )
    below = spot_below(spot, "lasts")
    if below and most:
        below.report("a grant lasts for a time of its own, or rolls over; not both")
    body = {
        "wallet": values["wallet"],
        "unit": values["unit"],
        "amount": plain(values["amount"]),
        "every": None if values["every"] is None else interval_to_json(values["every"]),
        "priority": values["priority"],
        "category": values["category"],
    }
    body |= {name: plain(values[name]) for name in ("rate",) if values[name] != 1}
    body |= {name: plain(values[name]) for name in ("rollover_min", "rollover_max") if values[name]}
    if values["lasts"]:
        body["lasts"] = interval_to_json(values["lasts"])
    body |= {name: values[name] for name in ("per", "features") if values[name]}
    return values["code"], body


def _codes(spot: Spot) -> list[str]:
    """Read what credit is limited to: codes of charges, metrics or features, as uses and lines name them."""
    found = read_items(spot, code)
    report_repeated("code", [(item, (word,)) for item, word in found])
    return sorted(word for _, word in found)


def _unit(spot: Spot) -> str:
    word = text(spot)
    if len(word) > _UNIT_LENGTH_MAX or not (word.replace("_", "").isalnum() and word.isascii() and word[0].isalpha()):
        raise Malformed(f"{word!r} is no unit: letters, digits and '_', at most {_UNIT_LENGTH_MAX}")
    return word


def _rate(unit: str | None, currency: str | None) -> Reader[Decimal]:
    """Return the reader of what a unit is worth in the price book's currency."""

    def read(spot: Spot) -> Decimal:
        rate = number(above_zero=True)(spot)
        if (unit is None or unit in CURRENCIES) and rate != 1:
            raise Malformed(f"a unit of {unit or currency} is worth 1; only units of its own have a rate")
        return rate

    return read
