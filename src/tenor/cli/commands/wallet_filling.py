"""`tenor wallet`: who is told when little is left, what fills a wallet up, and what time does to all of them."""

from typing import Annotated

import typer
from rich.table import Table

from tenor.cli.commands.wallet_frame import AmountArgument, CodeOption, CustomerArgument, place, tell, work
from tenor.cli.output import ActorOption, JsonOption, ReasonOption, TenantOption, counted, out, print_json, refusals
from tenor.cli.session import session, tenant_now
from tenor.kernel.ids import TopUpId, from_wire, to_wire
from tenor.kernel.money import format_minor
from tenor.kernel.quantity import parse_decimal, plain
from tenor.subscriptions import catch_up_credits
from tenor.wallets import (
    TopUpRule,
    find_wallet,
    set_alert,
    set_top_up,
    settle_top_up,
    top_up_orders,
    top_up_rule,
    wallet_alerts,
)
from tenor.wire import top_up_json, top_up_rule_json, wallet_alert_json


def alert(
    customer: CustomerArgument,
    threshold: AmountArgument,
    *,
    tenant: TenantOption,
    code: CodeOption = "main",
    actor: ActorOption = "operator",
    reason: ReasonOption = "set by the command line",
    as_json: JsonOption = False,
) -> None:
    """Tell, by the event wallet.low, when less than this is left; once for each crossing."""
    with refusals(as_json=as_json), place(tenant, customer) as at:
        wallet_id = find_wallet(at.uow, at.customer_id, code).id
        least = parse_decimal(threshold, name="threshold")
        set_alert(at.uow, wallet_id, least, now=at.now, actor=actor, reason=reason)
        tell({"wallet_id": to_wire("wal", wallet_id)}, f"Told below {plain(least)}", as_json=as_json)


def alerts(
    customer: CustomerArgument, *, tenant: TenantOption, code: CodeOption = "main", as_json: JsonOption = False
) -> None:
    """List below which balances somebody is told, and whether the wallet is below them."""
    with refusals(as_json=as_json), place(tenant, customer) as at:
        found = wallet_alerts(at.uow, find_wallet(at.uow, at.customer_id, code).id)
        if as_json:
            print_json({"alerts": [wallet_alert_json(one) for one in found]})
            return
        table = Table("told below", "is below", box=None)
        for one in found:
            table.add_row(plain(one.threshold), "yes" if one.is_below else "no")
        out.print(table)
        out.print(counted(len(found), "alert"), style="dim")


def top_up(
    customer: CustomerArgument,
    *,
    tenant: TenantOption,
    below: Annotated[str, typer.Option(help="Fill up when less than this is left.")],
    to: Annotated[str, typer.Option(help="Fill up to this.")],
    per_day: Annotated[int, typer.Option(help="How many times a day (UTC) at most.")] = 1,
    off: Annotated[bool, typer.Option("--off", help="Keep the bounds, but do not fill up.")] = False,
    code: CodeOption = "main",
    actor: ActorOption = "operator",
    reason: ReasonOption = "set by the command line",
    as_json: JsonOption = False,
) -> None:
    """Say when a wallet is filled up by itself."""
    with refusals(as_json=as_json), place(tenant, customer) as at:
        wallet_id = find_wallet(at.uow, at.customer_id, code).id
        rule = TopUpRule(parse_decimal(below, name="--below"), parse_decimal(to, name="--to"), per_day, not off)
        set_top_up(at.uow, wallet_id, rule, now=at.now, actor=actor, reason=reason)
        words = f"Filled up below {plain(rule.threshold)} to {plain(rule.target)}, at most {per_day} a day"
        tell({"wallet_id": to_wire("wal", wallet_id)}, words, as_json=as_json)


def top_ups(
    customer: CustomerArgument, *, tenant: TenantOption, code: CodeOption = "main", as_json: JsonOption = False
) -> None:
    """Show when a wallet is filled up by itself, and list what was ordered for it, the newest first."""
    with refusals(as_json=as_json), place(tenant, customer) as at:
        found = find_wallet(at.uow, at.customer_id, code)
        rule, orders = top_up_rule(at.uow, found.id), top_up_orders(at.uow, found.id)
        if as_json:
            listed = [top_up_json(one, found.terms.currency) for one in orders]
            print_json({"rule": None if rule is None else top_up_rule_json(rule), "top_ups": listed})
            return
        if rule is None or not rule.is_active:
            out.print("Not filled up by itself.")
        else:
            bounds = f"below {plain(rule.threshold)} to {plain(rule.target)}"
            out.print(f"Filled up {bounds}, at most {rule.max_per_day} a day")
        table = Table("top-up", "amount", "price", "status", box=None)
        for one in orders:
            price = f"{format_minor(one.price_minor, found.terms.currency)} {found.terms.currency}"
            table.add_row(to_wire("top", one.id), plain(one.amount), price, one.status)
        out.print(table)
        out.print(counted(len(orders), "top-up"), style="dim")


def settle(
    top_up_id: Annotated[str, typer.Argument(help="Id of the top-up (top_…).")],
    *,
    tenant: TenantOption,
    is_paid: Annotated[bool, typer.Option("--paid/--failed", help="What became of its payment.")],
    actor: ActorOption = "operator",
    reason: ReasonOption = "settled by the command line",
    as_json: JsonOption = False,
) -> None:
    """Say that a top-up was paid in cash, so that it is granted, or has failed. One that is invoiced settles itself."""
    with refusals(as_json=as_json), work(tenant) as (uow, now):
        order_id = TopUpId(from_wire("top", top_up_id))
        order = settle_top_up(uow, order_id, is_paid=is_paid, now=now, actor=actor, reason=reason)
        grant_id = None if order.grant_id is None else to_wire("grt", order.grant_id)
        words = f"Granted {plain(order.amount)}" if grant_id else "The top-up has failed; another may be ordered"
        tell({"top_up_id": top_up_id, "status": order.status, "grant_id": grant_id}, words, as_json=as_json)


def tick(*, tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Do what is due in all wallets; `tenor bill` does it too, before it bills.

    Promises of plans are kept, reservations end, grants lapse and are renewed, crossings are told, top-ups ordered.
    """
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        body = catch_up_credits(opened.database, of.tenant_id, now=tenant_now(of))._asdict()
        tell(body, ", ".join(f"{name.replace('_', ' ')} {number:,}" for name, number in body.items()), as_json=as_json)
