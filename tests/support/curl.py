"""The curl commands of a page, done as curl does them, on a machine that need not have it."""

import re
import shlex

import httpx


def commands_of(block: str) -> list[list[str]]:
    """Return the words of each command of a block for the shell; a command may go on over several lines."""
    commands = re.findall(r"^(?:tenor|curl|export) .*(?:\n[ \t].*)*", block, re.MULTILINE)
    return [shlex.split(command.replace("\\\n", " ")) for command in commands]


def curl(client: httpx.Client, secret: str, words: list[str]) -> httpx.Response:
    """Do what curl does with these words, at the server of the client; `--json` sends a POST."""
    _, url, *options = words
    pairs = list(zip(options[::2], options[1::2], strict=True))
    headers = dict(value.replace("$TENOR_KEY", secret).split(": ", 1) for option, value in pairs if option == "-H")
    path = url.removeprefix("http://127.0.0.1:8090")
    bodies = [value for option, value in pairs if option == "--json"]
    if not bodies:
        return client.get(path, headers=headers)
    (body,) = bodies
    return client.post(path, content=body, headers=headers | {"Content-Type": "application/json"})
