"""Read the tree of a price book by tables of fields, so that one pass finds everything that is wrong.

A reader takes a `Spot` and returns a value. What it cannot read it refuses by raising `Malformed`, which is
then reported at its spot; a reader of several values reports each of them and raises `Unreadable` at the end.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum, StrEnum, auto
from typing import Any, Final, NamedTuple, TypeVar

from tenor.kernel.closest import closest
from tenor.kernel.errors import Malformed
from tenor.kernel.period import parse_instant
from tenor.kernel.quantity import parse_decimal, plain
from tenor.pricing.price_book import tree
from tenor.pricing.price_book.problems import MalformedPriceBook, Problem

NAME_LENGTH_MAX: Final = 200
IN_THIS_FILE: Final = "in this file"

_NAME: Final = "value"  # what the kernel is told a value is called; a problem has the path instead
_CODE: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")  # the check of every code column in the database

T = TypeVar("T")
Word = TypeVar("Word", bound=StrEnum)


class Unreadable(Exception):
    """A value that cannot be used; each reason has been reported."""


class Absent(Enum):
    """The default of a field that must be written."""

    REQUIRED = auto()


class Spot(NamedTuple):
    """A node, the path that leads to it, and the list that its problems go to."""

    node: tree.Node
    path: str
    problems: list[Problem]

    def report(self, message: str, hint: str | None = None) -> None:
        """Add a problem at this place."""
        self.problems.append(Problem(*self.node.place, path=self.path, message=message, hint=hint))

    def at(self, node: tree.Node, step: str) -> "Spot":
        """Return the spot of a node below this one: `step` is `.key` or `[index]`."""
        return Spot(node, f"{self.path}{step}".removeprefix("."), self.problems)


Reader = Callable[[Spot], T]
"""Reads the value at a spot, or raises `Malformed` or `Unreadable`."""


class Field(NamedTuple):
    """How the value of a key is read, and what it is when the key is not written."""

    read: Reader[Any]
    default: Any = Absent.REQUIRED


def read_document(source: bytes, read: Reader[T]) -> T:
    """Return what `read` makes of the root of a YAML document.

    Raises:
        MalformedPriceBook: with every problem of the document, each with its line and column.
    """
    problems: list[Problem] = []
    try:
        value = read(Spot(tree.read_tree(source, problems), "", problems))
    except Unreadable:
        raise MalformedPriceBook(problems) from None
    except MalformedPriceBook as refusal:
        raise MalformedPriceBook([*problems, *refusal.problems]) from None
    if problems:
        raise MalformedPriceBook(problems)
    return value


def read_fields(spot: Spot, fields: Mapping[str, Field], *, may_hold_others: bool = False) -> dict[str, Any]:
    """Return the value of every field of a mapping; report each that is wrong or missing, and unknown keys.

    `may_hold_others`: unknown keys are passed over, because what could be known depends on what was wrong.

    Raises:
        Unreadable: one of them was reported, or the node is no mapping.
    """
    before = len(spot.problems)
    node = _mapping(spot)
    written = {word.text: below for (word, _), below in zip(node.entries, spots_below(spot), strict=True)}
    for word, _ in node.entries:
        if word.text not in fields and not may_hold_others:
            spot.at(word, "").report(f"there is no key {word.text[:60]!r} here", nearest(word.text, fields))
    values = {}
    for key, field in fields.items():
        if key in written:
            values[key] = attempt(written[key], field.read)
        elif field.default is Absent.REQUIRED:
            spot.report(f"the key {key!r} is missing")
        else:
            values[key] = field.default
    if len(spot.problems) > before:
        raise Unreadable
    return values


def peek(spot: Spot, key: str, read: Reader[T]) -> T | None:
    """Return what stands under `key`, or None when it is absent or wrong; reports nothing.

    For a value on which the reading of others depends; its own field reports what is wrong with it.
    """
    below = spot_below(spot, key)
    if below is None:
        return None
    quiet = below._replace(problems=[])
    value = attempt(quiet, read)
    return None if quiet.problems else value


def spot_below(spot: Spot, key: str) -> Spot | None:
    """Return the spot of the value under `key`, or None when there is no such key."""
    if isinstance(spot.node, tree.Mapping):
        for name, value in spot.node.entries:
            if name.text == key:
                return spot.at(value, f".{key}")
    return None


def spots_below(spot: Spot) -> list[Spot]:
    """Return the spots of the values of a mapping, or of the items of a list; none for a text."""
    match spot.node:
        case tree.Mapping(entries):
            return [spot.at(value, f".{word.text}") for word, value in entries]
        case tree.Sequence(items):
            return [spot.at(item, f"[{index}]") for index, item in enumerate(items)]
        case tree.Scalar():
            return []


def read_items(spot: Spot, read: Reader[T]) -> list[tuple[Spot, T]]:
    """Return the items of a list that can be read, each with its spot; the others have been reported.

    Raises:
        Unreadable: the node is no list, which has been reported.
    """
    if not isinstance(spot.node, tree.Sequence):
        spot.report("here must be a list", "each item begins with '- '")
        raise Unreadable
    found = [(item, attempt(item, read)) for item in spots_below(spot)]
    return [(item, value) for item, value in found if value is not None]


def report_repeated(thing: str, named: Iterable[tuple[Spot, tuple[str, ...]]]) -> None:
    """Report each spot that has the name, of one or several words, of an earlier one; `thing` is what is named."""
    first: dict[tuple[str, ...], Spot] = {}
    for spot, name in named:
        if first.setdefault(name, spot) is not spot:
            words, line = ", ".join(map(repr, name)), first[name].node.place.line
            spot.report(f"there is a second {thing} {words}; the first is on line {line}")


def attempt(spot: Spot, read: Reader[T]) -> T | None:
    """Return what `read` reads at `spot`, or None after its problems have been reported."""
    try:
        return read(spot)
    except Malformed as refusal:
        spot.report(refusal.message.removeprefix(f"{_NAME}: "))
    except Unreadable:
        pass
    return None


def nearest(word: str, known: Collection[str]) -> str:
    """Return the hint that helps someone who wrote `word` where one of `known` was wanted."""
    return _close(word, known) or (f"known: {', '.join(sorted(known))}" if known else "none is declared")


def text(spot: Spot) -> str:
    """Read a text of 1 to 200 characters, without the spaces around it."""
    if not isinstance(spot.node, tree.Scalar) or spot.node.is_null or not (words := spot.node.text.strip()):
        raise Malformed("here must be one value")
    if len(words) > NAME_LENGTH_MAX or "\n" in words or "\t" in words:
        raise Malformed(f"a text here is one line of at most {NAME_LENGTH_MAX} characters, without tabs")
    return words


def texts(spot: Spot) -> tuple[str, ...]:
    """Read one value of a property, or a list of several, each once and sorted; `null` is "", which is no value."""

    def read_value(below: Spot) -> str:
        return "" if isinstance(below.node, tree.Scalar) and below.node.is_null else text(below)

    if not isinstance(spot.node, tree.Sequence):
        return (read_value(spot),)
    before = len(spot.problems)
    values = [value for _, value in read_items(spot, read_value)]
    if len(spot.problems) > before:
        raise Unreadable
    if not values or len(set(values)) < len(values):
        raise Malformed("here must be values, each once")
    return tuple(sorted(values))


def code(spot: Spot) -> str:
    """Read a code: the name of a thing for machines, which never changes."""
    word = text(spot)
    if not _CODE.fullmatch(word):
        raise Malformed(f"{word!r} is not a code: 1 to 63 of a-z, 0-9, '_', '.', '-', the first a letter or digit")
    return word


def choice(kind: type[Word]) -> Reader[Word]:
    """Return the reader of one of the words of `kind`."""
    read_word = one_of([word.value for word in kind])
    return lambda spot: kind(read_word(spot))


def one_of(words: Collection[str]) -> Reader[str]:
    """Return the reader of one of `words`."""

    def read(spot: Spot) -> str:
        word = text(spot)
        if word not in words:
            spot.report(f"{word!r} is not one of: {', '.join(words)}", _close(word, words))
            raise Unreadable
        return word

    return read


def reference(thing: str, known: Collection[str], *, declared: str = IN_THIS_FILE) -> Reader[str]:
    """Return the reader of the code of one of the `known` things, which are `declared` somewhere."""

    def read(spot: Spot) -> str:
        word = code(spot)
        if word not in known:
            spot.report(f"there is no {thing} {word!r} {declared}", nearest(word, known))
            raise Unreadable
        return word

    return read


def flag(spot: Spot) -> bool:
    """Read `true` or `false`."""
    word = text(spot)
    if word not in {"true", "false"}:
        raise Malformed(f"{word!r} is neither true nor false")
    return word == "true"


def instant(spot: Spot) -> datetime:
    """Read an instant with its zone."""
    return parse_instant(text(spot), name=_NAME)


def number(*, at_most: int | None = None, above_zero: bool = False) -> Reader[Decimal]:
    """Return the reader of an exact decimal that is not negative."""

    def read(spot: Spot) -> Decimal:
        value = parse_decimal(text(spot), name=_NAME)
        if value < 0:
            raise Malformed(f"{plain(value)} is negative")
        if above_zero and not value:
            raise Malformed("0 is not above 0")
        if at_most is not None and value > at_most:
            raise Malformed(f"{plain(value)} is more than {at_most}")
        return value

    return read


def not_above(read: Reader[Decimal], *, maximum: Decimal | None) -> Reader[Decimal]:
    """Return the reader of a minimum whose `maximum` is known, or None when there is none."""

    def read_minimum(spot: Spot) -> Decimal:
        minimum = read(spot)
        if maximum is not None and minimum > maximum:
            raise Malformed(f"{plain(minimum)} is above the maximum of {plain(maximum)}")
        return minimum

    return read_minimum


def whole_number(*, at_most: int) -> Reader[int]:
    """Return the reader of a whole number from 0 to `at_most`."""
    read_decimal = number(at_most=at_most)

    def read(spot: Spot) -> int:
        value = read_decimal(spot)
        if value != int(value):
            raise Malformed(f"{plain(value)} is not a whole number")
        return int(value)

    return read


def _close(word: str, known: Collection[str]) -> str | None:
    close = closest(word, known)
    return None if close is None else f"did you mean {close!r}?"


def _mapping(spot: Spot) -> tree.Mapping:
    if not isinstance(spot.node, tree.Mapping):
        spot.report("here must be keys with values", "for example 'code: pro'")
        raise Unreadable
    return spot.node
