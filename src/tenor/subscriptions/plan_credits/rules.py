"""What plans promise: the credit of each subscription, of all its items that run and are entitled."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal, localcontext
from typing import NamedTuple

from tenor.kernel.ids import CustomerId, SubscriptionId
from tenor.kernel.money import EXACT
from tenor.pricing.model import PlanCredit, PlanVersion
from tenor.subscriptions.model import PhaseState, Status, Terms


class RunningItem(NamedTuple):
    """An item that runs at an instant, with what its phase and its subscription say."""

    subscription_id: SubscriptionId
    customer_id: CustomerId
    timezone: str
    profile: str
    status: Status
    anchor_at: datetime
    state: PhaseState
    terms: Terms
    plan: PlanVersion


class Promised(NamedTuple):
    """Credit that a subscription is promised: `amount` in all; the rest as its first item says it."""

    item: RunningItem
    credit: PlanCredit
    amount: Decimal


def promised(items: Iterable[RunningItem], *, is_entitled: Callable[[RunningItem], bool]) -> list[Promised]:
    """Return the credit that items promise, one for each subscription, wallet and code: their amounts add up.

    An item that is paused, or whose subscription is not entitled, promises nothing.
    """
    found: dict[tuple[SubscriptionId, str, str], Promised] = {}
    with localcontext(EXACT):
        for item in items:
            if not is_entitled(item):
                continue
            for credit in item.plan.credits:
                key = (item.subscription_id, credit.wallet, credit.code)
                amount = credit.amount * _quantity(item, credit.per)
                first = found.get(key, Promised(item, credit, Decimal(0)))
                found[key] = first._replace(amount=first.amount + amount)
    return [one for one in found.values() if one.amount]


def _quantity(item: RunningItem, charge_code: str | None) -> Decimal:
    """Return how often a credit is promised: the units of a charge; once where a contract has dropped the charge."""
    defaults: Mapping[str, Decimal] = {charge.code: charge.default_quantity for charge in item.plan.charges}
    if charge_code is None or charge_code not in defaults:
        return Decimal(1)
    return item.terms.quantities.get(charge_code, defaults[charge_code])
