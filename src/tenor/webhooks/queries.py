"""Reads for lists and reports."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from tenor.kernel.ids import EndpointId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.webhooks.model import Attempt, Endpoint, Health, Message, MessageStatus
from tenor.webhooks.store.endpoints import endpoints, find_endpoint, health_of
from tenor.webhooks.store.messages import attempts_of, messages_of

PAGE_MAX: Final = 1_000


def webhook_endpoints(uow: UnitOfWork) -> list[tuple[Endpoint, Health]]:
    """Return every endpoint with its health, oldest first."""
    found = endpoints(uow)
    health = health_of(uow, [endpoint.id for endpoint in found])
    return [(endpoint, health[endpoint.id]) for endpoint in found]


def webhook_endpoint(uow: UnitOfWork, endpoint_id: EndpointId) -> tuple[Endpoint, Health]:
    """Return one endpoint with its health.

    Raises:
        EndpointNotFound: there is no such endpoint.
    """
    return find_endpoint(uow, endpoint_id), health_of(uow, [endpoint_id])[endpoint_id]


def webhook_messages(
    uow: UnitOfWork, endpoint_id: EndpointId, status: MessageStatus, *, after: int = 0, limit: int = 100
) -> Sequence[Message]:
    """Return messages of an endpoint in one state ('dead' is the dead letter list), after a position of the feed.

    Raises:
        EndpointNotFound: there is no such endpoint.
    """
    find_endpoint(uow, endpoint_id)
    return messages_of(uow, endpoint_id, status, after=after, limit=min(limit, PAGE_MAX))


def webhook_attempts(
    uow: UnitOfWork, *, endpoint_id: EndpointId | None = None, event_id: UUID | None = None, limit: int = 100
) -> Sequence[Attempt]:
    """Return the newest attempts, of an endpoint or of an event where that is asked."""
    return attempts_of(uow, endpoint_id=endpoint_id, event_id=event_id, limit=min(limit, PAGE_MAX))
