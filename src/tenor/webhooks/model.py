"""Endpoints, the messages for them, and what came of each try."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from tenor.kernel.ids import EndpointId, to_wire
from tenor.kernel.period import format_instant

Status = Literal["active", "disabled"]
DisabledBecause = Literal["operator", "gone", "failing"]
MessageStatus = Literal["pending", "delivered", "dead"]

ENDPOINTS_MAX: Final = 50
DESCRIPTION_LENGTH_MAX: Final = 500
ANSWER_LENGTH_MAX: Final = 1_024
SECRET_BYTES: Final = 32
ROTATION_OVERLAP: Final = timedelta(hours=24)
"""For how long the secret of before still signs after a rotation."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Who is called about what. No `event_types` means all. `failing_since`: no try has succeeded since then."""

    id: EndpointId
    url: str
    description: str
    event_types: Sequence[str]
    status: Status
    disabled_because: DisabledBecause | None
    created_at: datetime
    failing_since: datetime | None
    delivered_at: datetime | None

    def to_json(self) -> dict[str, Any]:
        """Return the endpoint for the wire; its secrets are never told again."""
        return {
            "id": to_wire("whe", self.id),
            "url": self.url,
            "description": self.description,
            "event_types": list(self.event_types),
            "status": self.status,
            "disabled_because": self.disabled_because,
            "created_at": format_instant(self.created_at),
            "failing_since": _instant(self.failing_since),
            "delivered_at": _instant(self.delivered_at),
        }


class Health(NamedTuple):
    """How many messages of an endpoint wait, and how many were given up."""

    pending: int
    dead: int


@dataclass(frozen=True, slots=True)
class Message:
    """One event for one endpoint. `attempt_count` counts every try."""

    endpoint_id: EndpointId
    event_id: UUID
    type: str
    position: int
    status: MessageStatus
    attempt_count: int
    next_attempt_at: datetime | None

    def to_json(self) -> dict[str, Any]:
        """Return the message for the wire."""
        return {
            "endpoint_id": to_wire("whe", self.endpoint_id),
            "event_id": to_wire("evt", self.event_id),
            "type": self.type,
            "position": self.position,
            "status": self.status,
            "attempts": self.attempt_count,
            "next_attempt_at": _instant(self.next_attempt_at),
        }


@dataclass(frozen=True, slots=True)
class Call:
    """A message that this process has claimed, with all it takes to send it. `body` is the same at every try.

    `attempt_no` counts all tries of the message, `try_no` those since it was written or replayed; both from 1.
    """

    endpoint_id: EndpointId
    sequenced_at: datetime
    position: int
    event_id: UUID
    attempt_no: int
    try_no: int
    url: str
    body: bytes
    keys: Sequence[bytes] = field(repr=False)

    @property
    def message_id(self) -> str:
        """The `webhook-id`: that of the event, the same at every try, by which the receiver drops repetitions."""
        return to_wire("evt", self.event_id)


class Answer(NamedTuple):
    """What came back: a status with the beginning of the body, or else the error that kept it from coming."""

    status_code: int | None
    error: str | None
    text: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try, as it is kept."""

    started_at: datetime
    endpoint_id: EndpointId
    event_id: UUID
    attempt_no: int
    answer: Answer

    def to_json(self) -> dict[str, Any]:
        """Return the attempt for the wire."""
        return {
            "started_at": format_instant(self.started_at),
            "endpoint_id": to_wire("whe", self.endpoint_id),
            "event_id": to_wire("evt", self.event_id),
            "attempt_no": self.attempt_no,
            "status_code": self.answer.status_code,
            "error": self.answer.error,
            "answer": self.answer.text,
            "duration_ms": self.answer.duration_ms,
        }


def health_to_json(endpoint: Endpoint, health: Health) -> Mapping[str, Any]:
    """Return an endpoint with its health for the wire."""
    return {**endpoint.to_json(), "pending": health.pending, "dead": health.dead}


def _instant(at: datetime | None) -> str | None:
    return None if at is None else format_instant(at)
