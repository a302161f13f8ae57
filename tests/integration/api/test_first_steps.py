"""A company from its first price to its first corrections, over the API alone."""

import time

from tenor.platform.tenants import create_tenant
from tests.integration.api.conftest import World
from tests.integration.api.things import BOOK, call, opened
from tests.support.api import Caller, answer, refused


def test_subscribe_send_usage_move_the_clock_and_explain_the_invoice(caller: Caller) -> None:
    planned = caller.made("/price-books/plan", {"source": BOOK}, status=200)
    assert (planned["edition"], [one["action"] for one in planned["plans"]]) == (1, ["new", "new"])
    assert caller.seen("/plans")["data"] == []
    held = opened(caller)
    assert [one["plan"] for one in caller.seen("/plans")["data"]] == ["extra", "team"]
    assert (held["status"], held["version"], held["starts_at"]) == ("active", 1, "2026-01-01T00:00:00Z")

    caller.made("/clock/advance", {"to": "2026-01-15T00:00:00Z"}, status=200)
    sent = caller.made("/usage/events", [call(1), call(2), call(3, customer="nobody"), call(2)], status=200)
    assert (sent["accepted"], sent["duplicates"], sent["conflicts"]) == (2, [3], [])
    assert [(one["position"], one["field"]) for one in sent["rejected"]] == [(2, "customer")]
    used = caller.seen("/usage", customer="globex", metric="calls")
    assert used["usage"] == [{"dimensions": {}, "units": "2", "events": 2}]

    moved = caller.made("/clock/advance", {"to": "2026-02-01T00:00:00Z"}, status=200)
    assert (moved["now"], moved["is_there"]) == ("2026-02-01T00:00:00Z", True)
    # January at once: 20.00 + 3 × 8.00 = 44.00, tax 8.80. February with January's 2 × 0.50: 45.00, tax 9.00.
    february, january = caller.seen("/invoices")["data"]
    assert (january["total"], february["total"]) == ("52.80", "54.00")
    assert (january["issued_at"], february["issued_at"]) == ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z")

    shown = caller.seen(f"/invoices/{february['number']}", explain=True)
    (calls,) = (line for line in shown["lines"] if line["charge"] == "calls")
    assert (calls["amount"], calls["tax"]) == ("1.00", "0.20")
    assert "2 × 0.5" in " ".join(calls["explanation"])
    assert caller.seen(f"/invoices/{february['id']}")["total"] == shown["total"]

    balance = caller.seen("/ledger/trial-balance")
    assert balance["difference"] == {"USD": "0.00"}
    transfers = caller.seen("/ledger/transfers", invoice=february["id"])["data"]
    assert {one["source_type"] for one in transfers} == {"invoice"}
    assert caller.seen("/clock") == {"now": "2026-02-01T00:00:00Z", "is_sandbox": True}


def test_changes_are_quoted_accepted_scheduled_and_taken_back(caller: Caller) -> None:
    held = opened(caller)
    caller.made("/clock/advance", {"to": "2026-01-11T00:00:00Z"}, status=200)
    path = f"/subscriptions/{held['id']}"
    more = {"kind": "change_quantity", "quantities": {"seats": "5"}}

    offer = caller.made(f"{path}/quotes", more, status=200)
    # 2 seats more at 8.00 for 21 of 31 days: 10.8387, rounded 10.84; tax 2.17
    assert [one["total"] for one in offer["documents"]] == ["13.01"]
    assert caller.seen(path)["version"] == 1  # nothing of it has stayed
    changed = caller.made(f"{path}/changes", more | {"quote": offer["quote"]}, status=200)
    assert [one["total"] for one in changed["documents"]] == ["13.01"]
    assert changed["version"] == 2
    refused(caller.post(f"{path}/changes", more | {"quote": offer["quote"]}), 409, "version_conflict")
    refused(caller.post(f"{path}/changes", more | {"version": 1}), 409, "version_conflict")

    ended = caller.made(f"{path}/changes", {"kind": "cancel"}, status=200)
    assert (ended["ends_at"], ended["cancels_at_end"]) == ("2026-02-01T00:00:00Z", True)
    (ahead,) = caller.seen(f"{path}/changes", ahead=True)["data"]
    undone = caller.made(f"{path}/changes", {"kind": "undo", "entry": ahead["entry"]}, status=200)
    assert undone["ends_at"] is None
    assert [one["is_standing"] for one in caller.seen(f"{path}/changes")["data"]] == [True, True, False, False]

    caller.made(f"{path}/changes", {"kind": "add_add_on", "plan": "extra"}, status=200)
    paused = caller.made(f"{path}/changes", {"kind": "pause", "cycles": 1}, status=200)
    assert paused["status"] == "paused"
    told = caller.seen(path, expand=["customer", "timeline"])
    assert told["customer"]["external_id"] == "globex"
    assert {phase["plan"] for phase in told["timeline"]} == {"team version 1", "extra version 1"}
    kept = caller.made(f"{path}/metadata", {"metadata": {"crm": "42"}}, status=200)
    assert (kept["metadata"], kept["version"]) == ({"crm": "42"}, paused["version"])
    assert caller.seen("/subscriptions", customer="globex", status="paused")["data"][0]["metadata"] == {"crm": "42"}

    wrong = {"kind": "extend_term", "forever": True, "by": "1 year", "colour": "red"}
    problem = refused(caller.post(f"{path}/changes", wrong), 422, "request_malformed")
    assert [one["path"] for one in problem["errors"]] == ["/colour"]
    refused(caller.post(f"{path}/changes", {"kind": "explode"}), 422, "request_malformed")


def test_documents_are_credited_paid_voided_and_charged(caller: Caller) -> None:
    opened(caller)
    caller.made("/clock/advance", {"to": "2026-01-02T00:00:00Z"}, status=200)
    (first,) = caller.seen("/invoices")["data"]
    note = caller.made(
        f"/invoices/{first['id']}/credit-notes", {"lines": [{"line": 1, "amount": "5.00"}], "reason": "a bad day"}
    )
    assert (note["kind"], note["total"], note["credits"]) == ("credit_note", "-6.00", first["number"])
    paid = caller.made(
        "/payments",
        {"customer": "globex", "currency": "USD", "amount": "46.80", "method": "transfer", "reference": "b-1"},
    )
    assert (paid["paid"], paid["to_credit"]) == ([{"document": first["number"], "amount": "46.80"}], "0.00")
    assert caller.seen(f"/invoices/{first['id']}")["status"] == "paid"
    refused(caller.post(f"/invoices/{first['id']}/void", {"reason": "late"}), 409, "document_paid")

    charged = caller.made(
        "/charges", {"customer": "globex", "currency": "USD", "amount": "10.00", "description": "Setup"}
    )
    assert caller.seen("/invoices", open=True)["data"][0]["number"] == charged["document"]
    voided = caller.made(f"/invoices/{charged['document']}/void", {"reason": "by mistake"})
    assert voided["total"] == "-12.00"
    assert caller.seen("/invoices", open=True)["data"] == []
    credited = caller.made(
        "/credits",
        {
            "customer": "globex",
            "currency": "USD",
            "amount": "3.00",
            "description": "Sorry",
            "invoicing": "next_invoice",
        },
    )
    assert (credited["amount"], credited["document"]) == ("-3.00", None)
    refused(
        caller.post("/charges", {"customer": "globex", "currency": "USD", "amount": "1.005", "description": "x"}),
        422,
        "not_a_decimal",
    )


def test_what_may_be_used_follows_plan_and_decisions(caller: Caller) -> None:
    opened(caller)
    path = "/customers/globex/entitlements"
    plan = caller.seen(f"{path}/export")
    assert (plan["allowed"], plan["limit"], plan["reason"]) == (True, "10", "in_plan")
    assert caller.seen(f"{path}/sso")["allowed"] is False
    refused(caller.get(f"{path}/moon"), 404, "feature_not_found")

    granted = caller.made(path, {"feature": "sso", "limit": "5"})
    assert granted["entitlement"]["limit"] == "5"
    caller.made(f"/entitlement-overrides/{granted['id']}/revoke", status=200)
    assert caller.seen(f"{path}/sso")["allowed"] is False
    assert [one["feature"] for one in caller.seen(path, at="2026-01-01T00:00:00Z")["data"]] == ["export"]


def test_a_bill_run_is_started_watched_and_reported(caller: Caller) -> None:
    opened(caller)
    started = answer(caller.post("/bill-runs", {"as_of": "2026-03-01T00:00:00Z"}), 202)
    deadline = time.monotonic() + 20
    while (run := caller.seen(f"/bill-runs/{started['id']}"))["status"] == "running":
        assert time.monotonic() < deadline, run
        time.sleep(0.02)
    # January, February and March: 44.00 each and 20 % of tax
    assert run["documents"] == [{"kind": "invoice", "currency": "USD", "count": 3, "total": "158.40"}]
    assert (run["subscriptions"], run["done"], run["parked"]) == (1, 1, 0)
    assert caller.seen(f"/bill-runs/{started['id']}/parked")["data"] == []
    again = answer(caller.post("/bill-runs", {"as_of": "2026-03-01T00:00:00Z"}), 202)
    assert (again["subscriptions"], again["documents"]) == (0, [])
    assert {one["id"] for one in caller.seen("/bill-runs")["data"]} == {started["id"], again["id"]}


def test_on_the_way_through_time_everything_happens_at_its_own_instant(caller: Caller) -> None:
    opened(caller)
    moved = caller.made("/clock/advance", {"to": "2026-06-15T00:00:00Z"}, status=200)
    assert (moved["now"], moved["is_there"]) == ("2026-06-15T00:00:00Z", True)
    months = [f"2026-0{month}-01T00:00:00Z" for month in range(1, 7)]
    assert [run["as_of"] for run in moved["runs"]] == months
    assert [one["issued_at"] for one in caller.seen("/invoices")["data"]] == list(reversed(months))
    assert caller.made("/clock/advance", {"to": "2026-06-15T00:00:00Z"}, status=200)["runs"] == []
    refused(caller.post("/clock/advance", {"to": "2026-06-14T00:00:00Z"}), 422, "malformed")
    for path, body in (("/clock/advance", "to"), ("/bill-runs", "as_of")):
        refused(caller.post(path, {body: "2099-01-01T00:00:00Z"}), 422, "beyond_clock")


def test_only_a_sandbox_travels_in_time(world: World) -> None:
    live = world.caller(create_tenant(world.database, slug="live", name="Live"))
    refused(live.post("/clock/advance", {"to": "2030-01-01T00:00:00Z"}), 422, "not_a_sandbox")
    refused(live.post("/bill-runs", {"as_of": "2999-01-01T00:00:00Z"}), 422, "beyond_clock")
