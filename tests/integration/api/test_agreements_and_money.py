"""What is agreed with one customer, and the money that comes and goes, over the API: one story of one company."""

from tests.integration.api.things import CONTRACT, opened
from tests.support.api import Caller, refused


def test_coupons_contracts_taxes_and_refunds(caller: Caller) -> None:
    subscription = opened(caller)
    _redeem_a_coupon(caller)
    _agree_a_contract(caller, subscription["id"])
    _tax_by_profile_and_override(caller)
    _pay_and_send_back(caller)


def _redeem_a_coupon(caller: Caller) -> None:
    limited = {"max_redemptions": 9, "minimum_order": {"amount": "1.00", "currency": "USD"}}
    spring = {"code": "spring", "percent_off": "10", "duration": "repeating", "periods": 3, **limited}
    offered = caller.made("/coupons", spring)
    assert (offered["percent_off"], offered["minimum_order"]) == ("10", {"amount": "1.00", "currency": "USD"})
    assert caller.made("/coupons", spring) == offered  # the same again is the same one
    refused(caller.post("/coupons", {**spring, "amount_off": "5", "currency": "USD"}), 422, "malformed_discount")
    refused(caller.post("/coupons", {**spring, "percent_off": "11"}), 409, "coupon_code_taken")

    word = caller.made("/promotion-codes", {"code": "Hello", "coupon": "spring", "customer": "globex"})
    assert (word["code"], word["coupon"]) == ("HELLO", "spring")
    apply = {"kind": "apply_discount", "promotion_code": "hello"}
    caller.made("/subscriptions/globex-1/changes", apply, status=200)
    (listed,) = caller.seen("/coupons")["data"]
    assert (listed["redeemed"], listed["promotion_codes"]) == (1, ["HELLO"])
    assert caller.seen("/coupons/spring") == listed
    refused(caller.get("/coupons/summer"), 404, "coupon_not_found")
    assert caller.made("/coupons/spring/archive", status=200)["archived_at"] == "2026-01-01T00:00:00Z"
    refused(caller.post("/promotion-codes", {"code": "LATE", "coupon": "spring"}), 422, "coupon_archived")
    refused(caller.post("/coupons/summer/archive"), 404, "coupon_not_found")


def _agree_a_contract(caller: Caller, subscription: str) -> None:
    agreed = caller.made("/customers/globex/contracts", {"source": CONTRACT})
    assert (agreed["version"], agreed["payment_terms"]) == (1, {"kind": "net", "days": 45})
    assert agreed["steps"][0]["differences"] != []
    assert caller.seen("/contracts/globex-2026", version=1) == agreed
    (listed,) = caller.seen("/contracts", customer="globex")["data"]
    assert (listed["id"], "differences" in listed["steps"][0]) == (agreed["id"], False)
    refused(caller.get("/contracts/globex-2026", version=2), 404, "contract_not_found")
    for answered in (caller.get("/contracts", customer="\0"), caller.get("/customers/a%00b")):
        (error,) = refused(answered, 422, "request_malformed")["errors"]
        assert error["path"].endswith("customer")
    refused(caller.post("/customers/globex/contracts", {"source": "contract: x"}), 422, "malformed_contract")

    # A base fee of 15 and 3 seats at 8: 39.00, with 20 % of tax 46.80.
    quoted = caller.made("/contracts/globex-2026/quotes", {"external_id": "globex-2"}, status=200)
    wanted = {"external_id": "globex-2", "quote": quoted["quote"]}
    made = caller.made("/contracts/globex-2026/subscriptions", wanted)
    assert [one["total"] for one in made["documents"]] == ["46.80"]
    moved = caller.made(
        f"/subscriptions/{subscription}/changes", {"kind": "move_to_contract", "contract": "globex-2026"}, status=200
    )
    assert moved["id"] == subscription


def _tax_by_profile_and_override(caller: Caller) -> None:
    refused(caller.get("/tax-seller"), 404, "not_found")
    seller = {"country": "DE", "tax_id": None, "rates_from": "table"}
    assert caller.made("/tax-seller", {"country": "DE"}, status=200) == seller == caller.seen("/tax-seller")
    vat = {"name": "VAT", "percent": "19", "country": "DE", "valid_from": "2025-01-01T00:00:00Z"}
    (new,) = caller.made("/tax-rates", {"rates": [vat]}, status=200)["rates"]
    assert caller.made("/tax-rates", {"rates": [vat]}, status=200)["rates"] == []
    assert caller.seen("/tax-rates")["data"] == [new]
    assert caller.seen("/customers/globex/tax-profile")["profile"] is None
    german = caller.made("/customers/globex/tax-profile", {"country": "DE", "tax_id": "DE 136695976"}, status=200)
    assert german["profile"]["tax_id"] == "DE136695976"
    assert caller.seen("/customers/globex/tax-profile") == german
    wrong = {"country": "DE", "tax_id": "DE136695977"}
    refused(caller.post("/customers/globex/tax-profile", wrong), 422, "invalid_tax_id")

    terms = {"payment_terms": {"kind": "net", "days": 14}, "po_number": "PO-7"}
    settings = caller.made("/customers/globex/billing-settings", terms, status=200)
    assert (settings["po_number"], settings["grace_days"]) == ("PO-7", 0)
    caller.made("/billing-settings", {"payment_terms": {"kind": "net", "days": 60}, "grace_days": 0}, status=200)
    assert caller.seen("/customers/globex/billing-settings") == settings  # its own counts before those of all
    assert caller.seen("/billing-settings")["payment_terms"] == {"kind": "net", "days": 60}

    setup = {"customer": "globex", "currency": "USD", "lines": [{"description": "Setup", "amount": "100.00"}]}
    preview = caller.made("/proformas", setup)
    assert (preview["total"], preview["due_on"], preview["po_number"]) == ("119.00", "2026-01-15", "PO-7")
    assert caller.seen(f"/proformas/{preview['id']}") == preview
    ruling = {"audit_reference": "ruling 7", "valid_from": "2026-01-01T00:00:00Z"}
    override = caller.made("/customers/globex/tax-overrides", ruling)
    assert caller.made("/proformas", setup)["total"] == "100.00"  # an override without rates: no tax
    caller.made(f"/tax-overrides/{override['id']}/end", status=200)
    assert caller.made("/proformas", setup)["total"] == "119.00"
    refused(caller.post(f"/tax-overrides/{override['id']}/end"), 404, "tax_override_not_found")


def _pay_and_send_back(caller: Caller) -> None:
    """46.80 are owed; of 100.00 that come in, 53.20 are credit, and go back in two parts."""
    paid = {"customer": "globex", "currency": "USD", "amount": "100.00", "method": "transfer", "reference": "bank-1"}
    assert caller.made("/payments", paid)["to_credit"] == "53.20"
    back = {"customer": "globex", "currency": "USD", "amount": "50.00", "reason": "paid too much"}
    first = caller.made("/refund-requests", back)
    refused(caller.post("/refund-requests", back), 409, "refund_exceeds_credit")
    second = caller.made("/refund-requests", {**back, "amount": "3.20"})
    newest = caller.seen("/refund-requests", limit=1)
    older = caller.seen("/refund-requests", limit=1, after=newest["next"], customer="globex")
    assert {newest["data"][0]["id"], older["data"][0]["id"]} == {first["id"], second["id"]}
    assert older["next"] is None

    sent = caller.made(f"/refund-requests/{first['id']}/sent", {"reference": "bank-2"}, status=200)
    assert sent == {**first, "status": "done"} == caller.seen(f"/refund-requests/{first['id']}")
    (statement,) = caller.seen("/customers/globex/statements")["data"]
    assert [statement[name] for name in ("currency", "opening", "closing")] == ["USD", "0.00", "-3.20"]
    assert sorted(one["amount"] for one in statement["entries"]) == ["-100.00", "46.80", "50.00"]
