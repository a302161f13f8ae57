"""Wallets: prepaid credits as grants with priority and expiry, and the draws that use them."""

from tenor.wallets.errors import (
    CreditExhausted,
    GrantNotFound,
    MalformedWallet,
    ReservationSettled,
    TopUpNotFound,
    TopUpSettled,
    UseKeyReused,
    UseNotFound,
    UsePaysDocument,
    WalletExists,
    WalletNotFound,
)
from tenor.wallets.model import NewGrant, RecurringGrant, WalletTerms
from tenor.wallets.operations.give_back import give_back_credits
from tenor.wallets.operations.grant_credits import Granted, grant_credits, require_sound
from tenor.wallets.operations.keep_promises import keep_promises
from tenor.wallets.operations.lapse_grants import lapse_grants
from tenor.wallets.operations.open_wallet import open_wallet, open_wallets
from tenor.wallets.operations.pay_lines import LineToPay, PaidLine, PaidLines, pay_lines
from tenor.wallets.operations.recur import recur_credits, renew_grants, stop_recurring
from tenor.wallets.operations.restore_payments import RestoredPayment, restore_payments
from tenor.wallets.operations.set_alert import set_alert
from tenor.wallets.operations.settle_reservation import (
    commit_reservation,
    release_expired_reservations,
    release_reservation,
)
from tenor.wallets.operations.tick import Ticked, catch_up_wallets
from tenor.wallets.operations.top_up import order_top_ups, set_top_up, settle_top_up
from tenor.wallets.operations.use_credits import reserve_credits, use_credits
from tenor.wallets.operations.void_grant import void_grant
from tenor.wallets.queries import (
    WalletBalance,
    find_wallet,
    next_instant_of_wallets,
    voided_minor,
    wallet_balances,
    wallet_entries,
    wallet_grants,
    wallet_owners,
)
from tenor.wallets.rules.spending import NothingToRestore
from tenor.wallets.store.alerts import WalletAlert, wallet_alerts
from tenor.wallets.store.drift import BookedOtherwise, wallets_booked_otherwise, wallets_that_do_not_add_up
from tenor.wallets.store.recurring import recurring_of_wallet
from tenor.wallets.store.top_ups import TopUpOrder, TopUpRule, mark_invoiced, top_up_orders, top_up_rule
from tenor.wallets.store.wallets import lock_wallets, lock_wallets_of
from tenor.wallets.using import Used, UseRequest

__all__ = [
    "BookedOtherwise",
    "CreditExhausted",
    "GrantNotFound",
    "Granted",
    "LineToPay",
    "MalformedWallet",
    "NewGrant",
    "NothingToRestore",
    "PaidLine",
    "PaidLines",
    "RecurringGrant",
    "ReservationSettled",
    "RestoredPayment",
    "Ticked",
    "TopUpNotFound",
    "TopUpOrder",
    "TopUpRule",
    "TopUpSettled",
    "UseKeyReused",
    "UseNotFound",
    "UsePaysDocument",
    "UseRequest",
    "Used",
    "WalletAlert",
    "WalletBalance",
    "WalletExists",
    "WalletNotFound",
    "WalletTerms",
    "catch_up_wallets",
    "commit_reservation",
    "find_wallet",
    "give_back_credits",
    "grant_credits",
    "keep_promises",
    "lapse_grants",
    "lock_wallets",
    "lock_wallets_of",
    "mark_invoiced",
    "next_instant_of_wallets",
    "open_wallet",
    "open_wallets",
    "order_top_ups",
    "pay_lines",
    "recur_credits",
    "recurring_of_wallet",
    "release_expired_reservations",
    "release_reservation",
    "renew_grants",
    "require_sound",
    "reserve_credits",
    "restore_payments",
    "set_alert",
    "set_top_up",
    "settle_top_up",
    "stop_recurring",
    "top_up_orders",
    "top_up_rule",
    "use_credits",
    "void_grant",
    "voided_minor",
    "wallet_alerts",
    "wallet_balances",
    "wallet_entries",
    "wallet_grants",
    "wallet_owners",
    "wallets_booked_otherwise",
    "wallets_that_do_not_add_up",
]
