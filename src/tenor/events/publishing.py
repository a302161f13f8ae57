"""Publish the feed of a tenant to a broker: at least once, the events of an object in order.

The broker is called outside any transaction, under a lease with an epoch: a relay that has lost its lease can no longer
move the reader, and stops. What it may have sent by then is sent again by its successor, under the same ids.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator
from typing import Final
from uuid import UUID

import msgspec

from tenor.events.feed import events_after
from tenor.events.model import FeedEvent
from tenor.events.ports import Broker, BrokerMessage
from tenor.events.readers import LEASE_SECONDS, Lease, advance, release, start_reader, take_lease
from tenor.kernel.ids import TenantId
from tenor.platform.database import Database

BATCH_EVENTS: Final = 500
WORKING_SECONDS: Final = LEASE_SECONDS / 2
"""How long a lease is used before it is renewed, in the middle of a batch too; the rest is for calls under way then."""


async def publish_feed(
    database: Database, tenant_id: TenantId, slug: str, broker: Broker, *, stop: asyncio.Event | None = None
) -> int:
    """Publish what the broker does not have yet, until the end of the feed or `stop`; return how many events.

    Returns 0 while another relay holds the lease.

    Raises:
        BrokerFailed: the broker did not keep an event; a later call begins with the batch that it belongs to.
    """
    lease = await asyncio.to_thread(_begin, database, tenant_id)
    published = 0
    while lease is not None:
        try:
            used_until = time.monotonic() + WORKING_SECONDS
            events = await asyncio.to_thread(_read, database, tenant_id, lease.position)
            position = await _publish_batch(broker, slug, events, used_until)
        except BaseException:
            await asyncio.to_thread(_end, database, tenant_id, lease)
            raise
        if position is not None:
            before = lease.position
            lease = await asyncio.to_thread(_advance, database, tenant_id, lease, position)
            published += position - before if lease else 0
        if lease and (position is None or (stop is not None and stop.is_set())):
            await asyncio.to_thread(_end, database, tenant_id, lease)
            break
    return published


def in_waves(events: Iterable[FeedEvent]) -> Iterator[list[FeedEvent]]:
    """Yield the events in waves: no two of a wave have the same object, and an object's events stay in order.

    An event thus leaves only when the broker keeps those before it, and objects do not wait for each other.
    """
    waves: list[list[FeedEvent]] = []
    turns: dict[UUID, int] = {}
    for event in events:
        turn = turns.get(event.object_id, 0)
        turns[event.object_id] = turn + 1
        if turn == len(waves):
            waves.append([])
        waves[turn].append(event)
    yield from waves


def broker_message(slug: str, event: FeedEvent) -> BrokerMessage:
    """Return an event of the tenant `slug` as a broker gets it."""
    body = msgspec.json.encode({**event.to_json(), "tenant": slug})
    return BrokerMessage(event.wire_id, f"tenor.events.{slug}.{event.type}", str(event.object_id), body)


async def _publish_batch(broker: Broker, slug: str, events: list[FeedEvent], used_until: float) -> int | None:
    """Publish events; return the position up to which the broker has every one, None when there are none.

    Where the lease runs short this is somewhere in the batch, after its first event at least: a broker that is slow is
    not sent the same batch for ever.
    """
    waves = list(in_waves(events))
    for number, wave in enumerate(waves):
        if number > 0 and time.monotonic() > used_until:
            return min(event.position for left in waves[number:] for event in left) - 1
        await broker.publish([broker_message(slug, event) for event in wave])
    return events[-1].position if events else None


def _begin(database: Database, tenant_id: TenantId) -> Lease | None:
    with database.transaction(tenant_id) as uow:
        start_reader(uow, "broker", position=0)
        return take_lease(uow, "broker")


def _read(database: Database, tenant_id: TenantId, position: int) -> list[FeedEvent]:
    with database.transaction(tenant_id) as uow:
        return list(events_after(uow, position, limit=BATCH_EVENTS).events)


def _advance(database: Database, tenant_id: TenantId, lease: Lease, position: int) -> Lease | None:
    with database.transaction(tenant_id) as uow:
        return advance(uow, lease, position=position)


def _end(database: Database, tenant_id: TenantId, lease: Lease) -> None:
    with database.transaction(tenant_id) as uow:
        release(uow, lease)
