"""`tenor invoice`: documents as they were issued, why they say what they say, and what is done to them."""

from datetime import date, datetime
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from tenor.cli.commands.invoice_charge import charge, credit_customer, proforma
from tenor.cli.commands.invoice_correct import credit, void, write_off
from tenor.cli.commands.invoice_drafts import drafts, finalise
from tenor.cli.commands.invoice_frame import ReferenceArgument, desk, shown
from tenor.cli.commands.invoice_pay import pay, refund, refunded, refunds, statement
from tenor.cli.groups import command_group
from tenor.cli.output import JsonOption, TenantOption, out, print_json
from tenor.invoicing import DocumentSummary, IssuedDocument, IssuedLine, explain_line, list_documents
from tenor.kernel.calendar import local_date, parse_zone
from tenor.kernel.ids import to_wire
from tenor.kernel.money import format_minor
from tenor.kernel.quantity import plain
from tenor.wire import document_json, document_row_json

app = command_group("Show, explain and correct documents, and take money for them.")


@app.command("list")
def list_command(
    *,
    tenant: TenantOption,
    customer: Annotated[str | None, typer.Option(help="External id of one customer.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, at most.")] = 20,
    is_open: Annotated[bool, typer.Option("--open", help="Only what is still to be paid.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the newest documents."""
    with desk(tenant, as_json=as_json) as at:
        if customer is not None:
            at.customer_id(customer)  # refuses an unknown one, who must not look like one that owes nothing
        documents = list_documents(at.uow, customer=customer, limit=limit, is_open=is_open)
    today = at.now.date()
    if as_json:
        print_json({"documents": [document_row_json(row, today) for row in documents]})
    elif documents:
        _print_rows(documents, today)
    elif is_open:
        out.print("Nothing is to be paid.")
    else:
        out.print("No document has been issued. [bold]tenor bill[/] issues what is due.")


def _print_rows(documents: list[DocumentSummary], today: date) -> None:
    table = Table("number", "customer", "issued", "due by", "status", box=None)
    table.add_column("total", justify="right")
    table.add_column("open", justify="right")
    for row in documents:
        amounts = (row.total_minor, row.receivable.open_minor)
        table.add_row(
            row.name,
            escape(row.customer_external_id),
            row.issued_at.strftime("%Y-%m-%d"),
            "" if row.due_on is None else row.due_on.isoformat(),
            row.status(today),
            *(shown(amount, row.currency) for amount in amounts),
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


app.command("drafts")(drafts)
app.command("finalise")(finalise)
app.command("void")(void)
app.command("credit")(credit)
app.command("write-off")(write_off)
app.command("charge")(charge)
app.command("credit-customer")(credit_customer)
app.command("proforma")(proforma)
app.command("pay")(pay)
app.command("refund")(refund)
app.command("refunded")(refunded)
app.command("refunds")(refunds)
app.command("statement")(statement)


def _print(reference: str, tenant: str, *, as_json: bool, is_explained: bool) -> None:
    with desk(tenant, as_json=as_json) as at:
        document = at.document(reference)
    if as_json:
        print_json(document_json(document, is_explained=is_explained, now=at.now))
    else:
        print_document(document, is_explained=is_explained, now=at.now)


def print_document(document: IssuedDocument, *, is_explained: bool, now: datetime | None = None) -> None:
    """Print a document for reading; with `is_explained`, each line is followed by its arithmetic.

    With `now` it says how it stands by then, else only what was issued.
    """
    _print_head(document)
    for line in document.lines:
        _print_line(document, line, is_explained=is_explained)
    out.print()
    for label, amount in _sums(document):
        out.print(f"     {label:<69} {format_minor(amount, document.currency):>14} {document.currency}", markup=False)
    if now is not None:
        _print_receivable(document, now)


def _print_head(document: IssuedDocument) -> None:
    zone = parse_zone(document.timezone)
    title = document.kind.replace("_", "-" if document.kind == "one_off" else " ").capitalize()
    out.print(f"[bold]{title} {document.name}[/]  {to_wire('inv', document.id)}")
    parts = [f"{document.customer_name} ({document.customer_external_id})"]
    if document.subscription_external_ids:
        several = "s" if len(document.subscription_external_ids) > 1 else ""
        parts.append(f"subscription{several} {document.subscription_external_id}")
    if len(document.subscription_external_ids) == 1:
        parts += [f"plan {plan} version {version}" for plan, version in document.plans]
    out.print(", ".join(parts), markup=False)
    due = "" if document.due_on is None else f", to be paid by {document.due_on}"
    out.print(f"issued {document.issued_at.astimezone(zone):%Y-%m-%d %H:%M %Z}{due}")
    for label, value in (
        ("PO number", document.po_number),
        ("credits", document.credits),
        ("credited by", ", ".join(document.credited_by)),
    ):
        if value:
            out.print(f"{label} {value}", markup=False)
    out.print()


def _print_line(document: IssuedDocument, line: IssuedLine, *, is_explained: bool) -> None:
    zone, currency = parse_zone(document.timezone), document.currency
    period = " – ".join(f"{instant.astimezone(zone):%Y-%m-%d}" for instant in line.period)
    out.print(
        f"{line.number:>3}  {line.description:<44} {period}  {format_minor(line.amount_minor, currency):>14}",
        markup=False,
    )
    has_several = len(document.subscription_external_ids) > 1
    of = [f"subscription {line.subscription_external_id}"] if has_several and line.subscription_external_id else []
    if line.plan and (of or len(document.plans) > 1):
        of.append(f"plan {line.plan} version {line.plan_version}")
    if of:
        out.print(f"       {', '.join(of)}", markup=False)
    if is_explained:
        for sentence in explain_line(line, currency=currency, zone=zone):
            out.print(f"       {sentence}", style="dim", markup=False)


def _sums(document: IssuedDocument) -> list[tuple[str, int]]:
    """Return the sums with their labels; tax by rate where the lines say it."""
    sums = [("net", document.net_minor)]
    by_rate = _tax_by_rate(document)
    sums += [(f"{name} {percent} %", amount) for (name, percent), amount in by_rate.items()]
    if document.tax_percent or (document.tax_minor and not by_rate):
        sums.append((f"tax {plain(document.tax_percent)} %", document.tax_minor - sum(by_rate.values())))
    sums.append(("total", document.total_minor))
    if document.prepaid_minor:
        label = "given back to wallets" if document.kind == "credit_note" else "paid by wallets"
        sums.append((label, -document.prepaid_minor))
    if document.credit_applied_minor:
        sums.append(("credit drawn", -document.credit_applied_minor))
    return sums if document.kind == "credit_note" else [*sums, ("to be paid", document.due_minor)]


def _tax_by_rate(document: IssuedDocument) -> dict[tuple[str, str], int]:
    """Return the tax by name and percentage, in the order of lines; nothing where the document's percentage says it."""
    found: dict[tuple[str, str], int] = {}
    for line in document.lines:
        for share in line.taxes:
            if share.is_charged:
                rate = (share.name, plain(share.percent))
                found[rate] = found.get(rate, 0) + share.amount_minor
    return found


def _print_receivable(document: IssuedDocument, now: datetime) -> None:
    receivable = document.receivable
    for label, amount in (
        ("paid", receivable.paid_minor),
        ("credited", receivable.credited_minor),
        ("written off", receivable.written_off_minor),
    ):
        if amount:
            out.print(
                f"     {label:<69} {format_minor(-amount, document.currency):>14} {document.currency}", markup=False
            )
    status = document.status(_today(document, now))
    rest = f", {shown(receivable.open_minor, document.currency)} open" if receivable.open_minor else ""
    out.print(f"\nstatus: {status}{rest}{_fate_of_credit(document)}")
    if document.tax_note:
        out.print(document.tax_note, markup=False)


def _fate_of_credit(document: IssuedDocument) -> str:
    """Return where the total of a credit note went that is for no single invoice."""
    if document.kind != "credit_note" or document.credits:
        return ""
    fate = "asked to be refunded" if document.settles == "refund" else "to the customer's credit"
    return f", {shown(document.prepaid_minor - document.total_minor, document.currency)} {fate}"


def _today(document: IssuedDocument, now: datetime) -> date:
    return local_date(now, parse_zone(document.timezone))
