"""`tenor invoice`: documents as they were issued, and why they say what they say."""

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from tenor.cli.output import JsonOption, TenantOption, out, print_json, refusals
from tenor.cli.session import session
from tenor.invoicing import IssuedDocument, explain_line, find_document, list_documents
from tenor.kernel.calendar import parse_zone
from tenor.kernel.ids import to_wire
from tenor.kernel.money import format_minor
from tenor.kernel.quantity import plain

app = typer.Typer(help="Show and explain documents.", no_args_is_help=True)

ReferenceArgument = Annotated[str, typer.Argument(help="Number (INV-12) or id (inv_01h…).")]


@app.command("list")
def list_command(
    *,
    tenant: TenantOption,
    customer: Annotated[str | None, typer.Option(help="External id of one customer.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    as_json: JsonOption = False,
) -> None:
    """List the newest documents."""
    with refusals(as_json=as_json), session() as opened:
        with opened.database.transaction(opened.tenant(tenant).tenant_id) as uow:
            documents = list_documents(uow, customer=customer, limit=limit)
        if as_json:
            rows = [
                {
                    "id": to_wire("inv", row.id),
                    "number": row.name,
                    "kind": row.kind,
                    "customer": row.customer_external_id,
                    "issued_at": row.issued_at,
                    "total": format_minor(row.total_minor, row.currency),
                    "due": format_minor(row.due_minor, row.currency),
                    "currency": row.currency,
                }
                for row in documents
            ]
            print_json({"documents": rows})
            return
        if not documents:
            out.print("No document has been issued. [bold]tenor bill[/] issues what is due.")
            return
        table = Table("number", "customer", "issued", box=None)
        table.add_column("total", justify="right")
        table.add_column("due", justify="right")
        for row in documents:
            amounts = (row.total_minor, row.due_minor)
            table.add_row(
                row.name,
                escape(row.customer_external_id),
                row.issued_at.strftime("%Y-%m-%d"),
                *(f"{format_minor(amount, row.currency)} {row.currency}" for amount in amounts),
            )
        out.print(table)


@app.command("show")
def show(reference: ReferenceArgument, *, tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Print a document."""
    _print(reference, tenant, as_json=as_json, is_explained=False)


@app.command("explain")
def explain(reference: ReferenceArgument, *, tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Print a document with the arithmetic of each line."""
    _print(reference, tenant, as_json=as_json, is_explained=True)


def _print(reference: str, tenant: str, *, as_json: bool, is_explained: bool) -> None:
    with refusals(as_json=as_json), session() as opened:
        with opened.database.transaction(opened.tenant(tenant).tenant_id) as uow:
            document = find_document(uow, reference)
        if as_json:
            print_json(document_json(document, is_explained=is_explained))
        else:
            print_document(document, is_explained=is_explained)


def print_document(document: IssuedDocument, *, is_explained: bool) -> None:
    """Print a document for reading; with `is_explained`, each line is followed by its arithmetic."""
    zone = parse_zone(document.timezone)
    currency = document.currency
    title = document.kind.replace("_", " ").capitalize()
    out.print(f"[bold]{title} {document.name}[/]  {to_wire('inv', document.id)}")
    out.print(
        f"{document.customer_name} ({document.customer_external_id}), "
        f"subscription {document.subscription_external_id}, "
        f"plan {document.plan} version {document.plan_version}",
        markup=False,
    )
    out.print(f"issued {document.issued_at.astimezone(zone):%Y-%m-%d %H:%M %Z}\n")
    for line in document.lines:
        period = " – ".join(f"{instant.astimezone(zone):%Y-%m-%d}" for instant in line.period)
        out.print(
            f"{line.number:>3}  {line.description:<44} {period}  {format_minor(line.amount_minor, currency):>14}",
            markup=False,
        )
        if is_explained:
            for sentence in explain_line(line, currency=currency, zone=zone):
                out.print(f"       {sentence}", style="dim", markup=False)
    out.print()
    tax_label = f"tax {plain(document.tax_percent)} %"
    for label, amount, is_shown in (
        ("net", document.net_minor, True),
        (tax_label, document.tax_minor, bool(document.tax_percent)),
        ("total", document.total_minor, True),
        ("credit drawn", -document.credit_applied_minor, bool(document.credit_applied_minor)),
        ("to be paid", document.due_minor, True),
    ):
        if is_shown:
            out.print(f"     {label:<69} {format_minor(amount, currency):>14} {currency}", markup=False)


def document_json(document: IssuedDocument, *, is_explained: bool) -> dict[str, Any]:
    """Return a document for programs: amounts as decimals of its currency."""
    zone = parse_zone(document.timezone)
    currency = document.currency

    def money(minor: int) -> str:
        return format_minor(minor, currency)

    return {
        "id": to_wire("inv", document.id),
        "number": document.name,
        "kind": document.kind,
        "customer": document.customer_external_id,
        "subscription": document.subscription_external_id,
        "plan": document.plan,
        "plan_version": document.plan_version,
        "currency": currency,
        "issued_at": document.issued_at,
        "net": money(document.net_minor),
        "tax": money(document.tax_minor),
        "total": money(document.total_minor),
        "credit_applied": money(document.credit_applied_minor),
        "due": money(document.due_minor),
        "lines": [
            {
                "description": line.description,
                "charge": line.charge_code,
                "period": {"start": line.period.start, "end": line.period.end},
                "amount": money(line.amount_minor),
                "tax": money(line.tax_minor),
                **({"explanation": explain_line(line, currency=currency, zone=zone)} if is_explained else {}),
            }
            for line in document.lines
        ],
    }
