"""Renew the agreed term of a subscription."""

from datetime import datetime

from tenor.kernel.calendar import Interval
from tenor.kernel.ids import SubscriptionId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions.changing import open_for_change, record_changes
from tenor.subscriptions.errors import TermRefused
from tenor.subscriptions.model import Recording, Subscription, TermChanged
from tenor.subscriptions.rules.renewal import agreed_term, prolonged


def renew(
    uow: UnitOfWork,
    subscription_id: SubscriptionId,
    *,
    by: Interval | None,
    version: int,
    now: datetime,
    actor: str,
    reason: str,
) -> Subscription:
    """Let another term follow the one that is agreed; return how the subscription then stands.

    The new term has the length `by`, None: that of the agreed renewal. It is effective at the end of the term that
    it follows, so it can be undone until then. One that is recorded after that end takes up service again from
    there, as if it had never stopped.

    Raises:
        SubscriptionNotFound, VersionConflict: see `tenor.subscriptions.changing`.
        TermRefused: no term ends, a cancellation ends it, or no length is given and none is agreed.
    """
    opened = open_for_change(uow, subscription_id, version=version, now=now)
    term = agreed_term(opened.subscription, opened.journal)
    length = by or opened.subscription.renewal
    if length is None or term.ends_at is None:
        missing = "no term ends, so there is nothing to renew" if length else "no renewal is agreed; say by how much"
        raise TermRefused(missing)
    entries = [(TermChanged(prolonged(term, length)), term.ends_at)]
    return record_changes(uow, opened, entries, Recording(now, actor, reason))
