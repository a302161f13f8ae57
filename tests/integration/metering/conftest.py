"""Customers and metrics that usage refers to."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import pytest

from tenor.kernel.ids import CustomerId, new_id
from tenor.platform.unit_of_work import UnitOfWork

NOW: Final = datetime(2026, 6, 1, tzinfo=UTC)

METRICS: Final = (
    ("calls", "count", None),
    ("tokens", "sum", "n"),
    ("peak", "max", "n"),
    ("floor", "min", "n"),
    ("mean", "avg", "n"),
    ("level", "latest", "n"),
    ("seats", "unique_count", "user"),
    ("storage", "weighted_sum", "n"),
)

Furnish = Callable[[UnitOfWork], dict[str, CustomerId]]


@pytest.fixture
def furnish() -> Furnish:
    """Write the customers `acme` and `blue` and one metric of each aggregation; return the customers' ids."""

    def write(uow: UnitOfWork) -> dict[str, CustomerId]:
        customers = {name: CustomerId(new_id(NOW)) for name in ("acme", "blue")}
        uow.copy_rows(
            "customers",
            [("id", "uuid"), ("external_id", "text"), ("name", "text"), ("created_at", "timestamptz")],
            [(customer_id, name, name, NOW) for name, customer_id in customers.items()],
        )
        uow.copy_rows(
            "metrics",
            [("code", "text"), ("name", "text"), ("aggregation", "text"), ("field", "text")],
            [(code, code, aggregation, field) for code, aggregation, field in METRICS],
        )
        return customers

    return write


@pytest.fixture
def customers(uow: UnitOfWork, furnish: Furnish) -> dict[str, CustomerId]:
    """The ids of the customers, in the transaction of the test."""
    return furnish(uow)
