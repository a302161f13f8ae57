"""What the OpenAPI document says beside what the routes say of themselves: groups of resources, and bodies to copy."""

from collections.abc import Mapping
from typing import Any, Final

GROUPS: Final[Mapping[str, Mapping[str, str]]] = {
    "What is sold": {
        "Catalog": "Products, metrics, features and plans. They come from price books: YAML, planned and applied.",
        "Coupons": "Offers, and the words that redeem them.",
    },
    "Who buys": {
        "Customers": "The parties that are billed. What is personal of them can be erased; the money facts stay.",
        "Billing settings": "How customers are billed: payment terms, PO numbers, one invoice for everything, grace.",
        "Taxes": "Rates by place and category, where you are taxed yourself, and how each customer is.",
        "Tax files": "The same as one file, planned and applied as a price book is.",
        "Entitlements": "What a customer may use now, by its plans or by a decision.",
        "Statements": "What lies between you and a customer, with the running balance.",
    },
    "What runs": {
        "Subscriptions": "Customers on plans. Every change is an entry of a journal, effective now, at period end "
        "or on a date; a quote tells what it would cost.",
        "Contracts": "Terms agreed with one customer apart from the plans, with the steps of a ramp.",
        "Usage": "Events in, put right when they were wrong; what they cost so far; alerts and thresholds.",
        "Wallets": "Prepaid credit: granted, sold, reserved, used, promised again and again, filled up by itself.",
    },
    "What is owed": {
        "Invoices": "Issued documents, which never change; each line can be explained, given back or taken back.",
        "Charges": "What is charged once, beside all plans.",
        "Credits": "What is given back, beside all invoices.",
        "Payments": "Money received.",
        "Refund requests": "Credit that is to be sent back.",
        "Proformas": "Numbered previews of invoices. Nothing is owed by them.",
    },
    "Running it": {
        "Bill runs": "Passes over all that is due. Repeat them at will: nothing is billed twice.",
        "Clock": "The time of the tenant. That of a sandbox can be moved on, and what falls due on the way happens.",
        "Ledger": "Double entry: accounts, transfers, trial balance.",
        "Events": "The feed of all that happened, in order and without gaps.",
        "Audit records": "Who did what, to which object, when and why.",
        "Webhook endpoints": "Where the same events are sent, signed as Standard Webhooks say.",
    },
    "Who may": {
        "API keys": "Keys by which programs call.",
        "Users": "People, and their roles.",
        "Sessions": "Signing in and out.",
        "Tenants": "For the operator, with the operator's key.",
    },
}
"""Every resource with one sentence, in the order in which one meets them."""

FIELDS: Final[Mapping[str, str]] = {
    "reason": "Why; kept in the audit record.",
    "currency": "ISO 4217, such as `EUR`.",
    "external_id": "Your own name for it, unique of its kind. It may stand wherever the id may.",
    "metadata": "Up to 50 texts by name that you keep with it. Nothing personal.",
    "version": "Counts its changes. Named in a change: refused when it is another by now.",
    "timezone": "IANA name, such as `Europe/Berlin`.",
    "profile": "Policy profile, such as `tenor` or `stripe-flexible`.",
    "tax_category": "The code on which tax rates hang.",
    "tax_percent": "One rate for all that the customer buys, where no tax rates are set.",
    "quantities": "Units held, by code of the charge.",
    "prices": "Unit prices in place of the plan's, by code of the charge.",
    "effective": "When it takes effect: `now`, `period_end` or an instant, past or ahead.",
    "customer": "Your name for the customer, or its id.",
    "subscription": "Your name for the subscription, or its id.",
    "plan": "Code of the plan.",
    "coupon": "Code of the coupon.",
    "po_number": "Purchase order, printed on documents.",
    "event_types": "Such as `invoice.finalised` or `invoice.*`; all where it is empty.",
    "secret": "Shown this once.",
    "scopes": "What it may do: `area:read`, `area:write`.",
    "is_sandbox": "Whether it is for trying things out, with a clock of its own.",
    "NewCustomer.country": "ISO 3166, such as `DE`.",
    "NewSubscriptionBody.starts_at": "Now by default; may be past or ahead.",
    "NewSubscriptionBody.ends_at": "The end of its term; without one it runs until it is cancelled.",
    "NewSubscriptionBody.notice_days": "How long before the end of a term one has to cancel.",
    "NewSubscriptionBody.renewal": "By how much a term is renewed at its end, such as `1 year`.",
    "NewSubscriptionBody.anchor_at": "From where periods are counted; the first billable instant by default.",
    "NewSubscriptionBody.discount_percent": "Off everything, for as long as it runs.",
    "NewSubscriptionBody.trial_days": "The plan's by default; 0 for none.",
    "NewSubscriptionBody.trial_converts": "Whether the end of the trial begins what is paid, or ends the subscription.",
}
"""What a field says wherever it stands, or in one schema; where the class itself says more, that counts."""

EXAMPLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "catalog_apply": {
        "A plan with a fee and seats": {
            "source": "price_book: acme\ncurrency: USD\ntax_mode: exclusive\neffective: 2026-01-01T00:00:00Z\n"
            "products:\n  - {code: app, name: App}\nmetrics:\n  - {code: calls, name: API calls, aggregation: count}\n"
            "features:\n  - {code: sso, name: Single sign-on}\nplans:\n"
            "  - code: team\n    name: Team\n    product: app\n    interval: month\n    features: [sso]\n    charges:\n"
            "      - {code: base, name: Base fee, kind: recurring, amount: 20.00}\n"
            "      - {code: seats, name: Seats, kind: seat, unit_amount: 8.00}\n"
            "      - {code: calls, name: API calls, kind: usage, metric: calls, unit_amount: 0.25}\n"
        }
    },
    "coupons_create": {
        "A fifth off for a year": {"code": "launch", "percent_off": "20", "duration": "repeating", "periods": 12}
    },
    "customers_create": {
        "A customer": {
            "external_id": "globex",
            "name": "Globex Corp.",
            "email": "billing@globex.example",
            "country": "DE",
            "tax_percent": "19",
            "metadata": {"crm": "4711"},
        }
    },
    "subscriptions_create": {
        "Seats, after a trial": {
            "customer": "globex",
            "plan": "team",
            "external_id": "globex-1",
            "quantities": {"seats": "5"},
            "trial_days": 14,
        },
        "Billed at once": {"customer": "globex", "plan": "team", "external_id": "globex-2", "invoice": True},
    },
    "subscriptions_quote": {
        "What would three seats more cost?": {"kind": "change_quantity", "quantities": {"seats": "8"}}
    },
    "subscriptions_change": {
        "Seats, from now on": {"kind": "change_quantity", "quantities": {"seats": "8"}},
        "A price of its own, billed at once": {
            "kind": "change_prices",
            "steps": [{"effective": "now", "prices": {"base": "18.00"}}],
            "invoice": True,
        },
        "Cancel at the end of the period": {"kind": "cancel", "effective": "period_end"},
    },
    "clock_advance": {"To the next month": {"to": "2026-02-01T00:00:00Z"}},
    "usage_send": {
        "Two events": [
            {"event_id": "c-1", "customer": "globex", "metric": "calls", "occurred_at": "2026-01-05T09:00:00Z"},
            {
                "event_id": "c-2",
                "customer": "globex",
                "metric": "calls",
                "occurred_at": "2026-01-05T09:05:00Z",
                "properties": {"region": "eu"},
            },
        ],
        "A CloudEvent": {
            "specversion": "1.0",
            "id": "c-3",
            "source": "/gateway",
            "type": "calls",
            "subject": "globex",
            "time": "2026-01-05T09:10:00Z",
            "data": {"region": "eu"},
        },
    },
    "wallets_create": {"Credit in money": {"code": "prepaid", "currency": "USD"}},
    "wallets_grant": {"A gift that lapses": {"amount": "50.00", "expires_at": "2026-06-30T00:00:00Z"}},
    "wallets_reserve": {
        "For a call whose cost is known later": {
            "amount": "1.20",
            "key": "call-1",
            "expires_at": "2026-02-02T00:00:00Z",
        }
    },
    "entitlements_override": {"A feature for one customer": {"feature": "sso", "is_granted": True}},
    "invoices_create_credit_note": {"A part, given back": {"amount": "5.00", "reason": "The service was down."}},
    "invoices_void": {"Taken back whole": {"reason": "Sent to the wrong customer."}},
    "charges_create": {
        "A one-off": {"customer": "globex", "currency": "USD", "amount": "250.00", "description": "Onboarding"}
    },
    "credits_create": {
        "A gesture": {"customer": "globex", "currency": "USD", "amount": "10.00", "description": "Late answer"}
    },
    "payments_record": {
        "A bank transfer": {
            "customer": "globex",
            "currency": "USD",
            "amount": "72.00",
            "method": "bank_transfer",
            "reference": "statement-12/7",
        }
    },
    "bill_runs_start": {"All that is due now": {}},
    "webhook_endpoints_create": {
        "Everything of invoices": {"url": "https://hooks.example.com/tenor", "event_types": ["invoice.*"]}
    },
    "api_keys_create": {"A key that only sends usage": {"name": "gateway", "scopes": ["usage:write"]}},
}
"""Bodies by operation, each with its title. They tell one story; a test sends them all, in this order."""
