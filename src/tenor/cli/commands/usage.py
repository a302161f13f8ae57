"""`tenor usage`: usage events in, put right, and what they come to."""

from dataclasses import fields, replace
from datetime import tzinfo
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

from tenor.catalog import Condition, Filter
from tenor.cli.commands import usage_running
from tenor.cli.commands.usage_running import followed_json, tell_followed
from tenor.cli.groups import command_group
from tenor.cli.output import (
    ActorOption,
    JsonOption,
    ReasonOption,
    TenantOption,
    counted,
    out,
    print_json,
    progress,
    refusals,
)
from tenor.cli.session import session, tenant_now
from tenor.customers import customers_by_external_id
from tenor.invoicing import follow_usage
from tenor.kernel.calendar import parse_zone, start_of_month
from tenor.kernel.errors import Malformed, NotFound
from tenor.kernel.ids import from_wire, to_wire
from tenor.kernel.period import Period, format_instant, parse_instant
from tenor.kernel.quantity import plain
from tenor.metering import (
    Amendment,
    Columns,
    amend_usage,
    correct_from_file,
    current_usage,
    import_usage,
    relocate_usage,
    replay_rejections,
    ship_usage,
    usage_rejections,
)
from tenor.pricing.policy import profile

app = command_group("Bring usage in, put it right, look at it.")
rejected = command_group("Events that could not be taken.")
app.command("current")(usage_running.current_command)
app.command("late")(usage_running.late_command)
app.add_typer(usage_running.alert, name="alert")
app.add_typer(usage_running.threshold, name="threshold")
app.add_typer(rejected, name="rejected")

FileArgument = Annotated[
    Path,
    typer.Argument(
        help="CSV with a header, JSON Lines (.jsonl), JSON (.json) or Parquet (.parquet): flat or CloudEvents."
    ),
]
ColumnOption = Annotated[
    list[str] | None,
    typer.Option(help="Where a part stands under another name, e.g. occurred_at=TIMESTAMP; may be repeated."),
]
ZoneOption = Annotated[
    str | None, typer.Option(help="Zone of time stamps that name none; without it they are refused.")
]
SourceOption = Annotated[str, typer.Option(help="Who sends these events: ids are unique within a source.")]


@app.callback()
def usage() -> None:
    """Bring usage in, put it right, look at it."""


@app.command("import")
def import_command(
    file: FileArgument,
    *,
    tenant: TenantOption,
    column: ColumnOption = None,
    zone: ZoneOption = None,
    source: SourceOption = "file",
    partial: Annotated[
        bool, typer.Option("--partial", help="Take the good rows; the others are kept as rejections, for a replay.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Import usage events: the whole file or, when a row cannot be taken, nothing. Safe to repeat."""
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        columns, file_zone = _columns(column or []), _zone(zone)
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
                    takes_part=partial,
                    on_progress=lambda count: display.update(task, completed=count),
                )
                followed = follow_usage(uow, receipt.touched, now=now)
        if as_json:
            bad = [{"line": row.line, "column": row.column, "reason": row.reason} for row in receipt.bad]
            print_json(
                {
                    "accepted": receipt.accepted,
                    "duplicates": receipt.duplicates,
                    **followed_json(followed),
                    **({"bad": bad} if partial else {}),
                }
            )
            return
        out.print(f"[green]{counted(receipt.accepted, 'event')} taken[/], {receipt.duplicates:,} known already")
        for row in receipt.bad:
            out.print(f"  not taken: {row}", markup=False)
        tell_followed(followed)


@app.command("correct")
def correct_command(
    file: FileArgument,
    *,
    tenant: TenantOption,
    reason: ReasonOption,
    actor: ActorOption = "operator",
    column: ColumnOption = None,
    zone: ZoneOption = None,
    source: SourceOption = "file",
    as_json: JsonOption = False,
) -> None:
    """Correct events: each row counts in the place of the event that was taken under its id. All of them or none."""
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        columns, file_zone = _columns(column or []), _zone(zone)
        now = tenant_now(of)
        with opened.database.transaction(of.tenant_id) as uow:
            receipt = correct_from_file(
                uow,
                file,
                now=now,
                actor=actor,
                reason=reason,
                columns=columns,
                default_source=source,
                zone=file_zone,
            )
            followed = follow_usage(uow, receipt.touched, now=now)
        if as_json:
            print_json(
                {
                    "corrected": len(receipt.amended),
                    "unchanged": len(receipt.unchanged),
                    **followed_json(followed),
                }
            )
            return
        out.print(f"[green]{counted(len(receipt.amended), 'event')} corrected[/], {len(receipt.unchanged):,} as before")
        tell_followed(followed)


@app.command("cancel")
def cancel_command(
    event_ids: Annotated[list[str], typer.Argument(help="Ids of events that were taken.", metavar="EVENT_ID…")],
    *,
    tenant: TenantOption,
    reason: ReasonOption,
    actor: ActorOption = "operator",
    source: SourceOption = "file",
    as_json: JsonOption = False,
) -> None:
    """Cancel events: they stay on record and no longer count. All of them or none."""
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        now = tenant_now(of)
        with opened.database.transaction(of.tenant_id) as uow:
            amendments = [Amendment(source, event_id) for event_id in dict.fromkeys(event_ids)]
            receipt = amend_usage(uow, amendments, now=now, actor=actor, reason=reason)
            if receipt.rejected:
                raise NotFound("; ".join(entry.reason for entry in receipt.rejected))
            followed = follow_usage(uow, receipt.touched, now=now)
        if as_json:
            print_json(
                {
                    "cancelled": len(receipt.amended),
                    "unchanged": len(receipt.unchanged),
                    **followed_json(followed),
                }
            )
            return
        out.print(f"[green]{counted(len(receipt.amended), 'event')} cancelled[/], {len(receipt.unchanged):,} before")
        tell_followed(followed)


@app.command("show")
def show_command(
    *,
    tenant: TenantOption,
    customer: Annotated[str, typer.Option(help="External id of the customer.")],
    metric: Annotated[str, typer.Option(help="Code of the metric.")],
    since: Annotated[
        str | None, typer.Option(help="From when on; by default from the first of the month in the customer's zone.")
    ] = None,
    at: Annotated[str | None, typer.Option(help="Until when; by default until now.")] = None,
    by: Annotated[list[str] | None, typer.Option(help="Property to tell usage apart by; may be repeated.")] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(help="Only usage with this property=value; repeated for one property, any of the values."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a customer has used of a metric so far."""
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        until = parse_instant(at) if at else tenant_now(of)
        dimensions = tuple(by or ())
        with opened.database.transaction(of.tenant_id) as uow:
            party = customers_by_external_id(uow, [customer]).get(customer)
            if party is None:
                raise NotFound(f"there is no customer {customer!r}")
            zone = ZoneInfo(party.timezone)
            period = Period(parse_instant(since) if since else start_of_month(until, zone), until)
            policy = profile(of.profile).metering
            numbers = current_usage(
                uow,
                party.id,
                metric,
                period,
                dimensions=dimensions,
                conditions=_conditions(where or []),
                zone=zone,
                policy=policy,
            )
        rows = [
            {**dict(zip(dimensions, values, strict=True)), "units": number.value, "events": number.event_count}
            for values, number in sorted(numbers.items())
        ]
        if as_json:
            print_json({"since": period.start, "until": period.end, "usage": rows})
            return
        table = Table(*dimensions, "units", "events")
        for values, number in sorted(numbers.items()):
            table.add_row(*values, "" if number.value is None else plain(number.value), f"{number.event_count:,}")
        out.print(f"{metric} of {customer}, {format_instant(period.start)} to {format_instant(period.end)}")
        out.print(table)


@app.command("relocate")
def relocate_command(
    *,
    tenant: TenantOption,
    reason: ReasonOption,
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> None:
    """Relocate a tenant's usage to the ClickHouse of TENOR_CLICKHOUSE_URL, for good; nobody can send any meanwhile."""
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        with progress(is_shown=not as_json) as display:
            task = display.add_task("rows", total=None)
            with opened.database.transaction(of.tenant_id) as uow:
                relocated = relocate_usage(
                    uow,
                    now=tenant_now(of),
                    actor=actor,
                    reason=reason,
                    on_progress=lambda count: display.update(task, completed=count),
                )
        if as_json:
            print_json({"relocated": relocated})
            return
        out.print(f"[green]{counted(relocated, 'row')} relocated[/]: usage of {of.slug} is in ClickHouse now")


@app.command("ship")
def ship_command(*, tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Send ClickHouse the usage that waits for it. Safe to repeat; run it every minute or so."""
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        shipped = ship_usage(opened.database, of.tenant_id, now=tenant_now(of))
        if as_json:
            print_json({"shipped": shipped})
            return
        out.print(f"[green]{counted(shipped, 'row')} shipped[/]")


@rejected.command("list")
def list_command(
    *,
    tenant: TenantOption,
    limit: Annotated[int, typer.Option(help="At most so many, the oldest first.", min=1, max=10_000)] = 100,
    settled: Annotated[bool, typer.Option("--settled", help="Those that a replay took, too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List events that could not be taken, with the reason and what was sent."""
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        with opened.database.transaction(of.tenant_id) as uow:
            found = usage_rejections(uow, limit=limit, settled=settled)
        if as_json:
            rows = [{**entry._asdict(), "id": to_wire("rej", entry.id)} for entry in found]
            print_json({"rejections": rows})
            return
        for entry in found:
            place = f"{entry.field}: " if entry.field else ""
            out.print(f"{to_wire('rej', entry.id)}  {place}{entry.reason}", markup=False)
            out.print(f"    {entry.payload}", markup=False)
        out.print(counted(len(found), "rejection"))


@rejected.command("replay")
def replay_command(
    ids: Annotated[list[str] | None, typer.Argument(help="Which; without any, all open ones.")] = None,
    *,
    tenant: TenantOption,
    as_json: JsonOption = False,
) -> None:
    """Try again to take events that could not be taken, once what was wrong is put right."""
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        now = tenant_now(of)
        chosen = [from_wire("rej", text) for text in ids or []]
        with opened.database.transaction(of.tenant_id) as uow:
            receipt = replay_rejections(uow, now=now, ids=chosen)
            followed = follow_usage(uow, receipt.touched, now=now)
        if as_json:
            print_json(
                {
                    "accepted": receipt.accepted,
                    "duplicates": receipt.duplicates,
                    "still_rejected": receipt.still_rejected,
                    **followed_json(followed),
                }
            )
            return
        out.print(
            f"[green]{counted(receipt.accepted, 'event')} taken[/], {receipt.duplicates:,} known already,"
            f" {receipt.still_rejected:,} still rejected"
        )
        tell_followed(followed)


def _zone(name: str | None) -> tzinfo | None:
    return None if name is None else parse_zone(name)


def _conditions(asked: list[str]) -> Filter:
    """Read options of the form property=value."""
    values: dict[str, tuple[str, ...]] = {}
    for one in asked:
        name, sign, value = one.partition("=")
        if not name or not sign:
            raise Malformed(f"--where {one!r}: write property=value")
        values[name] = (*values.get(name, ()), value)
    return tuple(Condition(name, wanted) for name, wanted in values.items())


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
