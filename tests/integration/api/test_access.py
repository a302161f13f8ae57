"""Who is let in, and what a key may do."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from tenor.access import read_credential
from tenor.access.credentials import Mode, write_credential
from tenor.kernel.ids import TenantId
from tenor.platform.tenants import create_tenant
from tests.integration.api.conftest import World
from tests.support.api import Caller, answer, refused


def test_only_the_very_text_of_a_live_key_opens_its_tenant(world: World) -> None:
    tenant, other = world.tenant(), world.tenant()
    caller = world.caller(tenant)
    known = read_credential(caller.secret)
    assert (known.mode, known.tenant_id) == (Mode.TEST, tenant)

    forged = write_credential(Mode.TEST, other, b"\x01" * 24)  # well made, but nobody's
    nowhere = write_credential(Mode.TEST, TenantId(UUID(int=7)), b"\x01" * 24)
    for secret in (forged, nowhere):
        problem = refused(Caller(world.client, secret).get("/customers"), 401, "unauthenticated")
        assert problem["detail"] == "this API key is not, or no longer, valid"

    mistyped = caller.secret[:-1] + ("0" if caller.secret[-1] != "0" else "1")
    moved = forged[:9] + caller.secret[9:42] + forged[42:]  # the secret of one tenant, the id of another
    for secret in (mistyped, moved, "tnr_live_", caller.secret + "0", caller.secret.replace("test", "live")):
        told = Caller(world.client, secret).get("/customers")
        refused(told, 401, "not_a_credential")
        assert secret[9:42] not in told.text or len(secret) < 42
    anonymous = world.client.get("/v1/customers")
    refused(anonymous, 401, "unauthenticated")
    assert anonymous.headers["www-authenticate"].startswith("Bearer")


def test_a_live_tenant_has_live_keys(world: World) -> None:
    tenant = create_tenant(world.database, slug="real", name="Real")
    assert world.caller(tenant).secret.startswith("tnr_live_")


def test_a_key_does_what_its_scopes_say_and_gives_no_more(world: World) -> None:
    tenant = world.tenant()
    reader = world.caller(tenant, "customers:read", "keys:write")

    assert reader.seen("/customers")["data"] == []
    problem = refused(reader.post("/customers", {"external_id": "a"}), 403, "scope_missing")
    assert problem["scope"] == "customers:write"
    refused(reader.get("/api-keys"), 403, "scope_missing")  # to write is not to read
    refused(reader.post("/api-keys", {"name": "more", "scopes": ["*:read"]}), 403, "scope_missing")
    refused(reader.post("/api-keys", {"name": "more"}), 403, "scope_missing")
    refused(world.caller(tenant).post("/api-keys", {"name": "x", "scopes": ["moon:read"]}), 422, "unknown_scope")
    made = reader.made("/api-keys", {"name": "less", "scopes": ["customers:read"]})
    assert Caller(world.client, made["secret"]).seen("/customers")["data"] == []


def test_a_key_that_expires_leaves_none_behind_that_lasts_longer(world: World) -> None:
    caller = world.caller(world.tenant())
    soon, later = ((datetime.now(UTC) + timedelta(hours=hours)).isoformat() for hours in (1, 2))
    made = caller.made("/api-keys", {"name": "guest", "expires_at": soon})
    guest = Caller(world.client, made["secret"])
    for asked in ({"name": "more"}, {"name": "more", "expires_at": later}):
        problem = refused(guest.post("/api-keys", asked), 403, "key_outlives_caller")
        assert problem["expires_at"] == made["expires_at"]
    refused(guest.post(f"/api-keys/{made['id']}/rotate"), 403, "key_outlives_caller")
    guest.made("/api-keys", {"name": "as long", "expires_at": soon})
    caller.made("/api-keys", {"name": "later", "expires_at": later})


def test_the_feed_tells_nobody_of_keys_users_and_endpoints_who_may_not_see_them(world: World) -> None:
    tenant = world.tenant()
    caller = world.caller(tenant)
    caller.made("/webhook-endpoints", {"url": "https://hooks.example.com/?token=secret"})
    caller.made("/users", {"email": "ada@acme.example", "name": "Ada", "role": "owner"})
    caller.made("/customers", {"external_id": "acme"})

    def told(scope: str) -> dict[str, bool]:
        """Return whether each type of event comes with its data."""
        reader = world.caller(tenant, "events:read", scope)
        events = reader.seen("/events")["events"]
        assert [event["position"] for event in events] == list(range(1, len(events) + 1))
        one = next(event for event in events if event["type"] == "webhook_endpoint.added")
        assert reader.seen(f"/events/{one['id']}") == one
        return {event["type"]: bool(event["data"]) for event in events}

    of_all = {"api_key.created": True, "customer.created": True, "user.created": True, "webhook_endpoint.added": True}
    assert told("*:read") == of_all
    assert told("customers:read") == dict.fromkeys(of_all, False) | {"customer.created": True}
    assert told("webhooks:read")["webhook_endpoint.added"]


def test_the_life_of_a_key_shown_once_rotated_revoked(world: World) -> None:
    caller = world.caller(world.tenant())
    made = caller.made("/api-keys", {"name": "ci", "scopes": ["customers:read"]})
    assert made["secret"].startswith(made["begins_with"])
    shown = caller.seen(f"/api-keys/{made['id']}")
    assert "secret" not in shown
    assert made["secret"] not in caller.get("/api-keys").text
    assert shown == {name: value for name, value in made.items() if name != "secret"}

    old, new = Caller(world.client, made["secret"]), caller.made(f"/api-keys/{made['id']}/rotate", {"overlap_hours": 1})
    assert (new["rotates"], new["scopes"]) == (made["id"], ["customers:read"])
    refused(caller.post(f"/api-keys/{made['id']}/rotate"), 409, "key_not_rotatable")
    fresh = Caller(world.client, new["secret"])
    assert (old.get("/customers").status_code, fresh.get("/customers").status_code) == (200, 200)
    ends = datetime.fromisoformat(caller.seen(f"/api-keys/{made['id']}")["expires_at"])
    assert timedelta(minutes=59) < ends - datetime.now(UTC) <= timedelta(hours=1)

    assert caller.made(f"/api-keys/{made['id']}/revoke", status=200)["status"] == "revoked"
    assert caller.made(f"/api-keys/{made['id']}/revoke", status=200)["status"] == "revoked"
    refused(old.get("/customers"), 401, "unauthenticated")
    assert fresh.get("/customers").status_code == 200
    past = {"name": "late", "expires_at": "2020-01-01T00:00:00Z"}
    refused(caller.post("/api-keys", past), 422, "malformed_key")
    assert [one["name"] for one in caller.seen("/api-keys")["data"]] == ["ci", "ci", "test"]


def test_what_is_done_by_a_key_is_on_record_as_done_by_it(world: World) -> None:
    tenant = world.tenant()
    caller = world.caller(tenant)
    answer(caller.post("/customers", {"external_id": "acme"}), 201)
    with world.database.transaction(tenant) as uow:
        keys = uow.fetch_all("select id from api_keys")
        ((actor, occurred_at),) = uow.fetch_all(
            "select actor, occurred_at from audit_records where action = 'customer.created'"
        )
        assert uow.fetch_one("select count(*) from outbox_events where type = 'customer.created'") == (1,)
    assert len(keys) == 1
    assert actor.startswith("key_")
    assert occurred_at == datetime(2026, 1, 1, tzinfo=UTC)  # the sandbox's own time
