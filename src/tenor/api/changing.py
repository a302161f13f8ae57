"""Changes that have a price: quoted, accepted by their quote, invoiced at once, or only made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response

from tenor.api.call import Effect, Work
from tenor.api.taxes import ask_for_taxes
from tenor.invoicing import (
    Draft,
    IssuedDocument,
    accept_quote,
    find_document,
    quote_change,
    settle_now,
)
from tenor.kernel.ids import CustomerId, to_wire
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions import Subscription
from tenor.wire import QuoteJson, QuoteText, quote_from_text, quote_json


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that somebody may want.

    `make` makes it as of an instant, on the version of a quote where there is one, and returns what it touched, the
    changed subscription first. `buyer` says who will be asked to pay, and the version of the subscription as it stands.
    """

    make: Callable[[Work, datetime, int | None], list[Subscription]]
    buyer: Callable[[UnitOfWork], tuple[CustomerId, int]]


Shown = Callable[[Work, Subscription, Sequence[IssuedDocument] | None], object]
"""Renders a changed subscription, with the documents that were issued where any were to be."""


def quoted(call: Effect, proposal: Proposal) -> Response:
    """Answer what a change would issue now, and the text by which it is accepted. Nothing of it stays."""
    ask_for_taxes(call, lambda uow: proposal.buyer(uow)[0])

    def quote(work: Work) -> QuoteJson:
        _, version = proposal.buyer(work.uow)
        offer = quote_change(work.uow, lambda _, at: proposal.make(work, at, None), as_of=work.now)
        return quote_json(offer, version=version)

    return call.once(quote)


def carried_out(
    call: Effect, proposal: Proposal, *, quote: str | None, invoice: bool, shown: Shown, status: int = 200
) -> Response:
    """Make a change: by its quote, at exactly what that said; invoiced at once; or left to the next bill run."""
    accepted = None if quote is None else quote_from_text(quote)
    if accepted or invoice:
        ask_for_taxes(call, lambda uow: proposal.buyer(uow)[0], at=accepted.as_of if accepted else None)

    def make(work: Work) -> object:
        touched: list[Subscription] = []

        def change(_: UnitOfWork, at: datetime) -> list[Subscription]:
            touched[:] = proposal.make(work, at, accepted.version if accepted else None)
            return touched

        drafts = _settled(work, change, accepted, invoice=invoice)
        if drafts is None:
            return shown(work, touched[0], None)
        return shown(work, touched[0], [find_document(work.uow, to_wire("inv", draft.id)) for draft in drafts])

    return call.once(make, status=status)


def _settled(
    work: Work,
    change: Callable[[UnitOfWork, datetime], list[Subscription]],
    accepted: QuoteText | None,
    *,
    invoice: bool,
) -> list[Draft] | None:
    """Make a change; return what it has issued, None where nothing was to be."""
    if accepted:
        return accept_quote(work.uow, change, as_of=accepted.as_of, digest=accepted.digest, now=work.now)
    touched = change(work.uow, work.now)
    return settle_now(work.uow, touched, as_of=work.now, recorded_at=work.now) if invoice else None
