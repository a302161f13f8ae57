"""Small lives of a subscription, written as journals, with the timeline that each must fold to."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from tenor.kernel.ids import ItemId, PlanVersionId
from tenor.subscriptions.model import (
    Cancelled,
    Change,
    Facts,
    Item,
    PlanChanged,
    QuantityChanged,
    Subscribed,
    Terms,
    Timeline,
)
from tenor.subscriptions.rules.timeline import fold, item_at, phase_at

BASIC, TEAM = PlanVersionId(UUID(int=1)), PlanVersionId(UUID(int=2))
FIRST, SECOND = ItemId(UUID(int=11)), ItemId(UUID(int=12))


def day(month: int, day_of_month: int) -> datetime:
    return datetime(2026, month, day_of_month, tzinfo=UTC)


START = day(3, 1)


def seats(count: int) -> Terms:
    return Terms(quantities={"seats": Decimal(count)}, prices={})


def change(version: int, effective_at: datetime, facts: Facts) -> Change:
    return Change(version, effective_at, day(1, 1), "test", "", facts)


def subscribed(
    *,
    at: datetime = START,
    trial_ends_at: datetime | None = None,
    converts: bool = True,
    ends_at: datetime | None = None,
    discount_percent: int = 0,
) -> Change:
    facts = Subscribed(
        item_id=FIRST,
        plan_version_id=BASIC,
        anchor_at=trial_ends_at or at,
        terms=seats(5),
        discount_percent=Decimal(discount_percent),
        trial_ends_at=trial_ends_at,
        trial_converts=converts,
        ends_at=ends_at,
    )
    return change(1, at, facts)


def to_team(version: int, at: datetime, *, item_id: ItemId = SECOND, count: int = 7) -> Change:
    return change(version, at, PlanChanged(item_id, TEAM, anchor_at=at, terms=seats(count)))


def to_seats(version: int, at: datetime, count: int) -> Change:
    return change(version, at, QuantityChanged({"seats": Decimal(count)}))


def phases(item: Item) -> list[tuple[datetime, datetime | None, bool, int]]:
    return [
        (phase.starts_at, phase.ends_at, phase.is_billable, int(phase.terms.quantities["seats"]))
        for phase in item.phases
    ]


def test_a_plain_start_is_one_open_billable_phase() -> None:
    timeline = fold([subscribed(discount_percent=10)])

    (item,) = timeline.items
    assert (item.id, item.plan_version_id, item.anchor_at, item.discount_percent) == (
        FIRST,
        BASIC,
        day(3, 1),
        Decimal(10),
    )
    assert phases(item) == [(day(3, 1), None, True, 5)]


def test_a_trial_is_a_phase_that_is_not_billable() -> None:
    (item,) = fold([subscribed(trial_ends_at=day(3, 15))]).items

    assert phases(item) == [(day(3, 1), day(3, 15), False, 5), (day(3, 15), None, True, 5)]


def test_a_trial_that_does_not_convert_ends_the_item() -> None:
    (item,) = fold([subscribed(trial_ends_at=day(3, 15), converts=False)]).items

    assert phases(item) == [(day(3, 1), day(3, 15), False, 5)]
    assert item.ends_at == day(3, 15)


def test_a_known_end_closes_the_last_phase_and_may_fall_into_the_trial() -> None:
    (paid,) = fold([subscribed(trial_ends_at=day(3, 15), ends_at=day(6, 1))]).items
    (tried,) = fold([subscribed(trial_ends_at=day(3, 15), ends_at=day(3, 10))]).items

    assert phases(paid) == [(day(3, 1), day(3, 15), False, 5), (day(3, 15), day(6, 1), True, 5)]
    assert phases(tried) == [(day(3, 1), day(3, 10), False, 5)]


def test_a_quantity_splits_the_phase_and_keeps_the_item() -> None:
    (item,) = fold([subscribed(), to_seats(2, day(3, 10), 8)]).items

    assert phases(item) == [(day(3, 1), day(3, 10), True, 5), (day(3, 10), None, True, 8)]


def test_a_quantity_in_the_trial_holds_on_through_the_paid_phase() -> None:
    (item,) = fold([subscribed(trial_ends_at=day(3, 15)), to_seats(2, day(3, 10), 8)]).items

    assert phases(item) == [
        (day(3, 1), day(3, 10), False, 5),
        (day(3, 10), day(3, 15), False, 8),
        (day(3, 15), None, True, 8),
    ]


def test_a_quantity_that_changes_nothing_leaves_no_seam() -> None:
    assert fold([subscribed(), to_seats(2, day(3, 10), 5)]) == fold([subscribed()])


def test_a_change_of_plan_ends_the_item_and_opens_the_next_with_its_own_anchor_and_the_same_discount() -> None:
    old, new = fold([subscribed(discount_percent=10), to_team(2, day(3, 20))]).items

    assert phases(old) == [(day(3, 1), day(3, 20), True, 5)]
    assert (new.id, new.plan_version_id, new.anchor_at, new.discount_percent) == (
        SECOND,
        TEAM,
        day(3, 20),
        Decimal(10),
    )
    assert phases(new) == [(day(3, 20), None, True, 7)]


def test_a_change_of_plan_at_the_start_leaves_nothing_of_the_first_item() -> None:
    (item,) = fold([subscribed(), to_team(2, day(3, 1))]).items

    assert (item.id, phases(item)) == (SECOND, [(day(3, 1), None, True, 7)])


def test_a_change_of_plan_in_the_trial_keeps_the_rest_of_the_trial() -> None:
    old, new = fold([subscribed(trial_ends_at=day(3, 15)), to_team(2, day(3, 10))]).items

    assert phases(old) == [(day(3, 1), day(3, 10), False, 5)]
    assert phases(new) == [(day(3, 10), day(3, 15), False, 7), (day(3, 15), None, True, 7)]


def test_a_cancellation_ends_and_nothing_after_it_says_anything() -> None:
    journal = [subscribed(), change(2, day(4, 1), Cancelled()), to_seats(3, day(4, 2), 9), to_team(4, day(4, 1))]

    (item,) = fold(journal).items
    assert phases(item) == [(day(3, 1), day(4, 1), True, 5)]


def test_a_cancellation_at_the_start_leaves_no_item() -> None:
    assert fold([subscribed(), change(2, day(3, 1), Cancelled())]) == Timeline(())


def test_a_backdated_quantity_holds_until_the_change_that_was_recorded_first_but_is_effective_later() -> None:
    (item,) = fold([subscribed(), to_seats(2, day(4, 1), 10), to_seats(3, day(3, 15), 7)]).items

    assert phases(item) == [
        (day(3, 1), day(3, 15), True, 5),
        (day(3, 15), day(4, 1), True, 7),
        (day(4, 1), None, True, 10),
    ]


def test_a_planned_change_of_plan_stays_planned_when_a_quantity_comes_before_it() -> None:
    old, new = fold([subscribed(), to_team(2, day(4, 1)), to_seats(3, day(3, 15), 6)]).items

    assert phases(old) == [(day(3, 1), day(3, 15), True, 5), (day(3, 15), day(4, 1), True, 6)]
    assert phases(new) == [(day(4, 1), None, True, 7)]


def test_an_earlier_cancellation_takes_the_place_of_a_later_one() -> None:
    journal = [subscribed(), change(2, day(5, 1), Cancelled()), change(3, day(4, 1), Cancelled())]

    assert phases(fold(journal).items[0]) == [(day(3, 1), day(4, 1), True, 5)]


def test_a_quantity_passes_over_a_charge_that_the_running_plan_does_not_have() -> None:
    journal = [
        subscribed(),
        to_seats(2, day(4, 1), 10),
        change(3, day(3, 15), PlanChanged(SECOND, TEAM, day(3, 15), Terms(quantities={}, prices={}))),
    ]

    _, new = fold(journal).items
    assert [(phase.starts_at, phase.ends_at, phase.terms.quantities) for phase in new.phases] == [
        (day(3, 15), None, {})
    ]


def test_an_instant_belongs_to_what_starts_at_it() -> None:
    timeline = fold([subscribed(ends_at=day(4, 1)), to_team(2, day(3, 20))])

    assert item_at(timeline, day(2, 28)) is None
    assert item_at(timeline, day(3, 1)) == timeline.items[0]
    assert item_at(timeline, day(3, 20)) == timeline.items[1]
    assert item_at(timeline, day(4, 1)) is None
    assert phase_at(timeline.items[0], day(3, 20)) is None
