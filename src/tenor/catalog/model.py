"""What can be sold and measured: products, metrics, features."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from tenor.kernel.money import RoundingMode


class Aggregation(StrEnum):
    """How the events of a metric become one number."""

    COUNT = "count"
    SUM = "sum"
    MAX = "max"
    MIN = "min"
    AVG = "avg"
    LATEST = "latest"
    UNIQUE_COUNT = "unique_count"
    WEIGHTED_SUM = "weighted_sum"

    @property
    def is_additive(self) -> bool:
        """Whether a number is the sum of what its events add and take away; only such can be prorated by days."""
        return self in {Aggregation.COUNT, Aggregation.SUM, Aggregation.UNIQUE_COUNT}

    @property
    def carries(self) -> bool:
        """Whether what earlier periods left behind can still be there."""
        return self.is_additive or self in {Aggregation.LATEST, Aggregation.WEIGHTED_SUM}

    @property
    def measures_numbers(self) -> bool:
        """Whether it goes by a number in each event: not by its presence, nor by a value told apart."""
        return self not in {Aggregation.COUNT, Aggregation.UNIQUE_COUNT}


class UnitRounding(NamedTuple):
    """How the total of a metric is rounded; negative digits mean tens, hundreds …"""

    mode: RoundingMode
    digits: int


class Condition(NamedTuple):
    """What a property of an event must be: one of `values`, or with `excludes` none of them.

    A property that is absent counts as "".
    """

    property: str
    values: tuple[str, ...]
    excludes: bool = False


Filter = tuple[Condition, ...]
"""Conditions that an event must meet, all of them; without any, every event does."""


def kept_dimensions(dimensions: Iterable[str], conditions: Filter) -> tuple[str, ...]:
    """Return what usage is kept apart by where it is told apart by `dimensions` and has to meet `conditions`."""
    return tuple(dict.fromkeys([*dimensions, *(condition.property for condition in conditions)]))


@dataclass(frozen=True, slots=True)
class Product:
    """Something that plans sell; revenue is reported by it."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Metric:
    """What is measured: the aggregation of one number of the events with this code.

    The number is that of the property `field`, or what the `expression` makes of several (see `tenor.catalog.rules`);
    a count has neither. `unit` is the word for one unit of it on an invoice. `recurring`: what earlier periods added
    is still there. `prorated`: each value counts for the days of the period that it was there. `rounding` is applied
    to the total.
    """

    code: str
    name: str
    aggregation: Aggregation
    field: str | None
    unit: str
    expression: str | None = None
    recurring: bool = False
    prorated: bool = False
    rounding: UnitRounding | None = None


@dataclass(frozen=True, slots=True)
class Feature:
    """Something a plan grants, with or without a limit."""

    code: str
    name: str
