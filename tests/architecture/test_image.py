"""Dockerfile and compose.yaml say what they have to, and name only what there is. Nothing is built here."""

import re
import shlex
from pathlib import Path
from typing import Any, Final

import pytest
import typer.main
import yaml
from typer.core import TyperGroup

from tenor.cli.app import app

ROOT: Final = Path(__file__).parents[2]
DOCKERFILE: Final = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
COMPOSE_TEXT: Final = (ROOT / "compose.yaml").read_text(encoding="utf-8")
COMPOSE: Final[dict[str, Any]] = yaml.safe_load(COMPOSE_TEXT)
OURS: Final = [name for name, service in COMPOSE["services"].items() if service["image"] == "tenor"]
SETTINGS: Final = (ROOT / "src" / "tenor" / "platform" / "settings.py").read_text(encoding="utf-8")


def is_a_command(words: list[str]) -> bool:
    """Whether the command line has a command of these words, with these options."""
    command: Any = typer.main.get_command(app)
    while isinstance(command, TyperGroup):
        command = command.commands.get(words.pop(0))
    options = {name for parameter in command.params for name in parameter.opts} if command else set()
    return command is not None and {word for word in words if word.startswith("--")} <= options


def last_stage() -> str:
    """Return the part of the Dockerfile that becomes the image."""
    return "FROM" + DOCKERFILE.rpartition("\nFROM")[2]


def test_the_image_runs_as_nobody_in_particular_and_brings_no_build_tool() -> None:
    assert DOCKERFILE.count("FROM python:3.11-slim") == 2
    assert re.search(r"^USER tenor$", last_stage(), re.MULTILINE)
    assert "pip" not in last_stage()
    installs = re.findall("pip install .*", DOCKERFILE)
    assert len(installs) == 3
    assert [one for one in installs if "--require-hashes" not in one and "--no-index" not in one] == []


def test_the_image_is_made_of_files_that_are_there() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    copied = [shlex.split(line)[1:-1] for line in re.findall(r"^COPY (?!--from).*", DOCKERFILE, re.MULTILINE)]
    names = {name for names in copied for name in names}
    assert names == {one.removeprefix("!") for one in ignored if one.startswith("!")}
    assert [name for name in names if not (ROOT / name).exists()] == []
    assert [name for name in re.findall(r"requirements/\w+\.txt", DOCKERFILE) if not (ROOT / name).exists()] == []
    (command,) = re.findall(r"^CMD (\[.*\])$", last_stage(), re.MULTILINE)
    assert is_a_command(yaml.safe_load(command))


@pytest.mark.parametrize("name", sorted(COMPOSE["services"]))
def test_every_service_is_locked_down(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert {mount.split(":")[0] for mount in service["volumes"]} <= COMPOSE["volumes"].keys()
    assert service.get("depends_on", {}).keys() <= COMPOSE["services"].keys()


def test_the_services_are_commands_that_there_are_after_the_migration() -> None:
    assert OURS == ["migrate", "api", "relay", "worker"]
    assert [name for name in OURS if not is_a_command(list(COMPOSE["services"][name]["command"]))] == []
    assert COMPOSE["services"]["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name in OURS[1:]:
        assert COMPOSE["services"][name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}


def test_no_secret_stands_in_the_files_and_every_setting_is_one() -> None:
    for name in OURS:
        for setting in COMPOSE["services"][name]["environment"]:
            assert f'"{setting}"' in SETTINGS
    passwords = re.findall(r"(?:password|PASSWORD|KEY)\w*[:=] *(\S+)", COMPOSE_TEXT.partition("x-tenor")[2])
    assert passwords != []
    assert [one for one in passwords if not one.startswith(("${", "/run/secrets/"))] == []
    assert COMPOSE["secrets"] == {"postgres_password": {"environment": "TENOR_POSTGRES_PASSWORD"}}
