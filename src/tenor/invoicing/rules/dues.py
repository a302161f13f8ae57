"""Dues: which service periods of which charges a settlement has to look at, and when to look again."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Final, NamedTuple

from tenor.invoicing.rules.joints import ALONE, Joint
from tenor.kernel.calendar import Grid, Interval, fixed_offset_at, period_at, periods_between
from tenor.kernel.period import Period
from tenor.pricing.model import Charge, ChargeKind, PlanVersion, SeatCounting, Timing
from tenor.pricing.policy import CalendarPolicy
from tenor.subscriptions.model import Closing, Item, Phase, PhaseState

INSTANT: Final = timedelta(microseconds=1)
"""The shortest time there is: a half-open span through an instant ends so much after it."""


class Slice(NamedTuple):
    """A billable part of a service period on one set of terms.

    `quantity` units of the charge, at the plan's price unless `price` overrules it.
    """

    span: Period
    quantity: Decimal
    price: Decimal | None


class Due(NamedTuple):
    """A service period of a charge to be looked at.

    `period` is the grid's whole period; `slices` are its billable parts, none where service was not
    billable (a trial, a pause). `falls_due_at` is the instant at which the timeline asks for it, `due_at` the one
    that the document for it is for: later for what corrects an earlier document. `is_settled` says that an
    earlier settlement has looked at it already. `joint` is that of its item. `metered_through` is set for usage of
    a period that still runs: what has been used through that instant counts, and falls due at it.
    """

    charge: Charge
    period: Period
    slices: tuple[Slice, ...]
    falls_due_at: datetime
    due_at: datetime
    is_settled: bool
    joint: Joint = ALONE
    metered_through: datetime | None = None


class Look(NamedTuple):
    """Which part of an item's life is to be looked at: everything due through `through`, less what is settled.

    `settled_through` None: nothing is settled. `revisit_from`: news has touched what lies after this
    instant, so service periods that end later are looked at again although they are settled. Usage in advance is
    looked at through `metered_through` before its periods are over; with `so_far` usage in arrears is too.
    """

    through: datetime
    settled_through: datetime | None
    revisit_from: datetime | None
    metered_through: datetime | None = None
    so_far: bool = False


MEASURED_ON_OTHERS: Final = (ChargeKind.COMMITMENT, ChargeKind.CAP)
"""Kinds of charge that cost what the other charges of their period leave short of it, or take off what is above."""

PAID_BY_TIME: Final = (ChargeKind.RECURRING, ChargeKind.SEAT)
"""Kinds of charge of which a part of a period is a part of the price."""


class _Manner(NamedTuple):
    """How a charge falls due. The charges of a plan mostly share one of two manners, and so what is due of them.

    `interval` None is the plan's. Usage is looked at through `used_through` before its period is over; None: it is not.
    """

    interval: Interval | None
    is_paid_after: bool
    is_one_off: bool
    used_through: datetime | None = None


class _Grids:
    """The grids of one item's charges, one for each interval, and the periods that have been asked of them before."""

    def __init__(self, plan: PlanVersion, item: Item, zone: tzinfo, calendar: CalendarPolicy) -> None:
        self._plan, self._item, self._zone, self._calendar = plan, item, zone, calendar
        self._grids: dict[Interval | None, Grid] = {}
        self._periods_at: dict[tuple[Interval | None, datetime], Period] = {}
        self._periods_through: dict[tuple[Interval | None, datetime, datetime], tuple[Period, ...]] = {}

    def period_at(self, manner: _Manner, instant: datetime) -> Period:
        """Return the period of a manner's grid that holds `instant`."""
        key = (manner.interval, instant)
        if key not in self._periods_at:
            self._periods_at[key] = period_at(self._of(manner), instant)
        return self._periods_at[key]

    def periods_through(self, manner: _Manner, since: datetime, through: datetime) -> tuple[Period, ...]:
        """Return the periods of a manner's grid from the one that holds `since` to the one that holds `through`."""
        key = (manner.interval, since, through)
        if key not in self._periods_through:
            self._periods_through[key] = tuple(periods_between(self._of(manner), since, through + INSTANT))
        return self._periods_through[key]

    def _of(self, manner: _Manner) -> Grid:
        interval = manner.interval
        if interval not in self._grids:
            self._grids[interval] = service_grid(
                self._item, interval or self._plan.interval, self._zone, self._calendar
            )
        return self._grids[interval]


def dues(
    item: Item,
    plan: PlanVersion,
    look: Look,
    zone: tzinfo,
    calendar: CalendarPolicy,
    *,
    joint: Joint = ALONE,
    changed_in: Sequence[Period] = (),
    needed_in: Sequence[Period] = (),
) -> list[Due]:
    """Return what `look` asks for, in order of charge and time.

    A charge in advance is due at the start of the served part of its period, one in arrears at its end, and usage
    when it is used where it is looked at before that. A settled period that news has touched rides with the newest
    document of this settlement. A commitment or a cap brings with it every charge whose period lies in its own,
    because it is measured on all of them. Besides, what falls due in `changed_in` may have changed, and commitments
    with it; what falls due in `needed_in` is only asked for. `joint` says how the item joins the others of its
    subscription.
    """
    grids = _Grids(plan, item, zone, calendar)
    charges = [charge for charge in plan.charges if not (joint.has_paid_once and charge.kind is ChargeKind.ONE_OFF)]
    asked_in = (*changed_in, *needed_in)
    manners = [_manner_of(charge, look) for charge in charges]
    since = _first_looked_at(look)
    while True:
        of_manner = {manner: list(_found(manner, grids, item, look, since)) for manner in set(manners)}
        every = [
            (charge, found) for charge, manner in zip(charges, manners, strict=True) for found in of_manner[manner]
        ]
        bounds = [found.period for charge, found in every if charge.kind in MEASURED_ON_OTHERS]
        if bounds:
            changed = [
                found.period
                for charge, found in every
                if is_looked_at(found, look) or _falls_due_in(charge, found, changed_in)
            ]
            bounds = [bound for bound in bounds if any(bound.covers(period) for period in changed)]
        if since is None or not (bounds or asked_in):
            break
        earliest = min(period.start for period in (*bounds, *asked_in))
        if since < earliest:
            break
        since = earliest - INSTANT
    looked_at = [
        _due(charge, found, joint)
        for charge, found in every
        if is_looked_at(found, look)
        or (asked_in and _falls_due_in(charge, found, asked_in))
        or (bounds and any(bound.covers(found.period) for bound in bounds))
    ]
    return with_corrections_due(looked_at, newest_due_at(looked_at, through=look.through))


def service_grid(item: Item, interval: Interval, zone: tzinfo, calendar: CalendarPolicy) -> Grid:
    """Return the grid of service periods of `interval` of an item in its subscription's `zone`."""
    return Grid(
        interval=interval,
        anchor=item.anchor_at,
        zone=billing_zone(item, zone, calendar),
        alignment=calendar.alignment,
        month_end=calendar.month_end,
        boundary_time=calendar.boundary_time,
    )


def billing_zone(item: Item, zone: tzinfo, calendar: CalendarPolicy) -> tzinfo:
    """Return the zone in which an item's periods and days are counted: by policy its offset at the anchor, all year."""
    return fixed_offset_at(zone, item.anchor_at) if calendar.zone == "fixed_offset" else zone


def newest_due_at(looked_at: Iterable[Due], *, through: datetime, settled_through: datetime | None = None) -> datetime:
    """Return the instant whose document carries corrections: the newest regular one, else `through`.

    A due is a correction if it is settled, or fell due at an instant through which its subscription is. Usage that is
    looked at before its time carries none.
    """
    regular = [due.due_at for due in looked_at if not (_is_correction(due, settled_through) or is_early(due, through))]
    return max(regular, default=through)


def with_corrections_due(looked_at: list[Due], at: datetime, *, settled_through: datetime | None = None) -> list[Due]:
    """Return the dues with those that are corrections due `at`; see `newest_due_at`."""
    if not any(_is_correction(due, settled_through) for due in looked_at):
        return looked_at
    return [due._replace(due_at=at) if _is_correction(due, settled_through) else due for due in looked_at]


def is_early(due: Due, through: datetime) -> bool:
    """Whether it is usage that is looked at before its period falls due, or while grace keeps the period's draft open.

    `through` is that of its look.
    """
    return due.metered_through is not None or due.falls_due_at > through


def falls_inside(due: Due) -> bool:
    """Whether something falls due inside its period instead of at its end or start: what a change left or brought."""
    is_regular = not due.is_settled and due.metered_through is None
    return is_regular and due.period.start < due.falls_due_at < due.period.end


def riding_on(looked_at: list[Due], regular: Sequence[datetime]) -> list[Due]:
    """Return the dues with those that fall inside a period due with the next of the `regular` instants, if any."""
    return [
        due._replace(due_at=next((at for at in regular if at >= due.due_at), due.due_at)) if falls_inside(due) else due
        for due in looked_at
    ]


def _is_correction(due: Due, settled_through: datetime | None) -> bool:
    return due.is_settled or (settled_through is not None and due.due_at <= settled_through)


def next_due_at(
    item: Item,
    plan: PlanVersion,
    zone: tzinfo,
    calendar: CalendarPolicy,
    *,
    after: datetime,
    looked_at: Iterable[Due] = (),
) -> datetime | None:
    """Return the first instant after `after` at which a charge of the item falls due; None when none will.

    `looked_at` are dues of the item that have been found before: one in the midst of its period saves the calendar it.
    """
    if not item.phases:
        return None
    grids = _Grids(plan, item, zone, calendar)
    first = max(item.starts_at, after)
    known = {due.charge.interval: due.period for due in looked_at if due.period.holds(first)}
    instants = []
    for manner in {_manner_of(charge) for charge in plan.charges}:
        period = known.get(manner.interval) or grids.period_at(manner, first)
        served = _served(manner, item, period)
        if served is not None and served.falls_due_at <= after:
            if not manner.is_one_off and _is_billable_at(item, period.end):
                instants.append(period.end)  # the usual case: saves the calendar another period
                continue
            served = _served(manner, item, grids.period_at(manner, period.end))
        if served is not None:
            instants.append(served.falls_due_at)
    return min(instants, default=None)


def service_start(item: Item) -> datetime | None:
    """Return where the service periods of an item begin: with its first instant; None where it has no time at all.

    Also a trial or a pause has periods: so they begin where they began and follow each other without a gap,
    whatever is changed of it later.
    """
    return item.starts_at if item.phases else None


class _Part(NamedTuple):
    """A billable part of a service period, with the phase that it lies in."""

    span: Period
    phase: Phase


class _Served(NamedTuple):
    """What of a period of the grid lies in the life of an item: its billable parts, and when the charge falls due."""

    parts: list[_Part]
    falls_due_at: datetime


class _Found(NamedTuple):
    """What is due of a period for all charges of one manner: slices are worked out for those that are asked for."""

    period: Period
    parts: list[_Part]
    falls_due_at: datetime
    is_settled: bool
    metered_through: datetime | None = None


def _manner_of(charge: Charge, look: Look | None = None) -> _Manner:
    """Return how a charge falls due: usage when its period is over, but for what is looked at as it is used."""
    is_usage = charge.kind is ChargeKind.USAGE
    is_early = is_usage and look is not None and (look.so_far or charge.timing is Timing.ADVANCE)
    used_through = None
    if is_early and look is not None and look.metered_through is not None:
        used_through = max(look.through, look.metered_through)
    is_paid_after = is_usage or charge.timing is Timing.ARREARS
    return _Manner(charge.interval, is_paid_after, charge.kind is ChargeKind.ONE_OFF, used_through)


def _found(manner: _Manner, grids: _Grids, item: Item, look: Look, since: datetime | None) -> Iterator[_Found]:
    """Yield what is due up to `look.through`, from the period that holds `since` on; None: the first."""
    used_through = manner.used_through
    through = look.through if used_through is None else used_through
    if not item.phases or item.starts_at > through:
        return
    first = item.starts_at if since is None else max(item.starts_at, since)
    for period in grids.periods_through(manner, first, through):
        served = _served(manner, item, period)
        if served is None:
            continue
        parts, falls_due_at = served
        if falls_due_at <= through:
            is_settled = look.settled_through is not None and falls_due_at <= look.settled_through
            yield _Found(period, parts, falls_due_at, is_settled)
        elif used_through is not None:
            yield _Found(period, parts, used_through, is_settled=False, metered_through=used_through)


def _due(charge: Charge, found: _Found, joint: Joint) -> Due:
    period, parts, falls_due_at, is_settled, metered_through = found
    slices = _slices(charge, parts, period)
    return Due(charge, period, slices, falls_due_at, falls_due_at, is_settled, joint, metered_through)


def _served(manner: _Manner, item: Item, period: Period) -> _Served | None:
    """Return what an item is served of a period; None where it does not live, or has paid a one-off before.

    What is paid in arrears is owed also in time that has been paid for ahead.
    """
    start, end = max(item.starts_at, period.start), min(item.ends_at or period.end, period.end)
    if start >= end or (manner.is_one_off and _is_billable_before(item, start)):
        return None
    parts = [
        _Part(Period(max(phase.starts_at, start), min(phase.ends_at or end, end)), phase)
        for phase in item.phases
        if (phase.is_billable or (manner.is_paid_after and phase.state is PhaseState.ACTIVE))
        and phase.starts_at < end
        and (phase.ends_at is None or phase.ends_at > start)
    ]
    if manner.is_paid_after:
        return _Served(parts, end)
    return _Served(parts, parts[0].span.start if parts else start)


def _is_billable_at(item: Item, at: datetime) -> bool:
    return any(
        phase.is_billable and phase.starts_at <= at and (phase.ends_at is None or at < phase.ends_at)
        for phase in item.phases
    )


def _is_billable_before(item: Item, at: datetime) -> bool:
    return any(phase.is_billable and phase.starts_at < at for phase in item.phases)


def _first_looked_at(look: Look) -> datetime | None:
    """Return from which instant on something may have to be looked at; None: from the beginning.

    What falls due at the very instant of the news belongs to a period that ends there.
    """
    if look.settled_through is None or look.revisit_from is None:
        return look.settled_through
    return min(look.settled_through, look.revisit_from - INSTANT)


def is_looked_at(due: Due | _Found, look: Look) -> bool:
    """Whether a look asks for a due: it is not settled yet, or the news may have touched it."""
    if not due.is_settled:
        return True
    since = look.revisit_from
    return since is not None and (due.period.end > since or due.falls_due_at >= since)


def _falls_due_in(charge: Charge, found: _Found, spans: Sequence[Period]) -> bool:
    return charge.kind not in MEASURED_ON_OTHERS and any(span.holds(found.falls_due_at) for span in spans)


def _slices(charge: Charge, parts: list[_Part], period: Period) -> tuple[Slice, ...]:
    """Return the slices of the billable `parts` of a period, neighbours on the same terms joined.

    So a change that does not concern the charge leaves no seam in it, which some policies would round at.
    """
    if charge.timing is Timing.ADVANCE and charge.kind in PAID_BY_TIME:
        parts = _closed(parts, period)
    quantities = [part.phase.terms.quantities.get(charge.code, charge.default_quantity) for part in parts]
    if charge.counting is SeatCounting.HIGH_WATER and parts:
        quantities = [max(quantities)] * len(parts)
    slices: list[Slice] = []
    for part, quantity in zip(parts, quantities, strict=True):
        found = Slice(part.span, quantity, part.phase.terms.prices.get(charge.code))
        before = slices[-1] if slices else None
        if before is not None and before.span.end == found.span.start and before[1:] == found[1:]:
            slices[-1] = before._replace(span=Period(before.span.start, found.span.end))
        else:
            slices.append(found)
    return tuple(slices)


def _closed(parts: list[_Part], period: Period) -> list[_Part]:
    """Return what the ends of service inside a period that was to be paid in advance leave of its billable parts.

    One that keeps the period whole lasts until service goes on, or to its end; one that frees it takes away what
    has been served of it so far.
    """
    kept: list[_Part] = []
    for place, part in enumerate(parts):
        goes_on_at = parts[place + 1].span.start if place + 1 < len(parts) else period.end
        closing = part.phase.closing if part.span.end < goes_on_at else Closing.PRORATED
        if closing is Closing.FREE:
            kept.clear()
            continue
        kept.append(part._replace(span=Period(part.span.start, goes_on_at)) if closing is Closing.WHOLE else part)
    return kept
