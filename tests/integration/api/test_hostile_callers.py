"""Callers who send too much, too slowly, half of it or all at once: nobody else has to wait for them."""

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from uuid import uuid4

import httpx
import pytest

from tenor.api import call, create_app, edge, protocol, sharing
from tenor.api.resources import sessions
from tenor.platform import database
from tests.integration.api.conftest import World
from tests.support.api import Caller, answer, new_secret, refused, served


def connect(world: World) -> socket.socket:
    """Return a connection to the server, on which nothing waits for longer than ten seconds."""
    url = world.client.base_url
    return socket.create_connection((url.host, url.port), timeout=10)


def heard(connection: socket.socket) -> bytes:
    """Return what the server says until it closes the connection."""
    parts = []
    try:
        while part := connection.recv(1 << 16):
            parts.append(part)
    except ConnectionResetError:  # closed while we were still talking
        pass
    return b"".join(parts)


def head(caller: Caller, path: str = "/v1/customers", *more: str) -> bytes:
    """Return the head of a POST, with more headers."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: tenor",
        f"Authorization: Bearer {caller.secret}",
        f"Idempotency-Key: {uuid4().hex}",
        "Content-Type: application/json",
        *more,
    ]
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"


CHUNKED = "Transfer-Encoding: chunked"
LONG = b"a" * (protocol.FRAMING_BYTES_MAX + (1 << 19))


@pytest.mark.parametrize(
    "begun",
    [
        lambda _: b"GET /" + LONG,
        lambda _: b"GET /healthz HTTP/1.1\r\nHost: tenor\r\nX: " + LONG,
        lambda caller: head(caller, "/v1/customers", CHUNKED) + b"5;" + LONG,
        lambda caller: head(caller, "/v1/customers", CHUNKED) + b"1\r\n{\r\n0\r\nX: " + LONG,
    ],
    ids=["url", "header", "chunk extension", "trailer"],
)
def test_what_is_no_body_has_an_end(
    world: World, caller: Caller, begun: Callable[[Caller], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS_MAX", 60)  # longer than anybody waits here
    with connect(world) as connection:
        try:
            connection.sendall(begun(caller))
        except (ConnectionResetError, BrokenPipeError):
            return  # closed before we were through
        assert heard(connection)[:12] in {b"HTTP/1.1 400", b""}


def test_a_large_body_in_small_pieces_is_no_long_head(world: World, caller: Caller) -> None:
    pieces = b"".join(b"400\r\n" + b" " * 1024 + b"\r\n" for _ in range(1000))  # 1 MiB less 24 KiB
    body = pieces + b'12\r\n{"external_id":"x"\r\n1\r\n}\r\n0\r\n\r\n'
    with connect(world) as connection:
        connection.sendall(head(caller, "/v1/customers", CHUNKED, "Connection: close") + body)
        assert heard(connection)[:12] == b"HTTP/1.1 201"


def test_a_head_that_does_not_come_is_not_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS_MAX", 0.2)
    with connect(world) as silent, connect(world) as slow:
        slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: te")
        assert heard(slow) == heard(silent) == b""


def test_a_slow_body_is_refused(world: World, caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "BODY_SECONDS_MAX", 0.2)
    with connect(world) as connection:
        connection.sendall(head(caller, "/v1/customers", "Content-Length: 10") + b"{")
        told = connection.recv(1 << 16)
    assert told.startswith(b"HTTP/1.1 408")
    assert b"body_too_slow" in told


def test_a_body_that_is_cut_off_is_not_acted_on(world: World, caller: Caller) -> None:
    body = b'{"external_id": "half"}'
    with connect(world) as connection:  # all of the JSON, but not the end of the body
        connection.sendall(head(caller, "/v1/customers", CHUNKED) + f"{len(body):x}\r\n".encode() + body + b"\r\n")
        time.sleep(0.1)
    time.sleep(0.2)
    refused(caller.get("/customers/half"), 404, "customer_not_found")


def test_bodies_of_strangers_fill_no_more_than_their_room(
    world: World, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge, "ALL_BODIES_BYTES_MAX", 10_000)
    with connect(world) as stranger:
        stranger.sendall(head(Caller(world.client, "none"), "/v1/usage/events", "Content-Length: 99999") + b"a" * 9_990)
        time.sleep(0.1)
        refusal = caller.post("/customers", {"external_id": "acme"})
        assert refused(refusal, 503, "try_again")
        assert refusal.headers["retry-after"] == "1"
    time.sleep(0.1)
    caller.made("/customers", {"external_id": "acme"})


def test_too_many_calls_are_told_at_once_and_the_operator_still_hears(
    world: World, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge, "CALLS_PER_THREAD_MAX", 0)
    refused(caller.get("/customers"), 503, "try_again")
    for path in ("/healthz", "/readyz", "/metrics"):
        assert world.client.get(path).status_code == 200


def test_who_has_waited_long_for_a_thread_is_not_worked_for(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call, "QUEUE_SECONDS_MAX", -1)
    refused(caller.get("/customers"), 503, "try_again")


def test_a_call_does_not_wait_for_ever_for_what_another_holds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "LOCK_SECONDS_MAX", 1)
    tenant = world.tenant()
    caller = world.caller(tenant)
    caller.made("/customers", {"external_id": "acme"})
    with world.database.transaction(tenant) as uow:
        uow.execute("select from customers for update")
        refused(caller.post("/customers/acme", {"name": "Acme"}, key="k"), 503, "try_again")
    assert answer(caller.post("/customers/acme", {"name": "Acme"}, key="k"), 200)["name"] == "Acme"


def test_a_tenant_whose_calls_wait_leaves_threads_to_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "LOCK_SECONDS_MAX", 1)
    monkeypatch.setattr(sharing, "TURN_SECONDS_MAX", 1)
    tenant, other = world.tenant(), world.tenant()
    app = create_app(world.database, world.database.settings, threads=4)
    with (
        served(app, lifespan="on") as base,
        httpx.Client(base_url=base, timeout=20, trust_env=False) as client,
        ThreadPoolExecutor(20) as threads,
    ):
        busy, quiet = (Caller(client, new_secret(world.database, one)) for one in (tenant, other))
        busy.made("/customers", {"external_id": "acme"})
        with world.database.transaction(tenant) as uow:
            uow.execute("select from customers for update")
            waiting = [threads.submit(busy.post, "/customers/acme", {"name": str(number)}) for number in range(17)]
            time.sleep(0.3)
            begun = time.monotonic()
            assert quiet.seen("/customers")["data"] == []
            assert time.monotonic() - begun < 1  # while three of four threads wait
            told = [one.result().status_code for one in waiting]
        assert set(told) == {503}
        assert busy.seen("/customers/acme")["name"] == "acme"


def test_attempts_to_sign_in_take_their_own_places_only(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"tenant": "nobodys", "email": "ada@acme.example", "password": "a long password"}
    stranger = Caller(world.client, "nothing")
    refused(stranger.post("/sessions", asked), 401, "unauthenticated")
    monkeypatch.setattr(sessions, "_PLACES", BoundedSemaphore(1))
    with sessions._PLACES:
        refused(stranger.post("/sessions", asked), 503, "try_again")
    refused(stranger.post("/sessions", asked), 401, "unauthenticated")


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("203.0.113.7", "203.0.113.8", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),  # one /64 is one customer of a provider
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.7", "::ffff:203.0.113.8", False),
        ("a socket", "another", False),
    ],
)
def test_attempts_are_counted_by_network(*, one: str, other: str, is_same: bool) -> None:
    assert (sessions._network_of(one) == sessions._network_of(other)) is is_same
