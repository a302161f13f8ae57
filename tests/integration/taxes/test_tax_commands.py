"""`tenor tax`: rates by file and by hand, profiles and overrides, as an operator types them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tenor.cli.commands.taxes import app
from tenor.kernel.ids import CustomerId, TenantId
from tenor.platform.database import Database
from tests.support.postgres import Server

FILE = """\
seller: {country: DE, tax_id: DE136695976}
rates:
  - {name: USt, country: DE, percent: 19, valid_from: 2007-01-01}
  - {name: USt, country: DE, percent: 16, valid_from: 2020-07-01, valid_to: 2021-01-01}
"""

Tax = Callable[..., dict[str, Any]]


@pytest.fixture
def tax(
    server: Server,
    database: Database,
    tenant: TenantId,
    customers: dict[str, CustomerId],
    monkeypatch: pytest.MonkeyPatch,
) -> Tax:
    """Runs `tenor tax` for the tenant with the customers Ada, Bob and Eve; returns its JSON with the exit code."""
    with database.setup() as connection:
        settings = server.settings(connection.info.dbname)
    monkeypatch.setenv("TENOR_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("TENOR_APP_DATABASE_URL", settings.app_database_url or "")
    monkeypatch.setenv("TENOR_AUDITOR_DATABASE_URL", settings.auditor_database_url or "")
    monkeypatch.setenv("TENOR_TENANT", "acme")

    def run(*words: object) -> dict[str, Any]:
        told = CliRunner().invoke(app, [str(word) for word in words])
        assert told.exception is None or isinstance(told.exception, SystemExit), told.exception
        as_json = CliRunner().invoke(app, [*(str(word) for word in words), "--json"])
        return {"exit_code": as_json.exit_code, "words": told.output, **json.loads(as_json.output)}

    return run


def test_a_file_sets_the_table_once(tax: Tax, tmp_path: Path) -> None:
    path = tmp_path / "taxes.yaml"
    path.write_text(FILE)

    first = tax("apply", path)  # in words, then again as JSON

    assert first["words"].startswith("2 rates set\n")
    assert first["rates"] == []  # the second time nothing is new
    listed = tax("rates", "list")["rates"]
    assert [(rate["percent"], rate["valid_from"][:10], (rate["valid_to"] or "")[:10]) for rate in listed] == [
        ("19", "2007-01-01", "2020-07-01"),
        ("16", "2020-07-01", "2021-01-01"),
        ("19", "2021-01-01", ""),
    ]


def test_a_rate_is_set_by_hand(tax: Tax) -> None:
    set_ = tax("rates", "set", "QST", "9.975", "--country", "CA", "--region", "QC", "--from", "2013-01-01")

    assert "CA-QC" in set_["words"]
    [rate] = tax("rates", "list")["rates"]
    assert (rate["name"], rate["jurisdiction"], rate["percent"], rate["category"]) == (
        "QST",
        "CA-QC",
        "9.975",
        "standard",
    )


def test_a_profile_is_set_with_its_tax_id_checked(tax: Tax) -> None:
    assert tax("profile", "bob", "--country", "DE", "--tax-id", "DE 136695976")["words"] == "Set\n"
    assert tax("profile", "bob", "--country", "DE", "--tax-id", "DE 136695976")["changed"] == []

    refused = tax("profile", "bob", "--country", "DE", "--tax-id", "DE136695977")
    assert (refused["exit_code"], refused["error"]["code"]) == (2, "invalid_tax_id")


def test_an_override_is_made_and_ended(tax: Tax) -> None:
    made = tax("override", "ada", "VAT=0", "--audit-reference", "ruling 7", "--from", "2026-01-01")

    assert made["words"].startswith("Overridden")
    assert tax("end-override", made["override_id"])["error"]["code"] == "tax_override_not_found"  # the words ended it


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["rates", "set", "VAT", "101", "--country", "DE", "--from", "2020-01-01"], "malformed_tax"),
        (["rates", "set", "VAT", "ten", "--country", "DE", "--from", "2020-01-01"], "not_a_decimal"),
        (["rates", "set", "VAT", "19", "--country", "Germany", "--from", "2020-01-01"], "malformed_tax"),
        (["rates", "set", "VAT", "19", "--country", "DE", "--from", "soon"], "not_an_instant"),
        (["profile", "nobody", "--country", "DE"], "not_found"),
        (["override", "ada", "VAT=0", "--audit-reference", " ", "--from", "2020-01-01"], "malformed_tax"),
        (["override", "ada", "0", "--audit-reference", "r", "--from", "2020-01-01"], "malformed"),
        (["override", "nobody", "VAT=0", "--audit-reference", "r", "--from", "2020-01-01"], "not_found"),
        (["apply", "/nowhere/taxes.yaml"], "malformed"),
    ],
)
def test_what_cannot_be_is_refused(tax: Tax, words: list[str], code: str) -> None:
    refused = tax(*words)

    assert (refused["exit_code"], refused["error"]["code"]) == (2, code)
