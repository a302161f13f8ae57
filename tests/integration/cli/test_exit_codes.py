"""Exit codes: 0 done, 1 what was checked is not as it must be, 2 refused, 3 the engine could not do its work."""

import json
import os
import socket
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn
from unittest.mock import patch

import pytest
from psycopg.errors import DeadlockDetected, SerializationFailure

from tenor.platform.database import Database
from tenor.platform.tenants import Tenant, list_tenants
from tests.integration.cli.conftest import Shell, open_shop, run

ACME = ("-t", "acme")
NOBODY_LISTENS = {"TENOR_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}


def test_1_when_the_proof_finds_something(tenor: Shell) -> None:
    open_shop(tenor)
    tenor.tamper("invoice_lines", "amount_minor = amount_minor + 1 where description = 'Seats'")

    told, as_json = tenor("prove", *ACME), tenor("prove", *ACME, "--json")

    assert (told.exit_code, as_json.exit_code) == (1, 1)
    assert "findings" in told.out
    assert "INV-1" in told.out
    assert as_json.json["holds"] is False
    assert {"code", "subject", "message"} == set(as_json.json["findings"][0])


@pytest.mark.parametrize(
    "words",
    [
        ("bill",),  # no tenant
        ("bill", *ACME, "--workers", "0"),
        ("bill", *ACME, "--as-if", "2026-01-01T00:00:00Z"),
        ("invoice", "show", *ACME),
        ("invoice", "list", *ACME, "--limit", "0"),
        ("subscription", "create", "one", *ACME, "--plan", "team"),
        ("subscription", "create", "one", *ACME, "--plan", "team", "--customer", "globex", "--trial-days", "-1"),
        ("cases", "run"),
        ("catalog", "plan", "one.yaml", "two.yaml", *ACME),
        ("catalogue", "plan"),
    ],
    ids=" ".join,
)
def test_2_when_a_command_is_called_wrongly(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TENOR_TENANT", raising=False)

    told, as_json = run(*words), run(*words, "--json")

    assert (told.exit_code, told.out) == (2, "")
    assert "Usage: tenor" in told.err
    assert (as_json.exit_code, as_json.err) == (2, "")
    assert as_json.json["error"]["code"] == "usage"
    assert " ".join(as_json.json["error"]["message"].split()[:2]) in " ".join(told.err.split())


def test_2_when_a_word_is_not_text() -> None:
    for words in (("customer", "add", "a\udcff", *ACME), ("bill", "-t", "\udcff"), ("prove", *ACME, "--\udcff")):
        assert run(*words, "--json").json["error"]["code"] == "malformed"
        assert "is not UTF-8 text" in run(*words).err
        assert run(*words).exit_code == 2


@pytest.mark.parametrize("words", [("up",), ("tenant", "list"), ("bill", *ACME), ("prove", *ACME)], ids=" ".join)
def test_3_when_there_is_no_database(words: tuple[str, ...]) -> None:
    with patch.dict(os.environ, NOBODY_LISTENS):
        told, as_json = run(*words), run(*words, "--json")

    assert (told.exit_code, as_json.exit_code) == (3, 3)
    assert told.err.startswith("Failed: no connection to the database")
    assert "(database_unreachable; the engine could not do its work)" in told.err
    assert as_json.json["error"]["code"] == "database_unreachable"


def test_3_when_the_doctor_finds_something() -> None:
    with patch.dict(os.environ, NOBODY_LISTENS):
        told, as_json = run("doctor"), run("doctor", "--json")
    with patch.dict(os.environ, {"TENOR_EMBEDDED_LINGER_SECONDS": "soon"}):
        misset = run("doctor")

    assert (told.exit_code, as_json.exit_code, misset.exit_code) == (3, 3, 3)
    assert "wrong database_unreachable: no connection" in told.out
    assert as_json.json["is_well"] is False
    assert "wrong malformed: TENOR_EMBEDDED_LINGER_SECONDS: 'soon' is not a number" in misset.out


def test_3_when_a_plan_version_was_changed_behind_the_engines_back(tenor: Shell) -> None:
    open_shop(tenor)
    tenor.tamper("plan_versions", "name = 'Teem' where plan = 'team'")

    error = tenor.refused("subscription", "show", "globex-1", *ACME, code="tampered_plan_version", exit_code=3)

    assert error["plan"] == "team"


def test_3_and_a_traceback_when_the_engine_has_a_bug(tenor: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def list_tenants(_database: object) -> NoReturn:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("tenor.cli.commands.tenants.list_tenants", list_tenants)

    for words in (("tenant", "list"), ("tenant", "list", "--json")):
        ran = tenor(*words)
        assert (ran.exit_code, ran.out) == (3, "")
        assert "ZeroDivisionError: a bug" in ran.err


def test_the_console_script_ends_with_the_code(tmp_path: Path) -> None:
    script = Path(sys.executable).parent / "tenor"
    cases = tmp_path / "cases.json"
    cases.write_text('[{"id": "a", "kind": "none", "profile": "tenor", "class": "core", "expect": {}}]')
    codes = {
        ("cases", "run", str(cases), "--json"): 1,
        ("cases", "run", str(tmp_path / "nowhere"), "--json"): 2,
    }

    for words, code in codes.items():
        done = subprocess.run([script, *words], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == code
        assert json.loads(done.stdout)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("custmer",), "tenor has no command 'custmer' (did you mean 'customer'?)"),
        (("customer", "create"), "tenor customer has no command 'create'; there are add, billing, erase, list"),
        (("tax", "rates", "lst"), "tenor tax rates has no command 'lst' (did you mean 'list'?)"),
    ],
    ids=" ".join,
)
def test_a_command_that_there_is_not_is_told_those_that_there_are(words: tuple[str, ...], told: str) -> None:
    assert run(*words, "--json").json["error"] == {"code": "usage", "message": told}


def test_a_tenant_that_is_misspelt_is_told_the_right_one(tenor: Shell) -> None:
    tenor.refused("customer", "list", *ACME, code="not_found", says="`tenor tenant create` makes one")
    tenor.done("tenant", "create", "acme")
    said = "there is no tenant 'amce' (did you mean 'acme'?)"
    tenor.refused("customer", "list", "-t", "amce", code="not_found", says=said)


def test_an_address_where_another_listens_is_refused_before_anything_is_served(tenor: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        said = f"cannot listen on 127.0.0.1 port {port}: Address already in use; choose another --port or --host"
        tenor.refused("serve", "--port", port, code="address_taken", says=said)


def test_the_version_is_told() -> None:
    assert run("--version").out.split() == ["tenor", version("tenor")]


def test_a_command_that_waits_in_a_circle_with_others_begins_again(
    tenor: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = iter([DeadlockDetected(), SerializationFailure(), *[None], *[DeadlockDetected()] * 5])

    def unlucky(database: Database) -> list[Tenant]:
        if error := next(attempts):
            raise error
        return list_tenants(database)

    monkeypatch.setattr("tenor.cli.commands.tenants.list_tenants", unlucky)

    assert tenor("tenant", "list", "--json").json["tenants"] == []
    assert tenor("tenant", "list").exit_code == 3
    assert next(attempts, "none is left") == "none is left"
