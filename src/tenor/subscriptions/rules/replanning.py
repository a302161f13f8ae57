"""Replanning: what is planned for later goes on from the items and the billing dates that a change leaves.

An item never changes its plan version or its anchor. So an entry that is planned ahead and opens one (a change of
plan on the dates that run, the end of a pause that shifts them) is written anew when an earlier change puts another
item, or another anchor, in the place of the one that it was planned on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Generic, TypeVar

from tenor.kernel.ids import ItemId
from tenor.subscriptions.model import (
    AddOnAdded,
    AddOnRemoved,
    AnchorMoved,
    Change,
    Facts,
    PlanChanged,
    PricesChanged,
    QuantityChanged,
    Recording,
    Reopened,
    Resumed,
    Timeline,
    TrialChanged,
    Undone,
)
from tenor.subscriptions.rules.admission import item_ids
from tenor.subscriptions.rules.amendment import Opened
from tenor.subscriptions.rules.standing import standing
from tenor.subscriptions.rules.timeline import fold, item_at

_OF_ITEMS = (
    AddOnAdded | AddOnRemoved | AnchorMoved | PlanChanged | PricesChanged | QuantityChanged | Resumed | TrialChanged
)
"""Entries whose order counts at one instant: one that follows an entry written anew is written anew after it."""

T = TypeVar("T")


@dataclass(slots=True)
class _Succession(Generic[T]):
    """What has come in the place of what."""

    followers: dict[T, T] = field(default_factory=dict)

    def add(self, former: T, new: T) -> None:
        """Let `new` come in the place of `former`, and of all that `former` has come in the place of."""
        reached = {one: new for one, follower in self.followers.items() if follower == former} | {former: new}
        self.followers = {one: end for one, end in (self.followers | reached).items() if one != end}


@dataclass(frozen=True, slots=True)
class _Places:
    """Which items, and which anchors, have come in the place of which; new items take the next of `ids`."""

    ids: Iterator[ItemId]
    items: _Succession[ItemId] = field(default_factory=_Succession)
    anchors: _Succession[datetime] = field(default_factory=_Succession)

    def note(self, change: Change, journal: Sequence[Change], *, is_undone: bool) -> bool:
        """Note what a change replaces, or gives back where it is undone; return whether there is anything."""
        order = (change.effective_at, change.version)
        before = fold([one for one in standing(journal) if (one.effective_at, one.version) < order])
        anchors = {item.id: item.anchor_at for item in before.items}
        replaced = _replaced(change, before)
        for former, new, anchor_at in replaced:
            self.items.add(*((new, former) if is_undone else (former, new)))
            if anchor_at is not None and former in anchors:
                own = anchors[former]
                self.anchors.add(*((anchor_at, own) if is_undone else (own, anchor_at)))
        return bool(replaced)

    def carried(self, facts: Facts) -> Facts:
        """Return `facts` as they go on from what has come in the place of what they were planned on."""
        match facts:
            case Resumed() | AnchorMoved() | TrialChanged():
                return replace(facts, reopened=tuple(self._reopened(one) for one in facts.reopened))
            case PlanChanged() | AddOnAdded() if facts.anchor_at in self.anchors.followers:
                return replace(
                    facts, item_id=self._fresh(facts.item_id), anchor_at=self.anchors.followers[facts.anchor_at]
                )
            case _:
                return facts

    def _reopened(self, one: Reopened) -> Reopened:
        if one.replaces not in self.items.followers:
            return one
        return one._replace(replaces=self.items.followers[one.replaces], item_id=self._fresh(one.item_id))

    def _fresh(self, item_id: ItemId) -> ItemId:
        fresh = next(self.ids)
        self.items.add(item_id, fresh)
        return fresh


def replanned(
    opened: Opened, entries: Sequence[tuple[Facts, datetime]], recording: Recording
) -> list[tuple[Facts, datetime]]:
    """Return `entries`, and after them those that write anew what was planned on the items that they replace."""
    journal = list(opened.journal)
    places = _Places(
        item_ids(opened.subscription.id, version=len(journal) + len(entries) + 1, now=recording.now),
    )
    since: list[datetime] = []
    for facts, at in entries:
        said = Change(len(journal) + 1, at, *recording, facts)
        before = [*journal]
        journal.append(said)
        if isinstance(facts, Undone):
            said = journal[facts.version - 1]
        if places.note(said, before, is_undone=said is not journal[-1]):
            since.append(at)
    if not since:
        return list(entries)
    planned = [change for change in standing(journal) if change.effective_at > min(since)]
    return [*entries, *_anew([change for change in planned if change in opened.journal], places)]


def _anew(planned: Sequence[Change], places: _Places) -> Iterator[tuple[Facts, datetime]]:
    written_anew_at: datetime | None = None
    for change in planned:
        carried = places.carried(change.facts)
        follows = change.effective_at == written_anew_at and isinstance(change.facts, _OF_ITEMS)
        if carried != change.facts or follows:
            written_anew_at = change.effective_at
            yield Undone(change.version), change.effective_at
            yield carried, change.effective_at


def _replaced(change: Change, before: Timeline) -> list[tuple[ItemId, ItemId, datetime | None]]:
    """Return each item that a change replaces, what by, and the anchor that comes in place of its own, if one does."""
    match change.facts:
        case Resumed() | AnchorMoved() | TrialChanged():
            return [(one.replaces, one.item_id, one.anchor_at) for one in change.facts.reopened]
        case PlanChanged():
            running = item_at(before, change.effective_at)
            former = change.facts.replaces or (running.id if running else None)
            return [] if former is None else [(former, change.facts.item_id, None)]
        case _:
            return []
