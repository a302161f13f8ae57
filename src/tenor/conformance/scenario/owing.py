"""What a run adds to a customer's documents: the difference between what is owed by then and what was billed."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from tenor.conformance.scenario.calendar import Slice, picked_up, service_span, slices
from tenor.conformance.scenario.commitments import commitment_lines
from tenor.conformance.scenario.documents import Line
from tenor.conformance.scenario.life import Subscription, stretches
from tenor.conformance.scenario.seats import seat_lines
from tenor.conformance.scenario.usage import usage_lines
from tenor.conformance.scenario.world import World
from tenor.invoicing.rules.spans import BilledSpan, GivenBack, OwedSpan, SpanCharge, SpanCredit, settle_spans
from tenor.kernel.calendar import Grid, boundary
from tenor.kernel.period import Period
from tenor.pricing.rules.proration import Share

_BY_TIME = frozenset({"recurring"})


class Credit(NamedTuple):
    """A line, and the part of its time that is to be given back."""

    line: Line
    given: GivenBack


class Due(NamedTuple):
    """What a run finds for some subscriptions: new lines, and what is given back on old ones."""

    lines: list[Line]
    credits: list[Credit]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to bill."""
        return not self.lines and not self.credits


def due(world: World, subscriptions: Sequence[Subscription], *, target: datetime, fees_alone: bool = False) -> Due:
    """Return what a run up to `target` bills for `subscriptions` of one customer, perhaps their plans' fees alone."""
    found = Due([], [])
    for subscription in subscriptions:
        recurring = _recurring(world, subscription, target=target)
        found.credits.extend(recurring.credits)
        found.lines.extend(_one_offs(world, subscription, target=target))
        found.lines.extend(recurring.lines)
        if fees_alone:
            continue
        found.lines.extend(usage_lines(world, subscription, target=target))
        found.lines.extend(seat_lines(world, subscription, target=target))
        found.lines.extend(commitment_lines(world, subscription, found.lines, target=target))
    return found


def owed_for(world: World, customer: str, span: Period) -> Slice | None:
    """Return the first recurring slice of a customer that touches `span`."""
    for subscription in world.subscriptions_of(customer):
        for slice_ in slices(world, subscription, _BY_TIME, until=span.end):
            if not slice_.span.overlap(span).is_empty:
                return slice_
    return None


def billed_span(world: World, slice_: Slice, span: Period, amount: Decimal) -> BilledSpan:
    """Return `span` as billed for `amount` at the price of a slice."""
    owed = _owed(world, slice_)
    return BilledSpan(None, owed.key, owed.item, span, owed.whole, owed.price_minor, world.terms.minor(amount))


def _recurring(world: World, subscription: Subscription, *, target: datetime) -> Due:
    by_id = {id(line): line for line in world.account(subscription.customer).lines if line.billed is not None}
    billed = [
        line.billed._replace(line=number)
        for number, line in by_id.items()
        if line.billed is not None and line.subscription == subscription.id
    ]
    due_slices = list(slices(world, subscription, _BY_TIME, until=target))
    looked_at = picked_up(world, due_slices)
    owed = {
        _owed(world, slice_): slice_
        for slice_ in due_slices
        if slice_ in looked_at or any(not line.span.overlap(slice_.span).is_empty for line in billed)
    }

    def share(whole: Period, part: Period) -> Share | None:
        return world.terms.share(whole, part, subscription.zone)

    found = settle_spans(billed, owed, share=share)
    return Due(
        [_charge_line(world, owed[charge.owed], charge, billed) for charge in found.charges],
        [Credit(by_id[_number(credit)], GivenBack(credit.span, credit.amount_minor)) for credit in found.credits],
    )


def _number(credit: SpanCredit) -> int:
    return int(str(credit.billed.line))


def _owed(world: World, slice_: Slice) -> OwedSpan:
    subscription, stretch = slice_.subscription, slice_.stretch
    return OwedSpan(
        key=(subscription.id, slice_.charge.name),
        item=stretch.plan.id,
        span=slice_.span,
        whole=slice_.whole,
        price_minor=world.terms.minor(slice_.charge.amount * stretch.quantity),
    )


def _charge_line(world: World, slice_: Slice, charge: SpanCharge, billed: Sequence[BilledSpan]) -> Line:
    owed, span = charge.owed, charge.span
    return Line(
        kind=_charge_kind(world, charge, billed),
        amount=world.terms.major(charge.amount_minor),
        span=span,
        subscription=slice_.subscription.id,
        plan=slice_.stretch.plan.id,
        quantity=slice_.stretch.quantity,
        tax_percents=slice_.tax_percents,
        billed=BilledSpan(None, owed.key, owed.item, span, owed.whole, owed.price_minor, charge.amount_minor),
    )


def _charge_kind(world: World, charge: SpanCharge, billed: Sequence[BilledSpan]) -> str:
    """Return what a charge is called: an account has one name for all, elsewhere a change in a billed period tells."""
    if world.terms.is_account_centred or not world.terms.keeps_balance:
        return "recurring"
    was_billed = any(not line.span.overlap(charge.span).is_empty for line in billed)
    return "proration_charge" if was_billed and charge.span != charge.owed.whole else "recurring"


def _one_offs(world: World, subscription: Subscription, *, target: datetime) -> Iterator[Line]:
    """Yield the one-off of every phase that has begun and was not billed; it is never prorated or given back."""
    made = {line.of for line in world.account(subscription.customer).lines}
    for stretch in stretches(subscription):
        for charge in stretch.phase.charges:
            if charge.kind != "one_off" or not stretch.opens_phase:
                continue
            served = service_span(world, subscription, stretch, charge)
            of = (subscription.id, stretch.plan.id, charge.name, served.start)
            if served.start > target or served.start == served.end or of in made:
                continue
            # A one-off stands for the length of its phase, unless time is charged in that phase by itself.
            is_timed = any(other.kind == "recurring" for other in stretch.phase.charges)
            length = None if is_timed else stretch.phase.length
            last = served.start if length is None else boundary(Grid(length, served.start, subscription.zone), 1)
            yield Line(
                kind="one_off",
                amount=world.terms.money.apply(charge.amount * charge.quantity),
                span=Period(served.start, last),
                subscription=subscription.id,
                plan=stretch.plan.id,
                item=charge.item,
                of=of,
            )
