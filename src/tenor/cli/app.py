"""The commands and their names."""

import sys
import traceback
from collections.abc import Callable, Sequence
from functools import cache
from typing import Final

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
from tenor.cli.output import ExitCode, print_json, refusals
from tenor.kernel.errors import Malformed
from tenor.platform.telemetry import send_spans

ATTEMPTS_MAX: Final = 5
"""How often a command is begun that the database undoes for the sake of others."""

app = typer.Typer(
    name="tenor",
    help="A sovereign subscription billing engine that can prove every cent.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("up")(up.up)
app.add_typer(tenants.app, name="tenant")
app.add_typer(key.app, name="key")
app.add_typer(user.app, name="user")
app.add_typer(catalog.app, name="catalog")
app.add_typer(coupons.coupon_app, name="coupon")
app.add_typer(coupons.promotion_app, name="promotion")
app.add_typer(taxes.app, name="tax")
app.add_typer(customer.app, name="customer")
app.add_typer(contract.app, name="contract")
app.add_typer(subscription.app, name="subscription")
app.add_typer(entitlement.app, name="entitlement")
app.add_typer(usage.app, name="usage")
app.add_typer(wallet.app, name="wallet")
app.command("bill")(bill.bill_command)
app.command("work")(work.work_command)
app.add_typer(invoice.app, name="invoice")
app.command("prove")(prove.prove_command)
app.add_typer(ledger.app, name="ledger")
app.command("serve")(serve.serve_command)
app.add_typer(keys.app, name="keys")
app.add_typer(audit.app, name="audit")
app.add_typer(events.app, name="events")
app.add_typer(relay.app, name="relay")
app.add_typer(webhook.app, name="webhook")
app.command("doctor")(doctor.doctor)
app.add_typer(cases.app, name="cases")
app.command("demo")(demo.demo_command)


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
