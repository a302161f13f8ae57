"""`tenor subscription`: subscribe customers, and see how subscriptions stand; the changes stand beside."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from tenor.cli.commands import subscription_changes, subscription_life
from tenor.cli.commands.subscription_frame import (
    Handling,
    InvoiceOption,
    NameArgument,
    PreviewOption,
    QuantityOption,
    QuoteOption,
    carry_out,
    customer_id,
    decimals,
    interval,
    print_subscription,
)
from tenor.cli.groups import command_group
from tenor.cli.output import ActorOption, JsonOption, ReasonOption, TenantOption, out, print_json, refusals
from tenor.cli.session import session, tenant_now
from tenor.kernel.calendar import parse_zone
from tenor.kernel.period import parse_instant
from tenor.kernel.quantity import parse_decimal
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions import (
    NewSubscription,
    Subscription,
    SubscriptionsRefused,
    find_subscription,
    journals,
    load_items,
    newest_subscriptions,
    scheduled,
    subscribe,
)
from tenor.wire import entries_json, subscription_json, timeline_json

app = command_group("Subscribe customers to plans, change, pause and cancel.")


@app.command("create")
def create(
    name: NameArgument,
    *,
    tenant: TenantOption,
    customer: Annotated[str, typer.Option(help="External id of the customer.")],
    plan: Annotated[str, typer.Option(help="Code of the plan.")],
    start: Annotated[str | None, typer.Option(help="When it starts, past or future; now by default.")] = None,
    end: Annotated[str | None, typer.Option(help="When the agreed term ends; never by default.")] = None,
    notice_days: Annotated[int, typer.Option(min=0, help="How long before that end it is noticed.")] = 0,
    renewal: Annotated[str | None, typer.Option(help="By how much it is prolonged then, e.g. '1 year'.")] = None,
    quantity: QuantityOption = None,
    price: Annotated[list[str] | None, typer.Option(help="CHARGE=AMOUNT that overrules the plan's.")] = None,
    discount_percent: Annotated[str, typer.Option(help="Taken off every charge but commitments.")] = "0",
    trial_days: Annotated[int | None, typer.Option(min=0, help="Instead of the plan's.")] = None,
    trial_converts: Annotated[bool, typer.Option(help="Whether the trial goes over into the paid plan.")] = True,
    preview: PreviewOption = False,
    quote: QuoteOption = None,
    invoice: InvoiceOption = False,
    actor: ActorOption = "operator",
    reason: ReasonOption = "subscribed by the command line",
    as_json: JsonOption = False,
) -> None:
    """Subscribe a customer to a plan. Repeating it with the same content changes nothing."""
    how = Handling(preview, quote, invoice, None, actor, reason)

    def make(uow: UnitOfWork, at: datetime, _version: int | None) -> list[Subscription]:
        request = NewSubscription(
            external_id=name,
            customer_id=customer_id(uow, customer),
            plan=plan,
            starts_at=parse_instant(start, name="--start") if start is not None else at,
            ends_at=parse_instant(end, name="--end") if end is not None else None,
            notice_days=notice_days,
            renewal=interval(renewal) if renewal is not None else None,
            quantities=decimals(quantity, "--quantity"),
            prices=decimals(price, "--price"),
            discount_percent=parse_decimal(discount_percent, name="--discount-percent"),
            trial_days=trial_days,
            trial_converts=trial_converts,
        )
        try:
            (subscription_id,) = subscribe(uow, [request], now=at, actor=actor, reason=reason)
        except SubscriptionsRefused as refusal:
            refusal.message = "; ".join(f"{one.field}: {one.message}" for one in refusal.problems)
            raise
        (made,) = load_items(uow, [subscription_id])
        return [made.subscription]

    with refusals(as_json=as_json), session() as opened:
        carry_out(opened, tenant, how, make, lambda uow: (customer_id(uow, customer), 0), as_json=as_json)


subscription_changes.register(app)
subscription_life.register(app)


@app.command("list")
def list_command(
    *,
    tenant: TenantOption,
    customer: Annotated[str | None, typer.Option(help="External id of one customer.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, at most.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List the newest subscriptions."""
    with refusals(as_json=as_json), session() as opened:
        with opened.database.transaction(opened.tenant(tenant).tenant_id) as uow:
            of = None if customer is None else customer_id(uow, customer)
            found = newest_subscriptions(uow, customer_id=of, limit=limit)
        if as_json:
            print_json({"subscriptions": [{**subscription_json(held), "customer": whose} for held, whose in found]})
            return
        if not found:
            out.print("There is no subscription yet. Make one with [bold]tenor subscription create NAME[/].")
            return
        table = Table("subscription", "customer", "status", "since", "ends", box=None)
        for held, whose in found:
            days = [
                f"{at.astimezone(parse_zone(held.timezone)):%Y-%m-%d}" if at else ""
                for at in (held.starts_at, held.ends_at)
            ]
            table.add_row(escape(held.external_id), escape(whose), held.status.value, *days)
        out.print(table)


@app.command("show")
def show(name: NameArgument, *, tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Print how a subscription stands, with its timeline."""
    with refusals(as_json=as_json), session() as opened:
        with opened.database.transaction(opened.tenant(tenant).tenant_id) as uow:
            held = find_subscription(uow, name)
            (loaded,) = load_items(uow, [held.id])
            rows = timeline_json(uow, loaded)
        if as_json:
            print_json({**subscription_json(held), "timeline": rows})
            return
        print_subscription(held, as_json=False)
        for row in rows:
            held_units = "".join(f"  {charge} {units}" for charge, units in row["quantities"].items())
            notes = {
                "add-on": row["is_add_on"],
                row["state"]: row["state"] != "active",
                "not billed": not row["is_billable"],
            }
            noted = ", ".join(note for note, holds in notes.items() if holds)
            end = row["end"] or "open"
            out.print(
                f"  {row['start']} – {end}  {row['plan']}{held_units}{f'  ({noted})' if noted else ''}", markup=False
            )


@app.command("journal")
def journal(name: NameArgument, *, tenant: TenantOption, as_json: JsonOption = False) -> None:
    """List every change of a subscription, also those that were taken back."""
    with refusals(as_json=as_json), session() as opened:
        with opened.database.transaction(opened.tenant(tenant).tenant_id) as uow:
            held = find_subscription(uow, name)
            entries = journals(uow, [held.id])[held.id]
            rows = entries_json(uow, entries, entries)
        _print_entries(rows, as_json=as_json)


@app.command("scheduled")
def scheduled_command(name: NameArgument, *, tenant: TenantOption, as_json: JsonOption = False) -> None:
    """List the changes that are still ahead, in the order in which they take effect; `undo` takes one back."""
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        with opened.database.transaction(of.tenant_id) as uow:
            held = find_subscription(uow, name)
            entries = journals(uow, [held.id])[held.id]
            rows = entries_json(uow, scheduled(entries, now=tenant_now(of)), entries)
        _print_entries(rows, as_json=as_json)


def _print_entries(rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json({"entries": rows})
        return
    if not rows:
        out.print("Nothing is ahead.")
        return
    for row in rows:
        gone = "" if row["is_standing"] else "  (taken back)"
        why = f": {row['reason']}" if row["reason"] else ""
        out.print(f"{row['entry']:>4}  {row['effective_at']}  {row['change']}{gone}", markup=False)
        out.print(f"      recorded {row['recorded_at']} by {row['actor']}{why}", style="dim", markup=False)
