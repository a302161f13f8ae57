"""Credit notes: what a credited line gives back, and where the money goes. Nothing appears, nothing is lost."""

from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenor.invoicing.rules.credit_notes import (
    NOTHING,
    CreditExceedsDocument,
    CreditExceedsLine,
    LineParts,
    Residue,
    credit_line,
    part_of_note,
    settle_credit,
)
from tenor.kernel.errors import Malformed

LINE = LineParts(10_000, 1_000, {"VAT": 1_710, "City": 451})
"""100.00 less a coupon of 10.00, with 19 % of VAT and a city tax of 4.51 on the 90.00."""


def credited(line: LineParts, *amounts_minor: int, residue: Residue = "last_note") -> list[LineParts]:
    """Credit a line by one note after the other."""
    before, notes = NOTHING, []
    for amount_minor in amounts_minor:
        notes.append(credit_line(line, amount_minor, before=before, residue=residue))
        before += notes[-1]
    return notes


def test_a_whole_line_is_given_back_as_it_was_charged() -> None:
    (note,) = credited(LINE, 10_000)

    assert note == LINE
    assert (note.net_minor, note.tax_minor, note.total_minor) == (9_000, 2_161, 11_161)


def test_a_part_takes_its_share_of_the_discount_and_of_each_tax() -> None:
    (note,) = credited(LINE, 3_333)

    # 33.33 %: of 10.00 3.333, of 17.10 5.69943, of 4.51 1.503183
    assert note == LineParts(3_333, 333, {"VAT": 570, "City": 150})


@pytest.mark.parametrize(
    ("residue", "discounts", "city"),
    [
        # thirds, and 100.00 - 3 x 33.33 = 0.01: of 10.00 and of 4.51 the line has 3.333 and 1.503183 in each
        ("last_note", [333, 333, 333, 1], [150, 150, 150, 1]),
        # in all: 3.333, 6.666, 9.999, 10.00 and 1.503, 3.006, 4.5095, 4.51
        ("carry", [333, 334, 333, 0], [150, 151, 150, 0]),
    ],
)
def test_the_residue_goes_to_the_last_note_or_is_carried(
    residue: Residue, discounts: list[int], city: list[int]
) -> None:
    notes = credited(LINE, 3_333, 3_333, 3_333, 1, residue=residue)

    assert [note.discount_minor for note in notes] == discounts
    assert [note.taxes["City"] for note in notes] == city


def test_a_negative_line_is_given_back_with_its_sign() -> None:
    assert credited(LineParts(-300, -100, {"VAT": -2}), -100, -200) == [
        LineParts(-100, -33, {"VAT": -1}),
        LineParts(-200, -67, {"VAT": -1}),
    ]


def test_many_small_notes_never_give_back_more_tax_than_there_was() -> None:
    notes = credited(LineParts(400, 0, {"VAT": 2}), 100, 100, 100, 100)

    # half a cent each is rounded up twice; then nothing is left
    assert [note.tax_minor for note in notes] == [1, 1, 0, 0]


def test_more_than_is_left_of_the_line_is_refused() -> None:
    with pytest.raises(CreditExceedsLine) as refusal:
        credited(LINE, 6_000, 4_001)

    assert refusal.value.code == "credit_exceeds_line"
    assert refusal.value.details == {"asked_minor": 4_001, "left_minor": 4_000}


@pytest.mark.parametrize(("line_minor", "amount_minor"), [(100, 0), (100, -1), (-100, 1), (0, 0), (0, 1)])
def test_no_credit_is_none(line_minor: int, amount_minor: int) -> None:
    with pytest.raises(Malformed):
        credit_line(LineParts(line_minor), amount_minor, residue="carry")


@st.composite
def credits_of_a_line(draw: Any) -> tuple[LineParts, list[int]]:
    """Draw a line of either sign and amounts that credit it, perhaps not all of it."""
    sign = draw(st.sampled_from([1, -1]))
    amount_minor = draw(st.integers(1, 1_000_000))
    discount_minor = draw(st.integers(0, amount_minor))
    taxes = draw(st.dictionaries(st.sampled_from(["VAT", "City", "County"]), st.integers(0, 300_000)))
    cuts = sorted(draw(st.sets(st.integers(1, amount_minor), min_size=1, max_size=8)))
    amounts = [sign * (end - start) for start, end in pairwise([0, *cuts])]
    return LineParts(sign * amount_minor, sign * discount_minor, {n: sign * tax for n, tax in taxes.items()}), amounts


def parts_of(parts: LineParts) -> dict[str, int]:
    return {"amount": parts.amount_minor, "discount": parts.discount_minor, **parts.taxes}


@settings(max_examples=150)
@given(drawn=credits_of_a_line(), residue=st.sampled_from(["last_note", "carry"]))
def test_no_part_exceeds_what_is_left_and_all_notes_of_a_line_sum_to_it(
    drawn: tuple[LineParts, list[int]], residue: Residue
) -> None:
    line, amounts = drawn
    sign = 1 if line.amount_minor > 0 else -1

    notes = credited(line, *amounts, residue=residue)

    given_back = dict.fromkeys(parts_of(line), 0)
    for note in notes:
        for name, minor in parts_of(note).items():
            assert minor * sign >= 0, name
            given_back[name] += minor
            assert given_back[name] * sign <= parts_of(line)[name] * sign, name
    if sum(amounts) == line.amount_minor:
        assert given_back == parts_of(line)


@settings(max_examples=100)
@given(drawn=credits_of_a_line())
def test_what_is_carried_is_never_half_a_minor_unit_off(drawn: tuple[LineParts, list[int]]) -> None:
    line, amounts = drawn

    given_minor = amount_minor = 0
    for note, asked_minor in zip(credited(line, *amounts, residue="carry"), amounts, strict=True):
        given_minor += note.discount_minor
        amount_minor += asked_minor
        # |given - discount x amount / line| <= 1/2, in whole numbers
        assert 2 * abs(given_minor * line.amount_minor - line.discount_minor * amount_minor) <= abs(line.amount_minor)


def test_notes_over_different_lines_carry_the_residue_of_their_document() -> None:
    # Lago, spec/scenarios/credit_notes/credit_note_spec.rb:783: lines of 19.99, 68.33 and 200.33 share a coupon of
    # 10.00 in 7 digits, with 20 % of tax; 79.155… is credited as 79.15, because 23.156… was credited as 23.16
    exact_minor = [Fraction(text) for text in ("2315.695896", "7915.532796", "23206.77132")]

    given_minor: list[int] = []
    for place, exact in enumerate(exact_minor):
        before = sum(exact_minor[:place], Fraction(0))
        given_minor.append(
            part_of_note(
                exact,
                whole_minor=33_438,
                exact_before_minor=before,
                given_minor=sum(given_minor),
                residue="carry",
            )
        )

    assert given_minor == [2_316, 7_915, 23_207]


@pytest.mark.parametrize(
    ("total", "due", "paid", "from_balance", "parts"),
    [
        (1_500, 6_000, 0, 0, (1_500, 0, 0)),
        (5_000, 0, 5_000, 15_000, (0, 5_000, 0)),
        (12_000, 0, 5_000, 15_000, (0, 5_000, 7_000)),
        (10_000, 6_000, 3_000, 1_000, (6_000, 3_000, 1_000)),
        (0, 0, 0, 0, (0, 0, 0)),
    ],
)
def test_a_credit_lowers_what_is_due_then_is_refunded_then_kept(
    total: int, due: int, paid: int, from_balance: int, parts: tuple[int, int, int]
) -> None:
    assert settle_credit(total, due_minor=due, paid_minor=paid, from_balance_minor=from_balance) == parts


@pytest.mark.parametrize("total", [-1, 101])
def test_more_than_is_left_of_the_document_is_refused(total: int) -> None:
    with pytest.raises(CreditExceedsDocument) as refusal:
        settle_credit(total, due_minor=20, paid_minor=30, from_balance_minor=50)

    assert refusal.value.code == "credit_exceeds_document"


@given(
    funds=st.tuples(st.integers(0, 10_000), st.integers(0, 10_000), st.integers(0, 10_000)),
    part=st.fractions(0, 1),
)
def test_the_parts_of_a_settled_credit_sum_to_it_and_none_exceeds_its_fund(
    funds: tuple[int, int, int], part: Any
) -> None:
    total = int(sum(funds) * part)

    settled = settle_credit(total, due_minor=funds[0], paid_minor=funds[1], from_balance_minor=funds[2])

    assert sum(settled) == total
    assert all(0 <= minor <= fund for minor, fund in zip(settled, funds, strict=True))
