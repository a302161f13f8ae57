"""Seats: units that are bought by number, billed for a period in advance or in arrears, prorated or not."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from tenor.conformance.scenario.calendar import Slice, picked_up, slices, timing_of
from tenor.conformance.scenario.documents import ZERO, Line
from tenor.conformance.scenario.life import Subscription
from tenor.conformance.scenario.strict import NotRunnable
from tenor.conformance.scenario.world import World
from tenor.kernel.calendar import days_between
from tenor.kernel.period import Period
from tenor.pricing.rules.proration import QuantityChange, seat_units
from tenor.pricing.rules.rating import RUNNING_TOTAL, UNROUNDED, Usage, rate

_SEATS: Final = frozenset({"seat"})


def seat_lines(world: World, subscription: Subscription, *, target: datetime) -> Iterator[Line]:
    """Yield what the seats of each due period cost, less those that are billed for it already.

    Where only what exceeds the highest number paid is due, fewer seats give nothing back. A new plan's fee is
    reduced by the days of the same item that were paid under the old plan, where the policy carries them.
    """
    lines = world.account(subscription.customer).lines
    for slice_ in picked_up(world, slices(world, subscription, _SEATS, until=target)):
        mark = (subscription.id, slice_.stretch.plan.id, slice_.charge.name, slice_.whole.start)
        billed = [line for line in lines if line.of == mark]
        seats, units = _seats(world, slice_), _units(world, slice_)
        seats_paid = sum((line.quantity or ZERO for line in billed), ZERO)
        units_paid = sum((line.units or ZERO for line in billed), ZERO)
        only_more = world.terms.policy.billing.seat_increase == "above_highest_paid"
        if billed and (units <= units_paid if only_more else units == units_paid):
            continue
        if billed:
            amount = world.terms.money.apply(_price(world, slice_, units) - _price(world, slice_, units_paid))
        else:
            amount = world.terms.money.apply(_price(world, slice_, units))
            amount -= min(_carried(world, slice_, lines), amount)
        yield Line(
            kind="seat",
            amount=amount,
            span=slice_.span,
            subscription=subscription.id,
            plan=slice_.stretch.plan.id,
            item=slice_.charge.item,
            quantity=seats - seats_paid,
            units=units - units_paid,
            of=mark,
            tax_percents=slice_.tax_percents,
        )


def is_billed_in_advance(world: World, subscription: Subscription, item: str) -> bool:
    """Whether an item of the running plan is billed before it is used, so that a change of it is invoiced."""
    plan = subscription.plan_at(world.now).plan
    return any(
        charge.kind == "seat" and charge.item == item and timing_of(world, charge) == "advance"
        for phase in plan.phases
        for charge in phase.charges
    )


def _changes(world: World, slice_: Slice) -> list[QuantityChange]:
    """Return the numbers of seats of a slice as they are known: what the plan holds, then what was changed.

    Of what was paid in advance nothing comes back, where only more than the highest number paid is due.
    """
    subscription, charge = slice_.subscription, slice_.charge
    plan_from = subscription.plan_at(slice_.stretch.start).at
    opening = QuantityChange(charge.quantity, min(plan_from, slice_.span.start), subscription.created_at)
    wished = [
        change
        for change in subscription.seats.get(charge.item or "", ())
        if change.effective_at >= plan_from and change.effective_at < slice_.span.end
    ]
    if timing_of(world, charge) == "arrears":
        return [opening, *wished]
    known = [change for change in wished if change.effective_at <= max(world.now, slice_.span.start)]
    if world.terms.policy.billing.seat_increase == "difference":
        return [opening, *known]
    begun = max(slice_.span.start, slice_.stretch.start)
    at_start = [change for change in [opening, *known] if change.effective_at <= begun][-1]
    highest, kept = at_start.units, [at_start]
    for change in known:
        if change.effective_at > begun and change.units > highest:
            highest = change.units
            kept.append(change)
    return kept


def _seats(world: World, slice_: Slice) -> Decimal:
    """Return the last number of seats of a slice."""
    return _changes(world, slice_)[-1].units


def _units(world: World, slice_: Slice) -> Decimal:
    """Return the units to price: each number of seats for its days where they are prorated, else the last one."""
    if not slice_.charge.is_prorated:
        return _seats(world, slice_)
    span, zone = slice_.span, slice_.subscription.zone
    inside = [
        change._replace(effective_at=max(change.effective_at, span.start), recorded_at=span.start)
        for change in _changes(world, slice_)
    ]
    closing = [] if span.end >= slice_.whole.end else [QuantityChange(ZERO, span.end, span.start)]
    rounding = world.terms.policy.rounding.units_rounding
    return seat_units([*inside, *closing], period=slice_.whole, zone=zone, units_rounding=rounding)


def _price(world: World, slice_: Slice, units: Decimal) -> Decimal:
    if slice_.charge.price is None:
        raise NotRunnable(f"plan {slice_.stretch.plan.id}: seats have no price")
    return rate(slice_.charge.price, Usage(units), world.terms.policy.rating, UNROUNDED, segment=RUNNING_TOTAL).amount


def _carried(world: World, slice_: Slice, lines: Sequence[Line]) -> Decimal:
    """Return what was paid in advance under another plan for the item and days of a slice, rounded by line."""
    if world.terms.policy.billing.seat_carry == "none" or timing_of(world, slice_.charge) == "arrears":
        return ZERO
    zone, found = slice_.subscription.zone, ZERO
    for line in lines:
        is_other = line.kind == "seat" and line.plan != slice_.stretch.plan.id and line.item == slice_.charge.item
        if not is_other or line.subscription != slice_.subscription.id or line.span is None:
            continue
        days = days_between(Period(*line.span.overlap(slice_.span)), zone)
        if days > 0:
            found += world.terms.money.apply(line.amount * days / days_between(line.span, zone))
    return found
