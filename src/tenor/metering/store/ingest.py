"""Events on their way in: guarded, kept and added up by one statement, whatever their number."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Any, Final, NamedTuple

from tenor.customers import customer_ids
from tenor.kernel.ids import CustomerId
from tenor.kernel.period import EARLIEST, Period
from tenor.metering.model import UsageEvent
from tenor.metering.rules.series import MetricHours, Series
from tenor.metering.store.encoding import CELL_COLUMNS, EVENT_COLUMNS, MeasuredEvent, Owner, encode
from tenor.metering.store.hours import ADD_HOURS, kept_hours, prepare_hours
from tenor.metering.store.series import SERIES_COLUMNS, missing_series, series_arrays
from tenor.platform.arrays import column_arrays, unnested
from tenor.platform.partitions import prepare_partitions
from tenor.platform.unit_of_work import Row, UnitOfWork

__all__ = ["MeasuredEvent", "TouchedUsage", "Written", "write_events"]

CHUNK_EVENTS: Final = 10_000
"""So many events are parameters of the statement that writes them; more of them are staged for it."""

_GUARDED: Final = ("position", "identity", "content_hash", "occurred_at")


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
        prepare_partitions(uow, "usage_events", arrivals.period)
        parameters = {
            **sent.parameters,
            **series_arrays(arrivals.new_series),
            "tenant": uow.tenant_id,
            "recorded_at": recorded_at,
            "count": len(arrivals.positions),
        }
        ((new_identities,),) = uow.fetch_all(sent.guard, parameters)
        if new_identities is None:
            fresh, known = arrivals.positions, []
            touched = uow.fetch_all(sent.write_all, parameters)
        else:
            parameters["new_identities"] = new_identities
            touched = uow.fetch_all(sent.write_new, parameters)
            answers = uow.fetch_all(sent.answers, parameters)
            fresh = [position for position, is_new, _ in answers if is_new]
            known = [(position, is_same) for position, is_new, is_same in answers if not is_new]
    return Written(
        fresh=tuple(fresh),
        duplicates=tuple(position for position, is_same in known if is_same),
        conflicts=tuple(position for position, is_same in known if not is_same),
        strangers=tuple(arrivals.strangers),
        touched=arrivals.touched(touched),
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
        for cell, earliest_at in cells:
            owner = self._owners[cell]
            earliest[owner] = min(earliest_at, earliest.get(owner, earliest_at))
        return tuple(TouchedUsage(*owner, earliest_at) for owner, earliest_at in earliest.items())

    def encode(self, chunk: Sequence[MeasuredEvent]) -> dict[str, Any]:
        """Return events as parameters, without the strangers among them."""
        customers = customer_ids(self._uow, {event.customer or "" for _, event, _ in chunk})
        known = [entry for entry in chunk if entry.event.customer in customers]
        if len(known) < len(chunk):
            self.strangers += [(position, event) for position, event, _ in chunk if event.customer not in customers]
        encoded = encode(known, customers, self._hours, first_cell=len(self._owners))
        if known:
            self.positions += [position for position, _, _ in known]
            self._owners += encoded.owners
            self._earliest.append(encoded.earliest)
            self._latest.append(encoded.latest)
            self.new_series |= missing_series(self._uow, encoded.series)
        return column_arrays("events", EVENT_COLUMNS, encoded.events) | column_arrays(
            "cells", CELL_COLUMNS, encoded.cells
        )


class _Sent(NamedTuple):
    """Statements about the events of a call, and the parameters in which they find them."""

    guard: str
    write_all: str
    write_new: str
    answers: str
    parameters: dict[str, Any]


def _chunks(events: Iterable[MeasuredEvent]) -> Iterator[list[MeasuredEvent]]:
    rest = iter(events)
    while chunk := list(islice(rest, CHUNK_EVENTS)):
        yield chunk


@contextmanager
def _sent(uow: UnitOfWork, arrivals: _Arrivals, chunks: Iterator[list[MeasuredEvent]]) -> Iterator[_Sent]:
    """Yield what finds all events at once: most often there is one chunk, and it goes as parameters."""
    first, second = next(chunks, []), next(chunks, [])
    if not second:
        yield _IN_PARAMETERS._replace(parameters=arrivals.encode(first))
        return
    with uow.staged("usage_events", EVENT_COLUMNS, ()) as events, uow.staged("usage_cells", CELL_COLUMNS, ()) as cells:
        for chunk in chain((first, second), chunks):
            parameters = arrivals.encode(chunk)
            for stage, name, columns in ((events, "events", EVENT_COLUMNS), (cells, "cells", CELL_COLUMNS)):
                names = ", ".join(column for column, _ in columns)
                uow.execute(
                    f"insert into {stage.as_string()} select {names} from {unnested(name, columns)}", parameters
                )
        found = f"{events.as_string()} as events"
        yield _statements(found, found, f"{cells.as_string()} as cells", {})


# Written in the order of its key, so that two batches that share events wait for each other instead of deadlocking.
# Of two events with one identity the first is let through. Which ones are new is told when not all of them are.
_GUARD: Final = """
    with taken as (
        insert into usage_identities (tenant_id, identity, content_hash, occurred_at)
        select %(tenant)s, identity, content_hash, occurred_at from {guarded} order by identity, position
        on conflict do nothing
        returning identity
    )
    select case when count(*) < %(count)s then coalesce(array_agg(identity), '{{}}') end from taken
"""

_NEW: Final = """(
    select first_sent.* from (
        select distinct on (identity) * from {events} where identity in (select unnest(%(new_identities)s::bytea[]))
        order by identity, position
    ) first_sent order by position
) events"""

# Events get their ordinals in the order of the batch.
_WRITE: Final = f"""
    with counted as materialized (
        select events.*, nextval('tenor.usage_event_ordinals') as ordinal from {{events}}
    ),
    written as (
        insert into usage_events (tenant_id, id, source, event_id, customer_id, subscription_id, metric_code,
                                  occurred_at, value, properties, ordinal, recorded_at)
        select %(tenant)s, id, source, event_id, customer_id, subscription_id, metric_code,
               occurred_at, value, properties, ordinal, %(recorded_at)s
        from counted
    ),
    summed as (
        select cell, count(*) as event_count, sum(value) as total, max(value) as highest, min(value) as lowest,
               min(occurred_at) as earliest_at, max(case when takes_out is not null
                   then array[extract(epoch from occurred_at), ordinal, value, takes_out] end) as latest,
               sum(value * into_hour) as moment
        from counted group by cell
    ),
    folded as materialized (
        select series_id, hour, key, sum(event_count)::bigint as event_count, sum(total) as total,
               max(highest) as highest, min(lowest) as lowest, max(latest) as latest, sum(moment) as moment,
               carries = 1 as carries
        from summed join {{cells}} using (cell) group by series_id, hour, key, carries
    ),
    new_series as (
        insert into usage_series
            (tenant_id, id, customer_id, subscription_id, metric_code, dimensions, dimension_values)
        select %(tenant)s, id, customer_id, subscription_id, metric_code, dimensions::text[], dimension_values::text[]
        from {unnested("series", SERIES_COLUMNS)} where id in (select series_id from folded) order by id
        on conflict do nothing
    ),
    {ADD_HOURS}
    select cell, earliest_at from summed
"""

# A statement of its own: it must also see what another transaction committed while the first one waited.
_ANSWERS: Final = """
    select events.position, events.position is not distinct from first_sent.position,
           events.content_hash = known.content_hash
    from {events} join usage_identities known using (identity)
        left join (select identity, position from {new}) first_sent using (identity)
    order by events.position
"""


def _statements(events: str, guarded: str, cells: str, parameters: dict[str, Any]) -> _Sent:
    """Return the statements about events and cells that are found in these places."""
    return _Sent(
        _GUARD.format(guarded=guarded),
        _WRITE.format(events=events, cells=cells),
        _WRITE.format(events=_NEW.format(events=events), cells=cells),
        _ANSWERS.format(events=events, new=_NEW.format(events=events)),
        parameters,
    )


_IN_PARAMETERS: Final = _statements(
    unnested("events", EVENT_COLUMNS),
    unnested("events", [column for column in EVENT_COLUMNS if column[0] in _GUARDED]),
    unnested("cells", CELL_COLUMNS),
    {},
)
