"""Keep with a subscription what the tenant's own systems want to find there."""

from collections.abc import Mapping
from datetime import datetime

from tenor.kernel.ids import SubscriptionId
from tenor.platform.telling import tell
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions.store.subscriptions import write_metadata


def set_metadata(
    uow: UnitOfWork,
    subscription_id: SubscriptionId,
    metadata: Mapping[str, str],
    *,
    now: datetime,
    actor: str,
    reason: str,
) -> None:
    """Replace the metadata of a subscription. It is no change of the subscription: its version stays.

    Raises:
        SubscriptionNotFound: there is none with the id.
    """
    write_metadata(uow, subscription_id, metadata)
    facts = {"names": sorted(metadata)}
    tell(uow, "subscription.metadata_set", subscription_id, facts, now=now, actor=actor, reason=reason)
