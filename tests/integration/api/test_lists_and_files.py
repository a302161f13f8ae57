"""Lists that go by something else than ids, the file of taxes, and what can be done for all of a tenant at once."""

from typing import Any

from tests.integration.api.things import CONTRACT, call, opened
from tests.support.api import Caller, refused


def walked(caller: Caller, path: str, *, limit: int, **query: str) -> list[list[Any]]:
    """Return a list page by page."""
    pages, after = [], dict[str, str]()
    while True:
        page = caller.seen(path, limit=limit, **after, **query)
        pages.append(page["data"])
        assert len(pages) < 50, "the list goes round"
        if page["next"] is None:
            return pages
        after = {"after": page["next"]}


def test_lists_by_code_place_and_version_go_on_where_a_page_ended(caller: Caller) -> None:
    opened(caller)
    for code in ("may", "april", "june"):
        caller.made("/coupons", {"code": code, "percent_off": "10"})
    caller.made("/promotion-codes", {"code": "MAYDAY", "coupon": "may"})
    first, second = walked(caller, "/coupons", limit=2)
    assert [(one["code"], one["promotion_codes"]) for one in first] == [("april", []), ("june", [])]
    assert [(one["code"], one["promotion_codes"]) for one in second] == [("may", ["MAYDAY"])]

    for agreed in (CONTRACT, CONTRACT.replace("15.00", "14.00"), CONTRACT.replace("globex-2026", "aaa")):
        caller.made("/customers/globex/contracts", {"source": agreed})
    pages = walked(caller, "/contracts", limit=1, customer="globex")
    versions = [(one["contract"], one["version"]) for page in pages for one in page]
    assert versions == [("aaa", 1), ("globex-2026", 2), ("globex-2026", 1)]

    vat = {"name": "VAT", "country": "DE", "valid_from": "2026-01-01T00:00:00Z"}
    rates = [
        {**vat, "percent": "19"},
        {**vat, "percent": "20", "valid_from": "2027-01-01T00:00:00Z"},
        {**vat, "percent": "7", "category": "books"},
        {**vat, "percent": "21", "country": "BE"},
    ]
    caller.made("/tax-rates", {"rates": rates}, status=200)
    pages = walked(caller, "/tax-rates", limit=1)
    places = [(one["jurisdiction"], one["category"], one["percent"]) for page in pages for one in page]
    assert places == [
        ("BE", "standard", "21"),
        ("DE", "books", "7"),
        ("DE", "standard", "19"),
        ("DE", "standard", "20"),
    ]

    line = {"lines": [{"description": "Setup", "amount": "1.00"}], "currency": "USD"}
    made = [caller.made("/proformas", {**line, "customer": "globex"}) for _ in range(3)]
    pages = walked(caller, "/proformas", limit=2)
    assert [len(page) for page in pages] == [2, 1]
    assert sorted(one["number"] for page in pages for one in page) == [one["number"] for one in made]
    caller.made("/customers", {"external_id": "initech"})
    assert caller.seen("/proformas", customer="initech")["data"] == []

    rulings = [
        caller.made(
            "/customers/globex/tax-overrides",
            {"audit_reference": f"ruling {number}", "valid_from": "2026-06-01T00:00:00Z"},
        )
        for number in range(3)
    ]
    ended = {"at": "2026-07-01T00:00:00Z"}
    caller.made(f"/tax-overrides/{rulings[0]['id']}/end", ended, status=200)
    caller.made(f"/tax-overrides/{rulings[1]['id']}/end", {"at": "2026-06-01T00:00:00Z"}, status=200)  # never held
    pages = walked(caller, "/customers/globex/tax-overrides", limit=1)
    told = {one["id"]: one for page in pages for one in page}
    assert told == {rulings[2]["id"]: rulings[2], rulings[0]["id"]: {**rulings[0], "valid_to": ended["at"]}}

    for path, after in (("/coupons", "may"), ("/coupons", "WzFd"), ("/contracts", "WyJhIl0"), ("/tax-rates", "é")):
        refused(caller.get(path, after=after), 422, "not_a_cursor")  # no base 64; of [1]; of ["a"], without a version


def test_the_file_of_taxes_is_previewed_applied_and_shown(caller: Caller) -> None:
    source = """\
seller: {country: "NO", tax_id: "974760673MVA"}
rates:
  - {name: MVA, country: "NO", percent: 25, valid_from: 2026-01-01}
  - {name: "TPS: 5", country: CA, region: QC, category: books, percent: 5.0, valid_from: 2026-01-01}
"""
    assert caller.seen("/tax-files/current") == {"source": "rates: []\n"}
    planned = caller.made("/tax-files/plan", {"source": source}, status=200)
    assert (planned["seller"]["country"], len(planned["rates"])) == ("NO", 2)
    assert caller.seen("/tax-files/current") == {"source": "rates: []\n"}
    refused(caller.get("/tax-seller"), 404, "not_found")

    assert caller.made("/tax-files/apply", {"source": source}, status=200) == planned
    shown = caller.seen("/tax-files/current")["source"]
    again = caller.made("/tax-files/apply", {"source": shown}, status=200)
    assert (again["seller"], again["rates"]) == (planned["seller"], [])
    assert caller.seen("/tax-files/current")["source"] == shown
    assert "'NO'" in shown  # a country, and no boolean
    refused(caller.post("/tax-files/plan", {"source": "rates: [{name: VAT}]"}), 422, "malformed_tax_file")


def test_what_is_due_is_done_on_demand_for_all_of_a_tenant(caller: Caller) -> None:
    opened(caller)
    caller.made("/customers/globex/wallets", {"currency": "USD"})
    caller.made("/customers/globex/wallets/main/promises", {"code": "daily", "amount": "5", "every": "1 day"})
    ticked = caller.made("/wallets/tick", status=200)
    assert set(ticked) == {"released", "lapsed", "renewed", "crossed", "top_ups_ordered"}
    assert caller.made("/wallets/tick", status=200) == dict.fromkeys(ticked, 0)

    caller.made("/subscriptions/globex-1/usage-alerts", {"metric": "calls", "at": "2"})
    assert caller.made("/usage-alerts/check", status=200) == {"told": []}
    caller.made("/clock/advance", {"to": "2026-01-11T00:00:00Z"}, status=200)
    caller.made("/usage/events", [call(1), call(2)], status=200)  # tells by itself
    assert caller.made("/usage-alerts/check", status=200) == {"told": []}
    (reached,) = caller.seen("/events", type="usage_alert.reached")["events"]
    assert reached["data"]["value"] == "2"

    assert caller.seen("/entitlement-access")["access"]["paused"] == "read_only"
    changed = caller.made("/entitlement-access", {"status": "paused", "access": "none"}, status=200)
    assert changed == caller.seen("/entitlement-access")
    assert (changed["access"]["paused"], changed["access"]["suspended"]) == ("none", "read_only")
    caller.made("/subscriptions/globex-1/changes", {"kind": "pause", "effective": "now"}, status=200)
    assert caller.seen("/customers/globex/entitlements/export")["access"] == "none"


def test_the_audit_trail_is_read_in_the_order_of_its_chain(caller: Caller) -> None:
    made = caller.made("/customers", {"external_id": "globex", "name": "Globex"})
    caller.made("/customers/globex", {"metadata": {"crm": "7"}, "reason": "moved to the new CRM"}, status=200)
    records = [one for page in walked(caller, "/audit-records", limit=1) for one in page]
    assert [one["position"] for one in records] == list(range(1, len(records) + 1))
    of_customer = caller.seen("/audit-records", object=made["id"])["data"]
    assert [one["action"] for one in of_customer] == ["customer.created", "customer.changed"]
    assert {one["object_id"] for one in of_customer} == {made["id"]}
    assert of_customer[1]["reason"] == "moved to the new CRM"
    assert of_customer[1]["actor"].startswith("key_")
    assert of_customer[1]["request_id"].startswith("req_")
    assert "Globex" not in str(records)  # the trail keeps no personal data
