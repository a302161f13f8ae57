"""Payments, attempts and transactions as Kill Bill moves them.

A payment is a chain of operations; each is begun, asked of the provider, and answered. An attempt is one try to pay
a document, a transaction what the provider was asked and may not have answered.

Source: killbill, PaymentStates.xml and RetryStates.xml.
"""

from collections.abc import Mapping
from typing import Final

from tenor.conformance.machines.table import Rule, Situation, Table

_OPERATIONS: Final = ("authorize", "capture", "purchase", "refund", "credit", "void", "chargeback")

_ANSWERS: Final[Mapping[str, str]] = {
    "provider_success": "success",
    "provider_declined": "failed",
    "provider_pending": "pending",
    "provider_error_or_timeout": "errored",
}

_FOLLOWED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "new_init": ("authorize", "purchase", "credit"),
    "authorize_success": ("capture", "void"),
    "capture_success": ("capture", "refund", "chargeback"),
    "purchase_success": ("refund", "chargeback"),
    "refund_success": ("refund", "chargeback"),
    "chargeback_success": ("chargeback",),
    "chargeback_failed": ("refund",),  # the dispute was won, so the payment stands and can be refunded
}
"""Which operations may be begun on a payment, by where its last one stands."""

PAYMENT: Final[Table] = {
    **{
        (f"{operation}_{asked}", answer): f"{operation}_{outcome}"
        for operation in _OPERATIONS
        for asked in ("init", "pending")
        for answer, outcome in _ANSWERS.items()
    },
    **{
        (state, f"start_{operation}"): f"{operation}_init"
        for state, operations in _FOLLOWED_BY.items()
        for operation in operations
    },
}


def _retried_or_aborted(situation: Situation) -> str:
    return "retried" if situation.given.get("retry_date") else "aborted"


_TRIED: Final[Mapping[str, str | Rule]] = {
    "finished": "success",
    "payment_succeeded": "success",
    "retry_scheduled": "retried",
    "given_up": "aborted",
    "aborted_by_rule": "aborted",
    "payment_declined": _retried_or_aborted,
    "payment_error": _retried_or_aborted,
    "unexpected_error": _retried_or_aborted,
}

ATTEMPT: Final[Table] = {(state, trigger): row for state in ("init", "retried") for trigger, row in _TRIED.items()}

_REPORTED: Final[Mapping[str, str]] = {"success": "success", "declined": "failed"}


def _as_reported(situation: Situation) -> str:
    """Take over what the provider says; where it says nothing, nothing is known that was not known before."""
    return _REPORTED.get(situation.given.get("provider_says", "nothing"), str(situation.state))


TRANSACTION: Final[Table] = {
    (state, "reconcile"): _as_reported for state in ("unknown", "pending", "success", "failed")
}
