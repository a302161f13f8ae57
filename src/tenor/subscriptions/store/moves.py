"""Moves of a state: the status of a subscription, and the history of how it got there."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from tenor.platform.unit_of_work import Column, UnitOfWork
from tenor.subscriptions.model import Subscription
from tenor.subscriptions.rules.moves import Move
from tenor.subscriptions.store.rows import write_rows

_COLUMNS: Final[Sequence[Column]] = (
    ("subscription_id", "uuid"),
    ("move_no", "bigint"),
    ("from_status", "text"),
    ("to_status", "text"),
    ("trigger", "text"),
    ("effective_at", "timestamptz"),
    ("recorded_at", "timestamptz"),
)


class Moved(NamedTuple):
    """A subscription as it stands after `moves`, which are in order of time."""

    subscription: Subscription
    moves: Sequence[Move]


def insert_moves(uow: UnitOfWork, moved: Iterable[Moved], *, now: datetime) -> None:
    """Write the history of new subscriptions, whose rows are written in their last status."""
    rows = [
        (
            subscription.id,
            number,
            move.from_status.value,
            move.to_status.value,
            move.trigger.value,
            move.effective_at,
            now,
        )
        for subscription, moves in moved
        for number, move in enumerate(moves, start=1)
    ]
    write_rows(uow, "subscription_moves", _COLUMNS, rows)


def apply_moves(uow: UnitOfWork, moved: Sequence[Moved], *, now: datetime) -> None:
    """Move locked subscriptions and write the history: one statement for each step of the longest way, and one more.

    Step by step, because the database looks at every single move.
    """
    longest = max((len(moves) for _, moves in moved), default=0)
    for step in range(longest):
        stepping = [(subscription, moves[step]) for subscription, moves in moved if len(moves) > step]
        uow.execute(
            """
            update subscriptions s set status = m.to_status, next_move_at = m.next_move_at
            from unnest(%b::uuid[], %b::text[], %b::timestamptz[]) m (id, to_status, next_move_at)
            where s.id = m.id
            """,
            [
                [subscription.id for subscription, _ in stepping],
                [move.to_status.value for _, move in stepping],
                [subscription.next_move_at for subscription, _ in stepping],
            ],
        )
    if longest:
        _append_history(uow, [(item.subscription, move) for item in moved for move in item.moves], now)


def _append_history(uow: UnitOfWork, walked: Sequence[tuple[Subscription, Move]], now: datetime) -> None:
    """Write moves after those that each subscription already has; they are numbered in the order given."""
    uow.execute(
        """
        insert into subscription_moves
            (tenant_id, subscription_id, move_no, from_status, to_status, trigger, effective_at, recorded_at)
        select %s, m.id,
               coalesce((select max(move_no) from subscription_moves e where e.subscription_id = m.id), 0)
                   + row_number() over (partition by m.id order by m.place),
               m.from_status, m.to_status, m.trigger, m.effective_at, %s
        from unnest(%b::uuid[], %b::text[], %b::text[], %b::text[], %b::timestamptz[]) with ordinality
            m (id, from_status, to_status, trigger, effective_at, place)
        """,
        [
            uow.tenant_id,
            now,
            [subscription.id for subscription, _ in walked],
            [move.from_status.value for _, move in walked],
            [move.to_status.value for _, move in walked],
            [move.trigger.value for _, move in walked],
            [move.effective_at for _, move in walked],
        ],
    )
