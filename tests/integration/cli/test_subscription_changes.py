"""Every change of a subscription by the command line: what it prints, what it refuses."""

import pytest

from tests.integration.cli.conftest import BOOK, Shell
from tests.integration.cli.test_commands import ACME, lines

MONTHS = [f"2026-{month:02}-01T00:00:00Z" for month in range(1, 13)]
WHY = "subscribed by the command line"
MORE = """\
price_book: more
currency: USD
tax_mode: exclusive
effective: 2026-01-01T00:00:00Z
products:
  - {code: extra, name: Extra}
plans:
  - code: storage
    name: Storage
    product: extra
    interval: month
    charges:
      - {code: space, name: Space, kind: recurring, amount: 9.00}
      - {code: disks, name: Disks, kind: seat, unit_amount: 2.00, quantity: 1}
"""


@pytest.fixture
def sub(tenor: Shell) -> Shell:
    """The command line of a company with the subscription `one` of globex to `team` since 1 January 2026."""
    tenor.done("tenant", "create", "acme", "--sandbox", "--clock", MONTHS[0])
    tenor.done("catalog", "apply", tenor.file("book.yaml", BOOK), *ACME)
    tenor.done("catalog", "apply", tenor.file("more.yaml", MORE), *ACME)
    for customer in ("globex", "initech"):
        tenor.done("customer", "add", customer, "--name", customer.title(), *ACME)
    tenor.done("subscription", "create", "one", "--customer", "globex", "--plan", "team", *ACME)
    return tenor


def change(shell: Shell, *words: object) -> dict[str, object]:
    return shell.done("subscription", *words, *ACME, "--json").json


def journal(shell: Shell, command: str = "journal") -> list[tuple[int, str, str]]:
    """Return entry, effective instant and words of what `journal` or `scheduled` lists."""
    entries = shell.done("subscription", command, "one", *ACME, "--json").json["entries"]
    return [(entry["entry"], entry["effective_at"], entry["change"]) for entry in entries]


def test_a_pause_is_planned_listed_resumed_early_and_the_journal_tells_all(sub: Shell) -> None:
    paused = change(sub, "pause", "one", "--at", MONTHS[1], "--cycles", "2", "--unused-time", "extend")
    assert (paused["status"], paused["version"]) == ("active", 3)
    assert journal(sub, "scheduled") == [
        (2, MONTHS[1], "paused; nothing of the period is credited; billing dates shift by it"),
        (3, MONTHS[3], f"resumed; counted from {MONTHS[3]}"),
    ]

    change(sub, "resume", "one", "--at", MONTHS[2], "--billing-date", "keep", "--reason", "came back")

    assert journal(sub)[1:] == [
        (2, MONTHS[1], "paused; nothing of the period is credited; billing dates shift by it"),
        (3, MONTHS[3], f"resumed; counted from {MONTHS[3]}"),
        (4, MONTHS[3], "entry 3 taken back"),
        (5, MONTHS[2], "resumed"),
    ]
    assert lines(sub.done("subscription", "show", "one", *ACME))[2:] == [
        f"{MONTHS[0]} – {MONTHS[1]} team version 1 seats 3",
        f"{MONTHS[1]} – {MONTHS[2]} team version 1 seats 3 (paused, not billed)",
        f"{MONTHS[2]} – open team version 1 seats 3",
    ]
    assert lines(sub.done("subscription", "scheduled", "one", *ACME))[2:] == [
        f"5 {MONTHS[2]} resumed",
        f"recorded {MONTHS[0]} by operator: came back",
    ]
    told = lines(sub.done("subscription", "journal", "one", *ACME))
    assert told[:2] == [
        f"1 {MONTHS[0]} subscribed to team version 1, seats 3",
        f"recorded {MONTHS[0]} by operator: {WHY}",
    ]
    assert told[4] == f"3 {MONTHS[3]} resumed; counted from {MONTHS[3]} (taken back)"


def test_a_cancellation_is_undone(sub: Shell) -> None:
    assert lines(sub.done("subscription", "scheduled", "one", *ACME)) == ["Nothing is ahead."]
    cancelled = change(sub, "cancel", "one", "--credit", "none")
    assert (cancelled["ends_at"], cancelled["cancels_at_end"]) == (MONTHS[1], True)

    undone = change(sub, "undo", "one", "--entry", "2")

    assert (undone["ends_at"], undone["version"]) == (None, 3)
    assert journal(sub, "scheduled") == []


def test_seats_prices_and_plans_are_changed_with_all_their_options(sub: Shell) -> None:
    change(sub, "change-quantity", "one", "-q", "seats=1", "--decrease", "renewal")
    change(
        *(sub, "change-prices", "one", "--price", "base=10", "--step", f"{MONTHS[1]}=base:15"),
        *("--step", f"{MONTHS[2]}=base:plan", "--step", f"{MONTHS[2]}=seats:7.5"),
    )
    change(sub, "change-plan", "one", "--plan", "solo", "--at", MONTHS[3], "--price", "base=8", "--credit", "full")
    change(sub, "change-plan", "one", "--plan", "solo", "--by-policy")

    assert journal(sub)[1:] == [
        (2, MONTHS[0], "seats 1"),
        (3, MONTHS[0], "price of base 10"),
        (4, MONTHS[1], "price of base 15"),
        (5, MONTHS[2], "price of base as the plan says, seats 7.5"),
        (6, MONTHS[3], "plan solo version 1, price of base 8; the whole period is credited"),
        (7, MONTHS[0], "plan solo version 1; the rest of the period is credited"),
    ]


def test_an_add_on_is_named_by_its_plan(sub: Shell) -> None:
    change(sub, "add-on", "add", "one", "--plan", "storage", "-q", "disks=2")
    change(sub, "change-quantity", "one", "-q", "disks=4", "--add-on", "storage", "--at", "period_end")
    change(sub, "add-on", "remove", "one", "--add-on", "storage", "--at", MONTHS[2])

    assert lines(sub.done("subscription", "show", "one", *ACME))[3:] == [
        f"{MONTHS[0]} – {MONTHS[1]} storage version 1 disks 2 (add-on)",
        f"{MONTHS[1]} – {MONTHS[2]} storage version 1 disks 4 (add-on)",
    ]
    sub.refused(
        *("subscription", "add-on", "remove", "one", "--add-on", "gold", *ACME),
        code="not_found",
        says="there is no add-on on plan 'gold'; there is itm_",
    )


def test_trials_terms_and_billing_dates(sub: Shell) -> None:
    create = ("subscription", "create", "two", "--customer", "globex", "--plan", "team", "--trial-days", "14")
    sub.done(*create, "--end", MONTHS[6], "--notice-days", "30", *ACME)

    assert change(sub, "trial", "extend", "two", "--until", MONTHS[1])["trial_ends_at"] == MONTHS[1]
    assert change(sub, "trial", "convert", "two")["status"] == "active"
    assert change(sub, "term", "extend", "two", "--by", "2 months")["ends_at"] == MONTHS[8]
    assert change(sub, "term", "shorten", "two", "--until", MONTHS[7])["ends_at"] == MONTHS[7]
    assert change(sub, "renew", "two", "--for", "1 month")["ends_at"] == MONTHS[8]
    planned = ("subscription", "term", "extend", "two", "--forever", *ACME)
    sub.refused(*planned, code="term_refused", says=f"entry 6 changes the term at {MONTHS[7]}; undo it first")
    change(sub, "undo", "two", "--entry", "6")
    assert change(sub, "term", "extend", "two", "--forever")["ends_at"] is None
    assert change(sub, "anchor", "one", "--day", "15")["version"] == 2
    assert journal(sub)[1:] == [(2, MONTHS[1], "billing dates moved; counted from 2026-03-15T00:00:00Z")]
    sub.refused("subscription", "trial", "end", "two", *ACME, code="not_in_trial", says="no trial runs")


def test_a_subscription_is_transferred(sub: Shell) -> None:
    there = change(sub, "transfer", "one", "--to", "initech", "--as", "theirs", "--at", MONTHS[1])

    assert (there["external_id"], there["status"], there["starts_at"]) == ("theirs", "created", MONTHS[1])
    assert journal(sub)[1:] == [
        (2, MONTHS[1], f"cancelled; the rest of the period is credited, transferred to {there['id']}")
    ]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("resume", "one"), "not_paused", "the subscription is not paused"),
        (("pause", "one", "--until", MONTHS[3], "--cycles", "2"), "malformed", "--until and --cycles"),
        (("pause", "one", "--cycles", "0"), "not_a_pause_length", "1 to 1,000 billing periods, not 0"),
        (("pause", "one", "--until", MONTHS[0]), "pause_refused", "cannot end at 2026-01-01T00:00:00Z"),
        (("pause", "one", "--until", "soon"), "not_an_instant", "--until: 'soon'"),
        (("undo", "one", "--entry", "1"), "undo_refused", "is the start"),
        (("undo", "one", "--entry", "9"), "undo_refused", "there is no entry 9"),
        (("anchor", "one"), "malformed", "--day or --instant"),
        (("anchor", "one", "--day", "32"), "not_a_day_of_month", "1 to 31, not 32"),
        (("change-prices", "one"), "malformed", "--price CHARGE=AMOUNT, --step INSTANT=CHARGE:AMOUNT, or both"),
        (("change-prices", "one", "--step", "base:1"), "malformed", "write INSTANT=CHARGE:AMOUNT"),
        (("change-prices", "one", "--price", "base=x"), "not_a_decimal", "--price base: 'x'"),
        (("term", "extend", "one"), "malformed", "one of --by, --until and --forever"),
        (("term", "extend", "one", "--by", "soon"), "malformed", "'soon' is no length such as '1 year'"),
        (("renew", "one", "--for", "1 year"), "term_refused", "no term ends"),
        (("transfer", "one", "--to", "nobody", "--as", "x"), "not_found", "there is no customer 'nobody'"),
        (("transfer", "one", "--to", "globex", "--as", "x"), "transfer_refused", "that customer's already"),
        (("discount", "apply", "one"), "malformed", "a coupon by --coupon, or a promotion code by --promotion-code"),
        (("discount", "remove", "one", "--discount", "half"), "not_found", "there is none"),
        (("cancel", "one", "--version", "7"), "version_conflict", "is at version 1, not 7"),
        (("journal", "other"), "subscription_not_found", "there is no subscription 'other'"),
    ],
)
def test_a_change_that_cannot_be_is_refused_with_the_place(
    sub: Shell, words: tuple[str, ...], code: str, says: str
) -> None:
    sub.refused("subscription", *words, *ACME, code=code, says=says)
