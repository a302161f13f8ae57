"""What holds for every route, taken from the OpenAPI document: nobody sees or touches what is another tenant's."""

from typing import Any, Final, NamedTuple

import httpx
import pytest

from tenor.api import openapi_document
from tenor.kernel.ids import TenantId
from tenor.platform.tenants import current_tenant
from tests.integration.api.conftest import World
from tests.integration.api.things import BOOK, CONTRACT, furnished
from tests.support.api import Caller

DOCUMENT: Final = openapi_document()

BODIES: Final[dict[str, Any]] = {
    "/v1/customers": {"external_id": "new"},
    "/v1/customers/{customer}": {"name": "Stolen"},
    "/v1/customers/{customer}/erase": {"reason": "r"},
    "/v1/customers/{customer}/entitlements": {"feature": "export"},
    "/v1/subscriptions": {"customer": "{customer}", "plan": "team", "external_id": "new"},
    "/v1/quotes": {"customer": "{customer}", "plan": "team", "external_id": "new"},
    "/v1/subscriptions/{subscription}/changes": {"kind": "cancel"},
    "/v1/subscriptions/{subscription}/quotes": {"kind": "cancel"},
    "/v1/subscriptions/{subscription}/metadata": {"metadata": {"a": "b"}},
    "/v1/usage/events": [
        {"event_id": "x", "customer": "{customer}", "metric": "calls", "occurred_at": "2026-01-02T00:00:00Z"}
    ],
    "/v1/usage/cancellations": {"events": [{"source": "api", "event_id": "c-1"}], "reason": "r"},
    "/v1/usage/corrections": {
        "events": [
            {"event_id": "c-1", "customer": "{customer}", "metric": "calls", "occurred_at": "2026-01-02T00:00:00Z"}
        ],
        "reason": "r",
    },
    "/v1/subscriptions/{subscription}/usage-alerts": {"metric": "calls", "at": "100"},
    "/v1/subscriptions/{subscription}/usage-thresholds": {"at": ["10.00"]},
    "/v1/customers/{customer}/usage-thresholds": {"at": ["10.00"], "currency": "USD"},
    "/v1/invoices/{invoice}/void": {"reason": "r"},
    "/v1/invoices/{invoice}/credit-notes": {"reason": "r"},
    "/v1/invoices/{invoice}/write-off": {"reason": "r"},
    "/v1/charges": {"customer": "{customer}", "currency": "USD", "amount": "1.00", "description": "d"},
    "/v1/credits": {"customer": "{customer}", "currency": "USD", "amount": "1.00", "description": "d"},
    "/v1/payments": {"customer": "{customer}", "currency": "USD", "amount": "1.00", "method": "m", "reference": "r"},
    "/v1/clock/advance": {"to": "2026-02-02T00:00:00Z"},
    "/v1/price-books/plan": {"source": BOOK},
    "/v1/price-books/apply": {"source": BOOK},
    "/v1/api-keys": {"name": "k"},
    "/v1/billing-settings": {"grace_days": 1},
    "/v1/customers/{customer}/billing-settings": {"payment_terms": {"kind": "net", "days": 14}},
    "/v1/refund-requests": {"customer": "{customer}", "currency": "USD", "amount": "1.00", "reason": "r"},
    "/v1/refund-requests/{refund}/sent": {"reference": "bank-1"},
    "/v1/proformas": {
        "customer": "{customer}",
        "currency": "USD",
        "lines": [{"description": "d", "amount": "1.00"}],
    },
    "/v1/tax-rates": {
        "rates": [{"name": "VAT", "percent": "19", "country": "DE", "valid_from": "2026-01-01T00:00:00Z"}]
    },
    "/v1/tax-files/plan": {"source": "seller: {country: DE}"},
    "/v1/tax-files/apply": {"source": "seller: {country: DE}"},
    "/v1/entitlement-access": {"status": "paused", "access": "none"},
    "/v1/tax-seller": {"country": "DE"},
    "/v1/customers/{customer}/tax-profile": {"country": "DE"},
    "/v1/customers/{customer}/tax-overrides": {"audit_reference": "ruling", "valid_from": "2026-01-01T00:00:00Z"},
    "/v1/customers/{customer}/contracts": {"source": CONTRACT},
    "/v1/contracts/{contract}/subscriptions": {"external_id": "new"},
    "/v1/contracts/{contract}/quotes": {"external_id": "new"},
    "/v1/coupons": {"code": "new", "percent_off": "5"},
    "/v1/promotion-codes": {"code": "NEW", "coupon": "spring", "customer": "{customer}"},
    "/v1/users": {"email": "new@acme.example", "name": "New", "role": "viewer"},
    "/v1/users/{user}/role": {"role": "viewer"},
    "/v1/users/{user}/password": {"password": "another password"},
    "/v1/sessions/current/password": {"old_password": "a password", "password": "another password"},
    "/v1/customers/{customer}/wallets": {"currency": "USD"},
    "/v1/customers/{customer}/wallets/{wallet}/grants": {"amount": "1"},
    "/v1/customers/{customer}/wallets/{wallet}/uses": {"amount": "1", "key": "k"},
    "/v1/customers/{customer}/wallets/{wallet}/reservations": {
        "amount": "1",
        "key": "h",
        "expires_at": "2026-03-01T00:00:00Z",
    },
    "/v1/customers/{customer}/wallets/{wallet}/purchases": {"amount": "5"},
    "/v1/customers/{customer}/wallets/{wallet}/alerts": {"threshold": "5"},
    "/v1/customers/{customer}/wallets/{wallet}/top-up-rule": {"threshold": "1", "target": "2"},
    "/v1/customers/{customer}/wallets/{wallet}/promises": {"code": "daily", "amount": "1", "every": "1 day"},
    "/v1/top-ups/{top_up}/settle": {"is_paid": True},
    "/v1/wallet-uses/{use}/commit": {"amount": "1"},
    "/v1/webhook-endpoints": {"url": "https://hooks.globex.example/other"},
    "/v1/webhook-endpoints/{endpoint}/replay": {"since": "2026-01-01T00:00:00Z"},
}
"""A body that each POST takes, with ids of things in braces; {} where it needs nothing."""

QUERIES: Final[dict[str, dict[str, str]]] = {
    "/v1/usage": {"customer": "{customer}", "metric": "calls"},
    "/v1/invoices": {"customer": "{customer}"},
    "/v1/subscriptions": {"customer": "{customer}"},
    "/v1/refund-requests": {"customer": "{customer}"},
    "/v1/contracts": {"customer": "{customer}"},
    "/v1/proformas": {"customer": "{customer}"},
    "/v1/ledger/transfers": {"invoice": "{invoice}"},
}
"""Parameters that name a thing."""

SHARED: Final = {"plan", "feature", "wallet", "coupon", "contract", "promise"}
"""Names of the catalogue, which every tenant gives by itself: not ids."""


class Route(NamedTuple):
    """A method of a path."""

    method: str
    path: str

    @property
    def names(self) -> set[str]:
        """The things that the path, the query or the body names by an id."""
        told = f"{self.path}{BODIES.get(self.path, '') if self.method == 'post' else QUERIES.get(self.path, '')}"
        return {name for name in THINGS if f"{{{name}}}" in told} - SHARED


THINGS: Final = (
    *("customer", "subscription", "invoice", "run", "key", "override", "plan", "feature"),
    *("wallet", "grant", "use", "endpoint", "event", "user", "usage_alert", "top_up", "promise"),
    *("coupon", "refund", "proforma", "tax_override", "contract", "session"),
)
ROUTES: Final = [
    Route(method, path)
    for path, methods in DOCUMENT["paths"].items()
    for method in methods
    if not path.startswith("/v1/tenants") and path != "/v1/sessions"  # where nobody has a credential yet
]
"""Every route that a tenant may call."""


@pytest.fixture(scope="module")
def two(world: World) -> tuple[Caller, dict[str, str], Caller, dict[str, str]]:
    """Two companies of two tenants, with an id of each thing."""
    tenants = world.tenant(), world.tenant()
    one, other = (world.caller(tenant) for tenant in tenants)
    mine, theirs = (
        furnished(caller) | signed_in(world, tenant) for caller, tenant in zip((one, other), tenants, strict=True)
    )
    return one, mine, other, theirs


def signed_in(world: World, tenant: TenantId) -> dict[str, str]:
    """Sign somebody in; return the id of the session, and its text as the `credential` of what only sessions can do."""
    caller = world.caller(tenant)
    with world.database.transaction(tenant) as uow:
        slug = current_tenant(uow).slug
    bob = {"email": "bob@acme.example", "password": "a password of his"}
    caller.made("/users", {**bob, "name": "Bob", "role": "viewer"})
    opened = caller.made("/sessions", {**bob, "tenant": slug})
    return {"session": opened["id"], "credential": opened["secret"]}


def called(caller: Caller, route: Route, ids: dict[str, str]) -> httpx.Response:
    """Call a route with its example, in which these ids stand."""

    def filled(value: Any) -> Any:
        match value:
            case str():
                return next((ids[name] for name in THINGS if value == f"{{{name}}}"), value)
            case dict():
                return {key: filled(part) for key, part in value.items()}
            case list():
                return [filled(part) for part in value]
            case _:
                return value

    path = route.path.removeprefix("/v1").format(**ids)
    if route.method == "get":
        return caller.get(path, **filled(QUERIES.get(route.path, {})))
    return caller.post(path, filled(BODIES.get(route.path, {})))


def test_every_thing_that_a_path_names_is_known_to_this_test() -> None:
    named = {name for route in ROUTES for name in route.path.replace("}", "{").split("{")[1::2]}
    assert named <= set(THINGS)
    assert set(BODIES) <= {route.path for route in ROUTES if route.method == "post"}
    assert len(ROUTES) >= 50


def test_no_route_answers_for_another_tenants_thing(
    two: tuple[Caller, dict[str, str], Caller, dict[str, str]],
) -> None:
    one, mine, other, theirs = two
    lists = ("/customers", "/subscriptions", "/invoices", "/api-keys", "/users")
    before = {path: other.get(path).content for path in lists}
    leaks = {}
    for route in ROUTES:
        if not route.names:
            continue
        who = Caller(one.client, mine["credential"]) if "session" in route.names else one
        answered = called(who, route, mine | {name: theirs[name] for name in route.names})
        taken = {"/v1/usage/events": "accepted", "/v1/usage/corrections": "amended"}.get(route.path)
        is_told_per_event = taken is not None and answered.json().get(taken) in (0, [])
        is_empty_list = route.path == "/v1/ledger/transfers" and answered.json().get("data") == []
        if not (answered.status_code == 404 or is_told_per_event or is_empty_list):
            leaks[route] = (answered.status_code, answered.text[:200])
        echoed = {value for value in theirs.values() if value in f"{answered.request.url}{answered.request.content!r}"}
        told = {value for name, value in theirs.items() if name not in SHARED and value in answered.text}
        if told - echoed or "Globex" in answered.text:
            leaks[route] = (answered.status_code, answered.text[:200])
    assert leaks == {}
    after = {path: other.get(path).content for path in before}
    assert after == before


def test_every_route_wants_a_key_and_its_scope(
    world: World, two: tuple[Caller, dict[str, str], Caller, dict[str, str]]
) -> None:
    _, mine, _, _ = two
    tenant = world.tenant()
    nobody, powerless = Caller(world.client, "nothing"), world.caller(tenant, "users:read")
    other_power = world.caller(tenant, "ledger:read")
    wrong = {
        route: (stranger.status_code, weak.status_code)
        for route in ROUTES
        if (
            (stranger := called(nobody, route, mine)).status_code,
            (weak := called(other_power if "/users" in route.path else powerless, route, mine)).status_code,
        )
        != (401, 403)
    }
    assert wrong == {}


def test_every_post_with_a_body_refuses_what_it_does_not_know(
    two: tuple[Caller, dict[str, str], Caller, dict[str, str]],
) -> None:
    one, mine, _, _ = two
    lax = {}
    for route in ROUTES:
        if route.method != "post" or route.path == "/v1/usage/events":
            continue
        path = route.path.removeprefix("/v1").format(**mine)
        body = {**BODIES.get(route.path, {}), "colour~/": 1}
        answered = one.post(path, body)
        paths = [error["path"] for error in answered.json().get("errors", [])]
        if (answered.status_code, paths) != (422, ["/colour~0~1"]):
            lax[route] = (answered.status_code, answered.text[:200])
        for content, status in (
            (b"{", 400),
            (b'{"a":1,"a":1}', 400),
            (b"NaN", 400),
            (b"[]", 422),
            (b"5e-3", 422),
            (b"7", 422),
            (b"\xff", 400),
        ):
            refusal = one.send(path, content)
            if refusal.status_code != status:
                lax[route] = (refusal.status_code, f"{content!r}: {refusal.text[:200]}")
    assert lax == {}
