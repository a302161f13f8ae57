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


def test_who_has_signed_in_sets_a_new_password_by_the_old_one_and_is_signed_out_everywhere_else(world: World) -> None:
    tenant = world.tenant()
    caller, stranger = world.caller(tenant), Caller(world.client, "nothing")
    with world.database.transaction(tenant) as uow:
        ((slug,),) = uow.fetch_all("select slug from tenants")
    vic = caller.made("/users", {"email": "v@acme.example", "name": "Vic", "role": "viewer", "password": RIGHT})
    caller.made("/users", {"email": "w@acme.example", "name": "Wes", "role": "viewer", "password": RIGHT})
    opened = [stranger.made("/sessions", attempt(slug, "v@acme.example")) for _ in range(4)]
    here, there, elsewhere, last = (Caller(world.client, one["secret"]) for one in opened)
    other = stranger.made("/sessions", attempt(slug, "w@acme.example"))

    listed = here.seen("/sessions", limit=3)
    assert [(one["id"], one["is_current"]) for one in listed["data"]] == [
        (opened[3]["id"], False),
        (opened[2]["id"], False),
        (opened[1]["id"], False),
    ]
    (mine,) = here.seen("/sessions", after=listed["next"])["data"]
    assert (mine["id"], mine["is_current"], mine["expires_at"]) == (opened[0]["id"], True, opened[0]["expires_at"])
    here.made(f"/sessions/{opened[3]['id']}/end", status=200)
    here.made(f"/sessions/{opened[3]['id']}/end", status=200)  # repeatable
    refused(last.get("/sessions/current"), 401, "unauthenticated")
    refused(here.post(f"/sessions/{other['id']}/end"), 404, "not_found")  # another user's
    Caller(world.client, other["secret"]).seen("/sessions/current")

    new = "staple staple staple"
    refused(caller.post("/sessions/current/password", {"old_password": RIGHT, "password": new}), 403, "not_a_session")
    refused(there.post("/sessions/current/password", {"password": new}), 422, "request_malformed")
    wrong = there.post("/sessions/current/password", {"old_password": "wrong horse battery", "password": new})
    refused(wrong, 403, "password_wrong")
    soft = there.post("/sessions/current/password", {"old_password": RIGHT, "password": "V@ACME.example"})
    refused(soft, 422, "malformed_user")
    with world.database.transaction(tenant) as uow:
        assert uow.fetch_all("select failures from users where email = 'v@acme.example'") == [(1,)]
    body = {"old_password": RIGHT, "password": new}
    done = here.post("/sessions/current/password", body, key="change")
    assert (done.status_code, done.json()["id"]) == (200, vic["id"])
    assert here.post("/sessions/current/password", body, key="change").content == done.content  # not tried again
    assert [one["id"] for one in here.seen("/sessions")["data"]] == [opened[0]["id"]]
    for ended in (there, elsewhere):
        refused(ended.get("/sessions/current"), 401, "unauthenticated")
    refused(stranger.post("/sessions", attempt(slug, "v@acme.example")), 401, "unauthenticated")
    stranger.made("/sessions", attempt(slug, "v@acme.example", new))
    with world.database.transaction(tenant) as uow:
        deeds = uow.fetch_all("select actor from audit_records where action in ('user.password_set', 'session.ended')")
    assert deeds == [(vic["id"],)] * 2


def test_the_old_password_cannot_be_guessed_with_a_stolen_session(world: World) -> None:
    tenant = world.tenant()
    caller, stranger = world.caller(tenant), Caller(world.client, "nothing")
    with world.database.transaction(tenant) as uow:
        ((slug,),) = uow.fetch_all("select slug from tenants")
    caller.made("/users", {"email": "v@acme.example", "name": "Vic", "role": "viewer", "password": RIGHT})
    session = Caller(world.client, stranger.made("/sessions", attempt(slug, "v@acme.example"))["secret"])
    for guess in ("one guess", "two guesses", "three guesses", "four guesses", "five guesses", RIGHT):
        tried = session.post("/sessions/current/password", {"old_password": guess, "password": "staple staple staple"})
        refused(tried, 403, "password_wrong")  # after five failures even the right one has to wait
