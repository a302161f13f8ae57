"""The rows in force are what the journals fold to: after any changes, and a planted difference is found."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from tenor.kernel.errors import Refusal
from tenor.kernel.ids import CustomerId, SubscriptionId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions import (
    NewSubscription,
    advance,
    cancel,
    change_plan,
    change_quantity,
    journals,
    load_items,
    subscribe,
    subscription_ids,
    timeline_drift,
)

START = datetime(2026, 1, 1, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("plans")


def change_somehow(uow: UnitOfWork, subscription_id: SubscriptionId, random: Random, *, now: datetime) -> None:
    """Make one random change at a random instant, past or ahead; most are lawful."""
    version = load_items(uow, [subscription_id])[0].subscription.version
    effective = random.choice(["now", "period_end", now + timedelta(hours=random.randint(-2_000, 2_000))])
    how: dict[str, Any] = {"effective": effective, "version": version, "now": now, "actor": "test", "reason": ""}
    seats = {"seats": Decimal(random.randint(0, 4))}
    match random.choice(["plan", "plan", "quantity", "quantity", "quantity", "cancel"]):
        case "plan":
            plan = random.choice(["basic", "team", "yearly"])
            change_plan(uow, subscription_id, plan=plan, quantities=seats, **how)
        case "quantity":
            change_quantity(uow, subscription_id, quantities=seats, **how)
        case _:
            cancel(uow, subscription_id, **how)


def test_no_series_of_changes_makes_the_rows_drift(uow: UnitOfWork, customer: CustomerId) -> None:
    random = Random(20_260_510)  # noqa: S311 - a repeatable story, not a secret
    requests = [
        NewSubscription(
            external_id=f"s{number}",
            customer_id=customer,
            plan=random.choice(["basic", "tried", "yearly"]),
            starts_at=START + timedelta(days=random.randint(-60, 60)),
            ends_at=random.choice([None, START + timedelta(days=300)]),
        )
        for number in range(25)
    ]
    ids = subscribe(uow, requests, now=START, actor="test", reason="")
    for round_number in range(6):
        now = START + timedelta(days=20 * round_number)
        advance(uow, now=now)
        for subscription_id in ids:
            with suppress(Refusal), uow.connection.transaction():
                change_somehow(uow, subscription_id, random, now=now)

    assert subscription_ids(uow) == sorted(ids)
    assert timeline_drift(uow, ids) == []
    assert sum(len(journal) for journal in journals(uow, ids).values()) > 100  # 25 starts and most of 150 changes
    # The version counts the entries, and every item has a position.
    assert (
        uow.fetch_all(
            "select id from subscriptions s"
            " where version <> (select count(*) from subscription_changes c where c.subscription_id = s.id)"
        )
        == []
    )
    assert uow.fetch_all("select count(*) from subscription_items") == uow.fetch_all(
        "select count(*) from billing_positions"
    )


@pytest.mark.parametrize(
    "planted",
    [
        "update phases set starts_at = starts_at + interval '1 second'",
        "update phases set ends_at = now()",
        "update phases set is_billable = false",
        """update phases set terms = jsonb_set(terms, '{quantities,seats}', '"2"')""",
        "update phases set superseded_by_version = 2",
        """insert into phases
           select tenant_id, item_id, 2, null, starts_at - interval '1 day', starts_at, true, terms, state, closing
           from phases""",
        "update phases set state = 'paused', is_billable = false",
        "update phases set closing = 'whole'",
    ],
)
def test_a_planted_difference_is_found(uow: UnitOfWork, customer: CustomerId, planted: str) -> None:
    request = NewSubscription(external_id="s", customer_id=customer, plan="basic", starts_at=START)
    (subscription_id,) = subscribe(uow, [request], now=START, actor="test", reason="")
    (item,) = load_items(uow, [subscription_id])[0].items
    uow.execute(planted)

    (drift,) = timeline_drift(uow, [subscription_id])

    assert (drift.subscription_id, drift.object_id, drift.folded) == (subscription_id, item.id, item)
    assert drift.kept != item
