"""What people try after a first bill: what is told fits the screen, says what came of it and names the way on."""

import pytest

from tests.integration.cli.conftest import Shell, open_shop
from tests.integration.cli.test_commands import ACME, lines

FEBRUARY = "2026-02-01T00:00:00Z"
MIDDLE = "2026-02-15T00:00:00Z"


@pytest.fixture
def office(tenor: Shell) -> Shell:
    """Globex holds 8 seats of `team` and has paid nothing; it is 1 February for acme. February has 28 days."""
    open_shop(tenor)
    return tenor


def test_a_preview_names_the_days_of_each_line_and_fits_80_columns(office: Shell) -> None:
    told = office.done("subscription", "pause", "globex-1", "--at", MIDDLE, "--preview", *ACME)

    # Half of 20.00 and of 8 × 8.00 goes back, with 20 % tax; and January's usage of 0.50 and 1.50 is due
    assert lines(told)[:7] == [
        "Credit note, not issued",
        "for period amount tax",
        "Base fee 2026-02-01 – 2026-03-01 -10.00 -2.00",
        "Seats 2026-02-01 – 2026-03-01 -32.00 -6.40",
        "API calls 2026-01-01 – 2026-02-01 0.50 0.10",
        "Tokens 2026-01-01 – 2026-02-01 1.50 0.30",
        "total -48.00 USD -8.00",
    ]
    assert all(len(line) <= 80 for line in told.out.splitlines()[:7])


def test_what_is_invoiced_at_once_is_named(office: Shell) -> None:
    paused = office.done("subscription", "pause", "globex-1", "--at", MIDDLE, "--invoice", *ACME)
    assert lines(paused)[-1] == "Issued CN-1 -48.00 USD"

    again = office.done("subscription", "undo", "globex-1", "--entry", "3", "--invoice", *ACME, "--json").json
    assert again["documents"] == [{"number": "INV-3", "kind": "invoice", "total": "50.40", "currency": "USD"}]

    planned = ("subscription", "change-quantity", "globex-1", "-q", "seats=9", "--at", "2026-03-01T00:00:00Z")
    assert lines(office.done(*planned, "--invoice", *ACME))[-1].startswith("Nothing is to be issued now;")


def test_a_quote_is_not_asked_for_and_accepted_in_one_call(office: Shell) -> None:
    office.refused(
        "subscription", "cancel", "globex-1", "--preview", "--quote", "x", *ACME, code="malformed", says="one of them"
    )


def test_drafts_show_what_grace_keeps_open(office: Shell) -> None:
    drafts = ("invoice", "drafts", "--subscription", "globex-1", *ACME)
    office.done("bill", *ACME)
    assert lines(office.done(*drafts)) == ["Nothing waits to be invoiced."]

    office.done("customer", "billing", "globex", "--grace-days", "7", *ACME)
    assert office.done("bill", "--as-of", "2026-03-01T00:00:00Z", *ACME, "--json").json["runs"][0]["documents"] == []

    (draft,) = office.done(*drafts, "--json").json["drafts"]
    # 20.00 + 8 × 8.00 for March, and 20 %
    assert (draft["kind"], draft["total"]) == ("invoice", "100.80")
    assert lines(office.done(*drafts))[-1] == "total 100.80 USD 16.80"
    office.refused("invoice", "drafts", "--subscription", "none", *ACME, code="subscription_not_found")

    finalised = office.done("invoice", "finalise", "--subscription", "globex-1", *ACME, "--json").json["documents"]
    assert [document["total"] for document in finalised] == ["100.80"]
    assert lines(office.done(*drafts)) == ["Nothing waits to be invoiced."]


def test_a_credit_note_says_where_its_total_went(office: Shell) -> None:
    office.done("subscription", "cancel", "globex-1", "--at", MIDDLE, "--invoice", *ACME)
    shown = lines(office.done("invoice", "show", "CN-1", *ACME))

    assert shown[-1] == "status: issued, 48.00 USD to the customer's credit"
    assert not any(line.startswith("to be paid") for line in shown)


def test_an_unknown_customer_does_not_look_like_one_without_documents(office: Shell) -> None:
    office.refused("invoice", "list", "--customer", "nobody", *ACME, code="not_found")


def test_the_plan_is_shown_before_its_add_ons(office: Shell) -> None:
    office.done("subscription", "add-on", "add", "globex-1", "--plan", "solo", *ACME)
    office.done("subscription", "change-plan", "globex-1", "--plan", "solo", "--at", MIDDLE, *ACME)

    shown = lines(office.done("subscription", "show", "globex-1", *ACME))[2:]
    assert [line.endswith("(add-on)") for line in shown] == [False, False, False, True]


def test_lines_of_several_plans_say_which_plan_they_are_of(office: Shell) -> None:
    office.done("subscription", "create", "two", "--customer", "globex", "--plan", "solo", *ACME)
    office.done("bill", "--as-of", MIDDLE, *ACME)
    made = office.done("subscription", "change-plan", "two", "--plan", "team", "--invoice", *ACME, "--json")

    shown = lines(office.done("invoice", "explain", made.json["documents"][0]["number"], *ACME))
    assert shown[1].endswith("subscription two, plan team version 1, plan solo version 1")
    # a part of the fee of the one plan goes back, and fee and seats of the other are due
    assert [line for line in shown[2:] if line.startswith("plan ")] == [
        "plan solo version 1",
        "plan team version 1",
        "plan team version 1",
    ]


def test_customers_and_subscriptions_are_listed(office: Shell) -> None:
    office.done("customer", "add", "initech", "--country", "DE", *ACME)
    assert lines(office.done("customer", "list", *ACME)) == [
        "customer name country zone tax",
        "initech initech DE UTC 0 %",
        "globex Globex Corp. UTC 20 %",
    ]
    assert lines(office.done("subscription", "list", "--customer", "globex", *ACME)) == [
        "subscription customer status since ends",
        "globex-1 globex active 2026-01-01",
    ]
    assert "subscription create" in office.done("subscription", "list", "--customer", "initech", *ACME).out
    (listed,) = office.done("subscription", "list", *ACME, "--json").json["subscriptions"]
    assert (listed["external_id"], listed["customer"], listed["version"]) == ("globex-1", "globex", 2)
    office.refused("subscription", "list", "--customer", "nobody", *ACME, code="not_found")


def test_an_empty_list_names_the_way_on(office: Shell) -> None:
    assert "tenor contract agree" in office.done("contract", "list", *ACME).out
    assert lines(office.done("entitlement", "list", "globex", *ACME)) == [
        "Nothing that the customer has names a feature at that instant."
    ]


CONTRACT = """\
contract: globex-2026
plan: team
charges: [{code: base, amount: 10.00}]
"""


def test_a_contract_is_previewed_and_accepted_like_every_change(office: Shell) -> None:
    office.done("contract", "agree", office.file("deal.yaml", CONTRACT), "--customer", "globex", *ACME)
    office.done("bill", *ACME)
    move = ("contract", "move", "globex-1", "--contract", "globex-2026", *ACME)

    quoted = office.done(*move, "--preview", "--json").json
    # The rest of February at 10.00 instead of 20.00, the seats as before; 20 % on the difference
    assert [document["total"] for document in quoted["documents"]] == ["-12.00"]

    accepted = office.done(*move, "--quote", quoted["quote"], "--json").json
    assert accepted["documents"] == [{"number": "CN-1", "kind": "credit_note", "total": "-12.00", "currency": "USD"}]


def test_a_subscription_to_a_contract_is_previewed_too(office: Shell) -> None:
    office.done("contract", "agree", office.file("deal.yaml", CONTRACT), "--customer", "globex", *ACME)
    subscribe = ("contract", "subscribe", "globex-2", "--contract", "globex-2026", *ACME)

    quoted = office.done(*subscribe, "--preview", "--json").json
    # 10.00 + 3 seats × 8.00, and 20 %
    assert [document["total"] for document in quoted["documents"]] == ["40.80"]
    made = lines(office.done(*subscribe, "--quote", quoted["quote"]))
    assert made[-1] == "Issued INV-3 40.80 USD"
