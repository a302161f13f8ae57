"""The worked tables of docs/algorithms/rating.md are true: every row is rated and explained as it says."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tenor.kernel.money import RoundingMode
from tenor.pricing.charges import Price, from_json
from tenor.pricing.policy import policy_with
from tenor.pricing.rules.rating import MoneyRounding, Segment, Usage, UsageEvent, UsageWindow, explain
from tests.support.rating import rate_exactly

PAGE = Path(__file__).parents[3] / "docs" / "algorithms" / "rating.md"
CENTS = MoneyRounding(RoundingMode.HALF_UP, 2)


class Row(NamedTuple):
    """One row of a table, under the price that stands before it."""

    price: Price
    cells: dict[str, str]


def rows() -> Iterator[Row]:
    """Yield the rows of every table that follows a price."""
    price: Price | None = None
    header: list[str] = []
    for block in re.split(r"\n\n+", PAGE.read_text(encoding="utf-8")):
        if block.startswith("```json"):
            price = from_json(json.loads(block.strip("`").removeprefix("json")))
        elif block.startswith("| ") and price is not None:
            lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in block.splitlines()]
            header, _, *table = lines
            for cells in table:
                yield Row(price, dict(zip(header, cells, strict=True)))


def pairs(cell: str, separator: str) -> list[tuple[str, Decimal]]:
    """Read `a: 1, b: 2`."""
    split = [part.split(separator) for part in cell.split(", ") if part]
    return [(name.strip(), Decimal(number)) for name, number in split]


def usage_of(cells: dict[str, str]) -> Usage:
    """Return the usage that a row describes."""
    events: list[UsageEvent] = []
    for part in filter(None, cells.get("events", "").split(", ")):
        units, _, prorated = part.partition(" as ")
        events.append(UsageEvent(Decimal(units), prorated_units=Decimal(prorated or 0)))
    return Usage(
        units=Decimal(cells["units"]) if "units" in cells else sum((event.units for event in events), Decimal(0)),
        events=tuple(events),
        tier_units=Decimal(cells["tier_units"]) if cells.get("tier_units") else None,
        by_dimension={(name,): units for name, units in pairs(cells.get("by_dimension", ""), ":")},
        windows=tuple(UsageWindow(Decimal(units)) for units in filter(None, cells.get("windows", "").split(", "))),
    )


def segment_of(cells: dict[str, str]) -> Segment:
    """Return the segment that a row describes; the whole period when it names none."""
    position: Any = cells.get("segment", "only")
    return Segment.at(
        position,
        timing="arrears",
        units_before=Decimal(cells.get("units_before", "0")),
        billed_before=Decimal(cells.get("billed_before", "0")),
    )


def test_the_page_has_tables() -> None:
    assert len(list(rows())) >= 40


@pytest.mark.parametrize(
    "row", [*rows()], ids=lambda row: f"{type(row.price.model).__name__}-{next(iter(row.cells.values()))}"
)
def test_row_is_rated_and_explained_as_the_page_says(row: Row) -> None:
    at_zero = {"flat_fee_at_zero_units": row.cells.get("flat_fee_at_zero_units") == "true"}
    policy = policy_with("tenor", at_zero).rating

    rated = rate_exactly(row.price, usage_of(row.cells), policy, CENTS, segment=segment_of(row.cells))

    assert rated.amount == Decimal(row.cells["amount"])
    assert "; ".join(explain(rated.steps, currency="USD")) == row.cells["why"]
