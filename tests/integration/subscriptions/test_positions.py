"""Billing positions: what a bill run finds due, settles, and is told to look at again."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tenor.customers import CustomerDetails, register_customers
from tenor.kernel.ids import CustomerId, ItemId, SubscriptionId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions import (
    LateUsage,
    NewSubscription,
    Settled,
    due_batches,
    due_subscriptions,
    load_items,
    lock_positions,
    mark_late_usage,
    mark_news,
    save_positions,
    subscribe,
)

START = datetime(2026, 5, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 10, tzinfo=UTC)
NEVER = datetime(2090, 1, 1, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("plans")


def new(uow: UnitOfWork, customer: CustomerId, count: int, **fields: Any) -> list[SubscriptionId]:
    """Subscribe `count` times; the ids in order."""
    given: dict[str, Any] = {"plan": "basic", "starts_at": START} | fields
    requests = [
        NewSubscription(external_id=f"{given['plan']}-{customer}-{number}", customer_id=customer, **given)
        for number in range(count)
    ]
    return sorted(subscribe(uow, requests, now=NOW, actor="ada", reason=""))


def item_of(uow: UnitOfWork, subscription_id: SubscriptionId) -> ItemId:
    return load_items(uow, [subscription_id])[0].items[0].id


def settle(uow: UnitOfWork, ids: Sequence[SubscriptionId], *, through: datetime, next_due_at: datetime | None) -> None:
    save_positions(uow, [Settled(one, item_of(uow, one), through, next_due_at) for one in ids])


def position(uow: UnitOfWork, subscription_id: SubscriptionId) -> tuple[Any, ...]:
    row = uow.fetch_one(
        "select settled_through, revisit_from, next_due_at from billing_positions where subscription_id = %s",
        [subscription_id],
    )
    assert row is not None
    return row


def test_due_subscriptions_are_cut_into_batches_that_cover_them_once(uow: UnitOfWork, customer: CustomerId) -> None:
    ids = new(uow, customer, 7)
    settle(uow, [ids[3]], through=NOW, next_due_at=NEVER)
    due = [one for one in ids if one != ids[3]]

    batches = due_batches(uow, NOW, size=4)

    assert [(batch.first, batch.last, batch.subscription_count) for batch in batches] == [
        (due[0], due[3], 4),
        (due[4], due[5], 2),
    ]
    assert [due_subscriptions(uow, NOW, first=batch.first, last=batch.last) for batch in batches] == [due[:4], due[4:]]


def test_what_starts_later_or_never_falls_due_is_not_due(uow: UnitOfWork, customer: CustomerId) -> None:
    (settled,) = new(uow, customer, 1)
    (ahead,) = new(uow, customer, 1, plan="flat", starts_at=NOW + timedelta(days=1))
    settle(uow, [settled], through=NOW, next_due_at=None)

    assert due_batches(uow, NOW, size=10) == []
    assert [batch.first for batch in due_batches(uow, NOW + timedelta(days=1), size=10)] == [ahead]


def test_a_subscription_with_two_items_due_is_one(uow: UnitOfWork, customer: CustomerId) -> None:
    (subscription_id,) = new(uow, customer, 1)
    uow.execute(
        "insert into subscription_items (tenant_id, id, subscription_id, plan_version_id, anchor_at)"
        " select tenant_id, gen_random_uuid(), subscription_id, plan_version_id, anchor_at from subscription_items"
    )
    uow.execute(
        "insert into billing_positions (tenant_id, subscription_id, item_id, next_due_at, group_id)"
        " select i.tenant_id, i.subscription_id, i.id, %s, i.subscription_id from subscription_items i"
        " where i.id not in (select item_id from billing_positions)",
        [START],
    )

    assert [batch.subscription_count for batch in due_batches(uow, NOW, size=10)] == [1]
    assert due_subscriptions(uow, NOW, first=subscription_id, last=subscription_id) == [subscription_id]
    assert len(load_items(uow, [subscription_id])[0].items) == 2


def test_settling_moves_on_and_is_done_with_the_news(uow: UnitOfWork, customer: CustomerId) -> None:
    one, other = new(uow, customer, 2)
    mark_news(uow, {item_of(uow, one): START, item_of(uow, other): START}, now=NOW)
    lock_positions(uow, [one])

    settle(uow, [one], through=NOW, next_due_at=NEVER)

    assert position(uow, one) == (NOW, None, NEVER)
    assert position(uow, other) == (None, START, START)  # already due before, which the news does not put off


def test_news_only_ever_moves_back(uow: UnitOfWork, customer: CustomerId) -> None:
    (subscription_id,) = new(uow, customer, 1)
    item_id = item_of(uow, subscription_id)
    settle(uow, [subscription_id], through=NOW, next_due_at=NEVER)

    seen = []
    for days in (20, 10, 30):
        mark_news(uow, {item_id: START + timedelta(days=days)}, now=NOW)
        seen.append(position(uow, subscription_id))

    assert seen == [
        (NOW, START + timedelta(days=20), NOW),
        (NOW, START + timedelta(days=10), NOW),
        (NOW, START + timedelta(days=10), NOW),
    ]


def test_news_of_an_item_that_would_never_be_looked_at_again_makes_it_due(
    uow: UnitOfWork, customer: CustomerId
) -> None:
    (subscription_id,) = new(uow, customer, 1)
    settle(uow, [subscription_id], through=NOW, next_due_at=None)

    mark_news(uow, {item_of(uow, subscription_id): START}, now=NOW)

    assert position(uow, subscription_id) == (NOW, START, NOW)


def test_late_usage_touches_the_customers_items_that_charge_for_the_metric_and_are_settled_beyond_it(
    uow: UnitOfWork, customer: CustomerId
) -> None:
    late = START + timedelta(days=3)
    others = register_customers(
        uow, [CustomerDetails(external_id="other", name="Other")], now=NOW, actor="test", reason="a test"
    )
    held = {"quantities": {"seats": Decimal(1)}}
    (metered,) = new(uow, customer, 1, plan="team", **held)
    (unmetered,) = new(uow, customer, 1, plan="basic")
    (elsewhere,) = new(uow, others["other"], 1, plan="team", **held)
    settle(uow, [metered, unmetered, elsewhere], through=NOW, next_due_at=NEVER)

    touched = mark_late_usage(
        uow,
        [
            LateUsage(customer, "calls", late + timedelta(days=1)),
            LateUsage(customer, "calls", late),
            LateUsage(customer, "no-such-metric", START),
            LateUsage(CustomerId(UUID(int=404)), "calls", START),
        ],
        now=NOW,
    )

    assert touched == 1
    assert position(uow, metered) == (NOW, late, NOW)
    assert position(uow, unmetered) == position(uow, elsewhere) == (NOW, None, NEVER)


def test_usage_of_a_period_that_is_not_settled_is_no_news(uow: UnitOfWork, customer: CustomerId) -> None:
    (subscription_id,) = new(uow, customer, 1, plan="team", quantities={"seats": Decimal(1)})
    usage = [LateUsage(customer, "calls", NOW)]

    assert mark_late_usage(uow, usage, now=NOW) == 0  # never settled
    settle(uow, [subscription_id], through=NOW, next_due_at=NEVER)
    assert mark_late_usage(uow, usage, now=NOW) == 0  # settled up to just before it
    assert position(uow, subscription_id) == (NOW, None, NEVER)


def test_loading_leaves_out_what_the_tenant_does_not_have(uow: UnitOfWork, customer: CustomerId) -> None:
    ids = new(uow, customer, 3)

    loaded = load_items(uow, [ids[2], SubscriptionId(UUID(int=1)), ids[0]])

    assert [standing.subscription.id for standing in loaded] == [ids[0], ids[2]]
    assert load_items(uow, []) == []
