"""Quotes on the command line: what a change would cost, and the text by which it is accepted."""

from datetime import datetime
from typing import Any, NamedTuple

from rich.markup import escape
from rich.table import Table

from tenor.cli.output import out, print_json
from tenor.invoicing import Draft, Quote, TaxedLine
from tenor.kernel.errors import Malformed
from tenor.kernel.money import format_minor
from tenor.kernel.period import format_instant, parse_instant

_DIGEST_LENGTH = 64


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


def print_quote(quote: Quote, *, version: int, as_json: bool) -> None:
    """Print what a change would issue, and how to accept it."""
    text = quote_text(quote, version=version)
    if as_json:
        print_json({"as_of": quote.as_of, "quote": text, "documents": [draft_json(draft) for draft in quote.drafts]})
        return
    print_drafts(quote.drafts, empty="It costs nothing now.")
    out.print(f"Accept it within a day by the same command with [bold]--quote {escape(text)}[/]", soft_wrap=True)


def print_drafts(drafts: tuple[Draft, ...], *, empty: str) -> None:
    """Print documents that have not been issued."""
    if not drafts:
        out.print(empty)
    for draft in drafts:
        table = Table("for", "from", "to", title=f"{draft.kind.value.replace('_', ' ')}, not issued")
        table.add_column("amount", justify="right")
        table.add_column("tax", justify="right")
        for entry in draft.lines:
            table.add_row(*_cells(entry, draft.currency))
        table.add_section()
        total = format_minor(draft.total_minor, draft.currency)
        table.add_row(
            "total", "", "", f"[bold]{total} {draft.currency}[/]", format_minor(draft.tax_minor, draft.currency)
        )
        out.print(table)


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


def _cells(entry: TaxedLine, currency: str) -> tuple[str, ...]:
    period = entry.line.key.period
    return (
        escape(entry.line.description),
        format_instant(period.start),
        format_instant(period.end),
        format_minor(entry.line.amount_minor, currency),
        format_minor(entry.tax_minor, currency),
    )
