"""Names that the tenant's own systems give: what they may be, and that each leads to its thing and to no other."""

from collections.abc import Iterator

import pytest

from tenor.client import Client, Refused
from tests.integration.api.conftest import World
from tests.integration.api.things import BOOK
from tests.support.api import Caller, refused

AWKWARD = [
    *(
        "a b",
        "%2F",
        "a%2Ferase",
        "%2e%2e",
        "100%",
        "a?x=1",
        "a#b",
        "a;b=c",
        "a&b",
        "+1 555",
        "org|42",
        "ann@acme.example",
    ),
    *("日本", "Zoë", "..a", "...", "~", "'\"<>", "{customer}", "a:b", "erase", "cus_", "null", "0"),
    "cus_01h455vb4pex5vsknk084sn02q",  # as an id looks that no customer has
]
REFUSED = ["a/b", "/", "a\\b", ".", "..", " a", "a ", "a\tb", "a\u2028b", "a\u200bb", "\u00a0", "x" * 201]


@pytest.fixture
def client(world: World, caller: Caller) -> Iterator[Client]:
    """The client of a sandbox."""
    with Client(str(world.client.base_url), key=caller.secret) as opened:
        yield opened


def test_each_name_leads_to_its_thing_over_the_server_and_the_client(caller: Caller, client: Client) -> None:
    caller.made("/price-books/apply", {"source": BOOK}, status=200)
    ids = {name: client.customers.create(external_id=name)["id"] for name in AWKWARD}
    held = {name: client.subscriptions.create(customer=name, plan="team", external_id=name)["id"] for name in AWKWARD}
    for name in AWKWARD:
        assert client.customers.retrieve(name)["id"] == ids[name]
        assert client.customers.update(name, metadata={"as": name})["external_id"] == name
        assert [one["id"] for one in client.customers.list(external_id=name)] == [ids[name]]
        assert client.entitlements.check(name, "export")["access"] == "full"
        assert client.subscriptions.retrieve(name)["id"] == held[name]
        assert [one["id"] for one in client.subscriptions.list(customer=name)] == [held[name]]
    assert {one["external_id"]: one["metadata"]["as"] for one in client.customers.list()} == {n: n for n in AWKWARD}


def test_what_could_lead_to_another_path_is_no_name(caller: Caller, client: Client) -> None:
    caller.made("/price-books/apply", {"source": BOOK}, status=200)
    caller.made("/customers", {"external_id": "globex", "name": "Globex"})
    for name in REFUSED:
        assert caller.post("/customers", {"external_id": name}).status_code == 422, name
        made = caller.post("/subscriptions", {"customer": "globex", "plan": "team", "external_id": name})
        assert made.status_code == 422, name
    for path in ("globex%2Ferase", "x%2F..%2Fglobex", "globex%5Cerase", "globex%2ferase"):
        refused(caller.post(f"/customers/{path}", {"reason": "r"}), 404, "route_unknown")
    with pytest.raises(Refused) as refusal:
        client.customers.erase("globex/erase", reason="r")
    assert refusal.value.status == 404
    with pytest.raises(ValueError, match="names nothing"):
        client.customers.retrieve("..")
    assert client.customers.retrieve("globex")["name"] == "Globex"


def test_an_id_goes_before_a_name_that_is_like_it(caller: Caller) -> None:
    caller.made("/price-books/apply", {"source": BOOK}, status=200)
    first = caller.made("/customers", {"external_id": "first"})
    caller.made("/customers", {"external_id": first["id"]})
    assert caller.seen(f"/customers/{first['id']}")["external_id"] == "first"
    held = caller.made("/subscriptions", {"customer": first["id"], "plan": "team", "external_id": "s"})
    assert held["customer_id"] == first["id"]
    caller.made("/subscriptions", {"customer": "first", "plan": "extra", "external_id": held["id"]})
    assert caller.seen(f"/subscriptions/{held['id']}")["external_id"] == "s"
    assert caller.seen(f"/customers/{first['id']}/entitlements/export")["access"] == "full"
