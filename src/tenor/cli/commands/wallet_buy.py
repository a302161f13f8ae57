"""`tenor wallet buy`: prepaid credit that is sold by an invoice."""

from typing import Annotated

import typer
from rich.markup import escape

from tenor.cli.commands.invoice_frame import CustomerArgument, KeyOption, desk, shown
from tenor.cli.commands.subscription_frame import interval
from tenor.cli.output import ActorOption, JsonOption, ReasonOption, TenantOption, counted, out, print_json
from tenor.invoicing import CreditOffer, bill_top_ups, sell_credits
from tenor.kernel.quantity import parse_amount, parse_decimal, plain
from tenor.wallets import find_wallet
from tenor.wire import purchase_json


def buy(
    customer: CustomerArgument,
    amount: Annotated[str, typer.Argument(help="Amount in the wallet's unit, e.g. 50 or 12.50.")],
    *,
    tenant: TenantOption,
    code: Annotated[str, typer.Option("--wallet", "-w", help="Code of the wallet.")] = "main",
    price: Annotated[
        str | None, typer.Option(help="What it costs without tax; by default what it is worth when it pays.")
    ] = None,
    lasts: Annotated[str | None, typer.Option(help="How long it can be used, e.g. '3 months'; else for ever.")] = None,
    priority: Annotated[int, typer.Option(help="0 burns first, 255 last.")] = 255,
    feature: Annotated[list[str] | None, typer.Option(help="Only for this metric or charge; may be repeated.")] = None,
    tax_category: Annotated[
        str | None, typer.Option(help="Tax the sale as this category; by default it is taxed when it is used.")
    ] = None,
    at_once: Annotated[bool, typer.Option("--at-once", help="Grant it now instead of when it is paid.")] = False,
    key: KeyOption = None,
    actor: ActorOption = "operator",
    reason: ReasonOption = "sold by the command line",
    as_json: JsonOption = False,
) -> None:
    """Sell prepaid credit: invoice it, and grant it when the invoice is paid."""
    with desk(tenant, actor=actor, reason=reason, taxed=customer, as_json=as_json) as at:
        customer_id = at.customer_id(customer)
        terms = find_wallet(at.uow, customer_id, code).terms
        offer = CreditOffer(
            customer_id=customer_id,
            wallet=code,
            amount=parse_decimal(amount, name="amount"),
            price_minor=None if price is None else parse_amount(price, terms.currency, name="--price"),
            priority=priority,
            features=frozenset(feature or ()),
            lasts=None if lasts is None else interval(lasts),
            granted="at_once" if at_once else "when_paid",
            **({} if tax_category is None else {"tax_category": tax_category}),
        )
        sold = sell_credits(at.uow, offer, key=at.key(key), **at.deed)
    if as_json:
        print_json(purchase_json(sold, terms.currency))
        return
    told = f"[green]Sold[/]  {plain(sold.purchase.amount)} {terms.unit} to {escape(customer)} by {sold.name}"
    fate = "granted" if sold.purchase.status == "granted" else f"{shown(sold.due_minor, terms.currency)} to be paid"
    out.print(f"{told}: {fate}")


def bill_top_ups_command(
    *,
    tenant: TenantOption,
    actor: ActorOption = "operator",
    reason: ReasonOption = "billed by the command line",
    as_json: JsonOption = False,
) -> None:
    """Invoice the top-ups that wallets have ordered; each is granted when its invoice is paid."""
    with desk(tenant, actor=actor, reason=reason, as_json=as_json) as at:
        billed = bill_top_ups(at.uow, **at.deed)
    if as_json:
        print_json({"invoices": [one.name for one in billed]})
    else:
        out.print(f"Invoiced {counted(len(billed), 'top-up')}")
