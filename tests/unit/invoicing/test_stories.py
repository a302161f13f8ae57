"""Small lives of one subscription, run by run, with every document that they must make.

The month is June 2026, of 30 days; nobody pays tax; a credit note is a negative total.
"""

from decimal import Decimal
from uuid import UUID

from tenor.invoicing.model import Draft
from tenor.kernel.ids import ItemId, PlanVersionId
from tenor.pricing.model import PlanVersion, Timing
from tenor.subscriptions import Cancelled, PlanChanged, QuantityChanged, Subscribed, Terms
from tests.support.bill_run_in_memory import Books, Used
from tests.support.invoicing import PLAN, at, base, calls, charge_id, commitment, plan, seats, setup

BIG = PlanVersionId(UUID(int=200))
FIRST, SECOND = ItemId(UUID(int=1)), ItemId(UUID(int=2))


def books(*plans: PlanVersion, seats: int = 0, ends: str | None = None) -> Books:
    """Return a subscription to the first plan from 1 June on."""
    first = Subscribed(
        item_id=FIRST,
        plan_version_id=PLAN,
        anchor_at=at("2026-06-01"),
        terms=Terms({"seats": Decimal(seats)}, {}),
        discount_percent=Decimal(0),
        trial_ends_at=None,
        trial_converts=True,
        ends_at=None if ends is None else at(ends),
    )
    return Books(plans, first, starts_at=at("2026-06-01"))


def to_big(*, anchor: str = "2026-06-01") -> PlanChanged:
    return PlanChanged(SECOND, BIG, at(anchor), Terms({}, {}))


def day(draft: Draft) -> str:
    return f"{draft.billed_for:%m-%d}"


def documents(drafts: list[Draft]) -> list[tuple[str, list[int]]]:
    """Return the day that each document is for, and the amounts of its lines in cents."""
    return [(day(draft), [entry.line.amount_minor for entry in draft.lines]) for draft in drafts]


def test_a_month_is_billed_once() -> None:
    customer = books(plan(base("100.00")))

    assert documents(customer.bill(at("2026-06-01"))) == [("06-01", [10_000])]
    assert customer.bill(at("2026-06-01")) == []
    assert customer.bill(at("2026-06-30T23:59:59.999999Z")) == []
    assert documents(customer.bill(at("2026-07-01"))) == [("07-01", [10_000])]


def test_added_seats_are_charged_for_the_rest_of_the_month_and_given_back_when_they_go() -> None:
    customer = books(plan(base("100.00"), seats("10.00")), seats=5)
    assert documents(customer.bill(at("2026-06-01"))) == [("06-01", [10_000, 5_000])]

    customer.record(at("2026-06-11"), QuantityChanged({"seats": Decimal(8)}), now=at("2026-06-11"))
    assert documents(customer.bill(at("2026-06-11"))) == [("06-11", [2_000])]  # 3 × 10 × 20/30

    customer.record(at("2026-06-21"), QuantityChanged({"seats": Decimal(2)}), now=at("2026-06-21"))
    assert documents(customer.bill(at("2026-06-21"))) == [("06-21", [-2_000])]  # 6 × 10 × 10/30


def test_a_cancelled_month_is_given_back_for_what_is_left_of_it() -> None:
    customer = books(plan(base("100.00")))
    customer.bill(at("2026-06-01"))

    customer.record(at("2026-06-11"), Cancelled(), now=at("2026-06-11"))

    assert documents(customer.bill(at("2026-06-11"))) == [("06-11", [-6_667])]  # 33.33 is owed of 100.00
    assert customer.bill(at("2026-12-31")) == []


def test_a_cancellation_of_the_past_gives_back_months_that_were_not_served() -> None:
    customer = books(plan(base("100.00"), calls()))
    customer.use(Used(at("2026-06-05"), "", Decimal(10)), now=at("2026-06-05"))
    customer.use(Used(at("2026-07-02"), "", Decimal(30)), now=at("2026-07-02"))
    customer.bill(at("2026-08-01"))

    customer.record(at("2026-06-16"), Cancelled(), now=at("2026-08-03"))

    # Half of June, all of July and August; of the usage only what came after the end: 30 × 0.50.
    assert documents(customer.bill(at("2026-08-03"))) == [("08-03", [-5_000, -10_000, -10_000, -1_500])]


def test_arrears_are_due_at_an_end_in_the_past() -> None:
    customer = books(plan(base("60.00", timing=Timing.ARREARS)))
    assert customer.bill(at("2026-06-20")) == []

    customer.record(at("2026-06-16"), Cancelled(), now=at("2026-06-25"))

    assert documents(customer.bill(at("2026-06-25"))) == [("06-25", [3_000])]  # 60 × 15/30


def test_a_change_of_plan_sets_off_the_old_against_the_new_on_one_document() -> None:
    customer = books(plan(base("100.00")), plan(base("200.00", code="big"), version_id=BIG))
    customer.bill(at("2026-06-01"))

    customer.record(at("2026-06-16"), to_big(), now=at("2026-06-18"))

    # Half of 100.00 back, half of 200.00 charged; the change itself is the newest that is due.
    assert documents(customer.bill(at("2026-06-18"))) == [("06-16", [-5_000, 10_000])]


def test_a_change_of_plan_that_is_taken_back_leaves_nothing_of_it() -> None:
    customer = books(plan(base("100.00")), plan(base("200.00", code="big"), setup("30.00"), version_id=BIG))
    customer.bill(at("2026-06-01"))
    customer.record(at("2026-06-16"), to_big(), now=at("2026-06-16"))
    customer.bill(at("2026-06-16"))

    customer.record(at("2026-06-16"), Cancelled(), now=at("2026-06-20"))

    # The fee of the second plan (100.00 for half a month) and its setup go back whole; the first owes half as before.
    assert documents(customer.bill(at("2026-06-20"))) == [("06-20", [-10_000, -3_000])]
    sums = customer.billed_sums()
    assert sum(sums.values()) == 5_000
    assert {key.charge_id for key, minor in sums.items() if minor} == {charge_id("base")}


def test_late_usage_is_billed_by_the_next_run_whatever_its_instant() -> None:
    customer = books(plan(calls()))
    customer.use(Used(at("2026-06-05"), "", Decimal(10)), now=at("2026-06-05"))
    first = customer.bill(at("2026-07-01"))

    customer.use(Used(at("2026-06-30"), "", Decimal(4)), now=at("2026-07-01"))
    second = customer.bill(at("2026-07-01"))

    assert documents(first) == [("07-01", [500])]
    assert documents(second) == [("07-01", [200])]
    assert first[0].id != second[0].id


def test_late_usage_counts_against_the_commitment_that_was_topped_up() -> None:
    customer = books(plan(calls(), commitment("50.00")))
    customer.use(Used(at("2026-06-05"), "", Decimal(40)), now=at("2026-06-05"))
    assert documents(customer.bill(at("2026-07-01"))) == [("07-01", [2_000, 3_000])]  # 40 × 0.50, 30.00 short

    customer.use(Used(at("2026-06-05"), "", Decimal(70)), now=at("2026-07-10"))

    # 35.00 more of usage, of which 30.00 were paid as the top-up.
    assert documents(customer.bill(at("2026-07-10"))) == [("07-10", [3_500, -3_000])]


def test_usage_after_a_change_of_plan_is_no_news_for_what_was_before_it() -> None:
    """It makes the first item be looked at again, from an instant after its end: nothing of it may go back."""
    customer = books(plan(base("100.00"), calls()), plan(calls("0.20", code="big"), version_id=BIG))
    customer.record(at("2026-06-16"), to_big(), now=at("2026-06-01"))
    assert documents(customer.bill(at("2026-07-01"))) == [("06-01", [5_000])]

    customer.use(Used(at("2026-06-20"), "", Decimal(10)), now=at("2026-07-02"))

    assert documents(customer.bill(at("2026-07-02"))) == [("07-02", [200])]


def test_three_missed_months_are_three_documents() -> None:
    customer = books(plan(base("100.00"), calls()), ends="2026-08-16")
    customer.use(Used(at("2026-06-05"), "", Decimal(10)), now=at("2026-06-05"))

    made = customer.bill(at("2026-12-31"))

    # August: 100 × 15/31; its arrears, of no usage, are due at the end and make no document.
    assert documents(made) == [("06-01", [10_000]), ("07-01", [10_000, 500]), ("08-01", [4_839])]
    assert {draft.issued_at for draft in made} == {at("2026-12-31")}


def test_what_comes_to_light_in_another_order_costs_the_same() -> None:
    def billed(*journal: tuple[str, int, str]) -> int:
        customer = books(plan(base("100.00"), seats("10.00")), seats=5)
        for effective, count, recorded in journal:
            customer.record(at(effective), QuantityChanged({"seats": Decimal(count)}), now=at(recorded))
            customer.bill(at(recorded))
        customer.bill(at("2026-07-31"))
        return sum(customer.billed_sums().values())

    in_order = billed(("2026-06-11", 8, "2026-06-11"), ("2026-06-21", 2, "2026-06-21"))
    backdated = billed(("2026-06-21", 2, "2026-06-21"), ("2026-06-11", 8, "2026-06-25"))

    # June: 50 × 10/30 + 80 × 10/30 + 20 × 10/30 = 50.00, and the fee; July: 20.00 and the fee.
    assert (in_order, backdated) == (27_000, 27_000)
