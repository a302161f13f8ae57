"""Events on their way in: staged by binary COPY, guarded, kept and added up by a fixed number of statements."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec
from psycopg import sql

from tenor.kernel.ids import CustomerId
from tenor.kernel.period import Period
from tenor.metering.model import UsageEvent
from tenor.metering.rules.acceptance import content_hash, identity_of, row_id_of, stored_properties
from tenor.metering.store.hours import ADD, FOLD, prepare_hours
from tenor.platform.partitions import prepare_partitions
from tenor.platform.unit_of_work import UnitOfWork

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


_PROPERTIES: Final = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


class MeasuredEvent(NamedTuple):
    """A sound event, its place in what was sent, and the number that its metric measures."""

    position: int
    event: UsageEvent
    value: Decimal


class TouchedUsage(NamedTuple):
    """Usage that changed: from its earliest new event on, what is owed for it may have changed too."""

    customer_id: CustomerId
    metric_code: str
    earliest_at: datetime


class Written(NamedTuple):
    """What became of events, by their positions; `strangers` are those whose customer is not registered."""

    fresh: tuple[int, ...] = ()
    duplicates: tuple[int, ...] = ()
    conflicts: tuple[int, ...] = ()
    strangers: tuple[tuple[int, UsageEvent], ...] = ()
    touched: tuple[TouchedUsage, ...] = ()


def write_events(uow: UnitOfWork, events: Iterable[MeasuredEvent], *, recorded_at: datetime) -> Written:
    """Keep those events whose (source, event id) was never taken before, and say what became of the others.

    Of several in one call the first counts. However many there are, they pass through one stage, and nothing is
    asked of the database while `events` is read. The running aggregates follow, and partitions are made as needed.
    """
    with uow.staged("usage_events", _STAGE_COLUMNS, map(_stage_row, events)) as stage:
        row = uow.fetch_one(_SURVEY.format(stage=stage))
        if row is None or row[0] == 0:
            return Written()
        count, first, last, stranger_count = row
        strangers = tuple(_strangers(uow, stage)) if stranger_count else ()
        if stranger_count == count:
            return Written(strangers=strangers)
        prepare_partitions(uow, "usage_events", Period(first, last))
        prepare_hours(uow)
        parameters = {"tenant": uow.tenant_id, "recorded_at": recorded_at}
        written = uow.fetch_all(_WRITE.format(stage=stage), parameters)
        fresh = sorted(position for *_, positions in written for position in positions)
        is_all_fresh = len(fresh) + stranger_count == count
        known = [] if is_all_fresh else uow.fetch_all(_COMPARE.format(stage=stage), [fresh])
    return Written(
        fresh=tuple(fresh),
        duplicates=tuple(position for position, is_same in known if is_same),
        conflicts=tuple(position for position, is_same in known if not is_same),
        strangers=strangers,
        touched=tuple(TouchedUsage(*row[:3]) for row in written),
    )


def _strangers(uow: UnitOfWork, stage: sql.Identifier) -> Iterator[tuple[int, UsageEvent]]:
    for position, source, event_id, customer, subscription_id, metric, at, properties in uow.fetch_all(
        _STRANGERS.format(stage=stage)
    ):
        said = _PROPERTIES.decode(properties)
        yield position, UsageEvent(event_id, at, said, source, metric, customer, subscription_id=subscription_id)


_SURVEY: Final = sql.SQL("""
    select count(*), min(occurred_at), max(occurred_at) + interval '1 microsecond',
           count(*) filter (where customers.id is null)
    from {stage} stage left join customers on customers.external_id = stage.customer
""")
_STRANGERS: Final = sql.SQL("""
    select position, source, event_id, customer, subscription_id, metric_code, occurred_at, properties::text
    from {stage} stage where not exists (select from customers where external_id = stage.customer)
    order by position
""")

# The guard is written first, in the order of its key, so that two batches that share events wait for each
# other instead of deadlocking; only what it lets through becomes an event, in the order of the batch.
_WRITE: Final = sql.SQL(f"""
    with breakdowns as materialized (select metric_code, dimensions from usage_breakdowns),
    first_sent as (
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
    counted as materialized (
        select fresh.*, nextval('tenor.usage_event_ordinals') as ordinal
        from (select first_sent.* from first_sent join new_identities using (identity) order by position) fresh
    ),
    written as (
        insert into usage_events (tenant_id, id, source, event_id, customer_id, subscription_id, metric_code,
                                  occurred_at, value, properties, ordinal, recorded_at)
        select %(tenant)s, id, source, event_id, customer_id, subscription_id, metric_code,
               occurred_at, value, properties, ordinal, %(recorded_at)s
        from counted
    ),
    {FOLD.replace("{", "{{").replace("}", "}}")},
    {ADD}
    select customer_id, metric_code, min(occurred_at), array_agg(position) from counted group by 1, 2
""")

# A statement of its own: it must also see what another transaction committed while the first one waited.
_COMPARE: Final = sql.SQL("""
    select stage.position, stage.content_hash = known.content_hash
    from {stage} stage join usage_identities known using (identity)
    where stage.position <> all(%s) and exists (select from customers where external_id = stage.customer)
    order by stage.position
""")


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
