"""Write docs/reference from the code; with --check, fail when a file is not what the code gives."""

import importlib
import inspect
import json
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import typer.main
from typer.core import TyperArgument, TyperGroup, TyperOption

import tenor
from tenor.api import openapi_document
from tenor.api.problems import status_of
from tenor.cli.app import app
from tenor.invoicing.rules.lifecycle import DOCUMENT_MOVES
from tenor.kernel.errors import Refusal
from tenor.kernel.ids import PREFIXES
from tenor.ledger import CHART_OF_ACCOUNTS
from tenor.platform import telemetry
from tenor.platform.settings import Settings
from tenor.pricing import policy as policies
from tenor.subscriptions import MOVES

S = TypeVar("S", bound=StrEnum)
T = TypeVar("T", bound=StrEnum)

EXIT_CODES = """\
Exit codes: 0 done; 1 what was checked is not as it must be; 2 the input was refused and nothing has changed;
3 the engine could not do its work.

With `--json` a command prints one object on stdout, also when it refuses: `{"error": {"code": …, "message": …}}` and
the facts behind it. The codes are those of [errors](errors.md), and `usage` where the command is called wrongly."""
REFERENCE = Path(__file__).parent.parent / "docs" / "reference"
NOTICE = "<!-- Written by `make docs` from the code. Do not edit. -->"


def errors() -> str:
    """Return the table of every refusal, by code."""
    for module in pkgutil.walk_packages(tenor.__path__, "tenor."):
        importlib.import_module(module.name)
    rows: dict[str, tuple[str, str]] = {}
    statuses: dict[str, int] = {}
    for refusal in _subclasses(Refusal):
        meaning = (refusal.__doc__ or "").strip().split("\n\n")[0].replace("\n    ", " ")
        if rows.setdefault(refusal.code, (refusal.__name__, meaning))[0] != refusal.__name__:
            raise SystemExit(f"two refusals share the code {refusal.code!r}")
        statuses[refusal.code] = status_of(refusal)
    lines = [f"| `{code}` | {statuses[code]} | {name} | {meaning} |" for code, (name, meaning) in sorted(rows.items())]
    head = (
        "A refusal changes nothing. Its code never changes once published; branch on it, not on the words.\n"
        "The status is that of the HTTP API, which answers with a problem (RFC 9457) that holds the code."
    )
    table = ["| code | status | refusal | meaning |", "|---|---|---|---|", *lines]
    return "\n".join(["# Errors", "", NOTICE, "", head, "", *table])


def subscription_states() -> str:
    """Return the life of a subscription as a diagram and a table."""
    return _life("subscription", MOVES, refused_by="the code and by the database")


def document_states() -> str:
    """Return the life of a document as a diagram and a table."""
    return _life("document", DOCUMENT_MOVES, refused_by="the code")


def diagram(moves: Mapping[tuple[S, T], S]) -> str:
    """Return the moves of a state machine as the text of a mermaid state diagram; it begins with the first row."""
    rows = [f"    {source} --> {target}: {trigger}" for (source, trigger), target in moves.items()]
    sources = list(dict.fromkeys(source for source, _ in moves))
    ends = [f"    {state} --> [*]" for state in type(sources[0]) if state not in sources]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {sources[0]}", *rows, *ends])


def _life(thing: str, moves: Mapping[tuple[S, T], S], *, refused_by: str) -> str:
    rows = [f"| {state} | {trigger} | {to} |" for (state, trigger), to in moves.items()]
    head = f"Every legal move is a row; all others are refused, by {refused_by}."
    table = ["| from | trigger | to |", "|---|---|---|", *rows]
    drawn = ["```mermaid", diagram(moves), "```"]
    return "\n".join([f"# Life of a {thing}", "", NOTICE, "", head, "", *drawn, "", *table])


def policy_keys() -> str:
    """Return every policy key with what each profile says, and which of them decide nothing about documents."""
    head = (
        "A profile is a named set of choices. `tenor` is the default. No document hangs on a key with a `*`: it only\n"
        "decides how a case of another system is answered (`tenor cases run`)."
    )
    engine = _attributes_that_the_engine_reads()
    parts = ["# Policies", "", NOTICE, "", head]
    for group in fields(policies.Policy):
        if group.name == "name":
            continue
        cls = type(getattr(policies.profile("tenor"), group.name))
        parts += [
            "",
            f"## {group.name}",
            "",
            inspect.getdoc(cls) or "",
            "",
            "| key | tenor | other profiles |",
            "|---|---|---|",
        ]
        for key in fields(cls):
            default = _shown(getattr(getattr(policies.profile("tenor"), group.name), key.name))
            others: dict[str, list[str]] = {}
            for name in policies.profile_names():
                value = _shown(getattr(getattr(policies.profile(name), group.name), key.name))
                if value != default:
                    others.setdefault(value, []).append(name)
            differing = "; ".join(f"{value}: {', '.join(names)}" for value, names in others.items())
            mark = "" if key.name in engine else " *"
            parts.append(f"| `{key.name}`{mark} | {default} | {differing} |")
    return "\n".join(parts)


def _attributes_that_the_engine_reads() -> set[str]:
    """Return the names behind a dot in the code that makes documents: all of it but the policies and the cases."""
    package = Path(tenor.__path__[0])
    apart = (package / "conformance", package / "pricing" / "policy.py")
    paths = sorted(path for path in package.rglob("*.py") if not any(path.is_relative_to(one) for one in apart))
    return {name for path in paths for name in re.findall(r"\.(\w+)", path.read_text(encoding="utf-8"))}


def wire() -> str:
    """Return the prefixes of ids and the chart of accounts."""
    prefixes = [f"| `{prefix}_` | {thing} |" for prefix, thing in PREFIXES.items()]
    accounts = [f"| `{code}` | {side} |" for code, side in CHART_OF_ACCOUNTS.items()]
    id_table = ["| prefix | thing |", "|---|---|", *prefixes]
    account_table = ["| account | normal side |", "|---|---|", *accounts]
    return "\n".join(["# Ids and accounts", "", NOTICE, "", *id_table, "", *account_table])


def commands() -> str:
    """Return the help of every command."""
    parts = ["# Command line", "", NOTICE, "", EXIT_CODES]
    for path, command in _commands("tenor", typer.main.get_command(app)):
        parts += ["", f"## {path}", "", (command.help or "").strip(), ""]
        for parameter in command.params:
            if isinstance(parameter, TyperOption) and parameter.name != "help":
                default = f" Default: {parameter.default}." if parameter.default not in (None, False, (), "") else ""
                needed = " Required." if parameter.required else ""
                env = f" Environment: `{parameter.envvar}`." if parameter.envvar else ""
                text = (parameter.help or "").strip()
                names = ", ".join([*parameter.opts, *parameter.secondary_opts])
                parts.append(f"- `{names}` {text}{needed}{default}{env}".rstrip())
            elif isinstance(parameter, TyperArgument):
                text = getattr(parameter, "help", "") or ""
                parts.append(f"- `{(parameter.name or '').upper()}` {text}".rstrip())
    return "\n".join(parts)


def settings() -> str:
    """Return the table of every variable of the environment that is read."""
    rows = []
    for one in fields(Settings):
        default = "" if one.default in (None, False) else f"`{one.default}`"
        rows.append(f"| `{one.metadata['variable']}` | {one.metadata['words']} | {default} |")
    elsewhere = [
        "| `TENOR_TENANT` | the tenant of commands that are given no `--tenant` | |",
        f"| `{telemetry.ENDPOINT}` | where spans are sent by OTLP over HTTP; without it nowhere | |",
        "| `OTEL_SERVICE_NAME` | what the spans call this process | `tenor` |",
    ]
    head = (
        "Read once from the environment, when a process starts; an empty variable counts as unset.\n"
        "Nothing else configures Tenor: what is decided for a tenant is in its database. Secrets are never printed."
    )
    table = ["| variable | what it says | default |", "|---|---|---|", *rows, *elsewhere]
    return "\n".join(["# Settings", "", NOTICE, "", head, "", *table])


def http_api() -> str:
    """Return what the HTTP API says of itself, as OpenAPI 3.1."""
    return json.dumps(openapi_document(), indent=1, ensure_ascii=False)


def events() -> str:
    """Return the table of every type of event."""
    from tools.event_catalogue import catalogue

    return catalogue(NOTICE)


DOCUMENTS: dict[str, Callable[[], str]] = {
    "errors.md": errors,
    "subscription-states.md": subscription_states,
    "document-states.md": document_states,
    "policies.md": policy_keys,
    "ids-and-accounts.md": wire,
    "cli.md": commands,
    "settings.md": settings,
    "openapi.json": http_api,
    "events.md": events,
}


def main(*, is_check: bool) -> int:
    """Write the documents, or compare them with what is there; return how many differ."""
    REFERENCE.mkdir(parents=True, exist_ok=True)
    stale = 0
    for name, write in DOCUMENTS.items():
        path, text = REFERENCE / name, write().rstrip() + "\n"
        if is_check:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                stale += 1
                sys.stderr.write(f"{path.relative_to(REFERENCE.parent.parent)} is not what the code gives: make docs\n")
        else:
            path.write_text(text, encoding="utf-8")
    return stale


def _subclasses(cls: type[Refusal]) -> Iterator[type[Refusal]]:
    for subclass in cls.__subclasses__():
        if subclass.__module__.startswith("tenor."):
            if "code" in vars(subclass):
                yield subclass
            yield from _subclasses(subclass)


def _commands(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(command, TyperGroup):
        for name, child in command.commands.items():
            yield from _commands(f"{path} {name}", child)
    else:
        yield path, command


def _shown(value: object) -> str:
    if isinstance(value, policies.Rounding):
        digits = "currency" if value.digits is None else value.digits
        return f"{value.mode} to {digits} digits ({value.place})" if value.mode != "none" else "none"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value)


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])  # `tools` can then be imported
    raise SystemExit(1 if main(is_check="--check" in sys.argv) else 0)
