"""`tenor customer`: the parties that are billed."""

from decimal import Decimal
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from tenor.cli.commands.customer_billing import billing
from tenor.cli.groups import command_group
from tenor.cli.output import ActorOption, JsonOption, ReasonOption, TenantOption, out, print_json, refusals
from tenor.cli.session import session, tenant_now
from tenor.customers import (
    CustomerDetails,
    customer_ids,
    customers_by_external_id,
    erase_customer,
    newest_customers,
    register_customers,
)
from tenor.kernel.errors import NotFound
from tenor.kernel.ids import to_wire
from tenor.kernel.quantity import parse_decimal, plain
from tenor.wire import customer_json

app = command_group("Register customers, and how they are billed.")
app.command("billing")(billing)


@app.callback()
def customer() -> None:
    """Register customers, and how they are billed."""


@app.command("add")
def add(
    external_id: Annotated[str, typer.Argument(help="The name by which your own systems know the customer.")],
    *,
    tenant: TenantOption,
    name: Annotated[
        str | None, typer.Option(help="Name on documents; of a new customer the external id where none is given.")
    ] = None,
    country: Annotated[str | None, typer.Option(help="ISO 3166-1 code, e.g. DE.")] = None,
    timezone: Annotated[str | None, typer.Option(help="IANA time zone; the tenant's where none is given.")] = None,
    tax_percent: Annotated[str, typer.Option(help="Tax in percent, e.g. 19.")] = "0",
    email: Annotated[str | None, typer.Option(help="Where documents are sent to.")] = None,
    address: Annotated[str | None, typer.Option(help="Postal address, in lines.")] = None,
    actor: ActorOption = "operator",
    reason: ReasonOption = "registered by the command line",
    as_json: JsonOption = False,
) -> None:
    """Register a customer. Repeating it changes nothing but name, email and address."""
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        tax: Decimal = parse_decimal(tax_percent, name="--tax-percent")
        with opened.database.transaction(of.tenant_id) as uow:
            known = customers_by_external_id(uow, [external_id]).get(external_id)
            details = CustomerDetails(
                external_id=external_id,
                name=name or (external_id if known is None else known.name),
                country=country,
                timezone=of.timezone if timezone is None else timezone,
                tax_percent=tax,
                email=email,
                address=address,
            )
            ids = register_customers(uow, [details], now=tenant_now(of), actor=actor, reason=reason)
        wire = to_wire("cus", ids[external_id])
        if as_json:
            print_json({"id": wire, "external_id": external_id})
        else:
            out.print(f"[green]Registered[/]  {escape(external_id)}  {wire}")


@app.command("erase")
def erase(
    external_id: Annotated[str, typer.Argument(help="External id of the customer.")],
    *,
    tenant: TenantOption,
    reason: Annotated[str, typer.Option(help="Why, for the audit.")],
    actor: Annotated[str, typer.Option(help="Who does it, for the audit.")] = "operator",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; it cannot be undone.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Erase what is known of the person behind a customer, for good. Documents and money stay."""
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        if not yes:
            typer.confirm(f"Erase name, email and address of {external_id} for good?", abort=True, err=True)
        with opened.database.transaction(of.tenant_id) as uow:
            found = customer_ids(uow, [external_id])
            if not found:
                raise NotFound(f"there is no customer {external_id!r}")
            is_new = erase_customer(uow, found[external_id], now=tenant_now(of), actor=actor, reason=reason)
        if as_json:
            print_json({"external_id": external_id, "erased": is_new})
        else:
            out.print(f"[green]Erased[/]  {escape(external_id)}" if is_new else "It was erased before.")


@app.command("list")
def list_command(
    *,
    tenant: TenantOption,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, at most.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List the newest customers."""
    with refusals(as_json=as_json), session() as opened:
        with opened.database.transaction(opened.tenant(tenant).tenant_id) as uow:
            found = newest_customers(uow, limit=limit)
        if as_json:
            print_json({"customers": [customer_json(one) for one in found]})
            return
        if not found:
            out.print("There is no customer yet. Register one with [bold]tenor customer add EXTERNAL_ID[/].")
            return
        table = Table("customer", "name", "country", "zone", "tax", box=None)
        for one in found:
            tax = f"{plain(one.tax_percent)} %"
            name = "[dim]erased[/]" if one.is_erased else escape(one.name)
            table.add_row(
                escape(one.external_id),
                name,
                one.country or "",
                one.timezone,
                tax,
            )
        out.print(table)
