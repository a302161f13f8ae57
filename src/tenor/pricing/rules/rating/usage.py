"""What is rated: the units of one charge in one period, in the shape that its model needs."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, Self

from tenor.kernel.money import RoundingMode, exponent, round_decimal
from tenor.pricing.charges import DimensionKey
from tenor.pricing.policy import Rounding

ZERO: Final = Decimal(0)


class UsageEvent(NamedTuple):
    """One event of a period, for the models that look at events.

    `amount` is the price an event carries itself (Dynamic), `prorated_units` its units × its share of
    the period (ProratedGraduated), `value` and `is_removal` belong to unique counts.
    """

    units: Decimal = ZERO
    amount: Decimal = ZERO
    prorated_units: Decimal = ZERO
    at: datetime | None = None
    value: str | None = None
    is_removal: bool = False


class UsageWindow(NamedTuple):
    """The units of one window of time; `at` is its start in the customer's zone, None when it has none."""

    units: Decimal
    at: datetime | None = None


class QuotaWindow(NamedTuple):
    """One window with a quota: what was used in it, or from when to when it was exhausted."""

    quota: Decimal
    used: Decimal = ZERO
    exhausted_at: datetime | None = None
    end: datetime | None = None


class Usage(NamedTuple):
    """The usage of one charge in one period (or segment of it); bounded decimals, already deduplicated.

    `units` is enough for most models. `tier_units` picks a volume tier by another number than the one
    priced. `buckets` are priced each alone, instead of `units`.
    """

    units: Decimal = ZERO
    events: tuple[UsageEvent, ...] = ()
    tier_units: Decimal | None = None
    buckets: tuple[Decimal, ...] | None = None
    by_dimension: Mapping[DimensionKey, Decimal] = MappingProxyType({})
    by_metric: Mapping[str, Decimal] = MappingProxyType({})
    windows: tuple[UsageWindow, ...] = ()
    quotas: tuple[QuotaWindow, ...] = ()


class Segment(NamedTuple):
    """Which part of a period is rated, when it is billed in several parts.

    `units_before` and `billed_before` are what earlier segments metered and billed; `units_before` None
    says that nothing has been priced before, not even a flat fee that is due without usage. The flags say
    what falls into this segment: a flat amount, a volume price (which every unit moves), the minimum.
    """

    units_before: Decimal | None = None
    billed_before: Decimal = ZERO
    bills_flat: bool = True
    bills_volume: bool = True
    asks_minimum: bool = True

    @classmethod
    def at(
        cls,
        position: Literal["only", "middle", "last"],
        *,
        timing: str,
        units_before: Decimal = ZERO,
        billed_before: Decimal = ZERO,
    ) -> Self:
        """Return the segment at `position`: volume and minimum come with the last one.

        A flat amount in advance comes with the first one, in arrears with the last.
        """
        is_whole, is_end = position == "only", position != "middle"
        return cls(
            units_before=None if is_whole and not units_before else units_before,
            billed_before=billed_before,
            bills_flat=is_whole or (is_end and timing == "arrears"),
            bills_volume=is_end,
            asks_minimum=is_end,
        )


WHOLE_PERIOD: Final = Segment()
RUNNING_TOTAL: Final = Segment(asks_minimum=False)
"""The period so far, from its start."""


class MoneyRounding(NamedTuple):
    """How amounts of one currency are rounded: a policy's rounding with its digits known."""

    mode: RoundingMode
    digits: int

    @classmethod
    def of(cls, rounding: Rounding, *, currency: str) -> Self:
        """Return `rounding` with the currency's own minor digits where it names none."""
        return cls(rounding.mode, exponent(currency) if rounding.digits is None else rounding.digits)

    def apply(self, amount: Decimal) -> Decimal:
        """Return `amount` rounded."""
        return round_decimal(amount, digits=self.digits, mode=self.mode)


UNROUNDED: Final = MoneyRounding(RoundingMode.NONE, 0)
