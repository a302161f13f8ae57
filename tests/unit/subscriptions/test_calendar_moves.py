"""What the calendar alone does to a state."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from tenor.kernel.ids import CustomerId, SubscriptionId
from tenor.subscriptions.model import Status, Subscription
from tenor.subscriptions.rules.moves import calendar_moves, next_move_at

START, TRIAL_END, END = (datetime(2026, month, 1, tzinfo=UTC) for month in (3, 4, 9))
LATER = datetime(2030, 1, 1, tzinfo=UTC)


def standing(
    status: Status = Status.CREATED,
    *,
    trial_ends_at: datetime | None = None,
    trial_converts: bool = True,
    ends_at: datetime | None = None,
    cancels_at_end: bool = False,
) -> Subscription:
    return Subscription(
        id=SubscriptionId(UUID(int=1)),
        customer_id=CustomerId(UUID(int=2)),
        external_id="acme",
        currency="EUR",
        timezone="UTC",
        profile="tenor",
        status=status,
        version=1,
        starts_at=START,
        trial_ends_at=trial_ends_at,
        trial_converts=trial_converts,
        ends_at=ends_at,
        cancels_at_end=cancels_at_end,
    )


def walk(subscription: Subscription, through: datetime = LATER) -> list[tuple[str, datetime]]:
    return [(move.to_status.value, move.effective_at) for move in calendar_moves(subscription, through=through)]


def test_without_trial_or_end_a_subscription_starts_and_stays() -> None:
    assert walk(standing()) == [("active", START)]


def test_nothing_moves_before_its_instant_and_everything_at_it() -> None:
    just_before = START.replace(year=2025)

    assert walk(standing(), through=just_before) == []
    assert walk(standing(), through=START) == [("active", START)]


def test_a_whole_life_in_order_of_time() -> None:
    life = standing(trial_ends_at=TRIAL_END, ends_at=END, cancels_at_end=True)

    assert walk(life) == [("trialing", START), ("active", TRIAL_END), ("cancelled", END)]


def test_a_trial_of_no_length_is_none() -> None:
    assert walk(standing(trial_ends_at=START)) == [("active", START)]


def test_a_trial_without_conversion_lapses() -> None:
    assert walk(standing(trial_ends_at=TRIAL_END, trial_converts=False)) == [
        ("trialing", START),
        ("expired", TRIAL_END),
    ]


def test_a_term_that_nobody_noticed_expires_through_the_notice() -> None:
    assert walk(standing(Status.ACTIVE, ends_at=END)) == [("expiring_soon", END), ("expired", END)]


@pytest.mark.parametrize(
    ("status", "by_term", "by_cancellation"),
    [
        (Status.TRIALING, "expired", "cancelled"),
        (Status.EXPIRING_SOON, "expired", "cancelled"),
        (Status.PAST_DUE, "cancelled", "cancelled"),
        (Status.PAUSED, "cancelled", "cancelled"),
        (Status.SUSPENDED, "cancelled", "cancelled"),
    ],
)
def test_each_state_at_its_end(status: Status, by_term: str, by_cancellation: str) -> None:
    assert walk(standing(status, ends_at=END)) == [(by_term, END)]
    assert walk(standing(status, ends_at=END, cancels_at_end=True)) == [(by_cancellation, END)]


@pytest.mark.parametrize("status", [Status.EXPIRED, Status.CANCELLED])
def test_the_calendar_leaves_ended_subscriptions_alone(status: Status) -> None:
    assert walk(standing(status, ends_at=END)) == []
    assert next_move_at(standing(status, ends_at=END)) is None


def test_an_end_with_or_before_the_trial_end_goes_first() -> None:
    at_once = standing(Status.TRIALING, trial_ends_at=TRIAL_END, ends_at=TRIAL_END, cancels_at_end=True)

    assert walk(at_once) == [("cancelled", TRIAL_END)]


@pytest.mark.parametrize(
    ("subscription", "expected"),
    [
        (standing(trial_ends_at=TRIAL_END), START),
        (standing(Status.TRIALING, trial_ends_at=TRIAL_END, ends_at=END), TRIAL_END),
        (standing(Status.ACTIVE, trial_ends_at=TRIAL_END, ends_at=END), END),
        (standing(Status.ACTIVE, trial_ends_at=TRIAL_END), None),
        (standing(Status.PAST_DUE, ends_at=END), END),
    ],
)
def test_the_next_instant_is_known(subscription: Subscription, expected: datetime | None) -> None:
    assert next_move_at(subscription) == expected
