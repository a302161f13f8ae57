"""Settle reservations: commit what was used of what is held, or release it."""

from datetime import datetime
from decimal import Decimal, localcontext
from uuid import UUID

from tenor.kernel.ids import GrantId, WalletUseId, to_wire
from tenor.kernel.money import EXACT
from tenor.kernel.quantity import parse_quantity
from tenor.platform.unit_of_work import UnitOfWork
from tenor.wallets.booking import book
from tenor.wallets.errors import ReservationSettled
from tenor.wallets.model import ZERO, StoredUse, StoredWallet
from tenor.wallets.rules.movements import Movements
from tenor.wallets.store.uses import due_reservations, held_uses, open_draws, settle_uses
from tenor.wallets.store.wallets import grants_by_id, grants_in_force, lock_wallets
from tenor.wallets.telling import tell_balances
from tenor.wallets.using import Used, cover, lock_use, payers, put_back, require_covered


def commit_reservation(uow: UnitOfWork, use_id: WalletUseId, amount: Decimal, *, now: datetime) -> Used:
    """Use `amount` of what is held and give the rest free; more than was held is drawn on what else is there.

    The same commit again changes nothing.

    Raises:
        UseNotFound, NotADecimal: as they say.
        ReservationSettled: it was committed otherwise, released, or its time is over.
        CreditExhausted: more is used than is held and left, and the wallet may not be overdrawn.
    """
    parse_quantity(amount, name="amount")
    wallet, use = lock_use(uow, use_id)
    if use.status == "used" and use.used == amount:
        return Used(use, ())
    _require_held(use, now)
    with localcontext(EXACT):
        movements, uncovered = _committed(uow, wallet, use, amount, now)
        require_covered(wallet, uncovered, asked=amount)
        movements.advance("advanced", wallet.id, uncovered, use.id)
        entries = book(uow, movements)
    settled = use._replace(status="used", used=amount, uncovered=uncovered)
    settle_uses(uow, [settled], now=now)
    tell_balances(uow, [wallet.id], now=now)
    return Used(settled, tuple(entries))


def release_reservation(uow: UnitOfWork, use_id: WalletUseId, *, now: datetime) -> Used:
    """Give what is held free again, exactly to the grants that it was held of. The same release again changes nothing.

    Raises:
        UseNotFound: there is no such reservation.
        ReservationSettled: it was committed.
    """
    _, use = lock_use(uow, use_id)
    if use.status == "released":
        return Used(use, ())
    if use.status != "held":
        raise ReservationSettled(f"{to_wire('use', use.id)} was committed before")
    return _release(uow, [use], now=now)[0]


def release_expired_reservations(uow: UnitOfWork, *, now: datetime, limit: int = 1000) -> list[Used]:
    """Release reservations whose time is over, `limit` at most, the longest ago first. Called again, it goes on."""
    due = due_reservations(uow, now=now, limit=limit)
    if not due:
        return []
    lock_wallets(uow, [use.wallet_id for use in due])
    return _release(uow, held_uses(uow, [use.id for use in due]), now=now)


def _committed(
    uow: UnitOfWork, wallet: StoredWallet, use: StoredUse, amount: Decimal, now: datetime
) -> tuple[Movements, Decimal]:
    """Return the entries that turn a hold into draws, and what of `amount` no grant covers."""
    held = open_draws(uow, [use.id])
    own = grants_by_id(uow, [part.grant_id for part in held])
    others = {grant.id: grant for grant in grants_in_force(uow, [wallet.id], at=now)}
    movements = Movements.of({**others, **own}.values(), at=now)
    rest = amount
    for part in held:
        movements.move("released", part.grant_id, part.amount, use_id=use.id)
    for part in held:
        taken = min(rest, part.amount)
        movements.move("drawn", part.grant_id, taken, use_id=use.id)
        rest -= taken
        if own[part.grant_id].grant.voided_at is not None:
            movements.move("voided", part.grant_id, part.amount - taken)
    draws, uncovered = cover(rest, payers(wallet, others.values(), use.feature), movements)
    for grant_id, more in draws:
        movements.move("drawn", GrantId(UUID(grant_id)), more, use_id=use.id)
    return movements, uncovered


def _release(uow: UnitOfWork, uses: list[StoredUse], *, now: datetime) -> list[Used]:
    """Release uses that are held and whose wallets are locked."""
    draws = open_draws(uow, [use.id for use in uses])
    grants = grants_by_id(uow, {part.grant_id for part in draws})
    movements = Movements.of(grants.values(), at=now)
    with localcontext(EXACT):
        put_back(movements, grants, draws, "released")
        entries = book(uow, movements)
    released = [use._replace(status="released", used=ZERO, uncovered=ZERO) for use in uses]
    settle_uses(uow, released, now=now)
    tell_balances(uow, {use.wallet_id for use in uses}, now=now)
    return [Used(use, tuple(entry for entry in entries if entry.movement.use_id == use.id)) for use in released]


def _require_held(use: StoredUse, now: datetime) -> None:
    if use.status != "held" or use.expires_at is None or use.expires_at <= now:
        how = "its time is over" if use.status == "held" else f"it is {use.status}"
        raise ReservationSettled(f"{to_wire('use', use.id)} cannot be committed: {how}")
