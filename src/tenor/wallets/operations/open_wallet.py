"""Open a wallet for a customer."""

import re
from datetime import datetime
from typing import Final

from tenor.kernel.ids import CustomerId, WalletId, new_id, to_wire
from tenor.kernel.money import CURRENCIES, exponent
from tenor.kernel.quantity import parse_decimal, plain
from tenor.platform.unit_of_work import UnitOfWork
from tenor.wallets.errors import MalformedWallet, WalletExists
from tenor.wallets.model import StoredWallet, WalletTerms
from tenor.wallets.rules.burning import BURN_KEYS
from tenor.wallets.store.wallets import insert_wallet, wallets_of
from tenor.wallets.telling import tell

_CODE: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")
_UNIT: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")


def open_wallet(
    uow: UnitOfWork, customer_id: CustomerId, terms: WalletTerms, *, now: datetime, actor: str, reason: str
) -> WalletId:
    """Open a wallet, or return the one that the customer has of this code with the same terms.

    Raises:
        MalformedWallet, UnknownCurrency, NotADecimal: a code, unit, currency or rate that cannot be.
        WalletExists: the customer has a wallet of this code with other terms.
    """
    _require_sound(terms)
    wallet_id = WalletId(new_id(now))
    if not insert_wallet(uow, wallet_id, customer_id, terms, now=now):
        return _same(uow, customer_id, terms).id
    facts = {
        "customer_id": to_wire("cus", customer_id),
        "code": terms.code,
        "unit": terms.unit,
        "currency": terms.currency,
        "rate": plain(terms.rate),
        "overdraws": terms.overdraws,
    }
    tell(uow, "wallet.opened", wallet_id, facts, now=now, actor=actor, reason=reason)
    return wallet_id


def _same(uow: UnitOfWork, customer_id: CustomerId, terms: WalletTerms) -> StoredWallet:
    known = next(wallet for wallet in wallets_of(uow, [customer_id]) if wallet.terms.code == terms.code)
    if known.terms != terms:
        raise WalletExists(f"the customer has a wallet {terms.code!r} with other terms", wallet=terms.code)
    return known


def _require_sound(terms: WalletTerms) -> None:
    exponent(terms.currency)
    if not _CODE.fullmatch(terms.code):
        raise MalformedWallet(f"{terms.code[:80]!r} is no code: a-z, 0-9, '_', '.', '-', at most 63")
    strangers = set(terms.burn_order) - BURN_KEYS.keys()
    if strangers or not terms.burn_order:
        raise MalformedWallet(
            f"grants burn by {', '.join(BURN_KEYS)}, not by {', '.join(sorted(strangers)) or 'nothing'}"
        )
    if not _UNIT.fullmatch(terms.unit):
        raise MalformedWallet(f"{terms.unit[:80]!r} is no unit: letters, digits and '_', at most 32")
    if parse_decimal(terms.rate, name="rate") <= 0:
        raise MalformedWallet("a unit of credit is worth more than nothing")
    if terms.unit in CURRENCIES and (terms.unit != terms.currency or terms.rate != 1):
        raise MalformedWallet(f"a wallet of {terms.unit} pays in {terms.unit}, at the rate 1")
