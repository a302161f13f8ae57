"""What the command line does to documents: each in words and in JSON, and its refusals change nothing."""

from collections.abc import Iterator

import pytest

from tests.integration.cli.conftest import Shell, open_shop, opened_shell
from tests.integration.cli.test_commands import ACME, lines
from tests.support.postgres import Server

USD = ("--currency", "USD")


@pytest.fixture
def shop(server: Server, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """Globex owes INV-1 of 60.00 + 12.00 and INV-2 of 96.39 + 19.28; it is 1 February for acme."""
    with opened_shell(server, template, tmp_path_factory.mktemp("shop")) as shell:
        open_shop(shell)
        yield shell


def invoice(shop: Shell, name: str) -> tuple[str, str, str]:
    """Return status, due and open of a document."""
    document = shop.done("invoice", "show", name, *ACME, "--json").json
    return document["status"], document["due"], document["open"]


def test_a_payment_its_rest_and_the_refund_of_it(shop: Shell) -> None:
    paid = shop.done("invoice", "pay", "globex", "80.00", *USD, "--reference", "wire 1", "--invoice", "INV-1", *ACME)
    again = ("invoice", "pay", "globex", "80.00", *USD, "--reference", "wire 1", "--invoice", "INV-1", *ACME)

    assert lines(paid) == ["Received 80.00 USD receipt RCP-1", "INV-1 72.00 USD", "customer credit 8.00 USD"]
    repeated = shop.done(*again, "--json").json
    assert (repeated["receipt"], repeated["paid"], repeated["to_credit"]) == ("RCP-1", {"INV-1": "72.00"}, "8.00")
    assert invoice(shop, "INV-1") == ("paid", "72.00", "0.00")

    asked = shop.done("invoice", "refund", "globex", "8", *USD, "--reason", "paid twice", *ACME, "--json").json
    assert lines(shop.done("invoice", "refunded", asked["id"], "--reference", "sepa 1", *ACME)) == [
        f"Refunded 8.00 USD {asked['id']}"
    ]
    listed = lines(shop.done("invoice", "refunds", *ACME))
    assert listed[1] == f"{asked['id']} done 8.00 USD paid twice"
    assert shop.done("prove", *ACME, "--json").json["holds"]


def test_a_credit_a_void_and_a_write_off(shop: Shell) -> None:
    credited = shop.done("invoice", "credit", "INV-1", "--line", "1=5.00", "--reason", "slow", "--key", "k", *ACME)
    void = shop.done("invoice", "void", "INV-2", "--reason", "wrong", *ACME, "--json").json
    lost = shop.done("invoice", "write-off", "INV-1", "--reason", "gone", *ACME)

    # 5.00 and 1.00 of tax off 72.00
    assert lines(credited) == ["Credited CN-1 -6.00 USD", "INV-1 is overdue, 66.00 USD open"]
    assert (void["credit_note"], void["total"], void["status"]) == ("CN-2", "-115.67", "void")
    assert lines(lost) == ["Written off INV-1 66.00 USD"]
    shown = lines(shop.done("invoice", "show", "INV-1", *ACME))
    assert shown[3] == "credited by CN-1"
    assert shown[-3:] == ["credited -6.00 USD", "written off -66.00 USD", "status: written off"]
    explained = lines(shop.done("invoice", "explain", "CN-1", *ACME))
    assert explained[3:7] == [
        "credits INV-1",
        "1 Base fee 2026-01-01 – 2026-02-01 -5.00",
        "credit for line 1 of INV-1: slow",
        "billed 20.00, of which 20.00 were left; given back 5.00",
    ]
    assert lines(shop.done("invoice", "list", "--open", *ACME)) == ["Nothing is to be paid."]
    assert shop.done("prove", *ACME, "--json").json["holds"]


def test_a_charge_a_penalty_and_a_proforma(shop: Shell) -> None:
    charged = shop.done("invoice", "charge", "globex", "100.00", *USD, "--description", "Training", *ACME, "--json")
    waits = shop.done(
        "invoice", "charge", "globex", "1", *USD, "--description", "Fee", "--subscription", "globex-1",
        "--next-invoice", *ACME,
    )  # fmt: skip
    penalty = shop.done(
        "invoice", "credit-customer", "globex", "10", *USD, "--description", "Outage", "--clause", "4.2",
        "--reason", "below 99.9 %", *ACME,
    )  # fmt: skip
    proforma = shop.done("invoice", "proforma", "globex", *USD, "--line", "Licence=10.00", "--line", "Setup=5", *ACME)

    assert (charged.json["document"], charged.json["amount"]) == ("INV-3", "100.00")
    assert invoice(shop, "INV-3") == ("open", "120.00", "120.00")
    assert lines(waits)[0].startswith("Charged 1.00 USD waits for the next invoice adj_")
    assert lines(penalty)[0].startswith("Credited 10.00 USD CN-1 adj_")
    assert "service level credit under 4.2: below 99.9 %" in lines(shop.done("invoice", "explain", "CN-1", *ACME))
    assert lines(proforma) == [
        "Proforma PRO-1 globex",
        "Licence 10.00",
        "Setup 5.00",
        "net 15.00 USD",
        "tax 3.00 USD",
        "total 18.00 USD",
    ]
    head = lines(shop.done("invoice", "show", "INV-3", *ACME))
    assert head[0].startswith("One-off INV-3 inv_")
    assert head[1] == "Globex Corp. (globex)"
    assert shop.done("prove", *ACME, "--json").json["holds"]


def test_a_statement(shop: Shell) -> None:
    shop.done("invoice", "pay", "globex", "50", *USD, "--reference", "wire 1", *ACME)
    told = shop.done("invoice", "statement", "globex", "--to", "2026-03-01T00:00:00Z", *ACME)
    february = ("--from", "2026-02-01T00:00:00Z", *ACME, "--json")
    in_february = shop.done("invoice", "statement", "globex", *february).json["statements"][0]

    assert lines(told)[2:] == [
        "opening balance 0.00",
        "2026-01-01 invoice INV-1 72.00 72.00",
        "2026-02-01 invoice INV-2 115.67 187.67",
        "2026-02-01 payment wire 1 -50.00 137.67",
        "the customer owes 137.67 USD",
    ]
    assert (in_february["opening"], in_february["closing"], len(in_february["entries"])) == ("72.00", "137.67", 2)
    assert lines(shop.done("invoice", "statement", "globex", "--to", "2025-01-01T00:00:00Z", *ACME)) == [
        "Nothing has happened yet."
    ]


def test_how_a_customer_is_billed(shop: Shell) -> None:
    assert lines(shop.done("customer", "billing", "globex", *ACME))[0] == "to be paid within 30 days of the issue"
    shop.done("customer", "billing", "--net-days", "14", "--po-number", "none", *ACME)
    told = shop.done("customer", "billing", "globex", "--end-of-month-days", "10", "--consolidate", *ACME)

    assert lines(told) == [
        "to be paid within 10 days of the end of the month of the issue",
        "all subscriptions on one document",
        "the total of a credit note goes to the customer's credit",
        "PO number none",
    ]
    shop.done("invoice", "charge", "globex", "1", *USD, "--description", "Fee", *ACME)
    document = shop.done("invoice", "show", "INV-3", *ACME, "--json").json
    assert (document["due_on"], document["po_number"]) == ("2026-03-10", "none")


def test_refusals_change_nothing(shop: Shell) -> None:
    reason = ("--reason", "x", *ACME)
    pay = ("invoice", "pay", "globex")
    shop.refused("invoice", "void", "INV-9", *reason, code="document_not_found")
    shop.refused("invoice", "void", "CN-9", *reason, code="document_not_found")
    shop.refused("invoice", "credit", "INV-1", "--line", "1=20.01", *reason, code="credit_exceeds_line")
    shop.refused("invoice", "credit", "INV-1", "--line", "1=0.001", *reason, code="not_a_decimal")
    shop.refused("invoice", "credit", "INV-1", "--line", "20", *reason, code="malformed", says="NUMBER=AMOUNT")
    shop.refused("invoice", "credit", "INV-1", "--settles", "cash", *reason, code="malformed")
    shop.refused(*pay, "1", "--currency", "XXX", "--reference", "w", *ACME, code="unknown_currency")
    shop.refused(*pay, "0", *USD, "--reference", "w", *ACME, code="malformed")
    shop.refused(*pay, "1", *USD, "--reference", "w", "--received", "2027-01-01T00:00:00Z", *ACME, code="malformed")
    shop.refused(*pay, "9999999999999999999", *USD, "--reference", "w", *ACME, code="not_a_decimal")
    shop.refused("invoice", "pay", "nobody", "1", *USD, "--reference", "w", *ACME, code="not_found", says="nobody")
    shop.refused("invoice", "refund", "globex", "1", *USD, *reason, code="refund_exceeds_credit")
    shop.refused("customer", "billing", "globex", "--net-days", "400", *ACME, code="malformed_payment_terms")
    shop.refused("customer", "billing", "globex", "--grace-days", "-1", *ACME, code="malformed_billing_settings")
    shop.done("invoice", "pay", "globex", "1", *USD, "--reference", "w", *ACME)
    shop.refused("invoice", "void", "INV-1", *reason, code="document_paid", says="credit it instead")
