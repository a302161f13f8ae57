"""The feed: no event is missed or told twice, and an object's events stay in order, however transactions commit."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid4

import psycopg
import pytest

from tenor.events import (
    NotAnEventType,
    events_after,
    feed_status,
    find_event,
    object_from_wire,
    sequence_events,
    tenants_with_news,
)
from tenor.kernel.errors import NotFound
from tenor.kernel.ids import TenantId, to_wire
from tenor.platform.database import Database
from tenor.platform.newly_visible import IS_NEW, TransactionsRenumbered, begin_look
from tenor.platform.outbox import Event, publish
from tests.support.processes import wait_until

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
INVOICE, WALLET = uuid4(), uuid4()


@pytest.fixture(autouse=True)
def partitions(database: Database, tenant: TenantId) -> None:
    """Have the month's partition made: who makes it holds a lock on the table until it commits."""
    with database.transaction(tenant) as uow:
        uow.execute("select tenor.ensure_month_partitions('tenor.outbox_events', current_date, current_date)")


def event(number: int, object_id: UUID = INVOICE, kind: str = "invoice.paid") -> Event:
    return Event(kind, object_id, {"number": number}, NOON)


def say(database: Database, tenant: TenantId, *events: Event) -> None:
    with database.transaction(tenant) as uow:
        publish(uow, events)


def relay(database: Database, tenant: TenantId, *, limit: int = 10_000) -> int:
    with database.transaction(tenant) as uow:
        return sequence_events(uow, limit=limit)


def told(database: Database, tenant: TenantId, after: int = 0) -> list[tuple[int, int, int]]:
    """Return position, sequence and number of the events after a position."""
    with database.transaction(tenant) as uow:
        page = events_after(uow, after, limit=1000)
    return [(one.position, one.sequence, one.payload["number"]) for one in page.events]


def test_a_slow_transaction_is_neither_waited_for_nor_missed(database: Database, tenant: TenantId) -> None:
    with database.transaction(tenant) as slow:
        publish(slow, [event(1, WALLET, "wallet.low")])  # numbered first, committed last
        say(database, tenant, event(2))
        assert relay(database, tenant) == 1
        say(database, tenant, event(3))
        assert relay(database, tenant) == 1
        assert tenants_with_news(database) == []
        assert relay(database, tenant) == 0
    assert tenants_with_news(database) == [tenant]
    assert relay(database, tenant) == 1

    assert told(database, tenant) == [(1, 1, 2), (2, 2, 3), (3, 1, 1)]
    assert told(database, tenant, after=2) == [(3, 1, 1)]


def test_an_object_changed_by_an_older_transaction_keeps_its_order(database: Database, tenant: TenantId) -> None:
    """The older transaction (the lower id) changes the object last, as one that waited for the object's lock does."""
    with database.transaction(tenant) as older:
        publish(older, [event(1, WALLET, "wallet.low")])
        say(database, tenant, event(2))
        publish(older, [event(3)])

    assert relay(database, tenant) == 3
    assert [number for _, _, number in told(database, tenant)] == [1, 2, 3]


def test_what_is_rolled_back_leaves_no_gap(database: Database, tenant: TenantId) -> None:
    say(database, tenant, event(1))
    with pytest.raises(RuntimeError), database.transaction(tenant) as uow:
        publish(uow, [event(2)])
        raise RuntimeError
    say(database, tenant, event(3))
    relay(database, tenant)

    assert told(database, tenant) == [(1, 1, 1), (2, 2, 3)]


def test_a_backlog_is_placed_in_batches_while_news_arrives(database: Database, tenant: TenantId) -> None:
    say(database, tenant, *[event(number) for number in range(5)])
    with database.transaction(tenant) as slow:
        publish(slow, [event(100, WALLET)])
        assert relay(database, tenant, limit=2) == 2
        say(database, tenant, event(5))  # not in the window that is being worked off
        placed = [relay(database, tenant, limit=2) for _ in range(3)]
    while batch := relay(database, tenant, limit=2):
        placed.append(batch)

    # 5 in the first window, in 2 + 2 + 1; then 5 alone, then the slow one
    assert placed == [2, 1, 1, 1]
    assert told(database, tenant) == [
        *[(number + 1, number + 1, number) for number in range(6)],
        (7, 1, 100),
    ]


def test_many_writers_and_relays_at_once(database: Database, tenant: TenantId, other_tenant: TenantId) -> None:
    """8 writers of 25 transactions, each with one event of its own object and one of a shared one that it locks."""
    shared, own = uuid4(), [uuid4() for _ in range(8)]
    stop = threading.Event()

    def write(writer: int) -> None:
        for number in range(25):
            with database.transaction(tenant) as uow:
                publish(uow, [event(number, own[writer])])
                uow.execute("select pg_advisory_xact_lock(1)")  # as the row lock of an object is held to the end
                (count,) = uow.fetch_all("select count(*) from outbox_events where object_id = %s", [shared])[0]
                publish(uow, [event(count, shared)])

    def work() -> None:
        while not stop.is_set():
            relay(database, tenant, limit=7)

    with ThreadPoolExecutor(11) as pool:
        relays = [pool.submit(work) for _ in range(3)]
        writers = [pool.submit(write, writer) for writer in range(8)]
        for writer in writers:
            writer.result()
        stop.set()
        for one in relays:
            one.result()
    while relay(database, tenant):
        pass

    with database.transaction(tenant) as uow:
        found = events_after(uow, 0, limit=1000).events
        assert [one.position for one in found] == list(range(1, 401))
        for object_id, count in [(shared, 200), *[(one, 25) for one in own]]:
            page = events_after(uow, 0, limit=1000, object_id=object_id).events
            assert [(one.sequence, one.payload["number"]) for one in page] == [(n + 1, n) for n in range(count)]
    assert told(database, other_tenant) == []


def test_reading_by_pages_types_and_object(database: Database, tenant: TenantId) -> None:
    kinds = ["invoice.finalised", "invoice.paid", "wallet.low", "invoice.paid"]
    say(database, tenant, *[event(n, WALLET if "wallet" in kind else INVOICE, kind) for n, kind in enumerate(kinds)])
    relay(database, tenant)

    def types(wanted: Sequence[str], limit: int = 100, after: int = 0) -> tuple[list[int], int, bool]:
        with database.transaction(tenant) as uow:
            page = events_after(uow, after, limit=limit, types=wanted)
        return [one.position for one in page.events], page.cursor, page.has_more

    assert types([]) == ([1, 2, 3, 4], 4, False)
    assert types(["invoice.*"], limit=2) == ([1, 2], 2, True)
    assert types(["invoice.*"], limit=2, after=2) == ([4], 4, False)
    assert types(["wallet.low", "invoice.finalised"]) == ([1, 3], 3, False)
    assert types(["contract.agreed"], after=4) == ([], 4, False)
    with pytest.raises(NotAnEventType):
        types(["invoice"])

    with database.transaction(tenant) as uow:
        first = events_after(uow, 0, limit=1).events[0]
        assert find_event(uow, first.id) == first
        with pytest.raises(NotFound):
            find_event(uow, uuid4())
    assert first.to_json() == {
        "id": to_wire("evt", first.id),
        "type": "invoice.finalised",
        "object": "invoice",
        "object_id": to_wire("inv", INVOICE),
        "position": 1,
        "sequence": 1,
        "occurred_at": "2026-03-01T12:00:00Z",
        "data": {"number": 0},
    }
    assert object_from_wire(to_wire("inv", INVOICE)) == object_from_wire(str(INVOICE)) == INVOICE
    assert [(one.tenant, one.last_position, one.unsequenced) for one in feed_status(database)] == [("acme", 4, False)]


def test_a_database_whose_transactions_are_numbered_anew_is_refused(database: Database, tenant: TenantId) -> None:
    say(database, tenant, event(1))
    relay(database, tenant)
    with database.owner() as connection, connection.transaction():
        connection.execute("select set_config('tenor.tenant_id', %s, true)", [str(tenant)])
        connection.execute("update event_feeds set seen = '4000000000:4000000000:'")

    with pytest.raises(TransactionsRenumbered):
        relay(database, tenant)


def test_the_feed_is_append_only_and_its_cost_that_of_the_news(database: Database, tenant: TenantId) -> None:
    say(database, tenant, *[event(number, uuid4()) for number in range(3_000)])
    wait_until(lambda: nothing_older_is_open(database, tenant))  # of another test: it would be looked at again
    relay(database, tenant)
    say(database, tenant, event(1))
    with database.setup() as connection:
        connection.execute("analyze tenor.outbox_events")  # as autovacuum will have done
    with database.transaction(tenant) as uow:
        look = begin_look(uow, "event_feeds")
        assert look is not None
        query = f"explain (analyze, format json) select from outbox_events where {IS_NEW}"
        (plan,) = uow.fetch_all(query, look._asdict())[0]
    scans = [node for node in nodes(plan[0]["Plan"]) if "Relation Name" in node and node["Actual Loops"]]
    events_read = [node for node in scans if str(node["Relation Name"]).startswith("outbox_events")]
    assert (
        sum(
            float(f"{node[key]}")
            for node in events_read
            for key in ("Actual Rows", "Rows Removed by Filter")
            if key in node
        )
        == 1
    )
    with pytest.raises(psycopg.errors.InsufficientPrivilege), database.transaction(tenant) as uow:
        uow.execute("update feed_events set position = 0")


def nothing_older_is_open(database: Database, tenant: TenantId) -> bool:
    """Whether every transaction of the server that is under way has begun after the events were published."""
    with database.transaction(tenant) as uow:
        query = "select max(transaction_id) < pg_snapshot_xmin(pg_current_snapshot()) from outbox_events"
        return uow.fetch_one(query) == (True,)


def nodes(plan: dict[str, object]) -> list[dict[str, object]]:
    """Return a node of a query plan and all below it."""
    below = plan.get("Plans", [])
    assert isinstance(below, list)
    return [plan, *[node for child in below for node in nodes(child)]]
