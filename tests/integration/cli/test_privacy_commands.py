"""`tenor keys` and `tenor customer erase`: what a person asks for is done for good, and said."""

from pathlib import Path

import pytest

from tests.integration.cli.conftest import Shell

ACME = ("-t", "acme")


def test_keys_are_rotated_and_a_customer_is_erased(
    tenor: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENOR_KEYS_FILE", str(tmp_path / "keys"))
    tenor.done("tenant", "create", "acme", "--sandbox", "--clock", "2026-01-01T00:00:00Z")
    tenor.done("customer", "add", "ada", "--name", "Ada Lovelace", "--email", "ada@example.org", *ACME)
    first = tenor.done("keys", "show", "--json").json
    assert [key["customers"] for key in first["keys"]] == [1]

    second = tenor.done("keys", "rotate", "--json").json
    assert (second["customers"], second["sealed"]) == (1, 0)
    shown = tenor.done("keys", "show", "--json").json["keys"]
    assert [(key["key_id"], key["customers"]) for key in shown] == [
        (second["key_id"], 1),
        (first["keys"][0]["key_id"], 0),
    ]
    assert tenor.done("keys", "prune", "--json").json == {"removed": [first["keys"][0]["key_id"]]}
    assert "Ada Lovelace" in tenor.done("customer", "list", *ACME).out

    erase = ("customer", "erase", "ada", "--reason", "Article 17 GDPR", "--yes", *ACME)
    assert tenor.done(*erase, "--json").json == {"external_id": "ada", "erased": True}
    assert tenor.done(*erase).out == "It was erased before.\n"
    listed = tenor.done("customer", "list", "--json", *ACME).json["customers"][0]
    assert (listed["name"], listed["email"], listed["is_erased"]) == ("", None, True)
    tenor.refused("customer", "add", "ada", "--name", "Ada", *ACME, code="customer_erased")
    tenor.refused("customer", "erase", "eve", "--reason", "x", "--yes", *ACME, code="not_found")


def test_another_file_is_named_and_no_second_key_begun(
    tenor: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENOR_KEYS_FILE", str(tmp_path / "keys"))
    tenor.done("tenant", "create", "acme")
    tenor.done("customer", "add", "ada", "--name", "Ada", *ACME)
    monkeypatch.setenv("TENOR_KEYS_FILE", str(tmp_path / "nowhere"))
    tenor.refused("customer", "list", *ACME, code="encryption_key_missing", says="TENOR_KEYS_FILE", exit_code=3)
    assert not (tmp_path / "nowhere").exists()
