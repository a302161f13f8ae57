"""One form of ids: whatever leaves the engine names things by TypeIDs, and never by a raw UUID."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final
from uuid import UUID

from tenor.events import object_to_wire
from tests.integration.api.conftest import World
from tests.integration.api.test_every_route import ROUTES, called, signed_in
from tests.integration.api.things import call, furnished
from tests.support.api import Caller
from tests.support.company import Company
from tests.support.eventful import EVE, furnish
from tests.support.postgres import Server
from tools.event_catalogue import published_events

TYPE_ID: Final = re.compile(r"[a-z]{3}_[0-7][0-9a-hjkmnp-tv-z]{25}")
RAW: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
NOBODY: Final = UUID(int=0)
SELDOM: Final = [
    "discount.undone",
    "subscription.discount_removed",
    "subscription.term_changed",
    "usage.relocated",
]
"""Events that the two companies below do not bring about."""
NOT_OURS: Final = {"external_id", "tax_id", "request_id"}
"""Members that end like those that hold ids, and hold what others have named."""


@cache
def types_of_events() -> frozenset[str]:
    """Return every type of event that the code publishes."""
    return frozenset(one.type for one in published_events())


def strangers(told: Any, path: str = "") -> Iterator[tuple[str, object]]:
    """Yield every raw UUID in a JSON value, and every member that should hold an id and does not, with its path."""
    match told:
        case dict():
            for name, part in told.items():
                ids = part if isinstance(part, list) else [part]
                if (name == "id" or re.search(r"_ids?$", name)) and name not in NOT_OURS:
                    yield from [
                        (f"{path}/{name}", one) for one in ids if one is not None and not TYPE_ID.fullmatch(str(one))
                    ]
                yield from strangers(part, f"{path}/{name}")
        case list():
            for part in told:
                yield from strangers(part, f"{path}/-")
        case str() if RAW.search(told):
            yield path, told


def test_no_answer_event_or_record_names_a_thing_by_a_raw_uuid(world: World, server: Server) -> None:
    company = Company.found(world.database, server.settings("unused"), "eventful")
    furnish(company)
    company.run(EVE)
    tenant = world.tenant()
    small = world.caller(tenant)
    things = furnished(small) | signed_in(world, tenant)
    _stir(small)
    found: dict[str, object] = {}
    for route in ROUTES:
        told = called(small, route, things).json()
        found |= {f"{route.method} {route.path} {where}": what for where, what in strangers(told)}
    types: set[str] = set()
    for owner in (company.tenant_id, tenant):  # with a fresh key, for the routes have revoked the other
        for where, told in _all_told(world.caller(owner)):
            found |= {f"{where} {path}": what for path, what in strangers(told)}
            types.add(where)
    assert found == {}
    assert sorted(types_of_events() - types) == SELDOM


def _stir(caller: Caller) -> None:
    """Bring about what no route does with the examples of the matrix."""
    vic = caller.made("/users", {"email": "vic@acme.example", "name": "Vic", "role": "viewer"})
    for verb, body in (("role", {"role": "support"}), ("password", {"password": "a long password"}), ("disable", {})):
        caller.made(f"/users/{vic['id']}/{verb}", body, status=200)
    caller.made("/promotion-codes", {"code": "HELLO", "coupon": "spring"})
    caller.made("/customers", {"external_id": "initech"})  # who has no credit that pays
    charge = {"customer": "initech", "currency": "USD", "amount": "5.00", "description": "Setup", "invoicing": "now"}
    charged = caller.made("/charges", charge)
    caller.made(f"/invoices/{charged['document']}/write-off", {"reason": "a gift"}, status=200)
    caller.made("/subscriptions/globex-1/usage-alerts", {"metric": "calls", "at": "1"})
    caller.made("/subscriptions/globex-1/usage-thresholds", {"at": ["1.00"]}, status=200)
    soon = "2026-02-02T12:00:00Z"
    caller.made("/customers/globex/wallets/main/grants", {"amount": "3", "expires_at": soon})
    calls = [call(number, at="2026-02-01T00:30:00Z") for number in (7, 8, 9)]
    caller.made("/usage/events", calls, status=200)
    again = [{**calls[0], "occurred_at": "2026-02-01T00:31:00Z"}]
    caller.made("/usage/corrections", {"events": again, "reason": "a wrong clock"}, status=200)
    caller.made("/clock/advance", {"to": "2026-02-03T00:00:00Z"}, status=200)


def _all_told(caller: Caller) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every event, every record and every thing of a tenant, each with what it is."""
    after, has_more = 0, True
    while has_more:
        feed = caller.seen("/events", limit=1_000, after=after)
        after, has_more = feed["next_after"], feed["has_more"]
        yield from [(one["type"], one) for one in feed["events"]]
    yield from [(f"record {one['action']}", one) for one in _listed(caller, "/audit-records")]
    for path in ("/ledger/transfers", "/customers", "/bill-runs"):
        yield from [(path, one) for one in _listed(caller, path)]
    for one in _listed(caller, "/invoices"):
        yield "invoice", caller.seen(f"/invoices/{one['id']}")
    for one in _listed(caller, "/subscriptions"):
        path = f"/subscriptions/{one['id']}"
        yield "subscription", caller.seen(path, expand=["customer", "timeline"])
        yield "changes", caller.seen(f"{path}/changes")


def _listed(caller: Caller, path: str) -> Iterator[dict[str, Any]]:
    after: dict[str, str] = {}
    while True:
        page = caller.seen(path, limit=200, **after)
        yield from page["data"]
        if page["next"] is None:
            return
        after = {"after": page["next"]}


def test_every_kind_of_event_has_ids_of_one_form() -> None:
    for name in types_of_events():
        assert TYPE_ID.fullmatch(object_to_wire(name.partition(".")[0], NOBODY)), name
