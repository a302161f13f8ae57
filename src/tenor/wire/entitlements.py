"""Entitlements as JSON."""

from typing_extensions import TypedDict

from tenor.kernel.quantity import plain
from tenor.subscriptions import Entitlement
from tenor.wire.forms import DecimalText


class EntitlementJson(TypedDict):
    """What a customer may do with a feature and why; `limit` null: unlimited."""

    feature: str
    allowed: bool
    access: str
    limit: DecimalText | None
    reason: str
    source: str


def entitlement_json(found: Entitlement) -> EntitlementJson:
    """Return an entitlement."""
    return EntitlementJson(
        feature=found.feature,
        allowed=found.allowed,
        access=found.access.value,
        limit=None if found.limit is None else plain(found.limit),
        reason=found.reason.value,
        source=found.source,
    )
