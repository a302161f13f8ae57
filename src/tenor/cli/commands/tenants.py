"""`tenor tenant`: the tenants of this engine."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from tenor.cli.groups import command_group
from tenor.cli.output import JsonOption, out, print_json, refusals
from tenor.cli.session import session
from tenor.kernel.ids import to_wire
from tenor.kernel.period import format_instant, parse_instant
from tenor.platform.partitions import prepare_months_ahead
from tenor.platform.tenants import create_tenant, list_tenants
from tenor.pricing import profile as policy_profile
from tenor.wire import tenant_json

app = command_group("Create and list tenants.")


@app.command("create")
def create(
    slug: Annotated[str, typer.Argument(help="Short name: a–z, 0–9 and '-'.")],
    *,
    name: Annotated[str | None, typer.Option(help="Full name; the slug where none is given.")] = None,
    sandbox: Annotated[
        bool, typer.Option(help="A tenant for trying things out: it may be billed as of any time.")
    ] = False,
    clock: Annotated[str | None, typer.Option(help="Where a sandbox's own clock starts; bill runs move it on.")] = None,
    timezone: Annotated[str, typer.Option(help="IANA time zone.")] = "UTC",
    profile: Annotated[str, typer.Option(help="Policy profile of new subscriptions.")] = "tenor",
    as_json: JsonOption = False,
) -> None:
    """Create a tenant."""
    with refusals(as_json=as_json), session() as opened:
        clock_at = None if clock is None else parse_instant(clock, name="--clock")
        policy_profile(profile)  # refuses an unknown one now, not at the first subscription
        tenant_id = create_tenant(
            opened.database,
            slug=slug,
            name=name or slug,
            is_sandbox=sandbox,
            timezone=timezone,
            profile=profile,
            clock_at=clock_at,
        )
        prepare_months_ahead(opened.database, tenant_id, at=clock_at or datetime.now(UTC))
        if as_json:
            print_json({"id": to_wire("ten", tenant_id), "slug": slug})
        else:
            out.print(f"[green]Created[/]  {slug}  {to_wire('ten', tenant_id)}")


@app.command("list")
def list_command(*, as_json: JsonOption = False) -> None:
    """List every tenant."""
    with refusals(as_json=as_json), session() as opened:
        tenants = list_tenants(opened.database)
        if as_json:
            print_json({"tenants": [tenant_json(tenant) for tenant in tenants]})
            return
        if not tenants:
            out.print("There is no tenant yet. Make one with [bold]tenor tenant create NAME[/].")
            return
        table = Table("tenant", "name", "clock", "zone", "profile", box=None)
        for tenant in tenants:
            clock = format_instant(tenant.clock_at) if tenant.clock_at else "wall clock"
            table.add_row(tenant.slug, escape(tenant.name), clock, tenant.timezone, tenant.profile)
        out.print(table)
