"""Where billing dates move to: days of the month, and times that are added on the local clock."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tenor.kernel.calendar import Interval, Unit
from tenor.subscriptions.errors import GridRefused
from tenor.subscriptions.rules.anchors import (
    NotADayOfMonth,
    anchor_on_day,
    clock_time_between,
    later_by,
    require_movable,
)

BERLIN = ZoneInfo("Europe/Berlin")
MONTH, QUARTER, YEAR = Interval(Unit.MONTH), Interval(Unit.MONTH, 3), Interval(Unit.YEAR)


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("day", "near", "interval", "anchor"),
    [
        (15, at(2026, 2, 1), MONTH, at(2026, 2, 15)),
        (1, at(2026, 2, 20), MONTH, at(2026, 2, 1)),  # before it in its month: a grid counts in both directions
        (31, at(2026, 2, 1), MONTH, at(2026, 3, 31)),  # February has none
        (31, at(2026, 4, 1), QUARTER, at(2026, 7, 31)),  # nor has April; July is the next of the quarter's months
        (31, at(2026, 2, 1), YEAR, at(2026, 2, 28)),  # no February ever has one
        (29, at(2026, 2, 1), YEAR, at(2028, 2, 29)),  # but some have a 29th
        (30, at(2026, 6, 1), QUARTER, at(2026, 6, 30)),
    ],
)
def test_a_day_of_the_month_lies_in_the_month_of_the_boundary_or_the_next_that_has_it(
    day: int, near: datetime, interval: Interval, anchor: datetime
) -> None:
    assert anchor_on_day(day, near=near, former=at(2026, 1, 1), interval=interval, zone=UTC) == anchor


def test_the_local_time_of_day_is_kept_and_a_skipped_one_is_moved_on() -> None:
    # 02:30 in winter; on 29 March 2026 the clock goes from 02:00 to 03:00, so it is 03:30, 01:30 UTC.
    former = at(2026, 1, 5, 1, 30)

    moved = anchor_on_day(29, near=at(2026, 3, 1), former=former, interval=MONTH, zone=BERLIN)

    assert moved == at(2026, 3, 29, 1, 30)


@pytest.mark.parametrize("day", [0, -1, 32, True])
def test_a_day_that_no_month_has_is_refused(day: int) -> None:
    with pytest.raises(NotADayOfMonth, match="1 to 31"):
        anchor_on_day(day, near=at(2026, 2, 1), former=at(2026, 1, 1), interval=MONTH, zone=UTC)


def test_days_on_the_local_clock_do_not_hang_on_its_changes() -> None:
    start, end = at(2026, 3, 19, 23), at(2026, 4, 4, 22)  # midnight of 20 March, and of 5 April in summer time

    assert clock_time_between(start, end, BERLIN) == timedelta(days=16)
    assert later_by(start, timedelta(days=16), BERLIN) == end
    assert later_by(at(2026, 10, 24, 22), timedelta(days=1), BERLIN) == at(2026, 10, 25, 23)  # a day of 25 hours


def test_civil_periods_do_not_move() -> None:
    require_movable("tenor")
    with pytest.raises(GridRefused, match="profile 'lago'"):
        require_movable("lago")
