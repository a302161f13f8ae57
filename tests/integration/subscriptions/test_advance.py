"""The calendar moves states: in order of time, all that is due, once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tenor.kernel.ids import CustomerId, SubscriptionId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions import NewSubscription, advance, cancel, subscribe
from tests.integration.subscriptions.test_subscribe import counted_statements

NOW = datetime(2026, 5, 10, tzinfo=UTC)
START = datetime(2026, 6, 1, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("plans")


def new(uow: UnitOfWork, customer: CustomerId, external_id: str, **fields: Any) -> SubscriptionId:
    given: dict[str, Any] = {"plan": "basic", "starts_at": START, "timezone": "UTC"} | fields
    request = NewSubscription(external_id=external_id, customer_id=customer, **given)
    return subscribe(uow, [request], now=NOW, actor="ada", reason="")[0]


def moves(uow: UnitOfWork, external_id: str) -> list[tuple[Any, ...]]:
    return uow.fetch_all(
        """
        select move_no, to_status, trigger, effective_at, recorded_at from subscription_moves
        where subscription_id = (select id from subscriptions where external_id = %s) order by move_no
        """,
        [external_id],
    )


def statuses(uow: UnitOfWork) -> dict[str, str]:
    return dict(uow.fetch_all("select external_id, status from subscriptions"))


def test_several_moves_of_one_subscription_are_made_in_order_of_time(uow: UnitOfWork, customer: CustomerId) -> None:
    new(uow, customer, "whole life", plan="tried", ends_at=START + timedelta(days=60))
    later = START + timedelta(days=90)

    counts = advance(uow, now=later)

    assert moves(uow, "whole life") == [
        (1, "trialing", "trial_started", START, later),
        (2, "active", "trial_converted", START + timedelta(days=14), later),
        (3, "expiring_soon", "end_noticed", START + timedelta(days=60), later),
        (4, "expired", "term_ended", START + timedelta(days=60), later),
    ]
    assert dict(counts) == {"trial_started": 1, "trial_converted": 1, "end_noticed": 1, "term_ended": 1}
    assert statuses(uow) == {"whole life": "expired"}
    assert uow.fetch_all("select version, next_move_at from subscriptions") == [(1, None)]


def test_each_subscription_goes_as_far_as_its_own_calendar(uow: UnitOfWork, customer: CustomerId) -> None:
    new(uow, customer, "plain")
    new(uow, customer, "ahead", starts_at=START + timedelta(days=1))
    new(uow, customer, "trying", plan="tried")
    new(uow, customer, "lapsed", trial_days=3, trial_converts=False, starts_at=START - timedelta(days=3))
    leaving = new(uow, customer, "leaving")
    cancel(uow, leaving, effective=START + timedelta(seconds=1), version=1, now=NOW, actor="ada", reason="")

    advance(uow, now=START)

    assert statuses(uow) == {
        "plain": "active",
        "ahead": "created",
        "trying": "trialing",
        "lapsed": "expired",
        "leaving": "active",
    }
    advance(uow, now=START + timedelta(days=20))
    assert statuses(uow) == {
        "plain": "active",
        "ahead": "active",
        "trying": "active",
        "lapsed": "expired",
        "leaving": "cancelled",
    }
    assert [row[:3] for row in moves(uow, "leaving")] == [(1, "active", "started"), (2, "cancelled", "cancelled")]


def test_one_instant_earlier_nothing_moves_and_a_second_call_finds_nothing(
    uow: UnitOfWork, customer: CustomerId
) -> None:
    new(uow, customer, "plain")

    assert advance(uow, now=START - timedelta(microseconds=1)) == {}
    assert dict(advance(uow, now=START)) == {"started": 1}
    assert advance(uow, now=START + timedelta(days=1000)) == {}
    assert len(moves(uow, "plain")) == 1


def test_moves_are_told(uow: UnitOfWork, customer: CustomerId) -> None:
    subscription_id = new(uow, customer, "plain")
    advance(uow, now=START)

    assert uow.fetch_all(
        "select object_id, payload->>'from_status', payload->>'to_status', payload->>'effective_at', occurred_at"
        " from outbox_events where type = 'subscription.moved'"
    ) == [(subscription_id, "created", "active", "2026-06-01T00:00:00Z", START)]


def test_the_number_of_statements_does_not_depend_on_how_many_move(
    uow: UnitOfWork, customer: CustomerId, monkeypatch: pytest.MonkeyPatch
) -> None:
    def statements(count: int, start: datetime) -> int:
        requests = [
            NewSubscription(external_id=f"{start}{number}", customer_id=customer, plan="tried", starts_at=start)
            for number in range(count)
        ]
        subscribe(uow, requests, now=NOW, actor="ada", reason="")
        with counted_statements(monkeypatch) as sent:
            counts = advance(uow, now=start + timedelta(days=30))
        assert dict(counts) == {"trial_started": count, "trial_converted": count}
        return len(sent)

    assert statements(300, START) == statements(3, START + timedelta(days=100))


def test_many_are_moved_chunk_by_chunk(uow: UnitOfWork, customer: CustomerId, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenor.subscriptions.operations.advance.CHUNK", 7)
    for number in range(20):
        new(uow, customer, f"s{number}")

    assert dict(advance(uow, now=START)) == {"started": 20}
    assert set(statuses(uow).values()) == {"active"}


def test_the_status_is_always_where_the_last_move_leads(uow: UnitOfWork, customer: CustomerId) -> None:
    new(uow, customer, "a", plan="tried", starts_at=NOW - timedelta(days=100))
    new(uow, customer, "b", starts_at=NOW - timedelta(days=100), ends_at=NOW - timedelta(days=1))
    new(uow, customer, "c")
    cancel(uow, new(uow, customer, "d"), effective="now", version=1, now=NOW, actor="ada", reason="")
    advance(uow, now=START)

    assert (
        uow.fetch_all(
            """
        select s.external_id from subscriptions s where s.status is distinct from coalesce((
            select m.to_status from subscription_moves m where m.subscription_id = s.id order by move_no desc limit 1
        ), 'created')
        """
        )
        == []
    )
