"""Usage over HTTP while its period runs: what it costs so far, who is told, when it is invoiced, and put right."""

from tests.integration.api.things import call, opened
from tests.support.api import Caller, refused


def test_what_usage_costs_so_far_and_who_is_told(caller: Caller) -> None:
    opened(caller)  # 0.50 USD a call
    caller.made("/clock/advance", {"to": "2026-01-15T00:00:00Z"}, status=200)
    caller.made("/usage/events", [call(number) for number in range(4)], status=200)

    so_far = caller.seen("/subscriptions/globex-1/usage")
    assert (so_far["cost"], so_far["billed"], so_far["currency"]) == ("2.00", "0.00", "USD")  # 4 calls of 0.50
    assert [(one["metric"], one["units"], one["cost"]) for one in so_far["charges"]] == [("calls", "4", "2.00")]
    assert caller.seen("/subscriptions/globex-1/usage", at="2026-01-05T00:00:00Z")["cost"] == "0.00"

    reached = caller.made("/subscriptions/globex-1/usage-alerts", {"metric": "calls", "at": "3"})
    assert [(one["threshold"], one["value"]) for one in reached["told"]] == [("3", "4")]
    ahead = caller.made("/subscriptions/globex-1/usage-alerts", {"percent": "80", "of": "5.00"})  # 4.00 USD
    assert (ahead["metric"], ahead["threshold"], ahead["told"]) == (None, "4", [])
    refused(caller.post("/subscriptions/globex-1/usage-alerts"), 422, "malformed_usage_alert")
    refused(caller.post("/subscriptions/globex-1/usage-alerts", {"metric": "moon", "at": "1"}), 404, "not_found")
    listed = caller.seen("/subscriptions/globex-1/usage-alerts")["data"]
    assert {one["id"] for one in listed} == {reached["id"], ahead["id"]}  # added at one instant: in any order
    for _ in range(2):
        assert caller.made(f"/usage-alerts/{ahead['id']}/remove", status=200) == {"id": ahead["id"]}
    assert [one["id"] for one in caller.seen("/subscriptions/globex-1/usage-alerts")["data"]] == [reached["id"]]

    one_less = caller.made(
        "/usage/cancellations", {"events": [{"source": "api", "event_id": "c-0"}], "reason": "a test"}, status=200
    )
    assert one_less["amended"] == [0]
    moved = [call(1, at="2026-01-02T00:00:00Z"), call(99), {"event_id": "c-2", "customer": "globex"}]
    put_right = caller.made("/usage/corrections", {"events": moved, "reason": "wrong hour"}, status=200)
    assert (put_right["amended"], [one["position"] for one in put_right["rejected"]]) == ([0], [1, 2])
    assert caller.seen("/subscriptions/globex-1/usage", at="2026-01-05T00:00:00Z")["cost"] == "0.50"
    assert caller.seen("/subscriptions/globex-1/usage")["cost"] == "1.50"
    assert caller.seen("/usage/late")["data"] == []


def test_usage_is_invoiced_when_it_reaches_a_threshold(caller: Caller) -> None:
    opened(caller)
    refused(
        caller.post("/subscriptions/globex-1/usage-thresholds", {"at": ["2.00", "1.00"]}), 422, "malformed_thresholds"
    )
    wide = caller.made("/customers/globex/usage-thresholds", {"at": ["100.00"], "currency": "USD"}, status=200)
    assert (wide["subscription_id"], wide["at"], wide["every"]) == (None, ["100"], None)
    own = caller.made("/subscriptions/globex-1/usage-thresholds", {"at": ["1.50"], "every": "9.00"}, status=200)
    assert (own["at"], own["every"], own["currency"]) == (["1.5"], "9", "USD")
    caller.made("/clock/advance", {"to": "2026-01-15T00:00:00Z"}, status=200)
    caller.made("/usage/events", [call(number) for number in range(4)], status=200)
    caller.made("/clock/advance", {"to": "2026-01-16T00:00:00Z"}, status=200)
    so_far = caller.seen("/subscriptions/globex-1/usage")
    assert (so_far["cost"], so_far["billed"]) == ("2.00", "2.00")
