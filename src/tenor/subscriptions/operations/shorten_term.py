"""Shorten the agreed term of a subscription, or agree on one."""

from datetime import datetime

from tenor.kernel.ids import SubscriptionId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions.changing import open_for_change, record_changes
from tenor.subscriptions.model import Recording, Subscription, TermChanged
from tenor.subscriptions.rules.renewal import open_term, shortened


def shorten_term(
    uow: UnitOfWork,
    subscription_id: SubscriptionId,
    *,
    ends_at: datetime,
    version: int,
    now: datetime,
    actor: str,
    reason: str,
) -> Subscription:
    """Let the subscription expire at `ends_at`, earlier than agreed so far; return how it then stands.

    Raises:
        SubscriptionNotFound, VersionConflict: see `tenor.subscriptions.changing`.
        TermRefused: it is cancelled or has ended, the instant is not ahead or not earlier, or a change of the term is
            planned.
    """
    opened = open_for_change(uow, subscription_id, version=version, now=now)
    at = max(now, opened.subscription.starts_at)
    term = open_term(opened.subscription, opened.journal, now=now)
    facts = TermChanged(shortened(term, ends_at, since=at))
    return record_changes(uow, opened, [(facts, at)], Recording(now, actor, reason))
