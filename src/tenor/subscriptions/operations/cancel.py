"""Cancel a subscription."""

from datetime import datetime

from tenor.kernel.ids import SubscriptionId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions.changing import Effective, effective_instant, open_for_change, record_change
from tenor.subscriptions.model import Cancelled, Recording, Subscription


def cancel(
    uow: UnitOfWork,
    subscription_id: SubscriptionId,
    *,
    effective: Effective,
    version: int,
    now: datetime,
    actor: str,
    reason: str,
) -> Subscription:
    """End service and billing at the effective instant; return how the subscription then stands.

    An end that has come already, or a start that will never come, moves the state at once; an end ahead
    leaves it until the calendar reaches it. A subscription can be cancelled again for an earlier instant.

    Raises:
        SubscriptionNotFound, VersionConflict: see `tenor.subscriptions.changing`.
        OutsideLife: it has ended by then anyhow, or not begun.
    """
    opened = open_for_change(uow, subscription_id, version=version, now=now)
    at, _ = effective_instant(uow, opened, effective, now=now)
    return record_change(uow, opened, Cancelled(), at=at, recording=Recording(now, actor, reason))
