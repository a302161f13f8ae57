"""Usage of periods that run as JSON: its cost so far, who is told of it, when it is invoiced, what came too late."""

from typing import Any

from typing_extensions import TypedDict

from tenor.invoicing import CostSoFar, Crossing, LateEvent, UsageAlert
from tenor.kernel.ids import CustomerId, SubscriptionId, to_wire
from tenor.kernel.quantity import plain
from tenor.pricing import UsageThresholds
from tenor.wire.forms import Amount, DecimalText, Instant, amount, instant


class ChargeSoFarJson(TypedDict):
    """What one usage charge has come to in the period that runs; `trace` says how, for each dimension."""

    charge: str
    metric: str | None
    period_start: Instant
    period_end: Instant
    units: DecimalText
    cost: Amount
    billed: Amount
    trace: list[dict[str, Any]]


class CostSoFarJson(TypedDict):
    """What usage of a subscription costs so far, before tax; `billed` of it stands on documents already."""

    subscription: str
    through: Instant
    currency: str
    charges: list[ChargeSoFarJson]
    cost: Amount
    billed: Amount


class UsageAlertJson(TypedDict):
    """Who is told of what: units of a metric, or (null) what all usage costs so far.

    `percent` of `base` is how the threshold was asked for; null where it is an absolute one.
    """

    id: str
    subscription_id: str
    metric: str | None
    threshold: DecimalText
    base: DecimalText | None
    percent: DecimalText | None
    added_at: Instant


class CrossingJson(TypedDict):
    """An alert whose threshold has been reached in a period, and the value that was found."""

    id: str
    metric: str | None
    threshold: DecimalText
    value: DecimalText
    period_start: Instant


class SetUsageAlertJson(UsageAlertJson):
    """An alert that was set; `told` is what it has told of at once."""

    told: list[CrossingJson]


class UsageThresholdsJson(TypedDict):
    """Amounts at which usage is invoiced before its period is over: those of `at`, then `every` further so much."""

    subscription_id: str | None
    customer_id: str
    currency: str
    at: list[DecimalText]
    every: DecimalText | None


class LateEventJson(TypedDict):
    """An event that came after the cut-off of its period, and how it was treated."""

    source: str
    event_id: str
    customer: str
    metric: str
    occurred_at: Instant
    open_from: Instant
    value: DecimalText
    treatment: str
    recorded_at: Instant


def cost_so_far_json(so_far: CostSoFar) -> CostSoFarJson:
    """Return what usage of a subscription costs so far."""
    currency = so_far.subscription.currency
    return CostSoFarJson(
        subscription=so_far.subscription.external_id,
        through=instant(so_far.through),
        currency=currency,
        charges=[
            ChargeSoFarJson(
                charge=one.charge.code,
                metric=one.charge.metric,
                period_start=instant(one.period.start),
                period_end=instant(one.period.end),
                units=plain(one.units),
                cost=amount(one.amount_minor, currency),
                billed=amount(one.billed_minor, currency),
                trace=[{"dimension": entry.key.dimension, **entry.trace} for entry in one.owed],
            )
            for one in so_far.charges
        ],
        cost=amount(so_far.amount_minor, currency),
        billed=amount(so_far.billed_minor, currency),
    )


def usage_alert_json(alert: UsageAlert) -> UsageAlertJson:
    """Return an alert."""
    return UsageAlertJson(
        id=to_wire("ual", alert.id),
        subscription_id=to_wire("sub", alert.subscription_id),
        metric=alert.metric,
        threshold=plain(alert.threshold),
        base=None if alert.base is None else plain(alert.base),
        percent=None if alert.percent is None else plain(alert.percent),
        added_at=instant(alert.added_at),
    )


def crossing_json(crossing: Crossing) -> CrossingJson:
    """Return an alert that has been told."""
    return CrossingJson(
        id=to_wire("ual", crossing.alert.id),
        metric=crossing.alert.metric,
        threshold=plain(crossing.alert.threshold),
        value=plain(crossing.value),
        period_start=instant(crossing.period.start),
    )


def late_event_json(event: LateEvent) -> LateEventJson:
    """Return an event that came after its cut-off."""
    return LateEventJson(
        source=event.source,
        event_id=event.event_id,
        customer=event.customer,
        metric=event.metric,
        occurred_at=instant(event.occurred_at),
        open_from=instant(event.open_from),
        value=plain(event.value),
        treatment=event.treatment,
        recorded_at=instant(event.recorded_at),
    )


def usage_thresholds_json(
    thresholds: UsageThresholds, *, subscription_id: SubscriptionId | None, customer_id: CustomerId, currency: str
) -> UsageThresholdsJson:
    """Return thresholds of a subscription, or (None) of all of a customer in a currency."""
    return UsageThresholdsJson(
        subscription_id=None if subscription_id is None else to_wire("sub", subscription_id),
        customer_id=to_wire("cus", customer_id),
        currency=currency,
        at=[plain(amount) for amount in thresholds.amounts],
        every=None if thresholds.step is None else plain(thresholds.step),
    )
