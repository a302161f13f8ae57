"""What is measured and what happened: metrics, usage events, and the span over which events become one number."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Final, NamedTuple, TypeAlias

from tenor.catalog.model import Aggregation, Filter, kept_dimensions
from tenor.catalog.rules import Expression
from tenor.kernel.errors import Malformed
from tenor.kernel.ids import CustomerId, SubscriptionId
from tenor.kernel.period import Period
from tenor.pricing.policy import Rounding

PropertyValue: TypeAlias = str | int | Decimal | bool | None
"""What a property of an event may hold. Numbers are exact: a float never gets this far."""


_INSTANT: Final = timedelta(microseconds=1)
_DAY: Final = timedelta(days=1)


class UnmeasurableMetric(Malformed):
    """A metric whose settings contradict each other."""

    code = "unmeasurable_metric"


@dataclass(frozen=True, slots=True)
class Metric:
    """How a metric of the catalogue is measured.

    `field` is the property that holds the number (for `unique_count` the value told apart); an `expression` works
    the number out of several; only a count needs neither. `recurring`: what earlier periods added is still there
    (seats, stored bytes).
    `prorated`: each value counts for the days of the period that it was there. `rounding` is applied
    to the total.

    Raises:
        UnmeasurableMetric: nothing, or two things, that could be measured, or a setting that the aggregation
            cannot honour.
    """

    code: str
    aggregation: Aggregation
    field: str | None = None
    recurring: bool = False
    prorated: bool = False
    rounding: Rounding | None = None
    expression: Expression | None = None

    def __post_init__(self) -> None:
        if self.expression is not None and (self.field is not None or not self.aggregation.measures_numbers):
            raise UnmeasurableMetric(f"metric {self.code!r}: {self.aggregation} has no use for the expression")
        if self.field is None and self.expression is None and self.aggregation is not Aggregation.COUNT:
            raise UnmeasurableMetric(f"metric {self.code!r}: {self.aggregation} needs the field that it measures")
        if self.prorated and not self.aggregation.is_additive:
            raise UnmeasurableMetric(f"metric {self.code!r}: {self.aggregation} cannot be prorated by days")
        if self.recurring and not self.aggregation.carries:
            raise UnmeasurableMetric(f"metric {self.code!r}: {self.aggregation} has nothing to carry over")

    @property
    def is_additive(self) -> bool:
        """Whether its level is the sum of what its events add and take away."""
        return self.aggregation.is_additive


_NOTHING_SAID: Final[Mapping[str, PropertyValue]] = {}


class UsageEvent(NamedTuple):
    """Something that a customer used. Immutable: an amendment puts another event in its place.

    `event_id` is the sender's name for it, unique within `source` for ever. `customer` is the id that
    the sender uses (the customer's external id), `occurred_at` the time of use, `recorded_at` the time
    of arrival where it is known.
    """

    event_id: str
    occurred_at: datetime
    properties: Mapping[str, PropertyValue] = _NOTHING_SAID
    source: str = ""
    metric_code: str | None = None
    customer: str | None = None
    subject: str | None = None
    subscription_id: SubscriptionId | None = None
    recorded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Amendment:
    """What becomes of an event that was taken: `replacement` counts in its place, None when it is cancelled."""

    source: str
    event_id: str
    replacement: UsageEvent | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """The time over which events are aggregated, and its place in a full billing period.

    Days are local days of `zone`, and every day that the period touches counts whole. `whole` is the full billing
    period; it is longer than `period` when a subscription starts, ends or changes inside it. `period_days` are its
    days where they are agreed otherwise. `is_handed_over`: something else goes on at the end, to which then also the
    day of the end belongs.
    """

    period: Period
    zone: tzinfo = UTC
    period_days: int | None = None
    whole: Period | None = None
    is_handed_over: bool = False

    @property
    def first_day(self) -> date:
        """The local day on which the period starts."""
        return self.day_of(self.period.start)

    @property
    def last_day(self) -> date:
        """The local day of the last instant inside the period; the one before it where the next part has that day."""
        last = self.day_of(self.period.end - _INSTANT)
        if self.is_handed_over and self.day_of(self.period.end) == last:
            return last - timedelta(days=1)
        return last

    @property
    def days(self) -> int:
        """How many local days the period touches."""
        return (self.last_day - self.first_day).days + 1

    @property
    def full_days(self) -> int:
        """Days of the full billing period: the denominator of every share of days."""
        if self.period_days is not None:
            return self.period_days
        return self.days if self.whole is None else Span(self.whole, self.zone).days

    @property
    def full_microseconds(self) -> int:
        """Length of the full billing period: the denominator of every share of time."""
        if self.period_days is not None:
            return self.period_days * (_DAY // _INSTANT)
        return (self.whole or self.period).microseconds

    def day_of(self, instant: datetime) -> date:
        """Return the local day of `instant`."""
        return instant.astimezone(self.zone).date()

    def days_from(self, instant: datetime) -> int:
        """Return the days left at `instant`, its own day included."""
        return (self.last_day - self.day_of(instant)).days + 1


DimensionValues: TypeAlias = tuple[str, ...]
"""The values of a window's dimensions, in their order; "" stands for an absent property."""

Part: TypeAlias = DimensionValues | int
"""What a number of a window is of: a combination of values, or a pool, by its place among them."""


class UsageWindow(NamedTuple):
    """One number asked for: a metric of one customer over a span.

    With `subscription_id`, usage that names another subscription is left out; usage that names none
    counts. Usage that does not meet `filter` does not count. With `dimensions`, properties of the events, there is one
    number for each combination of values, but for what one of the `pools` takes together: those are filters over the
    dimensions, of which the first that is met decides.
    """

    customer_id: CustomerId
    metric: Metric
    span: Span
    subscription_id: SubscriptionId | None = None
    dimensions: tuple[str, ...] = ()
    filter: Filter = ()
    pools: tuple[Filter, ...] = ()

    @property
    def kept_dimensions(self) -> tuple[str, ...]:
        """By what the usage has to be kept apart for it."""
        return kept_dimensions(self.dimensions, self.filter)
