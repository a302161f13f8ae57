"""Usage alerts: somebody is told, once in a period, that usage has reached a number of units or an amount."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from tenor.invoicing.cost_so_far import ChargeSoFar, CostSoFar, cost_so_far
from tenor.kernel.ids import CustomerId, SubscriptionId, UsageAlertId, to_wire
from tenor.kernel.money import exponent
from tenor.kernel.period import Period
from tenor.kernel.quantity import plain
from tenor.platform.arrays import column_arrays, looked_up
from tenor.platform.outbox import Event, publish
from tenor.platform.unit_of_work import UnitOfWork


class UsageAlert(NamedTuple):
    """Who is told of what: units of a metric, or (None) what all usage costs so far, in major units.

    `percent` of `base` is how the threshold was asked for, None where it is an absolute one.
    """

    id: UsageAlertId
    subscription_id: SubscriptionId
    metric: str | None
    threshold: Decimal
    base: Decimal | None
    percent: Decimal | None
    added_at: datetime


class Crossing(NamedTuple):
    """An alert whose threshold has been reached in a period, and the value that was found."""

    alert: UsageAlert
    period: Period
    value: Decimal


_TOUCHED: Final = (("customer_id", "uuid"), ("metric", "text"))
_COLUMNS: Final = "a.id, a.subscription_id, a.metric_code, a.threshold, a.base, a.percent, a.added_at"


def usage_alerts(uow: UnitOfWork, subscription_ids: Collection[SubscriptionId]) -> list[UsageAlert]:
    """Return the alerts of these subscriptions, in the order in which they were added; one statement."""
    rows = uow.fetch_all(
        f"select {_COLUMNS} from usage_alerts a where a.subscription_id = any(%s) and a.removed_at is null"
        " order by a.added_at, a.id",
        [list(subscription_ids)],
    )
    return [UsageAlert(*row) for row in rows]


def subscriptions_with_alerts(
    uow: UnitOfWork, touched: Collection[tuple[CustomerId, str]] | None = None
) -> list[SubscriptionId]:
    """Return the subscriptions of which somebody is told; with `touched`, only of these customers and metrics."""
    rows = uow.fetch_all(
        f"""
        select distinct a.subscription_id from usage_alerts a join subscriptions s on s.id = a.subscription_id
        where a.removed_at is null and (%(is_all)s or exists (
            select from {looked_up("touched", _TOUCHED)}
            where touched.customer_id = s.customer_id and touched.metric = coalesce(a.metric_code, touched.metric)))
        order by a.subscription_id
        """,
        {"is_all": touched is None, **column_arrays("touched", _TOUCHED, list(touched or ()))},
    )
    return [SubscriptionId(row[0]) for row in rows]


def add_alert(uow: UnitOfWork, alert: UsageAlert) -> None:
    """Write an alert."""
    uow.execute(
        "insert into usage_alerts (tenant_id, id, subscription_id, metric_code, threshold, base, percent, added_at)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s)",
        [uow.tenant_id, *alert],
    )


def tell_alerts(uow: UnitOfWork, subscription_ids: Sequence[SubscriptionId], *, as_of: datetime) -> list[Crossing]:
    """Tell of each alert of these subscriptions whose threshold their usage has reached; return what was told.

    Once for each alert and period: a row that the database keeps unique, and an event with it.
    """
    alerts = usage_alerts(uow, subscription_ids) if subscription_ids else []
    if not alerts:
        return []
    so_far = {one.subscription.id: one for one in cost_so_far(uow, subscription_ids, as_of=as_of)}
    crossings = [crossing for alert in alerts if (crossing := _crossing(alert, so_far[alert.subscription_id]))]
    fresh = _save(uow, crossings, as_of)
    told = [crossing for crossing in crossings if crossing.alert.id in fresh]
    publish(uow, [_event(crossing, so_far[crossing.alert.subscription_id]) for crossing in told])
    return told


def _crossing(alert: UsageAlert, so_far: CostSoFar) -> Crossing | None:
    """Return that an alert's threshold is reached, if it is; its period is that of the charge that began last."""
    charges = [charge for charge in so_far.charges if alert.metric in {None, charge.charge.metric}]
    if not charges:
        return None
    value = _value(alert, charges, exponent(so_far.subscription.currency))
    return Crossing(alert, max(charge.period for charge in charges), value) if value >= alert.threshold else None


def _value(alert: UsageAlert, charges: Sequence[ChargeSoFar], digits: int) -> Decimal:
    if alert.metric is not None:
        return max(charge.units for charge in charges)
    return Decimal(sum(charge.amount_minor for charge in charges)).scaleb(-digits)


def _save(uow: UnitOfWork, crossings: Sequence[Crossing], as_of: datetime) -> set[UsageAlertId]:
    """Write crossings that are new, and return of which alerts they are."""
    rows = uow.fetch_all(
        """
        insert into usage_alert_crossings (tenant_id, alert_id, period_start, period_end, value, reached_at)
        select %s, n.*, %s from unnest(%s::uuid[], %s::timestamptz[], %s::timestamptz[], %s::numeric[])
            n (alert_id, period_start, period_end, value)
        on conflict (tenant_id, alert_id, period_start) do nothing returning alert_id
        """,
        [
            uow.tenant_id,
            as_of,
            [crossing.alert.id for crossing in crossings],
            [crossing.period.start for crossing in crossings],
            [crossing.period.end for crossing in crossings],
            [crossing.value for crossing in crossings],
        ],
    )
    return {UsageAlertId(alert_id) for (alert_id,) in rows}


def _event(crossing: Crossing, so_far: CostSoFar) -> Event:
    alert, subscription = crossing.alert, so_far.subscription
    payload: Mapping[str, object] = {
        "subscription_id": to_wire("sub", subscription.id),
        "subscription": subscription.external_id,
        "customer_id": to_wire("cus", subscription.customer_id),
        "metric": alert.metric,
        "currency": None if alert.metric else subscription.currency,
        "threshold": plain(alert.threshold),
        "percent": None if alert.percent is None else plain(alert.percent),
        "value": plain(crossing.value),
        "period_start": crossing.period.start,
        "period_end": crossing.period.end,
    }
    return Event("usage_alert.reached", alert.id, payload, so_far.through)
