"""Changes in the life of one subscription, run by run, with every line that they must make.

The month is June 2026, of 30 days; nobody pays tax unless the story says so; a credit note is a negative total.
"""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

import pytest

from tenor.invoicing.model import Draft
from tenor.kernel.ids import DiscountId, ItemId, PlanVersionId
from tenor.pricing.discounts.model import Discount
from tenor.pricing.model import PlanVersion, Timing
from tenor.subscriptions import (
    AddOnAdded,
    AddOnRemoved,
    AnchorMoved,
    Cancelled,
    Closing,
    DiscountApplied,
    DiscountRemoved,
    Paused,
    PlanChanged,
    Reopened,
    Resumed,
    Subscribed,
    Terms,
    TrialChanged,
    Undone,
)
from tests.support.bill_run_in_memory import Books, Used
from tests.support.invoicing import (
    PLAN,
    QUARTER,
    at,
    base,
    calls,
    cap,
    charge_id,
    commitment,
    key,
    plan,
    seats,
    setup,
    taxed_at,
)

BIG = PlanVersionId(UUID(int=200))
FIRST, SECOND, THIRD = (ItemId(UUID(int=number)) for number in (1, 2, 3))
NOTHING = Terms({}, {})


def books(
    *plans: PlanVersion,
    seats: int = 0,
    trial_ends: str | None = None,
    anchor: str | None = None,
    profile: str = "tenor",
) -> Books:
    """Return a subscription to the first plan from 1 June on."""
    first = Subscribed(
        item_id=FIRST,
        plan_version_id=PLAN,
        anchor_at=at(anchor or trial_ends or "2026-06-01"),
        terms=Terms({"seats": Decimal(seats)}, {}),
        discount_percent=Decimal(0),
        trial_ends_at=None if trial_ends is None else at(trial_ends),
        trial_converts=True,
        ends_at=None,
    )
    return Books(plans, first, starts_at=at("2026-06-01"), profile_name=profile)


def amounts(drafts: Sequence[Draft]) -> list[int]:
    """Return the amounts of all lines in cents."""
    return [entry.line.amount_minor for draft in drafts for entry in draft.lines]


def taxes(drafts: Sequence[Draft]) -> list[int]:
    return [entry.tax_minor for draft in drafts for entry in draft.lines]


def coupon(amount_off: str, *, number: int = 1) -> Discount:
    """Return an amount off, once."""
    return Discount(
        id=DiscountId(UUID(int=number)),
        code="thanks",
        name="Thanks",
        amount_off=Decimal(amount_off),
        currency="USD",
        duration="once",
    )


@pytest.mark.parametrize(
    ("closing", "when_paused", "when_resumed"),
    [
        (Closing.PRORATED, [-6_667], [3_334]),  # 33.33 is owed, then 66.67 (33.333… + 33.333…)
        (Closing.WHOLE, [], []),
        (Closing.FREE, [-10_000], [3_333]),
    ],
)
def test_a_pause_gives_back_what_its_closing_says_and_its_end_charges_the_rest(
    closing: Closing, when_paused: list[int], when_resumed: list[int]
) -> None:
    customer = books(plan(base("100.00")))
    assert amounts(customer.bill(at("2026-06-01"))) == [10_000]

    customer.record(at("2026-06-11"), Paused(closing), now=at("2026-06-11"))
    assert amounts(customer.bill(at("2026-06-11"))) == when_paused

    customer.record(at("2026-06-21"), Resumed(), now=at("2026-06-21"))
    assert amounts(customer.bill(at("2026-06-21"))) == when_resumed
    assert amounts(customer.bill(at("2026-07-01"))) == [10_000]


def test_a_pause_restarted_on_another_date_charges_a_whole_month_from_there() -> None:
    customer = books(plan(base("100.00")))
    customer.bill(at("2026-06-01"))
    customer.record(at("2026-06-11"), Paused(), now=at("2026-06-11"))
    customer.bill(at("2026-06-11"))

    resumed = Resumed((Reopened(FIRST, SECOND, at("2026-06-21")),))
    customer.record(at("2026-06-21"), resumed, now=at("2026-06-21"))

    assert amounts(customer.bill(at("2026-06-21"))) == [10_000]
    assert amounts(customer.bill(at("2026-07-21"))) == [10_000]


def test_a_shifted_billing_date_serves_first_what_was_paid() -> None:
    """20 of 30 paid days are left on 11 June; resumed on the 21st, they last until 11 July."""
    customer = books(plan(base("100.00")))
    customer.bill(at("2026-06-01"))
    customer.record(at("2026-06-11"), Paused(Closing.WHOLE), now=at("2026-06-11"))

    resumed = Resumed((Reopened(FIRST, SECOND, at("2026-07-11"), billable_from=at("2026-07-11")),))
    customer.record(at("2026-06-21"), resumed, now=at("2026-06-21"))

    assert amounts(customer.bill(at("2026-07-10"))) == []
    assert amounts(customer.bill(at("2026-07-11"))) == [10_000]


def test_a_pause_resumed_on_a_day_that_is_planned_between_two_runs() -> None:
    """July was settled at nothing; the run of 5 July sees that it falls due on the 11th, the run then bills it."""
    customer = books(plan(base("93.00")))
    customer.bill(at("2026-06-01"))
    customer.record(at("2026-06-21"), Paused(Closing.WHOLE), now=at("2026-06-21"))
    assert amounts(customer.bill(at("2026-07-01"))) == []

    customer.record(at("2026-07-11"), Resumed(), now=at("2026-07-04"))
    assert amounts(customer.bill(at("2026-07-05"))) == []

    assert amounts(customer.bill(at("2026-07-11"))) == [6_300]  # 93 × 21/31


def test_what_was_settled_stays_in_sight_of_a_run_that_looks_less_far() -> None:
    """Drafts stay open for longer now, so that the run of 5 July is about what fell due until 26 June."""
    customer = books(plan(base("93.00")))
    customer.bill(at("2026-07-01"))

    customer.record(at("2026-07-11"), Paused(), now=at("2026-07-05"))

    assert amounts(customer.bill(at("2026-07-05"), through=at("2026-06-26"))) == [-6_300]  # 93 × 21/31 of July


def test_an_end_that_is_taken_back_after_its_arrears_were_billed() -> None:
    customer = books(plan(base("60.00", timing=Timing.ARREARS)))
    customer.record(at("2026-06-11"), Cancelled(), now=at("2026-06-01"))
    assert amounts(customer.bill(at("2026-06-11"))) == [2_000]  # 60 × 10/30

    customer.record(at("2026-06-11"), Undone(2), now=at("2026-06-12"))
    assert amounts(customer.bill(at("2026-06-12"))) == [-2_000]  # not due before July

    assert amounts(customer.bill(at("2026-07-01"))) == [6_000]


def test_a_trial_that_is_ended_earlier_in_hindsight() -> None:
    """Its dates were fixed, so the months before the former end of the trial come before those that were billed."""
    customer = books(plan(base("100.00"), setup("50.00")), trial_ends="2026-08-01", anchor="2026-06-01")
    assert amounts(customer.bill(at("2026-08-01"))) == [10_000, 5_000]

    customer.record(at("2026-06-16"), TrialChanged(at("2026-06-16")), now=at("2026-08-05"))

    # Half of June, all of July; the setup fee belongs to June now.
    assert amounts(customer.bill(at("2026-08-05"))) == [5_000, 10_000, 5_000, -5_000]


def test_a_pause_of_a_trial_in_hindsight() -> None:
    customer = books(plan(base("100.00")), trial_ends="2026-07-01")
    assert amounts(customer.bill(at("2026-07-01"))) == [10_000]

    customer.record(at("2026-06-11"), Paused(), now=at("2026-07-05"))

    assert amounts(customer.bill(at("2026-07-05"))) == [-10_000]


def test_what_is_paid_once_waits_for_the_end_of_a_pause_from_the_first_day_on() -> None:
    customer = books(plan(setup("50.00")))
    customer.record(at("2026-06-01"), Paused(), now=at("2026-06-01"))
    assert amounts(customer.bill(at("2026-08-01"))) == []

    customer.record(at("2026-08-11"), Resumed(), now=at("2026-08-11"))

    assert amounts(customer.bill(at("2026-08-11"))) == [5_000]


def test_moved_billing_dates_do_not_charge_the_setup_again() -> None:
    customer = books(plan(base("100.00"), setup("50.00")))
    assert amounts(customer.bill(at("2026-06-01"))) == [10_000, 5_000]

    moved = AnchorMoved((Reopened(FIRST, SECOND, at("2026-06-16")),))
    customer.record(at("2026-06-16"), moved, now=at("2026-06-16"))

    assert amounts(customer.bill(at("2026-06-16"))) == [-5_000, 10_000]


@pytest.mark.parametrize(
    ("closing", "given_back"), [(Closing.PRORATED, [-6_667]), (Closing.WHOLE, []), (Closing.FREE, [-10_000])]
)
def test_a_change_of_plan_closes_the_former_one_as_it_says(closing: Closing, given_back: list[int]) -> None:
    customer = books(plan(base("100.00")), plan(base("300.00", code="big"), version_id=BIG))
    customer.bill(at("2026-06-01"))

    change = PlanChanged(SECOND, BIG, at("2026-06-01"), NOTHING, closing)
    customer.record(at("2026-06-11"), change, now=at("2026-06-11"))

    assert amounts(customer.bill(at("2026-06-11"))) == [*given_back, 20_000]  # 300 × 20/30


def test_an_add_on_is_charged_from_its_day_and_given_back_from_its_end() -> None:
    customer = books(plan(base("100.00")), plan(base("30.00", code="more"), version_id=BIG))
    customer.bill(at("2026-06-01"))

    customer.record(at("2026-06-11"), AddOnAdded(SECOND, BIG, at("2026-06-01"), NOTHING), now=at("2026-06-11"))
    assert amounts(customer.bill(at("2026-06-11"))) == [2_000]  # 30 × 20/30

    customer.record(at("2026-06-21"), AddOnRemoved(SECOND), now=at("2026-06-21"))
    assert amounts(customer.bill(at("2026-06-21"))) == [-1_000]


def test_an_add_on_that_never_was_gives_its_share_of_the_discount_to_the_plan() -> None:
    """10.00 off 60.00 and 40.00 are 6.00 and 4.00; without the add-on all of it is the plan's."""
    customer = books(plan(base("60.00")), plan(base("40.00", code="more"), version_id=BIG))
    customer.record(at("2026-06-01"), AddOnAdded(SECOND, BIG, at("2026-06-01"), NOTHING), now=at("2026-06-01"))
    customer.record(at("2026-06-01"), DiscountApplied(coupon("10.00")), now=at("2026-06-01"))
    assert amounts(customer.bill(at("2026-06-01"))) == [5_400, 3_600]

    customer.record(at("2026-06-01"), Undone(2), now=at("2026-06-05"))

    assert sorted(amounts(customer.bill(at("2026-06-05")))) == [-3_600, -400]


def test_a_commitment_is_measured_on_what_the_discount_left_of_each() -> None:
    """June is topped up from 54.00, also when only the plan of June is looked at again, and not its add-on."""
    customer = books(
        plan(base("60.00"), commitment("90.00")), plan(base("40.00", code="more"), interval=QUARTER, version_id=BIG)
    )
    customer.record(at("2026-06-01"), AddOnAdded(SECOND, BIG, at("2026-06-01"), NOTHING), now=at("2026-06-01"))
    customer.record(at("2026-06-01"), DiscountApplied(coupon("10.00")), now=at("2026-06-01"))
    assert amounts(customer.bill(at("2026-06-01"))) == [5_400, 3_600]

    assert amounts(customer.bill(at("2026-07-01"))) == [6_000, 3_600]  # July, and 90 − 54


def test_two_amounts_off_whose_windows_overlap() -> None:
    """80.00 off June, and 15.00 off from 16 June through July: what takes of one leaves more of the other to take."""
    customer = books(plan(base("60.00"), commitment("90.00")), plan(base("30.00", code="more"), version_id=BIG))
    customer.record(at("2026-06-01"), DiscountApplied(coupon("80.00")), now=at("2026-06-01"))
    assert amounts(customer.bill(at("2026-06-01"))) == []
    customer.record(at("2026-06-16"), DiscountApplied(coupon("15.00", number=2)), now=at("2026-06-16"))
    customer.record(at("2026-06-20"), AddOnAdded(SECOND, BIG, at("2026-06-20"), NOTHING), now=at("2026-06-20"))
    assert amounts(customer.bill(at("2026-06-20"))) == []  # 30 − 20 − 10
    assert amounts(customer.bill(at("2026-07-01"))) == [5_500, 9_000]  # 5.00 of the second are left
    assert amounts(customer.bill(at("2026-08-01"))) == [3_000, 6_000, 3_500]

    added, removed = AddOnAdded(THIRD, BIG, at("2026-06-05"), NOTHING), AddOnRemoved(THIRD)
    customer.record_together([(added, at("2026-06-05")), (removed, at("2026-07-05"))], now=at("2026-08-02"))

    # The new one takes the 20.00 that were left of the first (so 10.00 are due), the other add-on all of the second
    # (15.00 are due), and nothing is left for July (5.00 more are due, which its commitment then lacks no more).
    assert sorted(amounts(customer.bill(at("2026-08-02")))) == [-500, 500, 1_000, 1_500]


def test_a_discount_found_late_and_taken_away_again() -> None:
    customer = books(plan(base("60.00"), base("40.00", code="more")))
    customer.bill(at("2026-06-01"))

    customer.record(at("2026-06-01"), DiscountApplied(coupon("10.00")), now=at("2026-06-05"))
    assert amounts(customer.bill(at("2026-06-05"))) == [-600, -400]

    customer.record(at("2026-06-01"), DiscountRemoved(DiscountId(UUID(int=1))), now=at("2026-06-10"))
    assert amounts(customer.bill(at("2026-06-10"))) == [600, 400]


def test_a_credit_gives_back_what_was_paid_after_the_discount() -> None:
    """54.00 and 36.00 were paid; of a third served 18.00 and 12.00 are owed."""
    customer = books(plan(base("60.00"), base("40.00", code="more")))
    customer.record(at("2026-06-01"), DiscountApplied(coupon("10.00")), now=at("2026-06-01"))
    customer.bill(at("2026-06-01"))

    customer.record(at("2026-06-11"), Cancelled(), now=at("2026-06-11"))

    assert amounts(customer.bill(at("2026-06-11"))) == [-3_600, -2_400]


def test_a_cap_lets_a_month_cost_no_more() -> None:
    customer = books(plan(calls("0.50"), cap("150.00")))
    customer.use(Used(at("2026-06-05"), "", Decimal(400)), now=at("2026-06-05"))
    assert amounts(customer.bill(at("2026-07-01"))) == [20_000, -5_000]  # 200.00 is 50.00 above 150.00

    customer.use(Used(at("2026-06-30"), "", Decimal(100)), now=at("2026-07-02"))
    assert amounts(customer.bill(at("2026-07-02"))) == [5_000, -5_000]


def test_what_was_waived_is_not_asked_for_again() -> None:
    customer = books(plan(base("100.00"), seats("10.00")), seats=5)
    customer.bill(at("2026-06-01"))
    june = key("base", "2026-06-01", "2026-07-01")

    assert amounts([customer.waive(june, 3_000, now=at("2026-06-05"))]) == [-3_000]
    customer.record(at("2026-06-11"), Paused(), now=at("2026-06-11"))

    # Of 33.33 owed 30.00 are given up, so 66.67 of the 70.00 go back; of the seats 33.33 of 50.00.
    assert amounts(customer.bill(at("2026-06-11"))) == [-6_667, -3_333]
    assert customer.billed_sums()[june] == 333


@pytest.mark.parametrize(
    ("profile", "given_back", "charged"),
    [
        ("tenor", -656, 1_311),  # by the second: 10 × 472/720 h = 6.555…, 20 × 472/720 h = 13.111…
        ("chargebee-day", -633, 1_267),  # the old plan pays the day: 19 of 30 days are left
        ("recurly", -667, 1_333),  # the new one does: 20 days
        ("lago", -667, 1_333),  # so does it here: the day of an end is paid only where nothing comes after it
    ],
)
def test_who_pays_the_day_of_a_change_of_plan(profile: str, given_back: int, charged: int) -> None:
    customer = books(plan(base("10.00")), plan(base("20.00", code="big"), version_id=BIG), profile=profile)
    customer.bill(at("2026-06-01"))

    change = PlanChanged(SECOND, BIG, at("2026-06-01"), NOTHING)
    customer.record(at("2026-06-11T08:00:00Z"), change, now=at("2026-06-11T08:00:00Z"))

    assert amounts(customer.bill(at("2026-06-12"))) == [given_back, charged]


def test_tax_is_given_back_at_the_rate_at_which_it_was_billed() -> None:
    customer = books(plan(base("100.00"), seats("10.00")), seats=5)
    customer.rates = taxed_at(Decimal(19))
    assert taxes(customer.bill(at("2026-06-01"))) == [1_900, 950]

    customer.rates = taxed_at(Decimal(20))
    customer.record(at("2026-06-16"), Cancelled(), now=at("2026-06-16"))
    assert taxes(customer.bill(at("2026-06-16"))) == [-950, -475]

    customer.record(at("2026-06-01"), Cancelled(), now=at("2026-06-20"))
    assert taxes(customer.bill(at("2026-06-20"))) == [-950, -475]
    assert [sum(taxed.taxes_minor.values()) for taxed in customer.tax_sums().values()] == [0, 0]
    assert {key.charge_id for key in customer.tax_sums()} == {charge_id("base"), charge_id("seats")}
