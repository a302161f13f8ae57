"""Eligibility: which lines of an invoice a grant may pay."""

from datetime import datetime
from typing import Literal, NamedTuple

EligibilityRule = Literal["effective_at_period_end", "effective_before_service_end"]


class GrantTerms(NamedTuple):
    """What decides whether a grant may pay: its currency or unit, and when it is in force; None is open."""

    unit: str | None
    effective_at: datetime | None
    expires_at: datetime | None


class PayableLine(NamedTuple):
    """What decides whether a line may be paid: its currency, the end of its service period, and if it is metered."""

    unit: str | None
    period_end: datetime
    is_metered: bool


def may_pay(grant: GrantTerms, line: PayableLine, rule: EligibilityRule) -> bool:
    """Whether a grant may pay a line: metered usage in its own currency, of a period that it belongs to.

    `effective_at_period_end`: it is in force at the end of the period. `effective_before_service_end`: it came into
    force before that end; whether it is still in force is then asked when it is drawn.
    """
    if not line.is_metered or grant.unit != line.unit:
        return False
    return in_force_for(grant, line.period_end, rule)


def in_force_for(grant: GrantTerms, period_end: datetime, rule: EligibilityRule) -> bool:
    """Whether a grant belongs to service that ends at `period_end`."""
    start = grant.effective_at
    if rule == "effective_before_service_end":
        return start is None or start < period_end
    return (start is None or start <= period_end) and (grant.expires_at is None or period_end < grant.expires_at)
