"""The feed of events, endpoints for webhooks, and prepaid credits over the API."""

from tests.integration.api.things import opened
from tests.support.api import Caller, refused


def test_the_feed_tells_in_order_what_the_calls_have_done(caller: Caller) -> None:
    endpoint = caller.made("/webhook-endpoints", {"url": "https://hooks.acme.example/x", "event_types": ["customer.*"]})
    opened(caller)
    feed = caller.seen("/events", limit=1_000)
    types = [one["type"] for one in feed["events"]]
    assert [one["position"] for one in feed["events"]] == list(range(1, len(types) + 1))
    assert types.index("price_book.applied") < types.index("customer.created") < types.index("subscription.subscribed")
    assert (feed["next_after"], feed["has_more"]) == (len(types), False)
    assert caller.seen("/events", after=feed["next_after"])["events"] == []

    (made,) = caller.seen("/events", type="customer.*")["events"]
    assert (made["type"], made["sequence"]) == ("customer.created", 1)
    assert caller.seen(f"/events/{made['id']}") == made
    assert caller.seen("/events", object=made["object_id"])["events"] == [made]
    refused(caller.get("/events", type="customer"), 422, "not_an_event_type")

    assert endpoint["secret"].startswith("whsec_")
    (shown,) = caller.seen("/webhook-endpoints")["data"]
    assert "secret" not in shown
    assert (shown["event_types"], shown["status"], shown["pending"]) == (["customer.*"], "active", 0)
    path = f"/webhook-endpoints/{endpoint['id']}"
    assert caller.made(f"{path}/rotate", status=200)["secret"] != endpoint["secret"]
    assert caller.made(f"{path}/replay", {"event": made["id"]}, status=200) == {"messages": 1}
    (waiting,) = caller.seen(f"{path}/messages", status="pending")["data"]
    assert waiting["event_id"] == made["id"]
    assert caller.seen(f"{path}/attempts")["data"] == []
    assert caller.made(f"{path}/disable", status=200)["disabled_because"] == "operator"
    assert caller.made(f"{path}/enable", status=200)["status"] == "active"
    for url in ("http://hooks.acme.example", "https://127.0.0.1/", "https://localhost/x", "https://user@acme.example/"):
        refused(caller.post("/webhook-endpoints", {"url": url}), 422, "unsafe_url")


def test_credits_are_granted_held_used_and_given_back(caller: Caller) -> None:
    caller.made("/customers", {"external_id": "globex"})
    path = "/customers/globex/wallets"
    made = caller.made(path, {"currency": "USD", "unit": "tokens", "rate": "0.01"})
    assert (made["code"], made["available"]) == ("main", "0")
    gift = caller.made(f"{path}/main/grants", {"amount": "100", "priority": 0})
    paid = caller.made(f"{path}/main/grants", {"amount": "500", "cost": "4.00"})
    assert (gift["category"], paid["category"], paid["cost"]) == ("promotional", "paid", "4.00")

    later = "2026-01-02T00:00:00Z"
    held = caller.made(f"{path}/main/reservations", {"amount": "300", "key": "chat-1", "expires_at": later})
    assert (held["status"], caller.seen(f"{path}/main")["available"]) == ("held", "300")  # 600 − 300
    done = caller.made(f"/wallet-uses/{held['id']}/commit", {"amount": "120"}, status=200)
    assert (done["status"], done["used"]) == ("used", "120")
    used = caller.made(f"{path}/main/uses", {"amount": "30", "key": "chat-2"})
    assert caller.seen(f"{path}/main")["available"] == "450"  # 600 − 120 − 30
    back = caller.made(f"/wallet-uses/{used['id']}/give-back", {"amount": "10"}, status=200)
    assert (back["used"], caller.seen(f"{path}/main")["available"]) == ("20", "460")
    refused(caller.post(f"{path}/main/uses", {"amount": "461", "key": "chat-3"}), 422, "credit_exhausted")

    # The gift burns first: 100 of it and 40 of the paid 500 are used.
    assert [one["remaining"] for one in caller.seen(f"{path}/main/grants")["data"]] == ["460"]
    assert [one["remaining"] for one in caller.seen(f"{path}/main/grants", all=True)["data"]] == ["0", "460"]
    assert caller.made(f"/credit-grants/{paid['id']}/void", status=200) == {"voided": "460"}
    assert caller.seen(path)["data"][0]["available"] == "0"
    kinds = [one["kind"] for one in caller.seen(f"{path}/main/entries")["data"]]
    assert kinds[:2] == ["granted", "granted"]
    assert kinds[-1] == "voided"
    assert caller.seen("/ledger/trial-balance")["difference"] == {"USD": "0.00"}
