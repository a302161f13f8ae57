"""Forms: what senders write, read as events. CloudEvents 1.0 and a flat form; one record or a list of them.

Flat: an object with `event_id`, `customer`, `metric` and `occurred_at`, perhaps `source`, `subscription`, `value`
and `properties`; every other member is a property. CloudEvents (github.com/cloudevents/spec, v1.0.2, JSON format):
`id`, `source`, `type` is the metric, `subject` the customer, `time` the time of use, the extension `subscription`;
the members of `data` are the properties.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final, NamedTuple

import msgspec

from tenor.kernel.errors import Malformed
from tenor.kernel.ids import SubscriptionId, from_wire, to_wire
from tenor.kernel.period import NotAnInstant, format_instant, parse_instant
from tenor.metering.model import Metric, PropertyValue, UsageEvent
from tenor.metering.rules.readings import part_at_fault, property_text, read_amount

SPEC_VERSION: Final = "1.0"

_NOT_UTF8: Final = re.compile("[\ud800-\udfff]")  # what `surrogateescape` makes of a byte that is none
_HAS_ZONE: Final = re.compile(r"(?:Z|[+-]\d{2}:\d{2})$", re.ASCII)
_JSON_TYPE: Final = re.compile(r"[^/;]+/(?:[^;]+\+)?json\s*(?:;.*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column (or member of a JSON object) holds which part of an event; all others are properties.

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
CLOUD_EVENT_COLUMNS: Final = Columns(event_id="id", customer="subject", metric="type", occurred_at="time")


@dataclass(frozen=True, slots=True)
class ReadingTerms:
    """How records are read: what can be measured, under which names, and what holds where they are silent.

    `zone` is that of times that name none; None refuses them.
    """

    metrics: Mapping[str, Metric]
    default_source: str
    columns: Columns = STANDARD_COLUMNS
    zone: tzinfo | None = None


class WrongPart(Exception):
    """A part of a record is wrong; `field` is its name, empty where the record as a whole is."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.reason = reason


class Unreadable(NamedTuple):
    """A record that is no event: its place in the document, the part that is wrong, why, and what was sent."""

    position: int
    field: str
    reason: str
    payload: str


def read_events(document: bytes, terms: ReadingTerms) -> list[UsageEvent | Unreadable]:
    """Return what each record of a JSON document says, in order: an object, or an array of them.

    One that is wrong keeps no other from being read. Numbers are exact; of a member that comes twice the
    last is meant.
    """
    try:
        records = _split(document)
    except (msgspec.DecodeError, RecursionError) as error:
        return [Unreadable(0, "", f"is not JSON: {error}", _shown(document))]
    return [_read_record(position, bytes(raw), terms) for position, raw in enumerate(records)]


def read_event_lines(document: bytes, terms: ReadingTerms) -> list[UsageEvent | Unreadable]:
    """Return what each line of a JSON Lines document says, as `read_events`; positions count lines, empty ones too."""
    lines = document.split(b"\n")
    return [_read_record(position, line, terms) for position, line in enumerate(lines) if line.strip()]


def read_record(record: Mapping[str, Any], terms: ReadingTerms) -> UsageEvent:
    """Return the event that a JSON object is, flat or a CloudEvent.

    Raises:
        WrongPart: with the member that is wrong.
    """
    plain = _read_plain(record, terms)
    if plain is not None:
        return plain
    if "specversion" in record:
        return _read_cloud_event(record, terms)
    nested = record.get("properties") or {}
    flat = {name: value for name, value in record.items() if name != "properties"}
    cells = {**flat, **nested} if isinstance(nested, Mapping) else record
    return read_cells(_scalars(cells), terms)


def read_cells(cells: Mapping[str, PropertyValue], terms: ReadingTerms) -> UsageEvent:
    """Return the event that a row says; a cell that is empty is absent.

    Raises:
        WrongPart: with the column that is wrong.
    """
    columns = terms.columns
    parts = _columns_of_parts(columns)
    properties = {name: value for name, value in cells.items() if name not in parts}
    return _event(cells, properties, terms)


@lru_cache
def _columns_of_parts(columns: Columns) -> frozenset[str]:
    """Return the columns that hold parts of an event: asked for with every row."""
    return frozenset(getattr(columns, field.name) for field in fields(columns))


def payload_of(event: UsageEvent) -> str:
    """Return an event in the flat form, in ASCII: what it said can be kept even where the event cannot."""
    return json.dumps(
        {
            "event_id": event.event_id,
            "source": event.source,
            "customer": event.customer,
            "metric": event.metric_code,
            "occurred_at": format_instant(event.occurred_at),
            "subscription": None if event.subscription_id is None else to_wire("sub", event.subscription_id),
            "properties": dict(event.properties),
        },
        default=property_text,
    )


def payload_of_record(record: Mapping[str, Any], terms: ReadingTerms) -> str:
    """Return what a row or an object said, in ASCII, under the standard names and with its source."""
    standard = {terms.columns.column_of(field.name): field.name for field in fields(terms.columns)}
    renamed = {standard.get(name, name): value for name, value in record.items() if value not in ("", None)}
    return json.dumps({"source": terms.default_source, **renamed}, default=property_text)


def _read_record(position: int, raw: bytes, terms: ReadingTerms) -> UsageEvent | Unreadable:
    try:
        record = _VALUE.decode(raw)
        if not isinstance(record, dict):
            raise WrongPart("", "is not a JSON object")
        return read_record(record, terms)
    except (msgspec.DecodeError, InvalidOperation, RecursionError) as error:
        return Unreadable(position, "", f"is not JSON: {error}", _shown(raw))
    except WrongPart as error:
        return Unreadable(position, error.field, error.reason, _shown(raw))


_RECORDS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_VALUE: Final = msgspec.json.Decoder(float_hook=Decimal)


def _split(document: bytes) -> list[msgspec.Raw]:
    return _RECORDS.decode(document) if document.lstrip()[:1] == b"[" else [msgspec.Raw(document)]


def _read_cloud_event(record: Mapping[str, Any], terms: ReadingTerms) -> UsageEvent:
    if record["specversion"] != SPEC_VERSION:
        raise WrongPart("specversion", f"{record['specversion']!r} is not {SPEC_VERSION!r}")
    content_type = record.get("datacontenttype")
    if "data_base64" in record or not (
        content_type is None or (isinstance(content_type, str) and _JSON_TYPE.fullmatch(content_type))
    ):
        raise WrongPart("data", "is not JSON, so that nothing can be measured in it")
    data = record.get("data")
    if data is not None and not isinstance(data, Mapping):
        raise WrongPart("data", "is not a JSON object")
    attributes = {name: value for name, value in record.items() if name != "data"}
    return _event(_scalars(attributes), _scalars(data or {}), replace(terms, columns=CLOUD_EVENT_COLUMNS))


def _read_plain(record: Mapping[str, Any], terms: ReadingTerms) -> UsageEvent | None:
    """Return the event of a record that is written as nearly all are, in a third of the time; None for any other.

    Such a record names its parts by texts, measures its metric by a property, and has nothing wrong with it.
    """
    said = _plain_properties(record, terms)
    if said is None:
        return None
    try:
        event_id, customer, code, at = (_CLOUD_EVENT if "specversion" in record else _FLAT)(record)
    except KeyError:
        return None
    source = record.get("source")
    source = terms.default_source if source is None or source == "" else source
    if not (type(event_id) is type(customer) is type(code) is type(at) is type(source) is str):
        return None
    metric = terms.metrics.get(code)
    texts = [event_id, customer, source, *[value for value in said.values() if type(value) is str]]
    if metric is None or not all(texts) or not "".join(texts).isascii():
        return None
    try:
        event = UsageEvent(event_id, parse_instant(at), said, source, code, customer)
        read_amount(event, metric)
    except Malformed:
        return None
    return event


def _plain_properties(record: Mapping[str, Any], terms: ReadingTerms) -> dict[str, PropertyValue] | None:
    """Return the properties of a record whose members are all where they belong; None for any other."""
    if "specversion" in record:
        nested = record.get("data")
        kinds = list(map(type, record.values()))
        is_plain = (
            record["specversion"] == SPEC_VERSION
            and record.get("datacontenttype", "application/json") == "application/json"
            and kinds.count(dict) == 1
            and list not in kinds
            and _LONG_WAY.isdisjoint(record)
        )
    elif "properties" in record:
        nested = record["properties"]
        is_plain = terms.columns is STANDARD_COLUMNS and record.keys() <= _NESTING
        is_plain = is_plain and type(nested) is dict and _PARTS.isdisjoint(nested)
    else:
        nested = {name: value for name, value in record.items() if name not in _PARTS}
        is_plain = terms.columns is STANDARD_COLUMNS and _LONG_WAY.isdisjoint(record)
    return nested if is_plain and type(nested) is dict and _SCALARS.issuperset(map(type, nested.values())) else None


_FLAT: Final = itemgetter(*STANDARD_COLUMNS.required)
_CLOUD_EVENT: Final = itemgetter(*CLOUD_EVENT_COLUMNS.required)
_SCALARS: Final = frozenset({str, int, Decimal, bool})
_PARTS: Final = frozenset(field.name for field in fields(Columns))
_LONG_WAY: Final = frozenset({"data_base64", "subscription", "value"})
_NESTING: Final = (_PARTS | {"properties"}) - _LONG_WAY


def _scalars(cells: Mapping[str, Any]) -> Mapping[str, PropertyValue]:
    wrong = next((name for name, value in cells.items() if isinstance(value, dict | list)), None)
    if wrong is not None:
        raise WrongPart(wrong, "is neither a text, a number, a truth value nor null")
    return cells


def _event(
    parts: Mapping[str, PropertyValue], properties: Mapping[str, PropertyValue], terms: ReadingTerms
) -> UsageEvent:
    columns = terms.columns
    texts = {name: property_text(value) or "" for name, value in {**properties, **parts}.items()}
    for name, text in texts.items():
        if _NOT_UTF8.search(text):
            raise WrongPart(name, "is not UTF-8")
    for name in columns.required:
        if not texts.get(name):
            raise WrongPart(name, "is empty" if name in texts else "is missing")
    metric = terms.metrics.get(texts[columns.metric])
    if metric is None:
        raise WrongPart(columns.metric, f"there is no metric {texts[columns.metric]!r}")
    event = UsageEvent(
        event_id=texts[columns.event_id],
        occurred_at=_read_instant(texts[columns.occurred_at], columns.occurred_at, terms.zone),
        properties=_measured(parts, properties, metric, columns),
        source=texts.get(columns.source) or terms.default_source,
        metric_code=metric.code,
        customer=texts[columns.customer],
        subscription_id=_read_subscription(texts.get(columns.subscription), columns),
    )
    try:
        read_amount(event, metric)
    except Malformed as error:
        part = part_at_fault(error, metric)
        is_named = part in properties or metric.expression is not None
        raise WrongPart(part if is_named else columns.value, error.message) from None
    return event


def _measured(
    parts: Mapping[str, PropertyValue], properties: Mapping[str, PropertyValue], metric: Metric, columns: Columns
) -> Mapping[str, PropertyValue]:
    """Return the properties that are there, with what the metric measures under the name that it knows."""
    value = parts.get(columns.value)
    measured = {} if value in ("", None) else {metric.field or columns.value: value}
    return measured | {name: value for name, value in properties.items() if value not in ("", None)}


def _read_instant(text: str, column: str, zone: tzinfo | None) -> datetime:
    try:
        if zone is None or _HAS_ZONE.search(text):
            return parse_instant(text, name="time of use")
        wall = parse_instant(f"{text}Z", name="time of use").replace(tzinfo=None)
    except NotAnInstant as error:
        raise WrongPart(column, error.message) from None
    instant = wall.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != wall:
        raise WrongPart(column, f"{text!r} does not exist in {zone}, whose clocks skip it")
    return instant


def _read_subscription(text: str | None, columns: Columns) -> SubscriptionId | None:
    if not text:
        return None
    try:
        return SubscriptionId(from_wire("sub", text))
    except Malformed as error:
        raise WrongPart(columns.subscription, error.message) from None


def _shown(sent: bytes) -> str:
    return sent.decode(errors="backslashreplace").replace("\0", "\\u0000")
