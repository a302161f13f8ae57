"""Quotes on the command line: what a change would cost, the text by which it is accepted, and what it then issued."""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Final

from rich.markup import escape
from rich.table import Table

from tenor.cli.output import out, print_json
from tenor.invoicing import Draft, IssuedDocument, Quote, TaxedLine
from tenor.kernel.money import format_minor
from tenor.wire import quote_json

NOTHING_NOW: Final = "Nothing is to be issued now; `tenor invoice drafts` shows what waits."


def print_quote(quote: Quote, *, version: int, zone: tzinfo, as_json: bool) -> None:
    """Print what a change would issue, days in `zone`, and how to accept it."""
    told = quote_json(quote, version=version)
    text = escape(told["quote"])
    if as_json:
        print_json(told)
        return
    print_drafts(quote.drafts, zone=zone, empty=NOTHING_NOW)
    out.print(f"Accept it within a day by the same command with [bold]--quote {text}[/]", soft_wrap=True)


def print_drafts(drafts: Sequence[Draft], *, zone: tzinfo, empty: str) -> None:
    """Print documents that have not been issued, days in `zone`."""
    if not drafts:
        out.print(empty)
    for draft in drafts:
        due = "" if draft.due_on is None else f", to be paid by {draft.due_on}"
        out.print(f"[bold]{draft.kind.value.replace('_', ' ').capitalize()}[/], not issued{due}")
        table = Table("for", "period", box=None)
        table.add_column("amount", justify="right")
        table.add_column("tax", justify="right")
        for entry in draft.lines:
            table.add_row(*_cells(entry, draft.currency, zone))
        total = f"[bold]{format_minor(draft.total_minor, draft.currency)} {draft.currency}[/]"
        table.add_row("total", "", total, format_minor(draft.tax_minor, draft.currency))
        for label, amount in _left_to_pay(draft):
            table.add_row(label, "", f"{format_minor(amount, draft.currency)} {draft.currency}", "")
        out.print(table)


def print_issued(documents: Sequence[IssuedDocument]) -> None:
    """Print number and total of what a change has issued."""
    if not documents:
        out.print(NOTHING_NOW)
    for document in documents:
        total = format_minor(document.total_minor, document.currency)
        out.print(f"[green]Issued[/]  {document.name}  {total} {document.currency}")


def _left_to_pay(draft: Draft) -> list[tuple[str, int]]:
    """Return what wallets would pay and what they leave; nothing where they pay nothing."""
    if not draft.wallet_payments:
        return []
    return [("paid by wallets", -draft.prepaid_minor), ("to be paid", draft.due_minor)]


def _cells(entry: TaxedLine, currency: str, zone: tzinfo) -> tuple[str, ...]:
    period = entry.line.key.period
    return (
        escape(entry.line.description),
        " – ".join(f"{instant.astimezone(zone):%Y-%m-%d}" for instant in period),
        format_minor(entry.line.amount_minor, currency),
        format_minor(entry.tax_minor, currency),
    )
