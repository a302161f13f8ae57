"""How much of each line wallets may pay, and how much of it goes back to them: literal cases, and laws for any."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenor.invoicing.rules.prepaid import PaidPart, payable_minor, restored_parts
from tenor.kernel.ids import WalletUseId


@pytest.mark.parametrize(
    ("gross", "payable"),
    [
        ([12_00, 36_00], [12_00, 36_00]),
        ([], []),
        ([12_00, 36_00, -5_00], [7_00, 36_00, 0]),  # the first lines are lowered first
        ([12_00, -20_00, 36_00], [0, 0, 28_00]),
        ([12_00, -20_00], [0, 0]),  # a credit note asks for nothing
        ([-1, 1], [0, 0]),
    ],
)
def test_what_is_given_back_lowers_the_first_lines(gross: list[int], payable: list[int]) -> None:
    assert payable_minor(gross) == payable


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
LINES = st.lists(AMOUNTS, max_size=6)


@given(gross=LINES)
def test_no_more_is_payable_than_the_document_asks_for(gross: list[int]) -> None:
    payable = payable_minor(gross)

    assert sum(payable) == max(0, sum(gross))
    assert all(0 <= part_minor <= max(0, line_minor) for part_minor, line_minor in zip(payable, gross, strict=True))


@given(gross=LINES, shares=st.lists(st.integers(0, 100), min_size=6, max_size=6))
def test_a_document_that_is_taken_back_whole_gives_back_all_that_was_drawn(gross: list[int], shares: list[int]) -> None:
    """However much of each line wallets paid, and though nothing was paid otherwise."""
    parts = [
        part(number, paid, number)
        for number, (payable, share) in enumerate(zip(payable_minor(gross), shares, strict=False), start=1)
        if (paid := payable * share // 100)
    ]
    rest = max(0, sum(gross)) - sum(one.paid_minor for one in parts)

    credited = dict(enumerate(gross, start=1))
    assert restored_parts(credited, parts, elsewhere_minor=rest) == parts


@given(gross=LINES, first=LINES, elsewhere=st.integers(0, 200))
def test_what_goes_back_is_never_more_than_was_drawn_or_is_credited(
    gross: list[int], first: list[int], elsewhere: int
) -> None:
    parts = [part(number % 4, paid, number) for number, paid in enumerate(payable_minor(gross), start=1) if paid]
    credited = dict(enumerate(first))

    restored = restored_parts(credited, parts, elsewhere_minor=elsewhere)

    by_use = {one.use_id: one.paid_minor for one in parts}
    assert all(0 < one.paid_minor <= by_use[one.use_id] for one in restored)
    asked, given_back = max(0, sum(credited.values())), sum(one.paid_minor for one in restored)
    assert given_back <= asked
    assert asked - given_back <= elsewhere or given_back == sum(by_use.values())  # the rest was paid otherwise
