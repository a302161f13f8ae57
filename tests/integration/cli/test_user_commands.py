"""People of a tenant, let in and sent away from the command line; passwords come from standard input."""

from datetime import UTC, datetime
from io import StringIO
from unittest.mock import patch

from tenor.access import sign_in
from tenor.platform.database import Database
from tenor.platform.tenants import find_tenant
from tests.integration.cli.conftest import Shell

ACME = ("-t", "acme")


def test_the_life_of_a_user(tenor: Shell) -> None:
    tenor.done("tenant", "create", "acme")
    assert "no user yet" in tenor.done("user", "list", *ACME).out
    ada = tenor.done("user", "create", "Ada@acme.example", "--role", "owner", *ACME, "--json").json
    assert (ada["email"], ada["role"], ada["has_password"]) == ("ada@acme.example", "owner", False)
    tenor.done("user", "create", "bob@acme.example", "--role", "viewer", "--name", "Bob", *ACME)
    with patch("sys.stdin", StringIO("correct horse battery\n")):
        tenor.done("user", "password", "ada@acme.example", *ACME)
    assert tenor.done("user", "role", "bob@acme.example", "finance", *ACME, "--json").json["role"] == "finance"
    tenor.refused("user", "disable", ada["id"], *ACME, code="last_owner")
    tenor.refused("user", "disable", "eve@acme.example", *ACME, code="not_found")
    tenor.done("user", "disable", "bob@acme.example", *ACME)

    listed = tenor.done("user", "list", *ACME, "--json").json["users"]
    assert [(one["email"], one["has_password"], one["disabled_at"] is None) for one in listed] == [
        ("ada@acme.example", True, True),
        ("bob@acme.example", False, False),
    ]
    assert "no: disabled" in tenor.done("user", "list", *ACME).out
    with (
        Database.open(tenor.server.settings(tenor.database)) as database,
        database.transaction(find_tenant(database, "acme").tenant_id) as uow,
    ):
        opened = sign_in(uow, "ada@acme.example", "correct horse battery", now=datetime.now(UTC))
    assert opened is not None
