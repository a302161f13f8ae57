"""Shipments of events on their way to ClickHouse: written with their identities, read until they are acknowledged."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from psycopg import sql

from tenor.kernel.ids import CustomerId
from tenor.metering.model import DimensionValues, UsageEvent
from tenor.metering.rules.acceptance import content_hash, identity_of, row_id_of, stored_properties
from tenor.metering.rules.readings import OPERATION
from tenor.metering.store.arrivals import Arrival, Before, arrival_of
from tenor.metering.store.hours import STANDING
from tenor.metering.store.ingest import MeasuredEvent, TouchedUsage, Written
from tenor.metering.store.spans import Asked, Slot
from tenor.platform.unit_of_work import UnitOfWork

SHIPMENT_ROWS_MAX: Final = 10_000
"""Rows of one shipment: a few megabytes, and one insert into ClickHouse."""


class KeptRow(NamedTuple):
    """A row of a slot, with what the slot's window needs of it; `said` are the values of its kept dimensions."""

    slot: Slot
    said: DimensionValues
    id: UUID
    occurred_at: datetime
    ordinal: int
    value: Decimal
    measured: str
    operation: str
    is_removed: bool


class Shipment(NamedTuple):
    """A shipment that waits, as rows of JSON."""

    id: int
    rows: list[bytes]


def write_shipments(uow: UnitOfWork, events: Iterable[MeasuredEvent], *, recorded_at: datetime) -> Written:
    """Keep those events whose identity is new in shipments that wait; see `UsageStore.take`.

    A fixed number of statements, however many events. The guard is the one that PostgreSQL's own events have.
    """
    with uow.staged("usage_shipments", _STAGE_COLUMNS, map(_stage_row, events)) as stage:
        parameters = {"tenant": uow.tenant_id, "recorded_at": recorded_at, "rows_max": SHIPMENT_ROWS_MAX}
        written = uow.fetch_all(_WRITE.format(stage=stage), parameters)
        fresh = sorted(position for *_, positions in written for position in positions)
        others = uow.fetch_all(_COMPARE.format(stage=stage), [fresh])
    return Written(
        fresh=tuple(fresh),
        duplicates=tuple(position for position, is_same, *_ in others if is_same),
        conflicts=tuple(position for position, is_same, *_ in others if is_same is False),
        strangers=tuple(_strangers(others)),
        touched=tuple(TouchedUsage(*row[:3]) for row in written),
    )


def is_relocated(uow: UnitOfWork) -> bool:
    """Whether the tenant's usage is in ClickHouse."""
    return uow.fetch_one("select from usage_relocations") is not None


def note_relocation(uow: UnitOfWork, *, event_count: int, total: Decimal, now: datetime) -> None:
    """Note that the tenant's usage is in ClickHouse from the end of this transaction on."""
    uow.execute(
        "insert into usage_relocations (tenant_id, event_count, total, recorded_at) values (%s, %s, %s, %s)",
        [uow.tenant_id, event_count, total, now],
    )


def next_ordinals(uow: UnitOfWork, count: int) -> list[int]:
    """Return numbers of arrival, in order."""
    rows = uow.fetch_all("select nextval('tenor.usage_event_ordinals') from generate_series(1, %s)", [count])
    return sorted(ordinal for (ordinal,) in rows)


def write_rows(uow: UnitOfWork, rows: Sequence[Mapping[str, object]], *, recorded_at: datetime) -> None:
    """Have rows as ClickHouse keeps them wait, too."""
    shipments = [rows[first : first + SHIPMENT_ROWS_MAX] for first in range(0, len(rows), SHIPMENT_ROWS_MAX)]
    ids = next_ordinals(uow, len(shipments))
    uow.copy_rows(
        "usage_shipments",
        [("id", "bigint"), ("row_count", "bigint"), ("payload", "jsonb"), ("recorded_at", "timestamptz")],
        [(number, len(part), part, recorded_at) for number, part in zip(ids, shipments, strict=True)],
    )


def waiting_rows(uow: UnitOfWork, asked: Sequence[Asked]) -> list[KeptRow]:
    """Return the rows of what is asked that this transaction sees waiting; call it before ClickHouse is asked."""
    if not asked:
        return []
    by_usage: dict[tuple[CustomerId, str], list[Asked]] = {}
    for one in asked:
        by_usage.setdefault((one.window.customer_id, one.window.metric.code), []).append(one)
    rows = uow.fetch_all(
        _WAITING,
        {
            "customers": [customer_id for customer_id, _ in by_usage],
            "metrics": [metric_code for _, metric_code in by_usage],
            "earliest": min(one.period.start for one in asked),
            "latest": max(one.period.end for one in asked),
        },
    )
    return [
        _kept_row(one, properties, *rest)
        for customer_id, metric_code, subscription_id, properties, *rest in rows
        for one in by_usage[customer_id, metric_code]
        if one.period.holds(rest[1])
        and (subscription_id is None or one.window.subscription_id in (None, subscription_id))
    ]


def waiting_arrivals(uow: UnitOfWork, wanted: Sequence[Before], *, recorded_at: datetime) -> list[Arrival]:
    """Return the events that wait since they arrived at an instant, of times before those wanted, as they came.

    What was corrected or cancelled is left out, and so is what counts in the place of another event.
    """
    rows = uow.fetch_all(
        """
        select e.id, e.customer_id, e.event_id, e.occurred_at at time zone 'UTC', e.properties::text, e.source,
               e.metric_code, c.external_id, e.subscription_id, e.value
        from usage_shipments s
        cross join lateral jsonb_to_recordset(s.payload) as e (
            id uuid, customer_id uuid, event_id text, occurred_at timestamp, properties jsonb, source text,
            metric_code text, subscription_id uuid, value numeric, ordinal bigint, is_removed integer
        )
        join unnest(%s::uuid[], %s::text[], %s::timestamptz[]) w (customer_id, metric_code, before)
            on e.customer_id = w.customer_id and e.metric_code = w.metric_code
            and e.occurred_at at time zone 'UTC' < w.before
        join customers c on c.id = e.customer_id
        where s.shipped_at is null and s.recorded_at = %s and e.is_removed = 0
          and not exists (select from usage_corrections k where k.event_id = e.id or k.replacement_id = e.id)
        order by e.ordinal
        """,
        [
            [entry.customer_id for entry in wanted],
            [entry.metric_code for entry in wanted],
            [entry.before for entry in wanted],
            recorded_at,
        ],
    )
    return [arrival_of(*row) for row in rows]


def waiting_rows_of(uow: UnitOfWork, ids: Collection[UUID]) -> list[dict[str, Any]]:
    """Return rows with these ids that wait, as ClickHouse keeps them."""
    rows = uow.fetch_all(
        """
        select r from usage_shipments b cross join lateral jsonb_array_elements(b.payload) r
        where b.shipped_at is null and (r ->> 'id')::uuid = any(%s)
        """,
        [list(ids)],
    )
    return [row for (row,) in rows]


def waiting_shipments(uow: UnitOfWork, *, limit: int) -> list[Shipment]:
    """Return the oldest shipments that wait."""
    rows = uow.fetch_all(
        "select id, payload::text from usage_shipments where shipped_at is null order by id limit %s", [limit]
    )
    return [Shipment(number, [bytes(row) for row in _ROWS.decode(payload)]) for number, payload in rows]


def note_shipped(uow: UnitOfWork, ids: Collection[int], *, now: datetime) -> int:
    """Let go of shipments that ClickHouse has acknowledged; return how many rows nobody had let go of before."""
    rows = uow.fetch_all(
        """
        update usage_shipments set payload = null, shipped_at = %s where id = any(%s) and shipped_at is null
        returning row_count
        """,
        [now, list(ids)],
    )
    return sum(count for (count,) in rows)


def all_rows(uow: UnitOfWork) -> Iterator[bytes]:
    """Yield every event that PostgreSQL keeps, as ClickHouse keeps it; those that no longer count are removed."""
    with uow.connection.cursor(name="usage_that_is_relocated") as cursor:
        cursor.itersize = SHIPMENT_ROWS_MAX
        for (row,) in cursor.execute(_ALL, {"tenant": uow.tenant_id}):
            yield row.encode()


def count_kept(uow: UnitOfWork) -> tuple[int, Decimal]:
    """Return how many of PostgreSQL's events count, and what they sum to."""
    row = uow.fetch_one(f"select count(*), coalesce(sum(value), 0) from usage_events e where {STANDING}")
    return (0, Decimal(0)) if row is None else (row[0], row[1])


def _kept_row(asked: Asked, properties: Mapping[str, str], *rest: Any) -> KeptRow:
    row_id, occurred_at, ordinal, value, is_removed = rest
    return KeptRow(
        asked.slot,
        tuple(properties.get(name, "") for name in asked.window.kept_dimensions),
        row_id,
        occurred_at,
        ordinal,
        value,
        properties.get(asked.window.metric.field or "", ""),
        properties.get(OPERATION, ""),
        is_removed,
    )


def _strangers(others: Iterable[tuple[Any, ...]]) -> Iterator[tuple[int, UsageEvent]]:
    for position, is_same, source, event_id, customer, subscription_id, metric, at, properties in others:
        if is_same is None:
            said = _PROPERTIES.decode(properties)
            yield position, UsageEvent(event_id, at, said, source, metric, customer, subscription_id=subscription_id)


def _stage_row(entry: MeasuredEvent) -> tuple[object, ...]:
    event = entry.event
    return (
        entry.position,
        identity_of(event.source, event.event_id),
        content_hash(event),
        row_id_of(event),
        event.source,
        event.event_id,
        event.customer,
        event.subscription_id,
        event.metric_code,
        event.occurred_at,
        entry.value,
        stored_properties(event.properties),
    )


_STAGE_COLUMNS: Final = (
    ("position", "bigint"),
    ("identity", "bytea"),
    ("content_hash", "bytea"),
    ("id", "uuid"),
    ("source", "text"),
    ("event_id", "text"),
    ("customer", "text"),
    ("subscription_id", "uuid"),
    ("metric_code", "text"),
    ("occurred_at", "timestamptz"),
    ("value", "numeric"),
    ("properties", "jsonb"),
)

# Of a row in PostgreSQL the row in ClickHouse: instants as texts (UTC), the value as a text, properties as texts.
_ROW: Final = """
    jsonb_build_object(
        'tenant_id', %(tenant)s::uuid, 'metric_code', e.metric_code, 'customer_id', e.customer_id,
        'occurred_at', to_char(e.occurred_at, 'YYYY-MM-DD HH24:MI:SS.US'), 'id', e.id, 'source', e.source,
        'event_id', e.event_id, 'subscription_id', e.subscription_id, 'value', e.value::text,
        'properties', (
            select coalesce(jsonb_object_agg(name, said) filter (where said is not null), '{{}}')
            from jsonb_each_text(e.properties) p (name, said)
        ),
        'ordinal', e.ordinal, 'recorded_at', to_char(e.recorded_at, 'YYYY-MM-DD HH24:MI:SS.US'),
        'is_removed', case when {is_removed} then 1 else 0 end
    )
"""

# The guard is written in the order of its key, so that two batches that share events wait for each other instead of
# deadlocking; only what it lets through becomes an event, in the order in which it was sent.
_NEW_ROW: Final = _ROW.format(is_removed="false").replace("{", "{{").replace("}", "}}")
_WRITE: Final = sql.SQL(f"""
    with first_sent as (
        select distinct on (identity) stage.*, customers.id as customer_id
        from {{stage}} stage join customers on customers.external_id = stage.customer
        order by identity, position
    ),
    new_identities as (
        insert into usage_identities (tenant_id, identity, content_hash, occurred_at)
        select %(tenant)s, identity, content_hash, occurred_at from first_sent order by identity
        on conflict do nothing
        returning identity
    ),
    fresh as materialized (
        select sent.*, nextval('tenor.usage_event_ordinals') as ordinal, %(recorded_at)s::timestamptz as recorded_at,
               (row_number() over (order by position) - 1) / %(rows_max)s as part
        from (select first_sent.* from first_sent join new_identities using (identity) order by position) sent
    ),
    shipments as (
        insert into usage_shipments (tenant_id, id, row_count, payload, recorded_at)
        select %(tenant)s, min(ordinal), count(*), jsonb_agg({_NEW_ROW}), %(recorded_at)s
        from fresh e group by part
    )
    select customer_id, metric_code, min(occurred_at), array_agg(position) from fresh group by 1, 2
""")

# A statement of its own: it must also see what another transaction committed while the first one waited.
_COMPARE: Final = sql.SQL("""
    select stage.position, case when customers.id is not null then stage.content_hash = known.content_hash end,
           stage.source, stage.event_id, stage.customer, stage.subscription_id, stage.metric_code, stage.occurred_at,
           stage.properties::text
    from {stage} stage left join customers on customers.external_id = stage.customer
    left join usage_identities known on known.identity = stage.identity
    where stage.position <> all(%s)
    order by stage.position
""")
_WAITING: Final = """
    select e.customer_id, e.metric_code, e.subscription_id, e.properties, e.id, e.occurred_at at time zone 'UTC',
           e.ordinal, e.value, e.is_removed = 1
    from usage_shipments b
    cross join lateral jsonb_to_recordset(b.payload) as e (
        customer_id uuid, metric_code text, occurred_at timestamp, id uuid, subscription_id uuid, value numeric,
        properties jsonb, ordinal bigint, is_removed integer
    )
    where b.shipped_at is null
      and (e.customer_id, e.metric_code) in (select * from unnest(%(customers)s::uuid[], %(metrics)s::text[]))
      and e.occurred_at at time zone 'UTC' >= %(earliest)s and e.occurred_at at time zone 'UTC' < %(latest)s
"""
_ALL: Final = f"""
    select {_ROW.format(is_removed=f"not {STANDING}")}::text from usage_events e
"""

_PROPERTIES: Final = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_ROWS: Final = msgspec.json.Decoder(list[msgspec.Raw])
