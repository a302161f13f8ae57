"""What every use of a wallet has in common: the wallet is locked, a key is used once, and grants pay in their order."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from tenor.kernel.ids import GrantId, WalletId, WalletUseId, to_wire
from tenor.kernel.quantity import parse_quantity, plain
from tenor.platform.unit_of_work import UnitOfWork
from tenor.wallets.errors import CreditExhausted, UseKeyReused, UseNotFound, WalletNotFound
from tenor.wallets.model import ZERO, Draw, EntryKind, HeldGrant, StoredUse, StoredWallet, WalletEntry
from tenor.wallets.rules.burning import draw, in_burn_order
from tenor.wallets.rules.movements import Movements
from tenor.wallets.store.uses import OpenDraw, find_use, use_by_key
from tenor.wallets.store.wallets import lock_wallets


class UseRequest(NamedTuple):
    """What is to be used: an amount in the wallet's unit, for a feature or for none, under the caller's own key."""

    wallet_id: WalletId
    amount: Decimal
    key: str
    feature: str | None = None


class Used(NamedTuple):
    """A use as it stands, and the entries that this call has written; none where it was done before."""

    use: StoredUse
    entries: tuple[WalletEntry, ...]


def lock_wallet(uow: UnitOfWork, wallet_id: WalletId) -> StoredWallet:
    """Return a wallet that nobody else can move until this transaction ends.

    Raises:
        WalletNotFound: there is none of this id.
    """
    try:
        return lock_wallets(uow, [wallet_id])[wallet_id]
    except KeyError:
        raise WalletNotFound(f"there is no wallet {to_wire('wal', wallet_id)}") from None


def lock_use(uow: UnitOfWork, use_id: WalletUseId) -> tuple[StoredWallet, StoredUse]:
    """Return a use and its wallet, which nobody else can move until this transaction ends.

    Raises:
        UseNotFound: there is none of this id.
    """
    wallet = lock_wallet(uow, _require_known(uow, use_id).wallet_id)
    return wallet, _require_known(uow, use_id)  # read again: it may have been settled until the lock was ours


def used_before(uow: UnitOfWork, request: UseRequest) -> StoredUse | None:
    """Return the use that was made under the request's key, or None.

    Raises:
        NotADecimal: the amount is none.
        UseKeyReused: it was of another amount or feature.
    """
    parse_quantity(request.amount, name="amount")
    known = use_by_key(uow, request.wallet_id, request.key)
    if known is not None and (known.asked, known.feature) != (request.amount, request.feature):
        raise UseKeyReused(f"the key {request.key!r} names a use of {plain(known.asked)} for {known.feature}")
    return known


def payers(wallet: StoredWallet, grants: Iterable[HeldGrant], *features: str | None) -> list[HeldGrant]:
    """Return the grants that may pay for what goes by any of these names, in the wallet's burn order."""
    by_id = {held.grant.id: held for held in grants if any(held.grant.pays(feature) for feature in features)}
    ordered = in_burn_order((held.grant for held in by_id.values()), wallet.terms.burn_order)
    return [by_id[grant.id] for grant in ordered]


def cover(need: Decimal, ordered: Sequence[HeldGrant], movements: Movements) -> tuple[list[Draw], Decimal]:
    """Return what each of the grants would pay of `need`, by what they have left meanwhile, and the rest."""
    left = {held.grant.id: movements.left(held.id) for held in ordered}
    return draw(need, [held.grant for held in ordered], left)


def require_covered(wallet: StoredWallet, uncovered: Decimal, *, asked: Decimal) -> None:
    """Refuse a use that the wallet cannot pay and may not overdraw.

    Raises:
        CreditExhausted: with what is there.
    """
    if uncovered > ZERO and not wallet.terms.overdraws:
        available = plain(asked - uncovered)
        raise CreditExhausted(
            f"{plain(asked)} {wallet.terms.unit} are to be used and {available} are left",
            asked=plain(asked),
            available=available,
        )


def put_back(
    movements: Movements, grants: Mapping[GrantId, HeldGrant], draws: Iterable[OpenDraw], kind: EntryKind
) -> None:
    """Give draws back to their grants as entries of `kind`; what was voided meanwhile is taken out again."""
    for use_id, grant_id, amount, _ in draws:
        movements.move(kind, grant_id, amount, use_id=use_id)
        if grants[grant_id].grant.voided_at is not None:
            movements.move("voided", grant_id, amount)


def split_last(draws: Sequence[OpenDraw], amount: Decimal) -> Iterator[OpenDraw]:
    """Yield the last `amount` of draws, the last first."""
    for part in reversed(draws):
        taken = min(amount, part.amount)
        if taken > ZERO:
            yield part._replace(amount=taken)
            amount -= taken


def _require_known(uow: UnitOfWork, use_id: WalletUseId) -> StoredUse:
    known = find_use(uow, use_id)
    if known is None:
        raise UseNotFound(f"there is no use {to_wire('use', use_id)}")
    return known
