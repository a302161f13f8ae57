"""What can be sold and measured: products, metrics, features."""

from dataclasses import dataclass
from enum import StrEnum


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


@dataclass(frozen=True, slots=True)
class Product:
    """Something that plans sell; revenue is reported by it."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Metric:
    """What is measured: the aggregation of one field of the events with this code.

    `field` is the event property that is aggregated; None for a count, which needs none. `unit` is the
    word for one unit of it on an invoice.
    """

    code: str
    name: str
    aggregation: Aggregation
    field: str | None
    unit: str


@dataclass(frozen=True, slots=True)
class Feature:
    """Something a plan grants, with or without a limit."""

    code: str
    name: str
