"""Outbox: events written in the transaction of their cause, so that neither leaves without the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from tenor.kernel.ids import new_id
from tenor.platform.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an object. `type` is 'object.past', e.g. `invoice.finalised`.

    `payload` is what `msgspec.json.encode` takes: amounts as integers of minor units, decimals become text.
    """

    type: str
    object_id: UUID
    payload: Mapping[str, object]
    occurred_at: datetime


def publish(uow: UnitOfWork, events: Sequence[Event]) -> None:
    """Write `events` in one statement; they leave when, and only when, the transaction commits."""
    if not events:
        return
    uow.execute("select tenor.ensure_month_partitions('tenor.outbox_events', current_date, current_date)")
    uow.execute(
        """
        insert into outbox_events (tenant_id, id, type, object_id, payload, occurred_at)
        select %s, * from unnest(%b::uuid[], %b::text[], %b::uuid[], %b::jsonb[], %b::timestamptz[])
        """,
        [
            uow.tenant_id,
            [new_id(event.occurred_at) for event in events],
            [event.type for event in events],
            [event.object_id for event in events],
            [Jsonb(event.payload) for event in events],
            [event.occurred_at for event in events],
        ],
    )
