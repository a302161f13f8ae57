"""However events come in, in one batch or in more than a statement takes, they are kept and added up alike."""

from datetime import timedelta
from decimal import Decimal

import pytest
from psycopg.errors import InsufficientPrivilege

from tenor.customers import CustomerDetails, register_customers
from tenor.kernel.ids import CustomerId, SubscriptionId, TenantId, new_id
from tenor.metering import TouchedUsage, UsageEvent, record_usage
from tenor.metering.model import PropertyValue
from tenor.metering.store import ingest
from tenor.platform.database import Database
from tenor.platform.unit_of_work import UnitOfWork
from tests.integration.metering.conftest import NOW, Furnish

DAY = timedelta(days=1)


def used(
    event_id: str, n: PropertyValue, *, days_ago: int = 1, metric: str = "tokens", customer: str = "acme"
) -> UsageEvent:
    return UsageEvent(event_id, NOW - days_ago * DAY, {"n": n, "user": "u"}, "gw", metric, customer)


@pytest.mark.parametrize("chunk", [3, 10_000])
def test_more_events_than_a_statement_takes_are_written_alike(
    uow: UnitOfWork, customers: dict[str, CustomerId], monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(ingest, "CHUNK_EVENTS", chunk)
    record_usage(uow, [used("known", 1), used("other", 1)], now=NOW, strict=True)

    receipt = record_usage(
        uow,
        [
            used("a", 5),
            used("b", "7.5", days_ago=40),
            used("known", 1),
            used("c", 2, customer="nobody"),  # the second chunk
            used("a", 5),
            used("a", 6),
            used("d", 11, metric="level"),  # the third
            used("other", 2),
            used("e", 3, customer="blue"),
            used("f", 10, metric="seats"),
        ],
        now=NOW,
    )

    assert (receipt.accepted, receipt.duplicates, receipt.conflicts) == ((0, 1, 6, 8, 9), (2, 4), (5, 7))
    assert [entry[:2] for entry in receipt.rejected] == [(3, "customer")]
    assert set(receipt.touched) == {
        TouchedUsage(customers["acme"], "tokens", NOW - 40 * DAY),
        TouchedUsage(customers["acme"], "level", NOW - DAY),
        TouchedUsage(customers["acme"], "seats", NOW - DAY),
        TouchedUsage(customers["blue"], "tokens", NOW - DAY),
    }
    kept = uow.fetch_all("select event_id from usage_events order by ordinal")
    assert [row[0] for row in kept] == ["known", "other", "a", "b", "d", "e", "f"]
    hours = uow.fetch_all(
        "select c.external_id, s.metric_code, h.event_count, h.total, h.highest, h.lowest from usage_hours h"
        " join usage_series s on s.id = h.series_id join customers c on c.id = s.customer_id order by 1, 2, h.hour"
    )
    assert hours == [
        ("acme", "level", 1, 11, 11, 11),
        ("acme", "seats", 1, 1, 1, 1),
        ("acme", "tokens", 1, Decimal("7.5"), Decimal("7.5"), Decimal("7.5")),
        ("acme", "tokens", 3, 7, 5, 1),  # known 1 + other 1 + a 5
        ("blue", "tokens", 1, 3, 3, 3),
    ]


ODD: tuple[PropertyValue, ...] = (
    "eu",
    "",
    None,
    "null",
    "Null ",
    'a "quoted" one',
    "back\\slash",
    "{1,2}",
    "tab\there",
    "line\nbreak",
    "übermaß 🚀",
    "\u00a0",  # a space, but not to PostgreSQL
    True,
    12,
    Decimal("1E+3"),
    Decimal("2.50"),
)


@pytest.mark.usefixtures("customers")
def test_a_series_has_one_id_wherever_it_is_worked_out(uow: UnitOfWork) -> None:
    """What arrives is added up under the ids that a repair, in SQL, would give."""
    uow.execute(
        "insert into usage_breakdowns (tenant_id, metric_code, dimensions) values (%s, 'tokens', %s)",
        [uow.tenant_id, ["region", 'an "odd" name']],
    )
    subscription = SubscriptionId(new_id(NOW))
    events = [
        UsageEvent(
            f"{place}",
            NOW - DAY,
            {"n": 1, "region": value, 'an "odd" name': ODD[-place]},
            metric_code="tokens",
            customer="acme",
            subscription_id=subscription if place % 2 else None,
        )
        for place, value in enumerate(ODD)
    ]
    record_usage(uow, events, now=NOW, strict=True)

    found = uow.fetch_all(
        """
        select id, encode(substring(sha256(convert_to(concat_ws(chr(31), customer_id,
                   coalesce(subscription_id::text, ''), metric_code, dimensions, dimension_values), 'UTF8')) for 16),
                   'hex')::uuid
        from usage_series
        """
    )
    assert len(found) == len(ODD) + 2  # each pair of values once; the metric with and without a subscription
    assert [mine for mine, _ in found] == [of_sql for _, of_sql in found]
    values = uow.fetch_all(
        "select array(select coalesce(properties ->> name, '') from unnest(array['region', 'an \"odd\" name']) name)"
        " from usage_events except"
        " select dimension_values from usage_series where dimensions <> '{}'"
    )
    assert values == []


def test_usage_that_was_rolled_back_leaves_nothing_behind_in_the_session(
    database: Database, tenant: TenantId, furnish: Furnish
) -> None:
    with database.transaction(tenant) as uow:
        furnish(uow)

    for attempt in range(2):
        with pytest.raises(RuntimeError, match="thought better"), database.transaction(tenant) as uow:
            record_usage(uow, [used("a", 5)], now=NOW, strict=True)
            record_usage(uow, [used(f"b{attempt}", 6)], now=NOW, strict=True)  # finds what the first one made
            raise RuntimeError("thought better of it")
    for event_id in ("a", "b", "c"):
        with database.transaction(tenant) as uow:
            record_usage(uow, [used(event_id, 5)], now=NOW, strict=True)

    with database.transaction(tenant) as uow:
        assert uow.fetch_all("select event_count, total from usage_hours") == [(3, 15)]


def test_a_session_remembers_customers_only_once_they_are_there_for_good(
    database: Database, tenant: TenantId, furnish: Furnish
) -> None:
    """The same connection takes every batch: what it remembers of one must hold for the next."""
    with database.transaction(tenant) as uow:
        furnish(uow)

    def send(event_id: str, *customers: str) -> tuple[tuple[int, ...], list[int]]:
        with database.transaction(tenant) as uow:
            events = [used(f"{event_id}-{customer}", 1, customer=customer) for customer in customers]
            receipt = record_usage(uow, events, now=NOW)
            return receipt.accepted, [entry.position for entry in receipt.rejected]

    assert send("before", "acme", "new") == ((0,), [1])
    with pytest.raises(RuntimeError, match="thought better"), database.transaction(tenant) as uow:
        register_customers(
            uow, [CustomerDetails(external_id="new", name="New")], now=NOW, actor="test", reason="a test"
        )
        assert record_usage(uow, [used("rolled back", 1, customer="new")], now=NOW).accepted == (0,)
        raise RuntimeError("thought better of it")
    assert send("between", "acme", "new") == ((0,), [1])
    with database.transaction(tenant) as uow:
        register_customers(
            uow, [CustomerDetails(external_id="new", name="New")], now=NOW, actor="test", reason="a test"
        )
    assert send("after", "acme", "new", "blue") == ((0, 1, 2), [])
    assert send("again", "new", "blue", "acme") == ((0, 1, 2), [])

    with database.transaction(tenant) as uow:
        assert uow.fetch_all(
            "select c.external_id, sum(h.event_count) from usage_hours h join usage_series s on s.id = h.series_id"
            " join customers c on c.id = s.customer_id group by 1 order by 1"
        ) == [("acme", 4), ("blue", 2), ("new", 2)]
        # What is remembered of a customer cannot change.
        with pytest.raises(InsufficientPrivilege), uow.connection.transaction():
            uow.execute("update customers set external_id = 'other' where external_id = 'new'")


def test_a_month_that_has_no_partition_gets_one_when_usage_of_it_comes(
    database: Database, tenant: TenantId, furnish: Furnish
) -> None:
    with database.transaction(tenant) as uow:
        furnish(uow)
        assert record_usage(uow, [used("a", 5)], now=NOW).accepted == (0,)
    with database.owner() as owner:
        (name,) = owner.execute(
            "select inhrelid::regclass::text from pg_inherits where inhparent = 'tenor.usage_events'::regclass"
        ).fetchone() or ("",)
        owner.execute(f"drop table {name}")

    with database.transaction(tenant) as uow:  # the same session, which has written to that month before
        receipt = record_usage(uow, [used("b", 1), used("c", 2, days_ago=70), used("a", 5)], now=NOW)

        assert (receipt.accepted, receipt.duplicates) == ((0, 1), (2,))
        assert uow.fetch_all("select event_id from usage_events order by ordinal") == [("b",), ("c",)]
