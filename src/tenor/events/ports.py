"""The port to a message broker."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class BrokerMessage(NamedTuple):
    """One event for the broker. `id` lets it drop a repetition, `key` is the object whose events stay in order.

    `subject` is what subscribers choose by: 'tenor.events.<tenant>.<object>.<what happened>'.
    """

    id: str
    subject: str
    key: str
    body: bytes


class Broker(Protocol):
    """Takes messages for good. Open it with `async with`."""

    async def publish(self, messages: Sequence[BrokerMessage]) -> None:
        """Hand over messages of which no two have the same key; return when the broker keeps every one.

        Raises:
            BrokerFailed: at least one may not have been kept; all are to be published again.
        """
        ...

    async def __aenter__(self) -> "Broker": ...

    async def __aexit__(self, *_: object) -> None: ...
