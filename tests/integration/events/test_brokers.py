"""Events reach the broker at least once and in the order of their object, also when relays are killed."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import nats
import pytest
import redis
from confluent_kafka import Consumer, Message

from tenor.events import BrokerFailed, FeedEvent, UnknownBroker, broker_at, publish_feed, publishing, sequence_events
from tenor.events.ports import BrokerMessage
from tenor.events.publishing import in_waves
from tenor.kernel.ids import TenantId
from tenor.platform.database import Database
from tenor.platform.outbox import Event, publish
from tenor.platform.tenants import create_tenant
from tenor.relay import Relay
from tenor.webhooks import WebhookCaller
from tests.support.brokers import kafka_cluster, nats_server, redis_server
from tests.support.postgres import Server

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
RELAY: Final = [sys.executable, "-c", "from tenor.cli import main; raise SystemExit(main())", "relay", "run"]


@pytest.fixture
def home(server: Server, template: str) -> Iterator[tuple[str, Database]]:
    """A database, by its name and open."""
    with server.fresh_database(template) as name, Database.open(server.settings(name)) as database:
        yield name, database


def say(database: Database, tenant: TenantId, objects: Sequence[UUID], number: int) -> None:
    with database.transaction(tenant) as uow:
        publish(uow, [Event("invoice.paid", one, {"number": number}, NOON) for one in objects])


def place(database: Database, tenant: TenantId) -> None:
    with database.transaction(tenant) as uow:
        sequence_events(uow)


def expire_leases(database: Database, tenant: TenantId) -> None:
    """Let the time of the dead relay's leases pass."""
    with database.owner() as connection, connection.transaction():
        connection.execute("select set_config('tenor.tenant_id', %s, true)", [str(tenant)])
        connection.execute("update feed_readers set leased_until = '-infinity'")


async def relay_once(database: Database, url: str) -> None:
    """Publish what is left, in this process."""
    async with WebhookCaller() as caller:
        relay = Relay(database, caller, broker_url=url, clock=lambda: NOON, tell=lambda _: None)
        await relay.run_once()
        assert relay.counts.sequenced >= 5


async def stored_in(url: str) -> list[dict[str, Any]]:
    """Return every message of the stream, in its order."""
    connection = await nats.connect(url)
    try:
        stream = connection.jetstream()
        count = (await stream.stream_info("TENOR")).state.messages
        reader = await stream.pull_subscribe("tenor.events.>", durable=f"reader-{uuid4().hex}")
        found: list[dict[str, Any]] = []
        while len(found) < count:
            for message in await reader.fetch(min(200, count - len(found)), timeout=5):
                assert (message.headers or {})["Nats-Msg-Id"] == json.loads(message.data)["id"]
                found.append({**json.loads(message.data), "subject": message.subject})
                await message.ack()
        return found
    finally:
        await connection.close()


def test_relays_that_are_killed_leave_no_gap_and_no_disorder(
    server: Server, home: tuple[str, Database], tmp_path: Path
) -> None:
    name, database = home
    tenant = create_tenant(database, slug="acme", name="Acme")
    objects = [uuid4() for _ in range(5)]
    said, out = 0, b""
    with nats_server(tmp_path) as url:
        settings = server.settings(name)
        environment = {
            **os.environ,
            "TENOR_DATABASE_URL": settings.database_url or "",
            "TENOR_APP_DATABASE_URL": settings.app_database_url or "",
            "TENOR_AUDITOR_DATABASE_URL": settings.auditor_database_url or "",
            "TENOR_BROKER_URL": url,
        }
        for signalled, at_word, code in ((signal.SIGKILL, b"places", -9), (signal.SIGTERM, b"published", 0)):
            for _ in range(40):
                say(database, tenant, objects, said)
                said += 1
            with subprocess.Popen(RELAY, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE) as relay:
                assert relay.stderr is not None
                while at_word not in (line := relay.stderr.readline()):  # it is at work
                    assert line, "the relay ended"
                relay.send_signal(signalled)
                out, _ = relay.communicate(timeout=20)
                assert relay.returncode == code
            expire_leases(database, tenant)
        assert b"published" in out
        say(database, tenant, objects, said)
        asyncio.run(relay_once(database, url))
        found = asyncio.run(stored_in(url))

    assert len(found) == len({one["id"] for one in found}) == 5 * (said + 1)
    assert {one["subject"] for one in found} == {"tenor.events.acme.invoice.paid"}
    for one in {one["object_id"] for one in found}:
        of_it = [event for event in found if event["object_id"] == one]
        assert [event["sequence"] for event in of_it] == list(range(1, said + 2))
        assert [event["data"]["number"] for event in of_it] == list(range(said + 1))


class Broken:
    """A broker that keeps messages until it breaks, in the middle of a wave."""

    def __init__(self, breaks_after: int) -> None:
        self.kept: list[BrokerMessage] = []
        self.left = breaks_after

    async def publish(self, messages: Sequence[BrokerMessage]) -> None:
        for message in messages:
            if self.left == 0:
                raise BrokerFailed("broken")
            self.left -= 1
            self.kept.append(message)

    async def __aenter__(self) -> "Broken":
        return self

    async def __aexit__(self, *_: object) -> None: ...


def test_what_a_broker_did_not_keep_is_published_again_in_order(database: Database, tenant: TenantId) -> None:
    first, second = uuid4(), uuid4()
    for number in range(4):
        say(database, tenant, [first, second], number)
    place(database, tenant)
    broker = Broken(breaks_after=3)
    with pytest.raises(BrokerFailed):
        asyncio.run(publish_feed(database, tenant, "acme", broker))
    assert [json.loads(one.body)["sequence"] for one in broker.kept] == [1, 1, 2]
    broker.left = 100
    assert asyncio.run(publish_feed(database, tenant, "acme", broker)) == 8
    assert asyncio.run(publish_feed(database, tenant, "acme", broker)) == 0

    for one in (first, second):
        kept = list(dict.fromkeys(message.id for message in broker.kept if message.key == str(one)))
        again = [message.id for message in broker.kept[3:] if message.key == str(one)]
        assert kept == again  # first seen in the order in which all of them came the second time
        assert len(kept) == 4


def test_a_broker_that_is_slow_gets_on(database: Database, tenant: TenantId, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lease runs short after each wave; what the broker has by then is not sent again."""
    monkeypatch.setattr(publishing, "WORKING_SECONDS", -1)
    first, second = uuid4(), uuid4()
    say(database, tenant, [first, second, first, first, second], 1)  # waves of positions (1, 2), (3, 5), (4)
    place(database, tenant)
    broker = Broken(breaks_after=100)
    assert asyncio.run(publish_feed(database, tenant, "acme", broker)) == 5
    assert [json.loads(one.body)["position"] for one in broker.kept] == [1, 2, 3, 5, 4, 5]


def test_an_event_that_no_broker_takes_keeps_only_its_own_tenant_waiting(database: Database) -> None:
    class Picky(Broken):
        async def publish(self, messages: Sequence[BrokerMessage]) -> None:
            if any(".acme." in message.subject for message in messages):
                raise BrokerFailed("too long")
            await super().publish(messages)

    for slug in ("acme", "umbra"):  # in the order of their ids
        tenant = create_tenant(database, slug=slug, name=slug)
        say(database, tenant, [uuid4()], 1)
        place(database, tenant)
    broker = Picky(breaks_after=100)
    relay = Relay(database, WebhookCaller(), broker_url=None, clock=lambda: NOON, tell=lambda _: None)
    for _ in range(2):
        with pytest.raises(BrokerFailed):
            asyncio.run(relay._publish(broker, None))
    assert [one.subject for one in broker.kept] == ["tenor.events.umbra.invoice.paid"]


def test_a_tenant_whose_data_is_broken_stops_no_other(database: Database, tenant: TenantId) -> None:
    told: list[str] = []
    relay = Relay(database, WebhookCaller(), broker_url=None, clock=lambda: NOON, tell=told.append)
    other = TenantId(uuid4())

    def step(one: TenantId) -> int:
        return {other: 3}[one]

    assert relay._for_each([tenant, other], step) == 3
    assert told == [f"tenant {tenant}: unexpected KeyError"]


def test_one_relay_at_a_time_publishes_for_a_tenant(database: Database, tenant: TenantId) -> None:
    say(database, tenant, [uuid4() for _ in range(20)], 1)
    place(database, tenant)
    broker = Broken(breaks_after=1_000)

    async def three() -> list[int]:
        return await asyncio.gather(*[publish_feed(database, tenant, "acme", broker) for _ in range(3)])

    assert sorted(asyncio.run(three())) == [0, 0, 20]
    assert len(broker.kept) == 20


def test_a_stale_relay_cannot_move_the_reader(database: Database, tenant: TenantId) -> None:
    """It stalls in a call for longer than its lease; by then another relay has taken over."""
    say(database, tenant, [uuid4()], 1)
    place(database, tenant)
    other = Broken(breaks_after=1_000)

    class Stalling(Broken):
        async def publish(self, messages: Sequence[BrokerMessage]) -> None:
            expire_leases(database, tenant)
            assert await publish_feed(database, tenant, "acme", other) == 1
            say(database, tenant, [uuid4()], 2)
            place(database, tenant)
            await super().publish(messages)

    assert asyncio.run(publish_feed(database, tenant, "acme", Stalling(breaks_after=10))) == 0
    assert asyncio.run(publish_feed(database, tenant, "acme", other)) == 1
    assert len(other.kept) == 2


def test_redis_streams_and_brokers_that_there_are_not(database: Database, tenant: TenantId, tmp_path: Path) -> None:
    say(database, tenant, [uuid4()], 1)
    place(database, tenant)

    async def run(url: str) -> int:
        async with broker_at(url) as broker:
            return await publish_feed(database, tenant, "acme", broker)

    with redis_server(tmp_path) as url:
        assert asyncio.run(run(url)) == 1
        with redis.Redis.from_url(url) as client:
            ((_, fields),) = client.xrange("tenor.events")
        assert b'"number":1' in b"".join(fields.values())
    with pytest.raises(UnknownBroker):
        broker_at("smtp://localhost")
    say(database, tenant, [uuid4()], 2)
    place(database, tenant)
    with pytest.raises(BrokerFailed):
        asyncio.run(run("redis://127.0.0.1:1"))


def test_kafka_keeps_the_events_of_an_object_in_their_order(database: Database, tenant: TenantId) -> None:
    objects = [uuid4() for _ in range(3)]
    for number in range(4):
        say(database, tenant, objects, number)
    place(database, tenant)

    async def run(url: str) -> int:
        async with broker_at(url) as broker:
            return await publish_feed(database, tenant, "acme", broker)

    with kafka_cluster() as url:
        assert asyncio.run(run(url)) == 12
        found = read_topic(url, 12)
    for one in objects:
        of_it = [json.loads(message.value() or b"") for message in found if message.key() == str(one).encode()]
        assert [event["data"]["number"] for event in of_it] == [0, 1, 2, 3]
        assert len({message.partition() for message in found if message.key() == str(one).encode()}) == 1
    assert {dict(message.headers() or {})["subject"] for message in found} == {b"tenor.events.acme.invoice.paid"}


def read_topic(url: str, count: int) -> list[Message]:
    """Return the first messages of the topic, those of a partition in their order."""
    reader = Consumer(
        {"bootstrap.servers": url.removeprefix("kafka://"), "group.id": "reader", "auto.offset.reset": "earliest"}
    )
    reader.subscribe(["tenor.events"])
    found: list[Message] = []
    try:
        while len(found) < count:
            found += reader.consume(count - len(found), timeout=10)
    finally:
        reader.close()
    return found


def test_waves_hold_an_object_once_and_keep_its_order() -> None:
    objects = [uuid4() for _ in range(3)]
    events = [
        FeedEvent(position, 1, uuid4(), "invoice.paid", objects[place], NOON, NOON, {})
        for position, place in enumerate([0, 0, 1, 0, 1, 2])
    ]
    assert [[event.position for event in wave] for wave in in_waves(events)] == [[0, 2, 5], [1, 4], [3]]
