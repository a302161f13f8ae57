"""Outbox: events written in the transaction of their cause, so that neither leaves without the other.

Each goes two ways: to the subscribers of this process at once, inside the transaction, and by its row to the feed,
the broker and the webhooks once the transaction has been committed.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Final
from uuid import UUID

from psycopg.types.json import Jsonb

from tenor.kernel.ids import new_id
from tenor.platform.event import Event
from tenor.platform.unit_of_work import UnitOfWork

__all__ = ["Event", "copy_events", "publish", "tell_subscribers"]

_COLUMNS: Final = (
    ("id", "uuid"),
    ("type", "text"),
    ("object_id", "uuid"),
    ("payload", "jsonb"),
    ("occurred_at", "timestamptz"),
    ("recorded_at", "timestamptz"),
)


def publish(uow: UnitOfWork, events: Sequence[Event]) -> None:
    """Write `events` in one statement and tell the subscribers; they leave when, and only when, it all commits.

    Call it last in an operation: a subscriber finds what happened done.
    """
    if not events:
        return
    uow.execute(
        "select tenor.write_events(%s, %b::uuid[], %b::text[], %b::uuid[], %b::jsonb[], %b::timestamptz[])",
        [
            uow.tenant_id,
            [new_id(event.occurred_at) for event in events],
            [event.type for event in events],
            [event.object_id for event in events],
            [Jsonb(event.payload) for event in events],
            [event.occurred_at for event in events],
        ],
    )
    tell_subscribers(uow, events)


def copy_events(uow: UnitOfWork, events: Iterable[tuple[UUID, Event]], *, recorded_at: datetime) -> None:
    """Write many events, each with its id, by COPY; the partition of `recorded_at` is there.

    The subscribers are not told: call `tell_subscribers` in this transaction once what happened is done.
    """
    rows = (
        (event_id, event.type, event.object_id, event.payload, event.occurred_at, recorded_at)
        for event_id, event in events
    )
    uow.copy_rows("outbox_events", _COLUMNS, rows)


def tell_subscribers(uow: UnitOfWork, events: Iterable[Event]) -> None:
    """Hand events to who follows their types, in their order, those of one type in a row together.

    What a subscriber refuses, the whole transaction refuses. Where nobody follows anything, `events` is not read.
    """
    if not uow.subscribers:
        return
    for event_type, together in groupby(events, key=lambda event: event.type):
        if subscribers := uow.subscribers.get(event_type):
            told = list(together)
            for subscriber in subscribers:
                subscriber(uow, told)
