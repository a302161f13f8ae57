"""Send messages: claim, call, write down what came of it; never a call inside a transaction.

A claim counts as a try before the call is made, so that a message that kills its sender is not tried for ever. A sender
that dies leaves its claims to run out; the message goes out again under the same id.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final

import msgspec
from psycopg import OperationalError

from tenor.events import events_at
from tenor.kernel.ids import EndpointId, TenantId
from tenor.platform.database import Database
from tenor.platform.unit_of_work import UnitOfWork
from tenor.webhooks.caller import WebhookCaller
from tenor.webhooks.model import Answer, Call
from tenor.webhooks.operations.set_status import disable_endpoint
from tenor.webhooks.rules.retrying import is_given_up, next_attempt_at, verdict_on
from tenor.webhooks.rules.signing import signature_header
from tenor.webhooks.store.endpoints import note_failure, note_success
from tenor.webhooks.store.messages import claim_due, mark_delivered, put_back, tenants_with_due, write_attempt
from tenor.webhooks.store.secrets import live_keys

CALLS_MAX: Final = 100
"""How many calls a process makes at once."""
CALLS_PER_TENANT_MAX: Final = 30
"""How many of them are one tenant's, so that its slow endpoints, however many, do not take the others' turns."""
LOOK_SECONDS: Final = 0.3
GATHER_SECONDS: Final = 0.02
"""How long calls that end one after the other are waited for, to be followed by new ones together."""
ACTOR: Final = "webhooks"


class WebhookSender:
    """Keeps up to a hundred calls under way. `clock` gives the time at which messages are due and attempts happen."""

    def __init__(self, database: Database, caller: WebhookCaller, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._caller = caller
        self._clock = clock
        self._under_way: dict[asyncio.Task[bool], TenantId] = {}
        self._due: list[TenantId] = []
        self._looked_at = 0.0

    async def start_due(self, tenants: Collection[TenantId] | None = None) -> int:
        """Begin to send what is due, of all tenants or of some, as far as there is room; return how many.

        Who has the fewest calls under way comes first.

        Raises:
            Exception: what is due for a tenant cannot be read (SealBroken, EncryptionKeyMissing: a secret does not
                open), and there is nothing else to send.
        """
        now = self._clock()
        begun, problem = 0, None
        due = tenants or await self._tenants_with_due(now)
        busy = Counter(self._under_way.values())
        for tenant_id in sorted(due, key=lambda tenant_id: busy[tenant_id]):
            room = min(CALLS_MAX - len(self._under_way), CALLS_PER_TENANT_MAX - busy[tenant_id])
            if room <= 0:
                break  # nor is there for those after it, which are as busy
            try:
                calls = await asyncio.to_thread(_claim, self._database, tenant_id, now, room)
            except OperationalError:
                raise
            except Exception as one:  # noqa: BLE001  whatever is wrong with a tenant's data, the others are sent theirs
                problem = one
                continue
            self._under_way |= {asyncio.create_task(self._send(tenant_id, call)): tenant_id for call in calls}
            begun += len(calls)
        if problem is not None and not begun:
            raise problem
        return begun

    async def _tenants_with_due(self, now: datetime) -> list[TenantId]:
        """Return the tenants for which something is due, as of a moment ago: looking through all of them costs."""
        if not self._due or time.monotonic() - self._looked_at > LOOK_SECONDS:
            self._looked_at = time.monotonic()
            self._due = await asyncio.to_thread(tenants_with_due, self._database, now=now)
        return self._due

    async def finish_some(self, *, within_seconds: float | None = None) -> list[bool]:
        """Wait until a call has ended, or so long; return for each that has whether its message was delivered.

        An error of the database comes out here.
        """
        if not self._under_way:
            return []
        await asyncio.wait(self._under_way, timeout=within_seconds, return_when=asyncio.FIRST_COMPLETED)
        done, _ = await asyncio.wait(self._under_way, timeout=GATHER_SECONDS)
        for task in done:
            del self._under_way[task]
        return [task.result() for task in done]

    async def finish_all(self) -> list[bool]:
        """Wait for every call that is under way."""
        ended = []
        while self._under_way:
            ended += await self.finish_some()
        return ended

    async def send_due(self, tenants: Collection[TenantId] | None = None) -> list[bool]:
        """Send until nothing is due any more; return for each call whether its message was delivered."""
        ended = []
        while await self.start_due(tenants) or self._under_way:
            ended += await self.finish_some()
        return ended

    async def _send(self, tenant_id: TenantId, call: Call) -> bool:
        started_at = self._clock()
        answer = await self._caller.post(call.url, call.body, signed_headers(call, at=started_at))
        return await asyncio.to_thread(
            _settle, self._database, tenant_id, call, answer, started_at=started_at, now=self._clock()
        )


def signed_headers(call: Call, *, at: datetime) -> dict[str, str]:
    """Return the headers of Standard Webhooks for a try at this time."""
    timestamp = int(at.timestamp())
    return {
        "webhook-id": call.message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature_header(
            call.keys, message_id=call.message_id, timestamp=timestamp, body=call.body
        ),
    }


def _claim(database: Database, tenant_id: TenantId, now: datetime, limit: int) -> list[Call]:
    with database.transaction(tenant_id) as uow:
        rows = claim_due(uow, now=now, limit=limit)
        events = events_at(uow, [row[2] for row in rows])
        keys = live_keys(uow, {row[0] for row in rows}, now=now)
    calls = []
    for endpoint_id, sequenced_at, position, event_id, attempt_no, try_no, url in rows:
        body = msgspec.json.encode(events[position].to_json())
        place = (EndpointId(endpoint_id), sequenced_at, position, event_id, attempt_no, try_no)
        calls.append(Call(*place, url=url, body=body, keys=keys[endpoint_id]))
    return sorted(calls, key=lambda call: call.position)


def _settle(
    database: Database, tenant_id: TenantId, call: Call, answer: Answer, *, started_at: datetime, now: datetime
) -> bool:
    """Write what came of a call, and what follows for its message and its endpoint; return whether it arrived."""
    verdict = verdict_on(answer.status_code)
    with database.transaction(tenant_id) as uow:
        write_attempt(uow, call, answer, started_at=started_at)
        if verdict.is_delivered:
            mark_delivered(uow, call)
            note_success(uow, call.endpoint_id, now=now)
        else:
            message = call.endpoint_id.bytes + call.event_id.bytes
            put_back(uow, call, next_attempt_at(now, tries=call.try_no, message=message))
            _note_failure(uow, call, is_gone=verdict.is_gone, now=now)
    return verdict.is_delivered


def _note_failure(uow: UnitOfWork, call: Call, *, is_gone: bool, now: datetime) -> None:
    failing = note_failure(uow, call.endpoint_id, now=now)
    if is_gone:
        reason = "it answered 410 Gone"
        disable_endpoint(uow, call.endpoint_id, because="gone", now=now, actor=ACTOR, reason=reason)
    elif is_given_up(failing.failing_since, now=now):
        reason = "no try has succeeded for five days"
        disable_endpoint(uow, call.endpoint_id, because="failing", now=now, actor=ACTOR, reason=reason)
