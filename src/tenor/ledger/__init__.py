"""Ledger: accounts, transfers and their balances. It knows documents only by type and id."""

from tenor.ledger.model import CHART_OF_ACCOUNTS, AccountBalance, SourceType, Transfer, TrialBalance
from tenor.ledger.store import (
    TRANSFER_COLUMNS,
    CreditGone,
    customer_credits,
    insert_transfers,
    list_transfers,
    move_customer_credits,
    open_accounts,
    transfer_rows,
    trial_balance,
    write_transfers,
)

__all__ = [
    "CHART_OF_ACCOUNTS",
    "TRANSFER_COLUMNS",
    "AccountBalance",
    "CreditGone",
    "SourceType",
    "Transfer",
    "TrialBalance",
    "customer_credits",
    "insert_transfers",
    "list_transfers",
    "move_customer_credits",
    "open_accounts",
    "transfer_rows",
    "trial_balance",
    "write_transfers",
]
