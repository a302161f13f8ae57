"""Acceptance: what an arriving event must be before it is kept, and what makes two arrivals one."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain
from typing import Final
from uuid import UUID

import msgspec

from tenor.kernel.errors import Malformed
from tenor.kernel.ids import ENTROPY_BYTES, version_7
from tenor.kernel.period import EARLIEST
from tenor.kernel.quantity import plain
from tenor.metering.model import PropertyValue, UsageEvent
from tenor.metering.rules.readings import property_text

NAME_LENGTH_MAX: Final = 200
PROPERTIES_MAX: Final = 50
PROPERTY_LENGTH_MAX: Final = 1000
NUMBER_DIGITS_MAX: Final = 40
_NUMBER_BITS_MAX: Final = 128  # 39 digits

AHEAD_MAX: Final = timedelta(days=1)
"""How far in the future an event may lie: wide enough for a sender's wrong clock or zone."""

AGE_MAX: Final = timedelta(days=3660)
"""How old an event may be: ten years, so that a mistyped year is noticed and partitions stay few."""

IDENTITY_BYTES: Final = 16
CONTENT_HASH_BYTES: Final = 16


json_of: Final = msgspec.json.Encoder().encode

_MICROSECOND: Final = timedelta(microseconds=1)
_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")  # PostgreSQL keeps neither NUL nor half a surrogate pair


class UnacceptableEvent(Malformed):
    """An event that cannot be kept as it is; `field` names the part that is wrong."""

    code = "unacceptable_event"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason, field=field)
        self.field = field


def are_acceptable(events: Sequence[UsageEvent], *, now: datetime) -> bool:
    """Whether one glance over all of the events shows that `require_acceptable` refuses none, as it nearly always does.

    It costs a fifth of looking at each. Where it does not show, look: a text may be long or not ASCII and still good.
    """
    ids, instants, said, sources, codes, customers, *_ = zip(*events, strict=True)
    if not (all(ids) and all(codes) and all(customers)):
        return False
    values = [value for properties in said for value in properties.values() if value is not None]
    names = {*sources, *codes, *customers, *chain.from_iterable(said)}
    texts = [*ids, *names, *(value for value in values if isinstance(value, str))]
    return (
        now - AGE_MAX <= min(instants) <= max(instants) <= now + AHEAD_MAX
        and max(map(len, said)) <= PROPERTIES_MAX
        and max(map(len, texts)) <= NAME_LENGTH_MAX
        and _is_plain("".join(texts))
        and all(_is_short_number(value) for value in values if not isinstance(value, str))
    )


def require_acceptable(event: UsageEvent, *, now: datetime) -> None:
    """Refuse an event that names no customer or metric, or whose names, time or properties are out of bounds.

    Raises:
        UnacceptableEvent: with the part that is wrong.
    """
    _require_names(event)
    if event.occurred_at > now + AHEAD_MAX:
        raise UnacceptableEvent("occurred_at", f"{event.occurred_at.isoformat()} lies more than a day in the future")
    if event.occurred_at < now - AGE_MAX:
        raise UnacceptableEvent("occurred_at", f"{event.occurred_at.isoformat()} lies more than ten years back")
    if len(event.properties) > PROPERTIES_MAX:
        raise UnacceptableEvent("properties", f"{len(event.properties)} properties; at most {PROPERTIES_MAX} are kept")
    for name, value in event.properties.items():
        if isinstance(value, str):
            _require_text(name, value, PROPERTY_LENGTH_MAX)
        elif isinstance(value, int | Decimal) and not _is_short_number(value):
            raise UnacceptableEvent(name, f"the number is not a finite one of at most {NUMBER_DIGITS_MAX} digits")


def _is_plain(text: str) -> bool:
    return text.isascii() and "\0" not in text


def _require_names(event: UsageEvent) -> None:
    for field, name in (
        ("event_id", event.event_id),
        ("customer", event.customer),
        ("metric", event.metric_code),
    ):
        if not name:
            raise UnacceptableEvent(field, f"the event names no {field}")
        _require_text(field, name, NAME_LENGTH_MAX)
    _require_text("source", event.source, NAME_LENGTH_MAX)
    for name in event.properties:
        _require_text("properties", name, NAME_LENGTH_MAX)


def identity_of(source: str, event_id: str) -> bytes:
    """Return what an event is known by for ever: 128 bits over its source and id, whatever its time.

    The migrations of the guard work it out in SQL as well.
    """
    return hashlib.sha256(f"{len(source)}:{source}{event_id}".encode()).digest()[:IDENTITY_BYTES]


def row_id_of(event: UsageEvent, revision: int = 0) -> UUID:
    """Return the id of the row that keeps `event`, or the `revision`th event that counts in its place."""
    identity = identity_of(event.source, event.event_id)
    return UUID(bytes=row_id_bytes(identity, microseconds_of(event.occurred_at), revision))


def row_id_bytes(identity: bytes, microseconds: int, revision: int = 0) -> bytes:
    """Return the 16 bytes of `row_id_of`: a UUIDv7 of the time of use, in microseconds since 1970."""
    named = hashlib.sha256(identity + revision.to_bytes(8)).digest() if revision else identity
    return version_7(microseconds // 1000, named[:ENTROPY_BYTES])


def microseconds_of(instant: datetime) -> int:
    """Return the whole microseconds from 1970-01-01 00:00 UTC until `instant`."""
    return (instant - EARLIEST) // _MICROSECOND


def content_hash(event: UsageEvent) -> bytes:
    """Return what tells a repetition from another event under the same id: 128 bits over all that it says.

    Properties are compared as texts and in any order; one that is null is as good as absent.
    """
    texts = [
        (name, text)
        for name, value in event.properties.items()
        if (text := value if (kind := type(value)) is str else str(value) if kind is int else property_text(value))
        is not None
    ]
    texts.sort()
    content = (event.customer, event.subscription_id, event.metric_code, event.occurred_at, texts)
    return hashlib.blake2b(json_of(content), digest_size=CONTENT_HASH_BYTES).digest()


def stored_properties(properties: Mapping[str, PropertyValue]) -> Mapping[str, object]:
    """Return properties as they are kept: numbers as exact JSON numbers in plain notation.

    PostgreSQL's `->>` then gives the same text as `property_text`.
    """
    if Decimal not in map(type, properties.values()):
        return properties
    return {
        name: msgspec.Raw(plain(value).encode()) if isinstance(value, Decimal) else value
        for name, value in properties.items()
    }


def _require_text(field: str, text: str, length_max: int) -> None:
    if len(text) > length_max:
        raise UnacceptableEvent(field, f"{text[:40]!r}… has {len(text)} characters; at most {length_max} are kept")
    if not _is_plain(text) and _UNSTORABLE.search(text):
        raise UnacceptableEvent(field, f"{text[:40]!r} holds a character that cannot be kept as text")


def _is_short_number(value: int | Decimal) -> bool:
    """Whether a number is short to write out, found before it is written out."""
    if isinstance(value, int):
        return value.bit_length() <= _NUMBER_BITS_MAX
    return (
        value.is_finite()
        and abs(value.adjusted()) < NUMBER_DIGITS_MAX
        and len(value.as_tuple().digits) <= NUMBER_DIGITS_MAX
    )
