"""Charge models over windows of time: commitments per window, and quotas that reset with their window."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from tenor.pricing.charges.checks import InvalidPrice, check_numbers

ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)
MINUTES_PER_DAY: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """Minutes [`from_minute`, `to_minute`) of the local day, with what they change; None inherits the item's value.

    A span whose end is not after its start runs over midnight.
    """

    from_minute: int
    to_minute: int
    unit_amount: Decimal | None = None
    commitment_amount: Decimal | None = None
    commitment_units: Decimal | None = None
    overage_factor: Decimal | None = None
    true_up: bool | None = None

    def __post_init__(self) -> None:
        check_numbers(self)
        for name in ("from_minute", "to_minute"):
            if getattr(self, name) > MINUTES_PER_DAY:
                raise InvalidPrice(name, f"a day has {MINUTES_PER_DAY} minutes")

    @property
    def names_a_commitment(self) -> bool:
        """Whether these hours have a commitment of their own."""
        return self.commitment_amount is not None or self.commitment_units is not None

    def holds(self, minute: int) -> bool:
        """Whether `minute` of the day lies in these hours."""
        if self.from_minute < self.to_minute:
            return self.from_minute <= minute < self.to_minute
        return minute >= self.from_minute or minute < self.to_minute


@dataclass(frozen=True, slots=True)
class WindowedCommitment:
    """A commitment per window of time (such as an hour), in money or in units at the unit price.

    A window that costs less is topped up when `true_up` is set; what goes above costs × `overage_factor`.
    With `time_of_day`, windows inside those hours follow them; windows outside keep the item's own
    commitment only if some hours name one of their own.
    """

    unit_amount: Decimal
    commitment_amount: Decimal | None = None
    commitment_units: Decimal | None = None
    overage_factor: Decimal = ONE
    true_up: bool = False
    time_of_day: tuple[TimeOfDay, ...] = ()

    def __post_init__(self) -> None:
        check_numbers(self)


@dataclass(frozen=True, slots=True)
class QuotaWindows:
    """What each window used above its quota: units × `unit_amount`, or money already when `quota_in` is amount."""

    unit_amount: Decimal = ZERO
    quota_in: Literal["units", "amount"] = "units"

    def __post_init__(self) -> None:
        check_numbers(self)


@dataclass(frozen=True, slots=True)
class ParallelQuotaWindows:
    """Usage while at least one of several overlapping quotas is exhausted, counted once."""

    unit_amount: Decimal = ZERO
    quota_in: Literal["units", "amount"] = "units"

    def __post_init__(self) -> None:
        check_numbers(self)
