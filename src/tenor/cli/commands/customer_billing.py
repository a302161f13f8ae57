"""`tenor customer billing`: how customers are billed."""

from typing import Annotated

import typer

from tenor.cli.commands.invoice_frame import desk
from tenor.cli.output import ActorOption, JsonOption, ReasonOption, TenantOption, out, print_json
from tenor.invoicing import (
    BillingSettings,
    BillingSettingsChange,
    MalformedBillingSettings,
    NegativeTotal,
    PaymentTerms,
    TermsKind,
    billing_settings,
    default_billing_settings,
    set_billing_settings,
)
from tenor.kernel.errors import Malformed
from tenor.wire import billing_settings_json


def billing(
    customer: Annotated[str | None, typer.Argument(help="External id; without it, what holds for all.")] = None,
    *,
    tenant: TenantOption,
    net_days: Annotated[int | None, typer.Option(help="To be paid so many days after the issue.")] = None,
    end_of_month_days: Annotated[
        int | None, typer.Option(help="To be paid so many days after the end of the month.")
    ] = None,
    po_number: Annotated[str | None, typer.Option(help="The customer's number for its purchase order.")] = None,
    consolidate: Annotated[bool | None, typer.Option(help="All subscriptions on one document.")] = None,
    negative_total: Annotated[str | None, typer.Option(help="Credit notes go to balance or refund.")] = None,
    grace_days: Annotated[int | None, typer.Option(help="A document stays a draft for so many days.")] = None,
    invoice_top_ups: Annotated[
        bool | None, typer.Option(help="What a wallet orders for itself is invoiced as it is ordered.")
    ] = None,
    actor: ActorOption = "operator",
    reason: ReasonOption = "set by the command line",
    as_json: JsonOption = False,
) -> None:
    """Print how a customer is billed, after setting what the options say."""
    with desk(tenant, actor=actor, reason=reason, as_json=as_json) as at:
        change = BillingSettingsChange(
            payment_terms=_terms(net_days=net_days, end_of_month_days=end_of_month_days),
            po_number=po_number,
            consolidates=consolidate,
            negative_total=_negative_total(negative_total),
            grace_days=grace_days,
            invoices_top_ups=invoice_top_ups,
        )
        customer_id = None if customer is None else at.customer_id(customer)
        if change != BillingSettingsChange():
            set_billing_settings(at.uow, customer_id, change, **at.deed)
        if customer_id is None:
            held = default_billing_settings(at.uow)
        else:
            held = billing_settings(at.uow, [customer_id])[customer_id]
    if as_json:
        print_json({"customer": customer, **billing_settings_json(held)})
    else:
        _print(held)


def _print(held: BillingSettings) -> None:
    terms = held.payment_terms
    counted_from = "the issue" if terms.kind is TermsKind.NET else "the end of the month of the issue"
    out.print(f"to be paid within {terms.days} days of {counted_from}")
    out.print("all subscriptions on one document" if held.consolidates else "a document for each subscription")
    where = "the customer's credit" if held.negative_total == "balance" else "a refund"
    out.print(f"the total of a credit note goes to {where}")
    if held.grace_days:
        out.print(f"documents are drafts for {held.grace_days} days")
    if held.invoices_top_ups:
        out.print("top-ups are invoiced as wallets order them")
    if held.po_number:
        out.print(f"PO number {held.po_number}", markup=False)


def _terms(*, net_days: int | None, end_of_month_days: int | None) -> PaymentTerms | None:
    if net_days is not None and end_of_month_days is not None:
        raise Malformed("days are counted from the issue or from the end of its month, not both")
    if net_days is not None:
        return PaymentTerms(TermsKind.NET, net_days)
    return None if end_of_month_days is None else PaymentTerms(TermsKind.END_OF_MONTH, end_of_month_days)


def _negative_total(text: str | None) -> NegativeTotal | None:
    match text:
        case None | "balance" | "refund":
            return text
        case _:
            raise MalformedBillingSettings(f"a negative total goes to balance or refund, not {text!r}")
