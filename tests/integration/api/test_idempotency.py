"""A call that is repeated has one effect and one answer."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from unittest.mock import patch

import httpx
from psycopg import OperationalError

from tenor.api import call
from tenor.platform import idempotency
from tenor.platform.repetition import KEPT_FOR
from tenor.platform.tenants import set_clock
from tests.integration.api.conftest import START, World
from tests.integration.api.things import opened
from tests.support.api import Caller, answer, refused

ACME = {"external_id": "acme", "name": "Acme"}


def names(caller: Caller) -> list[str]:
    """Return the external ids of all customers, the newest first."""
    return [one["external_id"] for one in caller.seen("/customers")["data"]]


def test_fifty_identical_calls_at_once_make_one_customer_and_get_one_answer(caller: Caller) -> None:
    gate = Barrier(50)

    def call_once(_: int) -> httpx.Response:
        gate.wait()
        return caller.post("/customers", ACME, key="signup-1")

    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(call_once, range(50)))

    assert {one.status_code for one in answers} == {201}
    assert len({one.content for one in answers}) == 1
    assert sum("idempotent-replayed" in one.headers for one in answers) == 49
    assert names(caller) == ["acme"]


def test_of_calls_with_keys_of_their_own_for_one_name_one_makes_it(caller: Caller) -> None:
    opened(caller)
    wanted = {"customer": "globex", "plan": "team", "external_id": "second"}
    with ThreadPoolExecutor(8) as threads:
        told = list(threads.map(lambda number: caller.post("/subscriptions", wanted, key=f"k{number}"), range(8)))
    # Who lost the race is refused, or told to try again: that is no bug of the engine's, to be kept under the key.
    assert {one.status_code for one in told} <= {201, 409, 503}
    assert len({one.json()["id"] for one in told if one.status_code == 201}) == 1
    assert [one["external_id"] for one in caller.seen("/subscriptions")["data"]] == ["second", "globex-1"]
    assert caller.post("/subscriptions", wanted, key="k0").status_code in {201, 409}


def test_a_key_belongs_to_one_call_of_one_credential(world: World) -> None:
    tenant = world.tenant()
    caller, colleague, stranger = world.caller(tenant), world.caller(tenant), world.caller(world.tenant())
    first = answer(caller.post("/customers", ACME, key="k"), 201)

    refused(caller.post("/customers", ACME | {"name": "Other"}, key="k"), 422, "idempotency_key_reused")
    refused(caller.post(f"/customers/{first['id']}", {"name": "B"}, key="k"), 422, "idempotency_key_reused")
    refused(colleague.post("/customers", ACME, key="k"), 422, "idempotency_key_reused")
    assert answer(stranger.post("/customers", ACME, key="k"), 201)["id"] != first["id"]
    assert answer(caller.post("/customers", ACME, key="k"), 201) == first

    without = world.client.post("/v1/customers", json=ACME, headers=caller.headers())
    problem = refused(without, 400, "idempotency_key_missing")
    assert problem["errors"][0]["path"] == "Idempotency-Key"
    refused(caller.post("/customers", ACME, key="x" * 256), 400, "header_malformed")


def test_a_refusal_is_not_kept_and_an_unexpected_failure_is(caller: Caller) -> None:
    refused(caller.post("/customers", {"external_id": ""}, key="k1"), 422, "request_malformed")
    refused(caller.post("/customers", ACME | {"timezone": "Mars/Base"}, key="k1"), 422, "unknown_zone")
    assert answer(caller.post("/customers", ACME, key="k1"), 201)["name"] == "Acme"

    with patch("tenor.api.resources.customers.create_customer", side_effect=ZeroDivisionError("a bug")):
        failed = caller.post("/customers", {"external_id": "blue"}, key="k2")
    problem = refused(failed, 500, "internal_error")
    assert "bug" not in failed.text
    assert problem["request_id"] == failed.headers["request-id"]
    again = caller.post("/customers", {"external_id": "blue"}, key="k2")
    assert (again.status_code, again.content) == (500, failed.content)
    assert answer(caller.post("/customers", {"external_id": "blue"}, key="k3"), 201)["external_id"] == "blue"


def test_an_answer_that_was_lost_after_the_commit_is_told_to_the_repetition(caller: Caller) -> None:
    """The connection breaks between the commit and the answer: the customer is there, and the caller knows nothing."""
    with patch.object(call, "replied", side_effect=RuntimeError("the process ends here")):
        lost = caller.post("/customers", ACME, key="signup")
    assert lost.status_code == 500
    assert names(caller) == ["acme"]

    told = caller.post("/customers", ACME, key="signup")
    assert answer(told, 201)["external_id"] == "acme"
    assert told.headers["idempotent-replayed"] == "true"
    assert names(caller) == ["acme"]


def test_what_dies_before_the_commit_leaves_neither_effect_nor_answer(caller: Caller) -> None:
    with patch.object(call, "keep_answer", side_effect=OperationalError("connection lost")):
        refused(caller.post("/customers", ACME, key="signup"), 503, "try_again")
    assert names(caller) == []
    assert answer(caller.post("/customers", ACME, key="signup"), 201)["external_id"] == "acme"


def test_an_answer_is_kept_for_a_day_sealed_and_then_forgotten(world: World) -> None:
    tenant = world.tenant()
    caller = world.caller(tenant)
    issued = answer(caller.post("/api-keys", {"name": "ci"}, key="k"), 201)
    assert answer(caller.post("/api-keys", {"name": "ci"}, key="k"), 201) == issued  # the secret, too

    with world.database.transaction(tenant) as uow:
        ((body, answered_at, expires_at),) = uow.fetch_all(
            "select body, answered_at, expires_at from idempotency_answers"
        )
        assert issued["secret"].encode() not in bytes(body)
        assert b"ci" not in bytes(body)
        assert expires_at - answered_at == KEPT_FOR
        assert uow.fetch_one("select tenor.forget_expired_answers(%s)", [answered_at]) == (0,)
        assert uow.fetch_one("select tenor.forget_expired_answers(%s)", [expires_at]) == (1,)
    set_clock(world.database, tenant, START)  # the clock of a sandbox is no matter of keys and answers
    assert answer(caller.post("/api-keys", {"name": "ci"}, key="k"), 201)["id"] != issued["id"]


def test_a_call_whose_twin_does_not_end_is_told_so(world: World) -> None:
    tenant = world.tenant()
    caller = world.caller(tenant)
    with (
        patch.object(idempotency, "WAIT_SECONDS_MAX", 1),
        world.database.transaction(tenant) as uow,
        ThreadPoolExecutor(1) as threads,
    ):
        name = f"idempotency {tenant} k"
        uow.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
        waiting = threads.submit(caller.post, "/customers", ACME, key="k")
        refused(waiting.result(20), 409, "idempotency_call_running")
    assert answer(caller.post("/customers", ACME, key="k"), 201)["external_id"] == "acme"
