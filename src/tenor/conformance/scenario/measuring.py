"""Measuring: which events a usage charge counts in a period, what they come to, and what that costs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from tenor.catalog.model import Aggregation
from tenor.conformance.scenario.calendar import Slice, zone_of
from tenor.conformance.scenario.documents import ZERO
from tenor.conformance.scenario.strict import NotRunnable
from tenor.conformance.scenario.terms import later_by_days
from tenor.conformance.scenario.world import Arrival, World
from tenor.kernel.calendar import days_between, local_date
from tenor.kernel.period import Period
from tenor.kernel.quantity import parse_decimal
from tenor.metering.model import Metric, Span, UsageEvent
from tenor.metering.rules.aggregate import Terms as MeteringTerms
from tenor.metering.rules.aggregate import aggregate, per_event
from tenor.metering.rules.readings import property_text, read_value
from tenor.pricing.charges import Dynamic, Percentage, Price, ProratedGraduated, Standard
from tenor.pricing.rules.rating import UNROUNDED, MoneyRounding, Usage, rate
from tenor.pricing.rules.rating import UsageEvent as RatedEvent

_INSTANT: Final = timedelta(microseconds=1)


class Part(NamedTuple):
    """What of a usage charge is measured and priced by itself: a filter with its price, a group, or all of it.

    `arrivals` are all of the subscription's, of any time: levels carry over.
    """

    key: tuple[str, ...]
    arrivals: Sequence[Arrival]
    price: Price


class Measured(NamedTuple):
    """Units of a part: `units` are priced (prorated ones where they are), `full_units` are there."""

    units: Decimal
    full_units: Decimal


def parts_of(world: World, slice_: Slice) -> list[Part]:
    """Return the parts of a usage charge, each event in one: by the filter that asks most of it, then by group."""
    charge = slice_.charge
    if charge.price is None:
        raise NotRunnable(f"plan {slice_.stretch.plan.id}: usage has no price")
    arrivals = [
        arrival
        for arrival in world.usage
        if arrival.subscription == slice_.subscription.id and arrival.metric == charge.metric
    ]
    by_filter: dict[int, list[Arrival]] = {number: [] for number in [*range(len(charge.filters)), -1]}
    for arrival in arrivals:
        by_filter[_filter_of(charge.filters, arrival)].append(arrival)
    found = []
    for number, members in by_filter.items():
        price = charge.price if number < 0 else _filter_price(charge.price, charge.filters[number])
        name = () if number < 0 else (f"filter {number}",)
        if not charge.group_by:
            found.append(Part(name, members, price))
            continue
        groups: dict[tuple[str, ...], list[Arrival]] = {}
        for arrival in members:
            texts = [property_text(arrival.event.properties.get(by)) or "" for by in charge.group_by]
            groups.setdefault(tuple(texts), []).append(arrival)
        found += [Part((*name, *group), grouped, price) for group, grouped in groups.items()]
    return found


def window_of(world: World, slice_: Slice) -> Period:
    """Return when an event must have been to count: at the end of a subscription a little longer than it serves.

    An account counts the whole day on which its subscription ends, elsewhere the very instant of the end counts.
    """
    end = slice_.stretch.end
    if not slice_.stretch.is_last or end is None:
        return slice_.span
    zone = zone_of(world, slice_.subscription, slice_.charge)
    if not world.terms.is_account_centred:
        last = slice_.span.end + _INSTANT if slice_.span.end == end else slice_.span.end
    elif local_date(slice_.span.end, zone) == local_date(end, zone):
        last = later_by_days(slice_.span.end, 1, zone)
    else:
        last = slice_.span.end
    return Period(slice_.span.start, last)


def arrivals_in(part: Part, window: Period) -> list[Arrival]:
    """Return the events of a part that lie in a window."""
    return [arrival for arrival in part.arrivals if window.holds(arrival.event.occurred_at)]


def metric_of(world: World, slice_: Slice) -> Metric:
    """Return how a usage charge is measured: prorated where the charge says so."""
    charge = slice_.charge
    known = world.story.metrics.get(charge.metric or "") or Metric(charge.metric or "", Aggregation.SUM, "units")
    return replace(known, prorated=True) if charge.is_prorated and known.is_additive else known


def measure(world: World, slice_: Slice, part: Part, *, window: Period) -> Measured:
    """Return what the events of a part come to in a window."""
    metric, span = metric_of(world, slice_), span_of(world, slice_, window)
    events = [arrival.event for arrival in part.arrivals]
    full = aggregate(events, replace(metric, prorated=False), span, metering(world)).value or ZERO
    if not metric.prorated:
        return Measured(full, full)
    span = span_of(world, slice_, _days_of(world, slice_, window))
    return Measured(aggregate(events, metric, span, metering(world)).value or ZERO, full)


def cost(
    world: World, slice_: Slice, part: Part, measured: Measured, *, window: Period, rounding: MoneyRounding = UNROUNDED
) -> Decimal:
    """Return what the units of a part cost; where nothing was used, only what is due without usage."""
    units = measured.full_units if isinstance(part.price.model, ProratedGraduated) else measured.units
    if not units and not world.terms.policy.rating.flat_fee_at_zero_units:
        return ZERO
    usage = Usage(units=units, events=tuple(_rated_events(world, slice_, part, window)))
    return rate(part.price, usage, world.terms.policy.rating, rounding).amount


def span_of(world: World, slice_: Slice, window: Period) -> Span:
    """Return a window as metering takes it, with the days of the uncut period."""
    zone = zone_of(world, slice_.subscription, slice_.charge)
    return Span(window, zone, days_between(slice_.whole, zone) or None)


def _days_of(world: World, slice_: Slice, window: Period) -> Period:
    """Return the window whose days are prorated: the day of a change of plan belongs to one of the two plans."""
    change = slice_.stretch.end
    if change is None or slice_.stretch.is_last or window.end != change or world.terms.is_account_centred:
        return window
    day = world.terms.service_instant(change, zone_of(world, slice_.subscription, slice_.charge))
    return Period(window.start, max(window.start, day))


def metering(world: World) -> MeteringTerms:
    """Return how the policy measures."""
    return MeteringTerms(world.terms.policy.metering, units_rounding=world.terms.policy.rounding.units_rounding)


def _rated_events(world: World, slice_: Slice, part: Part, window: Period) -> Iterator[RatedEvent]:
    """Yield the events for the models that look at them; a level carried in is one event for all days."""
    metric, span = metric_of(world, slice_), span_of(world, slice_, _days_of(world, slice_, window))
    events = [arrival.event for arrival in part.arrivals]
    if isinstance(part.price.model, Percentage | ProratedGraduated):
        full = per_event(events, replace(metric, prorated=False), span, metering(world))
        prorated = per_event(events, metric, span, metering(world))
        carried = len(full) - len(prorated) + 1
        units = [sum(full[:carried], ZERO), *full[carried:]] if full else []
        for whole, share in zip(units, prorated, strict=False):
            yield RatedEvent(units=whole, prorated_units=share)
    elif isinstance(part.price.model, Dynamic):
        for arrival in arrivals_in(part, window):
            yield RatedEvent(amount=_own_amount(arrival.event))


def _own_amount(event: UsageEvent) -> Decimal:
    return read_value(event.properties.get("amount"), name="amount")


def _filter_of(filters: Sequence[Mapping[str, Any]], arrival: Arrival) -> int:
    """Return the number of the filter that an event meets, of several the one with most keys; -1: none."""
    met = [
        (len(entry.get("match", {})), -number)
        for number, entry in enumerate(filters)
        if all(
            property_text(arrival.event.properties.get(name)) in allowed
            for name, allowed in entry.get("match", {}).items()
        )
    ]
    return -max(met)[1] if met else -1


def _filter_price(price: Price, entry: Mapping[str, Any]) -> Price:
    if "unit_amount" not in entry:
        return price
    return replace(price, model=Standard(parse_decimal(entry["unit_amount"], name="unit_amount")))
