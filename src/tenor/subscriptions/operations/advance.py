"""Advance: let the calendar move the states of all subscriptions that are due for it."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from tenor.kernel.ids import SubscriptionId
from tenor.platform.outbox import publish
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions.changing import open_locked
from tenor.subscriptions.events import move_event
from tenor.subscriptions.lifecycle import Trigger
from tenor.subscriptions.store.moves import Moved, apply_moves
from tenor.subscriptions.store.subscriptions import lock_due_for_move, save_changes_of

CHUNK: Final = 10_000
"""Subscriptions that are moved with one set of statements."""


def advance(uow: UnitOfWork, *, now: datetime) -> Mapping[Trigger, int]:
    """Make every move that the calendar owes by `now`, several of one subscription in order of time; count them.

    Starts, ends of trials, pauses, notices and ends; a term that renews itself is prolonged. A second call finds
    nothing to do. A subscription that another transaction holds is waited for.
    """
    counts: Counter[Trigger] = Counter()
    last = SubscriptionId(UUID(int=0))
    while due := lock_due_for_move(uow, now=now, after=last, limit=CHUNK):
        opened = open_locked(uow, due, now=now)
        save_changes_of(uow, [one.subscription for one in opened if not one.moves])
        apply_moves(uow, [Moved(one.subscription, one.moves) for one in opened], now=now)
        publish(uow, [move_event(one.subscription, move, now=now) for one in opened for move in one.moves])
        counts.update(move.trigger for one in opened for move in one.moves)
        last = due[-1].id
    return counts
