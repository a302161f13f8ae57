"""Quotes on the command line: what a change would cost, the text by which it is accepted, and what it then issued."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any, Final, NamedTuple

from rich.markup import escape
from rich.table import Table

from tenor.cli.output import out, print_json
from tenor.invoicing import Draft, IssuedDocument, Quote, TaxedLine
from tenor.kernel.errors import Malformed
from tenor.kernel.money import format_minor
from tenor.kernel.period import format_instant, parse_instant

NOTHING_NOW: Final = "Nothing is to be issued now; `tenor invoice drafts` shows what waits."
_DIGEST_LENGTH: Final = 64


class QuoteText(NamedTuple):
    """What the text of a quote says: the frozen instant, the version of the subscription, the digest."""

    as_of: datetime
    version: int
    digest: bytes


def quote_from_text(text: str) -> QuoteText:
    """Read the text of a quote as `quote_text` wrote it.

    Raises:
        Malformed: it is none.
    """
    instant, _, rest = text.partition("/")
    version, _, digest = rest.partition("/")
    if not (version.isascii() and version.isdigit() and len(digest) == _DIGEST_LENGTH):
        raise Malformed(f"{text[:60]!r} is no quote; take the one that --preview has told, in one piece")
    try:
        return QuoteText(parse_instant(instant, name="--quote"), int(version), bytes.fromhex(digest))
    except ValueError:
        raise Malformed(f"{text[:60]!r} is no quote; take the one that --preview has told, in one piece") from None


def quote_text(quote: Quote, *, version: int) -> str:
    """Return the text by which a quote is accepted: its instant, the subscription's version, its digest."""
    return f"{format_instant(quote.as_of)}/{version}/{quote.digest.hex()}"


def print_quote(quote: Quote, *, version: int, zone: tzinfo, as_json: bool) -> None:
    """Print what a change would issue, days in `zone`, and how to accept it."""
    text = quote_text(quote, version=version)
    if as_json:
        print_json({"as_of": quote.as_of, "quote": text, "documents": [draft_json(draft) for draft in quote.drafts]})
        return
    print_drafts(quote.drafts, zone=zone, empty=NOTHING_NOW)
    out.print(f"Accept it within a day by the same command with [bold]--quote {escape(text)}[/]", soft_wrap=True)


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
        out.print(table)


def print_issued(documents: Sequence[IssuedDocument]) -> None:
    """Print number and total of what a change has issued."""
    if not documents:
        out.print(NOTHING_NOW)
    for document in documents:
        total = format_minor(document.total_minor, document.currency)
        out.print(f"[green]Issued[/]  {document.name}  {total} {document.currency}")


def issued_json(documents: Sequence[IssuedDocument]) -> list[dict[str, Any]]:
    """Return number and total of what a change has issued, for programs."""
    return [
        {
            "number": document.name,
            "kind": document.kind,
            "total": format_minor(document.total_minor, document.currency),
            "currency": document.currency,
        }
        for document in documents
    ]


def draft_json(draft: Draft) -> dict[str, Any]:
    """Return a document that has not been issued, for programs."""
    return {
        "kind": draft.kind.value,
        "currency": draft.currency,
        "net": format_minor(draft.net_minor, draft.currency),
        "tax": format_minor(draft.tax_minor, draft.currency),
        "total": format_minor(draft.total_minor, draft.currency),
        "due_on": None if draft.due_on is None else draft.due_on.isoformat(),
        "lines": [
            {
                "description": entry.line.description,
                "from": entry.line.key.period.start,
                "to": entry.line.key.period.end,
                "amount": format_minor(entry.line.amount_minor, draft.currency),
                "tax": format_minor(entry.tax_minor, draft.currency),
            }
            for entry in draft.lines
        ],
    }


def _cells(entry: TaxedLine, currency: str, zone: tzinfo) -> tuple[str, ...]:
    period = entry.line.key.period
    return (
        escape(entry.line.description),
        " – ".join(f"{instant.astimezone(zone):%Y-%m-%d}" for instant in period),
        format_minor(entry.line.amount_minor, currency),
        format_minor(entry.tax_minor, currency),
    )
