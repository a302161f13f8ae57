"""Usage while its period runs: its cost so far, alerts, thresholds; and what came after the cut-off."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from fastapi import Path, Query, Security
from pydantic import Field
from starlette.responses import Response
from typing_extensions import TypedDict

from tenor.api.bodies import Body, Code, Currency, InstantIn, Line, QuantityIn
from tenor.api.call import Call, Effect, Work, a_call, an_effect
from tenor.api.pages import Page, whole
from tenor.api.references import id_in_path
from tenor.api.resource import resource
from tenor.customers import customer_id_of
from tenor.invoicing import (
    cost_so_far,
    late_usage,
    remove_usage_alert,
    set_usage_alert,
    set_usage_thresholds,
    subscriptions_with_alerts,
    tell_alerts,
    usage_alerts,
)
from tenor.kernel.ids import UsageAlertId
from tenor.pricing import UsageThresholds
from tenor.subscriptions import named_subscription
from tenor.wire import (
    CostSoFarJson,
    CrossingJson,
    LateEventJson,
    SetUsageAlertJson,
    UsageAlertJson,
    UsageThresholdsJson,
    cost_so_far_json,
    crossing_json,
    late_event_json,
    usage_alert_json,
    usage_thresholds_json,
)

router = resource("Usage")
Reads = Annotated[Call, Security(a_call, scopes=["usage:read"])]
Decides = Annotated[Effect, Security(an_effect, scopes=["subscriptions:write"])]
SubscriptionRef = Annotated[str, Path(max_length=200, description="Id (`sub_…`) or external id.")]
CustomerRef = Annotated[str, Path(max_length=200, description="Id (`cus_…`) or external id.")]
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


class Check(Body):
    """Nothing more needs to be said."""


class CheckedAlertsJson(TypedDict):
    """The alerts that were told now."""

    told: list[CrossingJson]


class NewUsageAlert(Body):
    """When to tell: at units of `metric`, or without one at what usage costs so far. Say `at`, or `percent` of `of`.

    By default 100 percent of a metric are the units that its charge includes.
    """

    metric: Code | None = None
    at: QuantityIn | None = None
    percent: QuantityIn | None = None
    of: QuantityIn | None = None
    reason: Line | None = None


class Removal(Body):
    """Why something is removed."""

    reason: Line | None = None


class NewUsageThresholds(Body):
    """Amounts before tax, rising, at which usage is invoiced at once, and each `every` further so much. None: never."""

    at: Annotated[list[QuantityIn], Field(max_length=100)] = Field(default_factory=list)
    every: QuantityIn | None = None
    reason: Line | None = None

    @property
    def thresholds(self) -> UsageThresholds:
        """What is asked for."""
        amounts: tuple[Decimal, ...] = tuple(self.at)
        return UsageThresholds(amounts, self.every)


class NewCustomerThresholds(NewUsageThresholds):
    """The same for all subscriptions of a customer in a currency that have none of their own."""

    currency: Currency


class RemovedJson(TypedDict):
    """What was removed."""

    id: str


@router.get("/subscriptions/{subscription}/usage", response_model=CostSoFarJson)
def retrieve_cost(
    call: Reads,
    subscription: SubscriptionRef,
    at: Annotated[InstantIn | None, Query(description="Through when; now by default.")] = None,
) -> Response:
    """Return what a subscription has used in the periods that run, and what that costs so far, before tax."""

    def read(work: Work) -> CostSoFarJson:
        found = named_subscription(work.uow, subscription)
        (so_far,) = cost_so_far(work.uow, [found.id], as_of=at or work.now)
        return cost_so_far_json(so_far)

    return call.show(read)


@router.get("/subscriptions/{subscription}/usage-alerts", response_model=Page[UsageAlertJson])
def list_alerts(call: Reads, subscription: SubscriptionRef) -> Response:
    """List the usage alerts of a subscription."""

    def read(work: Work) -> Page[UsageAlertJson]:
        found = named_subscription(work.uow, subscription)
        return whole(map(usage_alert_json, usage_alerts(work.uow, [found.id])))

    return call.show(read)


@router.post("/subscriptions/{subscription}/usage-alerts", status_code=201, response_model=SetUsageAlertJson)
def create_alert(call: Decides, subscription: SubscriptionRef, body: NewUsageAlert) -> Response:
    """Tell, by the event `usage_alert.reached`, once in each period when usage reaches something."""

    def make(work: Work) -> SetUsageAlertJson:
        added, told = set_usage_alert(
            work.uow,
            named_subscription(work.uow, subscription),
            metric=body.metric,
            threshold=body.at,
            percent=body.percent,
            base=body.of,
            **work.deed(body.reason),
        )
        return SetUsageAlertJson(**usage_alert_json(added), told=[crossing_json(one) for one in told])

    return call.once(make, status=201)


@router.post("/usage-alerts/check", response_model=CheckedAlertsJson)
def tell_of_alerts(call: Decides, body: Check) -> Response:  # noqa: ARG001  strictly empty
    """Look at all alerts now, and tell of those that are reached: usage that comes in does so by itself."""

    def make(work: Work) -> CheckedAlertsJson:
        told = tell_alerts(work.uow, subscriptions_with_alerts(work.uow), as_of=work.now)
        return CheckedAlertsJson(told=[crossing_json(one) for one in told])

    return call.once(make)


@router.post("/usage-alerts/{usage_alert}/remove", response_model=RemovedJson)
def remove_alert(
    call: Decides,
    usage_alert: Annotated[str, Path(max_length=60, description="Id (`ual_…`).")],
    body: Removal,
) -> Response:
    """Tell no more of an alert. Repeatable."""

    def make(work: Work) -> RemovedJson:
        remove_usage_alert(work.uow, UsageAlertId(id_in_path("ual", usage_alert)), **work.deed(body.reason))
        return RemovedJson(id=usage_alert)

    return call.once(make)


@router.post("/subscriptions/{subscription}/usage-thresholds", response_model=UsageThresholdsJson)
def set_thresholds(call: Decides, subscription: SubscriptionRef, body: NewUsageThresholds) -> Response:
    """Set at which amounts the usage of a subscription is invoiced before its period ends, whatever the plan says."""

    def make(work: Work) -> UsageThresholdsJson:
        found, wanted = named_subscription(work.uow, subscription), body.thresholds
        set_usage_thresholds(work.uow, found, wanted, currency=found.currency, **work.deed(body.reason))
        return usage_thresholds_json(
            wanted, subscription_id=found.id, customer_id=found.customer_id, currency=found.currency
        )

    return call.once(make)


@router.post("/customers/{customer}/usage-thresholds", response_model=UsageThresholdsJson)
def set_customer_thresholds(call: Decides, customer: CustomerRef, body: NewCustomerThresholds) -> Response:
    """Set the same for all subscriptions of a customer in a currency; a subscription's own go before."""

    def make(work: Work) -> UsageThresholdsJson:
        holder, wanted = customer_id_of(work.uow, customer), body.thresholds
        set_usage_thresholds(work.uow, holder, wanted, currency=body.currency, **work.deed(body.reason))
        return usage_thresholds_json(wanted, subscription_id=None, customer_id=holder, currency=body.currency)

    return call.once(make)


@router.get("/usage/late", response_model=Page[LateEventJson])
def list_late(
    call: Reads,
    since: Annotated[InstantIn | None, Query(description="Those that came since then.")] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> Response:
    """List events that came after the cut-off of their period, the latest first, and how each is treated."""
    return call.show(lambda work: whole(map(late_event_json, late_usage(work.uow, since=since or _EVER, limit=limit))))
