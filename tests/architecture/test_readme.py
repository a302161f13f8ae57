"""The README's commands do what the README says."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import pytest

from tenor.cli import main
from tests.support.processes import processes_in, wait_until
from tests.support.run_directory import private_directory

ROOT = Path(__file__).parents[2]
TENOR = Path(sys.executable).parent / "tenor"


def commands_of_the_readme() -> list[list[str]]:
    """Return the arguments of every `tenor` command of the section on one's own prices, comments left out."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## Your own prices")[1].split("```")[1]
    lines = re.findall(r"^\.venv/bin/tenor (.+)$", section, re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who types what the README says, with an empty data directory."""

    data_dir: Path

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the README exports, without those of the tests' own server."""
        theirs = {name: value for name, value in os.environ.items() if name != "TENOR_DATABASE_URL"}
        return theirs | {"TENOR_DATA_DIR": str(self.data_dir), "TENOR_TENANT": "acme"}

    def types(self, words: list[str]) -> str:
        """Run a command in this process, as the console script does, and return what it prints."""
        printed = StringIO()
        with patch.dict(os.environ, self.environment, clear=True), redirect_stdout(printed):
            try:
                exit_code: str | int | None = main(words)
            except SystemExit as end:
                exit_code = end.code
        assert exit_code == 0, f"tenor {' '.join(words)}: {printed.getvalue()}"
        return printed.getvalue()

    def starts(self, words: list[str]) -> str:
        """Run a command as a process of its own, by the script that is installed."""
        done = subprocess.run(
            [str(TENOR), *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, f"tenor {' '.join(words)}: {done.stderr}{done.stdout}"
        return done.stdout


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with private_directory() as directory:
        yield directory
        wait_until(lambda: not processes_in(directory))


def test_the_commands_of_the_readme_give_the_figures_that_it_names(data_dir: Path) -> None:
    reader = Reader(data_dir)
    first, *others = commands_of_the_readme()
    printed = [reader.starts(first), *map(reader.types, others)]

    bills = [text for text in printed if text.startswith("As of")]
    # 20.00 + 5 × 8.00 = 60.00, and 20 % tax on it
    assert "72.00 USD" in bills[0]
    # 20.00 + 8 × 8.00 = 84.00; January's seats: 40.00 × 15/31 + 64.00 × 16/31 = 52.39, less 40.00 = 12.39; tax 19.28
    assert "115.67 USD" in bills[1]
    # 3 × 0.50 + 2 × 0.25 = 2.00, tax 0.40
    assert "2.40 USD" in bills[2]
    # From 15 February on: 20.00 × 14/28 and 64.00 × 14/28 go back, 42.00, and 8.40 of tax
    (preview,) = (text for text in printed if "not issued" in text)
    assert "-50.40 USD" in preview
    assert "Proven" in printed[-2]

    again = json.loads(reader.starts(["bill", "--as-of", "2026-02-01T00:00:00Z", "--json"]))
    assert again["runs"][0]["documents"] == []
