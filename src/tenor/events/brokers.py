"""Adapters to message brokers, through FastStream: NATS JetStream, Redis streams, Kafka and RabbitMQ.

FastStream and the client of the broker are an optional part of the installation, so they are imported when a broker
is opened. What differs between brokers is one call each; all of them return when the broker has confirmed.
"""

import asyncio
import importlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Self
from urllib.parse import urlsplit

from tenor.events.errors import BrokerFailed, UnknownBroker
from tenor.events.ports import Broker, BrokerMessage

STREAM: Final = "TENOR"
"""The JetStream stream, and in lower case the Redis stream, the Kafka topic and the RabbitMQ exchange."""
CONFIRM_SECONDS: Final = 5.0
DUPLICATE_SECONDS: Final = 3_600
"""For how long NATS drops a message whose id it has seen: longer than a relay needs to come back."""

_Send = Callable[[Any, BrokerMessage], Awaitable[object]]
_Prepare = Callable[[Any], Awaitable[None]]


async def _prepare_nothing(_connection: Any) -> None:
    """Do nothing: this broker makes what it needs by itself."""


async def _prepare_nats(connection: Any) -> None:
    from nats.js.api import StreamConfig

    config = StreamConfig(name=STREAM, subjects=["tenor.events.>"], duplicate_window=DUPLICATE_SECONDS)
    stream = connection.jetstream()
    known = {info.config.name for info in await stream.streams_info()}
    if STREAM not in known:
        await stream.add_stream(config)


def _to_nats(broker: Any, message: BrokerMessage) -> Awaitable[object]:
    headers = {"Nats-Msg-Id": message.id, "content-type": "application/json"}
    sending: Awaitable[object] = broker.publish(
        message.body, message.subject, headers=headers, stream=STREAM, timeout=CONFIRM_SECONDS
    )
    return sending


def _to_redis(broker: Any, message: BrokerMessage) -> Awaitable[object]:
    headers = {"id": message.id, "subject": message.subject, "content-type": "application/json"}
    sending: Awaitable[object] = broker.publish(message.body, stream="tenor.events", headers=headers)
    return sending


def _to_kafka(broker: Any, message: BrokerMessage) -> Awaitable[object]:
    headers = {"id": message.id, "subject": message.subject, "content-type": "application/json"}
    sending: Awaitable[object] = broker.publish(message.body, "tenor.events", key=message.key.encode(), headers=headers)
    return sending


def _to_rabbit(broker: Any, message: BrokerMessage) -> Awaitable[object]:
    sending: Awaitable[object] = broker.publish(
        message.body,
        exchange="amq.topic",
        routing_key=message.subject,
        message_id=message.id,
        content_type="application/json",
        persist=True,
        mandatory=False,
        timeout=CONFIRM_SECONDS,
    )
    return sending


class _Adapter(NamedTuple):
    """The module and class of FastStream, how one message is sent, what is made beforehand, and what the class is told.

    A FastStream of Kafka takes the address alone, the others take the whole URL.
    """

    module: str
    name: str
    send: _Send
    prepare: _Prepare = _prepare_nothing
    takes_address: bool = False
    options: Mapping[str, object] = MappingProxyType({})


_NATS: Final = _Adapter("faststream.nats", "NatsBroker", _to_nats, _prepare_nats)
_REDIS: Final = _Adapter("faststream.redis", "RedisBroker", _to_redis)
_RABBIT: Final = _Adapter("faststream.rabbit", "RabbitBroker", _to_rabbit)
# Kept means kept by every replica in sync; the producer's own repetitions leave neither doubles nor disorder.
_KAFKA: Final = _Adapter(
    "faststream.kafka",
    "KafkaBroker",
    _to_kafka,
    takes_address=True,
    options=MappingProxyType({"acks": "all", "enable_idempotence": True}),
)
_ADAPTERS: Final[dict[str, _Adapter]] = {
    "nats": _NATS,
    "tls": _NATS,
    "redis": _REDIS,
    "rediss": _REDIS,
    "kafka": _KAFKA,
    "amqp": _RABBIT,
    "amqps": _RABBIT,
}
"""By the scheme of the URL."""


def broker_at(url: str) -> Broker:
    """Return the broker that a URL names: nats://, tls:// (NATS), redis://, rediss://, kafka://, amqp://, amqps://.

    Raises:
        UnknownBroker: the scheme is another one, or the client of this broker is not installed.
    """
    parts = urlsplit(url)
    if parts.scheme not in _ADAPTERS:
        raise UnknownBroker(f"{parts.scheme[:20]!r} is no broker; a URL begins with one of {', '.join(_ADAPTERS)}")
    adapter = _ADAPTERS[parts.scheme]
    try:
        cls = getattr(importlib.import_module(adapter.module), adapter.name)
    except ImportError:
        extra = adapter.module.rpartition(".")[2]
        raise UnknownBroker(f"the client for {parts.scheme}:// is missing: pip install 'faststream[{extra}]'") from None
    place = parts.netloc if adapter.takes_address else url
    return _FastStreamBroker(cls(place, logger=None, **adapter.options), adapter.send, adapter.prepare)


class _FastStreamBroker:
    """A broker of FastStream, which opens its connection at the first use."""

    def __init__(self, broker: Any, send: _Send, prepare: _Prepare) -> None:
        self._broker = broker
        self._send = send
        self._prepare = prepare

    async def __aenter__(self) -> Self:
        try:
            async with asyncio.timeout(CONFIRM_SECONDS):
                connection = await self._broker.connect()
                await self._broker.start()
                await self._prepare(connection)
        except Exception as error:
            await self._broker.stop()
            raise BrokerFailed(f"no connection to the broker: {type(error).__name__}: {error}") from error
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._broker.stop()

    async def publish(self, messages: Sequence[BrokerMessage]) -> None:
        sent = await asyncio.gather(
            *[asyncio.wait_for(self._send(self._broker, message), CONFIRM_SECONDS) for message in messages],
            return_exceptions=True,
        )
        for answer in sent:
            if isinstance(answer, Exception):
                raise BrokerFailed(f"not kept: {type(answer).__name__}: {answer}") from answer
            if isinstance(answer, BaseException):
                raise answer
