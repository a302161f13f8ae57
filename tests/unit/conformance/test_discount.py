"""Cases of the kinds discount, discount_reversal and invoice: figures of public tests, and their neighbours."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tenor.conformance import discount, invoice
from tenor.conformance.cases import Case
from tenor.conformance.compare import differences
from tenor.kernel.errors import Malformed

ANSWERS: Mapping[str, Callable[[Case], Mapping[str, Any]]] = {
    "discount": discount.answer,
    "discount_reversal": discount.answer_reversal,
    "invoice": invoice.answer,
}


def misses(kind: str, profile: str, body: dict[str, Any], **expect: Any) -> list[str]:
    """Return what the engine answers differently."""
    whole = {"currency": "USD", **body, "expect": expect}
    return differences(case := Case("a", kind, profile, "core", whole), ANSWERS[kind](case))


def lines(*amounts: str) -> list[dict[str, Any]]:
    return [{"amount": amount} for amount in amounts]


@pytest.mark.parametrize(
    ("profile", "body", "expect"),
    [
        # as flexprice tests its rounding
        ("flexprice", {"lines": lines("100.00"), "coupons": [{"percent_off": "99"}]}, {"payable": "1.00"}),
        (
            "flexprice",
            {"lines": lines("10.00"), "coupons": [{"amount_off": "15.00"}]},
            {"discount": "10", "payable": "0"},
        ),
        # 99.99 yen become 100; 999.9 − 100 = 899.9, which is shown as 900
        (
            "flexprice",
            {"currency": "JPY", "lines": lines("999.9"), "coupons": [{"percent_off": "10"}]},
            {"discount": "100", "payable": "900"},
        ),
        (
            "flexprice",
            {"lines": lines("1.00"), "coupons": [{"percent_off": "0.01"}]},
            {"discount": "0", "payable": "1"},
        ),
        ("flexprice", {"lines": lines("1.00"), "coupons": [{"percent_off": "0"}]}, {"discount": "0", "payable": "1"}),
        # three dinar have three digits: 1.2345 → 1.235
        (
            "flexprice",
            {"currency": "KWD", "lines": lines("12.345"), "coupons": [{"percent_off": "10"}]},
            {"discount": "1.235", "payable": "11.110"},
        ),
        # as meteroid tests its discounts
        (
            "meteroid",
            {"lines": lines("100.00"), "coupons": [{"percent_off": "10"}, {"percent_off": "25"}]},
            {"discount": "32.50"},
        ),
        (
            "meteroid",
            {"lines": lines("60.00", "40.00"), "coupons": [{"amount_off": "10.00"}]},
            {"line_payables": ["54.00", "36.00"], "line_discounts": ["6", "4"]},
        ),
        (
            "meteroid",
            {"lines": lines("49"), "coupons": [{"amount_off": "10"}, {"percent_off": "90"}]},
            {"payable": "0"},
        ),
        # 10 off and 10 %: in the order given 10 + 9, percentage first 10 + 10
        (
            "standard",
            {"lines": lines("100"), "coupons": [{"amount_off": "10"}, {"percent_off": "10"}]},
            {"discount": "19"},
        ),
        (
            "meteroid",
            {"lines": lines("100"), "coupons": [{"amount_off": "10"}, {"percent_off": "10"}]},
            {"discount": "20"},
        ),
        # a line that is outside the coupon keeps its price and carries no share
        (
            "meteroid",
            {
                "lines": [{"amount": "60.00"}, {"amount": "50.00", "discountable": False}],
                "coupons": [{"percent_off": "50"}, {"amount_off": "80.00"}],
            },
            {"discount": "60.00", "payable": "50.00", "line_payables": ["0.00", "50.00"]},
        ),
        # recurly: two percentages of the full amount leave 40 of 100; compounded 45
        (
            "recurly",
            {
                "lines": lines("100.00"),
                "coupons": [{"percent_off": "50"}, {"percent_off": "10"}],
                "policy": {"coupon_stacking": "full_amount"},
            },
            {"payable": "40.00"},
        ),
        ("recurly", {"lines": lines("15", "7"), "coupons": [{"amount_off": "20"}]}, {"line_discounts": ["15", "5"]}),
        # a fixed amount of 5 over 10 and 20: the last line takes the cent that is left over
        (
            "stripe",
            {"lines": lines("10", "20"), "coupons": [{"amount_off": "5"}]},
            {"line_discounts": ["1.66", "3.34"]},
        ),
        (
            "lago",
            {"lines": lines("1", "2"), "coupons": [{"amount_off": "1"}]},
            {"line_discounts": ["0.3333333", "0.6666667"]},
        ),
        # a coupon limited to a plan says nothing about lines of none
        (
            "lago",
            {"lines": lines("10"), "coupons": [{"amount_off": "1", "limited_to": {"plans": ["p"]}}]},
            {"discount": "0", "payable": "10"},
        ),
    ],
)
def test_discounts(profile: str, body: dict[str, Any], expect: dict[str, Any]) -> None:
    assert misses("discount", profile, body, **expect) == []


@pytest.mark.parametrize("coupon", [{"percent_off": "101"}, {"percent_off": "-1"}, {"amount_off": "-1"}])
def test_coupons_that_no_engine_takes_are_refused(coupon: dict[str, str]) -> None:
    with pytest.raises(Malformed):
        misses("discount", "standard", {"lines": lines("10"), "coupons": [coupon]})


@pytest.mark.parametrize(
    ("original", "credit", "expect"),
    [
        # recurly: 2.00 off ten units; three come back: 3.00 less 3/10 × 2.00
        (
            {"quantity": "10", "unit_amount": "1.00", "discount": "2.00", "discount_kind": "amount"},
            {"quantity": "3", "proration": "1"},
            {"credit": "3.00", "discount_reversed": "0.60", "net_credit": "2.40"},
        ),
        # half of the period on top: 1.50 less 0.30
        (
            {"quantity": "10", "unit_amount": "1.00", "discount": "2.00", "discount_kind": "amount"},
            {"quantity": "3", "proration": "0.5"},
            {"credit": "1.50", "discount_reversed": "0.30", "net_credit": "1.20"},
        ),
        # 20 % off: a fifth of what is credited
        (
            {"quantity": "10", "unit_amount": "1.00", "discount": "20", "discount_kind": "percent"},
            {"quantity": "3", "proration": "1"},
            {"credit": "3.00", "discount_reversed": "0.60", "net_credit": "2.40"},
        ),
        # all of it, without a word on quantities
        (
            {"unit_amount": "9.00", "discount": "1.00", "discount_kind": "amount"},
            {},
            {"credit": "9.00", "discount_reversed": "1.00", "net_credit": "8.00"},
        ),
        # thirds: 2 × 0.33 = 0.66; 0.10 × 2/3 = 0.0666…
        (
            {"quantity": "3", "unit_amount": "0.33", "discount": "0.10", "discount_kind": "amount"},
            {"quantity": "2"},
            {"credit": "0.66", "discount_reversed": "0.07", "net_credit": "0.59"},
        ),
    ],
)
def test_discount_reversals(original: dict[str, str], credit: dict[str, str], expect: dict[str, str]) -> None:
    assert misses("discount_reversal", "recurly", {"original": original, "credit": credit}, **expect) == []


@pytest.mark.parametrize(
    ("profile", "body", "expect"),
    [
        # flexprice: each line is rounded, then summed
        ("flexprice", {"lines": lines("10.333333", "10.333333", "10.333333")}, {"subtotal": "30.99"}),
        # rounded once: 30.999999
        (
            "flexprice",
            {
                "lines": lines("10.333333", "10.333333", "10.333333"),
                "policy": {"rounding": {"mode": "half_up", "digits": "currency", "place": "invoice"}},
            },
            {"subtotal": "31.00", "total": "31.00"},
        ),
        (
            "flexprice",
            {"lines": [{"units": "3", "unit_amount": "0.335", "count": 2}]},
            {"line_amounts": ["1.01", "1.01"]},
        ),
        # meteroid: a coupon, then tax: 31.50 × 8.25 % = 2.59875
        (
            "meteroid",
            {"lines": lines("35.00"), "tax_percent": "8.25", "coupons": [{"percent_off": "10"}]},
            {"subtotal": "35.00", "discount": "3.50", "tax": "2.60", "total": "34.10"},
        ),
        (
            "meteroid",
            {"lines": lines("35.00"), "tax_percent": "20", "tax_exemption": "reverse_charge"},
            {"subtotal": "35.00", "tax": "0.00", "total": "35.00"},
        ),
        (
            "meteroid",
            {"lines": lines("35.00"), "tax_percent": "20", "prepaid": "12.00"},
            {"total": "42.00", "amount_due": "30.00"},
        ),
        ("meteroid", {"lines": lines("35.00"), "prepaid": "50.00"}, {"total": "35.00", "amount_due": "0.00"}),
        # 5 % of 0.30 and of 0.30: 0.015 each; by line 0.02 + 0.02, once 0.03
        ("standard", {"lines": lines("0.30", "0.30"), "tax_percent": "5"}, {"tax": "0.04"}),
        ("lago", {"lines": lines("0.30", "0.30"), "tax_percent": "5"}, {"tax": "0.03"}),
        # Lago's shares are finer than cents: tax of 9.6666667 and 19.3333333 together is 5.80
        (
            "lago",
            {"lines": lines("10.00", "20.00"), "tax_percent": "20", "coupons": [{"amount_off": "1.00"}]},
            {"discount": "1.00", "tax": "5.80", "total": "34.80"},
        ),
        # tax before the coupon: 20 % of 35.00
        (
            "standard",
            {
                "lines": lines("35.00"),
                "tax_percent": "20",
                "coupons": [{"percent_off": "10"}],
                "policy": {"reduction_order": ["tax", "coupon"]},
            },
            {"discount": "3.50", "tax": "7.00", "total": "38.50"},
        ),
        ("meteroid", {"lines": [{"sub_amounts": ["10.00", "23.45", "7.77"]}]}, {"sub_amounts_sum_to_line": True}),
        # three thirds of 10.00 × 1.0005 = 10.005, rounded 10.01: parts of 3.34, 3.34 and 3.33
        (
            "meteroid",
            {"lines": [{"sub_amounts": ["3.333", "3.333", "3.334"], "factor": "1.0005"}]},
            {"sub_amounts_sum_to_line": True, "line_amounts": ["10.01"]},
        ),
        (
            "meteroid",
            {"currency": "JPY", "lines": lines("99.5"), "tax_percent": "10"},
            {"subtotal": "100", "tax": "10", "total": "110"},
        ),
    ],
)
def test_invoices(profile: str, body: dict[str, Any], expect: dict[str, Any]) -> None:
    assert misses("invoice", profile, body, **expect) == []
