"""Change how many seats a subscription holds."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal

from tenor.kernel.calendar import period_at
from tenor.kernel.ids import ItemId, SubscriptionId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions.changing import Effective, Opened, open_for_change, record_changes
from tenor.subscriptions.errors import Flaw, TermsRefused
from tenor.subscriptions.model import QuantityChanged, Recording, Subscription
from tenor.subscriptions.rules.grid import billing_grid
from tenor.subscriptions.rules.ratchet import ratcheted
from tenor.subscriptions.rules.resumption import Running
from tenor.subscriptions.rules.terms import agreed_quantities
from tenor.subscriptions.running import target_at, terms_at


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
    add_on: ItemId | None = None,
    decrease: Literal["now", "renewal"] = "now",
) -> Subscription:
    """Set the units of the named seat charges (not a difference) from the effective instant; return how it then stands.

    They hold until a change of quantity or plan that is effective later. With `decrease` "renewal" those that
    fall wait for the next boundary of the billing grid, as an entry of the journal of their own.

    Raises:
        SubscriptionNotFound, VersionConflict, OutsideLife, NoSuchAddOn: see `tenor.subscriptions.changing`, `running`.
        TermsRefused: none are named, or the plan that runs then does not allow them.
    """
    opened = open_for_change(uow, subscription_id, version=version, now=now)
    at, target = target_at(uow, opened, effective, add_on=add_on, now=now)
    agreed, flaws = agreed_quantities(target.plan, quantities)
    if not quantities:
        flaws = [Flaw("quantities", "none are named")]
    if flaws:
        raise TermsRefused(flaws)
    if decrease == "renewal":
        parts = ratcheted(terms_at(target, at).quantities, agreed)
        planned = [(parts.at_once, at), (parts.at_renewal, _renewal(target, opened, at))]
    else:
        planned = [(agreed, at)]
    entries = [(QuantityChanged(part, add_on), since) for part, since in planned if part]
    return record_changes(uow, opened, entries, Recording(now, actor, reason))


def _renewal(target: Running, opened: Opened, at: datetime) -> datetime:
    """Return the first boundary of the item's grid from `at` on."""
    period = period_at(billing_grid(target.item, target.plan.interval, opened.subscription), at)
    return at if period.start == at else period.end
