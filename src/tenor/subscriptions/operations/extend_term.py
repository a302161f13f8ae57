"""Extend the agreed term of a subscription."""

from datetime import datetime

from tenor.kernel.calendar import Interval
from tenor.kernel.ids import SubscriptionId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions.changing import open_for_change, record_changes
from tenor.subscriptions.model import Recording, Subscription, TermChanged
from tenor.subscriptions.rules.renewal import open_term, prolonged


def extend_term(
    uow: UnitOfWork,
    subscription_id: SubscriptionId,
    *,
    by: Interval | datetime | None,
    version: int,
    now: datetime,
    actor: str,
    reason: str,
) -> Subscription:
    """Let the term that runs end later: by an interval, at an instant, or never (None); return how it then stands.

    A subscription that is about to expire is in good standing again. Plan, prices and billing dates stay.

    Raises:
        SubscriptionNotFound, VersionConflict: see `tenor.subscriptions.changing`.
        TermRefused: the term has no end or has ended, a cancellation ends it, the instant is not later, or a change of
            the term is planned.
    """
    opened = open_for_change(uow, subscription_id, version=version, now=now)
    ends_at = prolonged(open_term(opened.subscription, opened.journal, now=now), by)
    at = max(now, opened.subscription.starts_at)
    return record_changes(uow, opened, [(TermChanged(ends_at), at)], Recording(now, actor, reason))
