"""Plan versions and their charges: what a subscription pins, frozen for ever."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal

from tenor.catalog.model import Filter
from tenor.kernel.calendar import Interval
from tenor.kernel.ids import ChargeId, CustomerId, PlanVersionId
from tenor.pricing.charges import DimensionKey, Matrix, Percentage, Price
from tenor.pricing.thresholds import UsageThresholds


class ChargeKind(StrEnum):
    """What a charge is paid for."""

    RECURRING = "recurring"  # the plan itself, each period
    SEAT = "seat"  # units held, each period
    USAGE = "usage"  # units of a metric consumed in the period
    ONE_OFF = "one_off"  # once, at the start of the item
    COMMITMENT = "commitment"  # a minimum per period: what the other charges leave short of it
    CAP = "cap"  # a maximum per period: what the other charges cost above it is taken off


class Timing(StrEnum):
    """When a charge is invoiced."""

    ADVANCE = "advance"  # at the start of its service period
    ARREARS = "arrears"  # at its end


class SeatCounting(StrEnum):
    """Which units of a period a seat charge counts."""

    PRORATED = "prorated"  # each unit for the time that it is held
    HIGH_WATER = "high_water"  # the highest number held at any instant of the period, for all of it


class TaxMode(StrEnum):
    """Whether prices hold the tax already."""

    EXCLUSIVE = "exclusive"
    INCLUSIVE = "inclusive"


STANDARD_TAX_CATEGORY: Final = "standard"
"""The tax category of a charge that names none."""


@dataclass(frozen=True, slots=True)
class Charge:
    """One priced part of a plan version.

    `price` holds the charge model with its modifiers (included units, minimum, maximum); the price of a
    commitment or a cap is a flat amount. `interval` None is the plan's own billing interval. `tier_window` is the
    window at whose start tiers and included units begin anew; None is the whole service period.
    `is_prorated` says whether a part of a period costs its share. `counting` is of seats alone. The tax rates
    of its lines hang on `tax_category`. Usage that does not meet `filter` is none of this charge.
    """

    id: ChargeId
    code: str
    name: str
    kind: ChargeKind
    timing: Timing
    price: Price
    interval: Interval | None
    tier_window: Interval | None
    metric: str | None
    default_quantity: Decimal
    is_prorated: bool
    counting: SeatCounting = SeatCounting.PRORATED
    tax_category: str = STANDARD_TAX_CATEGORY
    filter: Filter = ()

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The event properties by which a matrix is priced; none for any other model."""
        return self.price.model.dimensions if isinstance(self.price.model, Matrix) else ()

    @property
    def pools(self) -> Mapping[DimensionKey, Filter]:
        """The cells of a matrix that take several combinations together, and what belongs to each; see `Matrix`."""
        return self.price.model.pools if isinstance(self.price.model, Matrix) else MappingProxyType({})

    @property
    def prices_each_event(self) -> bool:
        """Whether the amount depends on the single events of a period, not on their total alone."""
        model = self.price.model
        return isinstance(model, Percentage) and (
            bool(model.fixed_amount or model.free_events)
            or model.min_per_event is not None
            or model.max_per_event is not None
        )


@dataclass(frozen=True, slots=True)
class PlanCredit:
    """Prepaid credit that a plan promises: `amount` every interval, in units of which each is worth `rate`.

    `per` names the charge whose quantity multiplies it. What is left when the next grant is made rolls over, between
    `rollover_min` and `rollover_max`, or a grant `lasts` for a time of its own. `features` limits what it may pay.
    """

    code: str
    wallet: str
    unit: str
    rate: Decimal
    amount: Decimal
    per: str | None
    every: Interval
    rollover_min: Decimal
    rollover_max: Decimal
    lasts: Interval | None
    priority: int
    category: Literal["paid", "promotional"]
    features: frozenset[str]


@dataclass(frozen=True, slots=True)
class PlanVersion:
    """An immutable edition of a plan in one currency and tax mode.

    `content_hash` is the SHA-256 of the canonical JSON of everything that decides an amount; a stored
    version whose content no longer gives that hash has been tampered with. `profile` names the policy that
    bills it; None is the subscription's own. `customer_id` is the one customer whom it is sold to, by a
    contract; None is anybody. `usage_thresholds` are those of its subscriptions that have no others.
    """

    id: PlanVersionId
    plan: str
    version: int
    name: str
    product: str
    price_book: str
    price_book_version: int
    currency: str
    tax_mode: TaxMode
    interval: Interval
    trial_days: int
    charges: tuple[Charge, ...]
    features: tuple[tuple[str, Decimal | None], ...]
    effective_at: datetime
    content_hash: bytes
    profile: str | None = None
    customer_id: CustomerId | None = None
    credits: tuple[PlanCredit, ...] = ()
    usage_thresholds: UsageThresholds | None = None
