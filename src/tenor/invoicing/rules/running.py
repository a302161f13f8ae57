"""Dues that are looked at before their period is over: which usage counts, and how far it was counted last."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from tenor.invoicing.model import Slot
from tenor.invoicing.rules.dues import INSTANT, Due, Look, is_early
from tenor.kernel.period import Period


def as_settled(looked_at: Iterable[Due], look: Look, metered: Mapping[Slot, datetime | None]) -> list[Due]:
    """Return the dues as their last settlements saw them: early usage is counted as far as it was then.

    `metered` says of each claimed period how far; None: it was over. What has not been claimed has not been settled.
    """
    found = []
    for due in looked_at:
        slot = (due.charge.id, due.period)
        if not is_early(due, look.through):
            found.append(due)
        elif (at := metered.get(slot)) is not None:
            found.append(due._replace(falls_due_at=at, due_at=at, metered_through=at))
        elif slot in metered and due.metered_through is None:
            found.append(due)
    return found


def served_span(due: Due) -> Period | None:
    """Return the time from the first to the last billable instant of a due; None when nothing was billable.

    Of a period that still runs it ends right after the instant through which usage counts.
    """
    if not due.slices:
        return None
    start, end = due.slices[0].span.start, due.slices[-1].span.end
    if due.metered_through is not None:
        end = min(end, due.metered_through + INSTANT)
    return Period(start, end) if start < end else None
