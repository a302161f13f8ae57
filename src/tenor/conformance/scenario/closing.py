"""Closing: when a plan gives way to another, when a subscription ends by plan, and the invoice that closes it."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from tenor.conformance.scenario.calendar import period_of
from tenor.conformance.scenario.life import Subscription
from tenor.conformance.scenario.plans import Plan
from tenor.conformance.scenario.running import run
from tenor.conformance.scenario.world import World
from tenor.kernel.calendar import Unit, local_date, midnight_of
from tenor.pricing.rules.proration import Direction, PriceChange, UnusedTime, direction

_INSTANT: Final = timedelta(microseconds=1)
_IN_A_YEAR: Final = {Unit.DAY: 365, Unit.WEEK: 52, Unit.MONTH: 12, Unit.YEAR: 1}


def changes_at(world: World, subscription: Subscription, plan: Plan) -> datetime:
    """Return when a change to `plan` takes effect that names no time: a downgrade perhaps at the end of the period."""
    old = subscription.plan_at(world.now).plan
    whole_years = world.terms.policy.proration.upgrade_test == "yearly_amount"
    change = PriceChange(_fee(old, by_year=whole_years), _fee(plan, by_year=whole_years))
    is_downgrade = direction([change], world.terms.policy.proration.upgrade_test) is Direction.DOWNGRADE
    if not is_downgrade or world.terms.policy.billing.downgrade_timing == "now" or world.now < subscription.start:
        return world.now
    period = period_of(world, subscription, world.now)
    return world.now if period is None else period.end


def served_until(world: World, subscription: Subscription, end: datetime) -> datetime:
    """Return to when a subscription that ends at `end` is served: one that ends as it begins has its billed day."""
    day_is_billed = world.terms.counts_days and world.terms.policy.proration.termination_day == "billed"
    return end + _INSTANT if day_is_billed and end == subscription.start else end


def close_ended(world: World, customer: str) -> None:
    """End the subscriptions whose planned end has come, on its local day, each with an invoice even of nothing.

    Where the end falls on a boundary of the period, the period before is the last one.
    """
    for subscription in world.subscriptions_of(customer):
        end = subscription.planned_end
        if end is None or subscription.billing_end is not None:
            continue
        day = midnight_of(local_date(end, subscription.zone), subscription.zone)
        if world.now < day:
            continue
        before = period_of(world, subscription, day - _INSTANT)
        is_boundary = before is not None and before.end == day
        subscription.access_end, subscription.billing_end = day, day - _INSTANT if is_boundary else end
        close(world, subscription)


def close(
    world: World, subscription: Subscription, *, unused_time: UnusedTime | None = None, invoices: bool = True
) -> None:
    """Bill what a subscription leaves open as it ends; who gives credit notes invoices even nothing."""
    has_begun = subscription.start <= world.now
    run(
        world,
        subscription.customer,
        subscriptions=[subscription],
        target=max(world.now, subscription.billing_end or world.now),
        reason="closing",
        unused_time=unused_time,
        invoices=invoices,
        invoices_nothing=has_begun and not world.terms.keeps_balance,
    )


def _fee(plan: Plan, *, by_year: bool) -> Decimal:
    """Return what the plan itself costs, in a year or in its period; what is used or bought by number is left out."""
    total = Decimal(0)
    for charge in plan.phases[-1].charges:
        if charge.kind == "recurring":
            interval = charge.interval
            times = Decimal(_IN_A_YEAR.get(interval.unit, 1)) / interval.count if by_year and interval else Decimal(1)
            total += charge.amount * times
    return total
