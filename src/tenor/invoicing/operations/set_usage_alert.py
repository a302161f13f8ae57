"""Set and remove usage alerts."""

from datetime import datetime
from decimal import Decimal

from tenor.invoicing.cost_so_far import cost_so_far
from tenor.invoicing.usage_alerts import Crossing, UsageAlert, add_alert, tell_alerts
from tenor.kernel.errors import Malformed, NotFound
from tenor.kernel.ids import UsageAlertId, new_id, to_wire
from tenor.kernel.quantity import parse_quantity, plain
from tenor.platform.audit import Deed, record
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions import Subscription


class MalformedUsageAlert(Malformed):
    """A usage alert that says neither a threshold nor a percentage of something, or both."""

    code = "malformed_usage_alert"


def set_usage_alert(
    uow: UnitOfWork,
    subscription: Subscription,
    *,
    metric: str | None = None,
    threshold: Decimal | None = None,
    percent: Decimal | None = None,
    base: Decimal | None = None,
    now: datetime,
    actor: str,
    reason: str,
) -> tuple[UsageAlert, list[Crossing]]:
    """Tell once in each period when usage reaches a threshold; return the alert and what is told of at once.

    Counted are the units of `metric`, or without one what all usage costs so far, in major units. The threshold is
    absolute, or a `percent` of `base`: without one, of the units that the charge for the metric includes.

    Raises:
        NotFound: the subscription does not pay for this metric.
        MalformedUsageAlert, NotADecimal: what was asked for is no threshold above zero.
    """
    if metric is not None:
        included = _included(uow, subscription, metric, now=now)
        base = base if base is not None or percent is None else included
    alert = UsageAlert(
        UsageAlertId(new_id(now)),
        subscription.id,
        metric,
        _threshold(threshold, percent, base),
        base if percent is not None else None,
        percent,
        now,
    )
    add_alert(uow, alert)
    facts = {"metric": metric, "threshold": plain(alert.threshold)}
    record(uow, [Deed(actor, "usage_alert.set", "usage_alert", alert.id, reason, now, after=facts)])
    told = tell_alerts(uow, [subscription.id], as_of=now)
    return alert, [crossing for crossing in told if crossing.alert.id == alert.id]


def remove_usage_alert(uow: UnitOfWork, alert_id: UsageAlertId, *, now: datetime, actor: str, reason: str) -> None:
    """Tell no more of an alert. One that was removed before is left as it is.

    Raises:
        NotFound: there is no such alert.
    """
    if uow.fetch_one("select from usage_alerts where id = %s", [alert_id]) is None:
        raise NotFound(f"there is no usage alert {to_wire('ual', alert_id)}")
    if uow.execute("update usage_alerts set removed_at = %s where id = %s and removed_at is null", [now, alert_id]):
        record(uow, [Deed(actor, "usage_alert.removed", "usage_alert", alert_id, reason, now)])


def _included(uow: UnitOfWork, subscription: Subscription, metric: str, *, now: datetime) -> Decimal:
    """Return how many units the subscription's charge for a metric includes."""
    (so_far,) = cost_so_far(uow, [subscription.id], as_of=now)
    charges = [one.charge for one in so_far.charges if one.charge.metric == metric]
    if not charges:
        raise NotFound(f"{subscription.external_id} does not pay for the metric {metric!r} now")
    return max(charge.price.free_units for charge in charges)


def _threshold(threshold: Decimal | None, percent: Decimal | None, base: Decimal | None) -> Decimal:
    """Return the threshold that is meant."""
    if (threshold is None) == (percent is None):
        raise MalformedUsageAlert("an alert is at a number, or at a percentage of one: say one of the two")
    if threshold is None and percent is not None:
        if not base:
            raise MalformedUsageAlert("a percentage needs the number that it is of: nothing is included")
        threshold = base * percent / 100
    if threshold is None or threshold <= 0:
        raise MalformedUsageAlert("an alert is at a number above 0")
    return parse_quantity(threshold, name="threshold")
