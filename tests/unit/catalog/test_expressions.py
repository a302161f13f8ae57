"""Expressions of metrics: what can be written, what it comes to, and where a text stops being one."""

from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import pytest

from tenor.catalog.rules import MalformedExpression, NoResult, parse_expression


class Said(NamedTuple):
    """An event whose properties are all texts."""

    texts: dict[str, str]

    def number(self, name: str) -> Decimal:
        if name not in self.texts:
            raise NoResult(f"{name} is absent", field=name)
        return Decimal(self.texts[name])

    def text(self, name: str) -> str | None:
        return self.texts.get(name)


EVENT = Said({"input": "1200", "output": "340", "model": "large", "ms": "60001", "http.status": "200", "a b": "3"})


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("(input * 3 + output * 15) / 1000", "8.7"),
        ("ceil(ms / 60000)", "2"),
        ("input - output - 1", "859"),  # from the left
        ("2 + 3 * -4 / 2", "-4"),
        ("10 / 3 * 3", "10"),  # nothing is rounded on the way
        ("0.1 + 0.2", "0.3"),
        ("round(2.5) + round(-2.5) + round(0.125, 2) + ceil(1201, -2) + floor(-0.5)", "1299.13"),
        ("max(input, output, 5) - min(-1, abs(-2))", "1201"),
        ("if(model == 'large', 5, 1) * 2", "10"),
        ('if(model != "large" or not given(cached), 1, cached)', "1"),
        ("if(given(cached) and cached > 0, 1, 0)", "0"),  # cached is not looked at where it is absent
        ("if(`http.status` >= 200 and http.status < 300, 1, 0) + `a b`", "4"),
        ("max", "7"),  # a property may be called what a function is called
    ],
)
def test_what_an_expression_comes_to(text: str, result: str) -> None:
    assert parse_expression(text).of(Said({**EVENT.texts, "max": "7"})) == Fraction(result)


@pytest.mark.parametrize(
    ("text", "field", "reason"),
    [
        ("input + cached", "cached", "cached is absent"),
        ("1 / (input - 1200)", "", "the expression divides by zero"),
        ("if(1 > 2, 1, 1 / 0)", "", "the expression divides by zero"),
    ],
)
def test_an_event_for_which_it_has_no_result(text: str, field: str, reason: str) -> None:
    with pytest.raises(NoResult) as refusal:
        parse_expression(text).of(EVENT)

    assert (refusal.value.field, refusal.value.message) == (field, reason)


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("", 1, "the end where a number was expected"),
        ("a +", 4, "the end where a number was expected"),
        ("a b", 3, "'b' where the end was expected"),
        ("(a + b", 7, "the end where ')' was expected"),
        ("a ^ 2", 3, "'^' means nothing here"),
        ("a ** 2", 4, "'*' where a number was expected"),
        ("__import__('os')", 1, "there is no function '__import__'"),
        ("a > b", 1, "a condition where a number was expected"),
        ("if(a, 1, 2)", 4, "a condition was expected here"),
        ("1 + 'large'", 5, "a text can only be compared with a property"),
        ("if(a < 'large', 1, 2)", 8, "a text can only be compared"),
        ("round(a, 1.5)", 10, "digits are a whole number from -12 to 12"),
        ("round(a, 13)", 10, "digits are a whole number"),
        ("1234567890123456 + a", 1, "has more than 15 digits before the point"),
        ("(" * 21 + "a" + ")" * 21, 22, "nested more than 20 levels deep"),
        ("-" * 30 + "a", 22, "nested more than 20 levels deep"),
        ("a + " * 125 + "a", 501, "501 characters; at most 500 are read"),
    ],
)
def test_a_text_that_is_no_expression(text: str, column: int, reason: str) -> None:
    with pytest.raises(MalformedExpression) as refusal:
        parse_expression(text)

    assert refusal.value.column == column
    assert reason in refusal.value.message
