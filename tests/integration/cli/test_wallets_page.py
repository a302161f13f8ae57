"""docs/wallets.md: its commands print what it says."""

import re
import shlex
from pathlib import Path
from typing import Final

from tests.integration.cli.conftest import Shell

ROOT: Final = Path(__file__).parents[3]
PAGE: Final = (ROOT / "docs" / "wallets.md").read_text(encoding="utf-8")
EXAMPLES: Final = re.findall(r"```sh\n(.*?)```\n```text\n(.*?)```", PAGE, re.DOTALL)
FILE: Final = re.compile(r"cat > (\S+) <<'END'\n(.*?)END\n", re.DOTALL)
ID: Final = re.compile(r"\b(use|grt|sub|adj|inv)_[0-9a-hjkmnp-tv-z]{26}\b")


def test_every_command_prints_what_the_page_says(tenor: Shell) -> None:
    acme = ("-t", "acme")
    tenor.done("tenant", "create", "acme", "--sandbox", "--clock", "2026-01-01T00:00:00Z")
    tenor.done("customer", "add", "globex", *acme)
    last: dict[str, str] = {}

    assert len(EXAMPLES) == 9
    for typed, printed in EXAMPLES:
        files = {name: tenor.file(name, content) for name, content in FILE.findall(typed)}
        found = []
        for line in FILE.sub("", typed).splitlines():
            words = [files.get(word, last.get(word, word)) for word in shlex.split(line)[1:]]
            told = tenor.done(*words, *acme).out
            last.update((f"{one[1]}_…", one[0]) for one in ID.finditer(told))
            found.append(ID.sub(r"\1_…", told))
        assert "".join(found).split() == printed.split(), "".join(found)
