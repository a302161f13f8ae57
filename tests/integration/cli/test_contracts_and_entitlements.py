"""Contracts and entitlements by the command line: a deal is agreed, walked and amended, features are asked for."""

import pytest

from tests.integration.cli.conftest import BOOK, Shell
from tests.support.contracts import replaced

ACME = ("-t", "acme")
SOLD = replaced(
    BOOK,
    ("plans:", "features:\n  - {code: sso, name: SSO}\n  - {code: projects, name: Projects}\nplans:"),
    ("    interval: month", "    interval: month\n    features: [projects: 20]"),
)
DEAL = """\
contract: big
plan: team
name: Team for Globex
payment_terms: {net: 45}
po_number: PO-1
term: 2 years
charges:
  - {code: base, amount: 10}
  - {code: top, name: Maximum spend, kind: cap, amount: 900}
ramp:
  - after: 12 months
    charges: [{code: base, amount: 15.5}]
    features: [sso]
"""


@pytest.fixture
def acme(tenor: Shell) -> Shell:
    """A sandbox at 1 January 2026 that sells team and solo, with a customer globex."""
    tenor.done("tenant", "create", "acme", "--sandbox", "--clock", "2026-01-01T00:00:00Z")
    tenor.done("catalog", "apply", tenor.file("acme.yaml", SOLD), *ACME)
    tenor.done("customer", "add", "globex", *ACME)
    return tenor


def agree(shell: Shell, text: str = DEAL) -> None:
    shell.done("contract", "agree", shell.file("deal.yaml", text), "--customer", "globex", *ACME)


def test_a_contract_is_agreed_and_shown_with_what_each_step_changes(acme: Shell) -> None:
    agree(acme)

    lines = acme.done("contract", "show", "big", *ACME).out.splitlines()

    assert lines[0].startswith("big version 1  ctr_")
    assert lines[1].startswith("  Team for Globex, from plan team, for cus_")
    assert lines[2:] == [
        "  agreed 2026-01-01T00:00:00Z by operator: agreed by the command line",
        "  payment: 45 days net",
        "  purchase order: PO-1",
        "  term: 24 months",
        "  step 1, from the start",
        "    charges.base.amount: 20 → 10",
        "    charges.top: cap, timing arrears, quantity 1, prorate true, model flat, amount 900",
        "  step 2, after 12 months",
        "    features.sso: unlimited",
        "    charges.base.amount: 10 → 15.5",
    ]


def test_the_same_file_again_and_an_amendment(acme: Shell) -> None:
    agree(acme)
    agree(acme)
    agree(acme, replaced(DEAL, ("net: 45", "net: 30")))

    versions = acme.done("contract", "list", "--customer", "globex", *ACME, "--json").json["contracts"]
    assert [(one["contract"], one["version"], one["payment_terms"]["days"]) for one in versions] == [
        ("big", 2, 30),
        ("big", 1, 45),
    ]
    assert "2 versions" in acme.done("contract", "list", *ACME).out


def test_a_customer_walks_its_contract(acme: Shell) -> None:
    agree(acme)
    subscribed = acme.done("contract", "subscribe", "g1", "--contract", "big", *ACME, "--json").json

    assert (subscribed["status"], subscribed["version"], subscribed["ends_at"]) == (
        "active",
        2,
        "2028-01-01T00:00:00Z",
    )
    agree(acme, replaced(DEAL, ("term: 2 years", "term: 3 years")))
    moved = acme.done("contract", "move", "g1", "--contract", "big", *ACME, "--json").json
    assert moved["ends_at"] == "2029-01-01T00:00:00Z"


def test_a_malformed_contract_names_the_file_and_the_line(acme: Shell) -> None:
    file = acme.file("deal.yaml", replaced(DEAL, ("amount: 15.5", "amount: 15.555")))
    acme.refused(
        "contract",
        "agree",
        file,
        "--customer",
        "globex",
        *ACME,
        code="malformed_contract",
        says=f"{file}: the contract has 1 problem:\n"
        "  line 12, column 36: ramp[0].charges[0].amount: 15.555 is finer than USD",
    )


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("contract", "agree", "none.yaml", "--customer", "globex"), "malformed"),
        (("contract", "show", "big"), "contract_not_found"),
        (("contract", "list", "--customer", "nobody"), "not_found"),
        (("contract", "subscribe", "g1", "--contract", "big"), "contract_not_found"),
        (("contract", "move", "g1", "--contract", "big"), "subscription_not_found"),
        (("entitlement", "check", "nobody", "sso"), "not_found"),
        (("entitlement", "check", "globex", "soo"), "feature_not_found"),
        (("entitlement", "check", "globex", "sso", "--at", "soon"), "not_an_instant"),
        (("entitlement", "grant", "nobody", "sso"), "not_found"),
        (("entitlement", "grant", "globex", "sso", "--limit", "many"), "not_a_decimal"),
        (("entitlement", "grant", "globex", "sso", "--until", "2025-01-01T00:00:00Z"), "malformed_override"),
        (("entitlement", "deny", "globex", "sso", "--subscription", "g1"), "subscription_not_found"),
        (("entitlement", "revoke", "sub_1"), "not_an_id"),
        (("entitlement", "access", "active", "none"), "malformed"),
    ],
)
def test_what_is_refused(acme: Shell, words: tuple[str, ...], code: str) -> None:
    acme.refused(*words, *ACME, code=code)


def test_features_are_asked_for_at_any_instant(acme: Shell) -> None:
    agree(acme)
    acme.done("contract", "subscribe", "g1", "--contract", "big", *ACME)

    found = acme.done("entitlement", "check", "globex", "projects", *ACME, "--json").json
    assert found == {
        "feature": "projects",
        "allowed": True,
        "access": "full",
        "limit": "20",
        "reason": "in_plan",
        "source": "team private version 1 of g1",
    }
    refused = acme("entitlement", "check", "globex", "sso", *ACME)
    assert (refused.exit_code, refused.out) == (1, "sso: none (not_granted)\n")
    later = acme.done("entitlement", "check", "globex", "sso", "--at", "2027-01-01T00:00:00Z", *ACME)
    assert later.out == "sso: full, unlimited (in_plan, team private version 2 of g1)\n"


def test_a_grant_counts_until_it_is_revoked(acme: Shell) -> None:
    granted = acme.done(
        "entitlement", "grant", "globex", "sso", "--limit", "3", "--until", "2026-06-01T00:00:00Z", *ACME, "--json"
    ).json["id"]
    acme.done("entitlement", "deny", "globex", "projects", *ACME)

    assert acme.done("entitlement", "list", "globex", *ACME).out.splitlines() == [
        "projects: none (denied, override 2 by operator: denied by the command line)",
        "sso: full, up to 3 (overridden, override 1 by operator: granted by the command line)",
        "2 features",
    ]
    acme.done("entitlement", "revoke", granted, *ACME)
    acme.refused("entitlement", "revoke", granted, *ACME, code="override_revoked")
    assert acme("entitlement", "check", "globex", "sso", *ACME).exit_code == 1


def test_what_a_state_leaves_is_set(acme: Shell) -> None:
    assert acme.done("entitlement", "access", "paused", "none", *ACME).out == "Set  paused leaves none\n"
