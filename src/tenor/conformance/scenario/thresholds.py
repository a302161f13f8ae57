"""Threshold billing: an invoice for the usage of the running period as soon as it reaches an amount."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from tenor.conformance.scenario.calendar import begun_slices
from tenor.conformance.scenario.documents import ZERO
from tenor.conformance.scenario.life import Subscription
from tenor.conformance.scenario.plans import Charge, Plan
from tenor.conformance.scenario.running import enter
from tenor.conformance.scenario.strict import NotRunnable
from tenor.conformance.scenario.usage import current_slices, usage_cost, usage_so_far
from tenor.conformance.scenario.world import Arrival, World
from tenor.kernel.quantity import parse_decimal
from tenor.pricing import UsageThresholds
from tenor.pricing.rules.rating import UNROUNDED, Usage, rate

_USAGE = frozenset({"usage"})


def check(world: World, subscription: Subscription, arrival: Arrival) -> None:
    """Invoice all usage of the running period that is not billed, if an event that came in has reached a threshold.

    The invoice is final at once and holds the whole period so far; what earlier ones billed of it is taken off.
    """
    if _is_reached(world, subscription, arrival):
        lines = [line for slice_ in current_slices(world, subscription) for line in usage_so_far(world, slice_)]
        enter(world, world.account(subscription.customer), lines, reason="threshold", is_final=True)


def _is_reached(world: World, subscription: Subscription, arrival: Arrival) -> bool:
    """Whether an event has reached a threshold that usage had not reached before, or had since the last invoice."""
    plan = subscription.plan_at(world.now).plan
    since_invoice = plan.body.get("billing_threshold")
    if since_invoice is not None:
        if since_invoice.get("reset_billing_cycle"):
            raise NotRunnable(f"plan {plan.id}: a threshold that begins the billing period anew")
        pending = _period_usage(world, subscription) - _invoiced_so_far(world, subscription)
        return pending >= parse_decimal(since_invoice["amount"], name="amount")
    thresholds = _thresholds(plan)
    if not thresholds:
        return False
    after = used(world, subscription)
    world.usage.remove(arrival)
    before = used(world, subscription)
    world.usage.append(arrival)
    return thresholds.reached(after) > thresholds.reached(before)


def used(world: World, subscription: Subscription) -> Decimal:
    """Return the usage that thresholds look at: of the running period, or of the subscription's whole life."""
    if world.terms.policy.billing.threshold_basis == "lifetime_usage":
        return lifetime_usage(world, subscription)
    return _period_usage(world, subscription)


def _period_usage(world: World, subscription: Subscription) -> Decimal:
    return sum((usage_cost(world, slice_) for slice_ in current_slices(world, subscription)), ZERO)


def _invoiced_so_far(world: World, subscription: Subscription) -> Decimal:
    """Return what threshold invoices have billed of the running period."""
    spans = [slice_.span for slice_ in current_slices(world, subscription)]
    billed = (
        line.amount - line.progressive
        for line in world.account(subscription.customer).lines
        if line.of and line.of[:2] == ("threshold", subscription.id)
        if line.span is not None and any(not line.span.overlap(span).is_empty for span in spans)
    )
    return sum(billed, ZERO)


def lifetime_usage(world: World, subscription: Subscription) -> Decimal:
    """Return what all usage of a subscription has cost so far."""
    begun = begun_slices(world, subscription, _USAGE, by=world.now)
    return sum((usage_cost(world, slice_) for slice_ in begun), ZERO)


def step_total(world: World, plan: Plan, *, above: Decimal, every: Decimal) -> Decimal | None:
    """Return the total of the invoice that `every` units above `above` bring, if no fewer whole units bring one."""
    threshold = plan.body.get("billing_threshold")
    charge = next((entry for phase in plan.phases for entry in phase.charges if entry.kind == "usage"), None)
    if threshold is None or charge is None:
        raise NotRunnable(f"plan {plan.id} has no threshold of usage")
    amount = parse_decimal(threshold["amount"], name="amount")
    total = _cost_of_units(world, charge, above + every) - _cost_of_units(world, charge, above)
    less = _cost_of_units(world, charge, above + every - 1) - _cost_of_units(world, charge, above)
    return world.terms.money.apply(total) if less < amount <= total else None


def _cost_of_units(world: World, charge: Charge, units: Decimal) -> Decimal:
    if charge.price is None:
        raise NotRunnable("usage has no price")
    return rate(charge.price, Usage(units), world.terms.policy.rating, UNROUNDED).amount


def _thresholds(plan: Plan) -> UsageThresholds:
    bodies: Sequence[Mapping[str, Any]] = plan.body.get("usage_thresholds", ())
    amounts: dict[bool, list[Decimal]] = {True: [], False: []}
    for body in bodies:
        amounts[bool(body["recurring"])].append(parse_decimal(body["amount"], name="amount"))
    if len(amounts[True]) > 1:
        raise NotRunnable(f"plan {plan.id}: more than one recurring threshold")
    return UsageThresholds(tuple(sorted(amounts[False])), next(iter(amounts[True]), None))
