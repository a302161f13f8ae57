"""Void a grant: take out what is left of it."""

from datetime import datetime
from decimal import localcontext

from tenor.kernel.ids import GrantId, to_wire
from tenor.kernel.money import EXACT
from tenor.kernel.quantity import plain
from tenor.platform.telling import tell
from tenor.platform.unit_of_work import UnitOfWork
from tenor.wallets.booking import book
from tenor.wallets.errors import GrantNotFound
from tenor.wallets.model import HeldGrant, WalletEntry
from tenor.wallets.rules.movements import Movements
from tenor.wallets.store.wallets import grants_by_id, lock_wallets, mark_voided
from tenor.wallets.telling import tell_balances


def void_grant(
    uow: UnitOfWork, grant_id: GrantId, *, now: datetime, actor: str, reason: str
) -> tuple[WalletEntry, ...]:
    """Take out what is left of a grant; what was drawn stays drawn, what is held may still be used.

    A grant that was voided before stays as it is. Returns the entries.

    Raises:
        GrantNotFound: there is no such grant.
    """
    lock_wallets(uow, [_require_known(uow, grant_id).wallet_id])
    held = _require_known(uow, grant_id)  # read again: somebody may have drawn from it until the lock was ours
    if held.grant.voided_at is not None:
        return ()
    movements = Movements.of([held], at=now)
    with localcontext(EXACT):
        movements.move("voided", grant_id, held.remaining)
        entries = book(uow, movements)
    mark_voided(uow, grant_id, now=now)
    facts = {"wallet_id": to_wire("wal", held.wallet_id), "voided": plain(held.remaining)}
    tell(uow, "credit_grant.voided", grant_id, facts, now=now, actor=actor, reason=reason)
    tell_balances(uow, [held.wallet_id], now=now)
    return tuple(entries)


def _require_known(uow: UnitOfWork, grant_id: GrantId) -> HeldGrant:
    try:
        return grants_by_id(uow, [grant_id])[grant_id]
    except KeyError:
        raise GrantNotFound(f"there is no grant {to_wire('grt', grant_id)}") from None
