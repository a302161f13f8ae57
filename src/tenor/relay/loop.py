"""Move events along, step by step, for all tenants."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import psycopg

from tenor.events import Broker, broker_at, publish_feed, sequence_events, tenants_behind, tenants_with_news
from tenor.kernel.errors import Refusal
from tenor.kernel.ids import TenantId
from tenor.platform.audit_chain import chain_audit, tenants_to_chain
from tenor.platform.database import Database
from tenor.webhooks import WebhookCaller, WebhookSender, fan_out

POLL_SECONDS: Final = 0.5
"""How long a lane that found nothing waits before it looks again."""
RETRY_SECONDS: Final = 2.0
"""How long it waits after the database or the broker failed it."""


@dataclass(slots=True)
class RelayCounts:
    """What a relay has done so far: events placed and published, audit records chained, webhook messages, calls."""

    sequenced: int = 0
    chained: int = 0
    published: int = 0
    messages: int = 0
    delivered: int = 0
    failed: int = 0


class Relay:
    """Works for all tenants of a database. `tell` hears of each step that did something, and of each problem.

    Without a `broker_url` nothing is published. `clock` gives the time at which webhooks are due.
    """

    def __init__(
        self,
        database: Database,
        caller: WebhookCaller,
        *,
        broker_url: str | None,
        clock: Callable[[], datetime],
        tell: Callable[[str], None],
    ) -> None:
        self.counts = RelayCounts()
        self._database = database
        self._sender = WebhookSender(database, caller, clock)
        self._broker_url = broker_url
        self._refused: set[TenantId] = set()  # of whose events the broker did not take one
        self._clock = clock
        self._tell = tell

    async def run_once(self) -> None:
        """Do everything that there is to do now, then return.

        Raises:
            BrokerFailed, UnknownBroker: what is not published stays to be.
        """
        while await self._place():
            pass
        if self._broker_url is not None:
            async with broker_at(self._broker_url) as broker:
                await self._publish(broker, None)
        self._note(await self._sender.send_due())

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`, then let what is under way end. What fails is told and tried again.

        Raises:
            UnknownBroker: there is no such broker, or its client is not installed.
        """
        if self._broker_url is not None:
            broker_at(self._broker_url)  # refuses what it does not know, before anything begins
        async with asyncio.TaskGroup() as lanes:
            lanes.create_task(self._keep(self._place, stop))
            lanes.create_task(self._keep(self._send, stop))
            if self._broker_url is not None:
                lanes.create_task(self._keep_publishing(self._broker_url, stop))
        self._note(await self._sender.finish_all())

    async def _keep(self, step: Callable[[], Awaitable[bool]], stop: asyncio.Event) -> None:
        """Repeat a step that returns whether there may be more to do, until `stop`."""
        while not stop.is_set():
            try:
                is_busy = await step()
            except (Refusal, psycopg.OperationalError) as problem:
                self._tell(f"{type(problem).__name__}: {problem}")
                await _pause(stop, RETRY_SECONDS)
            except Exception as problem:  # noqa: BLE001  a lane that ended would take the others with it
                self._tell(f"unexpected {type(problem).__name__} in {type(self).__name__}.{step.__name__}")
                await _pause(stop, RETRY_SECONDS)
            else:
                await _pause(stop, 0 if is_busy else POLL_SECONDS)

    async def _keep_publishing(self, broker_url: str, stop: asyncio.Event) -> None:
        async def connected() -> bool:
            async with broker_at(broker_url) as broker:
                while not stop.is_set():
                    is_busy = await self._publish(broker, stop)
                    await _pause(stop, 0 if is_busy else POLL_SECONDS)
            return False

        await self._keep(connected, stop)

    async def _place(self) -> bool:
        """Give events their places, write the messages for them, and chain the audit trail."""
        return await asyncio.to_thread(self._place_all)

    def _place_all(self) -> bool:
        sequenced = self._for_each(tenants_with_news(self._database), self._sequence)
        chained = self._for_each(tenants_to_chain(self._database), self._chain)
        read = self._for_each([tenant_id for tenant_id, _ in tenants_behind(self._database, "webhooks")], self._fan_out)
        self.counts.sequenced += sequenced
        self.counts.chained += chained
        if sequenced:
            self._tell(f"{sequenced:,} events got their places")
        return bool(sequenced or chained or read)

    def _for_each(self, tenants: Iterable[TenantId], step: Callable[[TenantId], int]) -> int:
        """Return how much a step has done; what is wrong with one tenant's data is told and stops no other."""
        done = 0
        for tenant_id in tenants:
            try:
                done += step(tenant_id)
            except Refusal as problem:
                self._tell(f"tenant {tenant_id}: {problem.message}")
            except psycopg.OperationalError:
                raise
            except Exception as problem:  # noqa: BLE001  whatever it is: the others are waiting
                self._tell(f"tenant {tenant_id}: unexpected {type(problem).__name__}")
        return done

    def _sequence(self, tenant_id: TenantId) -> int:
        with self._database.transaction(tenant_id) as uow:
            return sequence_events(uow)

    def _chain(self, tenant_id: TenantId) -> int:
        with self._database.transaction(tenant_id) as uow:
            return chain_audit(uow)

    def _fan_out(self, tenant_id: TenantId) -> int:
        with self._database.transaction(tenant_id) as uow:
            events, messages = fan_out(uow, now=self._clock())
        self.counts.messages += messages
        return events

    async def _publish(self, broker: Broker, stop: asyncio.Event | None) -> bool:
        """Publish what every tenant's feed has ahead of the broker; last those of whose events it did not take one.

        An event that no broker takes (one that is too long) thus keeps its own tenant waiting, and nobody else.
        """
        published = 0
        behind = await asyncio.to_thread(tenants_behind, self._database, "broker")
        for tenant_id, slug in sorted(behind, key=lambda tenant: tenant[0] in self._refused):
            self._refused.add(tenant_id)
            published += await publish_feed(self._database, tenant_id, slug, broker, stop=stop)
            self._refused.discard(tenant_id)
        self.counts.published += published
        if published:
            self._tell(f"{published:,} events published")
        return bool(published)

    async def _send(self) -> bool:
        """Begin the calls that are due, and see to those that have ended."""
        begun = await self._sender.start_due()
        ended = await self._sender.finish_some(within_seconds=0 if begun else POLL_SECONDS / 5)
        self._note(ended)
        return bool(begun or ended)

    def _note(self, ended: list[bool]) -> None:
        delivered = sum(ended)
        self.counts.delivered += delivered
        self.counts.failed += len(ended) - delivered
        if ended:
            self._tell(f"webhooks: {delivered:,} delivered, {len(ended) - delivered:,} failed")


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait so long, or until `stop`."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
