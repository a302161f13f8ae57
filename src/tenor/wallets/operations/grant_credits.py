"""Grant credits: make a deposit in a wallet."""

from datetime import datetime
from decimal import localcontext
from typing import Final, NamedTuple, get_args

from tenor.kernel.ids import GrantId, WalletId, new_id, to_wire
from tenor.kernel.money import EXACT
from tenor.kernel.period import require_utc
from tenor.kernel.quantity import parse_decimal, plain
from tenor.platform.telling import tell
from tenor.platform.unit_of_work import UnitOfWork
from tenor.wallets.booking import book
from tenor.wallets.errors import MalformedWallet, WalletNotFound
from tenor.wallets.model import ZERO, Grant, HeldGrant, NewGrant, PaidFrom, Source, StoredWallet, WalletEntry
from tenor.wallets.rules.movements import Movements
from tenor.wallets.store.uses import settle_uses, uncovered_uses
from tenor.wallets.store.wallets import insert_grants, lock_wallets
from tenor.wallets.telling import tell_balances

FEATURES_MAX: Final = 100


class Granted(NamedTuple):
    """A grant that was made, and the entries that it left."""

    grant_id: GrantId
    entries: tuple[WalletEntry, ...]


def grant_credits(
    uow: UnitOfWork, wallet_id: WalletId, new: NewGrant, *, now: datetime, actor: str, reason: str
) -> Granted:
    """Make a grant in a wallet. Where the wallet says so it first pays what was used uncovered, oldest first.

    What it repays is taken at once, even where the grant takes effect later.

    Raises:
        WalletNotFound: there is no such wallet.
        MalformedWallet, NotADecimal, NotAnInstant: an amount, cost, priority or time that cannot be.
        CreditGone: it is paid from more customer credit than there is.
    """
    require_sound(new)
    wallet = lock_wallets(uow, [wallet_id]).get(wallet_id)
    if wallet is None:
        raise WalletNotFound(f"there is no wallet {to_wire('wal', wallet_id)}")
    held = held_grant(wallet_id, new, now=now)
    insert_grants(uow, [(held, new)], now=now)
    movements = Movements.of([], at=now)
    movements.deposit(held)
    with localcontext(EXACT):
        _repay(uow, wallet, held, movements)
        entries = book(uow, movements)
    facts = {
        "wallet_id": to_wire("wal", wallet_id),
        "amount": plain(new.amount),
        "source": new.source,
        "category": new.category,
        "cost_minor": new.cost_minor,
        "paid_from": new.paid_from,
        "priority": new.priority,
        "features": sorted(new.features),
        "effective_at": held.grant.effective_at,
        "expires_at": new.expires_at,
        "remaining": plain(movements.left(held.id)),
    }
    tell(uow, "credit_grant.made", held.id, facts, now=now, actor=actor, reason=reason)
    tell_balances(uow, [wallet_id], now=now)
    return Granted(held.id, tuple(entries))


def held_grant(wallet_id: WalletId, new: NewGrant, *, now: datetime) -> HeldGrant:
    """Return a new grant as it will be kept, whole and with an id of its own."""
    grant_id = GrantId(new_id(now))
    grant = Grant(
        id=str(grant_id),
        amount=new.amount,
        effective_at=now if new.effective_at is None else require_utc(new.effective_at, name="effective_at"),
        expires_at=new.expires_at,
        priority=new.priority,
        created_at=now,
        category=new.category,
        features=new.features,
    )
    if grant.expires_at is not None and require_utc(grant.expires_at, name="expires_at") <= grant.effective_at:
        raise MalformedWallet("a grant expires after it has taken effect")
    return HeldGrant(grant_id, wallet_id, grant, new.amount, new.cost_minor, paid_from=new.paid_from)


def require_sound(new: NewGrant) -> None:
    """Refuse what nobody has to look at the wallet for to see that it is wrong."""
    if parse_decimal(new.amount, name="amount") <= ZERO:
        raise MalformedWallet("a grant is of more than nothing")
    if new.source not in get_args(Source):
        raise MalformedWallet(f"a grant comes from {', '.join(get_args(Source))}, not {new.source!r}")
    if new.paid_from not in get_args(PaidFrom):
        raise MalformedWallet(f"a grant is paid from {', '.join(get_args(PaidFrom))}, not {new.paid_from!r}")
    if new.cost_minor < 0:
        raise MalformedWallet("a grant cost nothing or more")
    if not 0 <= new.priority <= 255:
        raise MalformedWallet("a priority is a number from 0 to 255; the lowest burns first")
    if len(new.features) > FEATURES_MAX:
        raise MalformedWallet(f"a grant is limited to at most {FEATURES_MAX} features")


def _repay(uow: UnitOfWork, wallet: StoredWallet, held: HeldGrant, movements: Movements) -> None:
    """Let a new grant pay what was used uncovered, as far as it may and goes."""
    if not wallet.terms.repays_advances:
        return
    settled = []
    for use in uncovered_uses(uow, wallet.id):
        amount = min(use.uncovered, movements.left(held.id))
        if held.grant.pays(use.feature) and amount:
            movements.move("repaid", held.id, amount, use_id=use.id)
            settled.append(use._replace(uncovered=use.uncovered - amount))
    if settled:
        settle_uses(uow, settled, now=movements.at)
