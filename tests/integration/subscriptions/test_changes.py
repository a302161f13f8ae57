"""Changes of plan and quantity, and cancellation: what they write, what they refuse, when they hold."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tenor.kernel.ids import CustomerId, PlanVersionId, SubscriptionId
from tenor.kernel.period import NotAnInstant
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing.store import PlanNotSold
from tenor.subscriptions import (
    AlreadyCancelled,
    NewSubscription,
    OutsideLife,
    Settled,
    Standing,
    Status,
    Subscription,
    SubscriptionNotFound,
    TermsRefused,
    VersionConflict,
    cancel,
    change_plan,
    change_quantity,
    journals,
    load_items,
    save_positions,
    subscribe,
    timeline_drift,
)
from tests.integration.subscriptions.test_subscribe import row_counts

START = datetime(2026, 5, 1, 10, tzinfo=UTC)
NOW = datetime(2026, 5, 10, 12, tzinfo=UTC)
PERIOD_END = datetime(2026, 6, 1, 10, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("plans")

Subscribe = Callable[..., SubscriptionId]


@pytest.fixture
def new(uow: UnitOfWork, customer: CustomerId) -> Subscribe:
    """Subscribes the customer on 10 May to a plan that started on 1 May, unless told otherwise."""

    def subscribed(*, now: datetime = NOW, **fields: Any) -> SubscriptionId:
        given: dict[str, Any] = {
            "external_id": "s",
            "customer_id": customer,
            "plan": "basic",
            "starts_at": START,
        } | fields
        return subscribe(uow, [NewSubscription(**given)], now=now, actor="ada", reason="")[0]

    return subscribed


def standing(uow: UnitOfWork, subscription_id: SubscriptionId) -> Standing:
    """The standing, after a look that the rows in force are what the journal folds to."""
    assert timeline_drift(uow, [subscription_id]) == []
    return load_items(uow, [subscription_id])[0]


def phases(uow: UnitOfWork, subscription_id: SubscriptionId) -> list[list[tuple[Any, ...]]]:
    """Each item's phases as (start, end, billable, seats)."""
    return [
        [
            (phase.starts_at, phase.ends_at, phase.is_billable, phase.terms.quantities.get("seats"))
            for phase in item.phases
        ]
        for item in standing(uow, subscription_id).items
    ]


def to_seats(uow: UnitOfWork, subscription_id: SubscriptionId, count: int, **how: Any) -> Subscription:
    given: dict[str, Any] = {"effective": "now", "version": 1, "now": NOW, "actor": "bob", "reason": "grew"} | how
    return change_quantity(uow, subscription_id, quantities={"seats": Decimal(count)}, **given)


def to_plan(uow: UnitOfWork, subscription_id: SubscriptionId, plan: str, **how: Any) -> Subscription:
    given: dict[str, Any] = {"effective": "now", "version": 1, "now": NOW, "actor": "bob", "reason": "grew"} | how
    return change_plan(uow, subscription_id, plan=plan, **given)


def end(uow: UnitOfWork, subscription_id: SubscriptionId, **how: Any) -> Subscription:
    given: dict[str, Any] = {"effective": "now", "version": 1, "now": NOW, "actor": "bob", "reason": "left"} | how
    return cancel(uow, subscription_id, **given)


def settle(uow: UnitOfWork, subscription_id: SubscriptionId, through: datetime) -> None:
    """Do as if a bill run had settled everything, and nothing were due for ten years."""
    rows = [
        Settled(subscription_id, item.id, through, through + timedelta(days=3650))
        for item in standing(uow, subscription_id).items
    ]
    save_positions(uow, rows)


def news(uow: UnitOfWork) -> list[tuple[Any, ...]]:
    """What the bill run is told of items: revisit from, and look at next; first those with news."""
    return uow.fetch_all("select revisit_from, next_due_at from billing_positions order by revisit_from nulls last")


# --- quantity ---------------------------------------------------------------------------------------------


def test_more_seats_from_now_on(uow: UnitOfWork, new: Subscribe) -> None:
    subscription_id = new()
    settle(uow, subscription_id, PERIOD_END)

    changed = to_seats(uow, subscription_id, 8)

    assert (changed.version, changed.status) == (2, Status.ACTIVE)
    assert changed == standing(uow, subscription_id).subscription
    assert phases(uow, subscription_id) == [[(START, NOW, True, 1), (NOW, None, True, 8)]]
    assert news(uow) == [(NOW, NOW)]
    change = journals(uow, [subscription_id])[subscription_id][-1]
    assert (change.version, change.effective_at, change.recorded_at, change.actor, change.reason) == (
        2,
        NOW,
        NOW,
        "bob",
        "grew",
    )
    events = "select type, payload->>'version' from outbox_events where type like 'subscription.%' order by 2"
    assert uow.fetch_all(events) == [
        ("subscription.subscribed", "1"),
        ("subscription.quantity_changed", "2"),
    ]
    deeds = "select action, before->>'version', after->>'version' from audit_records where object_type = 'subscription'"
    assert uow.fetch_all(f"{deeds} order by 3") == [
        ("subscription.subscribed", None, "1"),
        ("subscription.quantity_changed", "1", "2"),
    ]


def test_a_phase_that_a_change_took_back_stays_as_a_row(uow: UnitOfWork, new: Subscribe) -> None:
    subscription_id = new()
    to_seats(uow, subscription_id, 8)

    assert uow.fetch_all(
        "select written_by_version, superseded_by_version, starts_at, ends_at from phases order by 1, 3"
    ) == [(1, 2, START, None), (2, None, START, NOW), (2, None, NOW, None)]


def test_seats_at_the_end_of_the_period_follow_the_local_clock(uow: UnitOfWork, new: Subscribe) -> None:
    # Berlin puts its clock back on 25 October 2026: the period ends on 1 November at 12:00 CET, which is 11:00 UTC.
    subscription_id = new()
    october = datetime(2026, 10, 20, tzinfo=UTC)

    to_seats(uow, subscription_id, 8, effective="period_end", now=october)

    assert phases(uow, subscription_id)[0][1][0] == datetime(2026, 11, 1, 11, tzinfo=UTC)


def test_backdated_seats_hold_until_the_change_that_is_effective_later(uow: UnitOfWork, new: Subscribe) -> None:
    subscription_id = new()
    settle(uow, subscription_id, PERIOD_END)
    to_seats(uow, subscription_id, 8, effective="period_end")
    backdated = START + timedelta(days=2)

    to_seats(uow, subscription_id, 3, effective=backdated, version=2)

    assert phases(uow, subscription_id) == [
        [(START, backdated, True, 1), (backdated, PERIOD_END, True, 3), (PERIOD_END, None, True, 8)]
    ]
    assert news(uow) == [(backdated, NOW)]  # the earlier of the two changes


@pytest.mark.parametrize(
    ("quantities", "message"),
    [
        ({}, "none are named"),
        ({"seats": Decimal(-1)}, "negative"),
        ({"chairs": Decimal(1)}, "no such charge"),
        ({"base": Decimal(2)}, "not for a recurring charge"),
    ],
)
def test_a_refused_quantity_writes_nothing(
    uow: UnitOfWork, new: Subscribe, quantities: dict[str, Decimal], message: str
) -> None:
    subscription_id = new()
    before = row_counts(uow), news(uow)

    with pytest.raises(TermsRefused, match=message) as refusal:
        change_quantity(
            uow, subscription_id, quantities=quantities, effective="now", version=1, now=NOW, actor="b", reason=""
        )

    assert refusal.value.code == "terms_refused"
    assert (row_counts(uow), news(uow)) == before
    assert standing(uow, subscription_id).subscription.version == 1


# --- plan -------------------------------------------------------------------------------------------------


def test_a_plan_of_the_same_interval_keeps_the_grid_and_the_seats(
    uow: UnitOfWork, new: Subscribe, plans: dict[str, PlanVersionId]
) -> None:
    subscription_id = new(quantities={"seats": Decimal(4)}, prices={"base": Decimal(9)}, discount_percent=Decimal(10))
    settle(uow, subscription_id, PERIOD_END)

    changed = to_plan(uow, subscription_id, "team")

    assert changed.version == 2
    assert phases(uow, subscription_id) == [[(START, NOW, True, 4)], [(NOW, None, True, 4)]]
    old, opened = standing(uow, subscription_id).items
    assert (old.plan_version_id, opened.plan_version_id) == (plans["basic"], plans["team"])
    assert (opened.anchor_at, opened.discount_percent) == (START, Decimal(10))
    assert opened.phases[0].terms.prices == {}  # the former plan's prices stay with it
    # The old item is looked at again from the change; the new one for the first time, at its start.
    assert news(uow) == [(NOW, NOW), (None, NOW)]


def test_a_plan_of_another_interval_begins_a_new_grid(uow: UnitOfWork, new: Subscribe) -> None:
    subscription_id = new()

    to_plan(uow, subscription_id, "yearly", effective="period_end")

    assert phases(uow, subscription_id) == [[(START, PERIOD_END, True, 1)], [(PERIOD_END, None, True, 1)]]
    assert standing(uow, subscription_id).items[1].anchor_at == PERIOD_END


def test_a_plan_of_another_interval_in_the_trial_begins_its_grid_when_the_trial_ends(
    uow: UnitOfWork, new: Subscribe
) -> None:
    subscription_id = new(plan="tried")  # 14 days: until 15 May
    trial_end = START + timedelta(days=14)

    to_plan(uow, subscription_id, "yearly")

    assert phases(uow, subscription_id) == [
        [(START, NOW, False, 1)],
        [(NOW, trial_end, False, 1), (trial_end, None, True, 1)],
    ]
    assert standing(uow, subscription_id).items[1].anchor_at == trial_end


def test_the_period_end_of_a_trial_is_the_end_of_the_trial(uow: UnitOfWork, new: Subscribe) -> None:
    subscription_id = new(plan="tried")

    to_plan(uow, subscription_id, "basic", effective="period_end")

    assert standing(uow, subscription_id).items[1].starts_at == START + timedelta(days=14)


def test_a_planned_change_of_plan_stays_when_seats_change_before_it(uow: UnitOfWork, new: Subscribe) -> None:
    subscription_id = new()
    to_plan(uow, subscription_id, "team", effective="period_end", quantities={"seats": Decimal(9)})

    to_seats(uow, subscription_id, 2, version=2)

    assert phases(uow, subscription_id) == [
        [(START, NOW, True, 1), (NOW, PERIOD_END, True, 2)],
        [(PERIOD_END, None, True, 9)],
    ]


def test_an_item_that_a_later_change_takes_back_is_still_known_to_the_bill_run(uow: UnitOfWork, new: Subscribe) -> None:
    subscription_id = new()
    settle(uow, subscription_id, PERIOD_END)
    to_plan(uow, subscription_id, "team", effective=START)

    gone, running = standing(uow, subscription_id).items
    assert (gone.phases, [phase.starts_at for phase in running.phases]) == ((), [START])
    assert [item.id for item in standing(uow, subscription_id).timeline.items] == [running.id]
    assert standing(uow, subscription_id).positions[0] == (gone.id, PERIOD_END, START, None)


def test_a_refused_plan_writes_nothing(uow: UnitOfWork, new: Subscribe) -> None:
    subscription_id = new()
    before = row_counts(uow)

    with pytest.raises(PlanNotSold):
        to_plan(uow, subscription_id, "no-such-plan")
    with pytest.raises(TermsRefused, match=r"plan: 'dollar' is in USD, tax exclusive; the subscription is in EUR"):
        to_plan(uow, subscription_id, "dollar")
    with pytest.raises(TermsRefused, match=r"quantities\.chairs: plan 'team' has no such charge"):
        to_plan(uow, subscription_id, "team", quantities={"chairs": Decimal(1)})
    with pytest.raises(TermsRefused, match=r"prices\.calls: not for a usage charge"):
        to_plan(uow, subscription_id, "team", prices={"calls": Decimal(1)})

    assert row_counts(uow) == before


def test_seats_that_were_never_held_must_be_said_where_the_plan_has_no_default(uow: UnitOfWork, new: Subscribe) -> None:
    subscription_id = new(plan="flat")

    with pytest.raises(TermsRefused, match=r"quantities\.seats: missing"):
        to_plan(uow, subscription_id, "team")
    to_plan(uow, subscription_id, "team", quantities={"seats": Decimal(3)})

    assert phases(uow, subscription_id) == [[(START, NOW, True, None)], [(NOW, None, True, 3)]]


# --- cancellation -----------------------------------------------------------------------------------------


def test_a_cancellation_now_ends_service_and_state(uow: UnitOfWork, new: Subscribe) -> None:
    subscription_id = new()
    settle(uow, subscription_id, PERIOD_END)

    ended = end(uow, subscription_id)

    assert (ended.status, ended.version, ended.ends_at, ended.cancels_at_end) == (Status.CANCELLED, 2, NOW, True)
    assert standing(uow, subscription_id).subscription == ended
    assert phases(uow, subscription_id) == [[(START, NOW, True, 1)]]
    assert news(uow) == [(NOW, NOW)]
    assert uow.fetch_all("select next_move_at from subscriptions") == [(None,)]
    assert uow.fetch_all("select to_status, trigger, effective_at from subscription_moves order by move_no") == [
        ("active", "started", START),
        ("cancelled", "cancelled", NOW),
    ]
    assert uow.fetch_all("select type, payload->>'status' from outbox_events where payload->>'version' = '2'") == [
        ("subscription.cancelled", "cancelled")
    ]


def test_a_cancellation_at_the_period_end_leaves_the_state_until_then(uow: UnitOfWork, new: Subscribe) -> None:
    subscription_id = new()

    ending = end(uow, subscription_id, effective="period_end")

    assert (ending.status, ending.ends_at) == (Status.ACTIVE, PERIOD_END)
    assert uow.fetch_all("select next_move_at from subscriptions") == [(PERIOD_END,)]


def test_a_cancellation_can_be_moved_forward_but_not_back(uow: UnitOfWork, new: Subscribe) -> None:
    subscription_id = new()
    end(uow, subscription_id, effective="period_end")

    with pytest.raises(AlreadyCancelled, match=r"cancelled for 2026-06-01T10:00:00Z \(entry 2\)"):
        end(uow, subscription_id, effective=PERIOD_END + timedelta(days=1), version=2)
    ended = end(uow, subscription_id, effective=START + timedelta(days=1), version=2)

    assert (ended.status, ended.ends_at) == (Status.CANCELLED, START + timedelta(days=1))
    assert phases(uow, subscription_id) == [[(START, START + timedelta(days=1), True, 1)]]


def test_a_subscription_that_has_not_started_is_cancelled_at_once_and_never_runs(
    uow: UnitOfWork, new: Subscribe
) -> None:
    start = NOW + timedelta(days=5)
    subscription_id = new(starts_at=start)

    ended = end(uow, subscription_id)

    assert (ended.status, ended.ends_at) == (Status.CANCELLED, start)
    assert phases(uow, subscription_id) == [[]]
    assert uow.fetch_all("select from_status, to_status, effective_at from subscription_moves") == [
        ("created", "cancelled", NOW)
    ]


def test_a_cancelled_subscription_cannot_be_cancelled_or_changed_from_now_on(uow: UnitOfWork, new: Subscribe) -> None:
    subscription_id = new()
    end(uow, subscription_id)
    before = row_counts(uow)

    with pytest.raises(AlreadyCancelled):
        end(uow, subscription_id, version=2)
    changes: list[Callable[[], Subscription]] = [
        lambda: to_seats(uow, subscription_id, 2, version=2),
        lambda: to_plan(uow, subscription_id, "team", version=2),
    ]
    for change in changes:
        with pytest.raises(OutsideLife, match="it runs 2026-05-01T10:00:00Z to 2026-05-10T12:00:00Z"):
            change()

    assert row_counts(uow) == before


# --- what all changes have in common ----------------------------------------------------------------------


def test_a_change_makes_up_first_for_what_the_calendar_owes(uow: UnitOfWork, new: Subscribe) -> None:
    start = NOW + timedelta(days=1)
    subscription_id = new(plan="tried", starts_at=start)
    later = start + timedelta(days=20)

    changed = end(uow, subscription_id, now=later)

    assert changed.status is Status.CANCELLED
    assert uow.fetch_all("select move_no, to_status, effective_at from subscription_moves order by move_no") == [
        (1, "trialing", start),
        (2, "active", start + timedelta(days=14)),
        (3, "cancelled", later),
    ]


@pytest.mark.parametrize(
    "effective", [START - timedelta(seconds=1), START + timedelta(days=365), datetime(1990, 1, 1, tzinfo=UTC)]
)
def test_an_instant_outside_the_life_is_refused(uow: UnitOfWork, new: Subscribe, effective: datetime) -> None:
    subscription_id = new(ends_at=START + timedelta(days=365))
    before = row_counts(uow)

    changes: list[Callable[[], Subscription]] = [
        lambda: end(uow, subscription_id, effective=effective),
        lambda: to_seats(uow, subscription_id, 2, effective=effective),
        lambda: to_plan(uow, subscription_id, "team", effective=effective),
    ]
    for change in changes:
        with pytest.raises(OutsideLife) as refusal:
            change()
        assert refusal.value.code == "outside_life"

    assert row_counts(uow) == before


def test_an_instant_without_a_zone_is_refused(uow: UnitOfWork, new: Subscribe) -> None:
    with pytest.raises(NotAnInstant, match="effective"):
        end(uow, new(), effective=datetime(2026, 5, 20))  # noqa: DTZ001 - the zone is what is missing


def test_another_version_is_refused_and_so_is_an_unknown_subscription(uow: UnitOfWork, new: Subscribe) -> None:
    subscription_id = new()
    to_seats(uow, subscription_id, 2)
    before = row_counts(uow)

    for version in (1, 3):
        with pytest.raises(VersionConflict) as refusal:
            to_seats(uow, subscription_id, 5, version=version)
        assert refusal.value.code == "version_conflict"
        assert refusal.value.details == {"expected": version, "actual": 2}
    with pytest.raises(SubscriptionNotFound):
        to_seats(uow, SubscriptionId(UUID(int=1)), 5)

    assert row_counts(uow) == before
