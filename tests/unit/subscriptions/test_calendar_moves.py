"""What the calendar alone does to a state: it follows the timeline."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from tenor.kernel.calendar import Interval, Unit
from tenor.kernel.ids import CustomerId, ItemId, PlanVersionId, SubscriptionId
from tenor.subscriptions.model import (
    Cancelled,
    Change,
    Facts,
    Paused,
    Resumed,
    Status,
    Subscribed,
    Subscription,
    TermChanged,
    Terms,
    Timeline,
    TrialChanged,
)
from tenor.subscriptions.rules.moves import Move, follow, follow_change
from tenor.subscriptions.rules.timeline import fold_with_life

START, TRIAL_END, PAUSE, RESUMPTION, END = (datetime(2026, month, 1, tzinfo=UTC) for month in (3, 4, 5, 6, 9))
LATER = datetime(2030, 1, 1, tzinfo=UTC)


def life(
    *changes: tuple[Facts, datetime],
    status: Status = Status.CREATED,
    trial_ends_at: datetime | None = None,
    trial_converts: bool = True,
    ends_at: datetime | None = None,
    notice_days: int = 0,
    renewal: Interval | None = None,
) -> tuple[Subscription, Timeline]:
    """A subscription of 1 March in `status`, and the timeline of these changes."""
    first = Subscribed(
        item_id=ItemId(UUID(int=3)),
        plan_version_id=PlanVersionId(UUID(int=4)),
        anchor_at=START,
        terms=Terms({}, {}),
        discount_percent=Decimal(0),
        trial_ends_at=trial_ends_at,
        trial_converts=trial_converts,
        ends_at=ends_at,
    )
    journal = [
        Change(version, at, START, "test", "", facts)
        for version, (facts, at) in enumerate([(first, START), *changes], start=1)
    ]
    timeline, ends = fold_with_life(journal)
    subscription = Subscription(
        id=SubscriptionId(UUID(int=1)),
        customer_id=CustomerId(UUID(int=2)),
        external_id="acme",
        currency="EUR",
        timezone="UTC",
        profile="tenor",
        status=status,
        version=len(journal),
        starts_at=START,
        notice_days=notice_days,
        renewal=renewal,
        **ends._asdict(),
    )
    return subscription, timeline


def shown(moves: tuple[Move, ...]) -> list[tuple[str, datetime]]:
    return [(move.to_status.value, move.effective_at) for move in moves]


def walk(
    found: tuple[Subscription, Timeline], *, since: datetime = START, through: datetime = LATER
) -> list[tuple[str, datetime]]:
    return shown(follow(*found, since=since, through=through)[1])


def test_without_trial_or_end_a_subscription_starts_and_stays() -> None:
    assert walk(life()) == [("active", START)]


def test_nothing_moves_before_its_instant_and_everything_at_it() -> None:
    assert walk(life(), through=START - timedelta(microseconds=1)) == []
    assert walk(life(), through=START) == [("active", START)]


def test_a_whole_life_in_order_of_time() -> None:
    found = life((Paused(), PAUSE), (Resumed(), RESUMPTION), (Cancelled(), END), trial_ends_at=TRIAL_END, ends_at=LATER)

    assert walk(found) == [
        ("trialing", START),
        ("active", TRIAL_END),
        ("paused", PAUSE),
        ("active", RESUMPTION),
        ("cancelled", END),
    ]


def test_a_trial_of_no_length_is_none() -> None:
    assert walk(life(trial_ends_at=START)) == [("active", START)]


def test_a_trial_without_conversion_lapses() -> None:
    assert walk(life(trial_ends_at=TRIAL_END, trial_converts=False)) == [("trialing", START), ("expired", TRIAL_END)]


def test_a_term_that_nobody_noticed_expires_through_the_notice() -> None:
    assert walk(life(status=Status.ACTIVE, ends_at=END)) == [("expiring_soon", END), ("expired", END)]


def test_a_term_is_noticed_so_many_days_before_it_ends() -> None:
    noticed = datetime(2026, 8, 2, tzinfo=UTC)  # 1 September less 30 days

    found = life(ends_at=END, notice_days=30)
    assert walk(found) == [("active", START), ("expiring_soon", noticed), ("expired", END)]


def test_a_cancellation_is_not_noticed() -> None:
    assert walk(life((Cancelled(), END), notice_days=30)) == [("active", START), ("cancelled", END)]


def test_a_pause_lies_over_the_trial_and_over_the_notice() -> None:
    in_trial = datetime(2026, 3, 10, tzinfo=UTC)
    resumed = datetime(2026, 3, 20, tzinfo=UTC)

    found = life((Paused(), in_trial), (Resumed(), resumed), trial_ends_at=TRIAL_END)
    assert walk(found) == [
        ("trialing", START),
        ("paused", in_trial),
        ("trialing", resumed),
        ("active", TRIAL_END),
    ]

    # Noticed from 2 August on; the pause runs from the 10th to the 20th, and the term is still near its end then.
    since, until = datetime(2026, 8, 10, tzinfo=UTC), datetime(2026, 8, 20, tzinfo=UTC)
    found = life((Paused(), since), (Resumed(), until), ends_at=END, notice_days=30)
    assert walk(found)[2:] == [("paused", since), ("active", until), ("expiring_soon", until), ("expired", END)]


def test_a_trial_that_ends_in_a_pause_has_ended() -> None:
    in_trial = datetime(2026, 3, 10, tzinfo=UTC)

    found = life((Paused(), in_trial), (Resumed(), PAUSE), trial_ends_at=TRIAL_END)
    assert walk(found) == [("trialing", START), ("paused", in_trial), ("active", PAUSE)]


@pytest.mark.parametrize(
    ("status", "by_term", "by_cancellation"),
    [
        (Status.TRIALING, "expired", "cancelled"),
        (Status.EXPIRING_SOON, "expired", "cancelled"),
        (Status.PAST_DUE, "cancelled", "cancelled"),
        (Status.PAUSED, "expired", "cancelled"),
        (Status.SUSPENDED, "cancelled", "cancelled"),
    ],
)
def test_each_state_at_its_end(status: Status, by_term: str, by_cancellation: str) -> None:
    assert walk(life(status=status, ends_at=END), since=END) == [(by_term, END)]
    assert walk(life((Cancelled(), END), status=status), since=END) == [(by_cancellation, END)]


@pytest.mark.parametrize("status", [Status.EXPIRED, Status.CANCELLED])
def test_the_calendar_leaves_ended_subscriptions_alone(status: Status) -> None:
    found = life((Cancelled(), END), status=status)

    after, moves = follow(*found, since=END, through=LATER)
    assert (after, moves) == (found[0], ())


@pytest.mark.parametrize("status", [Status.PAST_DUE, Status.SUSPENDED])
def test_an_overdue_subscription_stays_overdue_whatever_begins_in_its_timeline(status: Status) -> None:
    found = life((Paused(), PAUSE), (Resumed(), RESUMPTION), status=status)

    assert walk(found, since=PAUSE) == []


def test_a_payment_shows_the_pause_that_came_while_it_was_overdue() -> None:
    subscription, timeline = life((Paused(), PAUSE), (Resumed(), RESUMPTION), status=Status.PAST_DUE)
    settled = datetime(2026, 5, 10, tzinfo=UTC)

    paid = replace(subscription, status=Status.ACTIVE)
    assert shown(follow_change(paid, timeline, caused_at=settled, now=settled)[1]) == [("paused", settled)]


def test_an_end_with_the_trial_goes_first() -> None:
    found = life((Cancelled(), TRIAL_END), status=Status.TRIALING, trial_ends_at=TRIAL_END)

    assert walk(found, since=TRIAL_END) == [("cancelled", TRIAL_END)]


def test_a_trial_that_converts_at_once_moves_at_once() -> None:
    now = datetime(2026, 3, 10, tzinfo=UTC)
    found = life(
        (TrialChanged(trial_ends_at=now), now), status=Status.TRIALING, trial_ends_at=TRIAL_END, trial_converts=False
    )

    assert shown(follow_change(*found, caused_at=now, now=now)[1]) == [("active", now)]


def test_a_term_that_is_prolonged_is_far_from_its_end_again() -> None:
    now = datetime(2026, 8, 20, tzinfo=UTC)
    found = life((TermChanged(LATER), now), status=Status.EXPIRING_SOON, ends_at=END, notice_days=30)

    after, moves = follow_change(*found, caused_at=now, now=now)
    assert shown(moves) == [("active", now)]
    assert after.next_move_at == LATER - timedelta(days=30)


def test_a_term_that_is_prolonged_at_its_very_end_revives_what_has_expired() -> None:
    now = datetime(2026, 9, 5, tzinfo=UTC)
    found = life((TermChanged(None), END), status=Status.EXPIRED, ends_at=END)

    assert shown(follow_change(*found, caused_at=END, now=now)[1]) == [("active", END)]


def test_a_change_in_the_past_moves_the_state_from_then() -> None:
    now = datetime(2026, 5, 20, tzinfo=UTC)
    since = datetime(2026, 5, 12, tzinfo=UTC)

    resumed = life((Paused(), PAUSE), (Resumed(), since), status=Status.PAUSED)
    assert shown(follow_change(*resumed, caused_at=since, now=now)[1]) == [("active", since)]

    cancelled = life((Cancelled(), since), status=Status.ACTIVE)
    assert shown(follow_change(*cancelled, caused_at=since, now=now)[1]) == [("cancelled", since)]


def test_a_pause_that_is_recorded_when_it_is_over_has_not_been_a_state() -> None:
    found = life((Paused(), PAUSE), (Resumed(), RESUMPTION), status=Status.ACTIVE)

    assert shown(follow_change(*found, caused_at=PAUSE, now=END)[1]) == []


def test_a_start_that_will_never_come_is_cancelled_at_once() -> None:
    now = datetime(2026, 2, 1, tzinfo=UTC)
    found = life((Cancelled(), START))

    after, moves = follow_change(*found, caused_at=START, now=now)
    assert shown(moves) == [("cancelled", now)]
    assert after.next_move_at is None


def test_the_end_of_a_term_that_renews_itself_waits_for_the_renewal() -> None:
    found = life(status=Status.ACTIVE, ends_at=END, renewal=Interval(Unit.YEAR))

    after, moves = follow(*found, since=END, through=LATER)
    assert (after.status, after.next_move_at, moves) == (Status.ACTIVE, END, ())


def test_a_trial_that_lapses_at_the_end_of_the_term_is_not_renewed() -> None:
    found = life(
        status=Status.TRIALING, trial_ends_at=END, trial_converts=False, ends_at=END, renewal=Interval(Unit.YEAR)
    )

    assert walk(found, since=END) == [("expired", END)]


@pytest.mark.parametrize(
    ("found", "through", "expected"),
    [
        (life(trial_ends_at=TRIAL_END), datetime(2026, 2, 1, tzinfo=UTC), START),
        (life(trial_ends_at=TRIAL_END, ends_at=END), START, TRIAL_END),
        (life(trial_ends_at=TRIAL_END, ends_at=END), TRIAL_END, END),
        (life(trial_ends_at=TRIAL_END), TRIAL_END, None),
        (life((Paused(), PAUSE), ends_at=END), START, PAUSE),
        (life((Paused(), PAUSE), (Resumed(), RESUMPTION)), PAUSE, RESUMPTION),
        (life(status=Status.PAST_DUE, ends_at=END), START, END),
    ],
)
def test_the_next_instant_is_known(
    found: tuple[Subscription, Timeline], through: datetime, expected: datetime | None
) -> None:
    assert follow(*found, since=START, through=through)[0].next_move_at == expected
