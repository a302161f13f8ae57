"""Metrics with an expression: what an event measures, as docs/price-books.md tells it."""

from datetime import UTC, datetime

import pytest

from tenor.catalog.model import Aggregation
from tenor.catalog.rules import parse_expression
from tenor.kernel.quantity import plain
from tenor.metering.model import Metric, UnmeasurableMetric, UsageEvent
from tenor.metering.operations.record_usage import measure
from tenor.metering.rules.acceptance import UnacceptableEvent
from tests.support.worked_tables import worked_table

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def measured(expression: str, properties: dict[str, str]) -> str:
    """Return what an event measures, or why it is rejected."""
    metric = Metric("m", Aggregation.SUM, expression=parse_expression(expression))
    try:
        return plain(measure(UsageEvent("1", NOON, properties, metric_code="m"), {"m": metric}))
    except UnacceptableEvent as error:
        return f"rejected: {error.message}"


@pytest.mark.parametrize(("cell", "event", "result"), worked_table("price-books.md", "Expressions"))
def test_the_table_of_expressions(cell: str, event: str, result: str) -> None:
    fence = "``" if cell.startswith("``") else "`"
    expression = cell.removeprefix(fence).removesuffix(fence).strip()

    assert measured(expression, dict(pair.split(" ") for pair in event.split(", "))) == result


def test_a_result_beyond_the_bounds_of_a_value_is_rejected() -> None:
    """Below 10^15, whatever it is worked out of."""
    assert measured("n * 10", {"n": "99999999999999.9"}) == "999999999999999"
    assert measured("n * 100", {"n": "99999999999999"}).startswith("rejected: result: ")
    assert measured("-n * 100", {"n": "99999999999999"}).startswith("rejected: result: ")


@pytest.mark.parametrize("aggregation", [Aggregation.COUNT, Aggregation.UNIQUE_COUNT])
def test_an_expression_is_for_numbers(aggregation: Aggregation) -> None:
    with pytest.raises(UnmeasurableMetric):
        Metric("m", aggregation, expression=parse_expression("n"))


def test_a_metric_measures_a_field_or_an_expression() -> None:
    with pytest.raises(UnmeasurableMetric):
        Metric("m", Aggregation.SUM, "n", expression=parse_expression("n"))
