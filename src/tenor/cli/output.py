"""What the command line prints: words for people, one JSON object for programs, and exit codes that mean something."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from typing import Annotated, Any, Final
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from tenor.events import BrokerFailed
from tenor.kernel.errors import Refusal
from tenor.kernel.period import format_instant
from tenor.kernel.quantity import plain
from tenor.metering import ClickHouseFailed, ClickHouseUnknown, UsageMissing
from tenor.platform.database import DatabaseTooOld, DatabaseUnreachable, LostTransaction
from tenor.platform.embedded import EmbeddedServerFailed
from tenor.platform.migrate import MigrationChanged, RolesMissing
from tenor.platform.newly_visible import TransactionsRenumbered
from tenor.platform.sealing import EncryptionKeyMissing, SealBroken
from tenor.pricing import TamperedPlanVersion

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
TenantOption = Annotated[str, typer.Option("--tenant", "-t", envvar="TENOR_TENANT", help="Slug of the tenant.")]
ActorOption = Annotated[str, typer.Option(help="Who does it, for the audit.")]
ReasonOption = Annotated[str, typer.Option(help="Why, for the audit.")]


class ExitCode(IntEnum):
    """What the exit code of every command means."""

    DONE = 0
    FOUND = 1  # the command ran, and what it checked is not as it must be
    REFUSED = 2  # the input was refused; nothing has changed
    FAILED = 3  # the engine could not do its work (no database, a bug)


FAILURES: Final = (
    ClickHouseFailed,
    ClickHouseUnknown,
    BrokerFailed,
    DatabaseTooOld,
    DatabaseUnreachable,
    EmbeddedServerFailed,
    EncryptionKeyMissing,
    LostTransaction,
    MigrationChanged,
    RolesMissing,
    SealBroken,
    TamperedPlanVersion,
    UsageMissing,
    TransactionsRenumbered,
)
"""Refusals that say nothing against the input: another call with the same words may well succeed."""

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(body: Mapping[str, Any]) -> None:
    """Print one JSON object: decimals as text, instants as ISO 8601 in UTC, ids as text."""
    sys.stdout.write(json.dumps(body, default=_plain, indent=2, ensure_ascii=False) + "\n")


def counted(count: int, thing: str) -> str:
    """Return a count with its noun: '1 invoice', '2,000 invoices'."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def stop(code: ExitCode) -> typer.Exit:
    """Return the exception that ends the command with `code`."""
    return typer.Exit(int(code))


@contextmanager
def refusals(*, as_json: bool) -> Iterator[None]:
    """Print a refusal as words on stderr, or as JSON on stdout, and end with the exit code for it."""
    try:
        yield
    except Refusal as refusal:
        is_failure = isinstance(refusal, FAILURES)
        if as_json:
            print_json({"error": {**refusal.details, "code": refusal.code, "message": refusal.message}})
        else:
            err.print(f"[bold red]{'Failed' if is_failure else 'Refused'}:[/] ", end="")
            err.print(refusal.message, markup=False)
            effect = "the engine could not do its work" if is_failure else "nothing has changed"
            err.print(f"({refusal.code}; {effect})", style="dim", markup=False)
        raise stop(ExitCode.FAILED if is_failure else ExitCode.REFUSED) from None


@contextmanager
def progress(*, is_shown: bool) -> Iterator[Progress]:
    """Yield a progress display on stderr; silent when the output is for a program or no terminal looks on."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not (is_shown and err.is_terminal)) as display:
        yield display


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return format_instant(value)
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
