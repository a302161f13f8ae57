"""`tenor usage`: usage events in."""

from dataclasses import fields, replace
from datetime import tzinfo
from pathlib import Path
from typing import Annotated

import typer

from tenor.cli.output import JsonOption, TenantOption, counted, out, print_json, progress, refusals
from tenor.cli.session import session, tenant_now
from tenor.kernel.calendar import parse_zone
from tenor.kernel.errors import Malformed
from tenor.metering import Columns, import_usage
from tenor.subscriptions import LateUsage, mark_late_usage

app = typer.Typer(help="Bring usage in.", no_args_is_help=True)


@app.callback()
def usage() -> None:
    """Bring usage in."""


@app.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="CSV with a header, or JSON Lines (.jsonl).")],
    *,
    tenant: TenantOption,
    column: Annotated[
        list[str] | None,
        typer.Option(help="Where a part stands under another name, e.g. occurred_at=TIMESTAMP; may be repeated."),
    ] = None,
    zone: Annotated[
        str | None, typer.Option(help="Zone of time stamps that name none; without it they are refused.")
    ] = None,
    source: Annotated[str, typer.Option(help="Who sends these events: ids are unique within a source.")] = "file",
    as_json: JsonOption = False,
) -> None:
    """Import usage events: the whole file or, when a row cannot be taken, nothing. Safe to repeat."""
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        columns = _columns(column or [])
        file_zone: tzinfo | None = None if zone is None else parse_zone(zone)
        now = tenant_now(of)
        with progress(is_shown=not as_json) as display:
            task = display.add_task("rows", total=None)
            with opened.database.transaction(of.tenant_id) as uow:
                receipt = import_usage(
                    uow,
                    file,
                    now=now,
                    columns=columns,
                    default_source=source,
                    zone=file_zone,
                    on_progress=lambda count: display.update(task, completed=count),
                )
                late = [
                    LateUsage(touched.customer_id, touched.metric_code, touched.earliest_at)
                    for touched in receipt.touched
                ]
                revisited = mark_late_usage(uow, late, now=now)
        if as_json:
            print_json({"accepted": receipt.accepted, "duplicates": receipt.duplicates, "late_for_items": revisited})
            return
        out.print(f"[green]{counted(receipt.accepted, 'event')} taken[/], {receipt.duplicates:,} known already")
        if revisited:
            items = counted(revisited, "subscription item")
            out.print(f"usage in settled periods of {items}: the next run bills the difference")


def _columns(mappings: list[str]) -> Columns:
    """Read options of the form part=COLUMN."""
    known = {field.name for field in fields(Columns)}
    columns = Columns()
    for mapping in mappings:
        part, _, name = mapping.partition("=")
        if part not in known or not name:
            raise Malformed(f"--column {mapping!r}: write part=COLUMN with one of {', '.join(sorted(known))}")
        columns = replace(columns, **{part: name})
    return columns
