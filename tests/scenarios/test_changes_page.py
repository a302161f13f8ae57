"""docs/changes.md: every example does what its table says."""

import json
import re
import shlex
from pathlib import Path
from typing import Any, Final

import pytest

from tenor.cli import main
from tests.support.postgres import Server
from tests.support.worked_tables import DOCS, worked_table

PAGE: Final = "changes.md"
TEXT: Final = (DOCS / PAGE).read_text(encoding="utf-8")
BOOK, CONTRACT = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
EXAMPLES: Final = {
    section.split("\n", 1)[0]: re.findall(r"^tenor (.+)$", section, re.MULTILINE)
    for section in TEXT.split("\n### ")[1:]
}
SETTING: Final = [
    ["catalog", "apply", "main.yaml"],
    ["customer", "add", "ann"],
    ["customer", "add", "bob"],
]


class Sandbox:
    """The command line for one tenant, as the reader of the page calls it."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Read what commands print from `capsys`."""
        self._capsys = capsys

    def __call__(self, *words: str) -> dict[str, Any]:
        """Run `tenor` with these words, insist that it ends well, and return what it prints as JSON."""
        try:
            exit_code = main([*words, "--json"])
        except SystemExit as end:
            exit_code = int(end.code or 0)
        printed = self._capsys.readouterr()
        assert (exit_code, printed.err) == (0, ""), f"tenor {shlex.join(words)}: {printed}"
        body = json.loads(printed.out)
        assert isinstance(body, dict)
        return body

    def lines(self) -> list[list[str]]:
        """Return every line of every document as a row of the page, without its arithmetic."""
        documents = self("invoice", "list", "--limit", "1000")["documents"]
        return [
            [document["number"], line["description"], _period(line["period"]), line["amount"]]
            for document in documents
            for line in self("invoice", "show", document["number"])["lines"]
        ]


def _period(period: dict[str, str]) -> str:
    return f"{period['start'][:10]} – {period['end'][:10]}"


@pytest.fixture
def sandbox(
    town: tuple[Server, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Sandbox:
    """A sandbox on 1 April 2026 with the files and customers that the page names."""
    server, name = town
    settings = server.settings(name)
    monkeypatch.setenv("TENOR_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("TENOR_APP_DATABASE_URL", settings.app_database_url or "")
    monkeypatch.setenv("TENOR_AUDITOR_DATABASE_URL", settings.auditor_database_url or "")
    monkeypatch.setenv("TENOR_TENANT", tmp_path.name.replace("_", "-").lower())
    monkeypatch.chdir(tmp_path)
    (tmp_path / "main.yaml").write_text(BOOK, encoding="utf-8")
    (tmp_path / "ann.yaml").write_text(CONTRACT, encoding="utf-8")
    return Sandbox(capsys)


@pytest.mark.parametrize("title", EXAMPLES)
def test_an_example_issues_the_lines_of_its_table(title: str, sandbox: Sandbox, tmp_path: Path) -> None:
    slug = tmp_path.name.replace("_", "-").lower()
    sandbox("tenant", "create", slug, "--sandbox", "--clock", "2026-04-01T00:00:00Z")
    for words in [*SETTING, *map(shlex.split, EXAMPLES[title])]:
        sandbox(*words)

    assert sorted(sandbox.lines()) == sorted(row[:4] for row in worked_table(PAGE, title))
    assert sandbox("prove")["holds"]


def test_every_command_that_changes_a_subscription_has_an_example() -> None:
    commands = (DOCS / "reference" / "cli.md").read_text(encoding="utf-8")
    changing = [*re.findall(r"^## tenor (subscription [a-z -]+)$", commands, re.MULTILINE), "contract move"]
    shown = [words for example in EXAMPLES.values() for words in example]

    unshown = {command for command in changing if not any(words.startswith(f"{command} ") for words in shown)}
    assert unshown == {f"subscription {reading}" for reading in ("list", "show", "journal", "scheduled")}
