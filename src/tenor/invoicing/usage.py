"""Meter what is due: the usage of each usage charge and service period, all windows in one go."""

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from decimal import Decimal
from typing import NamedTuple

from tenor.invoicing.rules.dues import Due
from tenor.invoicing.rules.owed import UsageKey
from tenor.invoicing.rules.running import served_span
from tenor.kernel.calendar import Grid, periods_between
from tenor.metering import (
    Aggregate,
    Metric,
    Part,
    Span,
    Terms,
    UsageWindow,
    find_metrics,
    usage_totals,
    usage_values,
)
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing.charges import DimensionKey
from tenor.pricing.policy import Policy
from tenor.pricing.rules.rating import Usage, UsageEvent
from tenor.subscriptions import Item, Subscription


class UsageRequest(NamedTuple):
    """A usage charge's due of a subscription, and how its customer's time and policy read it."""

    subscription: Subscription
    item: Item
    due: Due
    zone: tzinfo
    policy: Policy


def read_usage(
    uow: UnitOfWork, requests: Sequence[UsageRequest], *, from_events: bool = False
) -> dict[UsageKey, Usage]:
    """Return the usage of each request in a constant number of statements for each policy.

    It comes from the running aggregates; with `from_events` from the events alone, for proofs.

    Usage counts from the first to the last billable instant of the service period: what was used while
    a trial still ran belongs to the trial. With a tier window each window's units are a bucket of their own.
    """
    if not requests:
        return {}
    metrics = find_metrics(uow, {request.due.charge.metric or "" for request in requests})
    found: dict[UsageKey, Usage] = {}
    for policy_name in sorted({request.policy.name for request in requests}):
        of_policy = [request for request in requests if request.policy.name == policy_name]
        windows = [(request, window) for request in of_policy for window in _windows(request, metrics)]
        terms = Terms(of_policy[0].policy.metering, of_policy[0].policy.rounding.units_rounding)
        totals = usage_totals(uow, [window for _, window in windows], terms, from_events=from_events)
        by_event = [(request, window) for request, window in windows if request.due.charge.prices_each_event]
        values = usage_values(uow, [window for _, window in by_event], terms)
        by_key: dict[UsageKey, tuple[UsageRequest, list[dict[Part, Aggregate]]]] = {}
        for (request, _), numbers in zip(windows, totals, strict=True):
            key = (request.item.id, request.due.charge.id, request.due.period)
            by_key.setdefault(key, (request, []))[1].append(numbers)
        for key, (request, numbers_of_windows) in by_key.items():
            found[key] = _usage(request.due, numbers_of_windows)
        for (request, _), events in zip(by_event, values, strict=True):
            key = (request.item.id, request.due.charge.id, request.due.period)
            found[key] = found[key]._replace(events=tuple(UsageEvent(units=value) for value in events))
    return found


def _windows(request: UsageRequest, metrics: dict[str, Metric]) -> Iterator[UsageWindow]:
    span = served_span(request.due)
    if span is None:
        return
    charge, zone, whole = request.due.charge, request.zone, request.due.period
    spans = [Span(span, zone, whole=whole, is_handed_over=span.end == request.due.joint.handed_over_at)]
    if charge.tier_window is not None:
        grid = Grid(charge.tier_window, anchor=None, zone=zone, alignment="calendar")
        spans = [
            Span(period.overlap(span), zone, whole=period) for period in periods_between(grid, span.start, span.end)
        ]
    for part in spans:
        yield UsageWindow(
            customer_id=request.subscription.customer_id,
            metric=metrics[charge.metric or ""],
            span=part,
            subscription_id=request.subscription.id,
            dimensions=charge.dimensions,
            filter=charge.filter,
            pools=tuple(charge.pools.values()),
        )


def _usage(due: Due, windows: list[dict[Part, Aggregate]]) -> Usage:
    """Return the usage of one due from the numbers of its windows."""
    if due.charge.dimensions:
        pools = tuple(due.charge.pools)
        by_dimension: dict[DimensionKey, Decimal] = {}
        for numbers in windows:
            for part, aggregate in numbers.items():
                key: DimensionKey = pools[part] if isinstance(part, int) else part
                by_dimension[key] = by_dimension.get(key, Decimal(0)) + (aggregate.value or Decimal(0))
        return Usage(units=sum(by_dimension.values(), Decimal(0)), by_dimension=by_dimension)
    units = tuple(numbers[()].value or Decimal(0) for numbers in windows)
    return Usage(units=sum(units, Decimal(0)), buckets=units if due.charge.tier_window is not None else None)
