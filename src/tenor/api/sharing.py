"""How calls share the threads: whatever a tenant does, and however often, others get their turn."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from weakref import WeakValueDictionary

from tenor.api.errors import TryAgain

WAITING_MAX: Final = 4
"""Calls of a tenant at work or waiting, for each thread; half of what all tenants together may have."""
TURN_SECONDS_MAX: Final = 5
"""How long a call waits for those of its own tenant."""

_TENANT: Final = slice(-28, -6)
"""Where the text of a credential names its tenant. Who names another tenant than his own is soon refused."""


class _Queue:
    """The calls of one tenant that are at work or wait."""

    def __init__(self, places: int) -> None:
        self.places = asyncio.Semaphore(places)
        self.length = 0


class Sharing:
    """Lets each tenant hold three quarters of the threads; its other calls wait without one."""

    def __init__(self, threads: int) -> None:
        self._places = max(1, threads * 3 // 4)
        self._length_max = WAITING_MAX * threads
        self._queues: WeakValueDictionary[str, _Queue] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, authorization: str) -> AsyncIterator[None]:
        """Run a block when the tenant that a header `Authorization` names has a place for it.

        Raises:
            TryAgain: too many calls of the tenant wait already, or none of them came to an end in time.
        """
        queue = self._queues.setdefault(authorization[_TENANT], _Queue(self._places))
        if queue.length >= self._length_max:
            raise TryAgain("too many calls of this tenant at once")
        queue.length += 1
        try:
            await _place_of(queue)
            try:
                yield
            finally:
                queue.places.release()
        finally:
            queue.length -= 1


async def _place_of(queue: _Queue) -> None:
    try:
        async with asyncio.timeout(TURN_SECONDS_MAX):
            await queue.places.acquire()
    except TimeoutError:
        raise TryAgain("other calls of this tenant take too long") from None
