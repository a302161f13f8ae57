"""Money: exponents of ISO 4217, every rounding mode on both sides of zero, splits, refusals."""

from decimal import Decimal

import pytest

from tenor.kernel.errors import Malformed
from tenor.kernel.money import (
    CURRENCIES,
    MINOR_LIMIT,
    AmountTooLarge,
    Money,
    RoundingMode,
    UnknownCurrency,
    allocate,
    allocate_by_key,
    divide_rounded,
    exponent,
    format_minor,
    round_decimal,
    to_minor,
)


@pytest.mark.parametrize(
    ("currency", "digits", "text"),
    [("USD", 2, "1234.56"), ("JPY", 0, "123456"), ("KWD", 3, "123.456"), ("CLF", 4, "12.3456"), ("ISK", 0, "123456")],
)
def test_minor_digits_are_those_of_iso_4217(currency: str, digits: int, text: str) -> None:
    assert exponent(currency) == digits
    assert format_minor(123_456, currency) == text
    assert Money(123_456, currency).as_decimal() == Decimal(text)
    assert Money.from_decimal(Decimal(text), currency) == Money(123_456, currency)


@pytest.mark.parametrize("code", ["usd", "XAU", "XTS", "US", "", "EURO", "ＵＳＤ"])
def test_what_nobody_can_pay_in_is_no_currency(code: str) -> None:
    assert code not in CURRENCIES
    with pytest.raises(UnknownCurrency):
        Money(1, code)


MODES = {
    # mode: 2.5, -2.5, 3.5, -3.5, 2.4, -2.4, 2.6, -2.6
    RoundingMode.HALF_UP: (3, -3, 4, -4, 2, -2, 3, -3),
    RoundingMode.HALF_EVEN: (2, -2, 4, -4, 2, -2, 3, -3),
    RoundingMode.CEIL: (3, -2, 4, -3, 3, -2, 3, -2),
    RoundingMode.FLOOR: (2, -3, 3, -4, 2, -3, 2, -3),
    RoundingMode.TRUNC: (2, -2, 3, -3, 2, -2, 2, -2),
}
TENTHS = (25, -25, 35, -35, 24, -24, 26, -26)


@pytest.mark.parametrize("mode", [mode for mode in RoundingMode if mode is not RoundingMode.NONE])
def test_every_rounding_mode_on_both_sides_of_zero(mode: RoundingMode) -> None:
    for tenths, whole in zip(TENTHS, MODES[mode], strict=True):
        assert round_decimal(Decimal(tenths).scaleb(-1), digits=0, mode=mode) == whole
        assert divide_rounded(tenths, 10, mode) == whole
        assert to_minor(Decimal(tenths).scaleb(-3), "USD", mode) == whole


def test_rounding_to_tens_and_not_at_all() -> None:
    assert round_decimal(Decimal("1250"), digits=-2, mode=RoundingMode.HALF_UP) == 1300
    assert round_decimal(Decimal("1.23456"), digits=2, mode=RoundingMode.NONE) == Decimal("1.23456")
    assert str(round_decimal(Decimal("-0.001"), digits=2, mode=RoundingMode.HALF_UP)) == "0.00"


def test_a_share_needs_a_positive_denominator_and_a_rounding_mode() -> None:
    with pytest.raises(ValueError, match="must be positive"):
        divide_rounded(1, 0)
    with pytest.raises(ValueError, match="needs a rounding mode"):
        divide_rounded(1, 2, RoundingMode.NONE)


def test_an_amount_is_written_with_its_currency() -> None:
    assert str(Money(-5, "USD")) == "-0.05 USD"


@pytest.mark.parametrize("minor", [True, 1.0, "1", None, Decimal(1)])
def test_minor_units_are_whole_numbers(minor: object) -> None:
    with pytest.raises(Malformed):
        Money(minor, "USD")  # type: ignore[arg-type]  # what a caller without types may pass


@pytest.mark.parametrize("minor", [MINOR_LIMIT, -MINOR_LIMIT])
def test_an_amount_fits_the_ledger(minor: int) -> None:
    with pytest.raises(AmountTooLarge):
        Money(minor, "USD")


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (5, [1, 1, 1], [2, 2, 1]),  # ties go to the earlier part
        (-5, [1, 1, 1], [-2, -2, -1]),
        (100, [1, 2, 3], [17, 33, 50]),  # 16.67, 33.33, 50
        (1, [Decimal("0.001"), Decimal("0.1")], [0, 1]),
        (10, [0, 1, 0], [0, 10, 0]),
        (0, [1, 2], [0, 0]),
    ],
)
def test_a_split_gives_the_rest_to_the_largest_remainders(
    total: int, weights: list[Decimal | int], parts: list[int]
) -> None:
    assert allocate(total, weights) == parts


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1]])
def test_a_split_needs_weights(weights: list[Decimal | int]) -> None:
    with pytest.raises(Malformed):
        allocate(1, weights)


def test_a_split_by_key_breaks_ties_by_key_and_leaves_out_zeros() -> None:
    assert allocate_by_key(5, {"C": 1, "A": 1, "B": 1}) == {"C": 1, "A": 2, "B": 2}
    assert allocate_by_key(5, {"C": 1, "A": 1, "B": 1}, remainder="last") == {"C": 1, "A": 1, "B": 3}
    assert allocate_by_key(-5, {"C": 1, "A": 1, "B": 1}, remainder="last") == {"C": -1, "A": -1, "B": -3}
    assert allocate_by_key(1, {"A": 100, "B": 1}) == {"A": 1}
    assert allocate_by_key(0, {}) == {}
