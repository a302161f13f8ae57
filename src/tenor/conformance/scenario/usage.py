"""Usage: what the closed periods of a charge cost, and what of it has not been billed yet."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal

from tenor.conformance.scenario.calendar import Slice, begun_slices, picked_up, slices, timing_of
from tenor.conformance.scenario.documents import ZERO, Line
from tenor.conformance.scenario.life import Subscription
from tenor.conformance.scenario.measuring import Part, arrivals_in, cost, measure, metric_of, parts_of, window_of
from tenor.conformance.scenario.world import World
from tenor.kernel.period import Period

_USAGE = frozenset({"usage"})


def usage_lines(world: World, subscription: Subscription, *, target: datetime) -> Iterator[Line]:
    """Yield what the closed periods cost, less what was billed for them; what was billed is never taken back.

    A period that was billed is rated again only while it is among the last ones before the newest (the policy's
    `late_usage_periods`), never by who does not catch up. The price is rounded before the billed part is taken off.
    Of usage billed on arrival, only a level that goes on into a new period is due; of usage in arrears nothing is that
    is not invoiceable.
    """
    by_charge: dict[str, list[Slice]] = {}
    for slice_ in picked_up(world, slices(world, subscription, _USAGE, until=target)):
        if timing_of(world, slice_.charge) == "advance":
            yield from _renewed(world, slice_)
        elif slice_.charge.is_invoiceable and not _is_taken_over(world, slice_):
            by_charge.setdefault(f"{slice_.stretch.plan.id}:{slice_.charge.name}", []).append(slice_)
    reach = world.terms.policy.billing.late_usage_periods
    for closed in by_charge.values():
        oldest = 0 if reach is None else len(closed) - 1 - reach
        for position, slice_ in enumerate(closed):
            yield from _lines(world, slice_, is_open=position >= oldest)


def usage_cost(world: World, slice_: Slice) -> Decimal:
    """Return what a slice of usage costs as it is known now, each part rounded."""
    window = window_of(world, slice_)
    return sum((_price(world, slice_, part, window) for part in parts_of(world, slice_)), ZERO)


def current_slices(world: World, subscription: Subscription) -> list[Slice]:
    """Return the slices of usage that run now."""
    begun = begun_slices(world, subscription, _USAGE, by=world.now)
    return [slice_ for slice_ in begun if slice_.span.holds(world.now)]


def usage_so_far(world: World, slice_: Slice) -> list[Line]:
    """Return the usage of a running period so far, as a threshold bills it, for those parts that cost something."""
    if timing_of(world, slice_.charge) == "advance":
        return []
    window = window_of(world, slice_)
    found = []
    for part in parts_of(world, slice_):
        measured = measure(world, slice_, part, window=window)
        amount = cost(world, slice_, part, measured, window=window, rounding=world.terms.money)
        if amount:
            mark = billed_as(slice_, part.key, what="threshold")
            found.append(usage_line(slice_, amount, measured.full_units, mark))
    return found


def usage_line(slice_: Slice, amount: Decimal, units: Decimal, of: tuple[object, ...], *, kind: str = "usage") -> Line:
    """Return a line for the usage of a slice."""
    return Line(
        kind=kind,
        amount=amount,
        span=slice_.span,
        subscription=slice_.subscription.id,
        plan=slice_.stretch.plan.id,
        metric=slice_.charge.metric,
        item=slice_.charge.item,
        units=units,
        of=of,
        tax_percents=slice_.tax_percents,
        is_invoiceable=slice_.charge.is_invoiceable,
    )


def billed_as(slice_: Slice, part: tuple[str, ...], *, what: str = "usage") -> tuple[object, ...]:
    """Return the mark of the lines that bill a part of a charge."""
    return (what, slice_.subscription.id, slice_.stretch.plan.id, slice_.charge.name, *part)


def _lines(world: World, slice_: Slice, *, is_open: bool) -> Iterator[Line]:
    lines = []
    catches_up = world.terms.policy.calendar.catch_up
    for part in parts_of(world, slice_):
        billed = list(_billed_for(world, slice_, billed_as(slice_, part.key)))
        if billed and not (is_open and catches_up):
            continue
        line = _line(world, slice_, part, billed)
        if line is not None:
            lines.append(line)
    yield from lines
    yield from _true_up(world, slice_, lines)


def _line(world: World, slice_: Slice, part: Part, billed: Iterable[Line]) -> Line | None:
    """Return what of a part is not billed yet. Only an account shows usage that never was."""
    before, window = list(billed), window_of(world, slice_)
    amount = _price(world, slice_, part, window) - sum((line.amount for line in before), ZERO)
    units = measure(world, slice_, part, window=window).full_units
    news = units - sum((line.units or ZERO for line in before), ZERO)
    shows = world.terms.policy.rating.zero_usage_lines == "show" and (
        world.terms.is_account_centred or bool(arrivals_in(part, window))
    )
    is_silent = amount <= 0 if before else not amount and not shows
    if is_silent:
        return None
    return usage_line(slice_, amount, news, billed_as(slice_, part.key))


def _true_up(world: World, slice_: Slice, lines: Iterable[Line]) -> Iterator[Line]:
    """Yield what a charge lacks of its minimum, for the share of the period that it served."""
    mark = billed_as(slice_, (), what="true_up")
    if slice_.charge.minimum is None or any(_billed_for(world, slice_, mark)):
        return
    share = world.terms.share(slice_.whole, window_of(world, slice_), slice_.subscription.zone)
    minimum = slice_.charge.minimum
    if share is not None:
        minimum = minimum * share.used / share.whole
    missing = world.terms.money.apply(minimum) - sum((line.amount for line in lines), ZERO)
    if missing > 0:
        yield usage_line(slice_, missing, Decimal(1), mark, kind="true_up")


def _renewed(world: World, slice_: Slice) -> Iterator[Line]:
    """Yield the level that goes on into a new period, in full, where usage is billed on arrival."""
    goes_on = slice_.span.start == slice_.whole.start and slice_.span.start > slice_.subscription.start
    if not goes_on or not metric_of(world, slice_).recurring:
        return
    opening = Period(slice_.span.start, slice_.span.start)
    for part in parts_of(world, slice_):
        mark = billed_as(slice_, part.key, what="renewal")
        measured = measure(world, slice_, part, window=opening)
        full = measured._replace(units=measured.full_units)
        if full.full_units and not any(_billed_for(world, slice_, mark)):
            amount = cost(world, slice_, part, full, window=opening, rounding=world.terms.money)
            yield usage_line(slice_, amount, full.full_units, mark)


def _is_taken_over(world: World, slice_: Slice) -> bool:
    """Whether a level goes on under the next plan: then that plan bills the period in which the plan changed.

    One that is prorated is billed by both, each for its days.
    """
    stretch, metric = slice_.stretch, metric_of(world, slice_)
    if world.terms.is_account_centred or not metric.recurring or metric.prorated:
        return False
    if stretch.end is None or stretch.is_last or slice_.span.end == slice_.whole.end:
        return False
    following = slice_.subscription.plan_at(stretch.end).plan
    return any(
        charge.kind == "usage" and charge.metric == slice_.charge.metric
        for phase in following.phases
        for charge in phase.charges
    )


def _price(world: World, slice_: Slice, part: Part, window: Period) -> Decimal:
    measured = measure(world, slice_, part, window=window)
    return cost(world, slice_, part, measured, window=window, rounding=world.terms.money)


def _billed_for(world: World, slice_: Slice, mark: tuple[object, ...]) -> Iterator[Line]:
    """Yield the lines with a mark that billed a time which the slice touches."""
    for line in world.account(slice_.subscription.customer).standing_lines:
        if line.of != mark or line.span is None:
            continue
        if line.span == slice_.span or not line.span.overlap(slice_.span).is_empty:
            yield line
