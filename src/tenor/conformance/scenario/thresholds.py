"""Threshold billing: an invoice for the usage of the running period as soon as it reaches an amount."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from tenor.conformance.scenario.calendar import begun_slices
from tenor.conformance.scenario.documents import ZERO
from tenor.conformance.scenario.life import Subscription
from tenor.conformance.scenario.plans import Charge, Plan
from tenor.conformance.scenario.running import enter
from tenor.conformance.scenario.strict import NotRunnable
from tenor.conformance.scenario.usage import current_slices, usage_cost, usage_so_far
from tenor.conformance.scenario.world import Arrival, World
from tenor.kernel.quantity import parse_decimal
from tenor.pricing.rules.rating import UNROUNDED, Usage, rate

_USAGE = frozenset({"usage"})


class _Threshold(NamedTuple):
    """An amount of usage at which an invoice is due; recurring: and every further such amount."""

    amount: Decimal
    is_recurring: bool


def check(world: World, subscription: Subscription, arrival: Arrival) -> None:
    """Invoice all usage of the running period that is not billed, if an event that came in has reached a threshold.

    The invoice is final at once and holds the whole period so far; what earlier ones billed of it is taken off.
    """
    plan = subscription.plan_at(world.now).plan
    thresholds = _thresholds(plan)
    if not thresholds:
        return
    after = used(world, subscription)
    world.usage.remove(arrival)
    before = used(world, subscription)
    world.usage.append(arrival)
    if _reached(thresholds, after) > _reached(thresholds, before):
        lines = [line for slice_ in current_slices(world, subscription) for line in usage_so_far(world, slice_)]
        enter(world, world.account(subscription.customer), lines, reason="threshold", is_final=True)


def used(world: World, subscription: Subscription) -> Decimal:
    """Return the usage that thresholds look at: of the running period, or of the subscription's whole life."""
    if world.terms.policy.billing.threshold_basis == "lifetime_usage":
        return lifetime_usage(world, subscription)
    return sum((usage_cost(world, slice_) for slice_ in current_slices(world, subscription)), ZERO)


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


def _thresholds(plan: Plan) -> list[_Threshold]:
    if "billing_threshold" in plan.body:
        raise NotRunnable(f"plan {plan.id}: usage that meets a threshold of the whole subscription")
    bodies: Sequence[Mapping[str, Any]] = plan.body.get("usage_thresholds", ())
    return [_Threshold(parse_decimal(body["amount"], name="amount"), body["recurring"]) for body in bodies]


def _reached(thresholds: Sequence[_Threshold], amount: Decimal) -> int:
    """Return how many thresholds an amount has reached; recurring ones count on from the last that is not."""
    single = [threshold.amount for threshold in thresholds if not threshold.is_recurring]
    top = max(single, default=ZERO)
    again = [int(max(amount - top, ZERO) // entry.amount) for entry in thresholds if entry.is_recurring]
    return sum(threshold <= amount for threshold in single) + sum(again)
