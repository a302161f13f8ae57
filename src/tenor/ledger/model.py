"""Accounts and transfers: double entry with one row for each movement of money."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal, NamedTuple
from uuid import UUID

from tenor.kernel.ids import CustomerId, TransferId

Side = Literal["debit", "credit"]
SourceType = Literal["invoice", "one_off", "credit_note", "payment", "write_off", "refund_request", "wallet"]
"""What can cause a transfer."""

CHART_OF_ACCOUNTS: Final[Mapping[str, Side]] = MappingProxyType(
    {
        "receivable": "debit",  # what customers owe on finalised documents
        "revenue": "credit",  # earned: the service has been delivered
        "deferred_revenue": "credit",  # invoiced ahead of the service
        "tax_payable": "credit",  # collected for the tax office
        "customer_credit": "credit",  # what is owed back to customers, drawn by their next invoices
        "refunds_payable": "credit",  # what is to be sent back to customers
        "cash": "debit",  # received from customers, less what was sent back
        "bad_debt": "debit",  # due on documents and given up as lost
        "prepaid_credits": "credit",  # what was paid for credit in wallets that is neither used nor lapsed
        "breakage": "credit",  # income: what was paid for credit that lapsed unused
        "credit_discounts": "debit",  # contra revenue: what credit paid of documents beyond what it had cost
    }
)
"""Every account code with the side on which its balance normally stands; one account per currency."""


class Transfer(NamedTuple):
    """One positive amount that debits one account and credits another.

    `source_type` and `source_id` name what caused it; `kind` says which part of it.
    """

    id: TransferId
    effective_at: datetime
    debit: str
    credit: str
    amount_minor: int
    currency: str
    customer_id: CustomerId
    source_type: SourceType
    source_id: UUID
    kind: str


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """Sums of one account: both sides, and the balance counted in the account's own direction."""

    code: str
    normal_side: Side
    currency: str
    debits_minor: int
    credits_minor: int

    @property
    def balance_minor(self) -> int:
        """Debits less credits for a debit account, credits less debits for a credit account."""
        difference = self.debits_minor - self.credits_minor
        return difference if self.normal_side == "debit" else -difference


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """All accounts of a tenant; in each currency the debits must equal the credits."""

    accounts: tuple[AccountBalance, ...]

    def difference_minor(self, currency: str) -> int:
        """Debits less credits over all accounts of `currency`: zero, or the books are wrong."""
        return sum(
            account.debits_minor - account.credits_minor for account in self.accounts if account.currency == currency
        )

    @property
    def currencies(self) -> tuple[str, ...]:
        """The currencies that occur, sorted."""
        return tuple(sorted({account.currency for account in self.accounts}))
