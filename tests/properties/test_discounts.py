"""Laws of discounts: nothing below zero, nothing lost, nothing out of scope, for any lines and coupons."""

from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenor.kernel.ids import DiscountId
from tenor.pricing.discounts.model import Discount
from tenor.pricing.policy import policy_with
from tenor.pricing.rules.discounts import Discountable, discount_back, spread

CODES = ("calls", "seats", "tokens")
CENTS = st.integers(1, 100_000).map(lambda cents: Decimal(cents).scaleb(-2))
FINE = st.fractions(min_value=-1, max_value=1_000, max_denominator=10_000)
KEYS = st.fixed_dictionaries(
    {
        "coupon_order": st.sampled_from(["given", "percent_first", "limited_first"]),
        "coupon_stacking": st.sampled_from(["compound", "full_amount"]),
        "coupon_spread": st.sampled_from(["proportional", "each_line", "waterfall"]),
        "coupon_share_digits": st.sampled_from([None, 2, 7]),
    }
)


@st.composite
def lines(draw: st.DrawFn, amounts: st.SearchStrategy[Any] = FINE) -> list[Discountable]:
    found = draw(st.lists(st.tuples(amounts, st.sampled_from(CODES)), min_size=1, max_size=8))
    return [Discountable(place, amount, charge=code) for place, (amount, code) in enumerate(found)]


@st.composite
def coupons(draw: st.DrawFn) -> Discount:
    is_percent = draw(st.booleans())
    return Discount(
        id=DiscountId(UUID(int=draw(st.integers(0, 2**64)))),
        code="c",
        name="C",
        percent_off=draw(st.integers(1, 10_000).map(lambda number: Decimal(number) / 100)) if is_percent else None,
        amount_off=None if is_percent else draw(CENTS),
        currency=None if is_percent else "USD",
        charges=tuple(draw(st.sets(st.sampled_from(CODES), max_size=2))),
    )


@settings(max_examples=150)
@given(lines(), st.lists(coupons(), max_size=4), KEYS, st.sampled_from(["last", "largest_remainder"]), st.booleans())
def test_no_line_falls_below_zero_and_no_coupon_leaves_its_scope(
    of: list[Discountable], given_coupons: list[Discount], keys: dict[str, Any], remainder: Any, rounds: bool
) -> None:
    policy = policy_with("tenor", keys).discounts

    found = spread(of, given_coupons, policy, 2, remainder=remainder, rounds_percentages=rounds)

    for line, off in zip(of, found, strict=True):
        assert 0 <= off.amount <= max(Fraction(0), Fraction(line.amount))
        assert off.amount == sum(share.amount for share in off.shares)
        assert all(not share.discount.charges or line.charge in share.discount.charges for share in off.shares)


@settings(max_examples=150)
@given(lines(), coupons(), KEYS, st.sampled_from(["last", "largest_remainder"]))
def test_a_fixed_amount_is_taken_off_whole_or_as_far_as_the_lines_reach(
    of: list[Discountable], coupon: Discount, keys: dict[str, Any], remainder: Any
) -> None:
    if coupon.amount_off is None:
        return
    policy = policy_with("tenor", keys | {"coupon_share_digits": None}).discounts
    reach = sum(
        max(Fraction(0), Fraction(line.amount)) for line in of if not coupon.charges or line.charge in coupon.charges
    )

    found = spread(of, [coupon], policy, 2, remainder=remainder)

    assert sum(line.amount for line in found) == min(Fraction(coupon.amount_off), reach)


@settings(max_examples=100)
@given(lines(CENTS), coupons(), st.sampled_from(["last", "largest_remainder"]))
def test_lines_in_cents_stay_in_cents(of: list[Discountable], coupon: Discount, remainder: Any) -> None:
    policy = policy_with("tenor", {}).discounts

    found = spread(of, [coupon], policy, 2, remainder=remainder, rounds_percentages=True)

    assert all((line.amount * 100).denominator == 1 for line in found)


@settings(max_examples=100)
@given(lines(), coupons(), st.integers(0, 9), st.integers(1, 9))
def test_what_is_due_and_what_is_not_due_of_a_line_add_up_to_the_whole(
    of: list[Discountable], coupon: Discount, used: int, unused: int
) -> None:
    policy = policy_with("tenor", {}).discounts
    share = Fraction(used, used + unused)
    due = [line._replace(amount=Fraction(line.amount) * share, whole=line.amount) for line in of]
    rest = [line._replace(amount=Fraction(line.amount) * (1 - share), whole=line.amount) for line in of]

    whole, of_due, of_rest = [spread(some, [coupon], policy, 2) for some in (of, due, rest)]

    for all_of_it, part, other in zip(whole, of_due, of_rest, strict=True):
        assert part.amount + other.amount == all_of_it.amount
        back = discount_back(
            line_discount=all_of_it.amount, coupon_discount=Fraction(0), credited=1 - share, basis="allocated_share"
        )
        assert back == other.amount


@pytest.mark.parametrize("basis", ["allocated_share", "whole_coupon"])
@settings(max_examples=50)
@given(CENTS, st.lists(st.fractions(0, 1), max_size=6))
def test_credits_together_never_give_back_more_than_was_taken_off(
    basis: Any, off: Decimal, credited: list[Fraction]
) -> None:
    given_back = Fraction(0)
    for share in credited:
        given_back += discount_back(
            line_discount=off, coupon_discount=off, credited=share, basis=basis, given_back=given_back
        )

    assert given_back == min(Fraction(off), Fraction(off) * sum(credited))
