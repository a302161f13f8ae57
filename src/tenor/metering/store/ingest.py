"""Events on their way in: guarded, kept and added up by one statement, whatever their number."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Any, Final, NamedTuple

from psycopg.errors import CheckViolation, UniqueViolation

from tenor.customers import customer_ids
from tenor.kernel.ids import CustomerId
from tenor.kernel.period import EARLIEST, Period
from tenor.metering.model import UsageEvent
from tenor.metering.rules.series import MetricHours, Series
from tenor.metering.store.encoding import CELL_COLUMNS, CELL_SERIES_COLUMNS, EVENT_COLUMNS, MeasuredEvent, Owner, encode
from tenor.metering.store.hours import ADD_HOURS, kept_hours, prepare_hours
from tenor.metering.store.remembered import Remembered
from tenor.metering.store.series import SERIES_COLUMNS, missing_series, series_arrays
from tenor.platform.arrays import arrays_of_columns, column_arrays, unnested
from tenor.platform.partitions import prepare_partitions
from tenor.platform.unit_of_work import Row, UnitOfWork

__all__ = ["MeasuredEvent", "TouchedUsage", "Written", "write_events"]

CHUNK_EVENTS: Final = 10_000
"""So many events are parameters of the statement that writes them; more of them are staged for it."""


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

    Of several in one call the first counts. However many there are, one statement writes them in the order of
    their keys. The running aggregates follow, and partitions are made as needed.
    """
    prepare_hours(uow)
    arrivals = _Arrivals(uow)
    with _sent(uow, arrivals, _chunks(events)) as sent:
        if not arrivals.positions:
            return Written(strangers=tuple(arrivals.strangers))
        parameters = {
            **sent.parameters,
            **series_arrays(arrivals.new_series),
            "tenant": uow.tenant_id,
            "recorded_at": recorded_at,
        }
        try:
            with uow.connection.transaction():  # a savepoint: what nearly always holds is found out by trying
                written = uow.fetch_all(sent.write_all, parameters)
            fresh, known = arrivals.positions, []
        except (UniqueViolation, CheckViolation):  # an event that was taken before; a month that has no partition yet
            prepare_partitions(uow, "usage_events", arrivals.period)
            written = uow.fetch_all(sent.write_new, parameters)
            fresh = sorted(position for *_, positions in written for position in positions)
            known = uow.fetch_all(sent.compare, {**parameters, "fresh": fresh})
    return Written(
        fresh=tuple(fresh),
        duplicates=tuple(position for position, is_same in known if is_same),
        conflicts=tuple(position for position, is_same in known if not is_same),
        strangers=tuple(arrivals.strangers),
        touched=arrivals.touched(written),
    )


class _Arrivals:
    """Events while they are encoded, and what was learned of them so far."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._hours: dict[str, MetricHours] = kept_hours(uow)
        self._earliest: list[int] = []
        self._latest: list[int] = []
        self._owners: list[Owner] = []
        self.positions: list[int] = []
        self.strangers: list[tuple[int, UsageEvent]] = []
        self.new_series: set[Series] = set()

    @property
    def period(self) -> Period:
        """The span of all events."""
        first, last = (EARLIEST + timedelta(microseconds=at) for at in (min(self._earliest), max(self._latest)))
        return Period(first, last + datetime.resolution)

    def touched(self, cells: Iterable[Row]) -> tuple[TouchedUsage, ...]:
        """Return whose usage changed, from cells and their earliest new events."""
        earliest: dict[Owner, datetime] = {}
        for cell, earliest_at, _ in cells:
            owner = self._owners[cell]
            earliest[owner] = min(earliest_at, earliest.get(owner, earliest_at))
        return tuple(TouchedUsage(*owner, earliest_at) for owner, earliest_at in earliest.items())

    def encode(self, chunk: Sequence[MeasuredEvent]) -> dict[str, Any]:
        """Return events as parameters, without the strangers among them."""
        customers = _known_customers(self._uow, {event.customer or "" for _, event, _ in chunk})
        known = [entry for entry in chunk if entry.event.customer in customers]
        if len(known) < len(chunk):
            self.strangers += [(position, event) for position, event, _ in chunk if event.customer not in customers]
        if not known:
            return _NO_EVENTS
        encoded = encode(known, customers, self._hours, first_cell=len(self._owners))
        self.positions += [position for position, _, _ in known]
        self._owners += encoded.owners
        self._earliest.append(encoded.earliest)
        self._latest.append(encoded.latest)
        self.new_series |= missing_series(self._uow, encoded.series)
        return (
            arrays_of_columns("events", EVENT_COLUMNS, encoded.events)
            | column_arrays("cells", CELL_COLUMNS, encoded.cells)
            | column_arrays("cell_series", CELL_SERIES_COLUMNS, encoded.cell_series)
        )


def _known_customers(uow: UnitOfWork, names: set[str]) -> Mapping[str, CustomerId]:
    """Return the ids of those customers, by external id, that are registered."""
    committed = _committed_customers.of(uow)
    known = {name: committed[name] for name in names & committed.keys()}
    if len(known) == len(names):
        return known
    found = customer_ids(uow, names - known.keys())
    _committed_customers.add(uow, found)
    return known | found


_committed_customers: Final = Remembered[str, CustomerId]()
"""Ids of customers by external id. A customer is never taken away and keeps both; the database sees to it."""


class _Statements(NamedTuple):
    """What writes the events of a call, and where it finds them.

    `write_all` takes for granted that none of them was taken before; `write_new` takes the others, after which
    `compare` says of those whether they are the same.
    """

    write_all: str
    write_new: str
    compare: str
    parameters: dict[str, Any]


def _chunks(events: Iterable[MeasuredEvent]) -> Iterator[list[MeasuredEvent]]:
    rest = iter(events)
    while chunk := list(islice(rest, CHUNK_EVENTS)):
        yield chunk


@contextmanager
def _sent(uow: UnitOfWork, arrivals: _Arrivals, chunks: Iterator[list[MeasuredEvent]]) -> Iterator[_Statements]:
    """Yield what finds all events at once: most often there is one chunk, and it goes as parameters."""
    first, second = next(chunks, []), next(chunks, [])
    if not second:
        yield _OF_PARAMETERS._replace(parameters=arrivals.encode(first))
        return
    with ExitStack() as stack:
        stages = {name: stack.enter_context(uow.staged(name, columns, ())) for name, columns in _SETS.items()}
        for chunk in chain((first, second), chunks):
            parameters = arrivals.encode(chunk)
            for name, columns in _SETS.items():
                names = ", ".join(column for column, _ in columns)
                source = f"select {names} from {unnested(name, columns)}"
                uow.execute(f"insert into {stages[name].as_string()} {source}", parameters)
        yield _statements({name: f"{stage.as_string()} as {name}" for name, stage in stages.items()})


_SETS: Final = {"events": EVENT_COLUMNS, "cells": CELL_COLUMNS, "cell_series": CELL_SERIES_COLUMNS}
_NO_EVENTS: Final = {
    key: array for name, columns in _SETS.items() for key, array in column_arrays(name, columns, []).items()
}

# The guard is written in the order of its key, so that two batches that share events wait for each other instead of
# deadlocking, and before any hour, which other batches add to as well. Without a look for conflicts it costs half.
_ALL: Final = """
    counted as materialized (
        select events.*, nextval('tenor.usage_event_ordinals') as ordinal from {events}
    ),
    guarded as (
        insert into usage_identities (tenant_id, identity, content_hash, occurred_at)
        select %(tenant)s, identity, content_hash, occurred_at from counted order by identity
        returning 1
    )
"""

# Of several events with one identity the first is let through.
_NEW: Final = """
    guarded as (
        insert into usage_identities (tenant_id, identity, content_hash, occurred_at)
        select %(tenant)s, identity, content_hash, occurred_at from {events} order by identity, position
        on conflict do nothing
        returning identity
    ),
    counted as materialized (
        select first_sent.*, nextval('tenor.usage_event_ordinals') as ordinal from (
            select first_sent.* from (
                select distinct on (identity) * from {events} where identity in (select identity from guarded)
                order by identity, position
            ) first_sent order by position
        ) first_sent
    )
"""

# Events get their ordinals, and their places, in the order of the batch: about that of time, as their key ascends.
_WRITE: Final = f"""
    with {{guarded}},
    written as (
        insert into usage_events (tenant_id, id, source, event_id, customer_id, subscription_id, metric_code,
                                  occurred_at, value, properties, ordinal, recorded_at)
        select %(tenant)s, id, source, event_id, customer_id, subscription_id, metric_code,
               occurred_at, value, properties, ordinal, %(recorded_at)s
        from counted join {{cells}} using (cell) order by ordinal
    ),
    summed as (
        select cell, count(*) as event_count, sum(value) as total, max(value) as highest, min(value) as lowest,
               min(occurred_at) as earliest_at, max(case when takes_out is not null
                   then array[extract(epoch from occurred_at), ordinal, value, takes_out] end) as latest,
               sum(value * into_hour) as moment, array_agg(position) as positions
        from counted group by cell
    ),
    folded as materialized (
        select series_id, hour, key, sum(event_count)::bigint as event_count, sum(total) as total,
               max(highest) as highest, min(lowest) as lowest, max(latest) as latest, sum(moment) as moment,
               carries = 1 as carries
        from summed join {{cells}} using (cell) join {{cell_series}} using (cell)
        where (select count(*) from guarded) > 0
        group by series_id, hour, key, carries
    ),
    new_series as (
        insert into usage_series
            (tenant_id, id, customer_id, subscription_id, metric_code, dimensions, dimension_values)
        select %(tenant)s, id, customer_id, subscription_id, metric_code, dimensions::text[], dimension_values::text[]
        from {unnested("series", SERIES_COLUMNS)} where id in (select series_id from folded) order by id
        on conflict do nothing
    ),
    {ADD_HOURS}
    select cell, earliest_at, positions from summed
"""

# A statement of its own: it must also see what another transaction committed while the first one waited.
_COMPARE: Final = """
    select events.position, events.content_hash = known.content_hash
    from {events} join usage_identities known using (identity)
    where events.position <> all(%(fresh)s::bigint[])
    order by events.position
"""


def _statements(found: Mapping[str, str]) -> _Statements:
    """Return the statements about what is found in these places."""
    return _Statements(
        _WRITE.format(guarded=_ALL.format(**found), **found),
        _WRITE.format(guarded=_NEW.format(**found), **found),
        _COMPARE.format(**found),
        {},
    )


_OF_PARAMETERS: Final = _statements({name: unnested(name, columns) for name, columns in _SETS.items()})
