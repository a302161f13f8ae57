"""Scopes: what a key may do, as `area:read` and `area:write`."""

from collections.abc import Collection, Sequence
from typing import Final

from tenor.kernel.errors import Malformed, Refusal

AREAS: Final = {
    "keys": "API keys",
    "users": "people who sign in",
    "catalog": "products, metrics, features, price books, contracts and coupons",
    "customers": "customers and how they are billed",
    "taxes": "tax rates, and how customers are taxed",
    "subscriptions": "subscriptions, their changes and entitlements",
    "usage": "usage events and what they come to",
    "wallets": "prepaid credits",
    "invoices": "documents, one-off charges, credit notes",
    "runs": "bill runs",
    "ledger": "accounts and transfers",
    "events": "the event feed",
    "audit": "the record of who did what",
    "webhooks": "endpoints that events are sent to",
    "clock": "a sandbox's clock",
}
"""What scopes are about. To write does not include to read: who sends usage need not see any."""

_VERBS: Final = ("read", "write")
EVERYTHING: Final = ("*:read", "*:write")
"""The scopes of a key that may do all, whatever is added later."""


class UnknownScope(Malformed):
    """A scope that there is not."""

    code = "unknown_scope"


class ScopeMissing(Refusal):
    """A call that the key has no scope for."""

    code = "scope_missing"


def require_known(scopes: Sequence[str]) -> None:
    """Refuse scopes that there are not.

    Raises:
        UnknownScope: with the first one.
    """
    for scope in scopes:
        area, colon, verb = scope.partition(":")
        if not colon or verb not in _VERBS or area not in {*AREAS, "*"}:
            raise UnknownScope(f"{scope[:60]!r} is no scope; write AREA:read or AREA:write with * or one of {_areas()}")


def require_scope(held: Collection[str], needed: str) -> None:
    """Refuse a call that needs a scope which is not `held`.

    Raises:
        ScopeMissing: as said.
    """
    if not holds_scope(held, needed):
        raise ScopeMissing(f"this key lacks the scope {needed}", scope=needed)


def holds_scope(held: Collection[str], needed: str) -> bool:
    """Whether a scope that is needed is among those that are `held`."""
    _, _, verb = needed.partition(":")
    return needed in held or f"*:{verb}" in held


def _areas() -> str:
    return ", ".join(sorted(AREAS))
