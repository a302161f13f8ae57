"""Discounting: which discounts hold for a due, and what they take off the exact price of each.

A discount counts billing windows from its application: the first runs to the end of the first whole billing
period, each further one is the next billing period of the plan that runs then. A due belongs to the window in
which it falls due by the timeline, whenever it is settled; so what is corrected later keeps its discount, and a
credit gives back what was really paid.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, tzinfo
from fractions import Fraction
from itertools import groupby
from typing import NamedTuple

from tenor.invoicing.rules.dues import (
    INSTANT,
    MEASURED_ON_OTHERS,
    Due,
    Look,
    dues,
    is_looked_at,
    service_grid,
)
from tenor.invoicing.rules.joints import joint_of
from tenor.invoicing.rules.ratings import Rating, exact_text
from tenor.kernel.calendar import period_at
from tenor.kernel.ids import DiscountId
from tenor.kernel.period import Period
from tenor.pricing.discounts.model import Discount
from tenor.pricing.model import PlanVersion
from tenor.pricing.policy import CalendarPolicy, Policy
from tenor.pricing.rules.discounts import Discountable, LineDiscount, active_in, shares_to_json, spread
from tenor.subscriptions.model import AppliedDiscount, Item


class Looked(NamedTuple):
    """An item, its plan version, and which part of its life is to be looked at."""

    item: Item
    plan: PlanVersion
    look: Look


class Window(NamedTuple):
    """The `number`-th billing window of a discount, counted from 0."""

    discount: Discount
    number: int
    span: Period


class _Place(NamedTuple):
    """Where a rating stands: of which item, at which place among its ratings."""

    item: int
    rating: int


def joint_looks(looks: Sequence[Look]) -> list[Look]:
    """Return the looks at the items of one subscription, where news of one is news of all.

    For what is owed of one may hang on another: discount windows count the periods of the plan that runs, an amount
    off is shared, and what is paid once is not paid again by an item that goes on from another.
    """
    news = [look.revisit_from for look in looks if look.revisit_from is not None]
    return [look._replace(revisit_from=min(news)) for look in looks] if news else list(looks)


def dues_of_all(
    looked: Sequence[Looked], discounts: Sequence[AppliedDiscount], zone: tzinfo, calendar: CalendarPolicy
) -> list[list[Due]]:
    """Return the dues of each item of a subscription.

    An amount off is shared by everything that falls due in one window; so a due that may have changed brings the
    others of its window with it, whichever item they are of, for they may change too. What these bring for being
    measured on it (commitments) asks for the rest of its windows.
    """

    items = [one.item for one in looked]
    joints = [joint_of(item, items) for item in items]

    def found(*, changed_in: Sequence[Period] = (), needed_in: Sequence[Period] = ()) -> list[list[Due]]:
        return [
            dues(
                one.item,
                one.plan,
                one.look,
                zone,
                calendar,
                joint=joint,
                changed_in=changed_in,
                needed_in=needed_in,
            )
            for one, joint in zip(looked, joints, strict=True)
        ]

    every = found()
    shared = [applied for applied in discounts if applied.discount.amount_off is not None]
    if not shared or not any(every):
        return every
    through = max(one.look.through for one in looked)
    windows = [
        window.span
        for applied in shared
        for window in discount_windows(applied, looked, zone, calendar, through=through)
    ]
    spans = _merged(windows)
    changed = [due for one, dues in zip(looked, every, strict=True) for due in dues if is_looked_at(due, one.look)]
    changed_in = _touched(spans, changed)
    every = found(changed_in=changed_in)
    needed_in = _touched(spans, [due for dues in every for due in dues])
    return every if needed_in == changed_in else found(changed_in=changed_in, needed_in=needed_in)


def _merged(spans: Sequence[Period]) -> list[Period]:
    """Return the spans with those that overlap made one: two amounts off share the room of what falls due in both."""
    merged: list[Period] = []
    for span in sorted(spans):
        if merged and span.start < merged[-1].end:
            merged[-1] = Period(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def _touched(spans: Sequence[Period], every: Iterable[Due]) -> list[Period]:
    over = (due for due in every if due.metered_through is None)  # usage so far shares no amount off
    instants = {due.falls_due_at for due in over if due.charge.kind not in MEASURED_ON_OTHERS}
    return [span for span in spans if any(span.holds(instant) for instant in instants)]


def discount_windows(
    applied: AppliedDiscount, looked: Sequence[Looked], zone: tzinfo, calendar: CalendarPolicy, *, through: datetime
) -> Iterator[Window]:
    """Yield the billing windows of a discount, in order, as long as it holds and until one holds `through`.

    Of a percentage for ever nobody asks which window it is: its whole time is one.
    """
    if applied.discount.percent_off is not None and applied.discount.duration == "forever":
        yield Window(applied.discount, 0, Period(applied.applied_at, applied.removed_at or through + INSTANT))
        return
    plans = [one for one in looked if one.item.phases and not one.item.is_add_on]
    at, number = applied.applied_at, 0
    while plans and at <= through and active_in(applied.discount, number):
        if applied.removed_at is not None and at >= applied.removed_at:
            return
        running = next((one for one in reversed(plans) if one.item.starts_at <= at), plans[0])
        grid = service_grid(running.item, running.plan.interval, zone, calendar)
        period = period_at(grid, at)
        if number == 0 and period.start < at:
            period = period_at(grid, period.end)
        span = Period(at, period.end if applied.removed_at is None else min(period.end, applied.removed_at))
        yield Window(applied.discount, number, span)
        at, number = period.end, number + 1


def discount_ratings(
    ratings: Sequence[Sequence[Rating]],
    discounts: Sequence[AppliedDiscount],
    looked: Sequence[Looked],
    zone: tzinfo,
    policy: Policy,
    *,
    digits: int,
) -> list[list[Rating]]:
    """Take the discounts of a subscription off the ratings of its items, before anything is rounded.

    `ratings` are those of each item of `looked`. What falls due at one instant is discounted together; an amount
    off that is not used up goes on to what falls due later in its window. Usage of a period that still runs has no
    part in it: that is shared out when the period is over. `digits` are the currency's minor digits.
    """
    kept = [list(of_item) for of_item in ratings]
    places = [_Place(item, rating) for item, of_item in enumerate(kept) for rating in range(len(of_item))]
    if not discounts or not places:
        return kept

    def falls_due_at(place: _Place) -> datetime:
        return kept[place.item][place.rating].due.falls_due_at

    def is_running(place: _Place) -> bool:
        return kept[place.item][place.rating].due.metered_through is not None

    def moment(place: _Place) -> tuple[datetime, bool]:
        return falls_due_at(place), is_running(place)

    places.sort(key=moment)
    windows = [
        window
        for applied in discounts
        for window in discount_windows(applied, looked, zone, policy.calendar, through=falls_due_at(places[-1]))
    ]
    left: dict[tuple[DiscountId, int], Fraction] = {}
    for (instant, runs), group in groupby(places, key=moment):
        holding = {
            window.discount.id: window
            for window in windows
            if window.span.holds(instant) and not (runs and window.discount.amount_off is not None)
        }
        amounts_left = {
            id_: left.get((id_, window.number), Fraction(window.discount.amount_off or 0))
            for id_, window in holding.items()
        }
        lines = [_discountable(looked[place.item].plan, kept[place.item][place.rating], place) for place in group]
        for line in spread(
            lines,
            [window.discount for window in holding.values()],
            policy.discounts,
            digits,
            remainder=policy.rounding.remainder,
            amounts_left=amounts_left,
        ):
            place = _Place(*line.key)  # type: ignore[misc]  # what was given as the key comes back as it
            kept[place.item][place.rating] = _less(kept[place.item][place.rating], line)
            for share in line.shares:
                amounts_left[share.discount.id] -= share.amount
        left |= {(id_, holding[id_].number): amount for id_, amount in amounts_left.items()}
    return kept


def _discountable(plan: PlanVersion, rating: Rating, place: _Place) -> Discountable:
    charge = rating.due.charge
    return Discountable(
        key=place,
        amount=rating.exact,
        plan=plan.plan,
        product=plan.product,
        charge=charge.code,
        metric=charge.metric,
        whole=rating.whole,
    )


def _less(rating: Rating, discount: LineDiscount) -> Rating:
    if not discount.shares:
        return rating
    trace = {**rating.trace, "discounts": shares_to_json(discount.shares), "before_discounts": exact_text(rating.exact)}
    return rating._replace(exact=Fraction(rating.exact) - discount.amount, trace=trace)
