"""Expressions: a number worked out of the properties of one event, exactly, as a tree that only computes.

There are no loops, names of code, or side effects in it: whatever somebody writes, the worst that can come of it is
a refusal.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from operator import add, eq, ge, gt, le, lt, mul, ne, sub, truediv
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol

from tenor.kernel.errors import Malformed
from tenor.kernel.money import RoundingMode, divide_rounded


class NoResult(Malformed):
    """An event for which an expression has no result: it lacks a property, or something is divided by zero.

    `field` is the property at fault, empty where it is none alone.
    """

    code = "no_result"

    def __init__(self, reason: str, *, field: str = "") -> None:
        super().__init__(reason, field=field)
        self.field = field


class Said(Protocol):
    """What an event says."""

    def number(self, name: str) -> Decimal:
        """Return a property as an exact number; `NoResult` where it is absent or none."""

    def text(self, name: str) -> str | None:
        """Return a property as text; None where it is absent."""


class Literal(NamedTuple):
    """A number as it is written."""

    value: Fraction


class Property(NamedTuple):
    """The number that a property of the event holds."""

    name: str


class Operation(NamedTuple):
    """Two numbers and one of `+ - * /` between them."""

    symbol: str
    left: "NumberNode"
    right: "NumberNode"


class Extreme(NamedTuple):
    """The least (`min`) or the greatest (`max`) of some numbers."""

    function: str
    numbers: "tuple[NumberNode, ...]"


class Absolute(NamedTuple):
    """A number without its sign."""

    number: "NumberNode"


class Rounded(NamedTuple):
    """A number rounded to `digits` after the point; negative digits mean tens, hundreds …"""

    mode: RoundingMode
    number: "NumberNode"
    digits: int


class Choice(NamedTuple):
    """One of two numbers; the one that is not chosen is not worked out."""

    condition: "TruthNode"
    then: "NumberNode"
    otherwise: "NumberNode"


class Comparison(NamedTuple):
    """Whether two numbers stand in a relation."""

    symbol: str
    left: "NumberNode"
    right: "NumberNode"


class TextComparison(NamedTuple):
    """Whether a property is, or is not, a text; one that is absent is no text."""

    name: str
    text: str
    is_equal: bool


class Given(NamedTuple):
    """Whether the event has a property."""

    name: str


class Junction(NamedTuple):
    """Whether all (`and`) or any (`or`) of some conditions hold; none is looked at after the one that decides."""

    word: str
    conditions: "tuple[TruthNode, ...]"


class Negation(NamedTuple):
    """Whether a condition does not hold."""

    condition: "TruthNode"


NumberNode = Literal | Property | Operation | Extreme | Absolute | Rounded | Choice
TruthNode = Comparison | TextComparison | Given | Junction | Negation


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression and the text that it was read from; two of one text are equal."""

    text: str
    root: NumberNode = field(compare=False, repr=False)

    def of(self, said: Said) -> Fraction:
        """Return the result for one event, exactly.

        Raises:
            NoResult: the event lacks a property that is needed, it is no number, or something is divided by zero.
        """
        return _number(self.root, said)


_OPERATIONS: Final[Mapping[str, Callable[[Fraction, Fraction], Fraction]]] = MappingProxyType(
    {"+": add, "-": sub, "*": mul, "/": truediv}
)
_RELATIONS: Final[Mapping[str, Callable[[Fraction, Fraction], bool]]] = MappingProxyType(
    {"<": lt, "<=": le, ">": gt, ">=": ge, "==": eq, "!=": ne}
)


def _number(node: NumberNode, said: Said) -> Fraction:
    match node:
        case Literal(value):
            return value
        case Property(name):
            return Fraction(said.number(name))
        case Operation(symbol, left, right):
            return _operate(symbol, _number(left, said), _number(right, said))
        case Extreme(function, numbers):
            found = [_number(number, said) for number in numbers]
            return min(found) if function == "min" else max(found)
        case Absolute(number):
            return abs(_number(number, said))
        case Rounded(mode, number, digits):
            return _round(_number(number, said), mode, digits)
        case Choice(condition, then, otherwise):
            return _number(then if _holds(condition, said) else otherwise, said)


def _holds(node: TruthNode, said: Said) -> bool:
    match node:
        case Comparison(symbol, left, right):
            return _RELATIONS[symbol](_number(left, said), _number(right, said))
        case TextComparison(name, text, is_equal):
            return (said.text(name) == text) is is_equal
        case Given(name):
            return said.text(name) is not None
        case Junction(word, conditions):
            return (all if word == "and" else any)(_holds(condition, said) for condition in conditions)
        case Negation(condition):
            return not _holds(condition, said)


def _operate(symbol: str, left: Fraction, right: Fraction) -> Fraction:
    if symbol == "/" and not right:
        raise NoResult("the expression divides by zero")
    return _OPERATIONS[symbol](left, right)


def _round(number: Fraction, mode: RoundingMode, digits: int) -> Fraction:
    scale = Fraction(10) ** digits
    scaled = number * scale
    return divide_rounded(scaled.numerator, scaled.denominator, mode) / scale
