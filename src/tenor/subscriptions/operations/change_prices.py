"""Change the unit prices that a subscription has agreed on, at once or in the steps of a ramp."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from tenor.kernel.ids import ItemId, SubscriptionId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions.changing import Effective, open_for_change, record_changes
from tenor.subscriptions.errors import Flaw, TermsRefused
from tenor.subscriptions.model import PricesChanged, Recording, Subscription
from tenor.subscriptions.rules.terms import changed_prices
from tenor.subscriptions.running import target_at


class PriceStep(NamedTuple):
    """Unit prices in major units, by charge code, from an instant on; None is the price of the plan version."""

    effective: Effective
    prices: Mapping[str, Decimal | None]


def change_prices(
    uow: UnitOfWork,
    subscription_id: SubscriptionId,
    *,
    steps: Sequence[PriceStep],
    version: int,
    now: datetime,
    actor: str,
    reason: str,
    add_on: ItemId | None = None,
) -> Subscription:
    """Agree on the prices of `steps`, each from its own instant on; return how the subscription then stands.

    A price holds until a later step names the same charge, or until a change of plan. Each step is an entry of
    the journal. All are written or none.

    Raises:
        SubscriptionNotFound, VersionConflict, OutsideLife, NoSuchAddOn: see `tenor.subscriptions.changing`, `running`.
        TermsRefused: no steps, two at one instant, or prices that the plan running then does not allow.
    """
    opened = open_for_change(uow, subscription_id, version=version, now=now)
    entries: dict[datetime, PricesChanged] = {}
    flaws = [] if steps else [Flaw("steps", "none are named")]
    for place, step in enumerate(steps):
        at, target = target_at(uow, opened, step.effective, add_on=add_on, now=now)
        agreed, wrong = changed_prices(target.plan, step.prices)
        if not step.prices:
            wrong = [Flaw("prices", "none are named")]
        if at in entries:
            wrong = [Flaw("effective", "another step has the same instant")]
        flaws += [Flaw(f"steps[{place}].{flaw.field}", flaw.message) for flaw in wrong]
        entries[at] = PricesChanged(agreed, add_on)
    if flaws:
        raise TermsRefused(flaws)
    in_order = [(entries[at], at) for at in sorted(entries)]
    return record_changes(uow, opened, in_order, Recording(now, actor, reason))
