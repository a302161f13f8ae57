"""The end of a pause: when it comes by itself, and what it does to the billing dates."""

from dataclasses import replace
from itertools import count
from uuid import UUID

import pytest

from tenor.kernel.ids import ItemId
from tenor.subscriptions.errors import GridRefused
from tenor.subscriptions.model import BillingDate, Closing, Reopened
from tenor.subscriptions.rules.resumption import Cycles, NotAPauseLength, Running, end_of_cycles, reopened_at
from tests.support.invoicing import ITEM, YEAR, at, base, item, phase, plan
from tests.support.subscriptions import running as subscription

NEXT = ItemId(UUID(int=2))
BASIC = Running(item(phase("2026-01-31")), plan(base("30.00")))


def reopened(
    running: Running, *, paused_at: str, resumed_at: str, date: BillingDate, closing: Closing = Closing.WHOLE
) -> tuple[Reopened, ...]:
    return reopened_at(
        at(resumed_at),
        [running],
        subscription(),
        paused_at=at(paused_at),
        closing=closing,
        billing_date=date,
        ids=(ItemId(UUID(int=number)) for number in count(2)),
    )


@pytest.mark.parametrize(
    ("since", "cycles", "end"),
    [
        ("2026-02-10", 1, "2026-02-28"),  # a part of a period is one
        ("2026-02-10", 3, "2026-04-30"),
        ("2026-02-28", 1, "2026-03-31"),
    ],
)
def test_a_pause_of_so_many_periods_ends_on_a_boundary(since: str, cycles: int, end: str) -> None:
    assert end_of_cycles(Cycles(cycles), BASIC, subscription(), since=at(since)) == at(end)


@pytest.mark.parametrize("cycles", [0, 1_001, True])
def test_a_pause_lasts_one_to_a_thousand_periods(cycles: int) -> None:
    with pytest.raises(NotAPauseLength):
        end_of_cycles(Cycles(cycles), BASIC, subscription(), since=at("2026-02-10"))


def test_dates_that_are_kept_open_no_item() -> None:
    assert reopened(BASIC, paused_at="2026-02-10", resumed_at="2026-02-20", date=BillingDate.KEEP) == ()


def test_a_restart_counts_from_the_resumption_and_bills_from_there() -> None:
    (found,) = reopened(BASIC, paused_at="2026-02-10", resumed_at="2026-02-20", date=BillingDate.RESTART)

    assert found == Reopened(ITEM, NEXT, at("2026-02-20"), None)


@pytest.mark.parametrize(("closing", "billable_from"), [(Closing.WHOLE, at("2026-03-10")), (Closing.PRORATED, None)])
def test_a_shift_serves_the_rest_of_the_period_first_without_billing_it_again_where_it_was_paid(
    closing: Closing, billable_from: object
) -> None:
    # 18 days to 28 February were left on the 10th; from the 20th on they reach to 10 March
    (found,) = reopened(BASIC, paused_at="2026-02-10", resumed_at="2026-02-20", date=BillingDate.SHIFT, closing=closing)

    assert (found.anchor_at, found.billable_from) == (at("2026-03-10"), billable_from)


@pytest.mark.parametrize("paused_at", ["2026-02-28", "2026-01-15"])  # on a boundary; before the grid begins
def test_a_shift_of_a_pause_that_cut_no_period_begins_the_dates_anew(paused_at: str) -> None:
    (found,) = reopened(BASIC, paused_at=paused_at, resumed_at="2026-03-20", date=BillingDate.SHIFT)

    assert (found.anchor_at, found.billable_from) == (at("2026-03-20"), None)


def test_an_add_on_that_came_in_the_pause_has_paid_for_nothing() -> None:
    late = replace(item(phase("2026-02-15"), anchor="2026-01-31"), is_add_on=True)

    (found,) = reopened(
        Running(late, BASIC.plan), paused_at="2026-02-10", resumed_at="2026-02-20", date=BillingDate.SHIFT
    )

    assert found.billable_from is None


def test_dates_of_charges_over_different_intervals_do_not_shift() -> None:
    mixed = Running(BASIC.item, plan(base("30.00"), base("300.00", code="yearly", interval=YEAR)))

    with pytest.raises(GridRefused):
        reopened(mixed, paused_at="2026-02-10", resumed_at="2026-02-20", date=BillingDate.SHIFT)
