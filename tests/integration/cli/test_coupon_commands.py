"""`tenor coupon` and `tenor promotion`: as text for people, as one object for programs, and what they refuse."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer import Typer
from typer.testing import CliRunner

from tenor.cli.commands.coupons import coupon_app, promotion_app
from tenor.customers import CustomerDetails, register_customers
from tenor.kernel.period import EARLIEST
from tenor.platform.database import Database
from tenor.platform.tenants import create_tenant
from tests.support.postgres import Server


@pytest.fixture
def environment(server: Server, template: str) -> Iterator[dict[str, str]]:
    """The settings of a database with the tenant acme and its customer globex."""
    with server.fresh_database(template) as name:
        settings = server.settings(name)
        with Database.open(settings) as database:
            tenant = create_tenant(database, slug="acme", name="Acme")
            with database.transaction(tenant) as uow:
                register_customers(
                    uow,
                    [CustomerDetails(external_id="globex", name="Globex")],
                    now=EARLIEST,
                    actor="test",
                    reason="a test",
                )
        yield {
            "TENOR_DATABASE_URL": settings.database_url or "",
            "TENOR_APP_DATABASE_URL": settings.app_database_url or "",
            "TENOR_AUDITOR_DATABASE_URL": settings.auditor_database_url or "",
            "TENOR_TENANT": "acme",
            "COLUMNS": "200",
        }


def done(app: Typer, environment: dict[str, str], *words: str) -> list[str]:
    """Run a command that must end well; return what it printed, with one blank between words."""
    ran = CliRunner().invoke(app, words, env=environment)
    assert ran.exit_code == 0, ran.output
    return [" ".join(line.split()) for line in ran.output.splitlines()]


def body(app: Typer, environment: dict[str, str], *words: str, exit_code: int = 0) -> dict[str, Any]:
    """Run a command with --json; return the object that it printed."""
    ran = CliRunner().invoke(app, [*words, "--json"], env=environment)
    assert ran.exit_code == exit_code, ran.output
    printed: dict[str, Any] = json.loads(ran.output)
    return printed


def test_coupons_are_offered_listed_and_archived(environment: dict[str, str]) -> None:
    fiver = ("create", "fiver", "--amount", "5.00 EUR", "--plan", "team", "--max-redemptions", "9")

    assert done(coupon_app, environment, "list") == ["There is no coupon yet. Make one with tenor coupon create CODE."]
    offered = body(coupon_app, environment, *fiver)
    spring = ("create", "spring", "--percent", "10", "--duration", "repeating", "--periods", "3")
    assert done(coupon_app, environment, *spring)[0].startswith("Offered spring 10 % off, 3 periods cpn_")
    word = ("create", "Hello", "--coupon", "fiver", "--customer", "globex", "--redeem-by", "2030-01-01T00:00:00Z")
    assert done(promotion_app, environment, *word)[0].startswith("Made HELLO for coupon fiver prm_")
    assert done(coupon_app, environment, "archive", "spring")[0].startswith("Archived spring 10 % off, 3 periods cpn_")

    assert body(coupon_app, environment, *fiver) == offered  # repeated: nothing new
    assert (offered["amount_off"], offered["currency"], offered["plans"]) == ("5", "EUR", ["team"])
    listed = body(coupon_app, environment, "list")["coupons"]
    assert listed[0] == offered | {"promotion_codes": ["HELLO"]}
    assert listed[1]["archived_at"] is not None
    assert done(coupon_app, environment, "list")[1:] == [
        "fiver 5.00 EUR forever 0 of 9 HELLO",
        "spring 10 % 3 periods 0 archived",
    ]


@pytest.mark.parametrize(
    ("app", "words", "code"),
    [
        (coupon_app, ("create", "x", "--amount", "5.005 EUR"), "malformed"),
        (coupon_app, ("create", "x", "--amount", "5.00"), "malformed"),
        (coupon_app, ("create", "x"), "malformed"),
        (coupon_app, ("create", "x", "--percent", "10", "--max-redemptions", "0"), "malformed_discount"),
        (coupon_app, ("create", "x", "--percent", "10", "--max-per-customer", "0"), "malformed_discount"),
        (coupon_app, ("create", "x", "--percent", "10", "--redeem-by", "tomorrow"), "not_an_instant"),
        (coupon_app, ("archive", "nothing"), "coupon_not_found"),
        (promotion_app, ("create", "HELLO", "--coupon", "nothing"), "coupon_not_found"),
        (promotion_app, ("create", "HELLO", "--coupon", "nothing", "--customer", "nobody"), "not_found"),
        (promotion_app, ("create", "HELLO!", "--coupon", "nothing"), "malformed_discount"),
    ],
)
def test_what_cannot_be_offered_is_refused(
    environment: dict[str, str], app: Typer, words: tuple[str, ...], code: str
) -> None:
    assert body(app, environment, *words, exit_code=2)["error"]["code"] == code
