"""People sign in over HTTP, do what their role lets them, and are sent away; nobody learns who there is."""

from collections.abc import Iterator
from unittest.mock import patch

import httpx
import pytest
from argon2 import PasswordHasher

from tenor.access.users import passwords
from tenor.api import create_app
from tests.integration.api.conftest import World
from tests.support.api import Caller, refused, served
from tests.support.postgres import Server

RIGHT = "correct horse battery"


@pytest.fixture(autouse=True)
def _quick_hashes() -> Iterator[None]:
    """Passwords hashed cheaply: what is tested is not how long it takes."""
    with patch.object(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)):
        yield


def attempt(slug: str, email: str, password: str = RIGHT) -> dict[str, str]:
    """Return the body of an attempt to sign in."""
    return {"tenant": slug, "email": email, "password": password}


def test_a_session_is_a_credential_with_the_rights_of_its_users_role(world: World) -> None:
    tenant = world.tenant()
    caller = world.caller(tenant)
    with world.database.transaction(tenant) as uow:
        ((slug,),) = uow.fetch_all("select slug from tenants")
    for name, role in (("ada", "owner"), ("fin", "finance")):
        caller.made("/users", {"email": f"{name}@acme.example", "name": name, "role": role, "password": RIGHT})
    stranger = Caller(world.client, "nothing")
    opened = stranger.made("/sessions", attempt(slug, "FIN@acme.example"))
    assert opened["secret"].startswith("tnr_session_")
    fin = Caller(world.client, opened["secret"])
    assert fin.seen("/sessions/current") == opened["user"]

    fin.made("/customers", {"external_id": "acme"})  # finance writes customers, and sees no keys or users
    with world.database.transaction(tenant) as uow:
        done = uow.fetch_all("select actor from audit_records where action = 'customer.created'")
    assert done == [(opened["user"]["id"],)]
    assert refused(fin.get("/users"), 403, "scope_missing")["scope"] == "users:read"
    refused(fin.post("/subscriptions", {"customer": "acme", "plan": "p", "external_id": "s"}), 403, "scope_missing")

    caller.made(f"/users/{opened['user']['id']}/role", {"role": "viewer"}, status=200)  # holds from the next call
    refused(fin.post("/customers", {"external_id": "more"}), 403, "scope_missing")
    fin.made("/sessions/current/end", status=200)
    refused(fin.get("/sessions/current"), 401, "unauthenticated")
    refused(caller.get("/sessions/current"), 403, "not_a_session")  # a key has none


def test_nobody_makes_or_becomes_somebody_who_may_do_more(world: World) -> None:
    tenant = world.tenant()
    caller, weak = world.caller(tenant), world.caller(tenant, "users:write", "users:read")
    ada = caller.made("/users", {"email": "ada@acme.example", "name": "Ada", "role": "owner"})
    bob = caller.made("/users", {"email": "bob@acme.example", "name": "Bob", "role": "viewer"})
    for path, body in (
        ("/users", {"email": "eve@acme.example", "name": "Eve", "role": "owner"}),
        (f"/users/{bob['id']}/role", {"role": "owner"}),
        (f"/users/{ada['id']}/role", {"role": "viewer"}),
        (f"/users/{ada['id']}/password", {"password": RIGHT}),
        (f"/users/{ada['id']}/disable", {}),
    ):
        refused(weak.post(path, body), 403, "scope_missing")
    assert [one["role"] for one in weak.seen("/users")["data"]] == ["owner", "viewer"]
    refused(caller.post(f"/users/{ada['id']}/disable"), 409, "last_owner")
    tried = caller.post(f"/users/{bob['id']}/password", {"password": "hunter2"})
    refused(tried, 422, "request_malformed")
    assert "hunter2" not in tried.text


def test_an_attempt_tells_nothing_but_that_it_failed(world: World) -> None:
    tenant = world.tenant()
    caller, stranger = world.caller(tenant), Caller(world.client, "nothing")
    with world.database.transaction(tenant) as uow:
        ((slug,),) = uow.fetch_all("select slug from tenants")
    for name in ("ada", "bob", "no-password"):
        password = {} if name == "no-password" else {"password": RIGHT}
        made = caller.made("/users", {"email": f"{name}@acme.example", "name": name, "role": "owner", **password})
        if name == "bob":
            caller.made(f"/users/{made['id']}/disable", status=200)
    with patch("tenor.access.users.sessions.is_right", wraps=passwords.is_right) as hashing:
        told = [
            stranger.post("/sessions", attempt(*words))
            for words in (
                (slug, "ada@acme.example", "wrong horse battery"),
                (slug, "bob@acme.example"),  # disabled
                (slug, "no-password@acme.example"),
                (slug, "nobody@acme.example"),
                ("no-such-tenant", "ada@acme.example"),
            )
        ]
    assert hashing.call_count == 5  # each takes the time of a hash
    bodies = [{**refused(one, 401, "unauthenticated"), "request_id": ""} for one in told]
    assert bodies == [bodies[0]] * 5
    for _ in range(4):  # with the first, five failures: even the right password has to wait
        refused(stranger.post("/sessions", attempt(slug, "ada@acme.example", "wrong")), 401, "unauthenticated")
    refused(stranger.post("/sessions", attempt(slug, "ada@acme.example")), 401, "unauthenticated")


def test_an_address_may_try_only_so_often(world: World, server: Server) -> None:
    app = create_app(world.database, server.settings("unused"), sign_ins_per_minute=2)
    with served(app) as base, httpx.Client(base_url=base, trust_env=False) as client:
        stranger = Caller(client, "nothing")
        told = [stranger.post("/sessions", attempt("acme", f"{number}@acme.example")) for number in range(3)]
    assert [one.status_code for one in told] == [401, 401, 429]
    refused(told[2], 429, "rate_limited")
    assert int(told[2].headers["retry-after"]) <= 30
