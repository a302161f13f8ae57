"""Give back: take part of a use back, so that its grants have it again."""

from datetime import datetime
from decimal import Decimal, localcontext

from tenor.kernel.ids import WalletUseId, to_wire
from tenor.kernel.money import EXACT
from tenor.kernel.quantity import parse_quantity, plain
from tenor.platform.telling import tell
from tenor.platform.unit_of_work import UnitOfWork
from tenor.wallets.booking import book
from tenor.wallets.errors import UsePaysDocument
from tenor.wallets.model import ZERO
from tenor.wallets.rules.movements import Movements
from tenor.wallets.rules.spending import NothingToRestore
from tenor.wallets.store.uses import open_draws, settle_uses
from tenor.wallets.store.wallets import grants_by_id
from tenor.wallets.telling import tell_balances
from tenor.wallets.using import Used, lock_use, put_back, split_last


def give_back_credits(
    uow: UnitOfWork, use_id: WalletUseId, amount: Decimal | None, *, now: datetime, actor: str, reason: str
) -> Used:
    """Give back `amount` of a use (None: all of it), each part to the grant that it came from, the last drawn first.

    Last came what later grants repaid of it, before that what no grant has covered, and first its own draws.

    A grant keeps its expiry: what is given back to one that has expired lapses.

    Raises:
        UseNotFound, NotADecimal: as they say.
        UsePaysDocument: the use pays a document, and is given back with it.
        NothingToRestore: less than that was used.
    """
    wallet, use = lock_use(uow, use_id)
    amount = use.used if amount is None else parse_quantity(amount, name="amount")
    if use.paid_minor is not None:
        raise UsePaysDocument(f"{to_wire('use', use_id)} pays a document; void or credit that instead")
    if use.status != "used" or amount > use.used:
        raise NothingToRestore(f"{plain(amount)} are to be given back of a use of {plain(use.used)}")
    draws = open_draws(uow, [use_id])
    grants = grants_by_id(uow, [part.grant_id for part in draws])
    movements = Movements.of(grants.values(), at=now)
    with localcontext(EXACT):
        repaid = list(split_last([part for part in draws if part.is_repayment], amount))
        rest = amount - sum((part.amount for part in repaid), ZERO)
        forgone = min(rest, use.uncovered)
        own = split_last([part for part in draws if not part.is_repayment], rest - forgone)
        movements.advance("forgone", wallet.id, forgone, use_id)
        put_back(movements, grants, [*repaid, *own], "restored")
        entries = book(uow, movements)
        left = use._replace(used=use.used - amount, uncovered=use.uncovered - forgone)
    settle_uses(uow, [left], now=now)
    facts = {"wallet_id": to_wire("wal", wallet.id), "given_back": plain(amount), "used": plain(left.used)}
    tell(uow, "wallet_use.given_back", use_id, facts, now=now, actor=actor, reason=reason)
    tell_balances(uow, [wallet.id], now=now)
    return Used(left, tuple(entries))
