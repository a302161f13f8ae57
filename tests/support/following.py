"""Subscribers for tests: what they hear, they write down in the transaction that they are told in."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tenor.kernel.errors import Refusal
from tenor.kernel.ids import TenantId
from tenor.platform.audit import Deed, record
from tenor.platform.database import Database
from tenor.platform.event import Event
from tenor.platform.unit_of_work import UnitOfWork


class NotLiked(Refusal):
    """A subscriber cannot do what it has to."""

    code = "not_liked"


def write_down(uow: UnitOfWork, events: Sequence[Event]) -> None:
    """Write each event down, and how many were told together."""
    record(uow, [_heard(event, {"type": event.type, "together": len(events)}) for event in events])


def write_down_documents(uow: UnitOfWork, events: Sequence[Event]) -> None:
    """Write down the legal number that each document is found under, and what its event says is due."""
    found: dict[UUID, str] = dict(uow.fetch_all("select id, series || '-' || number from invoices"))
    record(
        uow,
        [
            _heard(event, {"name": found.get(event.object_id), "due_minor": event.payload["due_minor"]})
            for event in events
        ],
    )


def refuse(_uow: UnitOfWork, events: Sequence[Event]) -> None:
    """Refuse whatever happens."""
    raise NotLiked(f"{events[0].type} is not liked")


def written_down(database: Database, tenant_id: TenantId) -> list[Any]:
    """Return what was written down, sorted."""
    with database.transaction(tenant_id) as uow:
        rows = uow.fetch_all("select after from audit_records where action = 'event.heard'")
    return sorted((after for (after,) in rows), key=lambda after: tuple(map(str, after.values())))


def _heard(event: Event, facts: dict[str, object]) -> Deed:
    at: datetime = event.occurred_at
    return Deed("test", "event.heard", "event", event.object_id, "a test", at, after=facts)
