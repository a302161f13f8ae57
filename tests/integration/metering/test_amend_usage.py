"""Corrections and cancellations: facts beside the events, with the numbers following."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tenor.kernel.ids import CustomerId
from tenor.kernel.period import Period
from tenor.metering import Amendment, TouchedUsage, UsageEvent, amend_usage, current_usage, record_usage
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing.policy import profile
from tests.integration.metering.conftest import NOW

NINE = datetime(2026, 5, 4, 9, tzinfo=UTC)
MAY = Period(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))


def event(event_id: str, value: object, **changes: Any) -> UsageEvent:
    sent = UsageEvent(event_id, NINE, {"n": value}, "gw", "tokens", "acme")  # type: ignore[dict-item]  # test data
    return sent._replace(**changes)


def corrected(event: UsageEvent) -> Amendment:
    return Amendment(event.source, event.event_id, event)


def amend(uow: UnitOfWork, *amendments: Amendment) -> tuple[tuple[int, ...], tuple[int, ...], list[tuple[int, str]]]:
    receipt = amend_usage(uow, amendments, now=NOW, actor="ann", reason="bad gateway")
    return receipt.amended, receipt.unchanged, [entry[:2] for entry in receipt.rejected]


def used(uow: UnitOfWork, customer: CustomerId, metric: str) -> tuple[object, int]:
    (found,) = current_usage(uow, customer, metric, MAY, policy=profile("tenor").metering).values()
    return found.value, found.event_count


@pytest.mark.parametrize(
    ("metric", "before", "after_correction", "after_cancellation"),
    [
        # 2, 7, 4 at nine; 7 becomes 3; then 3 is cancelled
        ("tokens", (13, 3), (9, 3), (6, 2)),
        ("calls", (3, 3), (3, 3), (2, 2)),
        ("peak", (7, 3), (4, 3), (4, 2)),
        ("floor", (2, 3), (2, 3), (2, 2)),
        ("level", (4, 3), (4, 3), (4, 2)),
    ],
)
def test_every_number_follows(
    uow: UnitOfWork,
    customers: dict[str, CustomerId],
    metric: str,
    before: tuple[int, int],
    after_correction: tuple[int, int],
    after_cancellation: tuple[int, int],
) -> None:
    sent = [event(str(place), value, metric_code=metric) for place, value in enumerate((2, 7, 4))]
    record_usage(uow, sent, now=NOW, strict=True)
    assert used(uow, customers["acme"], metric) == before

    assert amend(uow, corrected(event("1", 3, metric_code=metric))) == ((0,), (), [])
    assert used(uow, customers["acme"], metric) == (
        # corrected last, it is the last arrival of its instant
        (3, 3) if metric == "level" else after_correction
    )

    assert amend(uow, Amendment("gw", "1")) == ((0,), (), [])
    assert used(uow, customers["acme"], metric) == after_cancellation


def test_an_amendment_is_safe_to_repeat_and_refused_where_it_makes_no_sense(
    uow: UnitOfWork, customers: dict[str, CustomerId]
) -> None:
    record_usage(uow, [event("a", 5), event("b", 1)], now=NOW, strict=True)

    assert amend(uow, corrected(event("a", 6))) == ((0,), (), [])
    assert amend(uow, corrected(event("a", 6))) == ((), (0,), [])
    assert amend(uow, Amendment("gw", "b"), Amendment("gw", "b")) == ((0,), (), [(1, "event_id")])
    assert amend(uow, Amendment("gw", "b")) == ((), (0,), [])
    assert amend(
        uow,
        corrected(event("b", 1)),  # cancelled
        Amendment("gw", "never"),
        Amendment("other", "a"),
        corrected(event("a", "x")),
        corrected(event("a", 1, customer="nobody")),
        Amendment("gw", "a", event("b", 1)),
    ) == ((), (), [(0, "event_id"), (1, "event_id"), (2, "event_id"), (3, "n"), (4, "customer"), (5, "event_id")])
    assert used(uow, customers["acme"], "tokens") == (6, 1)
    # the sender's own repetition of what it first said changes nothing either
    assert record_usage(uow, [event("a", 5), event("b", 1)], now=NOW).duplicates == (0, 1)
    assert used(uow, customers["acme"], "tokens") == (6, 1)


def test_usage_may_move_to_another_customer_metric_and_month(uow: UnitOfWork, customers: dict[str, CustomerId]) -> None:
    record_usage(uow, [event("a", 5)], now=NOW, strict=True)
    april = NINE - timedelta(days=30)
    moved = event("a", 8, customer="blue", metric_code="peak", occurred_at=april)

    receipt = amend_usage(uow, [corrected(moved)], now=NOW, actor="ann", reason="wrong account")

    assert used(uow, customers["acme"], "tokens") == (0, 0)
    assert used(uow, customers["blue"], "peak") == (0, 0)  # none in May
    april_period = Period(april, april + timedelta(hours=1))
    found = current_usage(uow, customers["blue"], "peak", april_period, policy=profile("tenor").metering)
    assert tuple(found[()]) == (8, 1)
    assert set(receipt.touched) == {
        TouchedUsage(customers["acme"], "tokens", NINE),
        TouchedUsage(customers["blue"], "peak", april),
    }
    assert uow.fetch_all("select actor, action, reason from audit_records") == [
        ("ann", "usage_event.corrected", "wrong account")
    ]


def test_a_unique_value_comes_back_when_its_removal_is_cancelled(
    uow: UnitOfWork, customers: dict[str, CustomerId]
) -> None:
    seats = [
        event("in", 1, metric_code="seats", properties={"user": "u"}),
        event(
            "out",
            1,
            metric_code="seats",
            properties={"user": "u", "operation_type": "remove"},
            occurred_at=NINE + timedelta(hours=2),
        ),
    ]
    record_usage(uow, seats, now=NOW, strict=True)
    assert used(uow, customers["acme"], "seats") == (0, 2)

    amend(uow, Amendment("gw", "out"))

    assert used(uow, customers["acme"], "seats") == (1, 1)
