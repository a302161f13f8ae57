"""Dues: which service periods of which charges a settlement has to look at, and when to look again."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Final, NamedTuple

from tenor.kernel.calendar import Grid, Interval, fixed_offset_at, period_at, periods_between
from tenor.kernel.period import Period
from tenor.pricing.model import Charge, ChargeKind, PlanVersion, Timing
from tenor.pricing.policy import CalendarPolicy
from tenor.subscriptions.model import Item

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
    billable (a pause). `due_at` is the instant that the document for it is for. `is_settled` says that
    an earlier settlement has looked at it already.
    """

    charge: Charge
    period: Period
    slices: tuple[Slice, ...]
    due_at: datetime
    is_settled: bool


class Look(NamedTuple):
    """Which part of an item's life is to be looked at: everything due through `through`, less what is settled.

    `settled_through` None: nothing is settled. `revisit_from`: news has touched what lies after this
    instant, so service periods that end later are looked at again although they are settled.
    """

    through: datetime
    settled_through: datetime | None
    revisit_from: datetime | None


class _Grids:
    """The grids of one item's charges, one for each interval, and what has been asked of them before.

    The charges of a plan mostly share an interval, and ask for the same periods.
    """

    def __init__(self, plan: PlanVersion, item: Item, zone: tzinfo, calendar: CalendarPolicy) -> None:
        self._plan, self._item, self._zone, self._calendar = plan, item, billing_zone(item, zone, calendar), calendar
        self._grids: dict[Interval, Grid] = {}
        self._periods_at: dict[tuple[Interval, datetime], Period] = {}
        self._periods_through: dict[tuple[Interval, datetime, datetime], tuple[Period, ...]] = {}

    def period_at(self, charge: Charge, instant: datetime) -> Period:
        """Return the period of the charge's grid that holds `instant`."""
        key = (charge.interval or self._plan.interval, instant)
        if key not in self._periods_at:
            self._periods_at[key] = period_at(self._grid(key[0]), instant)
        return self._periods_at[key]

    def periods_through(self, charge: Charge, since: datetime, through: datetime) -> tuple[Period, ...]:
        """Return the periods of the charge's grid from the one that holds `since` to the one that holds `through`."""
        key = (charge.interval or self._plan.interval, since, through)
        if key not in self._periods_through:
            self._periods_through[key] = tuple(periods_between(self._grid(key[0]), since, through + INSTANT))
        return self._periods_through[key]

    def _grid(self, interval: Interval) -> Grid:
        if interval not in self._grids:
            self._grids[interval] = Grid(
                interval=interval,
                anchor=self._item.anchor_at,
                zone=self._zone,
                alignment=self._calendar.alignment,
                month_end=self._calendar.month_end,
                boundary_time=self._calendar.boundary_time,
            )
        return self._grids[interval]


def dues(item: Item, plan: PlanVersion, look: Look, zone: tzinfo, calendar: CalendarPolicy) -> list[Due]:
    """Return what `look` asks for, in order of charge and time.

    A charge in advance is due at the start of the served part of its period, one in arrears at its
    end. A settled period that news has touched rides with the newest document of this settlement. A
    commitment brings with it every charge whose period lies in its own, because it is measured on all of them.
    """
    grids = _Grids(plan, item, zone, calendar)
    every = [due for charge in plan.charges for due in _dues_of(charge, grids, item, look)]
    committed = [due.period for due in every if due.charge.kind is ChargeKind.COMMITMENT and _is_looked_at(due, look)]
    if committed:
        since = look._replace(settled_through=min(period.start for period in committed), revisit_from=None)
        every = [
            due._replace(is_settled=_is_settled(due.due_at, look))
            for charge in plan.charges
            for due in _dues_of(charge, grids, item, since)
        ]
    looked_at = [
        due for due in every if _is_looked_at(due, look) or any(period.covers(due.period) for period in committed)
    ]
    return with_corrections_due(looked_at, newest_due_at(looked_at, through=look.through))


def billing_zone(item: Item, zone: tzinfo, calendar: CalendarPolicy) -> tzinfo:
    """Return the zone in which an item's periods and days are counted: by policy its offset at the anchor, all year."""
    return fixed_offset_at(zone, item.anchor_at) if calendar.zone == "fixed_offset" else zone


def newest_due_at(looked_at: Iterable[Due], *, through: datetime, settled_through: datetime | None = None) -> datetime:
    """Return the instant whose document carries corrections: the newest regular one, else `through`.

    A due is a correction if it is settled, or fell due at an instant through which its subscription is.
    """
    regular = (due.due_at for due in looked_at if not _is_correction(due, settled_through))
    return max(regular, default=through)


def with_corrections_due(looked_at: list[Due], at: datetime, *, settled_through: datetime | None = None) -> list[Due]:
    """Return the dues with those that are corrections due `at`; see `newest_due_at`."""
    if not any(_is_correction(due, settled_through) for due in looked_at):
        return looked_at
    return [due._replace(due_at=at) if _is_correction(due, settled_through) else due for due in looked_at]


def _is_correction(due: Due, settled_through: datetime | None) -> bool:
    return due.is_settled or (settled_through is not None and due.due_at <= settled_through)


def next_due_at(
    item: Item, plan: PlanVersion, zone: tzinfo, calendar: CalendarPolicy, *, after: datetime
) -> datetime | None:
    """Return the first instant after `after` at which a charge of the item falls due; None when none will."""
    grids = _Grids(plan, item, zone, calendar)
    life = _billable_life(item)
    if life is None:
        return None
    start, end = life
    first_instants = []
    for charge in plan.charges:
        if start > after and charge.timing is Timing.ADVANCE:
            first_instants.append(start)
            continue
        if charge.kind is ChargeKind.ONE_OFF or (end is not None and end <= after):
            continue
        boundary = grids.period_at(charge, max(start, after)).end
        if end is None or boundary < end:
            first_instants.append(boundary)
        elif charge.timing is Timing.ARREARS:
            first_instants.append(end)
    return min(first_instants, default=None)


def _billable_life(item: Item) -> tuple[datetime, datetime | None] | None:
    """Return the first billable instant and the end of the item (None: open).

    None when nothing of it is billable: a trial that has not converted, or a stay that a later change
    took back.
    """
    start = next((phase.starts_at for phase in item.phases if phase.is_billable), None)
    return None if start is None else (start, item.phases[-1].ends_at)


def _dues_of(charge: Charge, grids: _Grids, item: Item, look: Look) -> Iterator[Due]:
    """Yield the dues of one charge up to `look.through`, from the last settled period on."""
    life = _billable_life(item)
    if life is None or life[0] > look.through:
        return
    start, end = life
    if charge.kind is ChargeKind.ONE_OFF:
        periods: tuple[Period, ...] = (grids.period_at(charge, start),)
    else:
        known = min((at for at in (look.settled_through, look.revisit_from) if at is not None), default=start)
        since = start if look.settled_through is None else max(start, known)
        periods = grids.periods_through(charge, since, look.through)
    horizon = periods[-1].end
    served_life = Period(start, horizon if end is None else min(end, horizon))
    for period in periods:
        served = period.overlap(served_life)
        if served.is_empty:
            continue
        due_at = served.end if charge.timing is Timing.ARREARS else served.start
        if due_at <= look.through:
            yield Due(charge, period, _slices(charge, item, served), due_at, _is_settled(due_at, look))


def _is_settled(due_at: datetime, look: Look) -> bool:
    return look.settled_through is not None and due_at <= look.settled_through


def _is_looked_at(due: Due, look: Look) -> bool:
    if not due.is_settled:
        return True
    return look.revisit_from is not None and due.period.end > look.revisit_from


def _slices(charge: Charge, item: Item, served: Period) -> tuple[Slice, ...]:
    """Return the billable parts of `served`, neighbours on the same terms joined.

    So a change that does not concern the charge leaves no seam in it, which some policies would round at.
    """
    slices: list[Slice] = []
    for phase in item.phases:
        span = Period(phase.starts_at, phase.ends_at or served.end).overlap(served)
        if not phase.is_billable or span.is_empty:
            continue
        quantity = phase.terms.quantities.get(charge.code, charge.default_quantity)
        part = Slice(span, quantity, phase.terms.prices.get(charge.code))
        if slices and slices[-1] == part._replace(span=slices[-1].span) and slices[-1].span.end == span.start:
            slices[-1] = part._replace(span=Period(slices[-1].span.start, span.end))
        else:
            slices.append(part)
    return tuple(slices)
