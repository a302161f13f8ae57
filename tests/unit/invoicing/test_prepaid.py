"""How much of each line wallets may pay, and how much of it goes back to them: literal cases, and laws for any."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenor.invoicing.rules.prepaid import LineToLower, PaidPart, payable_minor, restored_parts
from tenor.kernel.ids import WalletUseId


def usage(*gross_minor: int) -> list[LineToLower]:
    return [LineToLower(minor, is_metered=True) for minor in gross_minor]


def fees(*gross_minor: int) -> list[LineToLower]:
    return [LineToLower(minor, is_metered=False) for minor in gross_minor]


@pytest.mark.parametrize(
    ("lines", "payable"),
    [
        (fees(12_00, 36_00), [12_00, 36_00]),
        ([], []),
        (fees(12_00, 36_00, -5_00), [7_00, 36_00, 0]),  # the first lines are lowered first
        (usage(12_00, -20_00, 36_00), [0, 0, 28_00]),
        (fees(12_00, -20_00), [0, 0]),  # a credit note asks for nothing
        (fees(-1, 1), [0, 0]),
        # an upgrade gives 24.50 and 30.00 back of 99.50 and 25.00: the usage before them stays payable
        (fees(-24_50, -30_00) + usage(15_00) + fees(99_50, 25_00), [0, 0, 15_00, 45_00, 25_00]),
        # usage that is given back lowers usage, and fees by what is left of it
        (fees(10_00) + usage(-18_00, 15_00), [7_00, 0, 0]),
        # fees that are given back lower usage only by what no fee can bear
        (usage(15_00) + fees(-12_00, 10_00), [13_00, 0, 0]),
    ],
)
def test_what_is_given_back_lowers_its_own_kind_and_the_first_lines_first(
    lines: list[LineToLower], payable: list[int]
) -> None:
    assert payable_minor(lines) == payable


def part(line_no: int, paid_minor: int, use: int) -> PaidPart:
    return PaidPart(line_no, WalletUseId(UUID(int=use)), paid_minor)


@pytest.mark.parametrize(
    ("credited", "parts", "elsewhere", "restored"),
    [
        # the whole line, of which a wallet paid a part
        ({1: 30_00}, [part(1, 20_00, 1)], 10_00, [part(1, 20_00, 1)]),
        # a part of the line: the wallet comes first, the one that paid last before the others
        ({1: 5_00}, [part(1, 20_00, 1), part(1, 4_00, 2)], 50_00, [part(1, 1_00, 1), part(1, 4_00, 2)]),
        # a line that no wallet has paid
        ({2: 5_00}, [part(1, 20_00, 1)], 5_00, []),
        # … of a document of which nothing else was paid: 3.00 were, the other 2.00 come from what wallets paid
        ({2: 5_00}, [part(1, 20_00, 1)], 3_00, [part(1, 2_00, 1)]),
        # a line that takes something back again lowers what is given back
        ({1: 20_00, 2: -15_00}, [part(1, 20_00, 1)], 0, [part(1, 5_00, 1)]),
        ({1: 5_00, 2: -15_00}, [part(1, 20_00, 1)], 0, []),
    ],
)
def test_a_line_goes_back_to_the_wallets_that_paid_it(
    credited: dict[int, int], parts: list[PaidPart], elsewhere: int, restored: list[PaidPart]
) -> None:
    assert restored_parts(credited, parts, elsewhere_minor=elsewhere) == restored


AMOUNTS = st.integers(-100, 100)
AMOUNTS_OF_LINES = st.lists(AMOUNTS, max_size=6)
LINES = st.lists(st.builds(LineToLower, AMOUNTS, st.booleans()), max_size=6)


@given(lines=LINES)
def test_no_more_is_payable_than_the_document_asks_for(lines: list[LineToLower]) -> None:
    payable = payable_minor(lines)

    assert sum(payable) == max(0, sum(line.gross_minor for line in lines))
    assert all(0 <= part_minor <= max(0, line.gross_minor) for part_minor, line in zip(payable, lines, strict=True))


@given(lines=LINES, shares=st.lists(st.integers(0, 100), min_size=6, max_size=6))
def test_a_document_that_is_taken_back_whole_gives_back_all_that_was_drawn(
    lines: list[LineToLower], shares: list[int]
) -> None:
    """However much of each line wallets paid, and though nothing was paid otherwise."""
    gross = [line.gross_minor for line in lines]
    parts = [
        part(number, paid, number)
        for number, (payable, share) in enumerate(zip(payable_minor(lines), shares, strict=False), start=1)
        if (paid := payable * share // 100)
    ]
    rest = max(0, sum(gross)) - sum(one.paid_minor for one in parts)

    credited = dict(enumerate(gross, start=1))
    assert restored_parts(credited, parts, elsewhere_minor=rest) == parts


@given(lines=LINES, first=AMOUNTS_OF_LINES, elsewhere=st.integers(0, 200))
def test_what_goes_back_is_never_more_than_was_drawn_or_is_credited(
    lines: list[LineToLower], first: list[int], elsewhere: int
) -> None:
    parts = [part(number % 4, paid, number) for number, paid in enumerate(payable_minor(lines), start=1) if paid]
    credited = dict(enumerate(first))

    restored = restored_parts(credited, parts, elsewhere_minor=elsewhere)

    by_use = {one.use_id: one.paid_minor for one in parts}
    assert all(0 < one.paid_minor <= by_use[one.use_id] for one in restored)
    asked, given_back = max(0, sum(credited.values())), sum(one.paid_minor for one in restored)
    assert given_back <= asked
    assert asked - given_back <= elsewhere or given_back == sum(by_use.values())  # the rest was paid otherwise
