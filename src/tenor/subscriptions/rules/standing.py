"""Standing: what of a journal still holds, which of it lies ahead, and where it pauses."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from tenor.subscriptions.model import Change, Paused, Resumed, Subscribed, TermChanged, Undone


class Pause(NamedTuple):
    """A stay of service from `paused` until `resumed`, None: open. `extension` is what it does to the term."""

    paused: Change
    resumed: Change | None
    extension: Change | None

    @property
    def starts_at(self) -> datetime:
        """When service stops."""
        return self.paused.effective_at

    @property
    def ends_at(self) -> datetime | None:
        """When service goes on; None while that is not known."""
        return None if self.resumed is None else self.resumed.effective_at

    def holds(self, at: datetime) -> bool:
        """Whether service is paused at `at`: the start belongs to the pause, the end does not."""
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)


def standing(journal: Sequence[Change]) -> list[Change]:
    """Return the entries that have not been taken back, in the order in which they apply."""
    undone = {change.facts.version for change in journal if isinstance(change.facts, Undone)}
    kept = (change for change in journal if change.version not in undone and not isinstance(change.facts, Undone))
    return sorted(kept, key=lambda change: (change.effective_at, change.version))


def scheduled(journal: Sequence[Change], *, now: datetime) -> list[Change]:
    """Return the entries that take effect after `now`, in the order in which they will; the start is none of them."""
    return [
        change for change in standing(journal) if change.effective_at > now and not isinstance(change.facts, Subscribed)
    ]


def pauses(journal: Sequence[Change]) -> list[Pause]:
    """Return the pauses that the journal holds, in order of time; pausing what is paused says nothing."""
    found: list[Pause] = []
    for change in standing(journal):
        is_paused = bool(found) and found[-1].resumed is None
        if isinstance(change.facts, Paused) and not is_paused:
            found.append(Pause(change, None, _extension(journal, change)))
        elif isinstance(change.facts, Resumed) and is_paused:
            found[-1] = found[-1]._replace(resumed=change)
    return found


def pause_at(journal: Sequence[Change], at: datetime) -> Pause | None:
    """Return the pause that holds `at`, if any."""
    return next((pause for pause in pauses(journal) if pause.holds(at)), None)


def agreed_end(journal: Sequence[Change]) -> datetime | None:
    """Return when the agreed term ends, whatever cancellation may come before it; None without one."""
    ends = [change.facts.ends_at for change in standing(journal) if isinstance(change.facts, Subscribed | TermChanged)]
    return ends[-1] if ends else None


def taken_back_with(journal: Sequence[Change], entry: Change) -> list[Change]:
    """Return `entry` and the standing entries that mean nothing without it.

    The end of a pause goes with the pause, and what a pause does to the term goes with its end.
    """
    for pause in pauses(journal):
        if entry in (pause.paused, pause.resumed):
            parts = (pause.paused, pause.resumed, pause.extension)
            return [part for part in parts if part is not None and (part is not pause.paused or part is entry)]
    return [entry]


def _extension(journal: Sequence[Change], paused: Change) -> Change | None:
    return next(
        (
            change
            for change in standing(journal)
            if isinstance(change.facts, TermChanged) and change.facts.pause_version == paused.version
        ),
        None,
    )
