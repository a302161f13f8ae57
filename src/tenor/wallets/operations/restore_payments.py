"""Restore payments: give credit back that had paid documents which are voided or credited, for many uses at once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import localcontext
from typing import NamedTuple

from tenor.kernel.ids import WalletUseId, to_wire
from tenor.kernel.money import EXACT
from tenor.kernel.quantity import plain
from tenor.platform.audit import Deed, record
from tenor.platform.outbox import Event, publish
from tenor.platform.unit_of_work import UnitOfWork
from tenor.wallets.booking import book
from tenor.wallets.errors import UseNotFound
from tenor.wallets.model import StoredUse, StoredWallet, WalletEntry
from tenor.wallets.rules.movements import Movements
from tenor.wallets.rules.paying import credit_for
from tenor.wallets.rules.spending import NothingToRestore
from tenor.wallets.store.uses import OpenDraw, open_draws, settle_uses, uses_by_id
from tenor.wallets.store.wallets import grants_by_id, lock_wallets
from tenor.wallets.telling import tell_balances
from tenor.wallets.using import put_back, split_last


class RestoredPayment(NamedTuple):
    """How much of what a use pays of a document it pays no longer, in minor units."""

    use_id: WalletUseId
    amount_minor: int


def restore_payments(
    uow: UnitOfWork, payments: Sequence[RestoredPayment], *, now: datetime, actor: str, reason: str
) -> tuple[WalletEntry, ...]:
    """Give back the credit that payments took, what was drawn last first; return the entries.

    A payment that is restored in parts gives back, when all of it is, exactly the credit that it took. A grant keeps
    its expiry: what is given back to one that has expired lapses, and to one that is voided is taken out again. The
    customer's receivable takes the amounts back; the caller puts them back on the documents, or credits them there.

    Raises:
        UseNotFound: no use of this id pays a document.
        NothingToRestore: less than that is paid by it.
    """
    asked: dict[WalletUseId, int] = defaultdict(int)
    for use_id, amount_minor in payments:
        asked[use_id] += amount_minor
    wallets = lock_wallets(uow, [use.wallet_id for use in uses_by_id(uow, asked)])
    uses = {use.id: use for use in uses_by_id(uow, asked)}  # read again: now nobody else can move them
    _require_paid(uses, asked)
    draws: dict[WalletUseId, list[OpenDraw]] = defaultdict(list)
    for part in open_draws(uow, asked):
        draws[part.use_id].append(part)
    grants = grants_by_id(uow, {part.grant_id for parts in draws.values() for part in parts})
    movements = Movements.of(grants.values(), at=now)
    with localcontext(EXACT):
        left = [_less(use, wallets[use.wallet_id], asked[use.id]) for use in uses.values()]
        for use in left:
            put_back(movements, grants, split_last(draws[use.id], uses[use.id].used - use.used), "restored")
        movements.paid_minor = {use_id: -amount_minor for use_id, amount_minor in asked.items()}
        entries = book(uow, movements)
        facts = [_facts(use, uses[use.id]) for use in left]
    settle_uses(uow, left, now=now)
    record(
        uow,
        [
            Deed(actor, "wallet_use.restored", "wallet_use", use.id, reason, now, after=told)
            for use, told in zip(left, facts, strict=True)
        ],
    )
    publish(uow, [Event("wallet_use.restored", use.id, told, now) for use, told in zip(left, facts, strict=True)])
    tell_balances(uow, wallets, now=now)
    return tuple(entries)


def _require_paid(uses: Mapping[WalletUseId, StoredUse], asked: Mapping[WalletUseId, int]) -> None:
    for use_id, amount_minor in asked.items():
        paid_minor = uses[use_id].paid_minor if use_id in uses else None
        if paid_minor is None:
            raise UseNotFound(f"no use {to_wire('use', use_id)} pays a document")
        if not 0 < amount_minor <= paid_minor:
            raise NothingToRestore(
                f"{amount_minor} are to be given back of {paid_minor} minor units that {to_wire('use', use_id)} pays"
            )


def _less(use: StoredUse, wallet: StoredWallet, amount_minor: int) -> StoredUse:
    """Return a use that pays so much less. The caller has entered the exact context."""
    paid_minor = (use.paid_minor or 0) - amount_minor
    used = credit_for(paid_minor, rate=wallet.terms.rate, currency=wallet.terms.currency)
    return use._replace(paid_minor=paid_minor, used=used)


def _facts(use: StoredUse, before: StoredUse) -> dict[str, object]:
    return {
        "wallet_id": to_wire("wal", use.wallet_id),
        "given_back": plain(before.used - use.used),
        "used": plain(use.used),
        "paid_minor": use.paid_minor,
    }
