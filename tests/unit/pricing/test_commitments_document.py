"""docs/algorithms/commitments.md: every row is billed as the page says."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tenor.invoicing.rules.owed import UsageTotals
from tenor.kernel.calendar import Grid, Interval, Unit, boundary
from tenor.kernel.period import Period
from tenor.pricing.model import Charge, ChargeKind, PlanVersion, SeatCounting, Timing
from tenor.pricing.rules.rating import Usage
from tenor.subscriptions.model import Item, Phase
from tests.support.invoicing import ITEM, MONTH, base, calls, charge_id, commitment, item, owed_of, phase, plan, seats
from tests.support.worked_tables import worked_table

PAGE = "algorithms/commitments.md"


def phases(text: str) -> tuple[Phase, ...]:
    """Read '5 from 06-01, 8 from 06-16, end 06-21' as phases of the year 2026; 'pause' and 'end' have no service."""
    words = [re.fullmatch(r"(?:(\d+) )?(from|pause|end) (\d\d-\d\d)", part) for part in text.split(", ")]
    marks = [(mark[1], mark[2], f"2026-{mark[3]}") for mark in words if mark]
    assert len(marks) == len(words), text
    found = []
    for (held, word, day), following in zip(marks, [*marks[1:], None], strict=True):
        if word == "from":
            end = following[2] if following else None
            found.append(phase(day, end, seats=None if held is None else int(held)))
    return tuple(found)


def interval(text: str) -> Interval:
    """Read 'month', '3 months'."""
    *count, unit = text.split()
    return Interval(Unit(unit.removesuffix("s")), int(count[0]) if count else 1)


def bound(text: str, over: Interval | None, *, code: str) -> Charge:
    """Read 'cap 100.00' as a charge."""
    kind, amount = text.split()
    return replace(commitment(amount, code=code, interval=over), kind=ChargeKind(kind))


def months(start: str, count: int) -> list[Period]:
    """Return months one after the other, from the first day of one."""
    grid = Grid(MONTH, anchor=datetime.fromisoformat(start).replace(tzinfo=UTC), zone=UTC)
    return [Period(boundary(grid, index), boundary(grid, index + 1)) for index in range(count)]


def used(numbers: str, *, since: str = "2026-01-01") -> UsageTotals:
    """Read '20, 10' as the calls of two months."""
    units = [Usage(units=Decimal(number)) for number in numbers.split(", ")]
    return {
        (ITEM, charge_id("calls"), month): usage for month, usage in zip(months(since, len(units)), units, strict=True)
    }


def moved(
    life: Item, version: PlanVersion, through: str, usage: UsageTotals, codes: Sequence[str] = ("bound",)
) -> list[str]:
    """Return what the named charges owe, in order of period and charge, as decimals."""
    entries = owed_of(life, version, through=through, usage=usage)
    found = sorted(
        (entry.key.period.end, entry.key.period.microseconds, codes.index(code), entry.amount_minor)
        for entry in entries
        for code in codes
        if entry.key.charge_id == charge_id(code)
    )
    return [f"{Decimal(minor) / 100:.2f}" for *_, minor in found]


@pytest.mark.parametrize(("kind", "fee", "number", "served", "amount", "_"), worked_table(PAGE, "One period"))
def test_one_period(kind: str, fee: str, number: str, served: str, amount: str, _: str) -> None:
    version = plan(base(fee), calls("0.50"), bound(kind, None, code="bound"))
    life = item(*phases(served), anchor="2026-06-01")

    assert moved(life, version, "2026-07-01", used(number, since="2026-06-01")) == [amount]


@pytest.mark.parametrize(("kind", "over", "numbers", "served", "amount", "_"), worked_table(PAGE, "Several periods"))
def test_several_periods(kind: str, over: str, numbers: str, served: str, amount: str, _: str) -> None:
    version = plan(base("100"), calls("0.50"), bound(kind, interval(over), code="bound"))
    life = item(*phases(served), anchor="2026-01-01")
    end = boundary(Grid(interval(over), anchor=life.anchor_at, zone=UTC), 1)

    first, *_later = moved(life, version, end.isoformat(), used(numbers))

    assert first == amount


@pytest.mark.parametrize(("bounds", "numbers", "amounts", "_"), worked_table(PAGE, "Several bounds"))
def test_several_bounds(bounds: str, numbers: str, amounts: str, _: str) -> None:
    read = [text.split(" ", 2) for text in bounds.split(", ")]
    charges = [bound(f"{kind} {amount}", interval(over), code=f"{kind} {over}") for kind, amount, over in read]
    expected = [
        amount
        for text in amounts.split(", ")
        for amount in [text.split(" × ")[0]] * int(text.split(" × ")[1] if " × " in text else 1)
    ]

    found = moved(
        item(*phases("from 01-01")),
        plan(calls("0.50"), *charges),
        "2026-04-01",
        used(numbers),
        [charge.code for charge in charges],
    )

    assert found == expected


@pytest.mark.parametrize(
    ("held", "prorated", "high_water", "_"), worked_table(PAGE, "Seats: the time held, or the highest number")
)
def test_how_seats_are_counted(held: str, prorated: str, high_water: str, _: str) -> None:
    by_time = seats("10", timing=Timing.ARREARS)
    life = item(*phases(held), anchor="2026-06-01")

    for charge, amount in (
        (by_time, prorated),
        (replace(by_time, counting=SeatCounting.HIGH_WATER), high_water),
    ):
        assert moved(life, plan(charge), "2026-07-01", {}, ["seats"]) == [amount]
