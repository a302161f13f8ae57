"""docs/metering.md: its commands print what it says."""

import re
import shlex
from pathlib import Path
from typing import Final

from tests.integration.cli.conftest import Shell

ROOT: Final = Path(__file__).parents[3]
PAGE: Final = (ROOT / "docs" / "metering.md").read_text(encoding="utf-8")
EXAMPLES: Final = re.findall(r"```sh\n(.*?)```\n```text\n(.*?)```", PAGE, re.DOTALL)
FILE: Final = re.compile(r"cat > (\S+) <<'END'\n(.*?)END\n", re.DOTALL)


def test_every_command_prints_what_the_page_says(tenor: Shell) -> None:
    acme = ("-t", "acme")
    tenor.done("tenant", "create", "acme", "--sandbox", "--clock", "2026-02-01T00:00:00Z")
    tenor.done("catalog", "apply", ROOT / "examples" / "acme.yaml", *acme)
    tenor.done("customer", "add", "globex", *acme)

    start = ("--start", "2026-01-01T00:00:00Z")
    tenor.done("subscription", "create", "main", "--customer", "globex", "--plan", "team", *start, *acme)

    assert len(EXAMPLES) == 6
    for typed, printed in EXAMPLES:
        files = {name: tenor.file(name, content) for name, content in FILE.findall(typed)}
        words = [shlex.split(line)[1:] for line in FILE.sub("", typed).splitlines()]
        found = [tenor.done(*(files.get(word, word) for word in command), *acme).out for command in words]
        assert "".join(found).split() == printed.split()
        tenor.done("customer", "add", "initech", *acme)  # as the page says after the first box; safe to repeat
