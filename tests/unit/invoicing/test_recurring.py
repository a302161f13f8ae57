"""What recurs: the worked tables of closings, high-water seats and vendors' rounding."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tenor.pricing.model import Charge, SeatCounting, Timing
from tenor.pricing.policy import Policy, policy_with, profile
from tenor.subscriptions.model import Closing, Item, Phase, PhaseState, Terms
from tests.support.invoicing import ITEM, PLAN, TENOR, amounts, at, base, owed_of, plan, seats, setup
from tests.support.worked_tables import worked_table

PAGE = "algorithms/owed.md"
CHARGES = {
    "fee": base("100.00"),
    "seats": seats("10.00"),
    "unprorated": base("100.00", is_prorated=False),
    "arrears": base("100.00", timing=Timing.ARREARS),
    "one-off": setup("100.00"),
}


def minor(amount: str) -> int:
    return int(amount.replace(".", ""))


def life_of(service: str) -> Item:
    """Read '5 from 06-01, pause whole 06-11, 8 from 06-21T12:00, end 06-25'; '20.00 from' is a price of the fee."""
    phases: list[Phase] = []
    for words in service.split(", "):
        *before, instant = words.split()
        word = next(word for word in before if word in ("from", "pause", "end"))
        number = before[0] if before[0] != word else None
        closing = Closing(before[-1]) if before[-1] != word else Closing.PRORATED
        start = datetime.fromisoformat(f"2026-{instant}").replace(tzinfo=UTC)
        if phases:
            phases[-1] = phases[-1]._replace(ends_at=start, closing=closing)
        if word == "end":
            continue
        is_price = number is not None and "." in number
        terms = Terms(
            {} if number is None or is_price else {"seats": Decimal(number)},
            {"base": Decimal(number)} if number is not None and is_price else {},
        )
        state = PhaseState.PAUSED if word == "pause" else PhaseState.ACTIVE
        phases.append(Phase(start, None, word == "from", terms, state))
    return Item(ITEM, PLAN, at("2026-06-01"), Decimal(0), tuple(phases))


def june(service: str, charge: Charge, policy: Policy = TENOR) -> int:
    """Return what June costs, in cents."""
    owed = owed_of(life_of(service), plan(charge), through="2026-07-01", policy=policy)
    (found,) = [entry.amount_minor for entry in owed if entry.key.period.start == at("2026-06-01")]
    return found


@pytest.mark.parametrize("row", worked_table(PAGE, "What an end leaves of a period"), ids="-".join)
def test_what_an_end_leaves_of_a_period(row: list[str]) -> None:
    charge, service, owed, _ = row

    assert june(service, CHARGES[charge]) == minor(owed)


@pytest.mark.parametrize("row", worked_table(PAGE, "High-water seats"), ids="-".join)
def test_high_water_seats(row: list[str]) -> None:
    service, owed, _ = row

    assert june(service, replace(seats("10.00"), counting=SeatCounting.HIGH_WATER)) == minor(owed)


@pytest.mark.parametrize("row", worked_table(PAGE, "Rounded as the vendor wrote it"), ids="-".join)
def test_rounded_as_the_vendor_wrote_it(row: list[str]) -> None:
    profile_name, service, owed, _ = row

    assert june(service, base("10.00"), profile(profile_name)) == minor(owed)


def test_arrears_are_rounded_part_by_part() -> None:
    """10 × 10/30, 20 × 10/30 and 30 × 10/30: 3.33 + 6.67 + 10.00; by 2.00 less: 3.33 + 6.00 + 9.33."""
    fee = base("10.00", timing=Timing.ARREARS)

    assert june("10.00 from 06-01, 20.00 from 06-11, 30.00 from 06-21", fee, profile("stripe")) == 2_000
    assert june("10.00 from 06-01, 18.00 from 06-11, 28.00 from 06-21", fee, profile("stripe")) == 1_866


def test_the_day_on_which_seats_change_may_be_paid_by_both() -> None:
    """5 seats for 11 days and 8 for 20: 50 × 11/30 + 80 × 20/30 = 18.333… + 53.333…"""
    policy = policy_with("lago", {"seat_change_day_owner": "both", "change_billing": "difference"})

    assert june("5 from 06-01, 8 from 06-11T08:00", seats("10.00"), policy) == 7_167


def test_a_high_water_mark_reached_in_a_pause_that_is_paid_for_counts() -> None:
    """The pause keeps June whole; after it 7 seats are held, so June costs 7 × 10.00 from its first day on."""
    charge = replace(seats("10.00"), counting=SeatCounting.HIGH_WATER)
    (entry,) = owed_of(life_of("3 from 06-01, pause whole 06-11, 7 from 06-21"), plan(charge), through="2026-06-01")

    assert amounts([entry]) == [7_000]
    assert "slices" not in entry.trace  # one stretch on one set of terms: no seam to round at
