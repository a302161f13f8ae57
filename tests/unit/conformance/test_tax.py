"""Cases of the kinds tax and tax_reversal: figures of Stripe's public documentation, and of arithmetic beside them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from tenor.conformance import tax
from tenor.conformance.cases import Case
from tenor.conformance.compare import differences
from tenor.taxes.errors import MoreThanBilled


def case(body: Mapping[str, Any], **expect: Any) -> Case:
    whole = {"currency": "USD", "expect": expect, **body}
    return Case("t", "tax", "stripe", "core", whole)


def line(amount: str, *rates: str, **coupon: str) -> dict[str, Any]:
    """Return a line with rates written as '10 incl'."""
    listed = [{"percent": rate.split()[0], "inclusive": rate.endswith("incl")} for rate in rates]
    return {"amount": amount, "rates": listed, **({"coupon": coupon} if coupon else {})}


@pytest.mark.parametrize(
    ("body", "expect"),
    [
        (  # 25 % in the price
            {"lines": [line("5.00", "25 incl")]},
            {"tax": "1.00", "net": "4.00", "total": "5.00", "inclusive_tax": "1.00", "exclusive_tax": "0.00"},
        ),
        (  # backed out: 100.00 − 9.09
            {"customer_exempt": True, "lines": [line("100.00", "10 incl")]},
            {"tax": "0.00", "total": "90.91", "net": "90.91"},
        ),
        ({"customer_exempt": True, "lines": [line("100.00", "10 excl")]}, {"tax": "0.00", "total": "100.00"}),
        (  # two rates on one invoice
            {"lines": [line("5.00", "5 excl"), line("10.00", "10 excl")]},
            {"lines": [{"tax": "0.25"}, {"tax": "1.00"}], "tax": "1.25", "total": "16.25"},
        ),
        (  # two rates on one line: 0.50 + 0.9975
            {"lines": [line("10.00", "9.975 excl", "5 excl")]},
            {"lines": [{"tax": "1.50", "net": "10.00", "total": "11.50"}]},
        ),
        (  # rounding by line
            {"lines": [line("1000.00", "10 incl"), line("50.00", "10 incl")]},
            {"lines": [{"tax": "90.91"}, {"tax": "4.55"}], "tax": "95.46", "net": "954.54", "total": "1050.00"},
        ),
        (  # and once for the invoice: 1050.00 / 11 = 95.4545…
            {
                "policy": {"tax_rounding": {"mode": "half_up", "digits": "currency", "place": "invoice"}},
                "lines": [line("1000.00", "10 incl"), line("50.00", "10 incl")],
            },
            {"tax": "95.45", "total": "1050.00"},
        ),
        (  # discount before a tax in the price
            {"lines": [line("5.00", "5 incl", percent_off="10"), line("10.00", "5 incl", percent_off="10")]},
            {
                "lines": [{"tax": "0.21", "total": "4.50"}, {"tax": "0.43", "total": "9.00"}],
                "discount": "1.50",
                "tax": "0.64",
                "total": "13.50",
            },
        ),
        (  # both kinds on one line, after the discount
            {
                "lines": [
                    line("5.00", "5 incl", "7 excl", percent_off="10"),
                    line("10.00", "5 incl", "7 excl", percent_off="10"),
                ]
            },
            {
                "lines": [
                    {"inclusive_tax": "0.21", "net": "4.29", "exclusive_tax": "0.30", "total": "4.80"},
                    {"inclusive_tax": "0.43", "net": "8.57", "exclusive_tax": "0.60", "total": "9.60"},
                ],
                "inclusive_tax": "0.64",
                "net": "12.86",
                "exclusive_tax": "0.90",
                "total": "14.40",
            },
        ),
        (  # a fixed amount off: 90.00 × 10/110
            {"lines": [line("100.00", "10 incl", amount_off="10.00")]},
            {"discount": "10.00", "tax": "8.18", "total": "90.00"},
        ),
        ({"lines": [line("5.00", "10 excl", amount_off="9.00")]}, {"discount": "5.00", "tax": "0.00", "total": "0.00"}),
        ({"lines": [line("5.00")]}, {"tax": "0.00", "total": "5.00"}),
        ({"lines": [line("-5.00", "10 excl")]}, {"discount": "0.00", "tax": "-0.50", "total": "-5.50"}),
        ({"currency": "JPY", "lines": [line("105", "10 excl")]}, {"tax": "11", "total": "116"}),  # 10.5
        ({"currency": "KWD", "lines": [line("1.001", "5 excl")]}, {"tax": "0.050"}),  # 0.05005
    ],
)
def test_tax_cases(body: Mapping[str, Any], expect: Mapping[str, Any]) -> None:
    asked = case(body, **expect)

    assert differences(asked, tax.answer(asked)) == []


TEN_AND_TWENTY = [{"amount": "10.00", "tax": "1.00"}, {"amount": "20.00", "tax": "2.00"}]


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (  # 33.00 in all; half of it
            {"lines": TEN_AND_TWENTY, "reversal": {"gross_amount": "16.50"}},
            [("-5.00", "-0.50"), ("-10.00", "-1.00")],
        ),
        (
            {"lines": TEN_AND_TWENTY, "reversal": {"gross_amount": "33.00"}},
            [("-10.00", "-1.00"), ("-20.00", "-2.00")],
        ),
        (
            {"lines": TEN_AND_TWENTY, "reversal": {"line_share": "1"}},
            [("-10.00", "-1.00"), ("-20.00", "-2.00")],
        ),
        (  # what is left of the first line is nothing
            {
                "lines": TEN_AND_TWENTY,
                "already_reversed": [{"amount": "-10.00", "tax": "-1.00"}, {}],
                "reversal": {"line_share": "0.5"},
            },
            [("0.00", "0.00"), ("-10.00", "-1.00")],
        ),
        (  # 33.00 of 99.00 net
            {
                "lines": [{"amount": "66.00", "tax": "6.60"}, {"amount": "33.00", "tax": "3.30"}],
                "reversal": {"net_amount": "33.00"},
            },
            [("-22.00", "-2.20"), ("-11.00", "-1.10")],
        ),
    ],
)
def test_reversal_cases(body: Mapping[str, Any], lines: list[tuple[str, str]]) -> None:
    asked = case(body, lines=[{"amount": amount, "tax": of_line} for amount, of_line in lines])

    assert differences(asked, tax.answer_reversal(asked)) == []


def test_more_than_is_left_is_refused() -> None:
    with pytest.raises(MoreThanBilled):
        tax.answer_reversal(case({"lines": TEN_AND_TWENTY, "reversal": {"gross_amount": "33.01"}}))


def test_figures_are_exact_decimals() -> None:
    assert tax.answer(case({"lines": [line("4.50", "5 excl")]}))["tax"] == Decimal("0.23")
