"""Read usage files: CSV or JSON Lines in, events out; every row that is wrong with its line, column and reason."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Final, NamedTuple, TextIO

from tenor.kernel.errors import Malformed
from tenor.kernel.ids import SubscriptionId, from_wire
from tenor.kernel.period import NotAnInstant, parse_instant
from tenor.kernel.strict_json import NotJson, parse_json
from tenor.metering.model import Metric, PropertyValue, UsageEvent
from tenor.metering.rules.readings import property_text, read

JSON_LINES_SUFFIXES: Final = frozenset({".jsonl", ".ndjson"})

_NOT_UTF8: Final = re.compile("[\ud800-\udfff]")  # what `surrogateescape` makes of a byte that is none
_NAMES_SHOWN_MAX: Final = 20
_NAME_SHOWN_LENGTH: Final = 60
_HAS_ZONE: Final = re.compile(r"(?:Z|[+-]\d{2}:\d{2})$", re.ASCII)


class MalformedUsageFile(Malformed):
    """A file of which no row can be read: it cannot be opened, or its header is not one of usage."""

    code = "malformed_usage_file"


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column (or key of a JSON object) holds which part of an event; all others are properties.

    `value` holds the number that the row's metric measures, under whatever name the metric knows it.
    """

    event_id: str = "event_id"
    customer: str = "customer"
    metric: str = "metric"
    occurred_at: str = "occurred_at"
    source: str = "source"
    subscription: str = "subscription"
    value: str = "value"

    @property
    def required(self) -> tuple[str, ...]:
        """The columns without which no event can be read."""
        return (self.event_id, self.customer, self.metric, self.occurred_at)

    def column_of(self, part: str) -> str:
        """Return the column that holds a part of an event; a property has its own name."""
        return str(getattr(self, part)) if part in {field.name for field in fields(self)} else part


STANDARD_COLUMNS: Final = Columns()


class UsageRow(NamedTuple):
    """An event and the line on which it begins; lines count from 1."""

    line: int
    event: UsageEvent


class BadRow(NamedTuple):
    """A row that cannot be taken; `column` is empty where the row as a whole is wrong."""

    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        place = f"line {self.line}, column {self.column!r}" if self.column else f"line {self.line}"
        return f"{place}: {self.reason}"


class _WrongCell(Exception):
    """One part of a row is wrong; becomes a `BadRow` where the line is known."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.reason = reason


def read_usage(
    path: Path,
    *,
    metrics: Mapping[str, Metric],
    columns: Columns,
    default_source: str,
    zone: tzinfo | None = None,
) -> Iterator[UsageRow | BadRow]:
    """Yield what each row of a file says, in order.

    `.jsonl` and `.ndjson` hold one JSON object a line, with the same names as the columns and perhaps an
    object `properties`; any other file is CSV with a header. UTF-8, with or without a byte order mark, any
    line ends. Times without a zone are taken in `zone`, and refused when it is None; of a local time that
    comes twice (clocks going back) the first is meant. An id that comes twice in a file is wrong.

    Raises:
        MalformedUsageFile: the file cannot be opened, or its header lacks or repeats a column.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            is_json = path.suffix.lower() in JSON_LINES_SUFFIXES
            records = _json_records(file) if is_json else _csv_records(file, columns, path)
            yield from _rows(records, metrics, columns, default_source, zone)
    except OSError as error:
        raise MalformedUsageFile(f"{path}: {error.strerror}") from None


Record = tuple[int, Mapping[str, PropertyValue]]


def _rows(
    records: Iterable[Record | BadRow],
    metrics: Mapping[str, Metric],
    columns: Columns,
    default_source: str,
    zone: tzinfo | None,
) -> Iterator[UsageRow | BadRow]:
    first_lines: dict[tuple[str, str], int] = {}
    for record in records:
        if isinstance(record, BadRow):
            yield record
            continue
        line, cells = record
        try:
            event = _read_event(cells, metrics, columns, default_source, zone)
        except _WrongCell as error:
            yield BadRow(line, error.column, error.reason)
            continue
        first_line = first_lines.setdefault((event.source, event.event_id), line)
        if first_line == line:
            yield UsageRow(line, event)
        else:
            yield BadRow(line, columns.event_id, f"{event.event_id!r} is already the id of line {first_line}")


def _csv_records(file: TextIO, columns: Columns, path: Path) -> Iterator[Record | BadRow]:
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


def _json_records(file: TextIO) -> Iterator[Record | BadRow]:
    for line, text in enumerate(file, start=1):
        if not text.strip():
            continue
        try:
            record = parse_json(text)
        except NotJson as error:
            yield BadRow(line, "", f"is not JSON: {error.message}")
            continue
        if not isinstance(record, dict):
            yield BadRow(line, "", "is not a JSON object")
            continue
        nested = record.pop("properties", None) or {}
        cells = {**record, **nested} if isinstance(nested, dict) else {**record, "properties": nested}
        wrong = next((name for name, value in cells.items() if isinstance(value, dict | list)), None)
        if wrong is not None:
            yield BadRow(line, wrong, "is neither a text, a number, a truth value nor null")
        else:
            yield line, cells


def _read_event(
    cells: Mapping[str, PropertyValue],
    metrics: Mapping[str, Metric],
    columns: Columns,
    default_source: str,
    zone: tzinfo | None,
) -> UsageEvent:
    texts = {name: property_text(value) or "" for name, value in cells.items()}
    for name, text in texts.items():
        if _NOT_UTF8.search(text):
            raise _WrongCell(name, "is not UTF-8")
    for name in columns.required:
        if not texts.get(name):
            raise _WrongCell(name, "is empty")
    metric = metrics.get(texts[columns.metric])
    if metric is None:
        raise _WrongCell(columns.metric, f"there is no metric {texts[columns.metric]!r}")
    event = UsageEvent(
        event_id=texts[columns.event_id],
        occurred_at=_read_instant(texts[columns.occurred_at], columns.occurred_at, zone),
        properties=_read_properties(cells, metric, columns),
        source=texts.get(columns.source) or default_source,
        metric_code=metric.code,
        customer=texts[columns.customer],
        subscription_id=_read_subscription(texts.get(columns.subscription), columns),
    )
    try:
        read(event, metric)
    except Malformed as error:
        is_named = metric.field is not None and metric.field in cells
        raise _WrongCell((metric.field or "") if is_named else columns.value, error.message) from None
    return event


def _read_properties(
    cells: Mapping[str, PropertyValue], metric: Metric, columns: Columns
) -> Mapping[str, PropertyValue]:
    """Return the cells that are not parts of the event; an empty one is no property."""
    parts = {columns.column_of(field.name) for field in fields(columns)}
    filled = {name: value for name, value in cells.items() if value not in ("", None)}
    value = {metric.field or columns.value: filled[columns.value]} if columns.value in filled else {}
    return value | {name: value for name, value in filled.items() if name not in parts}


def _read_instant(text: str, column: str, zone: tzinfo | None) -> datetime:
    try:
        if zone is None or _HAS_ZONE.search(text):
            return parse_instant(text, name="time of use")
        wall = parse_instant(f"{text}Z", name="time of use").replace(tzinfo=None)
    except NotAnInstant as error:
        raise _WrongCell(column, error.message) from None
    instant = wall.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != wall:
        raise _WrongCell(column, f"{text!r} does not exist in {zone}, whose clocks skip it")
    return instant


def _read_subscription(text: str | None, columns: Columns) -> SubscriptionId | None:
    if not text:
        return None
    try:
        return SubscriptionId(from_wire("sub", text))
    except Malformed as error:
        raise _WrongCell(columns.subscription, error.message) from None
