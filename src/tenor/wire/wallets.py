"""Wallets, their grants, entries and uses as JSON. Figures are in the wallet's unit."""

from typing import Literal

from typing_extensions import TypedDict

from tenor.kernel.ids import to_wire
from tenor.kernel.quantity import plain
from tenor.wallets import WalletBalance
from tenor.wallets.model import HeldGrant, StoredUse, WalletEntry
from tenor.wire.forms import Amount, DecimalText, Instant, amount, instant


class WalletJson(TypedDict):
    """A wallet and what it has: free to use, held by reservations, and used ahead of any grant."""

    id: str
    customer_id: str
    code: str
    unit: str
    currency: str
    rate: DecimalText
    overdraws: bool
    pays: Literal["usage", "everything"]
    available: DecimalText
    held: DecimalText
    advanced: DecimalText


class GrantJson(TypedDict):
    """A deposit of credit and what is left of it; `cost` is what was paid for all of it, in the wallet's currency."""

    id: str
    amount: DecimalText
    remaining: DecimalText
    held: DecimalText
    cost: Amount
    paid_from: str
    category: str
    priority: int
    features: list[str]
    effective_at: Instant
    expires_at: Instant | None
    voided_at: Instant | None


class WalletEntryJson(TypedDict):
    """One movement in a wallet; `value` is the part of the grant's cost that moved with it."""

    entry_no: int
    at: Instant
    kind: str
    amount: DecimalText
    grant_id: str | None
    use_id: str | None
    value: Amount


class UseJson(TypedDict):
    """A use or a reservation: what was asked for, what is used, and what of it no grant has covered."""

    id: str
    wallet_id: str
    key: str
    feature: str | None
    status: str
    asked: DecimalText
    used: DecimalText
    uncovered: DecimalText
    made_at: Instant
    expires_at: Instant | None


def wallet_json(balance: WalletBalance) -> WalletJson:
    """Return a wallet and what it has."""
    wallet, terms = balance.wallet, balance.wallet.terms
    return WalletJson(
        id=to_wire("wal", wallet.id),
        customer_id=to_wire("cus", wallet.customer_id),
        code=terms.code,
        unit=terms.unit,
        currency=terms.currency,
        rate=plain(terms.rate),
        overdraws=terms.overdraws,
        pays=terms.pays,
        available=plain(balance.available),
        held=plain(balance.held),
        advanced=plain(balance.advanced),
    )


def grant_json(held: HeldGrant, currency: str) -> GrantJson:
    """Return a grant of a wallet that pays in `currency`."""
    grant = held.grant
    return GrantJson(
        id=to_wire("grt", held.id),
        amount=plain(grant.amount),
        remaining=plain(held.remaining),
        held=plain(held.reserved),
        cost=amount(held.cost_minor, currency),
        paid_from=held.paid_from,
        category=grant.category,
        priority=grant.priority,
        features=sorted(grant.features),
        effective_at=instant(grant.effective_at),
        expires_at=instant(grant.expires_at),
        voided_at=instant(grant.voided_at),
    )


def wallet_entry_json(entry: WalletEntry, currency: str) -> WalletEntryJson:
    """Return an entry of a wallet that pays in `currency`."""
    number, movement = entry
    return WalletEntryJson(
        entry_no=number,
        at=instant(movement.at),
        kind=movement.kind,
        amount=plain(movement.amount),
        grant_id=None if movement.grant_id is None else to_wire("grt", movement.grant_id),
        use_id=None if movement.use_id is None else to_wire("use", movement.use_id),
        value=amount(movement.value_minor, currency),
    )


def use_json(use: StoredUse) -> UseJson:
    """Return a use or a reservation."""
    return UseJson(
        id=to_wire("use", use.id),
        wallet_id=to_wire("wal", use.wallet_id),
        key=use.key,
        feature=use.feature,
        status=use.status,
        asked=plain(use.asked),
        used=plain(use.used),
        uncovered=plain(use.uncovered),
        made_at=instant(use.made_at),
        expires_at=instant(use.expires_at),
    )
