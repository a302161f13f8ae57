"""Follow usage: what follows from usage that was written, in the same transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from tenor.invoicing.cut_off import set_late_usage_aside
from tenor.invoicing.usage_alerts import Crossing, subscriptions_with_alerts, tell_alerts
from tenor.metering import TouchedUsage
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions import LateUsage, mark_late_usage


@dataclass(frozen=True, slots=True)
class FollowedUsage:
    """What followed: items that are looked at again, alerts that were told, events after their cut-off."""

    late_items: int
    alerts: tuple[Crossing, ...]
    after_cut_off: int


def follow_usage(uow: UnitOfWork, touched: Iterable[TouchedUsage], *, now: datetime) -> FollowedUsage:
    """Do what follows from usage that was taken, corrected or cancelled: call it in the transaction that wrote it.

    What came after its cut-off is set aside. The next bill run looks again at the items that it changes, and at those
    whose usage is billed in advance or may have reached a threshold. Alerts that it has reached are told.
    """
    found = list(touched)
    after_cut_off = set_late_usage_aside(uow, found, now=now)
    # Also where all of it was set aside: a person may have corrected what is closed, and a look too many bills nothing.
    late_items = mark_late_usage(uow, [LateUsage(*one) for one in found], now=now)
    told_of = subscriptions_with_alerts(uow, [(one.customer_id, one.metric_code) for one in found])
    return FollowedUsage(late_items, tuple(tell_alerts(uow, told_of, as_of=now)), after_cut_off)
