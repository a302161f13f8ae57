"""The service periods of one subscription on its grid, and how far a run bills them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from tenor.kernel.calendar.anchors import Stepping, one_interval_before, period_end
from tenor.kernel.calendar.civil import local_date
from tenor.kernel.calendar.grid import Grid, boundary, boundary_from, period_at, period_index
from tenor.kernel.errors import Malformed
from tenor.kernel.period import Period

Timing = Literal["advance", "arrears"]
ArrearsRun = Literal["closed_periods", "greedy"]

_INSTANT: Final = timedelta(microseconds=1)


class SpanRunsBackwards(Malformed):
    """An end or a target that lies before the start."""

    code = "span_runs_backwards"


class RunBounds(NamedTuple):
    """What a run decides for one subscription.

    `first`: the first boundary at or after the start. `billed_through`: how far it bills; None when nothing is
    due yet. `last`: the last boundary not after that; None before the first. `next`: the first boundary after that.
    """

    first: datetime
    billed_through: datetime | None
    last: datetime | None
    next: datetime


def service_periods(
    grid: Grid, start: datetime, end: datetime | None = None, *, stepping: Stepping = "anchored"
) -> Iterator[Period]:
    """Yield the periods from `start` on: the first opens at `start`, the last is cut at `end` (None: endless).

    They tile: each opens where the one before ended. A start off the grid makes a shorter first period.
    """
    while end is None or start < end:
        whole_end = period_end(grid, start, stepping)
        yield Period(start, whole_end if end is None else min(whole_end, end))
        start = whole_end


def service_period_at(grid: Grid, at: datetime, *, start: datetime | None, end: datetime | None) -> Period:
    """Return the period that holds `at`, cut to [start, end); None is open.

    An instant before the start is taken as the start, one after the end as the last instant before it.
    """
    if end is not None:
        at = min(at, end - _INSTANT)
    if start is not None:
        at = max(at, start)
    return cut(period_at(grid, at), start=start, end=end)


def cut(period: Period, *, start: datetime | None, end: datetime | None) -> Period:
    """Return the part of `period` inside [start, end); None is open."""
    return Period(
        period.start if start is None else max(period.start, start),
        period.end if end is None else min(period.end, end),
    )


def periods_over(grid: Grid, at: datetime, *, start: datetime, stepping: Stepping = "anchored") -> int:
    """Return how many periods from `start` on are wholly over at `at`; a shorter first one counts."""
    count = 0
    for period in service_periods(grid, start, stepping=stepping):
        if period.end > at:
            break
        count += 1
    return count


def run_bounds(
    grid: Grid,
    *,
    start: datetime,
    end: datetime | None,
    target: datetime,
    timing: Timing,
    arrears_run: ArrearsRun = "closed_periods",
) -> RunBounds:
    """Return how far a run for `target` bills a subscription that lives in [start, end).

    In advance: to the first boundary after `target`. In arrears: to the last one not after it, or, `greedy`,
    to the first one not before it. What has ended by then is billed to its end.

    Raises:
        SpanRunsBackwards: `target` or `end` lies before `start`.
    """
    if target < start or (end is not None and end < start):
        raise SpanRunsBackwards("a run needs a target and an end that are not before the start")
    first = boundary_from(grid, start)
    through = _billed_through(grid, first=first, end=end, target=target, timing=timing, arrears_run=arrears_run)
    if through is None or through < first:
        return RunBounds(first, through, None, first)
    reached = period_at(grid, through)
    return RunBounds(first, through, reached.start, reached.end)


def full_period(grid: Grid, part: Period) -> Period:
    """Return the virtual full period of which `part` is a share.

    A part that opens before boundary 0 of `grid` is a leading one: its full period is one interval long
    and ends where the part does, or at boundary 0. Any other part lies in a period of the grid.

    `grid` must start at the first boundary of the subscription, as `anchor_day_grid` makes it.
    """
    first = boundary(grid, 0)
    if part.start >= first:
        return period_at(grid, part.start)
    closes = min(part.end, first)
    return Period(one_interval_before(grid.interval, at=closes, zone=grid.zone), closes)


def due_boundaries(grid: Grid, *, after: datetime | None, at: datetime, catch_up: bool) -> list[datetime]:
    """Return the boundaries in (after, at] that a run at `at` bills; `after` None is just before boundary 0.

    With `catch_up` all that were missed, oldest first; without, only those on the run's own local day.
    """
    earliest = 0 if after is None else period_index(grid, after) + 1
    due = [boundary(grid, index) for index in range(earliest, period_index(grid, at) + 1)]
    today = local_date(at, grid.zone)
    return due if catch_up else [instant for instant in due if local_date(instant, grid.zone) == today]


def continued(period: Period, last_billed_to: datetime, *, gap_max: timedelta = timedelta(hours=26)) -> Period:
    """Return `period` opened where the last invoice stopped, after a customer moved to another zone.

    No two zones are more than 26 hours apart, so a larger gap is not one that the move made; it stays.
    """
    if abs(period.start - last_billed_to) <= gap_max:
        return Period(last_billed_to, period.end)
    return period


def _billed_through(
    grid: Grid, *, first: datetime, end: datetime | None, target: datetime, timing: Timing, arrears_run: ArrearsRun
) -> datetime | None:
    if end is not None and end <= target:
        return end
    if timing == "advance":
        through = first if target < first else period_at(grid, target).end
    elif arrears_run == "greedy":
        through = boundary_from(grid, max(target, first))
    elif target < first:
        return None
    else:
        through = period_at(grid, target).start
    return through if end is None else min(through, end)
