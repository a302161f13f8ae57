"""Discounts: the worked tables of their page, the terms of a discount, and its JSON."""

import json
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest

from tenor.kernel.errors import Malformed
from tenor.kernel.ids import DiscountId
from tenor.pricing.discounts.model import Discount, MalformedDiscount
from tenor.pricing.policy import policy_with
from tenor.pricing.rules.discounts import (
    Discountable,
    LineDiscount,
    active_in,
    discount_back,
    shares_to_json,
    spread,
    totals,
)
from tests.support.worked_tables import worked_table

PAGE = "algorithms/discounts.md"


def discount(text: str, *, number: int = 0, **terms: Any) -> Discount:
    """Read '10 %' or '5.00', perhaps with 'on metric calls' and the like after it."""
    value, *scopes = text.split(" on ")
    is_percent = value.endswith("%")
    for scope in scopes:
        kind, code = scope.split()
        terms[f"{kind}s"] = (code,)
    return Discount(
        id=DiscountId(UUID(int=number)),
        code=f"coupon-{number}",
        name="Coupon",
        percent_off=Decimal(value.rstrip(" %")) if is_percent else None,
        amount_off=None if is_percent else Decimal(value),
        currency=None if is_percent else "USD",
        **terms,
    )


def discounts(text: str) -> list[Discount]:
    return [discount(one, number=number) for number, one in enumerate(text.split(", "))]


def taken(policy: str, lines: Sequence[Discountable], coupons: str) -> list[LineDiscount]:
    """Spread under 'profile key=value … rounded digits=n'."""
    name, *words = policy.split()
    keys = dict(word.split("=") for word in words if "=" in word)
    digits = int(keys.pop("digits", 2))
    chosen = policy_with(name, keys)
    return spread(
        lines,
        discounts(coupons),
        chosen.discounts,
        digits,
        remainder=chosen.rounding.remainder,
        rounds_percentages="rounded" in words,
    )


def assert_amounts(found: Sequence[LineDiscount], expected: Sequence[str]) -> None:
    assert [line.amount for line in found] == [Fraction(text) for text in expected]


@pytest.mark.parametrize("row", worked_table(PAGE, "What is taken off"), ids="-".join)
def test_what_is_taken_off(row: list[str]) -> None:
    policy, lines, coupons, expected, _ = row
    amounts = [Discountable(place, Decimal(amount)) for place, amount in enumerate(lines.split())]

    found = taken(policy, amounts, coupons)

    assert_amounts(found, expected.split())
    assert [line.key for line in found] == list(range(len(amounts)))


@pytest.mark.parametrize("row", worked_table(PAGE, "On which lines"), ids="-".join)
def test_on_which_lines(row: list[str]) -> None:
    policy, coupons, *expected, _ = row
    lines = [
        Discountable(1, Decimal("10.00"), plan="team", charge="calls", metric="calls"),
        Discountable(2, Decimal("20.00"), plan="team", charge="tokens", metric="tokens"),
        Discountable(3, Decimal("30.00"), plan="solo", charge="calls", metric="calls"),
        Discountable(4, Decimal("40.00"), plan="solo", charge="seats"),
    ]

    assert_amounts(taken(policy, lines, coupons), expected)


@pytest.mark.parametrize("row", worked_table(PAGE, "Part of a period"), ids="-".join)
def test_part_of_a_period(row: list[str]) -> None:
    wholes, dues, coupons, expected, _ = row
    lines = [
        Discountable(place, Decimal(due), whole=Decimal(whole))
        for place, (whole, due) in enumerate(zip(wholes.split(), dues.split(), strict=True))
    ]

    assert_amounts(taken("tenor", lines, coupons), expected.split())


@pytest.mark.parametrize("row", worked_table(PAGE, "For how long"), ids="-".join)
def test_for_how_long(row: list[str]) -> None:
    duration, *periods = row[0].split()
    lasting = discount("10 %", duration=duration, periods=int(periods[0]) if periods else None)

    assert [window for window in range(-1, 5) if active_in(lasting, window)] == [int(text) for text in row[1].split()]


@pytest.mark.parametrize("row", worked_table(PAGE, "What a credit gives back"), ids="-".join)
def test_what_a_credit_gives_back(row: list[str]) -> None:
    basis, off, whole, credited, before, expected = row

    back = discount_back(
        line_discount=Decimal(off),
        coupon_discount=Decimal(whole),
        credited=Fraction(credited),
        basis="whole_coupon" if basis == "whole_coupon" else "allocated_share",
        given_back=Decimal(before),
    )

    assert back == Fraction(expected)


def test_a_discount_limited_to_a_product_takes_no_other() -> None:
    lines = [Discountable("a", Decimal(10), product="app"), Discountable("b", Decimal(10), product="support")]

    assert_amounts(taken("tenor", lines, "5.00 on product app"), ["5.00", "0"])


def test_each_share_is_told_by_its_discount() -> None:
    lines = [Discountable("a", Decimal("10.00")), Discountable("b", Decimal("20.00"))]

    first, second = taken("tenor", lines, "10 %, 5.00")  # 1.00 and 2.00, then 5.00 by 9.00 and 18.00

    assert shares_to_json(first.shares) == [
        {"discount": str(UUID(int=0)), "code": "coupon-0", "terms": "10 %", "amount": "1"},
        {"discount": str(UUID(int=1)), "code": "coupon-1", "terms": "5 USD", "amount": "167/100"},
    ]
    assert [share.amount for share in second.shares] == [Fraction(2), Fraction("3.33")]
    assert [(total.discount.code, total.amount) for total in totals([first, second])] == [
        ("coupon-0", Fraction(3)),
        ("coupon-1", Fraction(5)),
    ]


def test_nothing_to_discount_and_no_discount_are_no_error() -> None:
    assert taken("tenor", [], "10 %") == []
    policy = policy_with("tenor", {}).discounts
    assert spread([Discountable("a", Decimal(1))], [], policy, 2) == [LineDiscount("a", Fraction(0), ())]


@pytest.mark.parametrize(
    "terms",
    [
        {"percent_off": None},
        {"amount_off": Decimal(5), "currency": "USD"},
        {"percent_off": Decimal(0)},
        {"percent_off": Decimal("100.01")},
        {"percent_off": Decimal(-1)},
        {"percent_off": Decimal("NaN")},
        {"currency": "USD"},
        {"percent_off": None, "amount_off": Decimal(5)},
        {"percent_off": None, "amount_off": Decimal(0), "currency": "USD"},
        {"percent_off": None, "amount_off": Decimal(-5), "currency": "USD"},
        {"percent_off": None, "amount_off": Decimal(5), "currency": "usd"},
        {"duration": "twice"},
        {"duration": "repeating"},
        {"duration": "repeating", "periods": 0},
        {"duration": "repeating", "periods": 1_201},
        {"duration": "repeating", "periods": True},
        {"duration": "once", "periods": 1},
        {"code": ""},
        {"code": "x" * 65},
        {"name": " "},
        {"plans": ("team", "team")},
        {"metrics": ("",)},
        {"charges": tuple(str(number) for number in range(101))},
    ],
    ids=str,
)
def test_terms_that_contradict_each_other_are_refused(terms: dict[str, Any]) -> None:
    sound: dict[str, Any] = {"id": UUID(int=1), "code": "spring", "name": "Spring", "percent_off": Decimal(10)}
    Discount(**sound)

    with pytest.raises(Malformed):
        Discount(**sound | terms)


@pytest.mark.parametrize(
    ("made", "body"),
    [
        (discount("12.50 %"), {"percent_off": "12.5", "duration": "forever"}),
        (discount("5.00", duration="once"), {"amount_off": "5", "currency": "USD", "duration": "once"}),
        (
            discount("100 % on plan team on metric calls", duration="repeating", periods=3),
            {
                "percent_off": "100",
                "duration": "repeating",
                "periods": 3,
                "plans": ["team"],
                "metrics": ["calls"],
            },
        ),
    ],
)
def test_a_discount_is_kept_as_json_and_comes_back(made: Discount, body: dict[str, Any]) -> None:
    kept = made.to_json()

    assert kept == {"id": str(UUID(int=0)), "code": "coupon-0", "name": "Coupon"} | body
    assert Discount.from_json(json.loads(json.dumps(kept))) == made


@pytest.mark.parametrize(
    "body", [{}, {"id": "x"}, {"id": str(UUID(int=1)), "code": "a", "name": "A", "duration": "once"}]
)
def test_json_that_is_no_discount_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(MalformedDiscount):
        Discount.from_json(body)
