"""Resumption: when a pause ends by itself, and what its end does to the billing dates."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from tenor.kernel.calendar import boundary, parse_zone, period_at, period_index
from tenor.kernel.errors import Malformed
from tenor.kernel.ids import ItemId
from tenor.pricing.model import PlanVersion, Timing
from tenor.subscriptions.errors import GridRefused
from tenor.subscriptions.model import BillingDate, Closing, Item, Reopened, Subscription
from tenor.subscriptions.rules.anchors import clock_time_between, later_by, require_movable
from tenor.subscriptions.rules.grid import billing_grid, period_end

CYCLES_MAX: Final = 1_000
"""A pause lasts at most so many billing periods."""


class NotAPauseLength(Malformed):
    """A number of billing periods that is not between 1 and 1,000."""

    code = "not_a_pause_length"


@dataclass(frozen=True, slots=True)
class Cycles:
    """So many billing periods. A part of one, where a pause begins inside it, counts as one."""

    count: int


class Running(NamedTuple):
    """An item that runs, with the plan version that it pins."""

    item: Item
    plan: PlanVersion


def end_of_cycles(cycles: Cycles, running: Running, subscription: Subscription, *, since: datetime) -> datetime:
    """Return the boundary of the item's grid that ends a pause of so many billing periods.

    Raises:
        NotAPauseLength: it is not between 1 and 1,000 periods.
    """
    if isinstance(cycles.count, bool) or not 1 <= cycles.count <= CYCLES_MAX:
        raise NotAPauseLength(f"a pause lasts 1 to {CYCLES_MAX:,} billing periods, not {cycles.count!r}")
    grid = billing_grid(running.item, running.plan.interval, subscription)
    return boundary(grid, period_index(grid, since) + cycles.count)


def reopened_at(
    at: datetime,
    running: Sequence[Running],
    subscription: Subscription,
    *,
    paused_at: datetime,
    closing: Closing,
    billing_date: BillingDate,
    ids: Iterator[ItemId],
) -> tuple[Reopened, ...]:
    """Return the items as which those that are paused since `paused_at` go on at `at`; none where the dates stay.

    A shift moves the end of the period that the pause cut, on the local clock, by the length of the pause. Where
    that period stays owed whole (`closing`), the time until the moved end is served without being billed again.
    Where the pause cut no period, the dates begin anew at `at`.

    Raises:
        GridRefused: the policy fixes the dates, or charges of several intervals have no one date to shift.
    """
    if billing_date is BillingDate.KEEP:
        return ()
    require_movable(subscription.profile)
    found = []
    for one in running:
        rest = _rest(one, subscription, paused_at) if billing_date is BillingDate.SHIFT else timedelta(0)
        anchor_at = later_by(at, rest, parse_zone(subscription.timezone))
        is_paid = rest and closing is Closing.WHOLE and (one.item.starts_at < paused_at or not one.item.is_add_on)
        found.append(Reopened(one.item.id, next(ids), anchor_at, anchor_at if is_paid else None))
    return tuple(found)


def _rest(one: Running, subscription: Subscription, paused_at: datetime) -> timedelta:
    """Return what a pause leaves of the item's billing period, on the local clock; nothing where none had begun.

    None had begun where the pause begins on a boundary, or before the grid does.
    """
    _require_one_interval(one.plan)
    if min(one.item.anchor_at, one.item.starts_at) > paused_at:
        return timedelta(0)
    if period_at(billing_grid(one.item, one.plan.interval, subscription), paused_at).start == paused_at:
        return timedelta(0)
    end = period_end(one.item, one.plan.interval, subscription, at=paused_at)
    return clock_time_between(paused_at, end, parse_zone(subscription.timezone))


def _require_one_interval(plan: PlanVersion) -> None:
    """Refuse to shift a plan whose charges are paid ahead for different lengths: no one date serves what is left."""
    intervals = {charge.interval or plan.interval for charge in plan.charges if charge.timing is Timing.ADVANCE}
    if len(intervals) > 1:
        raise GridRefused(
            f"plan {plan.plan!r} has charges that are paid ahead for different intervals, so its billing dates cannot"
            " shift; resume with billing_date 'keep' or 'restart'",
            plan=plan.plan,
        )
