"""End the trial of a subscription, and the subscription with it."""

from datetime import datetime

from tenor.kernel.ids import SubscriptionId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions.changing import Effective, effective_instant, open_for_change
from tenor.subscriptions.model import Subscription
from tenor.subscriptions.operations.cancel import cancel
from tenor.subscriptions.rules.trials import running_trial


def end_trial(
    uow: UnitOfWork,
    subscription_id: SubscriptionId,
    *,
    effective: Effective,
    version: int,
    now: datetime,
    actor: str,
    reason: str,
) -> Subscription:
    """Cancel a subscription that is in its trial, without converting it; return how it then stands.

    "period_end" lets the customer have the trial to its end.

    Raises:
        SubscriptionNotFound, VersionConflict, OutsideLife, AlreadyCancelled: see `cancel`.
        NotInTrial: no trial runs then.
    """
    opened = open_for_change(uow, subscription_id, version=version, now=now)
    at, _ = effective_instant(uow, opened, "now" if effective == "period_end" else effective, now=now)
    running_trial(opened.subscription.trial_ends_at, at=at)
    return cancel(uow, subscription_id, effective=effective, version=version, now=now, actor=actor, reason=reason)
