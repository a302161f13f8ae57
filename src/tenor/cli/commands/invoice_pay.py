"""`tenor invoice pay|refund|refunded|refunds|statement`: the money that comes and goes."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import typer
from rich.markup import escape
from rich.table import Table

from tenor.cli.commands.invoice_frame import AmountArgument, CurrencyOption, CustomerArgument, KeyOption, desk, shown
from tenor.cli.output import ActorOption, JsonOption, ReasonOption, TenantOption, out, print_json
from tenor.invoicing import (
    PaymentRequest,
    RefundRequest,
    Statement,
    customer_statements,
    mark_refunded,
    record_payment,
    refund_requests,
    request_refund,
)
from tenor.kernel.ids import from_wire, to_wire
from tenor.kernel.money import format_minor
from tenor.kernel.period import EARLIEST, parse_instant
from tenor.kernel.quantity import parse_amount
from tenor.wire import refund_request_json, statement_json


def pay(
    customer: CustomerArgument,
    amount: AmountArgument,
    *,
    tenant: TenantOption,
    currency: CurrencyOption,
    reference: Annotated[str, typer.Option(help="The bank's name for the payment; each is taken once.")],
    invoice: Annotated[list[str] | None, typer.Option(help="Pays these, in order; else the oldest first.")] = None,
    method: Annotated[str, typer.Option(help="How it came, e.g. transfer.")] = "transfer",
    received: Annotated[str | None, typer.Option(help="Instant at which it came; now by default.")] = None,
    actor: ActorOption = "operator",
    reason: ReasonOption = "recorded by the command line",
    as_json: JsonOption = False,
) -> None:
    """Record a payment. What is left over is credit for later invoices."""
    with desk(tenant, actor=actor, reason=reason, as_json=as_json) as at:
        request = PaymentRequest(
            customer_id=at.customer_id(customer),
            currency=currency,
            amount_minor=parse_amount(amount, currency, name="amount"),
            received_at=None if received is None else parse_instant(received, name="--received"),
            method=method,
            reference=reference,
            invoice_ids=[at.invoice_id(name) for name in invoice or ()],
        )
        receipt = record_payment(at.uow, request, **at.deed)
    if as_json:
        print_json(
            {
                "id": to_wire("pay", receipt.payment.id),
                "receipt": receipt.name,
                "amount": format_minor(receipt.payment.amount_minor, currency),
                "currency": currency,
                "received_at": receipt.payment.received_at,
                "paid": {name: format_minor(minor, currency) for name, minor in receipt.allocations},
                "to_credit": format_minor(receipt.to_credit_minor, currency),
            }
        )
        return
    out.print(f"[green]Received[/]  {shown(receipt.payment.amount_minor, currency)}  receipt {receipt.name}")
    for name, minor in receipt.allocations:
        out.print(f"  {name}  {shown(minor, currency)}")
    if receipt.to_credit_minor:
        out.print(f"  customer credit  {shown(receipt.to_credit_minor, currency)}")


def refund(
    customer: CustomerArgument,
    amount: AmountArgument,
    *,
    tenant: TenantOption,
    currency: CurrencyOption,
    reason: ReasonOption,
    key: KeyOption = None,
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> None:
    """Ask for a customer's credit to be sent back."""
    with desk(tenant, actor=actor, reason=reason, as_json=as_json) as at:
        request = request_refund(
            at.uow,
            at.customer_id(customer),
            currency=currency,
            amount_minor=parse_amount(amount, currency, name="amount"),
            key=at.key(key),
            **at.deed,
        )
    _tell_refund(request, "Requested", as_json=as_json)


def refunded(
    request: Annotated[str, typer.Argument(help="Id of the refund request (rfd_01h…).")],
    *,
    tenant: TenantOption,
    reference: Annotated[str, typer.Option(help="The bank's name for the payment.")],
    actor: ActorOption = "operator",
    reason: ReasonOption = "sent by the bank",
    as_json: JsonOption = False,
) -> None:
    """Tell that a refund has been sent."""
    with desk(tenant, actor=actor, reason=reason, as_json=as_json) as at:
        request_id: UUID = from_wire("rfd", request)
        done = mark_refunded(at.uow, request_id, reference=reference, **at.deed)
    _tell_refund(done, "Refunded", as_json=as_json)


def refunds(
    *,
    tenant: TenantOption,
    customer: Annotated[str | None, typer.Option(help="External id of one customer.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List what is to be sent back, and what was."""
    with desk(tenant, as_json=as_json) as at:
        found = refund_requests(at.uow, customer_id=None if customer is None else at.customer_id(customer))
    if as_json:
        print_json({"refunds": [refund_request_json(one) for one in found]})
        return
    if not found:
        out.print("No refund was asked for.")
        return
    table = Table("id", "status", box=None)
    table.add_column("amount", justify="right")
    table.add_column("reason")
    for one in found:
        amount = shown(one.amount_minor, one.currency)
        table.add_row(to_wire("rfd", one.id), one.status, amount, escape(one.reason))
    out.print(table)


def statement(
    customer: CustomerArgument,
    *,
    tenant: TenantOption,
    since: Annotated[str | None, typer.Option("--from", help="Instant; from the beginning by default.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Instant, not included; all until now by default.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Print what happened between a customer and the company, with the balance."""
    with desk(tenant, as_json=as_json) as at:
        first = EARLIEST if since is None else parse_instant(since, name="--from")
        last = at.now + timedelta(microseconds=1) if until is None else parse_instant(until, name="--to")
        statements = customer_statements(at.uow, at.customer_id(customer), since=first, until=last)
    if as_json:
        print_json({"customer": customer, "statements": [statement_json(one) for one in statements]})
        return
    if not statements:
        out.print("Nothing has happened yet.")
    for one in statements:
        _print_statement(one)


def _print_statement(one: Statement) -> None:
    table = Table("date", "what", "number", title=one.currency, box=None)
    table.add_column("amount", justify="right")
    table.add_column("balance", justify="right")
    table.add_row("", "opening balance", "", "", format_minor(one.opening_minor, one.currency))
    for entry in one.entries:
        table.add_row(
            _day(entry.at),
            entry.what.replace("_", " "),
            escape(entry.name),
            format_minor(entry.amount_minor, one.currency),
            format_minor(entry.balance_minor, one.currency),
        )
    out.print(table)
    owed = "the customer owes" if one.closing_minor >= 0 else "is owed to the customer:"
    out.print(f"{owed} {shown(abs(one.closing_minor), one.currency)}")


def _day(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d}"


def _tell_refund(request: RefundRequest, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json(refund_request_json(request))
    else:
        out.print(f"[green]{what}[/]  {shown(request.amount_minor, request.currency)}  {to_wire('rfd', request.id)}")
