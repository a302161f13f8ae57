"""`tenor catalog`: price books as code."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from tenor.cli.groups import command_group
from tenor.cli.output import JsonOption, TenantOption, out, print_json, refusals
from tenor.cli.session import session, tenant_now
from tenor.kernel.errors import Malformed
from tenor.pricing import (
    CatalogPlan,
    RefusedPriceBook,
    apply_price_book,
    plan_price_book,
    read_price_book,
)

app = command_group("Price books as code: plan what a file would change, then apply it.")

FileArgument = Annotated[Path, typer.Argument(help="Price book, a YAML file.")]

_COLOURS = {"+": "green", "~": "yellow", "-": "red"}


@app.command("plan")
def plan(file: FileArgument, *, tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Show what a price book would change: new versions, and who keeps an old one. Changes nothing."""
    with refusals(as_json=as_json), _named(file):
        draft = read_price_book(_read(file))
        with session() as opened:
            of = opened.tenant(tenant)
            with opened.database.transaction(of.tenant_id) as uow:
                changes = plan_price_book(uow, draft, now=tenant_now(of))
        _print(changes, as_json=as_json, hint="[bold]tenor catalog apply[/] makes it so")


@app.command("apply")
def apply(
    file: FileArgument,
    *,
    tenant: TenantOption,
    actor: Annotated[str, typer.Option(help="Who applies it, for the audit.")] = "operator",
    as_json: JsonOption = False,
) -> None:
    """Make a price book the newest edition. Plans that changed get a new version; subscriptions keep theirs."""
    with refusals(as_json=as_json), _named(file):
        draft = read_price_book(_read(file))
        with session() as opened:
            of = opened.tenant(tenant)
            with opened.database.transaction(of.tenant_id) as uow:
                applied = apply_price_book(uow, draft, actor=actor, now=tenant_now(of))
        _print(applied.changes, as_json=as_json, hint="[green]applied[/]")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Malformed(f"{file}: {error.strerror}") from None


@contextmanager
def _named(file: Path) -> Iterator[None]:
    """Let a refusal name the file before the places inside it."""
    try:
        yield
    except RefusedPriceBook as refusal:
        refusal.message = f"{file}: {refusal.message}"
        raise


def _print(changes: CatalogPlan, *, as_json: bool, hint: str) -> None:
    if as_json:
        print_json(changes.to_json())
        return
    for line in changes.render():
        out.print(line, style=_COLOURS.get(line.strip()[:1]), markup=False)
    if not changes.is_empty:
        out.print(hint)
