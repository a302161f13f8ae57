"""A usage file with anything wrong in it is refused whole, with the line and column of every row that is wrong."""

import json

import pytest

from tests.integration.cli.conftest import USAGE, USAGE_HEADER, Shell

ACME = ("-t", "acme")
GOOD = "g-1,globex,calls,2026-01-07T09:00:00Z,\ng-2,globex,tokens,2026-01-07T09:00:00Z,5\n"


@pytest.mark.parametrize(
    ("row", "place", "reason"),
    [
        pytest.param("b,globex,tokens,2026-01-07T09:00:00Z", "line 4", "4 columns, but the header has 5", id="short"),
        pytest.param(
            "b,globex,tokens,2026-01-07T09:00:00Z,1,2", "line 4", "6 columns, but the header has 5", id="long"
        ),
        pytest.param(
            "b,nobody,tokens,2026-01-07T09:00:00Z,1",
            "column 'customer'",
            "there is no customer 'nobody'",
            id="customer",
        ),
        pytest.param(
            "b,globex,watts,2026-01-07T09:00:00Z,1", "column 'metric'", "there is no metric 'watts'", id="metric"
        ),
        pytest.param("b,globex,tokens,2026-01-07T09:00:00Z,NaN", "column 'value'", "'NaN' is not a decimal", id="nan"),
        pytest.param(
            "b,globex,tokens,2026-01-07T09:00:00Z,-inf", "column 'value'", "'-inf' is not a decimal", id="inf"
        ),
        pytest.param(
            "b,globex,tokens,2026-01-07T09:00:00Z,Infinity", "column 'value'", "'Infinity' is not a", id="infinity"
        ),
        pytest.param(
            "b,globex,tokens,2026-01-07T09:00:00Z,1e400", "column 'value'", "has more than 15 digits", id="1e400"
        ),
        pytest.param("b,globex,tokens,2026-01-07T09:00:00Z,١٢", "column 'value'", "'١٢' is not a decimal", id="arabic"),
        pytest.param("b,globex,tokens,2026-01-07T09:00:00Z,", "column 'value'", "no such property", id="no-value"),
        pytest.param("b,globex,tokens,2026-01-07T09:00:00,1", "column 'occurred_at'", "names no time zone", id="zone"),
        pytest.param(
            "b,globex,tokens,2026-02-30T09:00:00Z,1", "column 'occurred_at'", "day is out of range", id="february"
        ),
        pytest.param(
            "b,globex,tokens,0001-01-01T00:00:00Z,1", "column 'occurred_at'", "outside the years", id="year-1"
        ),
        pytest.param("b,globex,tokens,2001-01-07T09:00:00Z,1", "column 'occurred_at'", "ten years back", id="old"),
        pytest.param(
            "b,globex,tokens,2027-01-07T09:00:00Z,1", "column 'occurred_at'", "a day in the future", id="future"
        ),
        pytest.param(
            "g-1,globex,tokens,2026-01-07T09:00:00Z,1",
            "column 'event_id'",
            "'g-1' is already the id of line 2",
            id="twice",
        ),
        pytest.param(
            "t-1,globex,tokens,2026-01-06T09:00:00Z,151",
            "column 'event_id'",
            "kept before with another content",
            id="other",
        ),
        pytest.param(
            "b\0,globex,tokens,2026-01-07T09:00:00Z,1", "column 'event_id'", "cannot be kept as text", id="nul"
        ),
        pytest.param('"b,globex,tokens,2026-01-07T09:00:00Z,1', "line 4", "cannot be read as CSV", id="open-quote"),
    ],
)
def test_one_wrong_row_among_good_ones(shop: Shell, row: str, place: str, reason: str) -> None:
    file = shop.file("wrong.csv", f"{USAGE_HEADER}{GOOD}{row}\n")

    error = shop.refused("usage", "import", file, *ACME, code="usage_file_refused", says=reason)

    assert error["message"].startswith(f"{file}: 1 row cannot be taken, so nothing was written:\n  line 4")
    assert place in error["message"]
    assert [entry["line"] for entry in error["rows"]] == [4]


def test_a_byte_that_is_not_utf_8_is_found_in_its_row(shop: Shell) -> None:
    file = shop.file("latin.csv", f"{USAGE_HEADER}{GOOD}b\xe9,globex,calls,2026-01-07T09:00:00Z,\n".encode("latin-1"))

    error = shop.refused("usage", "import", file, *ACME, code="usage_file_refused")

    assert error["rows"] == [{"line": 4, "column": "event_id", "reason": "is not UTF-8"}]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param("", "the file is empty", id="empty"),
        pytest.param(
            GOOD, "the header names no column 'event_id', 'customer', 'metric', 'occurred_at'", id="no-header"
        ),
        pytest.param(USAGE_HEADER.replace("metric", "kind"), "the header names no column 'metric'", id="no-metric"),
        pytest.param("event_id," + USAGE_HEADER, "the header names 'event_id' more than once", id="column-twice"),
        pytest.param(bytes(range(256)), "the header names no column", id="binary"),
        pytest.param("a," * 5_000_000, "and 4,999,981 more", id="a-line-of-five-million-columns"),
        pytest.param(
            USAGE_HEADER.strip() + "".join(f",{n}" for n in range(200_000)) + ",7\n",
            "the header names '7' more than once",
            id="many-columns",
        ),
    ],
)
def test_a_file_without_its_header(shop: Shell, content: str | bytes, says: str) -> None:
    file = shop.file("headless.csv", content)

    error = shop.refused("usage", "import", file, *ACME, code="malformed_usage_file", says=says)

    assert error["message"].startswith(f"{file}: ")
    assert len(error["message"]) < 2_000


def test_a_line_of_ten_megabytes(shop: Shell) -> None:
    header = shop.file("long-header.csv", "x" * 10_000_000)
    row = shop.file("long-row.csv", USAGE_HEADER + GOOD + "x" * 10_000_000)

    shop.refused("usage", "import", header, *ACME, code="usage_file_refused", says="line 1: cannot be read as CSV")
    shop.refused("usage", "import", row, *ACME, code="usage_file_refused", says="line 4: cannot be read as CSV")


EVENT = {"event_id": "b", "customer": "globex", "metric": "tokens", "occurred_at": "2026-01-07T09:00:00Z"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param("{", "is not JSON", id="open"),
        pytest.param("[" * 100_000, "is not JSON", id="deep"),
        pytest.param("[]", "is not a JSON object", id="list"),
        pytest.param('{"event_id": 1, "event_id": 2}', "'event_id' comes twice", id="key-twice"),
        pytest.param(json.dumps({**EVENT, "value": float("nan")}), "NaN is not a number", id="nan"),
        pytest.param(json.dumps({**EVENT, "value": float("inf")}), "Infinity is not a number", id="infinity"),
        pytest.param(json.dumps({**EVENT, "value": "?"}).replace('"?"', "1e400"), "more than 15 digits", id="1e400"),
        pytest.param(
            json.dumps({**EVENT, "value": "?"}).replace('"?"', "1e99999999999999999999"),
            "beyond any number",
            id="beyond",
        ),
        pytest.param(json.dumps({**EVENT, "value": "?"}).replace('"?"', "9" * 5000), "is not JSON", id="5000-digits"),
        pytest.param(json.dumps({**EVENT, "value": [1]}), "neither a text, a number", id="value-list"),
    ],
)
def test_one_wrong_line_of_json(shop: Shell, line: str, reason: str) -> None:
    good = json.dumps({**EVENT, "event_id": "g-1", "value": 5})
    file = shop.file("wrong.jsonl", f"{good}\n{line}\n")

    error = shop.refused("usage", "import", file, *ACME, code="usage_file_refused", says=reason)

    assert [entry["line"] for entry in error["rows"]] == [2]


def test_a_file_that_cannot_be_opened(shop: Shell) -> None:
    shop.refused("usage", "import", shop.folder / "none.csv", *ACME, code="malformed_usage_file", says="No such file")
    shop.refused("usage", "import", shop.folder, *ACME, code="malformed_usage_file", says="Is a directory")


def test_options_that_make_no_sense(shop: Shell) -> None:
    command = ("usage", "import", shop.file("good.csv", USAGE_HEADER + GOOD), *ACME)

    shop.refused(*command, "--column", "value", code="malformed", says="--column 'value': write part=COLUMN")
    shop.refused(*command, "--column", "price=x", code="malformed", says="--column 'price=x': write part=COLUMN")
    shop.refused(*command, "--zone", "Mars/Olympus", code="unknown_zone", says="'Mars/Olympus' is not a time zone")
    shop.refused(*command, "--zone", "", code="unknown_zone", says="'' is not a time zone")
    shop.refused(*command, "--source", "x" * 201, code="usage_file_refused", says="column 'source'")
    shop.refused(*command[:-1], "nobody", code="not_found", says="there is no tenant 'nobody'")


def test_byte_order_mark_windows_lines_and_no_last_line_end_are_no_fault(tenor: Shell) -> None:
    tenor.done("tenant", "create", "acme", "--sandbox", "--clock", "2026-02-01T00:00:00Z")
    book = tenor.file("book.yaml", MINIMAL_BOOK)
    tenor.done("catalog", "apply", book, *ACME)
    tenor.done("customer", "add", "globex", *ACME)
    windows = b"\xef\xbb\xbf" + USAGE.replace("\n", "\r\n").strip().encode()

    first = tenor.done("usage", "import", tenor.file("windows.csv", windows), *ACME, "--json").json
    again = tenor.done("usage", "import", tenor.file("unix.csv", USAGE), *ACME, "--json").json
    nothing = tenor.done("usage", "import", tenor.file("header.csv", USAGE_HEADER), *ACME, "--json").json

    assert (first["accepted"], first["duplicates"]) == (2, 0)
    assert (again["accepted"], again["duplicates"]) == (0, 2)
    assert (nothing["accepted"], nothing["duplicates"]) == (0, 0)


MINIMAL_BOOK = """\
price_book: acme
currency: USD
tax_mode: exclusive
effective: 2026-01-01T00:00:00Z
products: []
metrics:
  - {code: calls, name: Calls, aggregation: count}
  - {code: tokens, name: Tokens, aggregation: sum, field: n}
plans: []
"""
