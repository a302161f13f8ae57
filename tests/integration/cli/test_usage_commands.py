"""`tenor usage`: what goes wrong in a file is kept and replayed; events are corrected, cancelled and added up."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module

import pytest

from tests.integration.cli.conftest import BOOK, USAGE_HEADER, Shell

ACME = ("-t", "acme")


@pytest.fixture
def acme(tenor: Shell) -> Shell:
    """A sandbox on 1 February with a customer, and 5 + 7 tokens used in January."""
    tenor.done("tenant", "create", "acme", "--sandbox", "--clock", "2026-02-01T00:00:00Z")
    tenor.done("catalog", "apply", tenor.file("acme.yaml", BOOK), *ACME)
    tenor.done("customer", "add", "globex", *ACME)
    rows = "t-1,globex,tokens,2026-01-31T22:59:59Z,5\nt-2,globex,tokens,2026-01-31T23:00:00Z,7\n"
    tenor.done("usage", "import", tenor.file("usage.csv", USAGE_HEADER + rows), *ACME)
    return tenor


def tokens(shell: Shell, *words: str, customer: str = "globex") -> list[dict[str, object]]:
    """Return what was used of January's tokens."""
    asked = ("--customer", customer, "--metric", "tokens", "--since", "2026-01-01T00:00:00Z")
    rows: list[dict[str, object]] = shell.done("usage", "show", *asked, *words, *ACME, "--json").json["usage"]
    return rows


def test_usage_so_far_is_shown_and_told_apart(acme: Shell) -> None:
    assert tokens(acme) == [{"units": "12", "events": 2}]
    assert tokens(acme, "--at", "2026-01-31T23:00:00Z") == [{"units": "5", "events": 1}]  # the end is not in it
    assert tokens(acme, "--by", "region") == [{"region": "", "units": "12", "events": 2}]
    # by default from the first of the month: of February nothing yet
    shown = acme.done("usage", "show", "--customer", "globex", "--metric", "tokens", *ACME).out
    assert "tokens of globex, 2026-02-01T00:00:00Z to 2026-02-01T00:00:00Z" in shown
    acme.refused("usage", "show", "--customer", "x", "--metric", "tokens", *ACME, code="not_found", says="'x'")
    acme.refused("usage", "show", "--customer", "globex", "--metric", "watts", *ACME, code="not_found", says="watts")


def test_usage_is_told_while_its_period_runs(acme: Shell) -> None:
    """Team costs 0.01 a token: 5 tokens of January, and 30 on 1 February."""
    team = ("--customer", "globex", "--plan", "team", "--start", "2026-01-01T00:00:00Z")
    acme.done("subscription", "create", "main", *team, *ACME)
    acme.done("usage", "threshold", "set", "main", "--at", "0.25", *ACME)
    of_tokens = ("--metric", "tokens", "--percent", "50", "--of", "60")
    added = acme.done("usage", "alert", "add", "main", *of_tokens, *ACME, "--json").json
    acme.done("usage", "alert", "add", "main", "--at", "5.00", *ACME)
    acme.refused("usage", "alert", "add", "main", *ACME, code="malformed_usage_alert", says="one of the two")
    acme.refused("usage", "threshold", "set", "--at", "1", *ACME, code="malformed", says="name a subscription")

    row = "t-9,globex,tokens,2026-02-01T00:00:00Z,30\n"
    brought = acme.done("usage", "import", acme.file("feb.csv", USAGE_HEADER + row), *ACME, "--json").json
    assert [(one["id"], one["value"]) for one in brought["alerts"]] == [(added["id"], "30")]
    acme.done("bill", *ACME)

    shown = acme.done("usage", "current", "main", *ACME, "--json").json
    costs = {one["charge"]: (one["units"], one["cost"], one["billed"]) for one in shown["charges"]}
    assert costs == {"calls": ("0", "0.00", "0.00"), "tokens": ("30", "0.30", "0.30")}
    assert "0.30 USD so far, 0.30 of it billed" in acme.done("usage", "current", "main", *ACME).out
    assert acme.done("usage", "alert", "check", *ACME, "--json").json == {"told": []}
    acme.done("usage", "alert", "remove", added["id"], *ACME)
    assert "cost at 5\n1 alert\n" in acme.done("usage", "alert", "list", "main", *ACME).out
    assert acme.done("usage", "late", *ACME, "--json").json == {"late": []}


def test_bad_rows_are_kept_and_taken_once_they_are_put_right(acme: Shell) -> None:
    rows = (
        "t-3,globex,tokens,2026-01-20T00:00:00Z,1\n"
        "t-4,initech,tokens,2026-01-20T00:00:00Z,2\n"  # not a customer yet
        "t-5,globex,tokens,2026-01-20T00:00:00Z,many\n"
        "t-1,globex,tokens,2026-01-20T00:00:00Z,3\n"  # another content than before: a conflict, not a rejection
    )
    file = acme.file("mixed.csv", USAGE_HEADER + rows)

    taken = acme.done("usage", "import", file, "--partial", *ACME, "--json").json
    acme.done("usage", "import", file, "--partial", *ACME)
    listed = acme.done("usage", "rejected", "list", *ACME, "--json").json["rejections"]

    assert (taken["accepted"], [(row["line"], row["column"]) for row in taken["bad"]]) == (
        1,
        [(3, "customer"), (4, "value"), (5, "event_id")],
    )
    assert sorted((entry["field"], entry["times"]) for entry in listed) == [("customer", 2), ("value", 2)]
    assert "many" in acme.done("usage", "rejected", "list", *ACME).out

    acme.done("customer", "add", "initech", *ACME)
    replayed = acme.done("usage", "rejected", "replay", *ACME, "--json").json
    again = acme.done("usage", "rejected", "replay", *ACME, "--json").json

    assert (replayed["accepted"], replayed["still_rejected"]) == (1, 1)
    assert (again["accepted"], again["still_rejected"]) == (0, 1)
    assert tokens(acme, customer="initech") == [{"units": "2", "events": 1}]
    assert tokens(acme) == [{"units": "13", "events": 3}]
    assert len(acme.done("usage", "rejected", "list", "--settled", *ACME, "--json").json["rejections"]) == 2
    one = acme.done("usage", "rejected", "list", *ACME, "--json").json["rejections"][0]["id"]
    assert acme.done("usage", "rejected", "replay", one, *ACME, "--json").json["still_rejected"] == 1


def test_events_are_corrected_and_cancelled_by_their_id(acme: Shell) -> None:
    change = ("--reason", "wrong meter", *ACME)
    right = acme.file("right.csv", f"{USAGE_HEADER}t-1,globex,tokens,2026-01-31T22:59:59Z,6\n")
    wrong = acme.file(
        "wrong.csv", f"{USAGE_HEADER}t-1,globex,tokens,2026-01-31T22:59:59Z,8\nt-9,globex,calls,2026-01-31T00:00:00Z,\n"
    )

    acme.refused("usage", "correct", wrong, *change, code="usage_file_refused", says="line 3")
    assert acme.done("usage", "correct", right, *change, "--json").json["corrected"] == 1
    assert acme.done("usage", "correct", right, *change, "--json").json["unchanged"] == 1
    assert tokens(acme) == [{"units": "13", "events": 2}]  # 6 + 7

    acme.refused("usage", "cancel", "t-2", "t-9", *change, code="not_found", says="'t-9'")
    assert acme.done("usage", "cancel", "t-2", *change, "--json").json["cancelled"] == 1
    assert tokens(acme) == [{"units": "6", "events": 1}]


def test_cloud_events_are_taken_one_many_or_a_line_each(acme: Shell) -> None:
    event = {
        "specversion": "1.0",
        "id": "c-1",
        "source": "//gateway",
        "type": "tokens",
        "subject": "globex",
        "time": "2026-01-10T12:00:00+01:00",
        "datacontenttype": "application/json",
        "data": {"n": 0.1, "region": "eu"},
    }
    more = [{**event, "id": "c-2", "data": {"n": "0.2"}}, {**event, "id": "c-3"}]
    files = [
        acme.file("one.json", json.dumps(event)),
        acme.file("many.json", json.dumps(more)),
        acme.file("lines.jsonl", "\n".join(map(json.dumps, [event, *more, {**event, "id": "c-4"}]))),
    ]

    taken = [acme.done("usage", "import", file, *ACME, "--json").json for file in files]

    assert [(one["accepted"], one["duplicates"]) for one in taken] == [(1, 0), (2, 0), (1, 3)]
    # 12 + 0.1 + 0.2 + 0.1 + 0.1
    assert tokens(acme, "--by", "region") == [
        {"region": "", "units": "12.2", "events": 3},
        {"region": "eu", "units": "0.3", "events": 3},
    ]
    assert tokens(acme, "--where", "region=eu") == [{"units": "0.3", "events": 3}]
    assert tokens(acme, "--where", "region=", "--where", "region=eu") == [{"units": "12.5", "events": 6}]
    assert tokens(acme, "--where", "region=us") == [{"units": "0", "events": 0}]
    asked = ("usage", "show", "--customer", "globex", "--metric", "tokens", "--where", "eu")
    acme.refused(*asked, *ACME, code="malformed", says="write property=value")


def test_a_parquet_file_is_taken_in_part_and_its_bad_rows_named(acme: Shell) -> None:
    arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    at = arrow.array([datetime(2026, 1, 7, 9, tzinfo=UTC)] * 3, arrow.timestamp("ms", "UTC"))
    table = arrow.table(
        {
            "event_id": ["p-1", "p-2", "p-3"],
            "customer": ["globex", "nobody", "globex"],
            "metric": ["tokens"] * 3,
            "occurred_at": at,
            "value": arrow.array([Decimal("0.1"), Decimal("0.2"), Decimal("0.4")], arrow.decimal128(20, 18)),
        }
    )
    file = acme.folder / "usage.parquet"
    parquet.write_table(table, file)

    error = acme.refused("usage", "import", file, *ACME, code="usage_file_refused")
    taken = acme.done("usage", "import", file, *ACME, "--partial")

    assert "row 2, column 'customer': there is no customer 'nobody'" in error["message"]
    assert taken.out == (
        "2 events taken, 0 known already\n  not taken: row 2, column 'customer': there is no customer 'nobody'\n"
    )
    assert tokens(acme) == [{"units": "12.5", "events": 4}]  # 12 + 0.1 + 0.4
