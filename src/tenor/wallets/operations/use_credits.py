"""Use credits: draw on a wallet at once, or hold credit for a use whose size is known later."""

from datetime import datetime
from decimal import localcontext
from uuid import UUID

from tenor.kernel.ids import GrantId, WalletUseId, new_id
from tenor.kernel.money import EXACT
from tenor.kernel.period import require_utc
from tenor.platform.unit_of_work import UnitOfWork
from tenor.wallets.booking import book
from tenor.wallets.errors import MalformedWallet
from tenor.wallets.model import ZERO, StoredUse
from tenor.wallets.rules.movements import Movements
from tenor.wallets.store.uses import insert_uses
from tenor.wallets.store.wallets import grants_in_force
from tenor.wallets.telling import tell_balances
from tenor.wallets.using import Used, UseRequest, cover, lock_wallet, payers, require_covered, used_before


def use_credits(uow: UnitOfWork, request: UseRequest, *, now: datetime) -> Used:
    """Draw what is used on the grants in force. The same request again returns what it did before.

    Raises:
        WalletNotFound, NotADecimal: as they say.
        UseKeyReused: the key named another use.
        CreditExhausted: not enough is left, and the wallet may not be overdrawn.
    """
    return _take(uow, request, expires_at=None, now=now)


def reserve_credits(uow: UnitOfWork, request: UseRequest, *, expires_at: datetime, now: datetime) -> Used:
    """Hold credit for a use until it is committed or released, or until `expires_at` if nobody does either.

    What is held cannot be used otherwise, and counts as paid in time even if its grant expires meanwhile.

    Raises:
        MalformedWallet: the hold would be over when it begins.
        Refusal: as `use_credits`.
    """
    if require_utc(expires_at, name="expires_at") <= now:
        raise MalformedWallet("a reservation ends after it has begun")
    return _take(uow, request, expires_at=expires_at, now=now)


def _take(uow: UnitOfWork, request: UseRequest, *, expires_at: datetime | None, now: datetime) -> Used:
    wallet = lock_wallet(uow, request.wallet_id)
    known = used_before(uow, request)
    if known is not None:
        return Used(known, ())
    is_held = expires_at is not None
    grants = grants_in_force(uow, [wallet.id], at=now)
    movements = Movements.of(grants, at=now)
    with localcontext(EXACT):
        draws, uncovered = cover(request.amount, payers(wallet, grants, request.feature), movements)
        require_covered(wallet, uncovered, asked=request.amount)
        use = StoredUse(
            id=WalletUseId(new_id(now)),
            wallet_id=wallet.id,
            key=request.key,
            feature=request.feature,
            status="held" if is_held else "used",
            asked=request.amount,
            used=ZERO if is_held else request.amount,
            uncovered=ZERO if is_held else uncovered,
            made_at=now,
            expires_at=expires_at,
        )
        for grant_id, amount in draws:
            movements.move("held" if is_held else "drawn", _grant_id(grant_id), amount, use_id=use.id)
        if not is_held:
            movements.advance("advanced", wallet.id, uncovered, use.id)
        insert_uses(uow, [use])
        entries = book(uow, movements)
    tell_balances(uow, [wallet.id], now=now)
    return Used(use, tuple(entries))


def _grant_id(text: str) -> GrantId:
    return GrantId(UUID(text))
