"""The tree of a YAML text: texts stay what was written, places are right, and hostile files cost nothing."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenor.pricing.price_book.problems import MalformedPriceBook, Place, Problem
from tenor.pricing.price_book.tree import BYTES_MAX, Mapping, Node, Scalar, Sequence, read_tree


def tree_of(source: bytes) -> Node:
    problems: list[Problem] = []
    tree = read_tree(source, problems)
    assert not problems
    return tree


def stop_of(source: bytes) -> Problem:
    """Return the one problem at which the reading of `source` ends."""
    with pytest.raises(MalformedPriceBook) as refused:
        read_tree(source, [])
    (problem,) = refused.value.problems
    return problem


def value_of(source: bytes) -> Scalar:
    tree = tree_of(source)
    assert isinstance(tree, Mapping)
    value = tree.entries[0][1]
    assert isinstance(value, Scalar)
    return value


@pytest.mark.parametrize(
    "text", ["0.10", "1e3", "0x10", "012", "NO", "yes", "2026-01-01", "1:30", "0.1000000000000000055"]
)
def test_a_plain_value_stays_the_text_that_was_written(text: str) -> None:
    assert value_of(f"a: {text}".encode()).text == text


@pytest.mark.parametrize(
    ("text", "is_null"), [("", True), ("~", True), ("null", True), ('""', False), ("'null'", False), ("nil", False)]
)
def test_only_a_plain_null_is_nothing(text: str, is_null: bool) -> None:
    assert value_of(f"a: {text}".encode()).is_null is is_null


def test_every_node_knows_its_place() -> None:
    tree = tree_of(b"\xef\xbb\xbfa: x\nb:\n  - y\n  - {c: z}\n")

    assert isinstance(tree, Mapping)
    (key_a, value_a), (_, items) = tree.entries
    assert (key_a.place, value_a.place) == (Place(1, 1), Place(1, 4))  # the byte order mark is no column
    assert isinstance(items, Sequence)
    assert [item.place for item in items.items] == [Place(3, 5), Place(4, 5)]


def test_an_alias_is_the_node_of_its_anchor() -> None:
    tree = tree_of(b"a: &x [1, 2]\nb: *x\n")

    assert isinstance(tree, Mapping)
    assert tree.entries[0][1] is tree.entries[1][1]


def test_what_does_not_stop_the_reading_is_collected() -> None:
    problems: list[Problem] = []

    read_tree(b'a: 1\nb: !!int 2\na: 3\n? [c]\n: 4\nd: "\\ud800"\ne: "\\0"\n', problems)

    assert [(problem.line, problem.column, problem.message) for problem in problems] == [
        (2, 4, "the tag 'tag:yaml.org,2002:int' is not allowed; write the plain value"),
        (3, 1, "the key 'a' occurs twice; first on line 1"),
        (4, 3, "a key must be a plain word"),
        (6, 4, "a control character or half of a surrogate pair is no text"),
        (7, 4, "a control character or half of a surrogate pair is no text"),
    ]


@pytest.mark.parametrize(
    ("source", "line", "column", "words"),
    [
        (b"", 1, 1, "the file is empty"),
        (b"# nothing\n", 1, 1, "the file is empty"),
        (b"a: 1\nb: [1,\n", 3, 1, "this is not YAML"),
        (b"a: 1\n\tb: 2\n", 2, 1, "this is not YAML"),
        (b"a: b: c\n", 1, 5, "mapping values are not allowed here"),
        (b'a: 1\nb: "x\n', 3, 1, "begun on line 2"),
        (b"a: 1\nb: \xff\n", 2, 4, "not UTF-8"),
        (b"a: \xc3\xa9\nb: \x07\n", 2, 4, "U+0007"),
        (b'a: 1\nb: "\\UFFFFFFFF"\n', 2, 1, "a character that does not exist"),
        (b"a: 1\n---\nb: 2\n", 2, 1, "a second document"),
        (b"a: *nothing\n", 1, 4, "refers to nothing"),
        (b"a: &x\n  - *x\n", 2, 5, "inside what it refers to"),
        (b"[" * 100_000, 1, 21, "more than 20 levels"),
        (b"{a: " * 10_000, 1, 78, "more than 20 levels"),  # key and value of level 20 begin at 4 x 19 + 2
        (b"#" * (BYTES_MAX + 1), 1, 1, "1,000,001 bytes"),
    ],
)
def test_what_stops_the_reading_is_told_with_its_place(source: bytes, line: int, column: int, words: str) -> None:
    problem = stop_of(source)

    assert (problem.line, problem.column) == (line, column)
    assert words in problem.message


def test_aliases_of_aliases_do_not_explode() -> None:
    # nine lists, each holding nine times the one before: 9^9 = 387,420,489 values when written out
    lines = [b"a0: &a0 [x]"]
    lines += [b"a%d: &a%d [%s]" % (level, level, b", ".join([b"*a%d" % (level - 1)] * 9)) for level in range(1, 10)]

    assert "more than 100,000 values" in stop_of(b"\n".join(lines)).message


@given(st.binary(max_size=60) | st.text(alphabet="ab:-[]{}&*!|>'\"%@\\U \n\t#?,~0", max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(source: bytes) -> None:
    with suppress(MalformedPriceBook):
        assert isinstance(read_tree(source, []), Scalar | Sequence | Mapping)
