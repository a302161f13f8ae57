"""Rows of `wallet_uses`: uses and reservations, and what is still drawn for each."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

from tenor.kernel.ids import GrantId, WalletId, WalletUseId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.wallets.model import StoredUse

_USE: Final = "id, wallet_id, key, feature, status, asked, used, uncovered, made_at, expires_at, paid_minor"


class OpenDraw(NamedTuple):
    """What is still drawn or held of one grant for a use; `is_repayment`: drawn later, for what was uncovered."""

    use_id: WalletUseId
    grant_id: GrantId
    amount: Decimal
    is_repayment: bool


def insert_uses(uow: UnitOfWork, uses: Sequence[StoredUse]) -> None:
    """Write uses; those that are not held are settled when they are made."""
    if not uses:
        return
    uow.execute(
        f"""
        insert into wallet_uses (tenant_id, {_USE}, settled_at)
        select %s, u.*, case when u.status = 'held' then null else u.made_at end
        from unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::numeric[], %s::numeric[],
                    %s::numeric[], %s::timestamptz[], %s::timestamptz[], %s::bigint[]) as u ({_USE})
        """,
        [uow.tenant_id, *(list(column) for column in zip(*uses, strict=True))],
    )


def use_by_key(uow: UnitOfWork, wallet_id: WalletId, key: str) -> StoredUse | None:
    """Return the use of a wallet that the caller named so, or None."""
    row = uow.fetch_one(f"select {_USE} from wallet_uses where wallet_id = %s and key = %s", [wallet_id, key])
    return None if row is None else StoredUse(*row)


def uses_by_key(uow: UnitOfWork, wallet_ids: Iterable[UUID], keys: Iterable[str]) -> list[StoredUse]:
    """Return the uses of wallets that callers named so."""
    rows = uow.fetch_all(
        f"select {_USE} from wallet_uses where wallet_id = any(%s) and key = any(%s)", [list(wallet_ids), list(keys)]
    )
    return [StoredUse(*row) for row in rows]


def find_use(uow: UnitOfWork, use_id: WalletUseId) -> StoredUse | None:
    """Return a use by its id, or None."""
    row = uow.fetch_one(f"select {_USE} from wallet_uses where id = %s", [use_id])
    return None if row is None else StoredUse(*row)


def uses_by_id(uow: UnitOfWork, use_ids: Iterable[UUID]) -> list[StoredUse]:
    """Return uses by their ids, in the order of these."""
    rows = uow.fetch_all(f"select {_USE} from wallet_uses where id = any(%s) order by id", [list(use_ids)])
    return [StoredUse(*row) for row in rows]


def due_reservations(uow: UnitOfWork, *, now: datetime, limit: int) -> list[StoredUse]:
    """Return reservations whose time is over, the longest ago first."""
    rows = uow.fetch_all(
        f"select {_USE} from wallet_uses where status = 'held' and expires_at <= %s order by expires_at, id limit %s",
        [now, limit],
    )
    return [StoredUse(*row) for row in rows]


def held_uses(uow: UnitOfWork, use_ids: Iterable[UUID]) -> list[StoredUse]:
    """Return those of the uses that are held."""
    rows = uow.fetch_all(
        f"select {_USE} from wallet_uses where id = any(%s) and status = 'held' order by id", [list(use_ids)]
    )
    return [StoredUse(*row) for row in rows]


def uncovered_uses(uow: UnitOfWork, wallet_id: WalletId) -> list[StoredUse]:
    """Return the uses of a wallet that no grant has covered wholly, oldest first."""
    rows = uow.fetch_all(
        f"select {_USE} from wallet_uses where wallet_id = %s and uncovered > 0 order by made_at, id", [wallet_id]
    )
    return [StoredUse(*row) for row in rows]


def settle_uses(uow: UnitOfWork, uses: Sequence[StoredUse], *, now: datetime) -> None:
    """Write the state of uses, what they come to and what no grant covers of it."""
    uow.execute(
        """
        update wallet_uses u set status = s.status, used = s.used, uncovered = s.uncovered, paid_minor = s.paid_minor,
               settled_at = coalesce(u.settled_at, %s)
        from unnest(%s::uuid[], %s::text[], %s::numeric[], %s::numeric[], %s::bigint[])
            as s (id, status, used, uncovered, paid_minor)
        where u.id = s.id
        """,
        [
            now,
            [use.id for use in uses],
            [use.status for use in uses],
            [use.used for use in uses],
            [use.uncovered for use in uses],
            [use.paid_minor for use in uses],
        ],
    )


def open_draws(uow: UnitOfWork, use_ids: Iterable[UUID]) -> list[OpenDraw]:
    """Return what is still drawn or held for uses, the draws of each in their order."""
    rows = uow.fetch_all(
        """
        select use_id, grant_id, sum(case when kind in ('released', 'restored') then -amount else amount end),
               bool_or(kind = 'repaid')
        from wallet_entries where use_id = any(%s) and grant_id is not null
        group by use_id, grant_id
        having sum(case when kind in ('released', 'restored') then -amount else amount end) > 0
        order by use_id, min(entry_no)
        """,
        [list(use_ids)],
    )
    return [OpenDraw(*row) for row in rows]
