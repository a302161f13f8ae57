"""Where the periods of a subscription fall: its anchor day, its grid, and the slices of its life on it."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from itertools import takewhile
from typing import NamedTuple, cast

from tenor.conformance.scenario.life import Cut, Stretch, Subscription, ended_as_it_began, first_paid_at, stretches
from tenor.conformance.scenario.plans import Charge, Timing
from tenor.conformance.scenario.strict import NotRunnable
from tenor.conformance.scenario.terms import same_clock
from tenor.conformance.scenario.world import World
from tenor.kernel.calendar import (
    Alignment,
    Grid,
    Interval,
    anchor_day_grid,
    bill_date_grid,
    full_period,
    local_date,
    midnight_of,
    period_at,
    service_periods,
)
from tenor.kernel.period import Period

_UNCUT = frozenset({"usage", "commitment"})
_INSTANT = timedelta(microseconds=1)


class Slice(NamedTuple):
    """What one charge serves in one period: `span` of the `whole` one, and the instant from which it is due."""

    subscription: Subscription
    stretch: Stretch
    charge: Charge
    span: Period
    whole: Period
    due_at: datetime

    @property
    def tax_percents(self) -> tuple[Decimal, ...] | None:
        """The taxes of the charge, else of its plan; None leaves them to the customer."""
        own = self.charge.tax_percents
        return self.stretch.plan.tax_percents if own is None else own


def slices(world: World, subscription: Subscription, kinds: frozenset[str], *, until: datetime) -> Iterator[Slice]:
    """Yield the slices of the charges of `kinds` that are due by `until`, charge by charge in order of time."""
    for stretch, charge in _charges_of(world, subscription, kinds):
        found = _slices_of(world, subscription, stretch, charge)
        yield from takewhile(lambda slice_: slice_.due_at <= until, found)


def begun_slices(world: World, subscription: Subscription, kinds: frozenset[str], *, by: datetime) -> Iterator[Slice]:
    """Yield the slices of the charges of `kinds` whose time has begun at `by`, whether they are due or not."""
    for stretch, charge in _charges_of(world, subscription, kinds):
        found = _slices_of(world, subscription, stretch, charge)
        yield from takewhile(lambda slice_: slice_.span.start <= by, found)


def picked_up(world: World, due: Iterable[Slice]) -> list[Slice]:
    """Return those of the slices due that a run looks at: all, or the newest of each charge.

    Who never catches up leaves the periods that were missed unbilled for ever, and bills nothing in advance of what
    has ended.
    """
    found = list(due)
    if world.terms.policy.calendar.catch_up:
        return found
    found = [slice_ for slice_ in found if timing_of(world, slice_.charge) == "arrears" or _runs(world, slice_.stretch)]
    newest = {(slice_.stretch.plan.id, slice_.charge.name): slice_ for slice_ in found}
    return [slice_ for slice_ in found if newest[slice_.stretch.plan.id, slice_.charge.name] is slice_]


def _charges_of(world: World, subscription: Subscription, kinds: frozenset[str]) -> list[tuple[Stretch, Charge]]:
    """Return the charges of `kinds` with their stretches; for usage and commitments that go on two stretches are one.

    Only an account cuts its usage wherever anything changes.
    """
    found: list[tuple[Stretch, Charge]] = []
    empty = ended_as_it_began(subscription) if kinds <= _UNCUT else ()
    for stretch in (*stretches(subscription), *empty):
        for charge in stretch.phase.charges:
            if charge.kind not in kinds:
                continue
            goes_on = None
            if charge.kind in _UNCUT and not world.terms.is_account_centred:
                goes_on = next((entry for entry in found if _goes_on(entry, stretch, charge)), None)
            if goes_on is None:
                found.append((stretch, charge))
            else:
                found[found.index(goes_on)] = stretch._replace(start=goes_on[0].start), charge
    return found


def _runs(world: World, stretch: Stretch) -> bool:
    return stretch.end is None or world.now < stretch.end


def _goes_on(before: tuple[Stretch, Charge], stretch: Stretch, charge: Charge) -> bool:
    return before[0].end == stretch.start and before[0].plan is stretch.plan and before[1] == charge


def timing_of(world: World, charge: Charge) -> Timing:
    """Return when a charge is due: its own timing, else its plan's, else the policy's; usage is in arrears.

    A commitment that stands on the next invoice is due when its period has ended.
    """
    if charge.kind == "commitment" and world.terms.policy.billing.commitment_invoice == "next_invoice":
        return "arrears"
    return charge.timing or ("arrears" if charge.kind == "usage" else world.terms.policy.calendar.timing)


def period_of(world: World, subscription: Subscription, at: datetime) -> Period | None:
    """Return the uncut period that serves `at`: that of the recurring charge, else of the plan; None without any."""
    running = next((entry for entry in stretches(subscription) if entry.end is None or at < entry.end), None)
    if running is None:
        return None
    charge = next((entry for entry in running.phase.charges if entry.kind in {"recurring", "seat"}), None)
    if charge is not None:
        start = service_span(world, subscription, running, charge).start
        grid = grid_of(world, subscription, running, charge)
        return next(period for period in service_periods(grid, start) if at < period.end)
    interval = running.plan.interval
    return (
        None if interval is None else period_at(_own_grid(world, subscription, interval, subscription.zone, at=at), at)
    )


def run_instant(world: World, subscription: Subscription, due_at: datetime) -> datetime:
    """Return when something due at `due_at` is billed: an account bills at its own time of day."""
    if not world.terms.is_account_centred:
        return due_at
    return same_clock(world.terms.opened_at, due_at, subscription.zone)


def run_target(world: World, customer: str, at: datetime) -> datetime:
    """Return up to where a run at `at` looks: an account's runs know days, not hours."""
    zone = world.zone(customer)
    return midnight_of(local_date(at, zone), zone) if world.terms.is_account_centred else at


def zone_of(world: World, subscription: Subscription, charge: Charge) -> tzinfo:
    """Return the zone in which a charge is cut into periods."""
    return world.usage_zone(subscription.customer) if charge.kind == "usage" else subscription.zone


def grid_of(world: World, subscription: Subscription, stretch: Stretch, charge: Charge) -> Grid:
    """Return the grid of a charge in a stretch.

    An account's grids are days of the month, counted anew from where the stretch begins; any other
    subscription has one grid until its anchor is moved.
    """
    zone = zone_of(world, subscription, charge)
    if charge.interval is None:
        raise NotRunnable(f"plan {stretch.plan.id}: a {charge.kind} charge has no interval")
    if world.terms.is_account_centred:
        start = service_span(world, subscription, stretch, charge).start
        day = anchor_day(world, subscription, stretch)
        return anchor_day_grid(charge.interval, start=start, anchor_day=day, zone=zone)
    return _own_grid(world, subscription, charge.interval, zone, at=stretch.start)


def _own_grid(world: World, subscription: Subscription, interval: Interval, zone: tzinfo, *, at: datetime) -> Grid:
    policy = world.terms.policy.calendar
    alignment = cast(Alignment, subscription.alignment or policy.alignment)
    start = _origin(world, subscription, at)
    if alignment == "account_bill_date":
        day = min(entry.start for entry in world.subscriptions_of(subscription.customer))
        return bill_date_grid(
            interval,
            start=start,
            anchor_day=local_date(day, zone).day,
            zone=zone,
            boundary_time=policy.boundary_time,
        )
    return Grid(
        interval,
        start,
        zone,
        alignment=alignment,
        month_end=policy.month_end,
        boundary_time=policy.boundary_time,
    )


def _origin(world: World, subscription: Subscription, at: datetime) -> datetime:
    """Return where the periods that hold at `at` count from: the last move of the anchor, else the start.

    Who keeps a balance counts from the end of a trial; who gives credit notes has periods from the first day on.
    """
    moved = [instant for instant, _ in subscription.anchors if instant <= at]
    if moved:
        return max(moved)
    paid = (entry.start for entry in stretches(subscription) if not entry.phase.is_trial)
    return next(paid, subscription.start) if world.terms.keeps_balance else subscription.start


def anchor_day(world: World, subscription: Subscription, stretch: Stretch) -> int:
    """Return the day of the month on which a stretch is billed: the one given for it, else that of its scope."""
    if stretch.anchor_day is not None:
        return stretch.anchor_day
    scope = stretch.plan.anchor_scope or world.terms.policy.billing.anchor_scope
    account = world.account(subscription.customer)
    if scope == "account" and account.anchor_day is not None:
        return account.anchor_day
    owner = world.subscriptions[subscription.base] if scope == "bundle" and subscription.base else subscription
    return local_date(first_paid_at(owner) or owner.start, owner.zone).day


def set_account_anchor(world: World, subscription: Subscription) -> None:
    """Give an account without an anchor day that of the first paid recurring charge of `subscription`."""
    account = world.account(subscription.customer)
    paid_at = first_paid_at(subscription)
    scope = subscription.plans[-1].plan.anchor_scope or world.terms.policy.billing.anchor_scope
    if account.anchor_day is None and paid_at is not None and scope == "account":
        account.anchor_day = local_date(paid_at, subscription.zone).day


def _slices_of(world: World, subscription: Subscription, stretch: Stretch, charge: Charge) -> Iterator[Slice]:
    served = service_span(world, subscription, stretch, charge)
    if served.end is not None and served.start >= served.end:
        if charge.kind == "usage" and stretch.is_last and world.terms.is_account_centred:
            day = Period(served.start, served.start)
            yield Slice(subscription, stretch, charge, day, day, served.start)
        return
    grid = grid_of(world, subscription, stretch, charge)
    for span in service_periods(grid, served.start, served.end):
        whole = full_period(grid, span)
        yield Slice(subscription, stretch, charge, span, whole, _due_at(world, stretch, charge, span, whole=whole))


class ServiceSpan(NamedTuple):
    """When a stretch is served; `end` None is open."""

    start: datetime
    end: datetime | None


def service_span(world: World, subscription: Subscription, stretch: Stretch, charge: Charge) -> ServiceSpan:
    """Return when a charge is served in a stretch: in whole days where the policy counts them.

    Usage counts from instant to instant, but for an account, which knows days alone.
    """
    terms, zone = world.terms, zone_of(world, subscription, charge)
    if charge.kind == "usage" and not terms.is_account_centred:
        return ServiceSpan(stretch.start, stretch.end)
    opens = stretch.start == subscription.start
    owner = terms.policy.proration.seat_change_day_owner if charge.kind == "seat" else None
    start = terms.service_instant(
        stretch.start, zone, opens=opens, old_owns_day=None if owner is None else owner == "old"
    )
    if stretch.end is None:
        return ServiceSpan(start, None)
    stays = None if owner is None else owner != "new"
    end = terms.service_instant(stretch.end, zone, ends=stretch.is_last, old_owns_day=stays)
    return ServiceSpan(start, end)


def _due_at(world: World, stretch: Stretch, charge: Charge, span: Period, *, whole: Period) -> datetime:
    if timing_of(world, charge) == "advance":
        opens_period = world.terms.is_account_centred or span.start == whole.start
        return span.start if opens_period else max(span.start, stretch.start)
    if world.terms.policy.calendar.arrears_run == "greedy" and charge.kind != "usage":
        return span.start + _INSTANT
    if stretch.end is None:
        return span.end
    # Another edition of the plan prices the rest of the period; the period goes on and is billed at its end.
    ends = span.end if stretch.closed_by is not Cut.EDITION else whole.end
    return ends if stretch.life_goes_on_until is None else min(ends, stretch.life_goes_on_until)
