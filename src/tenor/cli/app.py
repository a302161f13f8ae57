"""The commands and their names."""

import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from typing import Annotated, Any, Final

import typer
from psycopg.errors import DeadlockDetected, SerializationFailure

from tenor.cli.commands import (
    audit,
    bill,
    cases,
    catalog,
    contract,
    coupons,
    customer,
    demo,
    doctor,
    entitlement,
    events,
    invoice,
    key,
    keys,
    ledger,
    prove,
    relay,
    serve,
    subscription,
    taxes,
    tenants,
    up,
    usage,
    user,
    wallet,
    webhook,
    work,
)
from tenor.cli.groups import TellingGroup
from tenor.cli.output import ExitCode, out, print_json, refusals
from tenor.kernel.errors import Malformed
from tenor.platform.telemetry import send_spans


class _Commands(TellingGroup):
    """All commands, in the order of `COMMANDS`."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands."""
        named = set(super().list_commands(ctx))
        return [name for names in COMMANDS.values() for name in names if name in named]


ATTEMPTS_MAX: Final = 5
"""How often a command is begun that the database undoes for the sake of others."""

app = typer.Typer(
    name="tenor",
    cls=_Commands,
    help="A sovereign subscription billing engine that can prove every cent.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

COMMANDS: Final[Mapping[str, Mapping[str, typer.Typer | Callable[..., None]]]] = {
    "Set up": {
        "up": up.up,
        "doctor": doctor.doctor,
        "tenant": tenants.app,
        "api-key": key.app,
        "user": user.app,
        "demo": demo.demo_command,
    },
    "What is sold": {
        "catalog": catalog.app,
        "coupon": coupons.coupon_app,
        "promotion": coupons.promotion_app,
        "tax": taxes.app,
    },
    "Who buys, and what runs": {
        "customer": customer.app,
        "contract": contract.app,
        "subscription": subscription.app,
        "entitlement": entitlement.app,
        "usage": usage.app,
        "wallet": wallet.app,
    },
    "What is owed": {
        "bill": bill.bill_command,
        "invoice": invoice.app,
        "ledger": ledger.app,
        "prove": prove.prove_command,
    },
    "Keep it running": {
        "serve": serve.serve_command,
        "work": work.work_command,
        "relay": relay.app,
        "events": events.app,
        "webhook": webhook.app,
        "audit": audit.app,
        "keys": keys.app,
        "cases": cases.app,
    },
}
"""Every command and group, as the help shows them."""

for panel, named in COMMANDS.items():
    for name, held in named.items():
        if isinstance(held, typer.Typer):
            app.add_typer(held, name=name, rich_help_panel=panel)
        else:
            app.command(name, rich_help_panel=panel)(held)


def _show_version(is_asked: bool) -> None:  # noqa: FBT001  as Typer calls it
    if is_asked:
        out.print(f"tenor {version('tenor')}")
        raise typer.Exit


@app.callback()
def tenor(
    *,
    _is_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """A sovereign subscription billing engine that can prove every cent."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line with `arguments`, or those of the process; return what its exit code means.

    A command that is called wrongly is a refusal like any other, so with --json it is told in JSON; without it
    Typer tells it and exits. An error that nobody expected ends with 3: Python's own 1 would say that a check failed.
    A command that the database gave up because it waited in a circle with others begins again, a few times.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in words
    try:
        with refusals(as_json=as_json):
            _require_text(words)
            send_spans("tenor")
        return _unless_in_a_circle(
            lambda: _command()(words, prog_name="tenor", standalone_mode=not as_json) or ExitCode.DONE
        )
    except typer.Exit as end:
        return end.exit_code
    except typer.TyperException as misuse:
        print_json({"error": {"code": "usage", "message": misuse.format_message()}})
        return ExitCode.REFUSED
    except Exception:  # noqa: BLE001  the last place where the exit code can still be made to mean something
        traceback.print_exc()
        return ExitCode.FAILED


def _unless_in_a_circle(command: Callable[[], int]) -> int:
    """Do what a command does; where the database has undone it for the sake of others, do it again."""
    for _ in range(ATTEMPTS_MAX - 1):
        try:
            return command()
        except (DeadlockDetected, SerializationFailure):
            continue
    return command()


@cache
def _command() -> Callable[..., int | None]:
    """Return all commands as a tree; to build it takes 0.1 s, which a process that calls several pays once."""
    return typer.main.get_command(app)


def _require_text(words: Sequence[str]) -> None:
    """Refuse arguments that no database could store: Python reads bytes that are not UTF-8 as half characters."""
    for place, word in enumerate(words, start=1):
        try:
            word.encode()
        except UnicodeEncodeError:
            raise Malformed(f"argument {place}, {word[:60]!r}, is not UTF-8 text") from None
