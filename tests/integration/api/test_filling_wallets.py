"""Wallets over HTTP: credit is bought, ordered, promised, and somebody is told when little is left."""

from tests.support.api import Caller, refused

MAIN = "/customers/globex/wallets/main"


def test_what_fills_a_wallet(caller: Caller) -> None:
    caller.made("/customers", {"external_id": "globex", "name": "Globex", "tax_percent": "20"})
    opened = caller.made("/customers/globex/wallets", {"currency": "USD", "pays": "everything"})
    assert (opened["pays"], opened["available"]) == ("everything", "0")

    sold = caller.made(f"{MAIN}/purchases", {"amount": "50", "price": "40.00"})
    assert (sold["credits"], sold["due"], sold["status"], sold["grant_id"]) == ("50", "40.00", "pending", None)
    assert caller.seen(f"/invoices/{sold['invoice']}")["total"] == "40.00"  # taxed when it is used, not when it is sold
    payment = {"customer": "globex", "currency": "USD", "amount": "40.00", "method": "wire", "reference": "w-1"}
    caller.made("/payments", {**payment, "invoices": [sold["invoice"]]})
    assert caller.seen(MAIN)["available"] == "50"
    at_once = caller.made(f"{MAIN}/purchases", {"amount": "5", "granted": "at_once"})
    assert (at_once["due"], at_once["status"]) == ("5.00", "granted")
    assert caller.seen(MAIN)["available"] == "55"

    promised = caller.made(f"{MAIN}/promises", {"code": "weekly", "amount": "3", "every": "2 weeks"})
    assert (promised["every"], promised["next_at"]) == ("2 weeks", "2026-01-15T00:00:00Z")
    assert caller.seen(MAIN)["available"] == "58"
    assert caller.made(f"{MAIN}/promises/weekly/stop", status=200)["next_at"] is None
    assert [one["code"] for one in caller.seen(f"{MAIN}/promises")["data"]] == ["weekly"]
    refused(caller.post(f"{MAIN}/promises/moon/stop"), 404, "not_found")

    alert = caller.made(f"{MAIN}/alerts", {"threshold": "10.0"})
    assert alert == {"threshold": "10", "is_below": False}
    assert caller.seen(f"{MAIN}/alerts")["data"] == [alert]


def test_a_wallet_is_filled_up_when_little_is_left(caller: Caller) -> None:
    caller.made("/customers", {"external_id": "globex", "name": "Globex"})
    caller.made("/customers/globex/wallets", {"currency": "USD"})
    assert caller.seen(f"{MAIN}/top-ups") == {"rule": None, "top_ups": []}
    rule = caller.made(f"{MAIN}/top-up-rule", {"threshold": "5", "target": "20"}, status=200)
    caller.made("/clock/advance", {"to": "2026-01-02T00:00:00Z"}, status=200)
    told = caller.seen(f"{MAIN}/top-ups")
    assert told["rule"] == rule
    (ordered,) = told["top_ups"]
    assert (ordered["amount"], ordered["price"]) == ("20", "20.00")
    assert (ordered["status"], ordered["is_invoiced"]) == ("pending", False)
    failed = caller.made(f"/top-ups/{ordered['top_up_id']}/settle", {"is_paid": False}, status=200)
    assert (failed["status"], failed["grant_id"]) == ("failed", None)
    refused(caller.post(f"/top-ups/{ordered['top_up_id']}/settle", {"is_paid": True}), 409, "top_up_settled")
    assert caller.made("/top-ups/bill", status=200) == {"invoices": []}
    refused(caller.post("/top-ups/top_nothing/settle", {"is_paid": True}), 404, "not_found")
