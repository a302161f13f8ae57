"""Discounting: the worked table of windows, and discounts through changes of plan, pauses and corrections."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tenor.invoicing.model import Owed
from tenor.invoicing.rules.discounting import Looked, dues_of_all, joint_looks
from tenor.invoicing.rules.dues import Look
from tenor.invoicing.rules.owed import owed
from tenor.kernel.ids import DiscountId, ItemId, PlanVersionId
from tenor.pricing.discounts.model import Discount
from tenor.pricing.model import PlanVersion
from tenor.subscriptions.model import AppliedDiscount, Item, Timeline
from tests.support.invoicing import (
    MONTH,
    TENOR,
    YEAR,
    at,
    base,
    calls,
    commitment,
    in_words,
    item,
    phase,
    plan,
    setup,
)
from tests.support.worked_tables import worked_table

ADD_ON = PlanVersionId(UUID(int=200))
NEXT = PlanVersionId(UUID(int=300))


def minor(amount: str) -> int:
    return int(amount.replace(".", ""))


def day(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


def applied(text: str, since: str, *, number: int = 1) -> AppliedDiscount:
    """Read '10.00 repeating 2' or '10 % forever until 02-10', applied on the day `since`."""
    terms, _, until = text.partition(" until ")
    value, *rest = terms.replace(" %", "%").split()
    is_percent = value.endswith("%")
    duration: Any = rest[0]
    discount = Discount(
        id=DiscountId(UUID(int=number)),
        code=f"coupon-{number}",
        name="Coupon",
        percent_off=Decimal(value[:-1]) if is_percent else None,
        amount_off=None if is_percent else Decimal(value),
        currency=None if is_percent else "USD",
        duration=duration,
        periods=int(rest[1]) if len(rest) > 1 else None,
    )
    return AppliedDiscount(discount, day(since), day(until) if until else None)


def owed_by_day(
    items: Sequence[tuple[Item, PlanVersion]], discounts: Sequence[AppliedDiscount], *, through: str
) -> dict[str, list[int]]:
    """Return the amounts that fall due on each day."""
    timeline = Timeline(tuple(one for one, _ in items), tuple(discounts))
    found: dict[str, list[int]] = defaultdict(list)
    entries: list[Owed] = owed(timeline, {one.id: one for _, one in items}, {}, TENOR, through=at(through), zone=UTC)
    for entry in entries:
        found[f"{entry.due_at:%y-%m-%d}".removeprefix("26-")].append(entry.amount_minor)
    return dict(found)


def add_on(life: Item) -> Item:
    return replace(life, id=ItemId(UUID(int=2)), plan_version_id=ADD_ON, is_add_on=True)


@pytest.mark.parametrize("row", worked_table("algorithms/owed.md", "Discounts in windows"), ids="-".join)
def test_discounts_in_windows(row: list[str]) -> None:
    fees, discount, since, service, expected, _ = row
    version = plan(*(base(fee, code=f"fee-{number}") for number, fee in enumerate(fees.split())))
    start, _, end = service.removeprefix("from ").partition(", end ")
    life = item(phase(f"2026-{start}", f"2026-{end}" if end else None))

    found = owed_by_day([(life, version)], [applied(discount, since)], through="2026-03-01")

    wanted = {
        first: [minor(amount) for amount in rest] for first, *rest in (due.split() for due in expected.split("; "))
    }
    assert {when: amounts for when, amounts in found.items() if when in wanted} == wanted


def test_a_repeating_discount_counts_the_periods_of_the_plan_that_runs() -> None:
    """Two windows: January on the monthly plan, then the first year on the yearly one."""
    monthly = item(phase("2026-01-01", "2026-02-01"))
    yearly = replace(item(phase("2026-02-01")), id=ItemId(UUID(int=2)), plan_version_id=NEXT)
    version = plan(base("1000.00", code="year"), interval=YEAR, version_id=NEXT)

    found = owed_by_day(
        [(monthly, plan(base("100.00"))), (yearly, version)],
        [applied("10.00 repeating 2", "01-01")],
        through="2027-02-01",
    )

    assert found == {"01-01": [9_000], "02-01": [99_000], "27-02-01": [100_000]}


def test_what_one_month_leaves_of_an_amount_off_goes_on_to_the_next_of_its_window() -> None:
    """A yearly plan with a monthly fee has windows of a year: 60.00 of 100.00 in January, 40.00 in February."""
    version = plan(base("60.00", interval=MONTH), interval=YEAR)

    found = owed_by_day([(item(phase("2026-01-01")), version)], [applied("100.00 once", "01-01")], through="2026-03-01")

    assert found == {"01-01": [0], "02-01": [2_000], "03-01": [6_000]}


def test_an_amount_off_is_shared_by_the_plan_and_its_add_on() -> None:
    life = item(phase("2026-01-01"))

    found = owed_by_day(
        [(life, plan(base("60.00"))), (add_on(life), plan(base("40.00", code="more"), version_id=ADD_ON))],
        [applied("10.00 once", "01-01")],
        through="2026-01-01",
    )

    assert found == {"01-01": [5_400, 3_600]}


def test_an_add_on_that_is_cut_takes_its_part_of_the_discount_along() -> None:
    """40.00 less 4.00 for half of January is 18.00; the plan keeps its 6.00."""
    life = item(phase("2026-01-01"))
    half = add_on(item(phase("2026-01-01", "2026-01-16T12:00:00Z")))

    found = owed_by_day(
        [(life, plan(base("60.00"))), (half, plan(base("40.00", code="more"), version_id=ADD_ON))],
        [applied("10.00 once", "01-01")],
        through="2026-01-01",
    )

    assert found == {"01-01": [5_400, 1_800]}


def test_two_amounts_off_are_taken_one_after_the_other() -> None:
    version = plan(base("60.00"), base("40.00", code="more"))

    found = owed_by_day(
        [(item(phase("2026-01-01")), version)],
        [applied("10.00 once", "01-01"), applied("45.00 once", "01-01", number=2)],
        through="2026-01-01",
    )

    assert found == {"01-01": [2_700, 1_800]}  # 54 − 27, 36 − 18


def looked(life: Item, version: PlanVersion, *, settled: str, revisit: str | None = None) -> Looked:
    return Looked(life, version, Look(at("2026-04-10"), at(settled), at(revisit) if revisit else None))


def test_a_late_discount_brings_the_missed_months_before_it_too() -> None:
    """Nothing since January is settled: that the window begins in March must not hide February."""
    one = looked(item(phase("2026-01-01")), plan(base("60.00")), settled="2026-01-01")

    (found,) = dues_of_all([one], [applied("10.00 forever", "02-16")], UTC, TENOR.calendar)

    assert in_words(found) == ["base 02-01..03-01 @ 02-01", "base 03-01..04-01 @ 03-01", "base 04-01..05-01 @ 04-01"]


def test_arrears_that_fall_due_as_a_discount_begins_are_looked_at_again() -> None:
    """The usage of February is due on 1 March, the instant from which the late discount holds."""
    one = looked(item(phase("2026-01-01")), plan(calls()), settled="2026-04-05", revisit="2026-03-01")

    (found,) = dues_of_all([one], [applied("10 % forever", "03-01")], UTC, TENOR.calendar)

    assert in_words(found) == ["calls 02-01..03-01 @ 04-10*", "calls 03-01..04-01 @ 04-10*"]


def test_a_backdated_add_on_brings_the_plan_that_it_shares_an_amount_off_with_and_its_commitment() -> None:
    life = item(phase("2026-01-01"))
    main = looked(life, plan(base("60.00"), commitment("90.00")), settled="2026-04-05")
    late = Looked(
        add_on(item(phase("2026-02-01"))),
        plan(base("40.00", code="more"), version_id=ADD_ON),
        Look(at("2026-04-10"), None, None),
    )

    of_plan, of_add_on = dues_of_all([main, late], [applied("10.00 repeating 2", "01-01")], UTC, TENOR.calendar)

    # February is the second and last window that the add-on falls into.
    assert in_words(of_plan) == ["base 02-01..03-01 @ 04-10*", "minimum 02-01..03-01 @ 04-10*"]
    assert [words.split(" @ ")[0] for words in in_words(of_add_on)] == [
        "more 02-01..03-01",
        "more 03-01..04-01",
        "more 04-01..05-01",
    ]


def test_news_of_one_item_is_news_of_all() -> None:
    quiet, news = Look(at("2026-04-10"), at("2026-04-01"), None), Look(at("2026-04-10"), None, at("2026-02-10"))

    assert [look.revisit_from for look in joint_looks([quiet, news])] == [at("2026-02-10")] * 2
    assert joint_looks([quiet, quiet]) == [quiet, quiet]


def test_an_item_that_goes_on_from_another_pays_no_second_one_off() -> None:
    """The billing dates are moved on 16 January: the same plan version goes on as another item."""
    version = plan(base("30.00"), setup("50.00"))
    first = item(phase("2026-01-01", "2026-01-16"))
    second = replace(item(phase("2026-01-16")), id=ItemId(UUID(int=2)))

    found = owed_by_day([(first, version), (second, version)], [], through="2026-01-16")

    assert found == {"01-01": [1_452, 5_000], "01-16": [3_000]}  # 30 × 15/31; the new month is whole


def test_an_item_that_goes_on_from_a_trial_pays_its_one_off() -> None:
    version = plan(setup("50.00"))
    trial = item(phase("2026-01-01", "2026-01-16", is_billable=False))
    paid = replace(item(phase("2026-01-16")), id=ItemId(UUID(int=2)))

    found = owed_by_day([(trial, version), (paid, version)], [], through="2026-01-16")

    assert found == {"01-01": [0], "01-16": [5_000]}
