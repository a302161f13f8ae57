"""Lapse grants: book what was left of grants when they expired."""

from datetime import datetime
from decimal import localcontext

from tenor.kernel.ids import to_wire
from tenor.kernel.money import EXACT
from tenor.kernel.quantity import plain
from tenor.platform.outbox import Event, publish
from tenor.platform.unit_of_work import UnitOfWork
from tenor.wallets.booking import book
from tenor.wallets.model import WalletEntry
from tenor.wallets.rules.movements import Movements
from tenor.wallets.store.wallets import expired_grants, lock_wallets, wallets_with_expired_grants
from tenor.wallets.telling import tell_balances


def lapse_grants(uow: UnitOfWork, *, now: datetime, limit: int = 1000) -> tuple[WalletEntry, ...]:
    """Book the rest of every grant that has expired by `now`, of `limit` wallets at most; return the entries.

    Nothing can be drawn from an expired grant, booked or not; this tells the ledger. Called again, it goes on.
    """
    due = wallets_with_expired_grants(uow, at=now, limit=limit)
    if not due:
        return ()
    wallet_ids = list(lock_wallets(uow, due))
    expired = expired_grants(uow, wallet_ids, at=now)
    movements = Movements.of(expired, at=now)
    with localcontext(EXACT):
        for held in expired:
            movements.move("lapsed", held.id, held.remaining)
        entries = book(uow, movements)
    publish(
        uow,
        [
            Event(
                "credit_grant.lapsed",
                held.id,
                {"wallet_id": to_wire("wal", held.wallet_id), "lapsed": plain(held.remaining)},
                now,
            )
            for held in expired
        ],
    )
    tell_balances(uow, wallet_ids, now=now)
    return tuple(entries)
