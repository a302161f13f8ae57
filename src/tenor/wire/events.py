"""Events, webhook endpoints and their messages as JSON; the contexts themselves say how they are told."""

from collections.abc import Sequence
from typing import Any, cast

from typing_extensions import TypedDict

from tenor.events import FeedEvent, FeedPage
from tenor.webhooks.model import Attempt, Endpoint, Health, Message, health_to_json
from tenor.wire.forms import Instant


class EventJson(TypedDict):
    """Something that happened. `position` counts the tenant's events, `sequence` those of the object."""

    id: str
    type: str
    object: str
    object_id: str
    position: int
    sequence: int
    occurred_at: Instant
    data: dict[str, Any]


class FeedJson(TypedDict):
    """Some events in order. To go on, ask for what comes after `next_after`."""

    events: list[EventJson]
    next_after: int
    has_more: bool


class EndpointJson(TypedDict):
    """Who is called about what; no `event_types` means all. `failing_since`: no try has succeeded since then."""

    id: str
    url: str
    description: str
    event_types: list[str]
    status: str
    disabled_because: str | None
    created_at: Instant
    failing_since: Instant | None
    delivered_at: Instant | None


class HealthyEndpointJson(EndpointJson):
    """An endpoint with the number of messages that wait for it, and of those that were given up."""

    pending: int
    dead: int


class EndpointWithSecretJson(EndpointJson):
    """A fresh endpoint with its secret, which is told this once."""

    secret: str


class MessageJson(TypedDict):
    """One event for one endpoint."""

    endpoint_id: str
    event_id: str
    type: str
    position: int
    status: str
    attempts: int
    next_attempt_at: Instant | None


class AttemptJson(TypedDict):
    """One try to deliver a message, with what the receiver answered."""

    started_at: Instant
    endpoint_id: str
    event_id: str
    attempt_no: int
    status_code: int | None
    error: str | None
    answer: str
    duration_ms: int


def feed_json(page: FeedPage) -> FeedJson:
    """Return a page of the feed."""
    return cast(FeedJson, page.to_json())


def event_json(event: FeedEvent) -> EventJson:
    """Return an event."""
    return cast(EventJson, event.to_json())


def endpoint_json(endpoint: Endpoint) -> EndpointJson:
    """Return an endpoint."""
    return cast(EndpointJson, endpoint.to_json())


def endpoint_with_health_json(endpoint: Endpoint, health: Health) -> HealthyEndpointJson:
    """Return an endpoint with its health."""
    return cast(HealthyEndpointJson, dict(health_to_json(endpoint, health)))


def endpoint_with_secret_json(endpoint: Endpoint, secret: str) -> EndpointWithSecretJson:
    """Return a fresh endpoint with its secret."""
    return {**endpoint_json(endpoint), "secret": secret}


def messages_json(messages: Sequence[Message]) -> list[MessageJson]:
    """Return messages."""
    return [cast(MessageJson, message.to_json()) for message in messages]


def attempts_json(attempts: Sequence[Attempt]) -> list[AttemptJson]:
    """Return tries."""
    return [cast(AttemptJson, attempt.to_json()) for attempt in attempts]
