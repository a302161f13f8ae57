"""Credit note cases: what is credited, where the money goes, and how coupons and taxes follow."""

from typing import Any

import pytest

from tenor.conformance.cases import Case
from tenor.conformance.credit_note import answer
from tenor.conformance.runner import as_json
from tenor.kernel.errors import Refusal


def credited(invoice: dict[str, Any], *asked: dict[str, Any], profile: str = "stripe", **body: Any) -> Any:
    whole = {"currency": "USD", "invoice": invoice, "credits": list(asked), "expect": {}, **body}
    return as_json(answer(Case("by-hand", "credit_note", profile, "core", whole)))


def figures(found: Any, *names: str) -> tuple[Any, ...]:
    return tuple(found[name] for name in names)


OPEN = {"total": "60.00", "amount_due": "60.00", "state": "finalized"}
PART_FROM_BALANCE = {"total": "200.00", "amount_due": "50.00", "balance_applied": "150.00", "state": "paid"}
TEN_TENS = {"lines": [{"amount": "10.00", "count": 10}]}


def test_on_an_open_invoice_less_is_due() -> None:
    found = credited(OPEN, {"quantity": "1", "unit_amount": "15.00"})

    assert figures(found, "amount_due", "to_refund", "to_balance") == ("45.00", "0.00", "0.00")
    assert figures(found, "amount", "quantity") == ("15.00", "1")


@pytest.mark.parametrize(
    ("amount", "to_refund", "to_balance"),
    [
        ("50.00", "50.00", "0.00"),
        ("50.01", "50.00", "0.01"),
        ("100.00", "50.00", "50.00"),
        ("200.00", "50.00", "150.00"),
    ],
)
def test_on_a_paid_invoice_money_is_refunded_first_and_the_rest_goes_to_the_balance(
    amount: str, to_refund: str, to_balance: str
) -> None:
    assert figures(credited(PART_FROM_BALANCE, {"amount": amount}), "to_refund", "to_balance") == (
        to_refund,
        to_balance,
    )


def test_more_than_the_invoice_cannot_be_credited() -> None:
    with pytest.raises(Refusal):
        credited(PART_FROM_BALANCE, {"amount": "200.01"})
    with pytest.raises(Refusal):
        credited(TEN_TENS, {"line": 1, "amount": "6.00"}, {"line": 1, "amount": "4.01"})


@pytest.mark.parametrize(
    ("coupon", "credit", "amount"),
    [
        ({"amount_off": "10.00"}, {"line": 1}, "9.00"),  # 10 % of the 10.00 off
        ({"percent_off": "50"}, {"line": 10}, "5.00"),
        ({"amount_off": "10.00"}, {"line": 1, "amount": "5.00"}, "4.50"),
        ({"amount_off": "10.00"}, {"amount": "1.00"}, "1.00"),  # a line of its own has no coupon
        ({"amount_off": "500.00"}, {"line": 1}, "0.00"),
    ],
)
def test_a_coupon_lowers_the_credited_line_by_its_share(coupon: Any, credit: Any, amount: str) -> None:
    assert credited(TEN_TENS, credit, coupons=[coupon])["amount"] == amount


def test_the_original_amount_is_made_up_by_a_line_of_its_own() -> None:
    assert credited(TEN_TENS, {"line": 1}, {"amount": "1.00"}, coupons=[{"amount_off": "10.00"}])["amount"] == "10.00"


def test_units_are_credited_at_the_price_of_the_line() -> None:
    lines = [{"amount": "30.00", "quantity": "4", "unit_amount": "7.50"}]

    assert figures(credited({"lines": lines}, {"line": 1, "quantity": "3"}), "amount", "quantity") == ("22.50", "3")
    assert figures(credited({"lines": lines}, {"line": 1}), "amount", "quantity") == ("30.00", "4")
    assert figures(credited({"lines": lines}, {"line": 1, "amount": "7.00"}), "amount", "quantity") == ("7.00", "1")


TWO_TAXES = [{"name": "VAT", "percent": "15", "amount": "15.01"}, {"name": "City", "percent": "5", "amount": "5.00"}]
TAXED = {"lines": [{"amount": "100.00", "tax": "20.01", "taxes": TWO_TAXES}]}


def test_each_tax_follows_and_a_line_with_tax_is_negative() -> None:
    found = credited(TAXED, {"line": 1, "amount": "33.33"}, profile="meteroid")

    # a third of 15.01 is 5.0028…, a third of 5.00 is 1.6665
    assert found["taxes"] == {"VAT": "-5.00", "City": "-1.67"}
    assert figures(found, "amount", "tax") == ("-33.33", "-6.67")


def test_the_last_note_of_a_line_takes_what_rounding_left_over() -> None:
    found = credited(TAXED, {"line": 1, "amount": "40.00"}, {"line": 1, "amount": "60.00"}, profile="meteroid")

    # 40 %: 6.004 → 6.00 and 2.00; the rest is 9.01 and 3.00, where 60 % alone would be 9.006 → 9.01
    assert found["taxes"] == {"VAT": "-9.01", "City": "-3.00"}
    assert figures(found, "tax", "tax_sum") == ("-12.01", "-20.01")


@pytest.mark.parametrize(("residue", "second"), [("last_note", "-0.01"), ("carry", "0.00")])
def test_the_residue_is_carried_or_waits_for_the_last_note(residue: str, second: str) -> None:
    # a tax of 0.02 in parts of a fourth: 0.005 each; carried: 0.01, 0.01, 0.02, 0.02 in all
    lines = [{"amount": "4.00", "tax": "0.02"}]
    notes = [{"line": 1, "amount": "1.00"}] * 2

    found = credited({"lines": lines}, *notes, policy={"credit_note_residue": residue})

    assert found["tax"] == second


def test_a_tax_that_is_only_a_rate_is_charged_after_the_coupon() -> None:
    lines = [{"amount": "100.00", "tax_percent": "20"}]

    found = credited({"lines": lines}, {"line": 1, "amount": "50.00"}, coupons=[{"amount_off": "10.00"}])

    # 90.00 net and 18.00 tax; half of both
    assert figures(found, "amount", "tax", "amount_due") == ("-45.00", "-9.00", "54.00")
