"""Pay lines of invoices with prepaid credit, for a whole batch of customers at once."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import localcontext
from typing import NamedTuple, TypeVar
from uuid import UUID

from tenor.kernel.ids import CustomerId, GrantId, WalletUseId, derived_id
from tenor.kernel.money import EXACT
from tenor.platform.unit_of_work import UnitOfWork
from tenor.wallets.booking import book
from tenor.wallets.model import ZERO, HeldGrant, StoredUse, StoredWallet, WalletEntry
from tenor.wallets.rules.eligibility import GrantTerms, PayableLine, may_pay
from tenor.wallets.rules.movements import Movements
from tenor.wallets.rules.paying import payment
from tenor.wallets.store.uses import insert_uses, uses_by_key
from tenor.wallets.store.wallets import grants_in_force, lock_wallets, wallets_of
from tenor.wallets.telling import tell_balances
from tenor.wallets.using import cover, payers

Key = TypeVar("Key")
Value = TypeVar("Value")


class LineToPay(NamedTuple):
    """A line of a document: what is owed in minor units, for which feature, and the end of its service period.

    `key` names the line for ever, so that it is paid once. A grant that is limited to features may name the metric
    (`feature`) or the charge.
    """

    key: str
    customer_id: CustomerId
    currency: str
    amount_minor: int
    feature: str | None
    period_end: datetime
    is_metered: bool
    charge: str | None = None


class PaidLine(NamedTuple):
    """What one wallet pays of a line, in minor units, by which use of it; the use counts in the wallet's `unit`."""

    line: LineToPay
    use: StoredUse
    paid_minor: int
    unit: str


class PaidLines(NamedTuple):
    """What was paid of a batch of lines, and the entries of the wallets."""

    paid: tuple[PaidLine, ...]
    entries: tuple[WalletEntry, ...]


def pay_lines(uow: UnitOfWork, lines: Sequence[LineToPay], *, now: datetime) -> PaidLines:
    """Pay lines in their order from the wallets of their customers, the oldest wallet first, as far as credit goes.

    What is paid is taken off the customer's receivable in the ledger; the caller takes it off the document's.
    Only grants that may pay a line by their wallet's rule are drawn; nothing is overdrawn. A line whose key a wallet
    has paid before is not paid by it again. A few statements, however many customers there are.
    """
    found = _wallets_to_ask(uow, lines)
    if not found:
        return PaidLines((), ())
    wallet_ids = [wallet.id for wallet in found]
    held = grants_in_force(uow, wallet_ids, at=now)
    wallets, grants = _by(found, lambda wallet: wallet.customer_id), _by(held, lambda grant: grant.wallet_id)
    known = {(use.wallet_id, use.key) for use in uses_by_key(uow, wallet_ids, [line.key for line in lines])}
    movements = Movements.of(held, at=now)
    paid: list[PaidLine] = []
    with localcontext(EXACT):
        for line in lines:
            owed_minor = line.amount_minor
            for wallet in wallets.get(line.customer_id, ()):
                if (wallet.id, line.key) in known:
                    continue
                part = _pay(wallet, grants[wallet.id], line, owed_minor, movements)
                paid.append(part)
                owed_minor -= part.paid_minor
        paid = [part for part in paid if part.paid_minor]
        movements.paid_minor = {part.use.id: part.paid_minor for part in paid}
        insert_uses(uow, [part.use for part in paid])
        entries = book(uow, movements)
    tell_balances(uow, {part.use.wallet_id for part in paid}, now=now)
    return PaidLines(tuple(paid), tuple(entries))


def _wallets_to_ask(uow: UnitOfWork, lines: Sequence[LineToPay]) -> list[StoredWallet]:
    """Return the wallets of the lines' customers, oldest first and locked."""
    found = wallets_of(uow, {line.customer_id for line in lines})
    locked = lock_wallets(uow, [wallet.id for wallet in found])
    return [locked[wallet.id] for wallet in found]


def _by(values: Iterable[Value], key: Callable[[Value], Key]) -> dict[Key, list[Value]]:
    """Return values by their key, in their order; a key that no value has is an empty list."""
    found: dict[Key, list[Value]] = defaultdict(list)
    for value in values:
        found[key(value)].append(value)
    return found


def _pay(
    wallet: StoredWallet, grants: Sequence[HeldGrant], line: LineToPay, owed_minor: int, movements: Movements
) -> PaidLine:
    """Pay what is still owed of a line from one wallet, as far as its grants go."""
    may = [held for held in grants if _may_pay(wallet, held, line)]
    ordered = payers(wallet, may, line.feature, line.charge)
    available = sum((movements.left(held.id) for held in ordered), ZERO)
    paid_minor, amount = payment(
        owed_minor, available=available, rate=wallet.terms.rate, currency=wallet.terms.currency
    )
    use_id = WalletUseId(derived_id(movements.at, wallet.id.bytes, line.key.encode()))
    draws, _ = cover(amount, ordered, movements)
    for grant_id, part in draws:
        movements.move("drawn", GrantId(UUID(grant_id)), part, use_id=use_id)
    use = StoredUse(
        id=use_id,
        wallet_id=wallet.id,
        key=line.key,
        feature=line.feature,
        status="used",
        asked=amount,
        used=amount,
        uncovered=ZERO,
        made_at=movements.at,
        expires_at=None,
        paid_minor=paid_minor,
    )
    return PaidLine(line, use, paid_minor, wallet.terms.unit)


def _may_pay(wallet: StoredWallet, held: HeldGrant, line: LineToPay) -> bool:
    """Whether a grant may pay a line by the terms of its wallet. The rule of eligibility is about usage alone."""
    if not line.is_metered:
        return wallet.terms.pays == "everything" and wallet.terms.currency == line.currency
    terms = GrantTerms(wallet.terms.currency, held.grant.effective_at, held.grant.expires_at)
    return may_pay(terms, PayableLine(line.currency, line.period_end, line.is_metered), wallet.terms.eligibility)
