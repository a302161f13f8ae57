"""The trace of a rating: steps whose amounts sum to the result, and the words that explain them.

A trace is stored with its invoice line as JSON; `explain` reads that form, so that an old line is
explained by the same words as a fresh one.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from tenor.kernel.money import exponent
from tenor.kernel.quantity import FRACTION_DIGITS, plain
from tenor.pricing.rules.rating.usage import ZERO, MoneyRounding


class StepKind(StrEnum):
    """What a step does; the names are stored and never change."""

    CONVERTED = "converted"  # metered units became priced ones
    FREE_UNITS = "free_units"  # included units taken off
    UNITS = "units"
    BLOCKS = "blocks"  # started blocks or packages
    PERCENT = "percent"  # a share of the units
    FLAT = "flat"
    CARRIED = "carried"  # a price that came with the usage
    PER_EVENT = "per_event"  # a fixed amount for each paid event
    EVENT_BOUNDS = "event_bounds"  # what the least and the most per event change
    TIER_CAP = "tier_cap"  # what is above the most that a tier may cost
    PRORATED = "prorated"  # one event's move through the tiers
    COMMITTED = "committed"  # within the commitments of the windows
    OVERAGE = "overage"  # above them
    TRUE_UP = "true_up"  # windows topped up to their commitment
    PRICING_UNIT = "pricing_unit"
    ROUNDING = "rounding"
    PERCENT_OFF = "percent_off"
    MAXIMUM = "maximum"
    MINIMUM = "minimum"
    CREDIT = "credit"


PRICED: Final = frozenset(StepKind) - {
    StepKind.CONVERTED,
    StepKind.FREE_UNITS,
    StepKind.PRICING_UNIT,
    StepKind.ROUNDING,
    StepKind.PERCENT_OFF,
    StepKind.MAXIMUM,
    StepKind.MINIMUM,
    StepKind.CREDIT,
}
"""The steps of the charge model itself."""


class Step(NamedTuple):
    """One step. `amount` is what it adds to the result (negative: takes off); all of them sum to it.

    `units` × `price` gives the amount of a priced step. `above` and `up_to` bound the units that the step
    is for, where they lie in a tier. `of` is the quantity that the step starts from: the size of a block,
    the units before a conversion, the amount in pricing units. `name` is the metric or dimension.
    """

    kind: StepKind
    units: Decimal | None = None
    price: Decimal | None = None
    amount: Decimal = ZERO
    above: Decimal | None = None
    up_to: Decimal | None = None
    of: Decimal | None = None
    name: str | None = None


_NUMBERS: Final = ("units", "price", "amount", "above", "up_to", "of")


def steps_to_json(steps: Iterable[Step]) -> list[dict[str, str]]:
    """Return the steps as JSON objects of texts, without the fields that are not set."""
    return [
        {
            name: plain(value) if isinstance(value, Decimal) else str(value)
            for name, value in zip(Step._fields, step, strict=True)
            if value is not None
        }
        for step in steps
    ]


def step_from_json(stored: Mapping[str, str]) -> Step:
    """Read one stored step; the inverse of `steps_to_json`."""
    numbers = {key: Decimal(stored[key]) for key in _NUMBERS if key in stored}
    return Step(kind=StepKind(stored["kind"]), name=stored.get("name"), **numbers)


def explain(steps: Iterable[Step | Mapping[str, str]], *, currency: str) -> list[str]:
    """Return one line of words and arithmetic per step, such as `10 × 5.00 = 50.00 (first 10)`.

    Takes fresh steps or their stored JSON. Money is shown with at least the digits of `currency`.
    """
    digits = exponent(currency)
    read = (step if isinstance(step, Step) else step_from_json(step) for step in steps)
    return [(f"{step.name}: " if step.name else "") + _sentence(step, digits) for step in read]


def line_amounts(steps: Sequence[Step], rounding: MoneyRounding) -> list[Decimal]:
    """Return the amounts of the priced steps once the reductions are spread over them, rounded each.

    A percentage is taken off every line, a maximum off the last lines first, credits pay the first
    lines first; what a minimum adds is a line of its own. Steps that price nothing are no lines.
    """
    lines = [step.amount for step in steps if step.kind in PRICED and (step.units or step.amount)]
    lines = [rounding.apply(line) for line in lines]
    for step in steps:
        match step.kind:
            case StepKind.PRICING_UNIT:
                lines = [rounding.apply(line * (step.price or ZERO)) for line in lines]
            case StepKind.PERCENT_OFF:
                lines = [line - rounding.apply(line * (step.price or ZERO) / 100) for line in lines]
            case StepKind.MAXIMUM:
                lines = _taken_off(lines[::-1], -step.amount)[::-1]
            case StepKind.MINIMUM:
                lines.append(step.amount)
            case StepKind.CREDIT:
                lines = _taken_off(lines, -step.amount)
            case _:
                continue
    return lines


def _taken_off(lines: Sequence[Decimal], reduction: Decimal) -> list[Decimal]:
    left = []
    for line in lines:
        taken = min(line, reduction)
        left.append(line - taken)
        reduction -= taken
    return left


def _sentence(step: Step, digits: int) -> str:
    units, price, amount = _number(step.units), _money(step.price or ZERO, digits), _money(step.amount, digits)
    change = amount if step.amount < 0 else f"+{amount}"
    match step.kind:
        case StepKind.CONVERTED:
            return f"{_number(step.of)} metered units count as {units}"
        case StepKind.FREE_UNITS:
            return f"{units} {'unit' if units == '1' else 'units'} included"
        case StepKind.UNITS:
            return f"{units} × {price} = {amount}{_note(_place(step))}"
        case StepKind.BLOCKS:
            return f"{units} × {price} = {amount}{_note(_place(step), f'blocks of {_number(step.of)}')}"
        case StepKind.PERCENT:
            return f"{units} × {_number(step.price)} % = {amount}{_note(_place(step))}"
        case StepKind.FLAT:
            return f"flat fee {amount}{_note(_place(step))}"
        case StepKind.CARRIED:
            return f"{amount} (the price that came with the usage)"
        case StepKind.PER_EVENT:
            return f"{units} × {price} = {amount} (per event)"
        case StepKind.EVENT_BOUNDS:
            return f"{change} (the least and the most that one event costs)"
        case StepKind.TIER_CAP:
            return f"{change}{_note(_place(step), f'at most {price}')}"
        case StepKind.PRORATED:
            return f"{amount} ({units} units, which count as {_number(step.of)} for their part of the period)"
        case StepKind.COMMITTED:
            return f"{amount} within the commitments"
        case StepKind.OVERAGE:
            return f"{amount} above the commitments"
        case StepKind.TRUE_UP:
            return f"{amount} topped up to the commitments"
        case StepKind.PRICING_UNIT:
            of, rate = step.of or ZERO, step.price or ZERO
            return f"{_number(of)} pricing units × {_number(rate)} = {_money(of + step.amount, digits)}"
        case StepKind.ROUNDING:
            return f"{change} (rounding)"
        case StepKind.PERCENT_OFF:
            return f"{change} ({_number(step.price)} % off)"
        case StepKind.MAXIMUM | StepKind.MINIMUM:
            return f"{change} (at {'most' if step.amount < 0 else 'least'} {price} in the period)"
        case StepKind.CREDIT:
            return f"{change} (credit)"


def _note(*parts: str) -> str:
    said = ", ".join(part for part in parts if part)
    return f" ({said})" if said else ""


def _place(step: Step) -> str:
    """Return where the units lie, in words that also hold for fractions of a unit."""
    if step.above is None:
        return ""
    if step.up_to is None:
        return f"above {plain(step.above)}" if step.above else ""
    if not step.above:
        return f"first {plain(step.up_to)}"
    return f"above {plain(step.above)}, up to {plain(step.up_to)}"


def _number(value: Decimal | None) -> str:
    return plain(value or ZERO).replace("-", "−")


def _money(amount: Decimal, digits: int) -> str:
    """Return `amount` plainly, with at least `digits` after the point; an endless fraction ends in an ellipsis."""
    whole, _, fraction = _number(amount).partition(".")
    fraction = f"{fraction[:FRACTION_DIGITS]}…" if len(fraction) > FRACTION_DIGITS else fraction.ljust(digits, "0")
    return f"{whole}.{fraction}" if fraction else whole
