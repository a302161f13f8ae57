"""`tenor events`: what has happened, in order."""

import time
from typing import Annotated, Final
from uuid import UUID

import typer
from rich.markup import escape

from tenor.cli.groups import command_group
from tenor.cli.output import JsonOption, TenantOption, out, print_json, refusals
from tenor.cli.session import Session, session
from tenor.events import FeedEvent, FeedPage, events_after, find_event, last_position, object_from_wire, sequence_events
from tenor.kernel.ids import TenantId, from_wire
from tenor.kernel.period import format_instant

POLL_SECONDS: Final = 0.5

app = command_group("What has happened, in order and without gaps.")

TypeOption = Annotated[
    list[str] | None, typer.Option("--type", help="Only this type, e.g. invoice.finalised or 'invoice.*'; repeatable.")
]
ObjectOption = Annotated[str | None, typer.Option("--object", help="Only events of this object, by its id.")]


@app.command("list")
def list_(
    *,
    tenant: TenantOption,
    after: Annotated[int, typer.Option(help="Begin after this position.", min=0)] = 0,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=1000)] = 100,
    types: TypeOption = None,
    of_object: ObjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """List events after a position; the next page begins after the last position of this one."""
    with refusals(as_json=as_json), session() as opened:
        object_id = None if of_object is None else object_from_wire(of_object)
        tenant_id = opened.tenant(tenant).tenant_id
        page = _page(opened, tenant_id, after=after, limit=limit, types=types, object_id=object_id)
    if as_json:
        print_json(page.to_json())
        return
    for event in page.events:
        _print(event)
    out.print(f"more after {page.cursor}" if page.has_more else "no more for now", style="dim")


@app.command("tail")
def tail(
    *,
    tenant: TenantOption,
    after: Annotated[int | None, typer.Option(help="Begin after this position; now where none is given.")] = None,
    count: Annotated[int | None, typer.Option(help="End after so many events.", min=1)] = None,
    types: TypeOption = None,
    of_object: ObjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print events as they happen, until Ctrl-C; with --json an object for each page of them."""
    with refusals(as_json=as_json), session() as opened:
        tenant_id = opened.tenant(tenant).tenant_id
        object_id = None if of_object is None else object_from_wire(of_object)
        with opened.database.transaction(tenant_id) as uow:
            position = last_position(uow) if after is None else after
        printed = 0
        while count is None or printed < count:
            limit = 100 if count is None else min(100, count - printed)
            page = _page(opened, tenant_id, after=position, limit=limit, types=types, object_id=object_id)
            if as_json and page.events:
                print_json(page.to_json())
            for event in () if as_json else page.events:
                _print(event)
            position, printed = page.cursor, printed + len(page.events)
            if not page.events:
                time.sleep(POLL_SECONDS)


@app.command("show")
def show(
    event_id: Annotated[str, typer.Argument(help="Id of the event (evt_…).")],
    *,
    tenant: TenantOption,
    as_json: JsonOption = False,
) -> None:
    """Show one event with all that it says."""
    with refusals(as_json=as_json), session() as opened:
        with opened.database.transaction(opened.tenant(tenant).tenant_id) as uow:
            event = find_event(uow, from_wire("evt", event_id))
        if as_json:
            print_json(event.to_json())
            return
        _print(event)
        for name, value in event.payload.items():
            out.print(f"  {escape(name)}: {escape(str(value))}")


def _page(
    opened: Session, tenant_id: TenantId, *, after: int, limit: int, types: list[str] | None, object_id: UUID | None
) -> FeedPage:
    """Return events, those included that no relay has come by to place yet."""
    with opened.database.transaction(tenant_id) as uow:
        sequence_events(uow)
    with opened.database.transaction(tenant_id) as uow:
        return events_after(uow, after, limit=limit, types=types or (), object_id=object_id)


def _print(event: FeedEvent) -> None:
    told = event.to_json()
    out.print(
        f"{event.position:>6}  {format_instant(event.occurred_at)}  {event.type}  {told['object_id']}"
        f" #{event.sequence}  {event.wire_id}",
        markup=False,
    )
