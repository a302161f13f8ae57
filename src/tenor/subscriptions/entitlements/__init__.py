"""Entitlements: what a customer may use at an instant, by plan, add-ons, overrides and state."""

from tenor.subscriptions.entitlements.errors import (
    FeatureNotFound,
    MalformedOverride,
    OverrideNotFound,
    OverrideRevoked,
)
from tenor.subscriptions.entitlements.model import Access, Entitlement, NewOverride, Reason
from tenor.subscriptions.entitlements.operations import (
    check_entitlement,
    entitlements_of,
    override_entitlement,
    revoke_override,
    set_access,
)
from tenor.subscriptions.entitlements.store import access_by_state

__all__ = [
    "Access",
    "Entitlement",
    "FeatureNotFound",
    "MalformedOverride",
    "NewOverride",
    "OverrideNotFound",
    "OverrideRevoked",
    "Reason",
    "access_by_state",
    "check_entitlement",
    "entitlements_of",
    "override_entitlement",
    "revoke_override",
    "set_access",
]
