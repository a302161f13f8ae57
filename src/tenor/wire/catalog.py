"""Products, metrics, features and plans as JSON."""

from typing import Any

from typing_extensions import TypedDict

from tenor.catalog import Feature, Metric, Product
from tenor.kernel.ids import to_wire
from tenor.pricing import PlanVersionRecord
from tenor.wire.forms import Instant, instant


class NamedJson(TypedDict):
    """A product or a feature."""

    code: str
    name: str


class RoundingJson(TypedDict):
    """How a total is rounded; negative digits mean tens, hundreds …"""

    mode: str
    digits: int


class MetricJson(TypedDict):
    """What is measured: the aggregation of one number of the events with this code, a field or an expression."""

    code: str
    name: str
    aggregation: str
    field: str | None
    expression: str | None
    unit: str
    recurring: bool
    prorated: bool
    rounding: RoundingJson | None


class PlanJson(TypedDict):
    """A version of a plan, with its definition as the price book says it."""

    id: str
    plan: str
    version: int
    name: str
    product: str
    price_book: str
    edition: int
    currency: str
    tax_mode: str
    effective_at: Instant
    definition: dict[str, Any]


def named_json(thing: Product | Feature) -> NamedJson:
    """Return a product or a feature."""
    return NamedJson(code=thing.code, name=thing.name)


def metric_json(metric: Metric) -> MetricJson:
    """Return a metric."""
    rounding = metric.rounding
    return MetricJson(
        code=metric.code,
        name=metric.name,
        aggregation=metric.aggregation.value,
        field=metric.field,
        expression=metric.expression,
        unit=metric.unit,
        recurring=metric.recurring,
        prorated=metric.prorated,
        rounding=rounding and RoundingJson(mode=rounding.mode.value, digits=rounding.digits),
    )


def plan_json(plan: PlanVersionRecord) -> PlanJson:
    """Return a version of a plan."""
    return PlanJson(
        id=to_wire("plv", plan.id),
        plan=plan.plan,
        version=plan.version,
        name=plan.name,
        product=plan.product,
        price_book=plan.price_book,
        edition=plan.price_book_version,
        currency=plan.currency,
        tax_mode=plan.tax_mode.value,
        effective_at=instant(plan.effective_at),
        definition=dict(plan.definition),
    )
