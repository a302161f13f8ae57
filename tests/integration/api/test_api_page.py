"""The commands of docs/api.md do what the page says."""

import re
import shlex
from pathlib import Path

import httpx

from tenor.api import openapi_document
from tests.integration.api.conftest import World
from tests.support.api import Caller

PAGE = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")


def curls() -> list[list[str]]:
    """Return the words of every curl command of the page."""
    blocks = "\n".join(re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)).replace("\\\n", " ")
    return [shlex.split(line) for line in blocks.splitlines() if line.startswith("curl ")]


def run(caller: Caller, words: list[str]) -> httpx.Response:
    """Do what curl does with these words; `--json` sends a POST."""
    _, url, *options = words
    given = dict(zip(options[::2], options[1::2], strict=True)) | {"-H": ""}
    named = [value for option, value in zip(options[::2], options[1::2], strict=True) if option == "-H"]
    headers = dict(one.replace("$TENOR_KEY", caller.secret).split(": ", 1) for one in named)
    path = url.removeprefix("http://127.0.0.1:8090")
    if "--json" not in given:
        return caller.client.get(path, headers=headers)
    return caller.client.post(path, content=given["--json"], headers=headers | {"Content-Type": "application/json"})


def test_the_first_steps_lead_to_the_invoice_that_the_page_names(world: World) -> None:
    caller = world.caller(world.tenant())
    answers = [run(caller, words) for words in curls()]

    assert [(one.status_code, one.text) for one in answers if one.status_code >= 300] == []
    invoices, explained = answers[-2].json(), answers[-1].json()
    assert [one["total"] for one in invoices["data"]] == ["25.20", "24.00"]
    assert (explained["number"], explained["net"], explained["total"]) == ("INV-2", "21.00", "25.20")
    (calls,) = (line for line in explained["lines"] if line["charge"] == "calls")
    assert calls["amount"] == "1.00"
    assert calls["explanation"]


def test_the_page_names_every_kind_of_change() -> None:
    schema = openapi_document()["paths"]["/v1/subscriptions/{subscription}/changes"]["post"]["requestBody"]
    kinds = schema["content"]["application/json"]["schema"]["discriminator"]["mapping"]
    assert [kind for kind in kinds if f"`{kind}`" not in PAGE] == []
