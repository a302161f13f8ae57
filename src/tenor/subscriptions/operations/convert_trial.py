"""Convert the trial of a subscription before it ends."""

from datetime import datetime

from tenor.kernel.ids import SubscriptionId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions.changing import Effective, effective_instant, open_for_change
from tenor.subscriptions.model import Recording, Subscription
from tenor.subscriptions.operations.extend_trial import trial_changed
from tenor.subscriptions.running import record_and_replan


def convert_trial(
    uow: UnitOfWork,
    subscription_id: SubscriptionId,
    *,
    effective: Effective,
    version: int,
    now: datetime,
    actor: str,
    reason: str,
) -> Subscription:
    """End the trial at the effective instant and go over into the paid plan; return how the subscription then stands.

    That holds also for a trial that would lapse. Billing periods that were to count from the end of the trial
    count from that instant.

    Raises:
        SubscriptionNotFound, VersionConflict, OutsideLife: see `tenor.subscriptions.changing`.
        NotInTrial: no trial runs then.
    """
    opened = open_for_change(uow, subscription_id, version=version, now=now)
    at, _ = effective_instant(uow, opened, effective, now=now)
    facts = trial_changed(opened, at, at=at, now=now)
    return record_and_replan(uow, opened, [(facts, at)], Recording(now, actor, reason))
