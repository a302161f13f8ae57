"""`tenor customer`: the parties that are billed."""

from decimal import Decimal
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from tenor.cli.commands.customer_billing import billing
from tenor.cli.output import JsonOption, TenantOption, out, print_json, refusals
from tenor.cli.session import session, tenant_now
from tenor.customers import CustomerDetails, newest_customers, register_customers
from tenor.kernel.ids import to_wire
from tenor.kernel.quantity import parse_decimal, plain

app = typer.Typer(help="Register customers, and how they are billed.", no_args_is_help=True)
app.command("billing")(billing)


@app.callback()
def customer() -> None:
    """Register customers, and how they are billed."""


@app.command("add")
def add(
    external_id: Annotated[str, typer.Argument(help="The name by which your own systems know the customer.")],
    *,
    tenant: TenantOption,
    name: Annotated[str | None, typer.Option(help="Name on documents; the external id where none is given.")] = None,
    country: Annotated[str | None, typer.Option(help="ISO 3166-1 code, e.g. DE.")] = None,
    timezone: Annotated[str | None, typer.Option(help="IANA time zone; the tenant's where none is given.")] = None,
    tax_percent: Annotated[str, typer.Option(help="Tax in percent, e.g. 19.")] = "0",
    as_json: JsonOption = False,
) -> None:
    """Register a customer. Repeating it changes nothing but the name."""
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        tax: Decimal = parse_decimal(tax_percent, name="--tax-percent")
        details = CustomerDetails(
            external_id=external_id,
            name=name or external_id,
            country=country,
            timezone=of.timezone if timezone is None else timezone,
            tax_percent=tax,
        )
        with opened.database.transaction(of.tenant_id) as uow:
            ids = register_customers(uow, [details], now=tenant_now(of))
        wire = to_wire("cus", ids[external_id])
        if as_json:
            print_json({"id": wire, "external_id": external_id})
        else:
            out.print(f"[green]Registered[/]  {escape(external_id)}  {wire}")


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
            print_json(
                {
                    "customers": [
                        {
                            "id": to_wire("cus", one.id),
                            "external_id": one.external_id,
                            "name": one.name,
                            "country": one.country,
                            "timezone": one.timezone,
                            "tax_percent": one.tax_percent,
                        }
                        for one in found
                    ]
                }
            )
            return
        if not found:
            out.print("There is no customer yet. Register one with [bold]tenor customer add EXTERNAL_ID[/].")
            return
        table = Table("customer", "name", "country", "zone", "tax", box=None)
        for one in found:
            tax = f"{plain(one.tax_percent)} %"
            table.add_row(escape(one.external_id), escape(one.name), one.country or "", one.timezone, tax)
        out.print(table)
