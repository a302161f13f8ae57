"""Quotes as JSON, and the text by which one is accepted."""

from datetime import datetime
from typing import Final, NamedTuple

from typing_extensions import TypedDict

from tenor.invoicing import Quote
from tenor.kernel.errors import Malformed
from tenor.kernel.period import format_instant, parse_instant
from tenor.wire.documents import DraftJson, draft_json
from tenor.wire.forms import Instant, instant

_DIGEST_LENGTH: Final = 64


class QuoteJson(TypedDict):
    """What a change would issue at a frozen instant; `quote` is the text by which it is accepted within a day."""

    as_of: Instant
    quote: str
    documents: list[DraftJson]


class QuoteText(NamedTuple):
    """What the text of a quote says: the frozen instant, the version of the subscription, the digest."""

    as_of: datetime
    version: int
    digest: bytes


def quote_json(quote: Quote, *, version: int) -> QuoteJson:
    """Return a quote for the version of a subscription."""
    return QuoteJson(
        as_of=instant(quote.as_of),
        quote=quote_text(quote, version=version),
        documents=[draft_json(draft) for draft in quote.drafts],
    )


def quote_text(quote: Quote, *, version: int) -> str:
    """Return the text by which a quote is accepted: its instant, the subscription's version, its digest."""
    return f"{format_instant(quote.as_of)}/{version}/{quote.digest.hex()}"


def quote_from_text(text: str) -> QuoteText:
    """Read the text of a quote as `quote_text` wrote it.

    Raises:
        Malformed: it is none.
    """
    instant_text, _, rest = text.partition("/")
    version, _, digest = rest.partition("/")
    if not (version.isascii() and version.isdigit() and len(version) <= 18 and len(digest) == _DIGEST_LENGTH):
        raise Malformed(f"{text[:60]!r} is no quote; take the one that the preview has told, in one piece")
    try:
        return QuoteText(parse_instant(instant_text, name="quote"), int(version), bytes.fromhex(digest))
    except ValueError:
        raise Malformed(f"{text[:60]!r} is no quote; take the one that the preview has told, in one piece") from None
