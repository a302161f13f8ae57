"""Quantities and unit prices: what is not a bounded plain decimal is refused before any arithmetic."""

from decimal import Decimal

import pytest

from tenor.kernel.quantity import NotADecimal, parse_decimal, parse_quantity, parse_unit_price, plain


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("12.50", "12.5"),
        ("-0", "0"),
        ("1e-6", "0.000001"),
        ("1E3", "1000"),
        (7, "7"),
        (Decimal("0.000000000001"), "0.000000000001"),
        ("999999999999999", "999999999999999"),
        ("1.0000000000000000000000", "1"),
    ],
)
def test_plain_decimals_are_read_exactly(value: object, number: str) -> None:
    assert parse_decimal(value) == Decimal(number)


@pytest.mark.parametrize(
    "value",
    [
        "NaN", "sNaN", "Infinity", "-inf", "1e999", "1e999999999999", "9" * 1_000_000, "1e15", "0.0000000000001",
        "٣", "１", "1_000", " 1", "1 ", "+1", ".5", "5.", "", "0x10", "1,5",
        True, False, 1.5, float("nan"), None, [], b"1", 2**100, Decimal("NaN"), Decimal("Infinity"), Decimal("1e40"),
        Decimal("1e-40"),
    ],
)  # fmt: skip
def test_anything_else_is_refused_by_name(value: object) -> None:
    with pytest.raises(NotADecimal, match=r"^seats: ") as refused:
        parse_decimal(value, name="seats")

    assert len(refused.value.message) < 150


def test_negative_quantities_and_prices_are_refused() -> None:
    with pytest.raises(NotADecimal, match="quantity: -1 is negative"):
        parse_quantity("-1")
    with pytest.raises(NotADecimal, match=r"unit price: -0\.5 is negative"):
        parse_unit_price("-0.5")


@pytest.mark.parametrize(
    ("value", "text"), [("1E+3", "1000"), ("2.50", "2.5"), ("-0.00", "0"), ("1e-9", "0.000000001"), ("-3", "-3")]
)
def test_plain_text_has_one_form(value: str, text: str) -> None:
    assert plain(Decimal(value)) == text
