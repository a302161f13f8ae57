"""Webhooks against a real receiver: what it gets, when it is tried again, what becomes of endpoints and secrets."""

import asyncio
import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import pytest
import standardwebhooks
import svix

from tenor.events import NotAnEventType, sequence_events
from tenor.kernel.ids import EndpointId, TenantId, to_wire
from tenor.platform.database import Database
from tenor.platform.outbox import Event, publish
from tenor.webhooks import (
    EndpointNotFound,
    UnsafeUrl,
    WebhookCaller,
    WebhookSender,
    add_endpoint,
    disable_endpoint,
    enable_endpoint,
    fan_out,
    replay_event,
    replay_since,
    rotate_secret,
    webhook_attempts,
    webhook_endpoint,
    webhook_messages,
)
from tenor.webhooks import sender as sending
from tenor.webhooks.model import Endpoint
from tests.support.receiver import Received, Receiver, receiving

EVE: Final[dict[str, Any]] = {"actor": "eve", "reason": "test"}
INVOICE: Final = uuid4()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@dataclass
class Post:
    """A tenant with webhooks, whose time begins with the real one and is moved by the test."""

    database: Database
    tenant: TenantId
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def add(self, url: str, *event_types: str) -> tuple[Endpoint, str]:
        with self.database.transaction(self.tenant) as uow:
            return add_endpoint(uow, url, event_types=event_types, allows_local=True, now=self.now, **EVE)

    def say(self, *numbers: int, object_id: UUID = INVOICE, kind: str = "invoice.paid") -> None:
        """Publish events, give them their places, and write the messages."""
        with self.database.transaction(self.tenant) as uow:
            publish(uow, [Event(kind, object_id, {"number": number}, self.now) for number in numbers])
        self.relay()

    def relay(self) -> None:
        with self.database.transaction(self.tenant) as uow:
            sequence_events(uow)
        with self.database.transaction(self.tenant) as uow:
            fan_out(uow, now=self.now)

    def send(self, *, after: timedelta = timedelta(0), **options: Any) -> list[bool]:
        """Let time pass, then send until nothing is due."""
        self.now += after

        async def run() -> list[bool]:
            async with WebhookCaller(allows_local=True, **options) as caller:
                return await WebhookSender(self.database, caller, lambda: self.now).send_due()

        return asyncio.run(run())

    def endpoint(self, endpoint_id: EndpointId) -> tuple[Endpoint, int, int]:
        """Return an endpoint and how many of its messages wait and are dead."""
        with self.database.transaction(self.tenant) as uow:
            endpoint, health = webhook_endpoint(uow, endpoint_id)
        return endpoint, health.pending, health.dead


@pytest.fixture
def post(database: Database, tenant: TenantId) -> Post:
    return Post(database, tenant)


def numbers(received: Sequence[Received]) -> list[int]:
    return [call.json["data"]["number"] for call in received]


def test_a_message_is_signed_told_once_and_kept_with_its_answer(post: Post, receiver: Receiver) -> None:
    endpoint, secret = post.add(receiver.url, "invoice.*")
    post.say(7)
    post.say(8, object_id=uuid4(), kind="wallet.low")  # not asked for
    assert post.send() == [True]

    (call,) = receiver.received
    for library in (standardwebhooks.Webhook, svix.Webhook):
        library(secret).verify(call.body, call.headers)
    event = call.json
    assert event["id"] == call.headers["webhook-id"]
    assert (event["type"], event["object_id"], event["sequence"]) == ("invoice.paid", to_wire("inv", INVOICE), 1)
    assert event["data"] == {"number": 7}
    assert call.headers["host"] == f"127.0.0.1:{receiver.server_port}"
    assert post.send(after=timedelta(days=10)) == []
    with post.database.transaction(post.tenant) as uow:
        (attempt,) = webhook_attempts(uow, endpoint_id=endpoint.id)
        rows = uow.fetch_all("select wrapped from webhook_secrets")
        told = uow.fetch_all("select payload::text from outbox_events union select after::text from audit_records")
    assert (attempt.attempt_no, attempt.answer.status_code, attempt.answer.text) == (1, 200, "thanks")
    assert not [sealed for (sealed,) in rows if base64.b64decode(secret.removeprefix("whsec_")) in sealed]
    assert not [text for (text,) in told if secret.removeprefix("whsec_") in (text or "")]
    assert post.endpoint(endpoint.id)[1:] == (0, 0)
    assert post.endpoint(endpoint.id)[0].delivered_at is not None


def test_an_endpoint_is_told_only_of_what_happens_once_it_is_there(post: Post, receiver: Receiver) -> None:
    """Whether a relay was running or not: what nobody has placed yet has happened before all the same."""
    with receiving() as other:
        with post.database.transaction(post.tenant) as uow:
            publish(uow, [Event("invoice.paid", INVOICE, {"number": 1}, post.now)])
        post.add(receiver.url, "invoice.*")
        with post.database.transaction(post.tenant) as uow:
            publish(uow, [Event("invoice.paid", INVOICE, {"number": 2}, post.now)])
        post.add(other.url, "invoice.*")
        post.say(3)
        post.send()

        assert (numbers(receiver.received), numbers(other.received)) == ([2, 3], [3])


def test_retries_follow_the_schedule_until_the_message_is_dead_and_replayed(post: Post, receiver: Receiver) -> None:
    endpoint, _ = post.add(receiver.url)
    receiver.answer(500)
    post.say(1)
    second, minute, hour = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
    waits = [5 * second, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour]
    assert post.send() == [False]
    for wait in waits:
        assert post.send(after=wait - second) == []  # not a second too early
        assert post.send(after=second + wait / 10) == [False]  # with the jitter
    assert post.send(after=timedelta(days=30)) == []

    assert len(receiver.received) == 10
    assert len({call.headers["webhook-id"] for call in receiver.received}) == 1
    assert len({call.body for call in receiver.received}) == 1
    assert post.endpoint(endpoint.id)[1:] == (0, 1)
    receiver.answer(200)
    with post.database.transaction(post.tenant) as uow:
        (dead,) = webhook_messages(uow, endpoint.id, "dead")
        assert dead.attempt_count == 10
        assert replay_event(uow, endpoint.id, dead.event_id, now=post.now, **EVE) == 1
    assert post.send() == [True]
    assert receiver.received[-1].headers["webhook-id"] == receiver.received[0].headers["webhook-id"]
    assert post.endpoint(endpoint.id)[1:] == (0, 0)
    assert post.endpoint(endpoint.id)[0].failing_since is None


def test_first_tries_of_an_object_are_in_order_and_one_by_one(post: Post, receiver: Receiver) -> None:
    post.add(receiver.url)
    others = [uuid4() for _ in range(3)]
    for number in range(8):
        post.say(number)
        post.say(number, object_id=others[number % 3])
    receiver.answer(500, 200)  # one of the first calls fails, and is tried again after all the others
    assert sorted(post.send()) == [False] + [True] * 15
    first_tries = [call for call in receiver.received if call.json["object_id"] == to_wire("inv", INVOICE)]
    assert numbers(first_tries) == list(range(8))
    assert [call.json["sequence"] for call in first_tries] == list(range(1, 9))
    assert post.send(after=timedelta(seconds=6)) == [True]


def test_two_senders_never_send_the_same_and_a_dead_one_is_replaced(post: Post, receiver: Receiver) -> None:
    endpoint, _ = post.add(receiver.url)
    post.say(*range(10), object_id=uuid4())
    for _ in range(30):
        post.say(1, object_id=uuid4())

    async def both() -> list[bool]:
        async with WebhookCaller(allows_local=True) as caller:
            senders = [WebhookSender(post.database, caller, lambda: post.now) for _ in range(3)]
            ended = await asyncio.gather(*[sender.send_due() for sender in senders])
            return [delivered for sent in ended for delivered in sent]

    assert asyncio.run(both()) == [True] * 40
    ids = [call.headers["webhook-id"] for call in receiver.received]
    assert len(ids) == len(set(ids)) == 40

    post.say(99)

    async def claim_and_die() -> int:
        async with WebhookCaller(allows_local=True) as caller:
            return await WebhookSender(post.database, caller, lambda: post.now).start_due()

    assert asyncio.run(claim_and_die()) == 1  # the loop ends, and with it the call
    assert post.send() == []  # claimed
    expire_claims(post)
    receiver.answer(200)
    assert post.send() == [True]
    with post.database.transaction(post.tenant) as uow:
        attempts = webhook_attempts(uow, limit=1)
    assert [attempt.attempt_no for attempt in attempts] == [2]  # the claim of the dead one counts

    post.say(100)
    for _ in range(10):
        assert asyncio.run(claim_and_die()) == 1
        expire_claims(post)
    assert asyncio.run(claim_and_die()) == 0
    assert post.endpoint(endpoint.id)[1:] == (0, 1)  # it is given up, although nobody has told how its tries ended


def expire_claims(post: Post) -> None:
    """Let the time of the dead senders' claims pass."""
    with post.database.owner() as connection, connection.transaction():
        connection.execute("select set_config('tenor.tenant_id', %s, true)", [str(post.tenant)])
        connection.execute(
            "update webhook_messages set claimed_until = now() - interval '1 s' where status = 'pending'"
        )


def test_rotation_signs_with_both_secrets_for_a_day(post: Post, receiver: Receiver) -> None:
    endpoint, first = post.add(receiver.url)
    secrets = [first]
    for hours in (0, 1):
        with post.database.transaction(post.tenant) as uow:
            now = post.now + timedelta(hours=hours)
            secrets.append(rotate_secret(uow, endpoint.id, now=now, **EVE))

    def good() -> list[bool]:
        """Which of the three secrets verifies the newest call, whatever its age."""
        call = receiver.received[-1]
        signed_at = datetime.fromtimestamp(int(call.headers["webhook-timestamp"]), UTC)
        found = call.headers["webhook-signature"].split(" ")
        body, message_id = call.body.decode(), call.headers["webhook-id"]
        return [standardwebhooks.Webhook(one).sign(message_id, signed_at, body) in found for one in secrets]

    post.now += timedelta(hours=1)
    post.say(1)
    post.send()
    assert good() == [False, True, True]  # the first ended at the second rotation
    post.now += timedelta(hours=24)
    post.say(2)
    post.send()
    assert good() == [False, False, True]


def test_an_endpoint_that_is_gone_or_fails_for_days_is_disabled(post: Post, receiver: Receiver) -> None:
    endpoint, _ = post.add(receiver.url, "invoice.paid")
    receiver.answer(410)
    post.say(1)
    post.send()
    assert (post.endpoint(endpoint.id)[0].status, post.endpoint(endpoint.id)[0].disabled_because) == (
        "disabled",
        "gone",
    )
    post.say(2)  # while it is disabled
    assert post.send(after=timedelta(days=1)) == []
    receiver.answer(200)
    since = post.now - timedelta(days=2)
    with post.database.transaction(post.tenant) as uow:
        assert enable_endpoint(uow, endpoint.id, now=post.now, **EVE).status == "active"
        assert replay_since(uow, endpoint.id, since, now=post.now, **EVE) == 1  # the one that it missed
    assert post.send() == [True, True]
    assert numbers(receiver.received) == [1, 1, 2]
    with post.database.transaction(post.tenant) as uow:
        assert replay_since(uow, endpoint.id, since, now=post.now, **EVE) == 0
        assert replay_since(uow, endpoint.id, since, with_delivered=True, now=post.now, **EVE) == 2
    assert post.send() == [True, True]

    receiver.answer(503)
    for day in range(6):
        post.say(day, object_id=uuid4())
        post.send(after=timedelta(days=1))
    failing, pending, _ = post.endpoint(endpoint.id)
    assert (failing.status, failing.disabled_because) == ("disabled", "failing")
    assert pending > 0
    with post.database.transaction(post.tenant) as uow:
        told = uow.fetch_all(
            "select payload->>'disabled_because' from outbox_events"
            " where type = 'webhook_endpoint.disabled' order by publication_no"
        )
        disable_endpoint(uow, endpoint.id, now=post.now, **EVE)  # again: nothing to do
        with pytest.raises(EndpointNotFound):
            rotate_secret(uow, EndpointId(uuid4()), now=post.now, **EVE)
        with pytest.raises(UnsafeUrl):
            add_endpoint(uow, "https://10.0.0.1/", now=post.now, **EVE)
        with pytest.raises(NotAnEventType):
            add_endpoint(uow, "https://example.com/", event_types=["Invoice"], now=post.now, **EVE)
    assert told == [("gone",), ("failing",)]


def test_hostile_answers_are_bounded_and_redirects_not_followed(post: Post, receiver: Receiver) -> None:
    post.add(receiver.url)
    elsewhere = {"location": f"http://127.0.0.1:{receiver.server_port}/other"}
    post.say(1)
    receiver.reply = lambda _: (302, elsewhere, b"")
    assert post.send() == [False]
    receiver.reply = lambda _: (200, {"content-length": "10000000"}, b"\0\xff" + b"x" * 100_000)
    assert post.send(after=timedelta(seconds=6)) == [True]
    assert [call.path for call in receiver.received] == ["/hook", "/hook"]

    post.say(2)
    receiver.reply = lambda _: (200, {"content-length": "5"}, b"")  # the body never comes; the status counts
    assert post.send(after=timedelta(seconds=1), deadline_seconds=0.3) == [True]
    with post.database.transaction(post.tenant) as uow:
        answers = [attempt.answer for attempt in webhook_attempts(uow)][::-1]
    assert [answer.status_code for answer in answers] == [302, 200, 200]
    assert answers[1].text.startswith("\N{REPLACEMENT CHARACTER}" * 2 + "xxx")
    assert len(answers[1].text) <= 1024


def test_a_tenant_whose_endpoints_are_slow_does_not_hold_up_another(
    post: Post, receiver: Receiver, other_tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "CALLS_MAX", 6)
    monkeypatch.setattr(sending, "CALLS_PER_TENANT_MAX", 4)
    other = Post(post.database, other_tenant, post.now)
    with receiving() as slow:
        slow.reply = lambda _: (200, {"content-length": "5"}, b"")
        post.add(slow.url)
        other.add(receiver.url)
        for _ in range(10):
            post.say(1, object_id=uuid4())

        async def run() -> tuple[int, int]:
            async with WebhookCaller(allows_local=True, deadline_seconds=2.0) as caller:
                both = WebhookSender(post.database, caller, lambda: post.now)
                assert await both.start_due([post.tenant]) == 4
                await asyncio.to_thread(other.say, 1)
                assert await both.start_due([post.tenant, other_tenant]) == 1
                await both.finish_some(within_seconds=1.0)
                found = len(receiver.received), len(slow.received)
                await both.finish_all()
                return found

        assert asyncio.run(run()) == (1, 4)


def test_a_slow_endpoint_does_not_hold_up_another(post: Post, receiver: Receiver) -> None:
    with receiving() as slow:
        post.add(slow.url, "invoice.paid")
        post.add(receiver.url, "invoice.paid")
        slow.reply = lambda _: (200, {"content-length": "5"}, b"")
        for _ in range(30):
            post.say(1, object_id=uuid4())

        async def run() -> tuple[int, int]:
            async with WebhookCaller(allows_local=True, deadline_seconds=3.0) as caller:
                sender = WebhookSender(post.database, caller, lambda: post.now)
                for _ in range(200):
                    await sender.start_due()
                    await sender.finish_some(within_seconds=0.01)
                    if len(receiver.received) == 30:
                        break
                found = len(receiver.received), len(slow.received)
                await sender.finish_all()
                return found

        fast_count, slow_count = asyncio.run(run())
    assert fast_count == 30
    assert slow_count <= 10  # no more than that are under way to one endpoint
