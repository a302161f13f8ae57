"""Every command in its normal case and with nothing there yet: as text for people, as one object for programs."""

from pathlib import Path

import typer.main
from typer.core import TyperGroup

from tenor.cli.app import app
from tests.integration.cli.conftest import BOOK, USAGE, Ran, Shell, open_shop, run
from tests.support.postgres import Server

JANUARY = "2026-01-01T00:00:00Z"
FEBRUARY = "2026-02-01T00:00:00Z"
ACME = ("-t", "acme")


def lines(ran: Ran) -> list[str]:
    """Return the lines that were printed, with one blank between words and no empty ones."""
    return [" ".join(line.split()) for line in ran.out.splitlines() if line.strip()]


def test_every_command_has_help_and_takes_json() -> None:
    commands = list(_commands((), typer.main.get_command(app)))

    assert len(commands) == 144
    for path in commands:
        helped = run(*path, "--help")
        assert helped.exit_code == 0
        assert "--json" in helped.out, path


def _commands(path: tuple[str, ...], command: object) -> list[tuple[str, ...]]:
    if not isinstance(command, TyperGroup):
        return [path]
    return [leaf for name, child in command.commands.items() for leaf in _commands((*path, name), child)]


def test_up_and_doctor_say_where_the_data_is(tenor: Shell) -> None:
    ready, done = lines(tenor.done("up"))
    doctor = lines(tenor.done("doctor"))
    checks = tenor.done("doctor", "--json").json

    assert ready.startswith("Ready PostgreSQL ")
    assert done == "every migration was applied already"
    assert tenor.done("up", "--json").json["applied"] == []
    assert doctor[1].startswith("ok database: PostgreSQL ")
    assert doctor[2:] == ["ok migrations: all applied", "ok tenants: 0 tenants"]
    assert checks["is_well"] is True
    assert [check["name"] for check in checks["checks"]] == ["data directory", "database", "migrations", "tenants"]


def test_up_applies_the_migrations_of_an_empty_database(server: Server, tmp_path: Path) -> None:
    with server.fresh_database() as name:
        shell = Shell(server, name, tmp_path)

        assert shell.done("up", "--json").json["applied"][0] == "0001_platform"
        assert shell.done("up", "--json").json["applied"] == []


def test_with_nothing_there_every_list_says_so(tenor: Shell) -> None:
    assert lines(tenor.done("tenant", "list")) == ["There is no tenant yet. Make one with tenor tenant create NAME."]
    assert tenor.done("tenant", "list", "--json").json == {"tenants": []}
    tenor.done("tenant", "create", "acme", "--sandbox", "--clock", JANUARY)

    documents = tenor.done("invoice", "list", *ACME)
    balance = tenor.done("ledger", "trial-balance", *ACME)
    bill = tenor.done("bill", *ACME)
    proof = tenor.done("prove", *ACME)

    assert lines(documents) == ["No document has been issued. tenor bill issues what is due."]
    assert tenor.done("invoice", "list", *ACME, "--json").json == {"documents": []}
    assert lines(balance) == ["Nothing has been booked yet."]
    assert tenor.done("ledger", "trial-balance", *ACME, "--json").json == {"accounts": [], "difference": {}}
    assert lines(bill)[0].startswith(f"As of {JANUARY}: 0 subscriptions due, 0 documents with 0 lines in ")
    (run_again,) = tenor.done("bill", *ACME, "--json").json["runs"]
    assert (run_again["subscriptions"], run_again["lines"], run_again["documents"]) == (0, 0, [])
    assert "0 subscriptions" in lines(proof)
    assert lines(proof)[-1] == "Proven: every document follows from its inputs, to the cent"
    assert tenor.done("prove", *ACME, "--json").json["findings"] == []


def test_tenants_are_made_and_listed(tenor: Shell) -> None:
    made = tenor.done("tenant", "create", "acme", "--name", "Acme Inc.", "--timezone", "Europe/Berlin")
    play = tenor.done("tenant", "create", "play", "--sandbox", "--clock", JANUARY, "--profile", "lago", "--json").json

    assert lines(made)[0].startswith("Created acme ten_")
    assert play["slug"] == "play"
    assert lines(tenor.done("tenant", "list"))[1:] == [
        "acme Acme Inc. wall clock Europe/Berlin tenor",
        f"play play {JANUARY} UTC lago",
    ]
    assert tenor.done("tenant", "list", "--json").json["tenants"][1] == {
        "id": play["id"],
        "slug": "play",
        "name": "play",
        "is_sandbox": True,
        "clock_at": JANUARY,
        "timezone": "UTC",
        "profile": "lago",
    }


def test_a_price_book_is_planned_applied_and_changed(tenor: Shell) -> None:
    tenor.done("tenant", "create", "acme", "--sandbox", "--clock", JANUARY)
    book = tenor.file("book.yaml", BOOK)
    dearer = tenor.file("dearer.yaml", BOOK.replace("amount: 20.00", "amount: 25.00"))

    before = tenor.contents()
    plan = lines(tenor.done("catalog", "plan", book, *ACME))
    planned = tenor.done("catalog", "plan", book, *ACME, "--json").json
    assert tenor.contents() == before

    applied = lines(tenor.done("catalog", "apply", book, *ACME))
    again = tenor.done("catalog", "apply", book, *ACME, "--json").json
    repeated = lines(tenor.done("catalog", "apply", book, *ACME))
    change = lines(tenor.done("catalog", "plan", dearer, *ACME))

    assert plan[0] == f"price book acme (USD, tax exclusive): edition 1, effective {JANUARY}"
    assert plan[1:4] == ["+ product app: Acme App", "+ metric calls: Calls", "+ metric tokens: Tokens"]
    assert plan[-1] == "tenor catalog apply makes it so"
    assert planned["has_changes"] is True
    assert [(one["plan"], one["action"], one["version"]) for one in planned["plans"]] == [
        ("team", "new", 1),
        ("solo", "new", 1),
    ]
    assert (applied[:-1], applied[-1]) == (plan[:-1], "applied")
    assert (again["has_changes"], again["edition"]) == (False, 1)
    assert repeated == ["price book acme (USD, tax exclusive): no changes, edition 1 stays"]
    assert "~ plan team: version 1 → 2" in change
    assert "charges.base.amount: 20 → 25" in change


def test_a_customer_is_registered_once(tenor: Shell) -> None:
    tenor.done("tenant", "create", "acme")

    first = tenor.done("customer", "add", "globex", "--name", "Globex Corp.", "--country", "DE", *ACME)
    again = tenor.done("customer", "add", "globex", "--country", "DE", *ACME, "--json").json

    assert lines(first) == [f"Registered globex {again['id']}"]
    assert again["external_id"] == "globex"


def test_a_subscription_is_made_changed_and_cancelled(tenor: Shell) -> None:
    open_sale(tenor)
    create = ("subscription", "create", "one", "--customer", "globex", "--plan", "team", "-q", "seats=5", *ACME)

    made = tenor.done(*create)
    repeated = tenor.done(*create, "--json").json
    more = tenor.done("subscription", "change-quantity", "one", "-q", "seats=8", "--version", "1", *ACME)
    other = tenor.done(
        *("subscription", "change-plan", "one", "--plan", "solo", "--effective", "period_end", *ACME, "--json")
    ).json
    ended = tenor.done("subscription", "cancel", "one", "--effective", "2026-03-01T00:00:00Z", *ACME, "--json").json

    assert lines(made) == [f"one {repeated['id']}", f"active, version 1, since {JANUARY}"]
    assert (repeated["version"], repeated["trial_ends_at"], repeated["ends_at"]) == (1, None, None)
    assert lines(more)[1] == f"active, version 2, since {JANUARY}"
    assert (other["version"], other["status"], other["currency"]) == (3, "active", "USD")
    assert (ended["version"], ended["ends_at"]) == (4, "2026-03-01T00:00:00Z")
    assert lines(tenor.done("subscription", "show", "one", *ACME)) == [
        f"one {repeated['id']}",
        f"active, version 4, since {JANUARY}, cancelled for 2026-03-01T00:00:00Z",
        f"{JANUARY} – {FEBRUARY} team version 1 seats 8",
        f"{FEBRUARY} – 2026-03-01T00:00:00Z solo version 1",
    ]
    shown = tenor.done("subscription", "show", "one", *ACME, "--json").json
    assert shown["timeline"][0] == {
        "item": shown["timeline"][0]["item"],
        "plan": "team version 1",
        "is_add_on": False,
        "start": JANUARY,
        "end": FEBRUARY,
        "state": "active",
        "is_billable": True,
        "quantities": {"seats": "8"},
        "prices": {},
    }


def test_a_trial_is_shown_as_not_billed(tenor: Shell) -> None:
    open_sale(tenor)

    made = tenor.done(
        *("subscription", "create", "two", "--customer", "globex", "--plan", "team", "--trial-days", "14", *ACME)
    )

    assert lines(made)[1] == f"trialing, version 1, since {JANUARY}, trial until 2026-01-15T00:00:00Z"
    assert lines(tenor.done("subscription", "show", "two", *ACME))[2:] == [
        f"{JANUARY} – 2026-01-15T00:00:00Z team version 1 seats 3 (trial, not billed)",
        "2026-01-15T00:00:00Z – open team version 1 seats 3",
    ]


def test_usage_is_taken_once_and_late_usage_is_announced(tenor: Shell) -> None:
    open_sale(tenor)
    tenor.done("subscription", "create", "one", "--customer", "globex", "--plan", "team", *ACME)
    tenor.done("bill", "--as-of", FEBRUARY, *ACME)
    usage = tenor.file("usage.csv", USAGE)

    first, again = (lines(tenor.done("usage", "import", usage, *ACME)) for _ in range(2))

    assert first == [
        "2 events taken, 0 known already",
        "usage in settled periods of 1 subscription item: the next run bills the difference",
    ]
    assert again == ["0 events taken, 2 known already"]
    renamed = tenor.file("renamed.csv", "id,who,what,when,n\nx-1,globex,tokens,2026-02-01 01:00,7\n")
    columns = [
        word
        for part in ("event_id=id", "customer=who", "metric=what", "occurred_at=when", "value=n")
        for word in ("--column", part)
    ]
    taken = tenor.done("usage", "import", renamed, *columns, "--zone", "Europe/Berlin", *ACME, "--json").json
    # 01:00 in Berlin is midnight UTC: the first instant of February, of which nothing has been settled
    assert taken == {"accepted": 1, "duplicates": 0, "late_for_items": 0}


def test_bills_are_printed_explained_and_proven(tenor: Shell) -> None:
    open_shop(tenor)

    late = tenor.done("bill", "--actor", "ann", "--workers", "1", *ACME)
    again = tenor.done("bill", "--as-of", FEBRUARY, *ACME, "--json").json

    # January's usage came after its invoice: 1 × 0.50 + 150 × 0.01 = 2.00, and 20 % tax
    assert lines(late)[0].startswith(f"As of {FEBRUARY}: 1 subscription due, 1 document with 2 lines in ")
    assert lines(late)[1:] == ["1 invoice 2.40 USD"]
    assert [(one["documents"], one["subscriptions"]) for one in again["runs"]] == [([], 0)]
    assert lines(tenor.done("invoice", "list", *ACME)) == [
        "number customer issued due by status total open",
        "INV-3 globex 2026-02-01 2026-03-03 open 2.40 USD 2.40 USD",
        # 20.00 + 8 × 8.00 = 84.00; January's seats 40.00 × 15/31 + 64.00 × 16/31 = 52.39, less 40.00 = 12.39; tax 19.28
        "INV-2 globex 2026-02-01 2026-03-03 open 115.67 USD 115.67 USD",
        # 20.00 + 5 × 8.00 = 60.00, tax 12.00
        "INV-1 globex 2026-01-01 2026-01-31 overdue 72.00 USD 72.00 USD",
    ]
    listed = tenor.done("invoice", "list", "--customer", "globex", "--limit", "1", *ACME, "--json").json["documents"]
    assert [(one["number"], one["kind"], one["total"], one["due"]) for one in listed] == [
        ("INV-3", "invoice", "2.40", "2.40")
    ]
    proof = tenor.done("prove", *ACME, "--json").json
    assert (proof["holds"], proof["pending"], proof["checked"]["documents"]) == (True, 0, 3)


def test_a_document_is_shown_by_number_or_id_and_explained(shop: Shell) -> None:
    shown = lines(shop.done("invoice", "show", "INV-1", *ACME))
    as_json = shop.done("invoice", "show", "INV-1", *ACME, "--json").json
    explained = lines(shop.done("invoice", "explain", as_json["id"], *ACME))

    assert shown == [
        f"Invoice INV-1 {as_json['id']}",
        "Globex Corp. (globex), subscription globex-1, plan team version 1",
        "issued 2026-01-01 00:00 UTC, to be paid by 2026-01-31",
        "1 Base fee 2026-01-01 – 2026-02-01 20.00",
        "2 Seats 2026-01-01 – 2026-02-01 40.00",
        "net 60.00 USD",
        "tax 20 % 12.00 USD",
        "total 72.00 USD",
        "to be paid 72.00 USD",
        "status: overdue, 72.00 USD open",
    ]
    assert [line for line in explained if line not in shown][:2] == ["flat fee 20.00", "rounded once to 20.00 USD"]
    assert "5 × 8.00 = 40.00" in explained
    assert (as_json["net"], as_json["tax"], as_json["total"], as_json["due"]) == ("60.00", "12.00", "72.00", "72.00")
    assert as_json["lines"][1] == {
        "description": "Seats",
        "charge": "seats",
        "subscription": "globex-1",
        "period": {"start": JANUARY, "end": FEBRUARY},
        "amount": "40.00",
        "tax": "8.00",
        "taxes": [],
        "paid_by": [],
    }
    explanation = shop.done("invoice", "explain", "INV-1", *ACME, "--json").json["lines"][1]["explanation"]
    assert explanation == ["5 × 8.00 = 40.00", "rounded once to 40.00 USD"]


def test_the_books_balance(shop: Shell) -> None:
    table = lines(shop.done("ledger", "trial-balance", *ACME))
    as_json = shop.done("ledger", "trial-balance", *ACME, "--json").json

    # 72.00 + 115.67 are to be paid
    assert "receivable USD 187.67 0.00 187.67" in table
    # the tax of both: 12.00 + 19.28
    assert "tax_payable USD 0.00 31.28 31.28" in table
    assert table[-1] == "debits − credits = 0.00 USD"
    assert as_json["difference"] == {"USD": "0.00"}
    assert {"code": "receivable", "currency": "USD", "debits": "187.67", "credits": "0.00", "balance": "187.67"} in (
        as_json["accounts"]
    )


def test_looking_changes_nothing(shop: Shell) -> None:
    before = shop.contents()
    dearer = shop.file("dearer.yaml", BOOK.replace("amount: 20.00", "amount: 25.00"))

    shop.done("catalog", "plan", dearer, *ACME)
    shop.done("subscription", "show", "globex-1", *ACME)
    shop.done("invoice", "list", *ACME)
    shop.done("invoice", "explain", "INV-2", *ACME)
    shop.done("ledger", "trial-balance", *ACME)
    shop.done("prove", *ACME)
    shop.done("tenant", "list")
    shop.done("doctor")
    shop.done("up")

    assert shop.contents() == before


def test_names_that_look_like_markup_are_printed_as_they_are(tenor: Shell) -> None:
    open_sale(tenor)
    for customer, name in (("[b]", "[/]"), ("[red]", "[red]")):
        tenor.done("customer", "add", customer, "--name", name, *ACME)
        made = tenor.done(*("subscription", "create", f"s{customer}", "--customer", customer, "--plan", "solo", *ACME))
        assert lines(made)[0].startswith(f"s{customer} sub_")
    tenor.done("bill", *ACME)

    assert lines(tenor.done("customer", "add", "[b]", *ACME))[0].startswith("Registered [b] cus_")
    assert lines(tenor.done("subscription", "show", "s[b]", *ACME))[0].startswith("s[b] sub_")
    numbers = {customer: number for number, customer, *_ in map(str.split, lines(tenor.done("invoice", "list", *ACME)))}
    invoice = tenor.done("invoice", "show", numbers["[b]"], *ACME)
    assert "[/] ([b]), subscription s[b], plan solo version 1" in lines(invoice)
    assert lines(tenor.done("tenant", "create", "odd", "--name", "[/]"))[0].startswith("Created odd ten_")
    assert lines(tenor.done("tenant", "list"))[2].startswith("odd [/] wall clock")


def open_sale(shell: Shell) -> None:
    """Make acme, a sandbox at the start of January, with plans and a customer."""
    shell.done("tenant", "create", "acme", "--sandbox", "--clock", JANUARY)
    shell.done("catalog", "apply", shell.file("acme.yaml", BOOK), *ACME)
    shell.done("customer", "add", "globex", *ACME)
