"""The operator makes tenants; nobody else does."""

from typing import Final

import httpx
import pytest

from tenor.api import create_app
from tenor.kernel.errors import Malformed
from tenor.platform.database import Database
from tenor.platform.settings import Settings
from tests.support.api import Caller, answer, refused, served
from tests.support.postgres import Server

KEY: Final = "an operator's key of 40 letters, by chance"


def test_the_operator_makes_tenants_and_nobody_else_does(server: Server, database: Database) -> None:
    settings = Settings(operator_key=KEY)
    app = create_app(database, settings)
    with served(app) as base, httpx.Client(base_url=base, trust_env=False) as client:
        operator = Caller(client, KEY)
        acme = {"slug": "acme", "is_sandbox": True, "clock_at": "2026-01-01T00:00:00Z"}
        made = answer(operator.post("/tenants", acme, key="k"), 201)
        assert made["key"]["secret"].startswith("tnr_test_")
        assert answer(operator.post("/tenants", acme, key="k"), 201) == made
        refused(operator.post("/tenants", acme, key="k2"), 409, "slug_taken")
        refused(operator.post("/tenants", {"slug": "Acme"}), 422, "request_malformed")
        refused(operator.post("/tenants", {"slug": "b", "clock_at": "2026-01-01T00:00:00Z"}), 422, "malformed")
        refused(operator.post("/tenants", {"slug": "b", "profile": "none"}), 422, "unknown_policy")
        assert [one["slug"] for one in operator.seen("/tenants")["data"]] == ["acme"]
        assert operator.seen("/tenants/acme")["clock_at"] == "2026-01-01T00:00:00Z"
        refused(operator.get("/tenants/blue"), 404, "not_found")

        tenant = Caller(client, made["key"]["secret"])
        assert tenant.seen("/clock")["now"] == "2026-01-01T00:00:00Z"
        for stranger in (tenant, Caller(client, KEY + "x"), Caller(client, "nobody")):
            refused(stranger.get("/tenants"), 401, "unauthenticated")
        refused(operator.get("/customers"), 401, "not_a_credential")

    with served(create_app(database, Settings())) as base, httpx.Client(base_url=base, trust_env=False) as client:
        refused(
            Caller(client, "nobody").get("/tenants"), 401, "unauthenticated"
        )  # no key is set: nobody is the operator


def test_a_short_operator_key_is_refused() -> None:
    with pytest.raises(Malformed, match="TENOR_OPERATOR_KEY"):
        Settings.from_environment({"TENOR_OPERATOR_KEY": "secret"})
