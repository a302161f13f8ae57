"""Two sessions at once: one of two changes wins, and a bill run and a change never wait for each other in a circle."""

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from threading import Event
from time import monotonic, sleep

import pytest

from tenor.kernel.ids import CustomerId, PlanVersionId, SubscriptionId, TenantId
from tenor.platform.database import Database
from tenor.subscriptions import (
    ExternalIdTaken,
    NewSubscription,
    Settled,
    Subscription,
    VersionConflict,
    change_quantity,
    journals,
    load_items,
    lock_positions,
    save_positions,
    subscribe,
    timeline_drift,
)

START = datetime(2026, 5, 1, tzinfo=UTC)
NOW = datetime(2026, 5, 10, tzinfo=UTC)
PATIENCE_SECONDS = 10


@pytest.fixture
def subscription_id(
    database: Database, tenant: TenantId, customer: CustomerId, plans: dict[str, PlanVersionId]
) -> SubscriptionId:
    with database.transaction(tenant) as uow:
        request = NewSubscription(external_id="s", customer_id=customer, plan="basic", starts_at=START)
        return subscribe(uow, [request], now=NOW, actor="ada", reason="")[0]


def change(
    database: Database, tenant: TenantId, subscription_id: SubscriptionId, seats: int, *, hold: Event | None = None
) -> Subscription:
    """Change the seats in a transaction of its own, which stays open until `hold` is set."""
    with database.transaction(tenant) as uow:
        changed = change_quantity(
            uow,
            subscription_id,
            quantities={"seats": Decimal(seats)},
            effective="now",
            version=1,
            now=NOW,
            actor="bob",
            reason="",
        )
        if hold is not None:
            assert hold.wait(PATIENCE_SECONDS)
        return changed


def wait_until_somebody_waits(database: Database) -> None:
    """Return when a session of this database waits for another one's lock."""
    deadline = monotonic() + PATIENCE_SECONDS
    with database.setup() as connection:
        while monotonic() < deadline:
            waiting = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
            if connection.execute(waiting).fetchone() is not None:
                return
            sleep(0.01)
    raise AssertionError("nobody waits for a lock")


def test_of_two_changes_of_one_version_one_wins(
    database: Database, tenant: TenantId, subscription_id: SubscriptionId
) -> None:
    hold = Event()
    with ThreadPoolExecutor() as pool:
        first: Future[Subscription] = pool.submit(change, database, tenant, subscription_id, 5, hold=hold)
        while not first.running():
            sleep(0.01)
        sleep(0.3)  # the first has the lock by now; were it not so, the other one would win and the test fail
        second = pool.submit(change, database, tenant, subscription_id, 9)
        wait_until_somebody_waits(database)
        hold.set()

        assert first.result(PATIENCE_SECONDS).version == 2
        with pytest.raises(VersionConflict):
            second.result(PATIENCE_SECONDS)
    with database.transaction(tenant) as uow:
        assert [entry.version for entry in journals(uow, [subscription_id])[subscription_id]] == [1, 2]
        (standing,) = load_items(uow, [subscription_id])
        assert standing.items[0].phases[-1].terms.quantities == {"seats": 5}
        assert timeline_drift(uow, [subscription_id]) == []


def test_a_change_during_a_bill_run_waits_and_its_news_survives_the_settlement(
    database: Database, tenant: TenantId, customer: CustomerId, subscription_id: SubscriptionId
) -> None:
    with ThreadPoolExecutor() as pool:
        with database.transaction(tenant) as run:
            lock_positions(run, [subscription_id])
            (standing,) = load_items(run, [subscription_id])
            changing = pool.submit(change, database, tenant, subscription_id, 5)
            wait_until_somebody_waits(database)
            # What an invoice does: a row whose foreign key locks the subscription that the change holds.
            run.execute(
                "insert into subscription_moves (tenant_id, subscription_id, move_no, from_status, to_status, trigger,"
                " effective_at, recorded_at) values (%s, %s, 2, 'active', 'past_due', 'payment_failed', %s, %s)",
                [run.tenant_id, subscription_id, NOW, NOW],
            )
            save_positions(run, [Settled(subscription_id, standing.items[0].id, NOW, None)])
        assert changing.result(PATIENCE_SECONDS).version == 2

    with database.transaction(tenant) as uow:
        assert uow.fetch_all("select settled_through, revisit_from, next_due_at from billing_positions") == [
            (NOW, NOW, NOW)
        ]


def test_two_calls_with_one_external_id_write_one_subscription(
    database: Database, tenant: TenantId, customer: CustomerId, plans: dict[str, PlanVersionId]
) -> None:
    request = NewSubscription(external_id="s", customer_id=customer, plan="basic", starts_at=START)

    def call(hold: Event | None) -> list[SubscriptionId]:
        with database.transaction(tenant) as uow:
            ids = subscribe(uow, [request], now=NOW, actor="ada", reason="")
            if hold is not None:
                assert hold.wait(PATIENCE_SECONDS)
            return ids

    hold = Event()
    with ThreadPoolExecutor() as pool:
        first = pool.submit(call, hold)
        sleep(0.3)
        second = pool.submit(call, None)
        wait_until_somebody_waits(database)
        hold.set()
        ids = first.result(PATIENCE_SECONDS)
        with pytest.raises(ExternalIdTaken):
            second.result(PATIENCE_SECONDS)
    assert call(None) == ids
