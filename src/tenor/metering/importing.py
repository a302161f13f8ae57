"""Read usage files: CSV or JSON in, events out; every row that is wrong with its line, column and reason."""

import csv
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple, TextIO

from tenor.kernel.errors import Malformed
from tenor.kernel.strict_json import NotJson, parse_json
from tenor.metering.model import PropertyValue, UsageEvent
from tenor.metering.parquet import NotParquet, ParquetFile, open_parquet
from tenor.metering.rules.acceptance import identity_of
from tenor.metering.rules.forms import (
    CLOUD_EVENT_COLUMNS,
    Columns,
    ReadingTerms,
    WrongPart,
    payload_of,
    payload_of_record,
    read_cells,
    read_events,
    read_record,
)

JSON_SUFFIX: Final = ".json"
PARQUET_SUFFIX: Final = ".parquet"
JSON_LINES_SUFFIXES: Final = frozenset({".jsonl", ".ndjson"})

_NAMES_SHOWN_MAX: Final = 20
_NAME_SHOWN_LENGTH: Final = 60


class MalformedUsageFile(Malformed):
    """A file of which no row can be read: it cannot be opened, or its header is not one of usage."""

    code = "malformed_usage_file"


class UsageRow(NamedTuple):
    """An event and the line on which it begins; lines count from 1."""

    line: int
    event: UsageEvent


class BadRow(NamedTuple):
    """A row that cannot be taken; `column` is empty where the row as a whole is wrong, `payload` is what it said."""

    line: int
    column: str
    reason: str
    payload: str = ""
    counted_as: str = "line"

    def __str__(self) -> str:
        place = f"{self.counted_as} {self.line}"
        return f"{place}, column {self.column!r}: {self.reason}" if self.column else f"{place}: {self.reason}"


def read_usage(path: Path, terms: ReadingTerms) -> Iterator[UsageRow | BadRow]:
    """Yield what each row of a file says, in order.

    `.jsonl` and `.ndjson` hold one JSON object a line, `.json` one object or an array of them, whose lines are
    its elements: events in the flat form, with the same names as the columns, or CloudEvents. `.parquet` holds one
    event a row, flat or as CloudEvents, and its rows are counted. Any other file is CSV with a header. UTF-8, with
    or without a byte order mark, any line ends. Times without a zone are taken in the zone of `terms`, and refused
    where it has none; of a local time that comes twice (clocks going back) the first is meant. An id that comes
    twice in a file is wrong. But for `.json`, only a stretch of the file is held at a time.

    Raises:
        MalformedUsageFile: the file cannot be opened, or its header lacks or repeats a column; of Parquet, also a
            column that cannot be taken.
        ParquetUnavailable: Parquet, and the library that reads it is not installed.
    """
    try:
        if path.suffix.lower() == PARQUET_SUFFIX:
            yield from _without_repetition(_parquet_rows(path, terms), terms.columns, counted_as=counted_as(path))
            return
        if path.suffix.lower() == JSON_SUFFIX:
            yield from _without_repetition(_document_rows(path.read_bytes(), terms), terms.columns)
            return
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            is_json = path.suffix.lower() in JSON_LINES_SUFFIXES
            rows = _json_rows(file, terms) if is_json else _csv_rows(file, terms, path)
            yield from _without_repetition(rows, terms.columns)
    except OSError as error:
        raise MalformedUsageFile(f"{path}: {error.strerror or error}") from None


def counted_as(path: Path) -> str:
    """Return what the number of a row of this file counts: its lines, or its rows where it has no lines."""
    return "row" if path.suffix.lower() == PARQUET_SUFFIX else "line"


def _without_repetition(
    rows: Iterable[UsageRow | BadRow], columns: Columns, *, counted_as: str = "line"
) -> Iterator[UsageRow | BadRow]:
    first_lines: dict[bytes, int] = {}
    for row in rows:
        if isinstance(row, UsageRow):
            event = row.event
            first_line = first_lines.setdefault(identity_of(event.source, event.event_id), row.line)
            if first_line != row.line:
                reason = f"{event.event_id!r} is already the id of {counted_as} {first_line}"
                row = BadRow(row.line, columns.event_id, reason, payload_of(event), counted_as)
        yield row


def _document_rows(document: bytes, terms: ReadingTerms) -> Iterator[UsageRow | BadRow]:
    for line, found in enumerate(read_events(document.removeprefix(BOM_UTF8), terms), start=1):
        if isinstance(found, UsageEvent):
            yield UsageRow(line, found)
        else:
            yield BadRow(line, found.field, found.reason, found.payload)


def _csv_rows(file: TextIO, terms: ReadingTerms, path: Path) -> Iterator[UsageRow | BadRow]:
    for record in _csv_records(file, terms.columns, path):
        if isinstance(record, BadRow):
            yield record
            continue
        line, cells = record
        try:
            yield UsageRow(line, read_cells(cells, terms))
        except WrongPart as error:
            yield BadRow(line, error.field, error.reason, payload_of_record(cells, terms))


def _csv_records(
    file: TextIO, columns: Columns, path: Path
) -> Iterator[tuple[int, Mapping[str, PropertyValue]] | BadRow]:
    reader = csv.reader(file, strict=True)
    try:
        header = next(reader, [])
        _require_header(header, columns, path)
        line = reader.line_num + 1
        for row in reader:
            if len(row) == len(header):
                yield line, dict(zip(header, row, strict=True))
            elif row:  # an empty line is no row
                yield BadRow(line, "", f"{len(row)} columns, but the header has {len(header)}")
            line = reader.line_num + 1
    except csv.Error as error:
        yield BadRow(reader.line_num, "", f"cannot be read as CSV, nor what follows it: {error}")


def _require_header(header: Sequence[str], columns: Columns, path: Path) -> None:
    missing = [name for name in columns.required if name not in header]
    if missing:
        found = f"it has {_listed(header)}" if header else "the file is empty"
        raise MalformedUsageFile(f"{path}: the header names no column {', '.join(map(repr, missing))}; {found}")
    repeated = sorted(name for name, count in Counter(header).items() if count > 1)
    if repeated:
        raise MalformedUsageFile(f"{path}: the header names {_listed(repeated)} more than once")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMES_SHOWN_MAX:,} more" if len(names) > _NAMES_SHOWN_MAX else ""
    return ", ".join(repr(name[:_NAME_SHOWN_LENGTH]) for name in names[:_NAMES_SHOWN_MAX]) + more


def _parquet_rows(path: Path, terms: ReadingTerms) -> Iterator[UsageRow | BadRow]:
    row = 0
    try:
        with open_parquet(path) as file:
            _require_columns(file, terms, path)
            for row, record in enumerate(file.records, start=1):
                try:
                    yield UsageRow(row, read_record(record, terms))
                except WrongPart as error:
                    yield BadRow(row, error.field, error.reason, payload_of_record(record, terms), "row")
    except NotParquet as error:
        if not row:
            raise MalformedUsageFile(f"{path}: cannot be read as Parquet: {error}") from None
        yield BadRow(row + 1, "", f"cannot be read as Parquet, nor what follows it: {error}", counted_as="row")


def _require_columns(file: ParquetFile, terms: ReadingTerms, path: Path) -> None:
    columns = CLOUD_EVENT_COLUMNS if "specversion" in file.names else terms.columns
    _require_header(file.names, columns, path)
    if terms.zone is None and columns.occurred_at in file.zoneless:
        column = f"the times of column {columns.occurred_at!r} name no zone"
        raise MalformedUsageFile(f"{path}: {column}: say which it is (--zone), or write them with one")


def _json_rows(file: TextIO, terms: ReadingTerms) -> Iterator[UsageRow | BadRow]:
    for line, text in enumerate(file, start=1):
        if not text.strip():
            continue
        try:
            record = parse_json(text)
        except NotJson as error:
            yield BadRow(line, "", f"is not JSON: {error.message}", text)
            continue
        if not isinstance(record, dict):
            yield BadRow(line, "", "is not a JSON object", text)
            continue
        try:
            yield UsageRow(line, read_record(record, terms))
        except WrongPart as error:
            yield BadRow(line, error.field, error.reason, payload_of_record(record, terms))
