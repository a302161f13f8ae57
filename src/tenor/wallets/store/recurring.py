"""Rows of `recurring_grants`: what is granted again and again."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

from tenor.kernel.calendar import Interval, Unit
from tenor.kernel.ids import GrantId, WalletId
from tenor.platform.unit_of_work import Row, UnitOfWork
from tenor.wallets.model import Category


class RecurringGrant(NamedTuple):
    """What is granted `every` interval from `anchor` on; each grant lasts until the next one.

    `rollover_max`: how much of what is left then is kept for one interval more. `next_at` None: no more are made.
    """

    id: UUID
    wallet_id: WalletId
    code: str
    amount: Decimal
    every: Interval
    anchor: datetime
    priority: int
    category: Category
    features: frozenset[str]
    rollover_max: Decimal
    next_at: datetime | None


_COLUMNS: Final = "id, wallet_id, code, amount, every, anchor, priority, category, features, rollover_max, next_at"


def insert_recurring(uow: UnitOfWork, recurring: RecurringGrant) -> bool:
    """Write a recurring grant; return False where the wallet has one of this code."""
    every = f"{recurring.every.count} {recurring.every.unit}"
    values = recurring._replace(features=frozenset())._asdict() | {
        "every": every,
        "features": sorted(recurring.features),
    }
    return bool(
        uow.execute(
            f"insert into recurring_grants (tenant_id, {_COLUMNS})"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
            " on conflict (tenant_id, wallet_id, code) do nothing",
            [uow.tenant_id, *values.values()],
        )
    )


def find_recurring(uow: UnitOfWork, wallet_id: WalletId, code: str) -> RecurringGrant | None:
    """Return the recurring grant of a wallet by its code, or None."""
    row = uow.fetch_one(
        f"select {_COLUMNS} from recurring_grants where wallet_id = %s and code = %s", [wallet_id, code]
    )
    return None if row is None else _recurring(row)


def due_recurring(uow: UnitOfWork, *, now: datetime, limit: int) -> list[RecurringGrant]:
    """Return recurring grants of which one is to be made, the longest ago first."""
    rows = uow.fetch_all(
        f"select {_COLUMNS} from recurring_grants where next_at <= %s order by next_at, id limit %s", [now, limit]
    )
    return [_recurring(row) for row in rows]


def rolling_grants(uow: UnitOfWork, recurring_ids: Iterable[UUID]) -> list[tuple[UUID, GrantId]]:
    """Return the grants of recurring grants that have something left, each with what it was made of; oldest first."""
    return [
        (recurring_id, GrantId(grant_id))
        for recurring_id, grant_id in uow.fetch_all(
            "select recurring_grant_id, id from credit_grants where recurring_grant_id = any(%s) and remaining > 0"
            " order by effective_at, id",
            [list(recurring_ids)],
        )
    ]


def extend_grants(uow: UnitOfWork, expiries: Mapping[GrantId, datetime]) -> None:
    """Write when grants that roll over expire now."""
    uow.execute(
        """
        update credit_grants g set expires_at = x.expires_at
        from unnest(%s::uuid[], %s::timestamptz[]) as x (id, expires_at) where g.id = x.id
        """,
        [list(expiries), list(expiries.values())],
    )


def set_next(uow: UnitOfWork, next_at: Sequence[tuple[UUID, datetime | None]]) -> None:
    """Write when each recurring grant makes its next one."""
    uow.execute(
        """
        update recurring_grants r set next_at = x.next_at
        from unnest(%s::uuid[], %s::timestamptz[]) as x (id, next_at) where r.id = x.id
        """,
        [[recurring_id for recurring_id, _ in next_at], [at for _, at in next_at]],
    )


def _recurring(row: Row) -> RecurringGrant:
    recurring_id, wallet_id, code, amount, every, anchor, priority, category, features, rollover_max, next_at = row
    count, _, unit = every.partition(" ")
    return RecurringGrant(
        recurring_id,
        wallet_id,
        code,
        amount,
        Interval(Unit(unit), int(count)),
        anchor,
        priority,
        category,
        frozenset(features),
        rollover_max,
        next_at,
    )
