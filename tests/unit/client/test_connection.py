"""Calls that fail are repeated as the server asks, have their effect once, and end in typed refusals."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import Final

import httpx
import pytest

from tenor.client import (
    Client,
    Conflict,
    EngineFailed,
    FieldError,
    Forbidden,
    Invalid,
    NotAnswered,
    NotFound,
    RateLimited,
    Refused,
    Unauthenticated,
)
from tenor.client.connection import Connection

Step = httpx.Response | httpx.TransportError
THING: Final = httpx.Response(200, json={"id": "thing"})


class Wire:
    """A server that answers with what it was told, one after the other, and remembers calls and waits."""

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.requests: list[httpx.Request] = []
        self.waits: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        step = self.steps.pop(0)
        if isinstance(step, httpx.TransportError):
            raise step
        return step

    def connection(self, *, attempts_max: int = 4) -> Connection:
        http = httpx.Client(base_url="http://tenor.test", transport=httpx.MockTransport(self))
        return Connection(http, attempts_max=attempts_max, sleep=self.waits.append)

    @property
    def keys(self) -> list[str]:
        return [request.headers["Idempotency-Key"] for request in self.requests]


def problem(status: int, code: str, headers: dict[str, str] | None = None, **facts: object) -> httpx.Response:
    told = {"status": status, "code": code, "detail": "no", "request_id": "req_1", **facts}
    return httpx.Response(status, json=told, headers=headers)


def test_what_is_lost_on_the_way_is_repeated_under_the_same_key() -> None:
    wire = Wire(
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("late"),
        httpx.Response(502, text="<html>bad gateway</html>"),
        THING,
    )

    assert wire.connection().post("/v1/things", {"n": 1}, idempotency_key=None) == {"id": "thing"}
    assert len(wire.keys) == 4
    assert len(set(wire.keys)) == 1
    assert {request.content for request in wire.requests} == {b'{"n":1}'}
    # 0.5, 1 and 2 seconds, each spread over its upper half
    assert [low <= wait <= 2 * low for wait, low in zip(wire.waits, (0.25, 0.5, 1.0), strict=True)] == [True] * 3


def test_each_call_has_a_key_of_its_own_unless_it_is_given_one() -> None:
    wire = Wire(THING, THING, THING)
    connection = wire.connection()
    connection.post("/v1/things", {}, idempotency_key=None)
    connection.post("/v1/things", {}, idempotency_key=None)
    connection.post("/v1/things", {}, idempotency_key="order-7")

    assert len(set(wire.keys)) == 3
    assert wire.keys[2] == "order-7"


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_the_server_says_how_long_to_wait(status: int) -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    wire = Wire(problem(status, "x", {"Retry-After": "7"}), problem(status, "x", {"Retry-After": at}), THING)

    assert wire.connection().get("/v1/things") == {"id": "thing"}
    assert wire.waits[0] == 7
    assert 28 < wire.waits[1] <= 30


def test_a_call_that_is_still_at_work_is_asked_for_again() -> None:
    wire = Wire(httpx.ReadTimeout("late"), problem(409, "idempotency_call_running"), THING)

    assert wire.connection().post("/v1/things", {}, idempotency_key="a") == {"id": "thing"}
    assert wire.keys == ["a", "a", "a"]


def test_attempts_end() -> None:
    busy = Wire(*(problem(503, "try_again", {"Retry-After": "1"}) for _ in range(3)))
    with pytest.raises(EngineFailed, match=r"503 try_again: no \(request req_1\)"):
        busy.connection(attempts_max=3).get("/v1/things")
    assert len(busy.waits) == 2

    lost = Wire(*(httpx.ConnectError("refused") for _ in range(3)))
    with pytest.raises(NotAnswered) as caught:
        lost.connection(attempts_max=3).post("/v1/things", {}, idempotency_key="order-7")
    assert caught.value.idempotency_key == "order-7"

    later = Wire(problem(429, "rate_limited", {"Retry-After": "3600"}))
    with pytest.raises(RateLimited):
        later.connection().get("/v1/things")
    assert later.waits == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Invalid),
        (401, Unauthenticated),
        (403, Forbidden),
        (404, NotFound),
        (405, Refused),
        (409, Conflict),
        (422, Invalid),
        (500, EngineFailed),
    ],
)
def test_a_refusal_is_told_at_once_with_its_kind(status: int, kind: type[Refused]) -> None:
    wire = Wire(problem(status, "some_code"))

    with pytest.raises(Refused) as caught:
        wire.connection().post("/v1/things", {}, idempotency_key=None)
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.code, caught.value.request_id) == (status, "some_code", "req_1")
    assert wire.waits == []


def test_a_refusal_names_the_field_that_is_wrong() -> None:
    wrong = {"location": "body", "path": "/quantities/seats", "code": "not_a_decimal", "message": "write it as text"}
    wire = Wire(problem(422, "request_malformed", errors=[wrong], limit=5))

    with pytest.raises(Invalid) as caught:
        wire.connection().post("/v1/things", {}, idempotency_key=None)
    assert caught.value.errors == (FieldError("body", "/quantities/seats", "not_a_decimal", "write it as text"),)
    assert caught.value.facts["limit"] == 5


def test_an_answer_that_is_no_problem_is_a_refusal_too() -> None:
    wire = Wire(httpx.Response(418, text="I am a teapot", headers={"Request-Id": "req_2"}))

    with pytest.raises(Refused, match="teapot") as caught:
        wire.connection().get("/v1/things")
    assert (caught.value.code, caught.value.request_id) == ("http_418", "req_2")


def client_of(answer: Callable[[httpx.Request], httpx.Response]) -> Client:
    return Client("http://tenor.test", key="tnr_test_x", transport=httpx.MockTransport(answer))


def test_a_list_is_read_page_by_page() -> None:
    pages = {None: (["a", "b"], "2"), "2": (["c"], "3"), "3": ([], None)}
    asked: list[dict[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(dict(request.url.params))
        data, after = pages[request.url.params.get("after")]
        return httpx.Response(200, json={"data": [{"id": one} for one in data], "next": after})

    with client_of(answer) as tenor:
        listed = tenor.customers.list(limit=2)
        assert asked == []  # nothing is asked for before somebody wants it
        assert next(iter(listed))["id"] == "a"
        assert asked == [{"limit": "2"}]
        assert [one["id"] for one in listed] == ["a", "b", "c"]
        assert asked[1:] == [{"limit": "2"}, {"limit": "2", "after": "2"}, {"limit": "2", "after": "3"}]
        assert [page.next for page in tenor.customers.list(after="2").by_page()] == ["3", None]


def test_a_name_stays_one_segment_of_the_path() -> None:
    paths: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.raw_path.decode())
        return THING

    with client_of(answer) as tenor:
        tenor.customers.retrieve("a/b c?d")
        for nothing in ("", ".", ".."):
            with pytest.raises(ValueError, match="names nothing"):
                tenor.customers.erase(nothing, reason="asked")
    assert paths == ["/v1/customers/a%2Fb%20c%3Fd"]


def test_the_feed_goes_on_to_its_end_also_through_a_page_that_holds_nothing() -> None:
    pages = {None: ([1, 2], 2, True), "2": ([], 7, True), "7": ([8], 8, False)}

    def answer(request: httpx.Request) -> httpx.Response:
        events, after, more = pages[request.url.params.get("after")]
        told = {"events": [{"position": one} for one in events], "next_after": after, "has_more": more}
        return httpx.Response(200, json=told)

    with client_of(answer) as tenor:
        assert [event["position"] for event in tenor.events.list()] == [1, 2, 8]
        assert [page.next for page in tenor.events.list(after=2).by_page()] == [7, 8]


def test_exact_numbers_and_instants_go_as_texts() -> None:
    sent: list[object] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content) if request.content else dict(request.url.params))
        return THING

    noon = datetime(2026, 1, 15, 12, tzinfo=UTC)
    with client_of(answer) as tenor:
        tenor.subscriptions.change(
            "s", kind="change_quantity", quantities={"seats": Decimal("1E+1"), "rooms": "2"}, effective=noon
        )
        tenor.usage.retrieve_cost("s", at=noon)
        for unsayable in (Decimal("NaN"), noon.replace(tzinfo=None)):
            with pytest.raises(ValueError, match=r"NaN is no number|names no time zone"):
                tenor.usage.send({"value": unsayable})
    change = {"kind": "change_quantity", "quantities": {"seats": "10", "rooms": "2"}}
    assert sent == [change | {"effective": "2026-01-15T12:00:00+00:00"}, {"at": "2026-01-15T12:00:00+00:00"}]


def test_a_name_that_there_is_not_is_told_those_that_there_are() -> None:
    with client_of(lambda _: THING) as tenor:
        with pytest.raises(
            AttributeError, match="'Customers' has no 'get'; it has create, erase, list, retrieve, update"
        ):
            getattr(tenor.customers, "get")  # noqa: B009  mypy would find it
        with pytest.raises(AttributeError, match="'Client' has no 'customer'; it has api_keys, audit_records, "):
            getattr(tenor, "customer")  # noqa: B009


@pytest.mark.parametrize("url", ["tenor.test", "ftp://tenor.test", "http://", "https://tenor.test/v1", ""])
def test_an_address_that_is_none_is_told_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="is not the address of a server"):
        Client(url, key="k")


def test_an_empty_key_is_told_at_once() -> None:
    with pytest.raises(ValueError, match="the key is empty"):
        Client("https://tenor.test/", key="")
