"""Advance: let the calendar move the states of all subscriptions that are due for it."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from tenor.kernel.ids import SubscriptionId
from tenor.platform.outbox import publish
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions.events import move_event
from tenor.subscriptions.lifecycle import Trigger
from tenor.subscriptions.rules.moves import after_moves, calendar_moves
from tenor.subscriptions.store.moves import Moved, apply_moves
from tenor.subscriptions.store.subscriptions import lock_due_for_move

CHUNK: Final = 10_000
"""Subscriptions that are moved with one set of statements."""


def advance(uow: UnitOfWork, *, now: datetime) -> Mapping[Trigger, int]:
    """Make every move that the calendar owes by `now`, several of one subscription in order of time; count them.

    Starts, ends of trials and ends. A second call finds nothing to do. A subscription that another transaction
    holds is waited for.
    """
    counts: Counter[Trigger] = Counter()
    last = SubscriptionId(UUID(int=0))
    while due := lock_due_for_move(uow, now=now, after=last, limit=CHUNK):
        moved = []
        for subscription in due:
            moves = calendar_moves(subscription, through=now)
            moved.append(Moved(after_moves(subscription, moves), moves))
        apply_moves(uow, moved, now=now)
        publish(uow, [move_event(one, move, now=now) for one, moves in moved for move in moves])
        counts.update(move.trigger for _, moves in moved for move in moves)
        last = due[-1].id
    return counts
