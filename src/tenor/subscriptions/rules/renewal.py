"""Renewal: where the agreed term ends when it is prolonged or shortened."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from tenor.kernel.calendar import Grid, Interval, boundary, parse_zone
from tenor.kernel.period import format_instant, parse_instant
from tenor.subscriptions.errors import TermRefused
from tenor.subscriptions.model import Cancelled, Change, Subscription, TermChanged
from tenor.subscriptions.rules.standing import agreed_end, scheduled, standing


class Term(NamedTuple):
    """The agreed term as it stands: its end, None for none, and the zone in which intervals are counted."""

    ends_at: datetime | None
    timezone: str


def agreed_term(subscription: Subscription, journal: Sequence[Change]) -> Term:
    """Return the term of a subscription, which may have ended.

    Raises:
        TermRefused: a cancellation ends it, or has.
    """
    cancelled = next((change for change in standing(journal) if isinstance(change.facts, Cancelled)), None)
    if cancelled is not None:
        raise TermRefused(
            f"it is cancelled for {format_instant(cancelled.effective_at)} (entry {cancelled.version}), whatever the"
            " term says; undo that entry first, while it is ahead",
            entry=cancelled.version,
        )
    return Term(agreed_end(journal), subscription.timezone)


def open_term(subscription: Subscription, journal: Sequence[Change], *, now: datetime) -> Term:
    """Return the term of a subscription, of which nothing has ended and nothing is planned yet.

    Raises:
        TermRefused: it has ended, a cancellation ends it, or a change of it lies ahead and would come after this one.
    """
    term = agreed_term(subscription, journal)
    if term.ends_at is not None and term.ends_at <= now:
        raise TermRefused(f"the term has ended at {format_instant(term.ends_at)}; renew it")
    for change in scheduled(journal, now=now):
        if isinstance(change.facts, TermChanged):
            raise TermRefused(
                f"entry {change.version} changes the term at {format_instant(change.effective_at)}; undo it first",
                entry=change.version,
            )
    return term


def prolonged(term: Term, by: Interval | datetime | None) -> datetime | None:
    """Return the end of a term that is prolonged by an interval, or until an instant; None: for ever.

    An interval counts on the local calendar from the end that the term has: a year from 29 February ends on the 28th.

    Raises:
        TermRefused: there is no end that could be later, or the instant is not.
    """
    if term.ends_at is None:
        raise TermRefused("the subscription has no term that ends, so there is nothing to prolong")
    if by is None:
        return None
    if isinstance(by, Interval):
        return boundary(Grid(by, anchor=term.ends_at, zone=parse_zone(term.timezone)), 1)
    ends_at = parse_instant(by, name="ends_at")
    if ends_at <= term.ends_at:
        raise TermRefused(f"{format_instant(ends_at)} is not after the term's end, {format_instant(term.ends_at)}")
    return ends_at


def shortened(term: Term, ends_at: datetime, *, since: datetime) -> datetime:
    """Return the end of a term that ends earlier than agreed, but after `since`.

    Raises:
        TermRefused: it does not.
    """
    ends_at = parse_instant(ends_at, name="ends_at")
    if ends_at <= since:
        raise TermRefused(f"{format_instant(ends_at)} is not ahead; cancel for an instant in the past")
    if term.ends_at is not None and ends_at >= term.ends_at:
        raise TermRefused(f"{format_instant(ends_at)} is not before the term's end, {format_instant(term.ends_at)}")
    return ends_at
