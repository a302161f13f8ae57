"""Which span of usage a run closes."""

from datetime import timedelta
from typing import Final

from tenor.conformance.scenario.calendar import begun_slices, period_of, slices
from tenor.conformance.scenario.documents import Invoice
from tenor.conformance.scenario.life import Subscription
from tenor.conformance.scenario.world import World
from tenor.kernel.period import Period

_USAGE: Final = frozenset({"usage"})
_INSTANT: Final = timedelta(microseconds=1)


def usage_period(world: World, invoice: Invoice) -> Period | None:
    """Return the span of usage that the run of an invoice closed: the newest one that was over by then.

    Without charges for usage it is the span in which usage would have counted; in the first period the running one.
    """
    subscription = _subscription(world, invoice)
    if subscription is None:
        return None
    closed = list(slices(world, subscription, _USAGE, until=invoice.issued_at))
    begun = list(begun_slices(world, subscription, _USAGE, by=invoice.issued_at))
    if closed or begun:
        return (closed or begun)[-1].span
    end = subscription.billing_end
    if end is not None and end <= invoice.issued_at:
        running = period_of(world, subscription, end - _INSTANT)
        return None if running is None else Period(max(running.start, subscription.start), end)
    running = period_of(world, subscription, invoice.issued_at)
    if running is None:
        return None
    before = period_of(world, subscription, running.start - _INSTANT) if running.start > subscription.start else running
    return None if before is None else Period(max(before.start, subscription.start), before.end)


def old_plan_usage_period(world: World, invoice: Invoice) -> Period | None:
    """Return the span of usage of the plan that gave way to another when an invoice was made."""
    subscription = _subscription(world, invoice)
    changes = [] if subscription is None else [entry.at for entry in subscription.plans[1:]]
    if subscription is None or invoice.issued_at not in changes:
        return None
    running = period_of(world, subscription, invoice.issued_at - _INSTANT)
    if running is None:
        return None
    began = subscription.plan_at(invoice.issued_at - _INSTANT).at
    return Period(max(running.start, began), invoice.issued_at)


def _subscription(world: World, invoice: Invoice) -> Subscription | None:
    """Return the first subscription that a run billed by an invoice."""
    return world.subscription(invoice.billed_for[0]) if invoice.billed_for else None
