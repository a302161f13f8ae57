"""Remove an add-on from a subscription."""

from datetime import datetime

from tenor.kernel.ids import ItemId, SubscriptionId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions.changing import Effective, open_for_change, record_changes
from tenor.subscriptions.model import AddOnRemoved, Closing, Recording, Subscription
from tenor.subscriptions.running import target_at


def remove_add_on(
    uow: UnitOfWork,
    subscription_id: SubscriptionId,
    *,
    add_on: ItemId,
    effective: Effective,
    version: int,
    now: datetime,
    actor: str,
    reason: str,
    closing: Closing = Closing.PRORATED,
) -> Subscription:
    """End an add-on at the effective instant; return how the subscription then stands.

    "period_end" is the end of the add-on's own billing period. `closing` says what becomes of the period that it cuts.

    Raises:
        SubscriptionNotFound, VersionConflict, OutsideLife, NoSuchAddOn: see `tenor.subscriptions.changing`, `running`.
    """
    opened = open_for_change(uow, subscription_id, version=version, now=now)
    at, _ = target_at(uow, opened, effective, add_on=add_on, now=now)
    return record_changes(uow, opened, [(AddOnRemoved(add_on, closing), at)], Recording(now, actor, reason))
