"""`tenor wallet`: as text for people, as one object for programs, and what it refuses."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from tenor.cli.commands.wallet import app
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


def done(environment: dict[str, str], *words: str) -> str:
    """Run a command that must end well; return what it printed, with one blank between words."""
    ran = CliRunner().invoke(app, words, env=environment)
    assert ran.exit_code == 0, ran.output
    return " ".join(ran.output.split())


def body(environment: dict[str, str], *words: str, exit_code: int = 0) -> dict[str, Any]:
    """Run a command with --json; return the object that it printed."""
    ran = CliRunner().invoke(app, [*words, "--json"], env=environment)
    assert ran.exit_code == exit_code, ran.output
    printed: dict[str, Any] = json.loads(ran.output)
    return printed


def test_a_wallet_from_its_opening_to_its_last_entry(environment: dict[str, str]) -> None:
    assert done(environment, "open", "globex", "EUR", "--unit", "tokens", "--rate", "0.002") == (
        "Wallet main of globex counts tokens"
    )
    assert done(environment, "grant", "globex", "1000", "--cost", "2.00", "--priority", "1") == (
        "Granted 1000 tokens to globex"
    )
    gift = body(environment, "grant", "globex", "500", "--expires", "2999-01-01T00:00:00Z")
    used = body(environment, "use", "globex", "1200", "--key", "call-1")
    assert (used["used"], used["uncovered"]) == ("1200", "0")
    assert body(environment, "use", "globex", "1200", "--key", "call-1")["use_id"] == used["use_id"]

    shown = body(environment, "show", "globex")["wallets"]
    assert [(wallet["code"], wallet["available"], wallet["held"]) for wallet in shown] == [("main", "300", "0")]
    assert done(environment, "void", gift["grant_id"]) == "Took 300 out"
    listed = body(environment, "entries", "globex")["entries"]
    assert [(entry["entry_no"], entry["kind"], entry["amount"], entry["value_minor"]) for entry in listed] == [
        (1, "granted", "1000", 200),
        (2, "granted", "500", 0),
        (3, "drawn", "1000", 200),
        (4, "drawn", "200", 0),
        (5, "voided", "300", 0),
    ]
    assert "5 entries" in done(environment, "entries", "globex")
    assert "main tokens 0 0 0" in done(environment, "show", "globex")


def test_what_is_due_is_done_by_a_tick(environment: dict[str, str]) -> None:
    done(environment, "open", "globex", "EUR")
    done(environment, "top-up", "globex", "--below", "5", "--to", "20")
    done(environment, "alert", "globex", "5")

    nothing = {"released": 0, "lapsed": 0, "renewed": 0, "crossed": 0, "top_ups_ordered": 0}
    assert body(environment, "tick") == nothing | {"top_ups_ordered": 1}
    assert done(environment, "tick") == "released 0, lapsed 0, renewed 0, crossed 0, top ups ordered 0"

    shown = body(environment, "top-ups", "globex")
    (ordered,) = shown["top_ups"]
    assert shown["rule"] == {"threshold": "5", "target": "20", "max_per_day": 1, "is_active": True}
    assert (ordered["amount"], ordered["price"], ordered["status"]) == ("20", "20.00", "pending")
    assert done(environment, "settle", ordered["top_up_id"], "--paid") == "Granted 20"
    assert body(environment, "settle", ordered["top_up_id"], "--failed", exit_code=2)["error"]["code"] == (
        "top_up_settled"
    )
    assert "Filled up below 5 to 20, at most 1 a day" in done(environment, "top-ups", "globex")
    assert body(environment, "alerts", "globex") == {"alerts": [{"threshold": "5", "is_below": False}]}
    assert "5 no" in done(environment, "alerts", "globex")


def test_credit_is_held_for_a_call_whose_cost_is_known_later(environment: dict[str, str]) -> None:
    done(environment, "open", "globex", "EUR")
    done(environment, "grant", "globex", "10", "--cost", "8.00", "--paid-from", "invoice", "--feature", "api")
    until = ("--until", "2999-01-01T00:00:00Z", "--feature", "api")
    held = body(environment, "reserve", "globex", "6", "--key", "a", *until)["use_id"]
    other = body(environment, "reserve", "globex", "4", "--key", "b", *until)["use_id"]
    assert body(environment, "use", "globex", "1", "--key", "c", exit_code=2)["error"]["code"] == "credit_exhausted"

    assert done(environment, "commit", held, "5") == "Used 5 of 6 that were held"
    assert done(environment, "release", other) == "Gave 4 free"
    (grant,) = body(environment, "grants", "globex")["grants"]
    assert (grant["remaining"], grant["held"], grant["cost_minor"], grant["paid_from"]) == ("5", "0", 800, "invoice")
    assert body(environment, "give-back", held, "2")["used"] == "3"
    assert done(environment, "give-back", held) == "Gave 3 back; 0 stay used"
    assert "1 grant" in done(environment, "grants", "globex", "--all")
    assert "no use" in body(environment, "release", "top_1", exit_code=2)["error"]["message"]


def test_credit_is_promised_every_month_until_that_is_stopped(environment: dict[str, str]) -> None:
    done(environment, "open", "globex", "EUR")
    assert done(environment, "recur", "globex", "50", "--as", "support", "--keep", "20") == (
        "Promised 50 EUR to globex every month"
    )
    assert body(environment, "show", "globex")["wallets"][0]["available"] == "50"
    assert done(environment, "stop", "globex", "support") == "Stopped support"
    (promise,) = body(environment, "recurring", "globex")["recurring"]
    assert (promise["amount"], promise["every"], promise["rollover_max"], promise["next_at"]) == (
        "50",
        "month",
        "20",
        None,
    )
    assert "stopped" in done(environment, "recurring", "globex")


def test_credit_is_bought_by_an_invoice(environment: dict[str, str]) -> None:
    done(environment, "open", "globex", "EUR", "--unit", "tokens", "--rate", "0.002", "--pays-everything")

    assert done(environment, "buy", "globex", "1000", "--price", "1.50", "--lasts", "3 months", "--key", "a") == (
        "Sold 1000 tokens to globex by INV-1: 1.50 EUR to be paid"
    )
    again = body(environment, "buy", "globex", "1000", "--price", "1.50", "--lasts", "3 months", "--key", "a")
    assert (again["invoice"], again["due"], again["status"], again["grant_id"]) == ("INV-1", "1.50", "pending", None)
    assert done(environment, "buy", "globex", "500", "--at-once") == "Sold 500 tokens to globex by INV-2: granted"
    shown = body(environment, "show", "globex")["wallets"]
    assert [wallet["available"] for wallet in shown] == ["500"]


def test_a_top_up_that_is_invoiced_is_paid_by_paying_that(environment: dict[str, str]) -> None:
    done(environment, "open", "globex", "EUR")
    done(environment, "top-up", "globex", "--below", "5", "--to", "20")
    done(environment, "tick")

    assert body(environment, "bill-top-ups") == {"invoices": ["INV-1"]}
    assert done(environment, "bill-top-ups") == "Invoiced 0 top-ups"
    (ordered,) = body(environment, "top-ups", "globex")["top_ups"]
    refused = body(environment, "settle", ordered["top_up_id"], "--paid", exit_code=2)["error"]
    assert (refused["code"], refused["message"].endswith("is invoiced: pay its invoice")) == ("top_up_settled", True)


def test_refusals_have_their_codes(environment: dict[str, str]) -> None:
    done(environment, "open", "globex", "EUR")
    refused = {
        "wallet_not_found": ["use", "globex", "1", "--key", "a", "-w", "other"],
        "credit_exhausted": ["use", "globex", "1", "--key", "a"],
        "not_found": ["show", "nobody"],
        "not_a_decimal": ["grant", "globex", "many"],
        "malformed_wallet": ["grant", "globex", "1", "--source", "heaven"],
        "not_an_id": ["void", "grt_1"],
        "wallet_exists": ["open", "globex", "EUR", "--overdraws"],
        "credit_gone": ["grant", "globex", "1", "--cost", "1", "--paid-from", "customer_credit"],
        "malformed": ["recur", "globex", "1", "--as", "x", "--every", "now and then"],
    }
    for code, words in refused.items():
        assert body(environment, *words, exit_code=2)["error"]["code"] == code
