"""The runner: what counts as equal, what an outcome looks like, and which policy keys the engine knows."""

import json
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from importlib import resources
from typing import Any, Final

import pytest

from tenor.conformance.cases import Case
from tenor.conformance.compare import differences
from tenor.conformance.runner import Outcome, as_json, run_case, totals
from tenor.pricing.policy import UnknownPolicy, policy_with, profile, profile_names


def case(expect: Any, *, kind: str = "rating", profile: str = "standard", **body: Any) -> Case:
    return Case("by-hand", kind, profile, "core", {"kind": kind, "expect": expect, **body})


def is_met(expect: dict[str, Any], **got: Any) -> bool:
    return not differences(case(expect), got)


@pytest.mark.parametrize(
    ("wanted", "got"),
    [
        ("180.5", Decimal("180.50")),
        ("180.50", Decimal("180.5")),
        ("1000", Decimal("1E+3")),
        ("-0.00", Decimal(0)),
        (15, Decimal(15)),
        (Decimal("0.1"), Decimal("0.10")),
        ("1/3", "1/3"),
        ("2026-01-31", date(2026, 1, 31)),
        ("2026-01-31T00:00:00Z", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T01:30:00+01:30", datetime(2026, 1, 31, tzinfo=UTC)),
        ("upgrade", "upgrade"),
        (True, True),
        (None, None),
    ],
)
def test_figures_are_equal_by_value(wanted: object, got: object) -> None:
    assert is_met({"figure": wanted}, figure=got)


@pytest.mark.parametrize(
    ("wanted", "got"),
    [
        ("180.50", Decimal("180.500000000001")),
        ("0", Decimal("0.004")),
        ("60", None),
        (None, Decimal(0)),
        (None, ""),
        (True, 1),
        (1, True),
        (False, None),
        ("true", True),
        ("True", True),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T00:00:00Z", date(2026, 1, 31)),
        ("2026-01-31T00:00:00+01:00", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T00:00:00", datetime(2026, 1, 31, tzinfo=UTC)),
        ("upgrade", "downgrade"),
        ("60", ["60"]),
        (["60"], Decimal(60)),
        ({"a": "60"}, Decimal(60)),
        ("Infinity", Decimal(60)),
        ("NaN", Decimal(60)),
    ],
)
def test_there_is_no_tolerance_and_no_guessing(wanted: object, got: object) -> None:
    assert not is_met({"figure": wanted}, figure=got)


def test_only_what_is_listed_is_asked() -> None:
    assert is_met({"amount": "60"}, amount=Decimal(60), unit_amount=Decimal(4))
    assert is_met({"group": {"region": "eu"}}, group={"region": "eu", "size": "l"})
    assert not is_met({"amount": "60", "tax": "0"}, amount=Decimal(60))


def test_a_unit_amount_is_rounded_half_up_to_the_digits_that_are_printed() -> None:
    two_thirds = Decimal(2) / Decimal(3)

    assert is_met({"unit_amount": "0.67"}, unit_amount=two_thirds)
    assert is_met({"unit_amount": "0.667"}, unit_amount=two_thirds)
    assert not is_met({"unit_amount": "0.66"}, unit_amount=two_thirds)
    assert is_met({"unit_amount": "0.13"}, unit_amount=Decimal("0.125"))
    assert is_met({"unit_amount": "-0.13"}, unit_amount=Decimal("-0.125"))  # half away from zero
    assert is_met({"unit_amount": "4"}, unit_amount=Decimal("3.5"))
    assert not is_met({"amount": "0.67"}, amount=two_thirds)  # no other amount is


def test_a_ratio_of_two_numbers_is_compared_by_value() -> None:
    assert is_met({"ratio": "14/28"}, ratio=Fraction(1, 2))
    assert not is_met({"ratio": "14/31"}, ratio=Fraction(1, 2))
    # 14/31 = 0.4516129032258…, which is another number than its first 12 digits
    assert not is_met({"ratio": "14/31"}, ratio=Decimal("0.451612903226"))


@pytest.mark.parametrize("key", ["ratio", "precise", "item_precise"])
def test_decimal_ratios_and_precise_amounts_are_compared_at_12_digits_or_those_printed(key: str) -> None:
    third = Fraction(1, 3)

    assert is_met({key: "0.333333333333"}, **{key: third})
    assert is_met({key: "0.33333333333333333"}, **{key: third})
    assert is_met({key: "0.3333333333334"}, **{key: third})  # differs in the 13th digit
    assert not is_met({key: "0.333333333334"}, **{key: third})
    assert is_met({key: "0.3333"}, **{key: third})
    assert not is_met({key: "0.3334"}, **{key: third})


def test_no_share_is_not_a_share_of_nothing() -> None:
    assert is_met({"ratio": None}, ratio=None)
    assert not is_met({"ratio": None}, ratio=Fraction(0))
    assert not is_met({"ratio": "0"}, ratio=None)


def test_compare_digits_rounds_both_sides() -> None:
    assert is_met({"value": "5.22581", "compare_digits": 5}, value=Decimal("5.2258064516"))
    assert is_met({"value": "5.2258064", "compare_digits": 5}, value=Decimal("5.225808"))
    assert not is_met({"value": "5.22581", "compare_digits": 6}, value=Decimal("5.2258064516"))
    assert is_met({"ratio": "0.4516129", "compare_digits": 2}, ratio=Fraction(9, 20))
    assert is_met({"values": ["0.516", "0.968"], "compare_digits": 3}, values=[Decimal("0.51613"), Decimal("0.96774")])


def test_lists_are_complete_and_in_order() -> None:
    got = [Decimal("20.00"), Decimal("40.00")]

    assert is_met({"line_amounts": ["20", "40"]}, line_amounts=got)
    assert not is_met({"line_amounts": ["40", "20"]}, line_amounts=got)
    assert not is_met({"line_amounts": ["20"]}, line_amounts=got)
    assert not is_met({"line_amounts": ["20", "40", "0"]}, line_amounts=got)
    assert is_met({"line_amounts": []}, line_amounts=())


def test_groups_have_no_order_but_each_counts_once() -> None:
    got = [{"group": {"region": "eu"}, "value": Decimal(1)}, {"group": {"region": "us"}, "value": Decimal(2)}]
    eu, us = {"group": {"region": "eu"}, "value": "1"}, {"group": {"region": "us"}, "value": "2"}

    assert is_met({"groups": [us, eu]}, groups=got)
    assert not is_met({"groups": [eu, eu]}, groups=got)
    assert not is_met({"groups": [eu]}, groups=got)
    assert not is_met({"groups": [eu, us, us]}, groups=got)


def test_each_difference_is_one_sentence() -> None:
    found = differences(case({"amount": "61", "tax": "5", "total": "1"}), {"amount": Decimal(60), "total": Decimal(1)})

    assert found == ["amount: expected 61, got 60", "tax: expected 5, but the engine gave no such figure"]


def rated(units: object, expect: Any, **body: Any) -> Outcome:
    """Run a case of 10 × 5.00 and the rest at 2.00 on the engine."""
    tiers = [{"up_to": "10", "unit_amount": "5"}, {"up_to": None, "unit_amount": "2"}]
    body = {"model": "graduated", "properties": {"tiers": tiers}, "usage": {"units": units}, **body}
    return run_case(case(expect, **body))


def test_the_engine_answers_what_is_asked_and_nothing_more() -> None:
    outcome = rated("15", {"amount": "60", "unit_amount": "4.00"})  # 10 × 5 + 5 × 2 = 60; 60 / 15 = 4

    assert (outcome.passed, outcome.why) == (True, "")
    assert outcome.got == {"amount": Decimal(60), "unit_amount": Decimal(4)}


def test_a_refusal_is_the_answer_error() -> None:
    assert rated("-1e99", {"error": True}).passed
    assert rated("-1e99", {"amount": "0"}).why.startswith("amount: expected 0, but not_a_decimal: units: ")
    assert rated("15", {"error": True}).why == "error: expected True, but the engine gave no such figure"


def test_cases_of_the_other_kinds_are_answered_too() -> None:
    rounding = case({"amount": "0.13"}, kind="rounding", amount="0.125")
    # 100 in three equal parts is 33.333…; the cent that is left goes to the first key
    split: dict[str, Any] = {"keys": ["a", "b", "c"], "weights": ["1", "1", "1"]}
    allocation = case({"parts": {"a": "33.34", "b": "33.33", "c": "33.33"}}, kind="allocation", amount="100", **split)
    june: dict[str, Any] = {"period": ["2026-06-01", "2026-07-01"], "used": ["2026-06-16", "2026-07-01"]}
    share = case({"ratio": "0.5", "days_used": 15}, kind="proration", ask="ratio", **june)  # 15 of 30 days
    no_share = case({"ratio": None}, kind="proration", ask="ratio", policy={"proration_unit": "none"}, **june)

    for one in (rounding, allocation, share, no_share):
        assert run_case(one).why == ""


def test_totals_are_counted_by_kind_profile_and_class() -> None:
    def outcome(kind: str, profile: str, *, passed: bool) -> Outcome:
        return Outcome(case({}, kind=kind, profile=profile), passed=passed, got=None, why="")

    counted = totals(
        [
            outcome("rating", "tenor", passed=True),
            outcome("rating", "lago", passed=False),
            outcome("rating", "tenor", passed=False),
            outcome("periods", "tenor", passed=True),
        ]
    )

    assert counted == [
        {"kind": "periods", "profile": "tenor", "class": "core", "passed": 1, "failed": 0},
        {"kind": "rating", "profile": "lago", "class": "core", "passed": 0, "failed": 1},
        {"kind": "rating", "profile": "tenor", "class": "core", "passed": 1, "failed": 1},
    ]


def test_what_the_engine_gave_becomes_plain_json() -> None:
    got = {
        "amount": Decimal("1E+3"),
        "share": Fraction(14, 31),
        "periods": ({"from": datetime(2026, 1, 31, tzinfo=UTC), "to": date(2026, 2, 28)},),
        "count": 2,
        "whole": True,
        "ratio": None,
    }

    assert as_json(got) == {
        "amount": "1000",
        "share": "14/31",
        "periods": [{"from": "2026-01-31T00:00:00Z", "to": "2026-02-28"}],
        "count": 2,
        "whole": True,
        "ratio": None,
    }


LATER_KEYS: Final = frozenset(
    """
    month_rounding
    recognition metric_formula churn_denominator churn_includes_contraction discounts_in_mrr
    """.split()
)
"""Keys of the public case files that the profiles carry and no rule of the engine asks for yet.

A key leaves this list when a group of `Policy` gets it; nothing else may be in a profile.
"""

SHIPPED: Final[dict[str, dict[str, Any]]] = json.loads(
    resources.files("tenor.pricing").joinpath("profiles.json").read_text(encoding="utf-8")
)


def acted_on() -> set[str]:
    """Return every key that a group of the policy has."""
    groups = [getattr(profile("tenor"), field.name) for field in fields(profile("tenor"))]
    return {field.name for group in groups if is_dataclass(group) for field in fields(group)}


def test_every_key_of_a_shipped_profile_is_acted_on_or_named_as_a_later_one() -> None:
    unknown = {
        f"{name}: {key}" for name, entry in SHIPPED.items() for key in entry["policy"].keys() - acted_on() - LATER_KEYS
    }

    assert unknown == set()
    assert LATER_KEYS.isdisjoint(acted_on())
    assert acted_on() | LATER_KEYS == SHIPPED["standard"]["policy"].keys()  # the root of all says something of each


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_profile_can_be_read(name: str) -> None:
    policy = policy_with(name, {})

    assert policy.name == name
    assert name in profile_names()
    assert set(SHIPPED[name]) <= {"title", "extends", "policy"}
    assert SHIPPED[name].get("extends", "standard") in SHIPPED


@pytest.mark.parametrize("key", sorted(LATER_KEYS))
def test_a_later_key_is_refused_where_it_is_asked_for(key: str) -> None:
    with pytest.raises(UnknownPolicy, match=key):
        policy_with("tenor", {key: SHIPPED["standard"]["policy"][key]})
