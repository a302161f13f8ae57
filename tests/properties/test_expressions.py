"""Laws of expressions: a text that is written from a tree of arithmetic gives what the arithmetic gives."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple

from hypothesis import assume, given
from hypothesis import strategies as st

from tenor.catalog.rules import Expression, MalformedExpression, NoResult, parse_expression
from tenor.catalog.rules.parsing import LENGTH_MAX

SUM, PRODUCT, SIGNED, ATOM = range(4)
Numbers = Mapping[str, Fraction]


class Written(NamedTuple):
    """An expression as text, how tightly its outermost sign binds, and what it comes to (None: divided by zero)."""

    text: str
    level: int
    of: Callable[[Numbers], Fraction | None]

    def within(self, level: int) -> str:
        """Return the text where a sign that binds as tightly as `level` stands beside it."""
        return self.text if self.level >= level else f"({self.text})"


class Said(NamedTuple):
    """An event all of whose properties are numbers."""

    numbers: Numbers

    def number(self, name: str) -> Decimal:
        return Decimal(self.numbers[name].numerator) / Decimal(self.numbers[name].denominator)

    def text(self, name: str) -> str | None:
        return str(self.number(name)) if name in self.numbers else None


def both(
    left: Written, right: Written, of: Callable[[Fraction, Fraction], Fraction | None]
) -> Callable[[Numbers], Fraction | None]:
    def found(numbers: Numbers) -> Fraction | None:
        first, second = left.of(numbers), right.of(numbers)
        return None if first is None or second is None else of(first, second)

    return found


def quotient(dividend: Fraction, divisor: Fraction) -> Fraction | None:
    return dividend / divisor if divisor else None


def rounded(number: Fraction, kind: str, digits: int) -> Fraction:
    """Round by comparing neighbours, not by the signs of remainders."""
    unit = Fraction(1, 10**digits) if digits >= 0 else Fraction(10**-digits)
    below = number // unit * unit
    if kind == "floor" or number == below:
        return below
    above = below + unit
    if kind == "ceil" or number - below > above - number:
        return above
    return above if number - below == above - number and number > 0 else below


LITERALS: Final = st.decimals(0, 1000, places=3).map(
    lambda number: Written(str(number), ATOM, lambda _, value=Fraction(number): value)  # type: ignore[misc]
)
PROPERTIES: Final = st.sampled_from("abc").map(lambda name: Written(name, ATOM, lambda numbers: numbers[name]))


def grown(parts: st.SearchStrategy[Written]) -> st.SearchStrategy[Written]:
    """Return expressions made of `parts`."""

    def operated(left: Written, symbol: str, right: Written) -> Written:
        level = SUM if symbol in "+-" else PRODUCT
        arithmetic: dict[str, Callable[[Fraction, Fraction], Fraction | None]] = {
            "+": lambda a, b: a + b,
            "-": lambda a, b: a - b,
            "*": lambda a, b: a * b,
            "/": quotient,
        }
        text = f"{left.within(level)} {symbol}{right.within(level + 1)}"
        return Written(text, level, both(left, right, arithmetic[symbol]))

    def negated(part: Written) -> Written:
        zero = Written("0", ATOM, lambda _: Fraction(0))
        return Written(f"-{part.within(SIGNED)}", SIGNED, both(zero, part, lambda a, b: a - b))

    def extreme(name: str, left: Written, right: Written) -> Written:
        return Written(f"{name}({left.text},{right.text})", ATOM, both(left, right, max if name == "max" else min))

    def round_(name: str, part: Written, digits: int) -> Written:
        zero = Written("0", ATOM, lambda _: Fraction(0))
        text = f"{name}({part.text}, {digits})" if digits else f"{name}( {part.text} )"
        return Written(text, ATOM, both(part, zero, lambda a, _: rounded(a, name, digits)))

    def chosen(left: Written, relation: str, right: Written, then: Written) -> Written:
        relations: dict[str, Callable[[Fraction, Fraction], bool]] = {
            "<": lambda a, b: a < b,
            "<=": lambda a, b: not b < a,
            "==": lambda a, b: a == b,
            "!=": lambda a, b: a < b or b < a,
            ">": lambda a, b: b < a,
            ">=": lambda a, b: not a < b,
        }

        def found(numbers: Numbers) -> Fraction | None:
            first, second = left.of(numbers), right.of(numbers)
            if first is None or second is None:
                return None
            # The other branch divides by zero: nothing of it must be seen.
            return then.of(numbers) if relations[relation](first, second) else Fraction(-1)

        text = f"if({left.text} {relation} {right.text} and not given(zzz), {then.text}, if(1 == 1, -1, 1 / 0))"
        return Written(text, ATOM, found)

    return st.one_of(
        st.builds(operated, parts, st.sampled_from("+-*/"), parts),
        st.builds(negated, parts),
        st.builds(extreme, st.sampled_from(["min", "max"]), parts, parts),
        st.builds(round_, st.sampled_from(["ceil", "floor", "round"]), parts, st.integers(-2, 3)),
        st.builds(chosen, parts, st.sampled_from(["<", "<=", "==", "!=", ">", ">="]), parts, parts),
    )


def read(text: str) -> Expression | int:
    """Return the expression that a text is, or the column where it is none."""
    try:
        return parse_expression(text)
    except MalformedExpression as error:
        return error.column


def result_of(expression: Expression | int, numbers: Numbers) -> Fraction | None:
    assert isinstance(expression, Expression)
    try:
        return expression.of(Said(numbers))
    except NoResult:
        return None


@given(
    st.recursive(LITERALS | PROPERTIES, grown, max_leaves=12).filter(lambda one: len(one.text) <= LENGTH_MAX),
    st.fixed_dictionaries(dict.fromkeys("abc", st.decimals(-100, 100, places=2).map(Fraction))),
)
def test_a_text_comes_to_what_its_tree_comes_to(written: Written, numbers: Numbers) -> None:
    expression = read(written.text)
    assume(isinstance(expression, Expression))  # seldom: nested too deeply

    assert result_of(expression, numbers) == written.of(numbers)


@given(st.text(alphabet="ab1.0 +-*/(),<>=!\"`'ifmaxndotgive\n\x00é", max_size=60))
def test_any_text_is_an_expression_or_is_told_where_it_is_none(text: str) -> None:
    found = read(text)

    assert found.text == text if isinstance(found, Expression) else 1 <= found <= len(text) + 1
