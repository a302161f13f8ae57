"""An event in the feed, how it looks on the wire, and what a reader asks for."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from tenor.events.errors import NotAnEventType
from tenor.kernel.ids import PREFIXES, from_wire, to_wire
from tenor.kernel.period import format_instant

FILTER_TYPES_MAX: Final = 100

_PREFIX_OF: Final = {
    **{thing.lower().replace("-", "_").replace(" ", "_"): prefix for prefix, thing in PREFIXES.items()},
    "credit_note": "inv",
    "one_off": "inv",
    "credits": "adj",
    "entitlement": "ovr",
    "refund": "rfd",
    "tax": "cus",
    "tax_profile": "cus",
    "tax_seller": "ten",
    "usage": "ten",
    "usage_threshold": "sub",
    "wallet_use": "use",
}
"""The prefix of an object's id by what events (the first word of their type), records and transfers call its kind."""

_TYPE: Final = re.compile(r"[a-z][a-z0-9_]{0,60}\.([a-z][a-z0-9_]{0,60}|\*)")


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """An event with its place: `position` counts the tenant's events, `sequence` those of the object, both from 1."""

    position: int
    sequence: int
    id: UUID
    type: str
    object_id: UUID
    occurred_at: datetime
    sequenced_at: datetime
    payload: Mapping[str, Any]

    @property
    def wire_id(self) -> str:
        """The id under which every receiver knows the event, however often it gets it."""
        return to_wire("evt", self.id)

    @property
    def object(self) -> str:
        """What kind of thing the event is about: the first word of its type."""
        return self.type.partition(".")[0]

    def to_json(self) -> dict[str, Any]:
        """Return the event as the API, the broker and webhooks tell it."""
        return {
            "id": self.wire_id,
            "type": self.type,
            "object": self.object,
            "object_id": object_to_wire(self.object, self.object_id),
            "position": self.position,
            "sequence": self.sequence,
            "occurred_at": format_instant(self.occurred_at),
            "data": self.payload,
        }


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Some events in order. To go on, ask for what comes after `cursor`; `has_more` says that there is some already."""

    events: Sequence[FeedEvent]
    cursor: int
    has_more: bool

    def to_json(self) -> dict[str, Any]:
        """Return the page for the wire."""
        return {
            "events": [event.to_json() for event in self.events],
            "next_after": self.cursor,
            "has_more": self.has_more,
        }


def object_to_wire(kind: str, object_id: UUID) -> str:
    """Return the id of an object of events `kind.…`, of records of the audit, or of a transfer's source."""
    return to_wire(_PREFIX_OF[kind], object_id)


def object_from_wire(text: str) -> UUID:
    """Read the id of an object, of whatever kind.

    Raises:
        NotAnId: it is neither a prefixed id nor a UUID.
    """
    try:
        return UUID(text)
    except ValueError:
        return from_wire(text.rpartition("_")[0], text)


def require_event_types(types: Sequence[str]) -> tuple[str, ...]:
    """Return the types, each once: 'invoice.finalised', or 'invoice.*' for all that happens to invoices.

    Raises:
        NotAnEventType: one has another form, or there are more than a hundred.
    """
    for name in types:
        if not _TYPE.fullmatch(name):
            raise NotAnEventType(f"{name[:60]!r} is no event type such as 'invoice.finalised' or 'invoice.*'")
    if len(types) > FILTER_TYPES_MAX:
        raise NotAnEventType(f"{len(types)} event types; at most {FILTER_TYPES_MAX} can be asked for")
    return tuple(dict.fromkeys(types))
