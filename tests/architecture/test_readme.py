"""The README's commands do what the README says."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TENOR = Path(sys.executable).parent / "tenor"


def commands_of_the_readme() -> list[list[str]]:
    """Return the arguments of every `tenor` command of the section on one's own prices, comments left out."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## Your own prices")[1].split("```")[1]
    lines = re.findall(r"^\.venv/bin/tenor (.+)$", section, re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]


def run(arguments: list[str], data_dir: Path) -> str:
    """Run a command as the README's reader does, and return what it prints."""
    environment = {**os.environ, "TENOR_DATA_DIR": str(data_dir), "TENOR_TENANT": "acme"}
    environment.pop("TENOR_DATABASE_URL", None)
    done = subprocess.run(
        [str(TENOR), *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, f"tenor {' '.join(arguments)}: {done.stderr}{done.stdout}"
    return done.stdout


def test_the_commands_of_the_readme_give_the_figures_that_it_names(tmp_path: Path) -> None:
    printed = [run(command, tmp_path) for command in commands_of_the_readme()]

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

    again = json.loads(run(["bill", "--as-of", "2026-02-01T00:00:00Z", "--json"], tmp_path))
    assert again["runs"][0]["documents"] == []
