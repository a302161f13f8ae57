"""Transfers: what the entries of a wallet mean in the ledger. Prepaid credit is owed to a customer until it is used.

Worked tables: docs/algorithms/credits.md; why it is booked so: ADR 17.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from tenor.kernel.ids import GrantId, WalletUseId
from tenor.wallets.model import SIGNS, EntryKind, HeldGrant, PaidFrom, WalletEntry


class WalletTransfer(NamedTuple):
    """One positive amount, in minor units, that debits one account and credits another.

    It stands for `entry`, or for all entries of its use in one transaction; `kind` says which part of it.
    """

    entry: WalletEntry
    kind: str
    debit: str
    credit: str
    amount_minor: int


_PAID: Final[Mapping[PaidFrom, str]] = MappingProxyType(
    {"cash": "cash", "invoice": "deferred_revenue", "customer_credit": "customer_credit"}
)
"""The account that a grant's cost comes from."""
_OWED_BACK: Final[Mapping[PaidFrom, str]] = MappingProxyType(
    {"cash": "customer_credit", "invoice": "deferred_revenue", "customer_credit": "customer_credit"}
)
"""The account that takes what was paid for credit that is voided: the next invoice draws it, or a credit note does."""


def transfers_of(
    entries: Iterable[WalletEntry], *, grants: Mapping[GrantId, HeldGrant], paid_minor: Mapping[WalletUseId, int]
) -> Iterator[WalletTransfer]:
    """Yield the transfers of the entries of one transaction; credit that cost nothing, and pays nothing, has none.

    A use earns what the credit for it had cost. One that pays a document (`paid_minor`: how much more, or less) settles
    what is receivable instead, because the document has booked its revenue itself; the difference to what the credit
    had cost, either way, is a discount on that revenue.
    """
    of_documents: dict[WalletUseId, list[WalletEntry]] = defaultdict(list)
    for entry in entries:
        movement = entry.movement
        if movement.use_id is not None and movement.use_id in paid_minor:
            of_documents[movement.use_id].append(entry)
        elif movement.grant_id is not None:
            sides = _sides(movement.kind, grants[movement.grant_id].paid_from)
            yield from _transfer(entry, movement.kind, *sides, movement.value_minor)
    for use_id, parts in of_documents.items():
        kind = parts[0].movement.kind
        cost_minor = -sum(SIGNS[movement.kind] * movement.value_minor for _, movement in parts)
        yield from _transfer(parts[0], kind, "prepaid_credits", "receivable", cost_minor)
        discount_minor = paid_minor[use_id] - cost_minor
        yield from _transfer(parts[0], f"{kind}_discount", "credit_discounts", "receivable", discount_minor)


def _sides(kind: EntryKind, paid_from: PaidFrom) -> tuple[str, str]:
    """Return what an entry debits and credits. What is set aside or advanced moves no value and so debits nothing."""
    match kind:
        case "granted":
            return _PAID[paid_from], "prepaid_credits"
        case "voided":
            return "prepaid_credits", _OWED_BACK[paid_from]
        case "lapsed":
            return "prepaid_credits", "breakage"
        case "restored":
            return "revenue", "prepaid_credits"
        case _:
            return "prepaid_credits", "revenue"


def _transfer(entry: WalletEntry, kind: str, debit: str, credit: str, amount_minor: int) -> Iterator[WalletTransfer]:
    """Yield the transfer of an amount; the sides of a negative one change places, and one of nothing is none."""
    if amount_minor < 0:
        debit, credit = credit, debit
    if amount_minor:
        yield WalletTransfer(entry, kind, debit, credit, abs(amount_minor))
