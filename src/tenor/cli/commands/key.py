"""`tenor api-key`: the API keys of a tenant."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from tenor.access import EVERYTHING, IssuedKey, create_key, list_keys, revoke_key, rotate_key
from tenor.cli.groups import command_group
from tenor.cli.output import ActorOption, JsonOption, ReasonOption, TenantOption, out, print_json, refusals
from tenor.cli.session import session
from tenor.kernel.ids import KeyId, from_wire, to_wire
from tenor.kernel.period import format_instant, parse_instant
from tenor.wire import issued_key_json, key_json

app = command_group("Keys by which programs call the API.")

KeyArgument = Annotated[str, typer.Argument(metavar="KEY_ID", help="Id of the key (key_…); `list` shows them.")]


@app.callback()
def key() -> None:
    """Keys by which programs call the API."""


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What the key is for, for people.")],
    *,
    tenant: TenantOption,
    scope: Annotated[list[str] | None, typer.Option(help="AREA:read or AREA:write; all where none is given.")] = None,
    expires: Annotated[str | None, typer.Option(help="Until when it may be used; until it is revoked.")] = None,
    actor: ActorOption = "operator",
    reason: ReasonOption = "created by the command line",
    as_json: JsonOption = False,
) -> None:
    """Create an API key. Its text is shown this once."""
    with refusals(as_json=as_json), session() as opened:
        with opened.database.transaction(opened.tenant(tenant).tenant_id) as uow:
            issued = create_key(
                uow,
                name=name,
                scopes=tuple(scope) if scope else EVERYTHING,
                expires_at=None if expires is None else parse_instant(expires, name="--expires"),
                now=datetime.now(UTC),
                actor=actor,
                reason=reason,
            )
        _tell(issued, as_json=as_json)


@app.command("list")
def list_command(
    *,
    tenant: TenantOption,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, at most.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List the newest keys, without their texts."""
    with refusals(as_json=as_json), session() as opened:
        with opened.database.transaction(opened.tenant(tenant).tenant_id) as uow:
            found = list_keys(uow, limit=limit)
        now = datetime.now(UTC)
        if as_json:
            print_json({"keys": [key_json(one, at=now) for one in found]})
            return
        if not found:
            out.print("There is no key yet. Make one with [bold]tenor api-key create NAME[/].")
            return
        table = Table("key", "name", "begins with", "scopes", "status", "expires", box=None)
        for one in found:
            expires = format_instant(one.expires_at) if one.expires_at else ""
            scopes = ", ".join(one.scopes)
            table.add_row(to_wire("key", one.id), escape(one.name), f"{one.hint}…", scopes, one.status(now), expires)
        out.print(table)


@app.command("revoke")
def revoke(
    key_id: KeyArgument,
    *,
    tenant: TenantOption,
    actor: ActorOption = "operator",
    reason: ReasonOption = "revoked by the command line",
    as_json: JsonOption = False,
) -> None:
    """End a key at once."""
    with refusals(as_json=as_json), session() as opened:
        now = datetime.now(UTC)
        with opened.database.transaction(opened.tenant(tenant).tenant_id) as uow:
            revoked = revoke_key(uow, KeyId(from_wire("key", key_id)), now=now, actor=actor, reason=reason)
        if as_json:
            print_json(key_json(revoked, at=now))
        else:
            out.print(f"[green]Revoked[/]  {escape(revoked.name)}  {revoked.hint}…")


@app.command("rotate")
def rotate(
    key_id: KeyArgument,
    *,
    tenant: TenantOption,
    overlap_hours: Annotated[int, typer.Option(min=0, max=720, help="How long the old key may still be used.")] = 24,
    actor: ActorOption = "operator",
    reason: ReasonOption = "rotated by the command line",
    as_json: JsonOption = False,
) -> None:
    """Put a new key in the place of another one, which ends a while later. The new text is shown this once."""
    with refusals(as_json=as_json), session() as opened:
        with opened.database.transaction(opened.tenant(tenant).tenant_id) as uow:
            issued = rotate_key(
                uow,
                KeyId(from_wire("key", key_id)),
                overlap=timedelta(hours=overlap_hours),
                now=datetime.now(UTC),
                actor=actor,
                reason=reason,
            )
        _tell(issued, as_json=as_json)


def _tell(issued: IssuedKey, *, as_json: bool) -> None:
    if as_json:
        print_json(issued_key_json(issued))
        return
    out.print(f"[green]Created[/]  {escape(issued.key.name)}  {to_wire('key', issued.key.id)}")
    out.print(issued.text, markup=False)
    out.print("Keep it now: it is stored nowhere and cannot be shown again.")
