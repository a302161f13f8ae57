"""The client and the API cannot drift apart: each operation of the document is one method that calls exactly it."""

import inspect
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, get_type_hints

import httpx
import pytest

from tenor.client import API_VERSION, Client, Feed, Pages
from tools import generate_client

DOCUMENT: Final = json.loads(
    (Path(__file__).parents[2] / "docs" / "reference" / "openapi.json").read_text(encoding="utf-8")
)


EMPTY: Final[Mapping[str, Any]] = {"data": [], "next": None, "events": [], "next_after": 0, "has_more": False}
"""The end of a list and of the feed."""


class Called(NamedTuple):
    """What a call says: where, and by which names. A body that is given as a whole has no names."""

    method: str
    path: str
    query: frozenset[str]
    query_needed: frozenset[str]
    body: frozenset[str] | None
    body_needed: frozenset[str] | None
    is_kept: bool


def documented() -> list[Called]:
    """Return every operation as the document has it."""
    return [
        _documented(method.upper(), path, operation)
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
    ]


def _documented(method: str, path: str, operation: Mapping[str, Any]) -> Called:
    asked = [one for one in operation.get("parameters", []) if one["in"] == "query"]
    content = operation.get("requestBody", {}).get("content", {"": {"schema": {}}})
    reference = next(iter(content.values()))["schema"].get("$ref", "").rpartition("/")[2]
    body = DOCUMENT["components"]["schemas"].get(reference, {})
    return Called(
        method=method,
        path=path,
        query=frozenset(one["name"] for one in asked),
        query_needed=frozenset(one["name"] for one in asked if one.get("required")),
        body=frozenset(body["properties"]) if "properties" in body else None,
        body_needed=frozenset(body.get("required", ())) if "properties" in body else None,
        is_kept=any(one["name"] == "Idempotency-Key" for one in operation.get("parameters", [])),
    )


def methods_of(client: Client) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Return every operation of the client with its name."""
    for resource, operations in vars(client).items():
        if not resource.startswith("_"):
            for name, method in inspect.getmembers(operations, inspect.ismethod):
                if not name.startswith("_"):
                    yield f"{resource}.{name}", method


def called(method: Callable[..., Any], requests: list[httpx.Request]) -> Called:
    """Call a method with everything that it takes; return what has gone over the wire."""
    parameters = inspect.signature(method).parameters.values()
    given: list[object] = []
    named: dict[str, object] = {}
    fields: Any = None
    for one in parameters:
        if one.kind is inspect.Parameter.VAR_KEYWORD:
            if one.annotation is Any:  # a body that has one of several forms: mypy reads the overloads
                named["kind"] = "x"
            else:
                (fields,) = one.annotation.__args__
                named |= dict.fromkeys(get_type_hints(fields), "x")
        elif one.kind is inspect.Parameter.POSITIONAL_ONLY:
            given.append([{}] if one.name == "body" else f"{{{one.name}}}")
        else:
            named[one.name] = "mine"
    answer = method(*given, **named)
    if isinstance(answer, Pages | Feed):
        assert list(answer) == []
    request = requests.pop()
    assert request.headers["Tenor-Version"] == API_VERSION
    is_kept = "idempotency_key" in named
    if request.method == "POST":
        assert (request.headers["Idempotency-Key"] == "mine") is is_kept
    optional = {one.name for one in parameters if one.default is None} | {"idempotency_key"}
    sent = frozenset(json.loads(request.content)) if fields is not None else None
    return Called(
        method=request.method,
        path=request.url.path,
        query=frozenset(request.url.params),
        query_needed=frozenset(request.url.params) - optional,
        body=sent,
        body_needed=None if fields is None else fields.__required_keys__,
        is_kept=is_kept,
    )


def test_each_operation_of_the_document_is_exactly_one_method() -> None:
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json=EMPTY)

    with Client("http://tenor.test", key="k", transport=httpx.MockTransport(answer)) as client:
        found = {name: called(method, requests) for name, method in methods_of(client)}

    assert sorted(found.values(), key=str) == sorted(documented(), key=str)


def test_a_method_that_reads_is_called_so() -> None:
    """What answers with a list is `list` or `list_…`; what else reads is `retrieve` or `retrieve_…`; one is `check`."""
    with Client("http://tenor.test", key="k") as client:
        names = {name: inspect.signature(method).return_annotation for name, method in methods_of(client)}
    gets = {
        one["operationId"] for path in DOCUMENT["paths"].values() for method, one in path.items() if method == "get"
    }
    for name, returned in names.items():
        reads = name.replace(".", "_") in gets
        is_list = getattr(returned, "__origin__", None) in {Pages, Feed}
        verb = name.partition(".")[2].partition("_")[0]
        assert (verb in {"list"}) == is_list, name
        assert (verb in {"list", "retrieve"} or name == "entitlements.check") == reads, name


def test_operations_and_forms_are_what_the_document_gives(capsys: pytest.CaptureFixture[str]) -> None:
    stale = generate_client.main(is_check=True)

    assert stale == 0, capsys.readouterr().err


def test_the_client_brings_nothing_of_the_engine_with_it() -> None:
    asked = "import sys, tenor.client; print(*(name for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())

    assert {name for name in loaded if name.startswith("tenor.")} == {
        name for name in loaded if name == "tenor.client" or name.startswith("tenor.client.")
    }
    assert "httpx" in loaded
    assert loaded.isdisjoint({"psycopg", "fastapi", "starlette", "pydantic", "msgspec", "typer", "cryptography"})
