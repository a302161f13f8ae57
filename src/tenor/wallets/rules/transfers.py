"""Transfers: what the entries of a wallet mean in the ledger. Prepaid credit is owed to a customer until it is used."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, NamedTuple

from tenor.kernel.ids import CustomerId, WalletId
from tenor.wallets.model import EntryKind, WalletEntry


class WalletTransfer(NamedTuple):
    """One positive amount that debits one account and credits another; the ledger gives it an id and its accounts.

    `entry_no` numbers the entry of the wallet that it stands for, so that it can be booked once.
    """

    at: datetime
    debit: str
    credit: str
    amount_minor: int
    currency: str
    customer_id: CustomerId
    wallet_id: WalletId
    entry_no: int
    kind: EntryKind


_ACCOUNTS: Final[Mapping[EntryKind, tuple[str, str]]] = MappingProxyType(
    {
        "granted": ("receivable", "prepaid_credits"),
        "drawn": ("prepaid_credits", "revenue"),
        "repaid": ("prepaid_credits", "revenue"),
        "restored": ("revenue", "prepaid_credits"),
        "lapsed": ("prepaid_credits", "breakage"),
        "voided": ("prepaid_credits", "customer_credit"),
    }
)
"""What each entry debits and credits. Credit that is only held is still owed; an advance has been paid by nobody."""


def transfers_of(
    entries: Iterable[WalletEntry], *, customer_id: CustomerId, currency: str, pays_document: bool = False
) -> Iterator[WalletTransfer]:
    """Yield the transfers of entries of one wallet, in minor units of its currency; credit that cost nothing has none.

    `pays_document`: draws pay a document that has booked its revenue itself, so they settle what is receivable.
    """
    earned = "receivable" if pays_document else "revenue"
    for entry_no, movement in entries:
        if movement.kind not in _ACCOUNTS or not movement.value_minor:
            continue
        debit, credit = (earned if code == "revenue" else code for code in _ACCOUNTS[movement.kind])
        yield WalletTransfer(
            movement.at,
            debit,
            credit,
            movement.value_minor,
            currency,
            customer_id,
            movement.wallet_id,
            entry_no,
            movement.kind,
        )
