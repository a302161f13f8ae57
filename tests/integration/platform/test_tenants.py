"""Tenants, partitions, events and audit records, as operations use them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal

import psycopg
import pytest

from tenor.kernel.errors import Malformed, NotFound
from tenor.kernel.ids import TenantId
from tenor.kernel.period import Period
from tenor.platform.audit import Deed, record
from tenor.platform.database import Database
from tenor.platform.outbox import Event, publish
from tenor.platform.partitions import prepare_partitions
from tenor.platform.tenants import (
    SlugTaken,
    Tenant,
    create_tenant,
    current_tenant,
    find_tenant,
    list_tenants,
    set_clock,
)
from tenor.platform.unit_of_work import UnitOfWork

MAY = datetime(2025, 5, 1, tzinfo=UTC)


def test_a_tenant_is_found_by_its_slug_and_by_its_transaction(database: Database) -> None:
    tenant_id = create_tenant(
        database, slug="acme", name="Acme", is_sandbox=True, clock_at=MAY, timezone="Europe/Berlin", profile="lago"
    )
    acme = Tenant(tenant_id, "acme", "Acme", True, MAY, "Europe/Berlin", "lago")
    umbra_id = create_tenant(database, slug="umbra", name="Umbra")

    assert find_tenant(database, "acme") == acme
    assert [tenant.slug for tenant in list_tenants(database)] == ["acme", "umbra"]
    with database.transaction(tenant_id) as uow:
        assert current_tenant(uow) == acme
    with database.transaction(umbra_id) as uow:
        assert current_tenant(uow) == Tenant(umbra_id, "umbra", "Umbra", False, None, "UTC", "tenor")


def test_only_a_sandbox_has_a_clock_to_move(database: Database, tenant: TenantId) -> None:
    sandbox = create_tenant(database, slug="play", name="Play", is_sandbox=True)
    set_clock(database, sandbox, MAY)

    assert find_tenant(database, "play").clock_at == MAY
    with pytest.raises(NotFound):
        set_clock(database, tenant, MAY)
    with pytest.raises(Malformed, match="only a sandbox has a clock"):
        create_tenant(database, slug="real", name="Real", clock_at=MAY)


def test_what_is_no_tenant_is_refused(database: Database, tenant: TenantId) -> None:
    with pytest.raises(SlugTaken):
        create_tenant(database, slug="acme", name="Another")
    with pytest.raises(Malformed, match="slug"):
        create_tenant(database, slug="No Slug", name="x")
    for zone in ("Berlin", "../etc/passwd", ""):
        with pytest.raises(Malformed, match="time zone"):
            create_tenant(database, slug="zone", name="x", timezone=zone)
    with pytest.raises(NotFound):
        find_tenant(database, "nobody")
    assert [found.tenant_id for found in list_tenants(database)] == [tenant]


def test_events_and_deeds_are_written_with_their_cause(database: Database, tenant: TenantId) -> None:
    payload = {"amount_minor": 2**60, "share": Decimal("0.1"), "tags": ["ü", None]}
    events = [Event("plan.changed", tenant, payload, MAY), Event("plan.changed", tenant, payload, MAY)]
    deed = Deed("ann", "change_plan", "tenant", tenant, "asked by mail", MAY, after={"plan": "pro"})
    with database.transaction(tenant) as uow:
        publish(uow, events)
        record(uow, [deed])
        publish(uow, [])
        record(uow, [])
    with pytest.raises(ZeroDivisionError), database.transaction(tenant) as uow:
        publish(uow, events)
        record(uow, [deed])
        _ = 1 // 0

    with database.transaction(tenant) as uow:
        published = uow.fetch_all("select type, object_id, payload, occurred_at from outbox_events")
        done = uow.fetch_all("select actor, action, object_type, object_id, reason, before, after from audit_records")
        transactions = uow.fetch_all(
            "select transaction_id from outbox_events union select transaction_id from audit_records"
        )
    stored = {"amount_minor": 2**60, "share": "0.1", "tags": ["ü", None]}
    assert published == [("plan.changed", tenant, stored, MAY)] * 2
    assert done == [("ann", "change_plan", "tenant", tenant, "asked by mail", None, {"plan": "pro"})]
    assert len(transactions) == 1


@pytest.fixture
def meters(database: Database) -> None:
    """A table that is partitioned by month."""
    with database.owner() as connection:
        connection.execute(
            """
            create table tenor.meters (
                tenant_id uuid not null, at timestamptz not null, id bigint not null default 7 check (id > 0),
                primary key (tenant_id, at, id)
            ) partition by range (at);
            select tenor.protect('tenor.meters', 'append');
            """
        )


def partitions(uow: UnitOfWork) -> list[str]:
    rows = uow.fetch_all("select relid::text from pg_partition_tree('meters') where isleaf order by 1")
    return [name for (name,) in rows]


@pytest.mark.usefixtures("meters")
def test_partitions_cover_a_half_open_period_and_are_made_once(uow: UnitOfWork) -> None:
    year_end = Period(datetime(2024, 12, 31, 23, 59, tzinfo=UTC), datetime(2025, 2, 1, tzinfo=UTC))
    prepare_partitions(uow, "meters", year_end)
    prepare_partitions(uow, "meters", year_end)

    assert partitions(uow) == ["meters_y2024m12", "meters_y2025m01"]
    # The first and the last microsecond of each month find their place, with the parent's default and check.
    edges = [
        "2024-12-01 00:00+00",
        "2024-12-31 23:59:59.999999+00",
        "2025-01-01 00:00+00",
        "2025-01-31 23:59:59.999999+00",
    ]
    for edge in edges:
        uow.execute("insert into meters (tenant_id, at) values (%s, %s)", [uow.tenant_id, edge])
    assert uow.fetch_all("select tableoid::regclass::text, count(*), min(id) from meters group by 1 order by 1") == [
        ("meters_y2024m12", 2, 7),
        ("meters_y2025m01", 2, 7),
    ]
    for statement in (
        "insert into meters values (%s, '2025-02-01', 1)",
        "insert into meters values (%s, '2025-01-01', 0)",
    ):
        with pytest.raises(psycopg.errors.CheckViolation), uow.connection.transaction():
            uow.execute(statement, [uow.tenant_id])


@pytest.mark.usefixtures("meters")
@pytest.mark.parametrize(
    ("table", "start", "end"),
    [
        ("meters", datetime(2025, 1, 1, tzinfo=UTC), datetime(2045, 1, 2, tzinfo=UTC)),  # 241 months
        ("meters", datetime(2099, 1, 1, tzinfo=UTC), datetime(2100, 1, 2, tzinfo=UTC)),
        ("meters", datetime(2025, 3, 1, tzinfo=UTC), datetime(2025, 2, 1, tzinfo=UTC)),
        ("tenants", MAY, MAY.replace(day=2)),
    ],
)
def test_partitions_are_not_made_without_bound_or_for_anything_else(
    database: Database, tenant: TenantId, table: str, start: datetime, end: datetime
) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue), database.transaction(tenant) as uow:
        prepare_partitions(uow, table, Period(start, end))


@pytest.mark.usefixtures("meters")
def test_transactions_that_need_the_same_partitions_at_once_all_get_them(database: Database, tenant: TenantId) -> None:
    year = Period(datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))

    def work(number: int) -> None:
        with database.transaction(tenant) as uow:
            prepare_partitions(uow, "meters", year)
            uow.execute("insert into meters values (%s, '2025-07-01', %s)", [tenant, number])

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work, number) for number in range(1, 5)]:
            done.result()

    with database.transaction(tenant) as uow:
        assert uow.fetch_one("select count(*) from meters") == (4,)
        assert len(partitions(uow)) == 12
