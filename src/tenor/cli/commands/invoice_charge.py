"""`tenor invoice charge|credit-customer|proforma`: what a person decides beside all plans."""

from dataclasses import replace
from typing import Annotated

import typer
from rich.markup import escape

from tenor.cli.commands.invoice_frame import (
    AmountArgument,
    CurrencyOption,
    CustomerArgument,
    Desk,
    KeyOption,
    desk,
    shown,
    split_pair,
)
from tenor.cli.output import ActorOption, JsonOption, ReasonOption, TenantOption, out, print_json
from tenor.invoicing import Adjusted, AdjustmentRequest, charge_once, grant_credit, make_proforma
from tenor.kernel.ids import to_wire
from tenor.kernel.money import format_minor
from tenor.kernel.quantity import parse_amount
from tenor.pricing.model import TaxMode
from tenor.subscriptions import find_subscription
from tenor.wire import adjustment_json, proforma_json

DescriptionOption = Annotated[str, typer.Option(help="What it is, for the document.")]
SubscriptionOption = Annotated[str | None, typer.Option(help="External id of the subscription that it is for.")]
NextOption = Annotated[bool, typer.Option("--next-invoice", help="Wait for the next one instead of a document now.")]
CategoryOption = Annotated[str, typer.Option(help="Tax category of what is sold.")]
InclusiveOption = Annotated[bool, typer.Option("--tax-inclusive", help="The amounts include their tax.")]


def charge(
    customer: CustomerArgument,
    amount: AmountArgument,
    *,
    tenant: TenantOption,
    currency: CurrencyOption,
    description: DescriptionOption,
    subscription: SubscriptionOption = None,
    next_invoice: NextOption = False,
    tax_category: CategoryOption = "standard",
    tax_inclusive: InclusiveOption = False,
    key: KeyOption = None,
    actor: ActorOption = "operator",
    reason: ReasonOption = "charged by the command line",
    as_json: JsonOption = False,
) -> None:
    """Charge a customer once, beside all plans."""
    with desk(tenant, actor=actor, reason=reason, taxed=customer, as_json=as_json) as at:
        request = _request(at, customer, amount, currency, description, subscription, is_inclusive=tax_inclusive)
        request = replace(request, tax_category=tax_category, invoicing="next_invoice" if next_invoice else "now")
        adjusted = charge_once(at.uow, request, key=at.key(key), **at.deed)
    _tell(adjusted, "Charged", as_json=as_json)


def credit_customer(
    customer: CustomerArgument,
    amount: AmountArgument,
    *,
    tenant: TenantOption,
    currency: CurrencyOption,
    description: DescriptionOption,
    reason: ReasonOption,
    clause: Annotated[str, typer.Option(help="Clause of the contract that was broken: a penalty.")] = "",
    subscription: SubscriptionOption = None,
    next_invoice: NextOption = False,
    tax_category: CategoryOption = "standard",
    tax_inclusive: InclusiveOption = False,
    key: KeyOption = None,
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> None:
    """Give a customer something back, beside all invoices. To give back a part of an invoice, credit that one."""
    with desk(tenant, actor=actor, reason=reason, taxed=customer, as_json=as_json) as at:
        request = _request(at, customer, amount, currency, description, subscription, is_inclusive=tax_inclusive)
        request = replace(request, tax_category=tax_category, invoicing="next_invoice" if next_invoice else "now")
        adjusted = grant_credit(at.uow, request, clause=clause, key=at.key(key), **at.deed)
    _tell(adjusted, "Credited", as_json=as_json)


def proforma(
    customer: CustomerArgument,
    *,
    tenant: TenantOption,
    currency: CurrencyOption,
    line: Annotated[list[str], typer.Option(help="DESCRIPTION=AMOUNT; may be repeated.")],
    tax_inclusive: InclusiveOption = False,
    key: KeyOption = None,
    actor: ActorOption = "operator",
    reason: ReasonOption = "made by the command line",
    as_json: JsonOption = False,
) -> None:
    """Make a numbered preview of an invoice. Nothing is owed by it."""
    with desk(tenant, actor=actor, reason=reason, taxed=customer, as_json=as_json) as at:
        requests = []
        for option in line:
            description, amount = split_pair(option, name="--line", example="DESCRIPTION=AMOUNT")
            requests.append(_request(at, customer, amount, currency, description, None, is_inclusive=tax_inclusive))
        made = make_proforma(at.uow, requests, key=at.key(key), **at.deed)
    sums = (("net", made.net_minor), ("tax", made.tax_minor), ("total", made.total_minor))
    if as_json:
        print_json(proforma_json(made))
        return
    out.print(f"[bold]Proforma {made.name}[/]  {escape(made.customer_external_id)}\n")
    for one in made.lines:
        out.print(f"     {one.description:<69} {format_minor(one.amount_minor, made.currency):>14}", markup=False)
    out.print()
    for label, minor in sums:
        out.print(f"     {label:<69} {format_minor(minor, made.currency):>14} {made.currency}")


def _request(
    at: Desk,
    customer: str,
    amount: str,
    currency: str,
    description: str,
    subscription: str | None,
    *,
    is_inclusive: bool,
) -> AdjustmentRequest:
    return AdjustmentRequest(
        customer_id=at.customer_id(customer),
        currency=currency,
        amount_minor=parse_amount(amount, currency, name="amount"),
        description=description,
        subscription_id=None if subscription is None else find_subscription(at.uow, subscription).id,
        tax_mode=TaxMode.INCLUSIVE if is_inclusive else TaxMode.EXCLUSIVE,
    )


def _tell(adjusted: Adjusted, what: str, *, as_json: bool) -> None:
    adjustment, document = adjusted
    if as_json:
        print_json(adjustment_json(adjusted))
        return
    where = document or "waits for the next invoice"
    amount = shown(abs(adjustment.amount_minor), adjustment.currency)
    out.print(f"[green]{what}[/]  {amount}  {where}  {to_wire('adj', adjustment.id)}")
