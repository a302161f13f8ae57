"""The table of rates over time: the worked table, and that no instant ever has two rates."""

from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenor.kernel.period import LATEST
from tenor.taxes.model import TaxRate
from tenor.taxes.rules.validity import overlay
from tests.support.worked_tables import worked_table
from tests.unit.taxes.notation import at, row


def rows_then(rows: list[TaxRate], new: TaxRate) -> list[TaxRate]:
    """Return the rows that hold at any time once `new` is set."""
    by_id = {UUID(int=number): standing for number, standing in enumerate(rows)}
    change = overlay(by_id, new)
    left = [
        TaxRate(
            name=standing.name,
            jurisdiction=standing.jurisdiction,
            percent=standing.percent,
            valid_from=standing.valid_from,
            valid_to=change.ends.get(row_id, standing.valid_to),
        )
        for row_id, standing in by_id.items()
        if change.ends.get(row_id, LATEST) > standing.valid_from
    ]
    return sorted([*left, *change.added], key=lambda rate: rate.valid_from)


@pytest.mark.parametrize(("rows", "new", "then"), worked_table("algorithms/tax.md", "A new rate"))
def test_worked_rates(rows: str, new: str, then: str) -> None:
    assert rows_then([row(text) for text in rows.split("; ")], row(new)) == [row(text) for text in then.split("; ")]


def test_the_same_again_writes_nothing() -> None:
    standing = row("19 from 2007-01-01")

    assert overlay({UUID(int=0): standing}, standing) == ({}, [])


def test_a_row_that_begins_no_earlier_ends_where_it_begins() -> None:
    change = overlay({UUID(int=0): row("16 2020-07-01..2021-01-01")}, row("19 2020-01-01..2022-01-01"))

    assert change.ends == {UUID(int=0): at("2020-07-01")}
    assert change.added == [row("19 2020-01-01..2022-01-01")]


years = st.integers(2000, 2012)


@st.composite
def rates(draw: st.DrawFn) -> TaxRate:
    start = draw(years)
    end = draw(st.none() | st.integers(start + 1, 2014))
    span = f"from {start}-01-01" if end is None else f"{start}-01-01..{end}-01-01"
    return row(f"{draw(st.integers(1, 3))} {span}")


@given(st.lists(rates(), max_size=6))
def test_no_instant_has_two_rates_and_the_newest_holds_in_its_span(new: list[TaxRate]) -> None:
    rows: list[TaxRate] = []
    for rate in new:
        before = rows
        rows = rows_then(rows, rate)
        assert all((one.valid_to or LATEST) <= two.valid_from for one, two in pairwise(rows))
        [holding] = [standing for standing in rows if standing.holds(rate.valid_from)]
        assert holding.percent == rate.percent
        for instant in {standing.valid_from for standing in before}:
            outside = instant < rate.valid_from or (rate.valid_to is not None and instant >= rate.valid_to)
            if outside:
                assert [one.percent for one in before if one.holds(instant)] == [
                    one.percent for one in rows if one.holds(instant)
                ]
