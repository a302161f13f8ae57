"""Reading the text of an expression: text → tokens → tree, by recursive descent, within bounds.

    any      = both {"or" both};  both = negated {"and" negated};  negated = ["not"] compared
    compared = sum [("<" | "<=" | ">" | ">=" | "==" | "!=") sum]
    sum      = product {("+" | "-") product};  product = signed {("*" | "/") signed};  signed = ["-"] atom
    atom     = literal | property | text | function "(" arguments ")" | "(" any ")"

Whether what was read is a number or a condition is checked where one of them is needed.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from types import MappingProxyType
from typing import Final, NamedTuple, TypeVar

from tenor.catalog.rules.expression import (
    Absolute,
    Choice,
    Comparison,
    Expression,
    Extreme,
    Given,
    Junction,
    Literal,
    Negation,
    NumberNode,
    Operation,
    Property,
    Rounded,
    TextComparison,
    TruthNode,
)
from tenor.kernel.errors import Malformed
from tenor.kernel.money import RoundingMode
from tenor.kernel.quantity import NotADecimal, parse_decimal

T = TypeVar("T")

LENGTH_MAX: Final = 500
DEPTH_MAX: Final = 20
DIGITS_MAX: Final = 12

_TOKEN: Final = re.compile(
    r"""\s*(?:
        (?P<number>[0-9]+(?:\.[0-9]+)?)
      | (?P<name>[A-Za-z_][A-Za-z0-9_.]*)
      | `(?P<quoted>[^`]+)`
      | (?P<quote>["'])(?P<text>.*?)(?P=quote)
      | (?P<symbol><=|>=|==|!=|[-+*/(),<>])
    )""",
    re.VERBOSE | re.ASCII,
)
_RELATIONS: Final = ("<", "<=", ">", ">=", "==", "!=")
_ROUNDINGS: Final = MappingProxyType(
    {"ceil": RoundingMode.CEIL, "floor": RoundingMode.FLOOR, "round": RoundingMode.HALF_UP}
)
_FUNCTIONS: Final = ("abs", "ceil", "floor", "given", "if", "max", "min", "round")


class MalformedExpression(Malformed):
    """A text that is no expression; `column`, counted from 1, is where it stops being one."""

    code = "malformed_expression"

    def __init__(self, reason: str, column: int) -> None:
        super().__init__(f"column {column}: {reason}", column=column)
        self.column = column


class _Token(NamedTuple):
    """A piece of the text: its kind (`end` after the last one), what it says, and the column where it begins."""

    kind: str
    text: str
    column: int


class _Text(NamedTuple):
    """A text in quotes: good for nothing but to be compared with a property."""

    text: str
    column: int


_Node = NumberNode | TruthNode | _Text


@cache
def parse_expression(text: str) -> Expression:
    """Return the expression that `text` is: its result is a number.

    Raises:
        MalformedExpression: it is none, longer than 500 characters, or nested more than 20 levels deep.
    """
    if len(text) > LENGTH_MAX:
        raise MalformedExpression(f"{len(text)} characters; at most {LENGTH_MAX} are read", LENGTH_MAX + 1)
    parser = _Parser(_tokens(text))
    root = parser.number()
    parser.expect("end")
    return Expression(text, root)


def _tokens(text: str) -> list[_Token]:
    found, place, end = [], 0, len(text.rstrip())
    while place < end:
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            column = place + len(text[place:]) - len(text[place:].lstrip())
            raise MalformedExpression(f"{text[column]!r} means nothing here", column + 1)
        kind = match.lastgroup
        begin = match.start(kind) - (kind in {"quoted", "text"})
        found.append(_Token(kind, match[kind], begin + 1))
        place = match.end()
    return [*found, _Token("end", "", len(text) + 1)]


@dataclass(slots=True)
class _Parser:
    """Where the reading of some tokens stands."""

    tokens: list[_Token]
    place: int = 0
    depth: int = 0

    def number(self) -> NumberNode:
        """Read a number."""
        begin = self._token
        return self._as_number(self._any(), begin)

    def expect(self, *texts: str) -> _Token:
        """Read one of these symbols, or the `end`."""
        token = self._token
        if not self._is_at(*texts):
            wanted = " or ".join("the end" if text == "end" else repr(text) for text in texts)
            raise MalformedExpression(f"{_shown(token)} where {wanted} was expected", token.column)
        self.place += 1
        return token

    @property
    def _token(self) -> _Token:
        return self.tokens[self.place]

    def _is_at(self, *texts: str) -> bool:
        kind, text, _ = self._token
        return kind in texts if kind == "end" else text in texts and kind in {"symbol", "name"}

    def _condition(self) -> TruthNode:
        begin = self._token
        return self._as_truth(self._any(), begin)

    def _any(self) -> _Node:
        """Read a number, a condition or a text: which of them it is shows on the way."""
        return self._joined("or", lambda: self._joined("and", self._negated))

    def _joined(self, word: str, read: Callable[[], _Node]) -> _Node:
        begin = self._token
        found = read()
        if not self._is_at(word):
            return found
        conditions = [self._as_truth(found, begin)]
        while self._is_at(word):
            self.place += 1
            begin = self._token
            conditions.append(self._as_truth(read(), begin))
        return Junction(word, tuple(conditions))

    def _negated(self) -> _Node:
        if not self._is_at("not"):
            return self._compared()
        self.place += 1
        begin = self._token
        return Negation(self._as_truth(self._deeper(self._negated), begin))

    def _compared(self) -> _Node:
        begin = self._token
        left = self._sum()
        if not self._is_at(*_RELATIONS):
            return left
        symbol = self.expect(*_RELATIONS)
        after = self._token
        right = self._sum()
        match left, right:
            case (Property(name), _Text(text)) | (_Text(text), Property(name)) if symbol.text in {"==", "!="}:
                return TextComparison(name, text, is_equal=symbol.text == "==")
            case _:
                return Comparison(symbol.text, self._as_number(left, begin), self._as_number(right, after))

    def _sum(self) -> _Node:
        return self._chain(("+", "-"), lambda: self._chain(("*", "/"), self._signed))

    def _chain(self, symbols: tuple[str, ...], read: Callable[[], _Node]) -> _Node:
        begin = self._token
        found = read()
        while self._is_at(*symbols):
            symbol = self.expect(*symbols)
            after = self._token
            found = Operation(symbol.text, self._as_number(found, begin), self._as_number(read(), after))
        return found

    def _signed(self) -> _Node:
        if not self._is_at("-"):
            return self._atom()
        self.place += 1
        after = self._token
        return Operation("-", Literal(Fraction(0)), self._as_number(self._deeper(self._signed), after))

    def _atom(self) -> _Node:
        kind, text, column = token = self._token
        self.place += 1
        match kind:
            case "number":
                return Literal(_literal(token))
            case "quoted":
                return Property(text)
            case "text":
                return _Text(text, column)
            case "name" if self._is_at("("):
                return self._call(token)
            case "name" if text not in {"and", "or", "not"}:
                return Property(text)
            case "symbol" if text == "(":
                found = self._deeper(self._any)
                self.expect(")")
                return found
            case _:
                raise MalformedExpression(f"{_shown(token)} where a number was expected", column)

    def _call(self, function: _Token) -> _Node:
        self.expect("(")
        match function.text:
            case "given":
                name = self._token
                if name.kind not in {"name", "quoted"}:
                    raise MalformedExpression(f"{_shown(name)} where the name of a property was expected", name.column)
                self.place += 1
                found: _Node = Given(name.text)
            case "if":
                condition = self._deeper(self._condition)
                self.expect(",")
                then = self._deeper(self.number)
                self.expect(",")
                found = Choice(condition, then, self._deeper(self.number))
            case "abs":
                found = Absolute(self._deeper(self.number))
            case "min" | "max":
                numbers = [self._deeper(self.number)]
                while self._is_at(","):
                    self.place += 1
                    numbers.append(self._deeper(self.number))
                found = Extreme(function.text, tuple(numbers))
            case "ceil" | "floor" | "round":
                number = self._deeper(self.number)
                found = Rounded(_ROUNDINGS[function.text], number, self._digits())
            case _:
                known = ", ".join(_FUNCTIONS)
                raise MalformedExpression(f"there is no function {function.text!r}; known: {known}", function.column)
        self.expect(")")
        return found

    def _digits(self) -> int:
        """Read the digits after the point that a rounding may name; 0 unless it does."""
        if not self._is_at(","):
            return 0
        self.place += 1
        is_negative = self._is_at("-")
        self.place += is_negative
        token = self._token
        if token.kind != "number" or not token.text.isdigit() or int(token.text[:3]) > DIGITS_MAX:
            raise MalformedExpression(f"digits are a whole number from -{DIGITS_MAX} to {DIGITS_MAX}", token.column)
        self.place += 1
        return -int(token.text) if is_negative else int(token.text)

    def _deeper(self, read: Callable[[], T]) -> T:
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise MalformedExpression(f"nested more than {DEPTH_MAX} levels deep", self._token.column)
        found = read()
        self.depth -= 1
        return found

    def _as_number(self, node: _Node, begin: _Token) -> NumberNode:
        if isinstance(node, _Text):
            raise MalformedExpression("a text can only be compared with a property, by == or !=", node.column)
        if isinstance(node, TruthNode):
            raise MalformedExpression("a condition where a number was expected; choose by if(…, …, …)", begin.column)
        return node

    def _as_truth(self, node: _Node, begin: _Token) -> TruthNode:
        if not isinstance(node, TruthNode):
            raise MalformedExpression("a condition was expected here, such as a > b", begin.column)
        return node


def _literal(token: _Token) -> Fraction:
    try:
        return Fraction(parse_decimal(token.text))
    except NotADecimal as error:
        raise MalformedExpression(error.message.removeprefix("number: "), token.column) from None


def _shown(token: _Token) -> str:
    return "the end" if token.kind == "end" else repr(token.text)
