"""Settle: the worked table of its page, and the law that lines bring what is billed to what is owed."""

from collections.abc import Sequence
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenor.invoicing.model import Billed, Key, Line, Owed
from tenor.invoicing.rules.settle import less_waived, settle
from tests.support.invoicing import at, key, key_of
from tests.support.worked_tables import worked_table

OWN, NEWEST = at("2026-06-01"), at("2026-08-01")
JUNE = key("calls", "2026-06-01", "2026-07-01")
LARGE = key("calls", "2026-06-01", "2026-07-01", dimension="large")
JULY = key("calls", "2026-07-01", "2026-08-01")
CAP = key("ceiling", "2026-06-01", "2026-07-01")


class Settled(NamedTuple):
    """A line in short."""

    key: Key
    amount_minor: int


def owed(key: Key, amount_minor: int) -> Owed:
    return Owed(key, amount_minor, OWN, is_deferred=True, description="Calls", trace={"model": "usage"})


def billed(key: Key, amount_minor: int) -> Billed:
    return Billed(key, amount_minor, 1, is_deferred=False, description="Calls as billed")


def settled(owed: Sequence[Owed], billed: Sequence[Billed]) -> list[Settled]:
    return [Settled(key_of(line), line.amount_minor) for line in settle(owed, billed, now=NEWEST)]


def minor(amount: str) -> int:
    return int(amount.replace(".", ""))


@pytest.mark.parametrize("row", worked_table("algorithms/owed.md", "What is settled"), ids="-".join)
def test_what_is_settled(row: list[str]) -> None:
    owes, has_billed, difference, due, _ = row

    lines = settle(
        [owed(JUNE, minor(owes))] if owes != "-" else [],
        [billed(JUNE, minor(has_billed))] if has_billed != "-" else [],
        now=NEWEST,
    )

    expected = [] if difference == "-" else [(minor(difference), {"its own": OWN, "newest": NEWEST}[due])]
    assert [(line.amount_minor, line.due_at) for line in lines] == expected


def test_what_is_waived_is_taken_off_what_is_owed_and_never_more() -> None:
    assert less_waived([owed(JUNE, 300), owed(JULY, 700)], {JUNE: 100})[0].amount_minor == 200
    assert [entry.amount_minor for entry in less_waived([owed(JUNE, 300)], {JUNE: 500})] == [0]


@pytest.mark.parametrize(
    ("waived", "left"),
    [
        ({CAP: -100}, [500, -200]),  # a third of what the cap takes off was given up
        ({CAP: -400}, [500, 0]),  # never more than all of it
        ({CAP: 50}, [500, -350]),  # what the cap had taken back was given up: it takes off so much more
        ({JUNE: 100}, [400, -300]),  # 400 are still more than the cap takes off
        ({JUNE: 300}, [200, -200]),  # nothing is owed less than nothing
        ({JUNE: 500, CAP: -300}, [0, 0]),
        ({JULY: 500}, [500, -300]),
    ],
)
def test_what_is_waived_of_a_cap_and_of_what_it_caps(waived: dict[Key, int], left: list[int]) -> None:
    """Usage of 5.00, of which a cap of the same month takes 3.00 off."""
    found = less_waived([owed(JUNE, 500), owed(CAP, -300)], waived)

    assert [entry.amount_minor for entry in found] == left


def test_each_key_is_settled_alone() -> None:
    """What is too much for one month is not set off against what lacks in another, on no line."""
    lines = settled([owed(JUNE, 300), owed(JULY, 700)], [billed(JUNE, 500), billed(JULY, 500)])

    assert lines == [(JUNE, -200), (JULY, 200)]


def test_a_new_dimension_is_billed_beside_the_ones_that_were_billed() -> None:
    lines = settled([owed(JUNE, 500), owed(LARGE, 250)], [billed(JUNE, 500)])

    assert lines == [(LARGE, 250)]


def test_a_dimension_that_is_used_no_more_is_given_back() -> None:
    lines = settled([owed(JUNE, 500)], [billed(JUNE, 500), billed(LARGE, 250)])

    assert lines == [(LARGE, -250)]


def test_nothing_owed_and_nothing_billed_is_nothing_to_settle() -> None:
    assert settled([], []) == []


def test_a_first_line_keeps_the_trace_and_a_correction_says_what_was_billed() -> None:
    first, more, gone = settle([owed(JUNE, 500), owed(JULY, 700)], [billed(JULY, 500), billed(LARGE, 250)], now=NEWEST)

    assert first.trace == {"model": "usage"}
    assert more.trace == {"model": "usage", "billed_minor": 500}
    assert gone.trace == {"owed_minor": 0, "billed_minor": 250, "reason": "no longer owed"}
    # What is owed no more has no derivation left, so it keeps the words and the account of what was billed.
    assert [(line.description, line.is_deferred) for line in (first, more, gone)] == [
        ("Calls", True),
        ("Calls", True),
        ("Calls as billed", False),
    ]


keys = st.sampled_from([JUNE, LARGE, JULY])
books = st.dictionaries(keys, st.integers(min_value=-1000, max_value=1000))


@settings(max_examples=100, deadline=None)
@given(books, books)
def test_billed_and_lines_sum_to_owed_for_every_key(owes: dict[Key, int], has_billed: dict[Key, int]) -> None:
    every_owed = [owed(key, minor) for key, minor in owes.items()]
    every_billed = [billed(key, minor) for key, minor in has_billed.items()]

    lines: list[Line] = settle(every_owed, every_billed, now=NEWEST)

    sums = dict(has_billed)
    for line in lines:
        sums[key_of(line)] = sums.get(key_of(line), 0) + line.amount_minor
    assert {key: minor for key, minor in sums.items() if minor} == {key: minor for key, minor in owes.items() if minor}
    assert all(line.amount_minor for line in lines)
    assert len({line.key for line in lines}) == len(lines)
    assert settle(every_owed, [billed(key, minor) for key, minor in sums.items()], now=NEWEST) == []
