"""Usage billed on arrival: each event costs what it adds above the highest level of its period so far."""

from dataclasses import replace
from decimal import Decimal

from tenor.catalog.model import Aggregation
from tenor.conformance.scenario.calendar import Slice, begun_slices, timing_of
from tenor.conformance.scenario.documents import ZERO, Line
from tenor.conformance.scenario.life import Subscription
from tenor.conformance.scenario.measuring import (
    Measured,
    Part,
    arrivals_in,
    cost,
    measure,
    metering,
    metric_of,
    parts_of,
    span_of,
    window_of,
)
from tenor.conformance.scenario.running import enter
from tenor.conformance.scenario.usage import billed_as, usage_line
from tenor.conformance.scenario.world import Arrival, World
from tenor.kernel.period import Period
from tenor.metering.rules.advance import AdvanceState, current_usage, increment

_USAGE = frozenset({"usage"})


def bill_arrival(world: World, subscription: Subscription, arrival: Arrival) -> None:
    """Bill an event that has just come in for each charge that is due on arrival: on an invoice of its own.

    Such an invoice is final at once. A charge that is not invoiceable only leaves a fee.
    """
    account = world.account(subscription.customer)
    charges = [charge for entry in subscription.plans for phase in entry.plan.phases for charge in phase.charges]
    if not any(charge.metric == arrival.metric and timing_of(world, charge) == "advance" for charge in charges):
        return
    for slice_ in begun_slices(world, subscription, _USAGE, by=arrival.event.occurred_at):
        is_meant = timing_of(world, slice_.charge) == "advance" and slice_.charge.metric == arrival.metric
        if not is_meant or not slice_.span.holds(arrival.event.occurred_at):
            continue
        part = next(part for part in parts_of(world, slice_) if arrival in part.arrivals)
        line = _line(world, slice_, part, arrival)
        if line is None:
            continue
        if slice_.charge.is_invoiceable:
            enter(world, account, [line], is_final=True)
        else:
            account.keep_loose(line, at=world.now)


def running_usage(world: World, slice_: Slice, part: Part) -> tuple[Decimal, Decimal]:
    """Return what a running period of usage billed on arrival costs so far, and the units that are there."""
    window, metric = window_of(world, slice_), metric_of(world, slice_)
    level = measure(world, slice_, part, window=window).full_units
    if not metric.is_additive:
        return cost(world, slice_, part, Measured(level, level), window=window, rounding=world.terms.money), level
    opening = measure(world, slice_, part, window=Period(window.start, window.start)).full_units
    added = _added(world, slice_, part)
    found = current_usage(
        [arrival.event for arrival in part.arrivals],
        metric,
        span_of(world, slice_, window),
        metering(world),
        state=AdvanceState(
            current=level - opening,
            highest=added.full_units - opening,
            carried_in=opening,
            billed_prorated=added.units if metric.prorated else ZERO,
        ),
    )
    measured = Measured(found.value, found.full_units)
    return cost(world, slice_, part, measured, window=window, rounding=world.terms.money), found.full_units


def _line(world: World, slice_: Slice, part: Part, arrival: Arrival) -> Line | None:
    """Return the fee of an event, the price with it less the price before it; None for a value that moves nothing."""
    metric, window = metric_of(world, slice_), window_of(world, slice_)
    earlier = part._replace(arrivals=[entry for entry in part.arrivals if entry is not arrival])
    level_before = measure(world, slice_, earlier, window=window).full_units
    level = measure(world, slice_, part, window=window).full_units
    counts_values = metric.aggregation is Aggregation.UNIQUE_COUNT
    if counts_values and level == level_before:
        return None
    before, after = _added(world, slice_, earlier), _added(world, slice_, part)
    if metric.prorated:
        amount = cost(world, slice_, part, Measured(after.units - before.units, level), window=window)
    else:
        amount = cost(world, slice_, part, Measured(after.units, after.units), window=window)
        if arrivals_in(earlier, window) or before.units:
            amount -= cost(world, slice_, earlier, Measured(before.units, before.units), window=window)
    units = max(level - level_before, ZERO) if counts_values else after.full_units - before.full_units
    mark = billed_as(slice_, part.key, what="on arrival")
    return usage_line(slice_, world.terms.money.apply(max(amount, ZERO)), units, mark)


def _added(world: World, slice_: Slice, part: Part) -> Measured:
    """Return the highest level that the events of a part have reached in a period, and what of it is to be billed.

    Where the metric is prorated only what was added is, each for the days that were left of the period.
    """
    metric, window = metric_of(world, slice_), window_of(world, slice_)
    span, terms = span_of(world, slice_, window), metering(world)
    events = [arrival.event for arrival in part.arrivals]
    if not metric.is_additive:
        level = measure(world, slice_, part, window=window).full_units
        return Measured(level, level)
    opening = measure(world, slice_, part, window=Period(window.start, window.start)).full_units
    state = AdvanceState(current=opening)
    highest = opening + (increment(events, replace(metric, prorated=False), span, terms, state=state).value or ZERO)
    if not metric.prorated:
        return Measured(highest, highest)
    return Measured(increment(events, metric, span, terms, state=state).value or ZERO, highest)
