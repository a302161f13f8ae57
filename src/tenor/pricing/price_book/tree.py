"""YAML text as a tree of texts, lists and mappings that know their place.

The tree is built from the parser's events, not by its loader: every scalar stays the text that was
written, so 0.10 never becomes a float and NO never becomes false; the reader of a field decides by
what the field means. A list or mapping that is named by an anchor may be used again by an alias.
"""

from dataclasses import dataclass
from typing import Any, Final
from unicodedata import category

import yaml

from tenor.pricing.price_book.problems import MalformedPriceBook, Place, Problem

BYTES_MAX: Final = 1_000_000
NODES_MAX: Final = 100_000
"""Counts every use of an alias as its whole content, so that aliases of aliases cannot explode."""
DEPTH_MAX: Final = 20

_NULLS: Final = frozenset({"", "~", "null"})


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text; `is_null` when nothing, `~` or `null` was written without quotes."""

    text: str
    is_null: bool
    place: Place
    size: int = 1


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list of nodes. `size` counts the nodes of the whole subtree."""

    items: tuple["Node", ...]
    place: Place
    size: int


@dataclass(frozen=True, slots=True)
class Mapping:
    """Key and value pairs in the order of the file; no key occurs twice."""

    entries: tuple[tuple[Scalar, "Node"], ...]
    place: Place
    size: int


Node = Scalar | Sequence | Mapping


def node_of(value: object, place: Place) -> Node:
    """Return what would be read where `value` was written at `place`: a text, a list or a mapping of such."""
    match value:
        case dict():
            entries = tuple(
                (Scalar(str(key), is_null=False, place=place), node_of(part, place)) for key, part in value.items()
            )
            return Mapping(entries, place, size=1 + sum(1 + part.size for _, part in entries))
        case list():
            items = tuple(node_of(part, place) for part in value)
            return Sequence(items, place, size=1 + sum(item.size for item in items))
        case _:
            return Scalar(str(value), is_null=value == "", place=place)


def read_tree(source: bytes, problems: list[Problem]) -> Node:
    """Read one YAML document as a tree; add to `problems` what is wrong with it but does not stop the reading.

    Such are a key that occurs twice (the first is kept), a key that is no plain word, and any tag.

    Raises:
        MalformedPriceBook: the bytes are not UTF-8 or not YAML, hold a second document or an alias of
            nothing or of itself, or exceed a limit of this module. Nothing after that place can be read.
    """
    if len(source) > BYTES_MAX:
        raise _refusal(Place(1, 1), f"the file has {len(source):,} bytes; at most {BYTES_MAX:,} are read")
    text = _decoded(source)
    composer = _Composer(text, problems)
    try:
        return composer.document()
    except yaml.MarkedYAMLError as error:
        raise _refusal(_place(error.problem_mark or error.context_mark), _one_line(error)) from None
    except yaml.reader.ReaderError as error:
        unprintable = f"the character U+{ord(text[error.position]):04X} is not allowed in YAML"
        raise _refusal(_place_of_offset(text, error.position), unprintable) from None
    except (ValueError, OverflowError):  # the scanner hands an escape such as \UFFFFFFFF to chr() unchecked
        raise _refusal(composer.place, "after this place an escape names a character that does not exist") from None


class _Composer:
    """Builds the tree of one document by recursive descent over the parser's events."""

    def __init__(self, text: str, problems: list[Problem]) -> None:
        self._events = yaml.parse(text, Loader=yaml.SafeLoader)
        self._anchors: dict[str, Node | None] = {}  # None while the anchored node is still being read
        self._problems = problems
        self.place = Place(1, 1)

    def document(self) -> Node:
        next(self._events)  # the stream begins
        if isinstance(next(self._events), yaml.StreamEndEvent):
            raise _refusal(Place(1, 1), "the file is empty")
        root = self._node(next(self._events), depth=1)
        next(self._events)  # the document ends
        following = next(self._events)
        if not isinstance(following, yaml.StreamEndEvent):
            raise _refusal(_place(following.start_mark), "a second document begins here; a file holds one")
        return root

    def _node(self, event: yaml.Event, *, depth: int) -> Node:
        place = self.place = _place(event.start_mark)
        if depth > DEPTH_MAX:
            raise _refusal(place, f"nested more than {DEPTH_MAX} levels deep")
        if isinstance(event, yaml.AliasEvent):
            return self._aliased(str(event.anchor), place)
        if not isinstance(event, yaml.ScalarEvent | yaml.SequenceStartEvent | yaml.MappingStartEvent):
            raise AssertionError(f"{event!r} cannot begin a node")
        if event.tag is not None:
            self._report(place, f"the tag {event.tag[:80]!r} is not allowed; write the plain value")
        if event.anchor is None:
            return self._content(event, place, depth)
        self._anchors[event.anchor] = None
        node = self._anchors[event.anchor] = self._content(event, place, depth)
        return node

    def _content(self, event: yaml.Event, place: Place, depth: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            if any(category(letter) in {"Cc", "Cs"} and letter not in "\n\t" for letter in event.value):
                self._report(place, "a control character or half of a surrogate pair is no text")
            return Scalar(event.value, is_null=event.style is None and event.value.lower() in _NULLS, place=place)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(place, depth)
        return self._mapping(place, depth)

    def _sequence(self, place: Place, depth: int) -> Sequence:
        items: list[Node] = []
        size = 1
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, depth=depth + 1))
            size = _grown(size, items[-1])
        return Sequence(tuple(items), place, size)

    def _mapping(self, place: Place, depth: int) -> Mapping:
        entries: list[tuple[Scalar, Node]] = []
        first_lines: dict[str, int] = {}
        size = 1
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key_place = _place(event.start_mark)
            key = self._node(event, depth=depth + 1)
            value = self._node(next(self._events), depth=depth + 1)
            size = _grown(_grown(size, key), value)
            if not isinstance(key, Scalar):
                self._report(key_place, "a key must be a plain word")
            elif key.text in first_lines:
                self._report(key_place, f"the key {key.text!r} occurs twice; first on line {first_lines[key.text]}")
            else:
                first_lines[key.text] = key_place.line
                entries.append((key, value))
        return Mapping(tuple(entries), place, size)

    def _aliased(self, anchor: str, place: Place) -> Node:
        if anchor not in self._anchors:
            raise _refusal(place, f"the alias *{anchor} refers to nothing above it")
        node = self._anchors[anchor]
        if node is None:
            raise _refusal(place, f"the alias *{anchor} is inside what it refers to")
        return node

    def _report(self, place: Place, message: str) -> None:
        self._problems.append(Problem(*place, path="", message=message))


def _grown(size: int, node: Node) -> int:
    size += node.size
    if size > NODES_MAX:
        message = f"the file has more than {NODES_MAX:,} values, aliases counted as what they stand for"
        raise _refusal(node.place, message)
    return size


def _decoded(source: bytes) -> str:
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = source[: error.start].decode("utf-8", errors="replace")
        raise _refusal(_place_of_offset(before, len(before)), "this byte is not UTF-8 text") from None


def _refusal(place: Place, message: str) -> MalformedPriceBook:
    return MalformedPriceBook([Problem(*place, path="", message=message)])


def _place(mark: Any) -> Place:
    """Return the place of a mark of either parser of PyYAML; they count from 0."""
    return Place(mark.line + 1, mark.column + 1)


def _place_of_offset(text: str, offset: int) -> Place:
    before = text[:offset]
    return Place(before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)


def _one_line(error: yaml.MarkedYAMLError) -> str:
    begun = f"{error.context} (begun on line {error.context_mark.line + 1}), " if error.context_mark else ""
    return f"this is not YAML: {begun}{error.problem or error.context}"
