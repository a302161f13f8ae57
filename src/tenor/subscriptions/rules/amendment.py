"""Amendment: what entries that are added to a journal make of a subscription, decided before anything is written."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from tenor.kernel.ids import ItemId
from tenor.subscriptions.model import Change, Facts, Item, Recording, Subscription, TermChanged, Timeline
from tenor.subscriptions.rules.moves import Move, follow, follow_change, runs_on
from tenor.subscriptions.rules.renewal import Term, prolonged
from tenor.subscriptions.rules.timeline import fold_with_life

CALENDAR: Final = "calendar"
"""The actor of what nobody asked for: a term that renews itself."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A locked subscription as the calendar has brought it to now, with its journal and what that folds to.

    `moves` are those that the calendar owed it and that are still to be written. `item_ids` are the items that
    it ever had.
    """

    subscription: Subscription
    moves: tuple[Move, ...]
    journal: tuple[Change, ...]
    timeline: Timeline
    item_ids: frozenset[ItemId]


@dataclass(frozen=True, slots=True)
class Amendment:
    """Entries on top of what was opened, and the subscription, its moves and its timeline after them."""

    opened: Opened
    entries: tuple[Change, ...]
    subscription: Subscription
    moves: tuple[Move, ...]
    timeline: Timeline

    def reopened(self) -> Opened:
        """Return the subscription as this leaves it, to be changed further."""
        return Opened(
            subscription=self.subscription,
            moves=self.moves,
            journal=self.opened.journal + self.entries,
            timeline=self.timeline,
            item_ids=self.opened.item_ids | {item.id for item in self.timeline.items},
        )

    @property
    def new_items(self) -> list[Item]:
        """The items that the subscription never had before."""
        return [item for item in self.timeline.items if item.id not in self.opened.item_ids]

    @property
    def news(self) -> dict[ItemId, datetime]:
        """The former items of which more or less may be owed now, each with the instant from which."""
        since = min(entry.effective_at for entry in self.entries)
        before = {item.id: item for item in self.opened.timeline.items}
        after = {item.id: item for item in self.timeline.items}
        is_discounted_otherwise = self.opened.timeline.discounts != self.timeline.discounts
        return {
            item_id: since
            for item_id in before | after
            if item_id in self.opened.item_ids
            and (
                before.get(item_id) != after.get(item_id)
                or (is_discounted_otherwise and _runs_until(after.get(item_id), since))
            )
        }


def caught_up(opened: Opened, *, now: datetime) -> Opened:
    """Return what the calendar makes of a subscription by `now`, with the moves that it owes."""
    subscription, moves = follow(
        opened.subscription, opened.timeline, since=opened.subscription.next_move_at, through=now
    )
    return replace(opened, subscription=subscription, moves=moves)


def renewed(opened: Opened, *, now: datetime) -> Amendment | None:
    """Return the prolongations that are due by `now` of a term that renews itself; None where none is.

    Each takes effect at the end of the term before it. The moves that follow from them are the calendar's.
    """
    subscription = opened.subscription
    entries = []
    ends_at = subscription.ends_at if runs_on(subscription, opened.timeline) else None
    while ends_at is not None and ends_at <= now:
        later = prolonged(Term(ends_at, subscription.timezone), subscription.renewal)
        entries.append((TermChanged(later), ends_at))
        ends_at = later
    return _with_entries(opened, entries, Recording(now, CALENDAR, "the term renews itself")) if entries else None


def amend(opened: Opened, entries: Sequence[tuple[Facts, datetime]], recording: Recording) -> Amendment:
    """Return what becomes of a subscription by `entries`, each with its effective instant, in this order."""
    amendment = _with_entries(opened, entries, recording)
    caused_at = min(change.effective_at for change in amendment.entries)
    subscription, moves = follow_change(
        amendment.subscription, amendment.timeline, caused_at=caused_at, now=recording.now
    )
    return replace(amendment, subscription=subscription, moves=opened.moves + moves)


def _with_entries(opened: Opened, entries: Sequence[tuple[Facts, datetime]], recording: Recording) -> Amendment:
    version = opened.subscription.version
    changes = tuple(
        Change(version + place, at, recording.now, recording.actor, recording.reason, facts)
        for place, (facts, at) in enumerate(entries, start=1)
    )
    timeline, life = fold_with_life((*opened.journal, *changes))
    subscription = replace(opened.subscription, version=version + len(changes), **life._asdict())
    return Amendment(opened, changes, subscription, (), timeline)


def _runs_until(item: Item | None, at: datetime) -> bool:
    return item is not None and (item.ends_at is None or item.ends_at >= at)
