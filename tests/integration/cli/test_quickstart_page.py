"""docs/quickstart.md and docs/integration.md: on a server that runs, commands and programs do what the pages say."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from tests.integration.cli.conftest import Shell
from tests.support.curl import commands_of, curl
from tests.support.processes import wait_until

ROOT: Final = Path(__file__).parents[3]


def blocks(name: str) -> list[tuple[str, str]]:
    """Return the examples of a page, each with its kind."""
    page = (ROOT / "docs" / name).read_text(encoding="utf-8")
    return re.findall(r"^```(\w+)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


@contextmanager
def serving(environment: dict[str, str]) -> Iterator[str]:
    """Run `tenor serve` on a free port until the end of the block; yield its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).parent / "tenor"), "serve", "--port", str(port)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: is_ready(f"http://127.0.0.1:{port}"), seconds=30)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def is_ready(url: str) -> bool:
    """Whether the server answers, and its database too."""
    try:
        return httpx.get(f"{url}/readyz", trust_env=False).is_success
    except httpx.TransportError:
        return False


def is_told(shown: Any, told: Any) -> bool:
    """Whether an answer holds all that the page shows of it; texts of a list need not be all of them."""
    match shown, told:
        case dict(), dict():
            return all(name in told and is_told(part, told[name]) for name, part in shown.items())
        case [str(), *_], list():
            return set(shown) <= set(told)
        case list(), list():
            return len(shown) == len(told) and all(map(is_told, shown, told))
        case _:
            return bool(shown == told)


@dataclass
class Reader:
    """Somebody who does what the page says, and compares what comes of it with what the page shows."""

    tenor: Shell
    client: httpx.Client
    secret: str = ""
    answer: httpx.Response | None = None
    printed: str = ""

    def sh(self, block: str) -> None:
        """Type commands."""
        for words in commands_of(block):
            match words:
                case ["curl", *_]:
                    self.answer = curl(self.client, self.secret, words)
                case ["tenor", "api-key", "create", *_]:
                    self.secret = self.tenor.done(*words[1:], "--json").json["secret"]
                case ["tenor", "up" | "serve"] | ["export", _]:
                    continue  # the server is there already
                case _:
                    self.tenor.done(*words[1:])

    def json(self, block: str) -> None:
        """Compare the last answer."""
        assert self.answer is not None
        assert is_told(json.loads(block), self.answer.json()), self.answer.text

    def python(self, block: str) -> None:
        """Run a program."""
        program = block.replace("http://127.0.0.1:8090", str(self.client.base_url))
        environment = os.environ | {"TENOR_KEY": self.secret}
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        self.printed = done.stdout

    def text(self, block: str) -> None:
        """Compare what the program has printed."""
        assert self.printed.splitlines() == block.splitlines()


def test_every_line_of_the_pages_does_what_they_say(tenor: Shell) -> None:
    quickstart, integration = blocks("quickstart.md"), blocks("integration.md")
    assert [kind for kind, _ in quickstart if kind != "sh"] == ["json"] * 7 + ["python", "text"]
    assert [kind for kind, _ in integration] == ["sh", *["python", "text"] * 9]

    with (
        serving(os.environ | tenor.environment) as url,
        httpx.Client(base_url=url, timeout=60, trust_env=False) as client,
    ):
        reader = Reader(tenor, client)
        for kind, block in quickstart:
            getattr(reader, kind)(block)
        # this page is one program, which tells on the way what it has come to
        reader.sh(integration[0][1])
        reader.python("".join(block for kind, block in integration if kind == "python"))
        reader.text("".join(block for kind, block in integration if kind == "text"))
