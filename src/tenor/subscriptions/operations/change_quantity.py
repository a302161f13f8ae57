"""Change how many seats a subscription holds."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from tenor.kernel.ids import SubscriptionId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions.changing import Effective, effective_instant, open_for_change, plan_of, record_change
from tenor.subscriptions.errors import Flaw, TermsRefused
from tenor.subscriptions.model import QuantityChanged, Recording, Subscription
from tenor.subscriptions.rules.terms import agreed_quantities


def change_quantity(
    uow: UnitOfWork,
    subscription_id: SubscriptionId,
    *,
    quantities: Mapping[str, Decimal],
    effective: Effective,
    version: int,
    now: datetime,
    actor: str,
    reason: str,
) -> Subscription:
    """Set the units of the named seat charges (not a difference) from the effective instant; return how it then stands.

    They hold until a change of quantity or plan that is effective later.

    Raises:
        SubscriptionNotFound, VersionConflict, OutsideLife: see `tenor.subscriptions.changing`.
        TermsRefused: none are named, or the plan that runs then does not allow them.
    """
    opened = open_for_change(uow, subscription_id, version=version, now=now)
    at, item = effective_instant(uow, opened, effective, now=now)
    agreed, flaws = agreed_quantities(plan_of(uow, item), quantities)
    if not quantities:
        flaws = [Flaw("quantities", "none are named")]
    if flaws:
        raise TermsRefused(flaws)
    return record_change(uow, opened, QuantityChanged(agreed), at=at, recording=Recording(now, actor, reason))
