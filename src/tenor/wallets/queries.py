"""Reads for statements: what a wallet has, and what happened in it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from tenor.kernel.ids import CustomerId, GrantId, WalletId, to_wire
from tenor.platform.unit_of_work import UnitOfWork
from tenor.wallets.errors import WalletNotFound
from tenor.wallets.model import HeldGrant, Movement, StoredWallet, WalletEntry
from tenor.wallets.rules.burning import in_burn_order
from tenor.wallets.store.wallets import balances, grants_of, wallets_of


class WalletBalance(NamedTuple):
    """A wallet and what it has: free to use, held by reservations, and used ahead of any grant; in its unit."""

    wallet: StoredWallet
    available: Decimal
    held: Decimal
    advanced: Decimal


def find_wallet(uow: UnitOfWork, customer_id: CustomerId, code: str) -> StoredWallet:
    """Return the wallet of a customer by its code.

    Raises:
        WalletNotFound: the customer has none of this code.
    """
    for wallet in wallets_of(uow, [customer_id]):
        if wallet.terms.code == code:
            return wallet
    raise WalletNotFound(f"customer {to_wire('cus', customer_id)} has no wallet {code!r}", wallet=code)


def wallet_owners(uow: UnitOfWork, customer_ids: Iterable[CustomerId]) -> set[CustomerId]:
    """Return which of these customers have a wallet."""
    rows = uow.fetch_all("select distinct customer_id from wallets where customer_id = any(%s)", [list(customer_ids)])
    return {CustomerId(customer_id) for (customer_id,) in rows}


def wallet_balances(uow: UnitOfWork, customer_ids: Sequence[CustomerId], *, at: datetime) -> list[WalletBalance]:
    """Return the wallets of customers and what they have at an instant, as far as it is booked now."""
    wallets = wallets_of(uow, customer_ids)
    available = balances(uow, [wallet.id for wallet in wallets], at=at)
    rows = uow.fetch_all(
        """
        select wallet_id,
               coalesce(sum(amount) filter (where kind = 'held'), 0)
               - coalesce(sum(amount) filter (where kind = 'released'), 0),
               coalesce(sum(amount) filter (where kind = 'advanced'), 0)
               - coalesce(sum(amount) filter (where kind in ('repaid', 'forgone')), 0)
        from wallet_entries where wallet_id = any(%s) group by wallet_id
        """,
        [[wallet.id for wallet in wallets]],
    )
    beside = {wallet_id: (held, advanced) for wallet_id, held, advanced in rows}
    nothing = (Decimal(0), Decimal(0))
    return [WalletBalance(wallet, available[wallet.id], *beside.get(wallet.id, nothing)) for wallet in wallets]


def voided_minor(uow: UnitOfWork, grant_id: GrantId) -> int:
    """Return what was paid for all that was taken out of a grant by voiding it, in minor units."""
    statement = "select sum(value_minor)::bigint from wallet_entries where grant_id = %s and kind = 'voided'"
    (value_minor,) = uow.fetch_one(statement, [grant_id]) or (None,)
    return value_minor or 0


def wallet_entries(uow: UnitOfWork, wallet_id: WalletId, *, after_no: int = 0, limit: int = 100) -> list[WalletEntry]:
    """Return the entries of a wallet in their order, after one of them."""
    rows = uow.fetch_all(
        "select entry_no, wallet_id, kind, amount, grant_id, use_id, value_minor, at from wallet_entries"
        " where wallet_id = %s and entry_no > %s order by entry_no limit %s",
        [wallet_id, after_no, limit],
    )
    return [WalletEntry(entry_no, Movement(*movement)) for entry_no, *movement in rows]


def wallet_grants(uow: UnitOfWork, wallet: StoredWallet, *, is_whole_story: bool = False) -> list[HeldGrant]:
    """Return the grants of a wallet that have something left, free or set aside (or all), in its burn order."""
    found = {held.grant.id: held for held in grants_of(uow, wallet.id)}
    ordered = in_burn_order((held.grant for held in found.values()), wallet.terms.burn_order)
    grants = [found[grant.id] for grant in ordered]
    return [held for held in grants if is_whole_story or held.remaining or held.reserved]


def next_instant_of_wallets(uow: UnitOfWork, *, after: datetime) -> datetime | None:
    """Return the next instant, later than `after`, at which time does something to a wallet; None: never again."""
    row = uow.fetch_one(
        """
        select least((select min(next_at) from recurring_grants where next_at > %(after)s),
                     (select min(effective_at) from credit_grants where remaining > 0 and effective_at > %(after)s),
                     (select min(expires_at) from credit_grants where remaining > 0 and expires_at > %(after)s),
                     (select min(expires_at) from wallet_uses where status = 'held' and expires_at > %(after)s))
        """,
        {"after": after},
    )
    return row[0] if row else None
