"""`tenor audit`: who did what, and whether the record of it is as it was written."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from tenor.cli.groups import command_group
from tenor.cli.output import ExitCode, JsonOption, TenantOption, counted, err, out, print_json, refusals, stop
from tenor.cli.session import Session, session
from tenor.events import object_from_wire, object_to_wire
from tenor.kernel.errors import Malformed
from tenor.kernel.ids import TenantId
from tenor.kernel.period import format_instant
from tenor.platform.audit_chain import Head, audit_records, chain_audit, verify_audit
from tenor.wire import audit_record_json

app = command_group("Who did what, and whether the record of it is as it was written.")


@app.command("list")
def list_(
    *,
    tenant: TenantOption,
    after: Annotated[int, typer.Option(help="Begin after this position of the chain.", min=0)] = 0,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=1000)] = 100,
    of_object: Annotated[str | None, typer.Option("--object", help="Only records of this object, by its id.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List records: who did what to which object, when, why, by which request, before and after."""
    with refusals(as_json=as_json), session() as opened:
        tenant_id = opened.tenant(tenant).tenant_id
        _chain_all(opened, tenant_id)
        object_id = None if of_object is None else object_from_wire(of_object)
        with opened.database.transaction(tenant_id) as uow:
            found = audit_records(uow, after=after, limit=limit, object_id=object_id)
    if as_json:
        print_json({"records": [audit_record_json(record) for record in found]})
        return
    for record in found:
        out.print(
            f"{record.position:>6}  {format_instant(record.occurred_at)}  {escape(record.actor)}  {record.action}"
            f"  {object_to_wire(record.object_type, record.object_id)}  {escape(record.reason)}"
        )


@app.command("verify")
def verify(
    *,
    tenant: TenantOption,
    expect: Annotated[str | None, typer.Option(help="A head that was printed before: POSITION:HASH.")] = None,
    heads: Annotated[
        Path | None, typer.Option(help="A file of heads: the tenant's last one is expected, the new one is added.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Derive the chain of hashes again and report the first record that is not as it was; ends with 1 then.

    Keep the head that it prints somewhere else, and give it next time: it shows a chain that was cut off at its end, or
    forged anew. With --heads it does so by itself, in a file on a disk that the database cannot reach.
    """
    with refusals(as_json=as_json), session() as opened:
        tenant_id = opened.tenant(tenant).tenant_id
        expect = expect or (None if heads is None else _last_head(heads, tenant))
        known = None if expect is None else _head(expect)
        _chain_all(opened, tenant_id)
        with opened.database.transaction(tenant_id, is_snapshot=True) as uow:
            report = verify_audit(uow, known=known)
    head = f"{report.head.position}:{report.head.hash}"
    if as_json:
        print_json({"head": head, "broken_at": report.broken_at, "what": report.what})
    elif report.broken_at is None:
        out.print(f"[green]Unbroken[/]  {counted(report.head.position, 'record')}, head {head}")
    else:
        err.print(f"[bold red]Broken[/] at {report.broken_at:,}: {report.what}")
    if report.broken_at is not None:
        raise stop(ExitCode.FOUND)
    if heads is not None and head != expect:
        with heads.open("a", encoding="ascii") as file:
            file.write(f"{tenant} {head}\n")


def _chain_all(opened: Session, tenant_id: TenantId) -> None:
    """Chain what no relay has come by to chain yet."""
    chained = 1
    while chained:
        with opened.database.transaction(tenant_id) as uow:
            chained = chain_audit(uow)


def _last_head(file: Path, tenant: str) -> str | None:
    """Return the last head of a tenant in a file that can be added to; None where it holds none."""
    try:
        with file.open("a+", encoding="ascii", errors="replace") as kept:
            kept.seek(0)
            lines = kept.read().splitlines()
    except OSError as error:
        raise Malformed(f"--heads: {file}: {error.strerror}") from None
    return next((head for slug, _, head in (line.partition(" ") for line in reversed(lines)) if slug == tenant), None)


def _head(text: str) -> Head:
    position, _, digest = text.partition(":")
    if not position.isdecimal() or len(digest) != 64:
        raise Malformed(f"--expect: {text[:80]!r} is not a head such as the one that `tenor audit verify` prints")
    return Head(int(position), digest.lower())
