"""`tenor wallet`: credit that is granted again and again."""

from decimal import Decimal
from typing import Annotated, cast

import typer
from rich.markup import escape
from rich.table import Table

from tenor.cli.commands.subscription_frame import interval
from tenor.cli.commands.wallet_frame import AmountArgument, CodeOption, CustomerArgument, place, tell
from tenor.cli.output import ActorOption, JsonOption, ReasonOption, TenantOption, counted, out, print_json, refusals
from tenor.kernel.ids import new_id, to_wire
from tenor.kernel.period import format_instant, parse_instant
from tenor.kernel.quantity import parse_decimal, plain
from tenor.wallets import RecurringGrant, find_wallet, recur_credits, recurring_of_wallet, stop_recurring
from tenor.wallets.model import Category
from tenor.wire import interval_text, promise_json


def recur(
    customer: CustomerArgument,
    amount: AmountArgument,
    *,
    tenant: TenantOption,
    name: Annotated[str, typer.Option("--as", help="Code of the promise.")],
    every: Annotated[str, typer.Option(help="How often, e.g. '2 weeks'.")] = "1 month",
    anchor: Annotated[str | None, typer.Option(help="Instant that the intervals count from; now by default.")] = None,
    lasts: Annotated[str | None, typer.Option(help="How long a grant lasts; until the next one by default.")] = None,
    keep: Annotated[str, typer.Option(help="How much of what is left rolls over at most.")] = "0",
    keep_least: Annotated[str, typer.Option(help="How much there is of it at least, whatever was used.")] = "0",
    timezone: Annotated[str, typer.Option(help="Time zone in which intervals count.")] = "UTC",
    category: Annotated[str, typer.Option(help="promotional or paid.")] = "promotional",
    priority: Annotated[int, typer.Option(help="0 burns first, 255 last.")] = 255,
    feature: Annotated[list[str] | None, typer.Option(help="Only for this feature; may be repeated.")] = None,
    code: CodeOption = "main",
    actor: ActorOption = "operator",
    reason: ReasonOption = "promised by the command line",
    as_json: JsonOption = False,
) -> None:
    """Promise a customer credit that comes again and again. What plans promise comes with their subscriptions."""
    with refusals(as_json=as_json), place(tenant, customer) as at:
        found = find_wallet(at.uow, at.customer_id, code)
        promise = RecurringGrant(
            id=new_id(at.now),
            wallet_id=found.id,
            code=name,
            amount=parse_decimal(amount, name="amount"),
            every=interval(every),
            anchor=at.now if anchor is None else parse_instant(anchor, name="--anchor"),
            priority=priority,
            category=cast(Category, category),
            features=frozenset(feature or ()),
            rollover_max=parse_decimal(keep, name="--keep"),
            next_at=at.now if anchor is None else max(at.now, parse_instant(anchor, name="--anchor")),
            rollover_min=parse_decimal(keep_least, name="--keep-least"),
            lasts=None if lasts is None else interval(lasts),
            timezone=timezone,
        )
        kept = recur_credits(at.uow, promise, now=at.now, actor=actor, reason=reason)
        words = f"Promised {plain(kept.amount)} {found.terms.unit} to {customer} every {interval_text(kept.every)}"
        tell({"code": kept.code, "next_at": kept.next_at}, words, as_json=as_json)


def recurring(
    customer: CustomerArgument, *, tenant: TenantOption, code: CodeOption = "main", as_json: JsonOption = False
) -> None:
    """List what is promised in a wallet, by plans and otherwise."""
    with refusals(as_json=as_json), place(tenant, customer) as at:
        found = recurring_of_wallet(at.uow, find_wallet(at.uow, at.customer_id, code).id)
        if as_json:
            print_json({"recurring": [promise_json(one) for one in found]})
            return
        table = Table("code", "amount", "every", "rolls over", "next", "promised by", box=None)
        for one in found:
            holder = "" if one.subscription_id is None else to_wire("sub", one.subscription_id)
            next_at = "stopped" if one.next_at is None else format_instant(one.next_at)
            rolls = plain(one.rollover_max) if one.rollover_max > Decimal(0) else ""
            table.add_row(escape(one.code), plain(one.amount), interval_text(one.every), rolls, next_at, holder)
        out.print(table)
        out.print(counted(len(found), "promise"), style="dim")


def stop_(
    customer: CustomerArgument,
    name: Annotated[str, typer.Argument(help="Code of the promise.")],
    *,
    tenant: TenantOption,
    code: CodeOption = "main",
    actor: ActorOption = "operator",
    reason: ReasonOption = "stopped by the command line",
    as_json: JsonOption = False,
) -> None:
    """Make no more grants of what a customer was promised; what was granted stays until it expires."""
    with refusals(as_json=as_json), place(tenant, customer) as at:
        wallet_id = find_wallet(at.uow, at.customer_id, code).id
        stop_recurring(at.uow, wallet_id, name, now=at.now, actor=actor, reason=reason)
        tell({"code": name, "next_at": None}, f"Stopped {name}", as_json=as_json)
