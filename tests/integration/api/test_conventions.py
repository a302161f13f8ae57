"""Bodies, pages, versions, rates, and what every answer carries."""

import json

import httpx
import pytest

from tenor.api import create_app, openapi_document
from tenor.api.described import EXAMPLES
from tenor.platform.settings import Settings
from tests.integration.api.conftest import World
from tests.support.api import Caller, answer, refused, served

PAN = "4111 1111 1111 1111"
"""A number that card networks publish for tests."""


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ('{"external_id": "a", "tax_percent": 19.5}', "/tax_percent"),
        ('{"external_id": "a", "tax_percent": 19}', "/tax_percent"),
        ('{"external_id": "a", "tax_percent": "1e999"}', "/tax_percent"),
        ('{"external_id": "a", "tax_percent": "NaN"}', "/tax_percent"),
        ('{"external_id": 7}', "/external_id"),
        ('{"external_id": "a\\u0000b"}', "/external_id"),
        ('{"external_id": "a", "metadata": {"k": 1}}', "/metadata/k"),
        ('{"external_id": "a", "metadata": {"": "v"}}', "/metadata/"),
        ('{"external_id": "a", "metadata": null}', "/metadata"),
        ('{"external_id": "a", "country": "Germany"}', "/country"),
        ('{"external_id": "a", "name": ""}', "/name"),
        ('{"external_id": "a", "name": "4111 1111 1111 1111"}', "/name"),
        ('{"external_id": "a", "metadata": {"k": "card 4111111111111111"}}', "/metadata/k"),
        ('{"external_id": "a", "metadata": {"k": "4111 1111 1111 1111 12/27 123"}}', "/metadata/k"),
        ('{"external_id": "a", "metadata": {"4111 1111 1111 1111": "v"}}', "/metadata/…"),
        ("{}", "/external_id"),
    ],
)
def test_what_a_body_cannot_say_is_refused_with_its_path(caller: Caller, body: str, path: str) -> None:
    problem = refused(caller.send("/customers", body.encode()), 422, "request_malformed")
    assert problem["errors"][0]["path"].startswith(path)
    assert "4111" not in json.dumps(problem)
    assert caller.seen("/customers")["data"] == []


@pytest.mark.parametrize(
    ("path", "body", "pointer", "words"),
    [
        ("/customers", {"external_id": "a", "nmae": "A"}, "/nmae", "there is no such field (did you mean 'name'?)"),
        ("/clock/advance", {"to": "2027-01-01T00:00:00Z", "x": 1}, "/x", "there is no such field; there are to"),
        ("/customers", {}, "/external_id", "this is required"),
        ("/subscriptions/s/changes", {"effective": "now"}, "/kind", "this is required"),
        (
            "/subscriptions/s/changes",
            {"kind": "change_quantities"},
            "/kind",
            "there is no 'change_quantities' (did you mean 'change_quantity'?)",
        ),
        (
            "/subscriptions/s/changes",
            {"kind": "change_quantity", "quantities": {"seats": 8}},
            "/quantities/seats",
            'write it as text, e.g. "5"',
        ),
        (
            "/proformas",
            {"customer": "c", "currency": "USD", "lines": [{"description": "d", "amount": "1", "amout": "1"}]},
            "/lines/0/amout",
            "there is no such field (did you mean 'amount'?)",
        ),
    ],
)
def test_a_refusal_says_what_to_write_instead(
    caller: Caller, path: str, body: object, pointer: str, words: str
) -> None:
    problem = refused(caller.post(path, body), 422, "request_malformed")
    assert [(one["path"], one["message"]) for one in problem["errors"]] == [(pointer, words)]
    assert problem["detail"] == f"body {pointer}: {words}"


def test_a_path_or_a_parameter_that_is_misspelt_is_told_the_right_one(caller: Caller) -> None:
    assert refused(caller.get("/custmers"), 404, "route_unknown")["detail"].endswith("(did you mean /v1/customers?)")
    assert refused(caller.get("/v1/customers"), 404, "route_unknown")["detail"].endswith(
        "(did you mean /v1/customers?)"
    )
    assert refused(caller.get("/zzz"), 404, "route_unknown")["detail"].endswith("GET /openapi.json lists all")
    problem = refused(caller.get("/subscriptions", custumer="a"), 422, "request_malformed")
    assert problem["detail"] == "query custumer: there is no such parameter (did you mean 'customer'?)"


def test_a_body_of_nothing_but_strangers_names_a_hundred_of_them(caller: Caller) -> None:
    body = {"external_id": "a"} | {f"field_{number}": 1 for number in range(500)}
    problem = refused(caller.post("/customers", body), 422, "request_malformed")
    assert len(problem["errors"]) == 100
    assert problem["detail"].count("; ") <= 3 * 8  # three of them, each with the fields that there are


def test_the_examples_of_the_document_are_taken_in_their_order(caller: Caller) -> None:
    """They tell one story, so that whoever copies one after the other from the reference sees each of them work."""
    operations = {
        operation["operationId"]: (path, operation)
        for path, methods in openapi_document()["paths"].items()
        for operation in methods.values()
    }
    names = {"customer": "globex", "subscription": "globex-1", "wallet": "prepaid", "invoice": "INV-1"}
    for operation_id in EXAMPLES:
        path, operation = operations[operation_id]
        for example in operation["requestBody"]["content"]["application/json"]["examples"].values():
            response = caller.post(path.removeprefix("/v1").format(**names), example["value"])
            assert response.is_success, f"{operation_id}, {example['summary']}: {response.text}"
            if operation_id == "usage_send":
                assert response.json()["rejected"] == []


def test_the_reference_loads_nothing_but_its_own_style_sheet(world: World) -> None:
    for path, kind in (("/docs", "text/html"), ("/docs/api-keys", "text/html"), ("/docs/style.css", "text/css")):
        shown = world.client.get(path)
        assert shown.status_code == 200
        assert shown.headers["Content-Type"].startswith(kind)
        policy = dict(one.split(" ", 1) for one in shown.headers["Content-Security-Policy"].split("; "))
        assert policy.pop("default-src") == "'none'"
        assert set(policy.values()) <= {"'self'", "'none'", "data:"}
        assert "script-src" not in policy
    refused(world.client.get("/docs/nothing"), 404, "route_unknown")


def test_a_body_is_json_of_a_bounded_length(caller: Caller) -> None:
    refused(caller.send("/customers", b"external_id=a", Content_Type="text/plain"), 415, "media_type_unsupported")
    long = json.dumps({"external_id": "a", "name": "x" * (1 << 20)}).encode()
    refused(caller.send("/customers", long), 413, "body_too_large")
    deep = b'{"external_id": ' + b"[" * 20_000 + b"]" * 20_000 + b"}"
    refused(caller.send("/customers", deep), 400, "not_json")

    def endless() -> bytes:
        return b"x" * (2 << 20)

    streamed = caller.client.post(
        "/v1/customers",
        content=iter([endless()]),
        headers=caller.headers() | {"Content-Type": "application/json", "Idempotency-Key": "k"},
    )
    refused(streamed, 413, "body_too_large")


def test_usage_is_refused_as_a_whole_only_where_no_event_can_be_meant(caller: Caller) -> None:
    for content in (b"", b"{", b"null", b"7", b'"x"', b"\xff", b'[{"a":1}', b"[" * 20_000):
        refused(caller.send("/usage/events", content), 400, "not_json")
    for content in (b'{"": [1]}', b"[null]", b"[[1]]", b'{"event_id": "x"}'):
        told = answer(caller.send("/usage/events", content), 200)
        assert (told["accepted"], [one["position"] for one in told["rejected"]]) == (0, [0])
    assert answer(caller.send("/usage/events", b"[]"), 200)["rejected"] == []
    assert len(caller.seen("/usage/rejections")["data"]) == 4


def test_pages_hold_everything_once_while_new_things_come_in(caller: Caller) -> None:
    for number in range(7):
        caller.made("/customers", {"external_id": f"old-{number}"})
    found: list[str] = []
    after: dict[str, str] = {}
    while True:
        shown = caller.seen("/customers", limit=2, **after)
        found += [one["external_id"] for one in shown["data"]]
        caller.made("/customers", {"external_id": f"new-{len(found)}"})
        if shown["next"] is None:
            break
        assert len(shown["data"]) == 2
        after = {"after": shown["next"]}
    assert found == [f"old-{number}" for number in reversed(range(7))]
    assert [one["external_id"] for one in caller.seen("/customers", external_id="old-3")["data"]] == ["old-3"]
    for wrong in ("cus_0", "inv_01h455vb4pex5vsknk084sn02q", "x" * 101):
        assert caller.get("/customers", after=wrong).status_code == 422
    stranger = refused(caller.get("/customers", external="old-3"), 422, "request_malformed")
    assert stranger["errors"][0] | {"message": ""} == {
        "location": "query",
        "path": "external",
        "code": "extra_forbidden",
        "message": "",
    }
    for limit in ("0", "201", "many"):
        problem = refused(caller.get("/customers", limit=limit), 422, "request_malformed")
        assert problem["errors"][0]["path"] == "limit"


def test_a_customer_is_changed_on_the_version_that_was_read(caller: Caller) -> None:
    made = caller.made("/customers", {"external_id": "acme", "metadata": {"crm": "1"}})
    path = f"/customers/{made['id']}"
    changed = caller.made(path, {"name": "Acme Ltd", "version": 1}, status=200)
    assert (changed["name"], changed["metadata"], changed["version"]) == ("Acme Ltd", {"crm": "1"}, 2)
    problem = refused(caller.post(path, {"name": "Other", "version": 1}), 409, "customer_changed")
    assert problem["version"] == 2
    assert caller.made(path, {"name": "Acme Ltd"}, status=200)["version"] == 2  # nothing has changed
    assert caller.seen("/customers/acme") == changed
    refused(caller.post("/customers", {"external_id": "acme"}), 409, "customer_exists")


def test_every_answer_says_its_request_and_its_version(world: World, caller: Caller) -> None:
    given = caller.client.get("/v1/clock", headers=caller.headers() | {"Request-Id": "trace-7"})
    assert given.headers["request-id"] == "trace-7"
    assert (
        caller.client.get("/v1/clock", headers=caller.headers() | {"Request-Id": "a b"}).headers["request-id"] != "a b"
    )
    for told in (given, caller.get("/nowhere"), caller.get("/customers", limit=0), world.client.get("/healthz")):
        assert told.headers["tenor-version"] == "2026-11-20"
        assert told.headers["x-content-type-options"] == "nosniff"
        assert told.headers["cache-control"] == "no-store"
    refused(caller.get("/nowhere"), 404, "route_unknown")
    unknown = caller.client.put("/v1/customers", headers=caller.headers())
    refused(unknown, 405, "method_not_allowed")
    assert unknown.headers["allow"] == "GET, POST"
    dated = caller.client.get("/v1/clock", headers=caller.headers() | {"Tenor-Version": "2020-01-01"})
    refused(dated, 400, "version_unknown")


def test_a_process_says_how_it_stands_without_telling_ids(world: World, caller: Caller) -> None:
    made = caller.made("/customers", {"external_id": "acme"})
    caller.seen(f"/customers/{made['id']}")
    assert world.client.get("/healthz").json() == {"status": "alive"}
    assert world.client.get("/readyz").json() == {"status": "ready"}
    metrics = world.client.get("/metrics").text
    assert 'tenor_http_requests_total{method="GET",route="/v1/customers/{customer}",status="200"}' in metrics
    assert made["id"] not in metrics
    assert "acme" not in metrics


def test_a_process_without_its_database_is_not_ready_and_tells_nothing_of_it(world: World, caller: Caller) -> None:
    settings = Settings(database_url="postgresql://tenor:hunter2@127.0.0.1:1/none")
    database = type(world.database).open(settings)
    with served(create_app(database, settings)) as base, httpx.Client(base_url=base, trust_env=False) as client:
        told = client.get("/readyz")
        assert (told.status_code, told.json()) == (503, {"status": "not ready", "code": "database_unreachable"})
        lost = refused(Caller(client, caller.secret).get("/customers"), 503, "database_unreachable")
        assert "127.0.0.1:1" not in json.dumps(lost)


def test_a_key_that_runs_wild_is_slowed_down(world: World) -> None:
    app = create_app(world.database, Settings(), calls_per_minute=60)
    with served(app) as base, httpx.Client(base_url=base, trust_env=False) as client:
        tenant = world.tenant()
        wild, calm = (Caller(client, world.caller(tenant).secret) for _ in range(2))
        told = [wild.get("/clock") for _ in range(61)]
        assert [one.status_code for one in told].count(200) in {60, 61}  # one comes back each second
        while (last := wild.get("/clock")).status_code == 200:
            pass
        problem = refused(last, 429, "rate_limited")
        assert last.headers["retry-after"] == str(problem["retry_after_seconds"]) == "1"
        assert last.headers["ratelimit"].startswith('"key";r=0;')
        assert answer(calm.get("/clock"), 200)["is_sandbox"] is True


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api-keys", {"name": PAN}),
        ("/users", {"email": "a@acme.example", "name": PAN, "role": "viewer"}),
        ("/webhook-endpoints", {"url": "https://hooks.example.com/", "description": PAN}),
        ("/payments", {"customer": "a", "currency": "USD", "amount": "1", "method": "card", "reference": PAN}),
        ("/payments", {"customer": "a", "currency": "USD", "amount": "1", "method": PAN, "reference": "r"}),
    ],
)
def test_a_card_number_is_refused_wherever_people_write(caller: Caller, path: str, body: dict[str, str]) -> None:
    problem = refused(caller.post(path, body), 422, "request_malformed")
    assert [error["code"] for error in problem["errors"]] == ["card_number"]


def test_names_that_machines_give_are_not_taken_for_card_numbers(caller: Caller) -> None:
    caller.made("/customers", {"external_id": "4111111111111111"})  # one in thirty numbers of this length would be
    assert caller.seen("/customers/4111111111111111")["external_id"] == "4111111111111111"
