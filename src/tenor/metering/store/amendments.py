"""Events that no longer count, those that count in their place, and the hours that follow."""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

from tenor.kernel.ids import CustomerId
from tenor.kernel.period import Period
from tenor.metering.model import UsageEvent
from tenor.metering.rules.acceptance import content_hash, row_id_of, stored_properties
from tenor.metering.store.hours import ADD, CARRIES, FOLD, MONTH, STANDING
from tenor.platform.partitions import prepare_partitions
from tenor.platform.unit_of_work import UnitOfWork


class TakenEvent(NamedTuple):
    """What is kept of an identity: when the first event happened, and the last of its revisions, 0 for none.

    After a revision `replacement_id` is the row that counts now, None once the event is cancelled;
    `content_hash` is of what it says.
    """

    occurred_at: datetime
    content_hash: bytes
    revision: int
    replacement_id: UUID | None


class KeptUsage(NamedTuple):
    """Whose usage of what a row of usage events is, and when."""

    customer_id: CustomerId
    metric_code: str
    occurred_at: datetime


class Removal(NamedTuple):
    """A row that no longer counts, as the `revision`th change of its identity, and the one in its place."""

    identity: bytes
    revision: int
    row_id: UUID
    replacement: "Replacement | None"

    @property
    def replacement_id(self) -> UUID | None:
        """The row in its place; None where there is none."""
        return None if self.replacement is None else row_id_of(self.replacement.event, self.revision)


class Replacement(NamedTuple):
    """An event that counts in the place of another one, with the number that its metric measures."""

    event: UsageEvent
    customer_id: CustomerId
    value: Decimal


def taken_events(uow: UnitOfWork, identities: Collection[bytes]) -> dict[bytes, TakenEvent]:
    """Return what is kept of each of these identities; those that were never taken are left out."""
    rows = uow.fetch_all(
        """
        select i.identity, i.occurred_at, coalesce(c.content_hash, i.content_hash), coalesce(c.revision, 0),
               c.replacement_id
        from usage_identities i left join lateral (
            select * from usage_corrections c where c.identity = i.identity order by c.revision desc limit 1
        ) c on true
        where i.identity = any(%s)
        """,
        [list(identities)],
    )
    return {identity: TakenEvent(*rest) for identity, *rest in rows}


def kept_usage(uow: UnitOfWork, row_ids: Collection[UUID]) -> dict[UUID, KeptUsage]:
    """Return whose usage these rows are."""
    rows = uow.fetch_all(
        "select id, customer_id, metric_code, occurred_at from usage_events where id = any(%s)", [list(row_ids)]
    )
    return {row_id: KeptUsage(*rest) for row_id, *rest in rows}


def placed_usage(removals: Sequence[Removal]) -> list[KeptUsage]:
    """Return whose usage the rows are that count in the place of others."""
    return [
        KeptUsage(entry.customer_id, entry.event.metric_code or "", entry.event.occurred_at)
        for entry in (removal.replacement for removal in removals)
        if entry is not None
    ]


def write_corrections(
    uow: UnitOfWork, removals: Sequence[Removal], *, recorded_at: datetime, actor: str, reason: str
) -> None:
    """Note that rows no longer count, and which ones do in their place."""
    uow.copy_rows(
        "usage_corrections",
        _CORRECTION_COLUMNS,
        [
            (
                removal.identity,
                removal.revision,
                removal.row_id,
                removal.replacement_id,
                None if removal.replacement is None else content_hash(removal.replacement.event),
                actor,
                reason,
                recorded_at,
            )
            for removal in removals
        ],
    )


def write_replacements(uow: UnitOfWork, removals: Sequence[Removal], *, recorded_at: datetime) -> None:
    """Write the rows that count in the place of others. The hours are left to `repair_hours`."""
    instants = [entry.occurred_at for entry in placed_usage(removals)]
    if not instants:
        return
    prepare_partitions(uow, "usage_events", Period(min(instants), max(instants) + datetime.resolution))
    uow.copy_rows(
        "usage_events",
        _EVENT_COLUMNS,
        [
            (
                removal.replacement_id,
                entry.event.source,
                entry.event.event_id,
                entry.customer_id,
                entry.event.subscription_id,
                entry.event.metric_code,
                entry.event.occurred_at,
                entry.value,
                stored_properties(entry.event.properties),
                recorded_at,
            )
            for removal in removals
            if (entry := removal.replacement) is not None
        ],
    )


def repair_hours(uow: UnitOfWork, usage: Sequence[KeptUsage]) -> None:
    """Add up again the hours and months of these events; nobody else may write usage meanwhile (`lock_hours`)."""
    parameters = {
        "tenant": uow.tenant_id,
        "customers": [entry.customer_id for entry in usage],
        "metrics": [entry.metric_code for entry in usage],
        "instants": [entry.occurred_at for entry in usage],
    }
    uow.execute(_EMPTY, parameters)
    uow.execute(_ADD_AGAIN, parameters)
    uow.execute(_MONTHS_AGAIN, parameters)


_AFFECTED: Final = """
    affected as materialized (
        select distinct customer_id, metric_code, date_bin('1 hour', at, '1970-01-01 00:00:00+00') as hour
        from unnest(%(customers)b::uuid[], %(metrics)b::text[], %(instants)b::timestamptz[])
            a (customer_id, metric_code, at)
    )
"""
_EMPTY: Final = f"""
    with {_AFFECTED}
    update usage_hours h set event_count = 0, total = 0, highest = null, lowest = null, latest = null,
        moment = 0 * h.moment
    from affected a join usage_series s on s.customer_id = a.customer_id and s.metric_code = a.metric_code
    where h.series_id = s.id and h.hour = a.hour
"""
_ADD_AGAIN: Final = f"""
    with {_AFFECTED},
    breakdowns as materialized (select metric_code, dimensions from usage_breakdowns),
    counted as (
        select e.* from affected a join usage_events e
            on e.customer_id = a.customer_id and e.metric_code = a.metric_code
            and e.occurred_at >= a.hour and e.occurred_at < a.hour + interval '1 hour'
        where {STANDING}
    ),
    {FOLD},
    {ADD}
    select
"""
# An hour that holds nothing any more is still there: so each value has its row in the sum of a month.
_MONTHS_AGAIN: Final = f"""
    with {_AFFECTED}
    insert into usage_months (tenant_id, series_id, month, key, event_count, total, latest)
    select %(tenant)s, h.series_id, {MONTH.format("h.hour")}, h.key, sum(h.event_count), sum(h.total), max(h.latest)
    from (select distinct customer_id, metric_code, {MONTH.format("hour")} as month from affected) a
    join metrics m on m.code = a.metric_code and {CARRIES}
    join usage_series s on s.customer_id = a.customer_id and s.metric_code = a.metric_code
    join usage_hours h on h.series_id = s.id and h.hour >= a.month and h.hour < a.month + interval '1 month'
    group by 2, 3, 4 order by 2, 3, 4
    on conflict (tenant_id, series_id, month, key) do update set
        event_count = excluded.event_count, total = excluded.total, latest = excluded.latest
"""
_CORRECTION_COLUMNS: Final = (
    ("identity", "bytea"),
    ("revision", "bigint"),
    ("event_id", "uuid"),
    ("replacement_id", "uuid"),
    ("content_hash", "bytea"),
    ("actor", "text"),
    ("reason", "text"),
    ("recorded_at", "timestamptz"),
)
_EVENT_COLUMNS: Final = (
    ("id", "uuid"),
    ("source", "text"),
    ("event_id", "text"),
    ("customer_id", "uuid"),
    ("subscription_id", "uuid"),
    ("metric_code", "text"),
    ("occurred_at", "timestamptz"),
    ("value", "numeric"),
    ("properties", "jsonb"),
    ("recorded_at", "timestamptz"),
)
