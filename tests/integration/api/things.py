"""A small company over the API: one of each thing that a path can name."""

from typing import Any, Final

from tests.support.api import Caller

BOOK: Final = """\
price_book: acme
currency: USD
tax_mode: exclusive
effective: 2026-01-01T00:00:00Z
products:
  - {code: app, name: Acme App}
metrics:
  - {code: calls, name: Calls, aggregation: count}
features:
  - {code: export, name: Export}
  - {code: sso, name: Single sign-on}
plans:
  - code: team
    name: Team
    product: app
    interval: month
    features: [export: 10]
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: 20.00}
      - {code: seats, name: Seats, kind: seat, unit_amount: 8.00, quantity: 3}
      - {code: calls, name: API calls, kind: usage, metric: calls, unit_amount: 0.50}
  - code: extra
    name: Extra
    product: app
    interval: month
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: 5.00}
"""


CONTRACT: Final = """\
contract: globex-2026
plan: team
name: Team for Globex
payment_terms: {net: 45}
charges:
  - {code: base, amount: 15.00}
"""


def call(number: int, *, at: str = "2026-01-10T09:00:00Z", customer: str = "globex") -> dict[str, Any]:
    """Return a usage event of the metric `calls`."""
    return {"event_id": f"c-{number}", "customer": customer, "metric": "calls", "occurred_at": at}


def opened(caller: Caller) -> dict[str, Any]:
    """Apply the price book, create the customer globex with 20 % of tax, and subscribe it; return the subscription."""
    caller.made("/price-books/apply", {"source": BOOK}, status=200)
    caller.made("/customers", {"external_id": "globex", "name": "Globex", "tax_percent": "20"})
    return caller.made("/subscriptions", {"customer": "globex", "plan": "team", "external_id": "globex-1"})


def furnished(caller: Caller) -> dict[str, str]:
    """Open a company and let a month go by; return an id of each thing, by the name of the path parameter."""
    subscription = opened(caller)
    caller.made("/clock/advance", {"to": "2026-01-15T00:00:00Z"}, status=200)
    caller.made("/usage/events", [call(1), call(2)], status=200)
    caller.made("/clock/advance", {"to": "2026-02-01T00:00:00Z"}, status=200)
    caller.made("/customers/globex/wallets", {"currency": "USD"})
    grant = caller.made("/customers/globex/wallets/main/grants", {"amount": "10", "cost": "8.00"})
    later = "2026-03-01T00:00:00Z"
    held = caller.made(
        "/customers/globex/wallets/main/reservations", {"amount": "2", "key": "llm-1", "expires_at": later}
    )
    endpoint = caller.made("/webhook-endpoints", {"url": "https://hooks.globex.example/tenor"})
    event = caller.seen("/events", limit=1)["events"][0]
    override = caller.made("/customers/globex/entitlements", {"feature": "sso"})
    overpaid = {
        "customer": "globex",
        "currency": "USD",
        "amount": "900.00",
        "method": "transfer",
        "reference": "bank-0",
    }
    caller.made("/payments", overpaid)
    back = {"customer": "globex", "currency": "USD", "amount": "1.00", "reason": "asked for"}
    refund = caller.made("/refund-requests", back)
    line = {"description": "Setup", "amount": "100.00"}
    proforma = caller.made("/proformas", {"customer": "globex", "currency": "USD", "lines": [line]})
    ruling = {"audit_reference": "ruling 7", "valid_from": "2027-01-01T00:00:00Z"}
    tax_override = caller.made("/customers/globex/tax-overrides", ruling)
    caller.made("/customers/globex/contracts", {"source": CONTRACT})
    caller.made("/coupons", {"code": "spring", "percent_off": "10"})
    main = "/customers/globex/wallets/main"
    caller.made(f"{main}/promises", {"code": "monthly", "amount": "1"})
    caller.made(f"{main}/top-up-rule", {"threshold": "100", "target": "200"}, status=200)
    caller.made("/clock/advance", {"to": "2026-02-01T01:00:00Z"}, status=200)
    (top_up,) = caller.seen(f"{main}/top-ups")["top_ups"]
    owner = caller.made("/users", {"email": "ada@acme.example", "name": "Ada", "role": "owner"})
    alert = caller.made("/subscriptions/globex-1/usage-alerts", {"metric": "calls", "at": "1000"})
    customers, runs = caller.seen("/customers"), caller.seen("/bill-runs")
    invoices, keys = caller.seen("/invoices"), caller.seen("/api-keys")
    return {
        "customer": customers["data"][0]["id"],
        "subscription": subscription["id"],
        "invoice": invoices["data"][0]["id"],
        "run": runs["data"][0]["id"],
        "key": keys["data"][0]["id"],
        "override": override["id"],
        "wallet": "main",
        "grant": grant["id"],
        "use": held["id"],
        "endpoint": endpoint["id"],
        "user": owner["id"],
        "top_up": top_up["top_up_id"],
        "promise": "monthly",
        "usage_alert": alert["id"],
        "event": event["id"],
        "plan": "team",
        "feature": "export",
        "coupon": "spring",
        "contract": "globex-2026",
        "tax_override": tax_override["id"],
        "refund": refund["id"],
        "proforma": proforma["id"],
    }
