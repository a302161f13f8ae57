"""Charge models: how units become money, as frozen values that are checked when they are made.

Amounts are decimals in major units of the price book's currency (or of its pricing unit); they may be
far below a cent. Percentages are numbers: 20 means 20 %. What each model costs is written, with worked
tables, in docs/algorithms/rating.md; the arithmetic stands in tenor.pricing.rules.rating.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Literal

from tenor.catalog.model import Condition, Filter
from tenor.kernel.errors import Refusal
from tenor.kernel.money import RoundingMode
from tenor.pricing.charges.checks import (
    InvalidPrice,
    MissingPriceField,
    check_not_crossed,
    check_numbers,
    check_positive,
    check_tiers,
)
from tenor.pricing.charges.windowed import ParallelQuotaWindows, QuotaWindows, WindowedCommitment

ZERO: Final = Decimal(0)


class UnpricedDimension(Refusal):
    """Usage of a dimension that the matrix neither prices nor has a default for; it must never cost 0 silently."""

    code = "unpriced_dimension"


@dataclass(frozen=True, slots=True)
class Tier:
    """The units above the tier below, up to and including `up_to` (None: without end), and what they cost.

    n units cost n × `unit_amount`, or started blocks of `block_size` × `block_amount`, plus `rate_percent`
    of n; all that at most `max_amount`; plus `flat_amount` once the tier is entered.
    """

    up_to: Decimal | None
    unit_amount: Decimal | None = None
    flat_amount: Decimal | None = None
    block_size: Decimal | None = None
    block_amount: Decimal | None = None
    rate_percent: Decimal | None = None
    max_amount: Decimal | None = None

    def __post_init__(self) -> None:
        check_numbers(self)
        check_positive(block_size=self.block_size)
        if (self.block_size is None) != (self.block_amount is None):
            missing = "block_size" if self.block_size is None else "block_amount"
            raise MissingPriceField(missing, "blocks have both a size and an amount")
        if self.block_amount is not None and self.unit_amount is not None:
            raise InvalidPrice("unit_amount", "a tier is priced by the unit or by the block, not both")


@dataclass(frozen=True, slots=True)
class Standard:
    """Every unit costs the same."""

    unit_amount: Decimal

    def __post_init__(self) -> None:
        check_numbers(self)


@dataclass(frozen=True, slots=True)
class Flat:
    """A fixed amount, whatever the usage."""

    amount: Decimal

    def __post_init__(self) -> None:
        check_numbers(self)


@dataclass(frozen=True, slots=True)
class Graduated:
    """Each unit at the price of the tier it falls into; units beyond a last bounded tier cost nothing.

    Tiers with `rate_percent` make it a graduated percentage.
    """

    tiers: tuple[Tier, ...]

    def __post_init__(self) -> None:
        check_tiers(self.tiers)


@dataclass(frozen=True, slots=True)
class Volume:
    """All units at the price of the one tier that holds their number; beyond the last tier, at its price."""

    tiers: tuple[Tier, ...]

    def __post_init__(self) -> None:
        check_tiers(self.tiers)


@dataclass(frozen=True, slots=True)
class Stairstep:
    """The `flat_amount` of the tier reached; without usage `zero_usage_amount`, else that of the first tier."""

    tiers: tuple[Tier, ...]
    zero_usage_amount: Decimal | None = None

    def __post_init__(self) -> None:
        check_numbers(self)
        check_tiers(self.tiers)
        for position, tier in enumerate(self.tiers):
            if tier != Tier(tier.up_to, flat_amount=tier.flat_amount) or tier.flat_amount is None:
                raise InvalidPrice(f"tiers[{position}]", "a step has a flat_amount and no other price")


@dataclass(frozen=True, slots=True)
class Package:
    """Packages of `size` units; a started package counts whole (`round` up) or not at all (down)."""

    size: Decimal
    amount: Decimal
    round: Literal["up", "down"] = "up"

    def __post_init__(self) -> None:
        check_numbers(self)
        check_positive(size=self.size)


@dataclass(frozen=True, slots=True)
class Percentage:
    """A share of a transacted amount, perhaps with a fixed amount, a free allowance and bounds per event.

    An event is free while its number is at most `free_events` and the running sum at most `free_amount`
    (0 or None: not a limit; with neither, none is free). `min_per_event` and `max_per_event` bound what
    a paid event costs with its fixed amount.
    """

    rate_percent: Decimal
    fixed_amount: Decimal = ZERO
    free_events: int | None = None
    free_amount: Decimal | None = None
    min_per_event: Decimal | None = None
    max_per_event: Decimal | None = None

    def __post_init__(self) -> None:
        check_numbers(self)
        check_not_crossed(low=self.min_per_event, high=self.max_per_event, path="min_per_event")


@dataclass(frozen=True, slots=True)
class Dynamic:
    """Usage that carries its price: the units are money, × `multiplier`; without one, the events' own amounts."""

    multiplier: Decimal | None = None

    def __post_init__(self) -> None:
        check_numbers(self)


@dataclass(frozen=True, slots=True)
class ProratedGraduated:
    """Graduated over a level that events raise and lower; a piece of an event costs its prorated share.

    The flat fee of every tier that the level ever touched stays due.
    """

    tiers: tuple[Tier, ...]

    def __post_init__(self) -> None:
        check_tiers(self.tiers)
        for position, tier in enumerate(self.tiers):
            if tier != Tier(tier.up_to, unit_amount=tier.unit_amount, flat_amount=tier.flat_amount):
                raise InvalidPrice(f"tiers[{position}]", "a prorated tier has a unit_amount and a flat_amount only")


DimensionKey = tuple[str | tuple[str, ...] | None, ...]
"""What a cell asks of each dimension: one value, one of several, or None, which is any."""


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """The model for usage whose dimensions are as `key` asks, in the order of the matrix.

    What a cell takes together has one total, and begins in its first tier once.
    """

    key: DimensionKey
    model: "ChargeModel"

    @property
    def is_pool(self) -> bool:
        """Whether more than one combination of values belongs to it."""
        return not all(isinstance(asked, str) for asked in self.key)


@dataclass(frozen=True, slots=True)
class Matrix:
    """One model per combination of dimension values, each from its own first tier; `default` prices the rest.

    Usage belongs to the cell that asks most of it, of several such to the first.
    """

    dimensions: tuple[str, ...]
    cells: tuple[MatrixCell, ...]
    default: "ChargeModel | None" = None

    def __post_init__(self) -> None:
        if not self.dimensions:
            raise MissingPriceField("dimensions", "a matrix needs at least one dimension")
        seen: set[DimensionKey] = set()
        for position, cell in enumerate(self.cells):
            if len(cell.key) != len(self.dimensions):
                wanted = " and ".join(self.dimensions)
                raise InvalidPrice(f"cells[{position}].key", f"{list(cell.key)} does not name a value of {wanted}")
            if cell.key in seen:
                raise InvalidPrice(f"cells[{position}].key", f"{list(cell.key)} is priced twice")
            seen.add(cell.key)

    @property
    def pools(self) -> Mapping[DimensionKey, Filter]:
        """The keys of the cells and what belongs to each, the first that is met deciding; empty where none is a pool.

        Then usage comes by these keys, and by its own values only where it belongs to no cell.
        """
        if not any(cell.is_pool for cell in self.cells):
            return MappingProxyType({})
        by_demand = sorted(self.cells, key=lambda cell: cell.key.count(None))
        return MappingProxyType({cell.key: self._filter(cell.key) for cell in by_demand})

    def _filter(self, key: DimensionKey) -> Filter:
        asked = (
            (name, (part,) if isinstance(part, str) else part) for name, part in zip(self.dimensions, key, strict=True)
        )
        return tuple(Condition(name, values) for name, values in asked if values is not None)

    def text_of(self, key: DimensionKey) -> str:
        """Return a key as one text, another for each: with pools `|` stands between values, `*` for any of them.

        Of several dimensions slashes inside values are doubled, and with pools every sign that could be taken for one.
        """
        doubled = "/|*" if self.pools else "/" if len(key) > 1 else ""
        return " / ".join(
            "*"
            if asked is None
            else " | ".join(_doubled(value, doubled) for value in ((asked,) if isinstance(asked, str) else asked))
            for asked in key
        )

    def model_for(self, key: DimensionKey) -> "ChargeModel":
        """Return the model that prices usage of `key`.

        Raises:
            UnpricedDimension: no cell has this key and there is no default.
        """
        for cell in self.cells:
            if cell.key == key:
                return cell.model
        if self.default is None:
            place = ", ".join(f"{name} = {value!r}" for name, value in zip(self.dimensions, key, strict=True))
            raise UnpricedDimension(f"no price for {place}", dimensions=list(self.dimensions), key=list(key))
        return self.default


def _doubled(value: str, signs: str) -> str:
    for sign in signs:
        value = value.replace(sign, sign * 2)
    return value


@dataclass(frozen=True, slots=True)
class MetricPart:
    """The model for one of several metrics."""

    metric: str
    model: "ChargeModel"


@dataclass(frozen=True, slots=True)
class MetricSum:
    """Several metrics, each priced by its own model, summed."""

    parts: tuple[MetricPart, ...]


@dataclass(frozen=True, slots=True)
class MetricBound:
    """How much of one metric still fits; None is any amount."""

    metric: str
    up_to: Decimal | None

    def __post_init__(self) -> None:
        check_numbers(self)


@dataclass(frozen=True, slots=True)
class CapacityTier:
    """What a capacity costs into which every one of its metrics fits."""

    bounds: tuple[MetricBound, ...]
    flat_amount: Decimal

    def __post_init__(self) -> None:
        check_numbers(self)


@dataclass(frozen=True, slots=True)
class Capacity:
    """The first tier into which every metric fits, else the last; all metrics zero: `zero_usage_amount`, else 0."""

    tiers: tuple[CapacityTier, ...]
    zero_usage_amount: Decimal = ZERO

    def __post_init__(self) -> None:
        check_numbers(self)
        if not self.tiers:
            raise MissingPriceField("tiers", "there is no tier")


ChargeModel = (
    Standard
    | Graduated
    | Flat
    | Volume
    | Package
    | Percentage
    | Stairstep
    | Dynamic
    | ProratedGraduated
    | Matrix
    | MetricSum
    | Capacity
    | WindowedCommitment
    | QuotaWindows
    | ParallelQuotaWindows
)
"""Every way in which the engine turns usage into money; a `match` over it is exhaustive."""


@dataclass(frozen=True, slots=True)
class UnitConversion:
    """Turns metered units into priced ones (bytes into gigabytes), then rounds them."""

    operation: Literal["divide", "multiply"]
    factor: Decimal
    rounding: RoundingMode = RoundingMode.NONE
    digits: int = 0  # negative: tens, hundreds …

    def __post_init__(self) -> None:
        check_numbers(self, signed=("digits",))
        check_positive(factor=self.factor)


_CONVERTIBLE: Final = (Standard, Graduated, Volume, Stairstep, Matrix, MetricSum, Capacity)
_WITH_FREE_UNITS: Final = (Standard, Graduated, Volume, Stairstep, Package)


@dataclass(frozen=True, slots=True)
class Price:
    """What one charge costs: a model, and what is done before and after it, in the order of the fields.

    Units are converted, then `free_units` (the included ones) are taken off, then the model prices them;
    a price in a pricing unit (tokens, points) becomes money × `pricing_unit_rate`; then `percent_off`,
    then at most `max_amount`, then at least `min_amount`, each over the whole period.

    Raises:
        InvalidPrice: a subclass names the reason, `path` the field.
    """

    model: ChargeModel
    unit_conversion: UnitConversion | None = None
    free_units: Decimal = ZERO
    pricing_unit_rate: Decimal | None = None
    percent_off: Decimal = ZERO
    max_amount: Decimal | None = None
    min_amount: Decimal | None = None

    def __post_init__(self) -> None:
        check_numbers(self)
        check_not_crossed(low=self.min_amount, high=self.max_amount, path="min_amount")
        if self.percent_off > 100:
            raise InvalidPrice("percent_off", "more than 100 % cannot be taken off")
        model_name = type(self.model).__name__
        if self.unit_conversion and not isinstance(self.model, _CONVERTIBLE):
            raise InvalidPrice("unit_conversion", f"{model_name} has no unit price that another unit could have")
        if self.free_units and not isinstance(self.model, _WITH_FREE_UNITS):
            raise InvalidPrice("free_units", f"{model_name} does not price one number of units")
