"""Every event is kept once, and of each one the sender learns what became of it."""

import threading
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tenor.kernel.ids import CustomerId, SubscriptionId, TenantId, new_id
from tenor.metering import TouchedUsage, UsageEvent, UsageReceipt, UsageRefused, record_usage
from tenor.platform.database import Database
from tenor.platform.unit_of_work import UnitOfWork
from tests.integration.metering.conftest import NOW, Furnish


def event(event_id: str, value: object = "1", *, days_ago: float = 1, **changes: Any) -> UsageEvent:
    sent = UsageEvent(
        event_id,
        NOW - timedelta(days=days_ago),
        {"n": value},  # type: ignore[dict-item]  # test data
        source="gw",
        metric_code="tokens",
        customer="acme",
    )
    return sent._replace(**changes)


def kept(uow: UnitOfWork) -> list[tuple[str, object]]:
    return [(row[0], row[1]) for row in uow.fetch_all("select event_id, value from usage_events order by ordinal")]


def test_an_event_is_kept_as_it_was_sent(uow: UnitOfWork, customers: dict[str, CustomerId]) -> None:
    subscription = SubscriptionId(new_id(NOW))
    properties = {"n": Decimal("12.50"), "region": "eu", "big": 12345678901234567890, "ok": True, "none": None}

    record_usage(uow, [event("e1", properties=properties, subscription_id=subscription)], now=NOW)

    (row,) = uow.fetch_all(
        "select source, event_id, customer_id, subscription_id, metric_code, occurred_at, value, properties::text,"
        " recorded_at from usage_events"
    )
    assert row[:7] == ("gw", "e1", customers["acme"], subscription, "tokens", NOW - timedelta(days=1), Decimal("12.5"))
    assert row[7] == '{"n": 12.5, "ok": true, "big": 12345678901234567890, "none": null, "region": "eu"}'
    assert row[8] == NOW


@pytest.mark.usefixtures("customers")
def test_each_event_of_a_batch_gets_its_own_answer(uow: UnitOfWork) -> None:
    record_usage(uow, [event("old", "5")], now=NOW)

    receipt = record_usage(
        uow,
        [
            event("new", "7"),
            event("old", "5"),
            event("old", "6"),
            event("x", customer="nobody"),
            event("new", Decimal("7.0")),  # the same content in another spelling
            event("new", "8"),
            event("y", "NaN"),
            event("other", "5", source="elsewhere"),
        ],
        now=NOW,
    )

    assert (receipt.accepted, receipt.duplicates, receipt.conflicts) == ((0, 7), (1, 4), (2, 5))
    assert [entry.position for entry in receipt.rejected] == [3, 6]
    assert kept(uow) == [("old", 5), ("new", 7), ("other", 5)]


@pytest.mark.usefixtures("customers")
def test_a_repetition_is_recognised_by_what_it_says(uow: UnitOfWork) -> None:
    first = event("e", properties={"n": 7, "a": "x"})
    record_usage(uow, [first], now=NOW)

    same = [first._replace(properties={"a": "x", "n": "7"}), first._replace(properties={"n": 7, "a": "x", "b": None})]
    other = [
        first._replace(properties={"n": 7}),
        first._replace(customer="blue"),
        first._replace(metric_code="peak"),
        first._replace(occurred_at=first.occurred_at + timedelta(microseconds=1)),
        first._replace(subscription_id=SubscriptionId(new_id(NOW))),
    ]
    receipt = record_usage(uow, [*same, *other], now=NOW)

    assert receipt == UsageReceipt((), duplicates=(0, 1), conflicts=(2, 3, 4, 5, 6), rejected=(), touched=())


BAD: list[tuple[dict[str, Any], str]] = [
    ({"event_id": ""}, "event_id"),
    ({"event_id": "x" * 201}, "event_id"),
    ({"event_id": "a\0b"}, "event_id"),
    ({"source": "\ud800"}, "source"),
    ({"customer": None}, "customer"),
    ({"customer": "a\0"}, "customer"),
    ({"customer": "nobody"}, "customer"),
    ({"metric_code": None}, "metric"),
    ({"metric_code": "watts"}, "metric"),
    ({"occurred_at": NOW + timedelta(days=2)}, "occurred_at"),
    ({"occurred_at": NOW - timedelta(days=4000)}, "occurred_at"),
    ({"properties": {}}, "n"),
    ({"properties": {"n": "Infinity"}}, "n"),
    ({"properties": {"n": True}}, "n"),
    ({"properties": {"n": 10**15}}, "n"),
    ({"properties": {"n": "0.1234567890123456789"}}, "n"),  # 19 digits after the point
    ({"properties": {"n": "1", "t": "x" * 1001}}, "t"),
    ({"properties": {"n": "1", "t": Decimal("1e400")}}, "t"),
    ({"properties": {"n": "1", "t": 10**400}}, "t"),
    ({"properties": {"n": "1", "x\0": "1"}}, "properties"),
    ({"properties": {str(n): "1" for n in range(51)}}, "properties"),
]


@pytest.mark.usefixtures("customers")
def test_a_bad_event_does_not_take_its_batch_with_it(uow: UnitOfWork) -> None:
    bad = [event(f"bad{n}")._replace(**changes) for n, (changes, _) in enumerate(BAD)]

    receipt = record_usage(uow, [event("good"), *bad, event("fine")], now=NOW)

    assert receipt.accepted == (0, len(BAD) + 1)
    assert [(entry.position, entry.field) for entry in receipt.rejected] == [
        (position, field) for position, (_, field) in enumerate(BAD, start=1)
    ]
    assert all(entry.reason for entry in receipt.rejected)


@pytest.mark.usefixtures("customers")
def test_a_strict_batch_is_taken_whole_or_not_at_all(uow: UnitOfWork) -> None:
    with pytest.raises(UsageRefused) as refused, uow.connection.transaction():
        record_usage(uow, [event("a"), event("b", "x"), event("c", customer="no")], now=NOW, strict=True)
    assert [entry["position"] for entry in refused.value.details["rejected"]] == [1, 2]  # type: ignore[attr-defined]  # a list of mappings
    assert kept(uow) == []

    record_usage(uow, [event("a")], now=NOW, strict=True)
    with pytest.raises(UsageRefused) as refused, uow.connection.transaction():
        record_usage(uow, [event("a", "2"), event("d")], now=NOW, strict=True)
    assert refused.value.details["conflicts"] == [0]
    assert kept(uow) == [("a", 1)]


def test_late_usage_tells_from_when_on_something_changed(uow: UnitOfWork, customers: dict[str, CustomerId]) -> None:
    record_usage(uow, [event("known", days_ago=300)], now=NOW)

    receipt = record_usage(
        uow,
        [
            event("known", days_ago=300),  # kept before: nothing changed that far back
            event("a", days_ago=2),
            event("b", days_ago=40),
            event("c", days_ago=3, customer="blue"),
            event("d", days_ago=500, metric_code="peak"),
            event("e", "x", days_ago=600),
        ],
        now=NOW,
    )

    assert set(receipt.touched) == {
        TouchedUsage(customers["acme"], "tokens", NOW - timedelta(days=40)),
        TouchedUsage(customers["blue"], "tokens", NOW - timedelta(days=3)),
        TouchedUsage(customers["acme"], "peak", NOW - timedelta(days=500)),
    }


@pytest.mark.usefixtures("customers")
def test_an_empty_batch_is_no_news(uow: UnitOfWork) -> None:
    assert record_usage(uow, [], now=NOW) == UsageReceipt((), (), (), (), ())
    (rejection,) = record_usage(uow, [event("a", "x")], now=NOW).rejected
    assert rejection[:3] == (0, "n", "n: 'x' is not a decimal number such as 12.50")


def test_two_senders_of_one_event_keep_it_once(database: Database, tenant: TenantId, furnish: Furnish) -> None:
    """The second transaction waits at the guard until the first has committed, then finds a duplicate."""
    with database.transaction(tenant) as uow:
        furnish(uow)
    receipts: list[UsageReceipt] = []
    with database.transaction(tenant) as first:
        record_usage(first, [event("a"), event("b")], now=NOW)

        def send_again() -> None:
            with database.transaction(tenant) as second:
                receipts.append(record_usage(second, [event("b"), event("c"), event("a", "9")], now=NOW))

        waiting = threading.Thread(target=send_again)
        waiting.start()
        waiting.join(timeout=0.3)
        assert waiting.is_alive()
    waiting.join(timeout=10)

    assert [(found.accepted, found.duplicates, found.conflicts) for found in receipts] == [((1,), (0,), (2,))]
    with database.transaction(tenant) as uow:
        assert sorted(kept(uow)) == [("a", 1), ("b", 1), ("c", 1)]


def test_the_same_id_may_be_used_by_another_tenant(
    database: Database, tenant: TenantId, other_tenant: TenantId, furnish: Furnish
) -> None:
    for owner in (tenant, other_tenant):
        with database.transaction(owner) as uow:
            furnish(uow)
            assert record_usage(uow, [event("a")], now=NOW).accepted == (0,)
            assert kept(uow) == [("a", 1)]


def test_the_database_refuses_a_value_out_of_bounds(uow: UnitOfWork, customers: dict[str, CustomerId]) -> None:
    record_usage(uow, [event("a")], now=NOW)  # makes the partition

    for value in ("NaN", "Infinity", "1e15", "0.0000000000000000001"):
        with pytest.raises(psycopg.errors.CheckViolation), uow.connection.transaction():
            uow.execute(
                "insert into usage_events (tenant_id, id, source, event_id, customer_id, metric_code, occurred_at,"
                " value, properties, recorded_at) values (%s, %s, '', 'x', %s, 'tokens', %s, %s::numeric, '{}', %s)",
                [uow.tenant_id, new_id(NOW), customers["acme"], NOW - timedelta(days=1), value, NOW],
            )


@pytest.mark.usefixtures("customers")
def test_the_database_refuses_a_second_copy_and_any_change(uow: UnitOfWork) -> None:
    record_usage(uow, [event("a")], now=NOW)
    columns = "tenant_id, id, source, event_id, customer_id, metric_code, occurred_at, value, properties, recorded_at"

    with pytest.raises(psycopg.errors.UniqueViolation), uow.connection.transaction():
        uow.execute(f"insert into usage_events ({columns}) select {columns} from usage_events")
    for statement in ("update usage_events set value = 2", "delete from usage_events", "truncate usage_identities"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), uow.connection.transaction():
            uow.execute(statement)
