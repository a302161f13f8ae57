"""The cut-off of late usage: from which instant on usage that arrives now is still billed for its own period."""

from datetime import datetime, timedelta

from tenor.kernel.calendar import Grid, period_at
from tenor.pricing.policy import Policy

_INSTANT = timedelta(microseconds=1)


def open_from(grid: Grid, policy: Policy, *, now: datetime) -> datetime | None:
    """Return the start of the earliest period of a charge that late usage may still change; None: any may be.

    Days after its end a period closes by `late_usage_days`, and so many periods later by `late_usage_periods`.
    """
    starts = []
    if policy.metering.late_usage_days is not None:
        starts.append(period_at(grid, now - timedelta(days=policy.metering.late_usage_days)).start)
    if policy.billing.late_usage_periods is not None:
        period = period_at(grid, now)
        for _ in range(policy.billing.late_usage_periods):
            period = period_at(grid, period.start - _INSTANT)
        starts.append(period.start)
    return max(starts, default=None)
