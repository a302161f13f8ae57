"""The books as JSON."""

from typing_extensions import TypedDict

from tenor.events import object_to_wire
from tenor.kernel.ids import to_wire
from tenor.ledger import Transfer, TrialBalance
from tenor.wire.forms import Amount, Instant, amount, instant


class AccountJson(TypedDict):
    """An account with the sums of both its sides; the balance counts in its own direction."""

    code: str
    currency: str
    debits: Amount
    credits: Amount
    balance: Amount


class TrialBalanceJson(TypedDict):
    """All accounts; `difference` is debits less credits by currency, which is zero."""

    accounts: list[AccountJson]
    difference: dict[str, Amount]


def balance_json(balance: TrialBalance) -> TrialBalanceJson:
    """Return the trial balance."""
    return TrialBalanceJson(
        accounts=[
            AccountJson(
                code=account.code,
                currency=account.currency,
                debits=amount(account.debits_minor, account.currency),
                credits=amount(account.credits_minor, account.currency),
                balance=amount(account.balance_minor, account.currency),
            )
            for account in balance.accounts
        ],
        difference={currency: amount(balance.difference_minor(currency), currency) for currency in balance.currencies},
    )


class TransferJson(TypedDict):
    """One amount that debits one account and credits another; `source` is what caused it, `kind` which part of it."""

    id: str
    effective_at: Instant
    debit: str
    credit: str
    amount: Amount
    currency: str
    customer_id: str
    source_type: str
    source: str
    kind: str


def transfer_json(transfer: Transfer) -> TransferJson:
    """Return a transfer."""
    return TransferJson(
        id=to_wire("trf", transfer.id),
        effective_at=instant(transfer.effective_at),
        debit=transfer.debit,
        credit=transfer.credit,
        amount=amount(transfer.amount_minor, transfer.currency),
        currency=transfer.currency,
        customer_id=to_wire("cus", transfer.customer_id),
        source_type=transfer.source_type,
        source=object_to_wire(transfer.source_type, transfer.source_id),
        kind=transfer.kind,
    )
