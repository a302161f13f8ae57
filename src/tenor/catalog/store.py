"""Read and write products, metrics and features, always many at once."""

from collections.abc import Sequence

from tenor.catalog.model import Aggregation, Feature, Metric, Product, UnitRounding
from tenor.kernel.errors import Conflict
from tenor.kernel.money import RoundingMode
from tenor.platform.unit_of_work import UnitOfWork


class MetricMeaningChanged(Conflict):
    """A metric that is there with another meaning. What has been measured cannot change what it was."""

    code = "metric_meaning_changed"


def upsert_products(uow: UnitOfWork, products: Sequence[Product]) -> None:
    """Write the products that are missing, and the names that changed."""
    _upsert_named(uow, "products", products)


def upsert_features(uow: UnitOfWork, features: Sequence[Feature]) -> None:
    """Write the features that are missing, and the names that changed."""
    _upsert_named(uow, "features", features)


def add_metrics(uow: UnitOfWork, metrics: Sequence[Metric]) -> None:
    """Write the metrics that are missing.

    Raises:
        MetricMeaningChanged: one is there already and differs; a new meaning needs a new code.
    """
    uow.execute(
        """
        insert into metrics (tenant_id, code, name, aggregation, field, unit, expression, recurring, prorated,
                             rounding_mode, rounding_digits)
        select %s, * from unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
                                 %s::boolean[], %s::boolean[], %s::text[], %s::integer[])
        on conflict (tenant_id, code) do nothing
        """,
        [
            uow.tenant_id,
            [metric.code for metric in metrics],
            [metric.name for metric in metrics],
            [metric.aggregation.value for metric in metrics],
            [metric.field for metric in metrics],
            [metric.unit for metric in metrics],
            [metric.expression for metric in metrics],
            [metric.recurring for metric in metrics],
            [metric.prorated for metric in metrics],
            [metric.rounding and metric.rounding.mode.value for metric in metrics],
            [metric.rounding and metric.rounding.digits for metric in metrics],
        ],
    )
    stored = metrics_by_code(uow)
    for metric in metrics:
        if stored[metric.code] != metric:
            raise MetricMeaningChanged(f"metric {metric.code!r} is there with another meaning", metric=metric.code)


def products_by_code(uow: UnitOfWork) -> dict[str, Product]:
    """Return every product of the tenant."""
    return {row[0]: Product(*row) for row in uow.fetch_all("select code, name from products order by code")}


def features_by_code(uow: UnitOfWork) -> dict[str, Feature]:
    """Return every feature of the tenant."""
    return {row[0]: Feature(*row) for row in uow.fetch_all("select code, name from features order by code")}


def metrics_by_code(uow: UnitOfWork) -> dict[str, Metric]:
    """Return every metric of the tenant."""
    rows = uow.fetch_all(
        """
        select code, name, aggregation, field, unit, expression, recurring, prorated, rounding_mode, rounding_digits
        from metrics order by code
        """
    )
    return {
        code: Metric(
            code,
            name,
            Aggregation(aggregation),
            field,
            unit,
            expression,
            recurring=recurring,
            prorated=prorated,
            rounding=None if mode is None else UnitRounding(RoundingMode(mode), digits),
        )
        for code, name, aggregation, field, unit, expression, recurring, prorated, mode, digits in rows
    }


def _upsert_named(uow: UnitOfWork, table: str, things: Sequence[Product] | Sequence[Feature]) -> None:
    uow.execute(
        f"""
        insert into {table} as stored (tenant_id, code, name)
        select %s, * from unnest(%s::text[], %s::text[])
        on conflict (tenant_id, code) do update set name = excluded.name
        where stored.name is distinct from excluded.name
        """,
        [uow.tenant_id, [thing.code for thing in things], [thing.name for thing in things]],
    )
