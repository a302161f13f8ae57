"""`tenor events`, `webhook`, `relay` and `audit`; docs/events.md and docs/audit.md, whose commands and code are run."""

import re
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
import standardwebhooks

from tests.integration.cli.conftest import Shell
from tests.support.receiver import receiving

ACME: Final = ("-t", "acme")
DOCS: Final = Path(__file__).parents[3] / "docs"
PAGE: Final = (DOCS / "events.md").read_text(encoding="utf-8")
AUDIT_PAGE: Final = (DOCS / "audit.md").read_text(encoding="utf-8")


def test_a_webhook_from_its_first_to_its_last_day(
    tenor: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENOR_WEBHOOKS_ALLOW_LOCAL", "1")
    monkeypatch.setenv("TENOR_KEYS_FILE", str(tmp_path / "keys"))
    tenor.done("tenant", "create", "acme", "--sandbox", "--clock", "2026-02-01T00:00:00Z")
    with receiving() as receiver:
        added = tenor.done("webhook", "add", receiver.url, "--type", "coupon.*", *ACME, "--json").json
        endpoint, secret = added["id"], added["secret"]
        tenor.done("coupon", "create", "half", "--percent", "50", *ACME)
        assert tenor.done("webhook", "send", *ACME).out == "1 delivered, 0 failed\n"
        (call,) = receiver.received
        event = standardwebhooks.Webhook(secret).verify(call.body, call.headers)
        listed = tenor.done("events", "list", "--type", "coupon.*", *ACME, "--json").json
        assert listed == {"events": [event], "next_after": event["position"], "has_more": False}
        assert tenor.done("events", "show", event["id"], *ACME, "--json").json == event
        tailed = tenor.done("events", "tail", "--after", 0, "--count", 1, "--object", event["object_id"], *ACME).out
        assert event["id"] in tailed

        receiver.answer(410)
        tenor.done("coupon", "archive", "half", *ACME)
        assert tenor.done("webhook", "send", *ACME).out == "0 delivered, 1 failed\n"
        shown = tenor.done("webhook", "show", endpoint, *ACME, "--json").json
        assert (shown["status"], shown["disabled_because"], shown["pending"]) == ("disabled", "gone", 1)
        assert "disabled (gone)" in tenor.done("webhook", "list", *ACME).out
        tried = tenor.done("webhook", "attempts", endpoint, "--limit", 1, *ACME, "--json").json["attempts"]
        assert [(one["attempt_no"], one["status_code"], one["answer"]) for one in tried] == [(1, 410, "as said")]

        receiver.answer(200)
        assert tenor.done("keys", "rotate", "--json").json["webhook_secrets"] == 1
        assert len(tenor.done("keys", "prune", "--json").json["removed"]) == 1
        rotated = tenor.done("webhook", "rotate", endpoint, *ACME, "--json").json["secret"]
        assert tenor.done("webhook", "enable", endpoint, *ACME).out == "Status active\n"
        waiting = tenor.done("webhook", "messages", endpoint, "--status", "pending", *ACME, "--json").json["messages"]
        assert [(one["type"], one["attempts"]) for one in waiting] == [("coupon.archived", 1)]
        assert tenor.done("webhook", "replay", endpoint, "--event", event["id"], *ACME).out == "1 to be sent again\n"
        once = tenor.done("relay", "run", "--once", "--json").json
        assert (once["delivered"], once["failed"]) == (1, 0)  # the other one waits for five seconds
        for key in (secret, rotated):
            standardwebhooks.Webhook(key).verify(receiver.received[-1].body, receiver.received[-1].headers)
        (feed,) = tenor.done("relay", "status", "--json").json["feeds"]
        assert (feed["tenant"], feed["unsequenced"], feed["broker_position"]) == ("acme", False, None)
        assert feed["webhooks_position"] == feed["last_position"]
        assert tenor.done("webhook", "disable", endpoint, *ACME).out == "Status disabled (operator)\n"

    monkeypatch.delenv("TENOR_WEBHOOKS_ALLOW_LOCAL")
    tenor.refused("webhook", "add", receiver.url, *ACME, code="unsafe_url")
    monkeypatch.setenv("TENOR_BROKER_URL", "smtp://localhost")
    tenor.refused("relay", "run", code="unknown_broker", says="nats")
    monkeypatch.delenv("TENOR_BROKER_URL")
    tenor.refused("webhook", "replay", endpoint, *ACME, code="malformed", says="either --event or --since")
    tenor.refused("webhook", "messages", endpoint, "--status", "lost", *ACME, code="malformed")
    tenor.refused("webhook", "show", "whe_00000000000000000000000000", *ACME, code="endpoint_not_found")
    tenor.refused("events", "show", "evt_00000000000000000000000000", *ACME, code="not_found")


def test_the_page_can_be_followed(tenor: Shell) -> None:
    tenor.done("tenant", "create", "acme", "--sandbox", "--clock", "2026-02-01T00:00:00Z")
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    commands = [shlex.split(line) for block in blocks for line in block.splitlines()]
    assert len(commands) == 7
    for _, *words in commands:
        tenor.done(*words, *(() if words[0] == "relay" else ACME))

    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102  the page's own example
    secret, body, seen = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"id": "evt_1"}', set[str]()
    headers = signed(secret, body)
    assert names["receive"](secret, headers, body, seen) == 204
    assert names["receive"](secret, headers, body, seen) == 204
    assert names["receive"](secret, headers, body + b" ", seen) == 400
    assert seen == {"evt_1"}


def signed(secret: str, body: bytes) -> dict[str, str]:
    """Return the headers of a webhook of now, made by the library."""
    now = datetime.now(UTC)
    return {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": standardwebhooks.Webhook(secret).sign("evt_1", now, body.decode()),
    }


def test_the_audit_trail_is_listed_and_verified(tenor: Shell, tmp_path: Path) -> None:
    tenor.done("tenant", "create", "acme", "--sandbox", "--clock", "2026-02-01T00:00:00Z")
    tenor.done("coupon", "create", "half", "--percent", "50", "--actor", "eve", *ACME)
    tenor.done("coupon", "archive", "half", "--reason", "over", *ACME)
    commands = [line for block in re.findall(r"```sh\n(.*?)```", AUDIT_PAGE, re.DOTALL) for line in block.splitlines()]
    told = [tenor.done(*shlex.split(line)[1:], *ACME).out for line in commands]
    assert len(told) == 2
    assert told[1].startswith("Unbroken  2 records, head 2:")
    records = tenor.done("audit", "list", *ACME, "--json").json["records"]
    assert [(one["actor"], one["action"], one["position"]) for one in records] == [
        ("eve", "coupon.created", 1),
        ("operator", "coupon.archived", 2),
    ]
    assert records[1]["reason"] == "over"
    head = tenor.done("audit", "verify", *ACME, "--json").json["head"]
    assert tenor.done("audit", "verify", "--expect", head, *ACME).exit_code == 0
    heads = tmp_path / "heads"
    for _ in range(2):  # the second time nothing is new
        assert tenor.done("audit", "verify", "--heads", str(heads), *ACME).exit_code == 0
    assert heads.read_text() == f"acme {head}\n"
    heads.write_text(f"acme 3:{'0' * 64}\n")  # as if the last of three records had been cut off since
    cut = tenor("audit", "verify", "--heads", str(heads), *ACME, "--json")
    assert (cut.exit_code, cut.json["broken_at"], heads.read_text().count("\n")) == (1, 3, 1)
    tenor.refused("audit", "verify", "--heads", str(tmp_path / "no" / "heads"), *ACME, code="malformed")
    tenor.tamper("audit_records", "actor = 'adam' where actor = 'eve'")
    broken = tenor("audit", "verify", *ACME, "--json")
    assert (broken.exit_code, broken.json["broken_at"]) == (1, 1)
    tenor.refused("audit", "verify", "--expect", "2:abc", *ACME, code="malformed")
