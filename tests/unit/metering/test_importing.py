"""Usage files: every form that must be read, and every wrong row with its place."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tenor.catalog.model import Aggregation
from tenor.kernel.ids import new_id, to_wire
from tenor.metering.importing import BadRow, MalformedUsageFile, UsageRow, read_usage
from tenor.metering.model import Metric, UsageEvent
from tenor.metering.rules.forms import STANDARD_COLUMNS, Columns, ReadingTerms

METRICS = {
    "tokens": Metric("tokens", Aggregation.SUM, "n"),
    "calls": Metric("calls", Aggregation.COUNT),
}
HEADER = "event_id,customer,metric,occurred_at,value\n"
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
GOOD = "e1,acme,tokens,2026-05-01T12:00:00Z,12.5"


def rows(
    tmp_path: Path,
    content: str | bytes,
    *,
    name: str = "usage.csv",
    columns: Columns = STANDARD_COLUMNS,
    zone: str | None = None,
) -> list[UsageRow | BadRow]:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_usage(path, ReadingTerms(METRICS, "file", columns, ZoneInfo(zone) if zone else None)))


@pytest.mark.parametrize(
    "content",
    [
        HEADER + GOOD + "\n",
        HEADER + GOOD,  # no line end at the end of the file
        (HEADER + GOOD).replace("\n", "\r\n"),
        b"\xef\xbb\xbf" + (HEADER + GOOD + "\n\n").encode(),  # byte order mark, empty last line
        HEADER + '"e1",acme,tokens,"2026-05-01 14:00:00.0000000+02:00",12.5\n',
    ],
)
def test_a_row_is_an_event_in_every_form_of_csv(tmp_path: Path, content: str | bytes) -> None:
    event = UsageEvent("e1", NOON, {"n": "12.5"}, source="file", metric_code="tokens", customer="acme")

    assert rows(tmp_path, content) == [UsageRow(2, event)]


def test_columns_that_are_no_part_of_the_event_are_its_properties(tmp_path: Path) -> None:
    content = (
        "event_id,source,customer,metric,occurred_at,n,region,empty\ne1,gw,acme,tokens,2026-05-01T12:00:00Z,3,eu,\n"
    )

    (row,) = rows(tmp_path, content)

    assert isinstance(row, UsageRow)
    assert row.event.properties == {"n": "3", "region": "eu"}
    assert row.event.source == "gw"


def test_columns_may_have_other_names_and_times_a_zone_of_their_own(tmp_path: Path) -> None:
    columns = Columns(event_id="id", customer="account", metric="kind", occurred_at="TIMESTAMP", value="tokens")
    content = "TIMESTAMP,id,account,kind,tokens\n2023-11-16 18:15:46.6805909,e1,acme,tokens,374\n"

    (row,) = rows(tmp_path, content, columns=columns, zone="America/New_York")

    assert isinstance(row, UsageRow)
    assert row.event.occurred_at == datetime(2023, 11, 16, 23, 15, 46, 680590, tzinfo=UTC)  # UTC-5, cut not rounded
    assert row.event.properties == {"n": "374"}


def test_json_lines_keep_numbers_exact_and_may_nest_properties(tmp_path: Path) -> None:
    subscription = new_id(NOON)
    content = (
        '{"event_id": "e1", "customer": "acme", "metric": "tokens", "occurred_at": "2026-05-01T12:00:00Z",'
        f' "subscription": "{to_wire("sub", subscription)}", "properties": {{"n": 0.1, "ok": true, "none": null}}}}\n'
        '\n{"event_id": 7, "customer": "acme", "metric": "calls", "occurred_at": "2026-05-01T12:00:00Z"}'
    )

    first, second = rows(tmp_path, content, name="usage.jsonl")

    assert isinstance(first, UsageRow)
    assert first.event.properties == {"n": Decimal("0.1"), "ok": True}
    assert first.event.subscription_id == subscription
    assert isinstance(second, UsageRow)
    assert (second.line, second.event.event_id, second.event.properties) == (3, "7", {})


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("e2,acme,tokens,2026-05-01T12:00:00Z,NaN", "value", "'NaN' is not a decimal number"),
        ("e2,acme,tokens,2026-05-01T12:00:00Z,1e999", "value", "1E+999"),
        ("e2,acme,tokens,2026-05-01T12:00:00Z,", "value", "no such property"),
        ("e2,acme,tokens,2026-05-01T12:00:00,1", "occurred_at", "names no time zone"),
        ("e2,acme,tokens,2026-05-01,1", "occurred_at", "names no time zone"),
        ("e2,acme,tokens,2026-02-30T12:00:00Z,1", "occurred_at", "day is out of range"),
        ("e2,acme,tokens,yesterday,1", "occurred_at", "is not an instant"),
        ("e2,acme,watts,2026-05-01T12:00:00Z,1", "metric", "there is no metric 'watts'"),
        (",acme,tokens,2026-05-01T12:00:00Z,1", "event_id", "is empty"),
        ("e2,,tokens,2026-05-01T12:00:00Z,1", "customer", "is empty"),
        ("e2,acme,tokens,2026-05-01T12:00:00Z", "", "4 columns, but the header has 5"),
        ("e2,acme,tokens,2026-05-01T12:00:00Z,1,2", "", "6 columns, but the header has 5"),
        ("e1,acme,tokens,2026-05-01T13:00:00Z,1", "event_id", "'e1' is already the id of line 2"),
        ('"e2"x,acme,tokens,2026-05-01T12:00:00Z,1', "", "cannot be read as CSV"),
    ],
)
def test_a_wrong_row_is_named_with_its_place(tmp_path: Path, row: str, column: str, reason: str) -> None:
    _, bad = rows(tmp_path, f"{HEADER}{GOOD}\n{row}\n")

    assert isinstance(bad, BadRow)
    assert (bad.line, bad.column) == (3, column)
    assert reason in bad.reason
    assert str(bad).startswith("line 3")


def test_reading_goes_on_after_a_wrong_row(tmp_path: Path) -> None:
    content = f'{HEADER}e0,acme,tokens,bad,1\n{GOOD}\n"e\n2",acme,calls,2026-05-01T12:00:00Z,\ne3,acme,nope,bad,1\n'

    found = rows(tmp_path, content)

    # the quoted id runs over two lines: its row begins on line 4, the next one on line 6
    assert [(row.line, isinstance(row, UsageRow)) for row in found] == [(2, False), (3, True), (4, True), (6, False)]


def test_bytes_that_are_not_utf8_are_one_wrong_row(tmp_path: Path) -> None:
    content = HEADER.encode() + b"e1,caf\xe9,tokens,2026-05-01T12:00:00Z,1\n" + GOOD.encode()

    bad, good = rows(tmp_path, content)

    assert isinstance(bad, BadRow)
    assert bad[:3] == (2, "customer", "is not UTF-8")
    assert isinstance(good, UsageRow)


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        ("{", "", "is not JSON"),
        ("[1]", "", "is not a JSON object"),
        ("[" * 100_000, "", "is not JSON"),
        ('{"event_id": "a", "event_id": "b"}', "", "'event_id' comes twice"),
        ('{"event_id": "a", "n": NaN}', "", "NaN is not a number"),
        ('{"event_id": "a", "properties": {"n": [1]}}', "n", "is neither a text, a number"),
        ('{"event_id": "a", "properties": 5}', "customer", "is missing"),
        ('{"event_id": "a", "properties": [5]}', "properties", "is neither a text, a number"),
        ('{"event_id": "\\ud800"}', "event_id", "is not UTF-8"),
    ],
)
def test_a_wrong_json_line_is_named_with_its_place(tmp_path: Path, line: str, column: str, reason: str) -> None:
    (bad,) = rows(tmp_path, line, name="usage.ndjson")

    assert isinstance(bad, BadRow)
    assert (bad.line, bad.column) == (1, column)
    assert reason in bad.reason


def test_a_local_time_that_the_clocks_skip_is_wrong_and_one_that_comes_twice_is_the_first(tmp_path: Path) -> None:
    skipped, twice = "e1,acme,calls,2026-03-29T02:30:00,", "e2,acme,calls,2026-10-25T02:30:00,"

    bad, row = rows(tmp_path, f"{HEADER}{skipped}\n{twice}\n", zone="Europe/Berlin")

    assert isinstance(bad, BadRow)
    assert "does not exist in Europe/Berlin" in bad.reason
    assert isinstance(row, UsageRow)
    assert row.event.occurred_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # still summer time, UTC+2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "the file is empty"),
        ("event_id,customer,metric\n", "no column 'occurred_at'"),
        ("event_id,event_id,customer,metric,occurred_at\n", "'event_id' more than once"),
    ],
)
def test_a_file_without_a_usable_header_is_refused(tmp_path: Path, content: str, reason: str) -> None:
    with pytest.raises(MalformedUsageFile, match=reason):
        rows(tmp_path, content)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MalformedUsageFile, match="No such file"):
        list(read_usage(tmp_path / "none.csv", ReadingTerms(METRICS, "file")))
