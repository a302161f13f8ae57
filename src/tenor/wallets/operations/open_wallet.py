"""Open a wallet for a customer."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from tenor.kernel.ids import CustomerId, WalletId, new_id, to_wire
from tenor.kernel.money import CURRENCIES, exponent
from tenor.kernel.quantity import parse_decimal, plain
from tenor.ledger import open_accounts
from tenor.platform.audit import Deed, record
from tenor.platform.outbox import Event, publish
from tenor.platform.unit_of_work import UnitOfWork
from tenor.wallets.errors import MalformedWallet, WalletExists
from tenor.wallets.model import StoredWallet, WalletTerms
from tenor.wallets.rules.burning import BURN_KEYS
from tenor.wallets.store.wallets import insert_wallets, wallets_of

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
    wallet = open_wallets(uow, {(customer_id, terms.code): terms}, now=now, actor=actor, reason=reason)[
        customer_id, terms.code
    ]
    if wallet.terms != terms:
        raise WalletExists(f"the customer has a wallet {terms.code!r} with other terms", wallet=terms.code)
    return wallet.id


def open_wallets(
    uow: UnitOfWork,
    wanted: Mapping[tuple[CustomerId, str], WalletTerms],
    *,
    now: datetime,
    actor: str,
    reason: str,
) -> dict[tuple[CustomerId, str], StoredWallet]:
    """Return the wallets of customers by their codes; those that are missing are opened, in a few statements.

    One that a customer has already stays as it is, whatever terms are wanted.

    Raises:
        MalformedWallet, UnknownCurrency, NotADecimal: as `open_wallet`.
    """
    for terms in set(wanted.values()):
        _require_sound(terms)
    found = _by_code(uow, wanted)
    missing = {key: terms for key, terms in wanted.items() if key not in found}
    if not missing:
        return found
    new = [(WalletId(new_id(now)), customer_id, terms) for (customer_id, _), terms in missing.items()]
    written = insert_wallets(uow, new, now=now)
    # Here nobody else waits: two who use their wallets first would each wait for the accounts that the other opens.
    open_accounts(uow, {terms.currency for _, _, terms in new})
    told = [(wallet_id, _facts(customer_id, terms)) for wallet_id, customer_id, terms in new if wallet_id in written]
    record(
        uow, [Deed(actor, "wallet.opened", "wallet", wallet_id, reason, now, after=facts) for wallet_id, facts in told]
    )
    publish(uow, [Event("wallet.opened", wallet_id, facts, now) for wallet_id, facts in told])
    return _by_code(uow, wanted)


def _by_code(
    uow: UnitOfWork, wanted: Mapping[tuple[CustomerId, str], WalletTerms]
) -> dict[tuple[CustomerId, str], StoredWallet]:
    wallets = wallets_of(uow, {customer_id for customer_id, _ in wanted})
    found = {(wallet.customer_id, wallet.terms.code): wallet for wallet in wallets}
    return {key: wallet for key, wallet in found.items() if key in wanted}


def _facts(customer_id: CustomerId, terms: WalletTerms) -> dict[str, object]:
    return {
        "customer_id": to_wire("cus", customer_id),
        "code": terms.code,
        "unit": terms.unit,
        "currency": terms.currency,
        "rate": plain(terms.rate),
        "overdraws": terms.overdraws,
        "pays": terms.pays,
    }


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
