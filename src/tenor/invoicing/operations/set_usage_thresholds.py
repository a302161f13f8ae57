"""Set the usage thresholds of a subscription, or of all of a customer's in one currency."""

from datetime import datetime
from decimal import Decimal

from tenor.invoicing.usage_thresholds import save_thresholds
from tenor.kernel.ids import CustomerId, SubscriptionId
from tenor.kernel.money import exponent
from tenor.kernel.quantity import plain
from tenor.platform.telling import tell
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import MalformedThresholds, UsageThresholds, thresholds_to_json
from tenor.subscriptions import Subscription, look_soon


def set_usage_thresholds(
    uow: UnitOfWork,
    holder: Subscription | CustomerId,
    thresholds: UsageThresholds,
    *,
    currency: str,
    now: datetime,
    actor: str,
    reason: str,
) -> None:
    """Set at which amounts the usage of a running period is invoiced; no amount at all says never.

    What is set for a subscription goes before what is set for its customer, and that before the plan's own. The next
    bill run looks whether one is reached already.

    Raises:
        MalformedThresholds: an amount is finer than the currency.
        UnknownCurrency: nobody can pay in it.
    """
    _require_minor_units(thresholds, currency)
    subscription_id: SubscriptionId | None = None
    if isinstance(holder, Subscription):
        customer_id, subscription_id, currency = holder.customer_id, holder.id, holder.currency
    else:
        customer_id = holder
    save_thresholds(uow, customer_id, subscription_id, currency, thresholds, now=now, actor=actor, reason=reason)
    look_soon(uow, customer_id, subscription_id, now=now)
    kind, holder_id = ("customer", customer_id) if subscription_id is None else ("subscription", subscription_id)
    facts = {"currency": currency, **thresholds_to_json(thresholds)}
    tell(uow, f"{kind}.usage_thresholds_set", holder_id, facts, now=now, actor=actor, reason=reason)


def _require_minor_units(thresholds: UsageThresholds, currency: str) -> None:
    digits = exponent(currency)
    for amount in (*thresholds.amounts, *([] if thresholds.step is None else [thresholds.step])):
        if amount != round(amount, digits):
            raise MalformedThresholds(f"{plain(amount)} is finer than {currency}, which has {digits} digits")
        if amount >= Decimal(10) ** 15:
            raise MalformedThresholds(f"{plain(amount)} is too much")
