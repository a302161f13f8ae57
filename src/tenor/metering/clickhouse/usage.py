"""The adapter that keeps usage in ClickHouse: taken in PostgreSQL, shipped, and read from both as one."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from tenor.catalog.model import Aggregation, Filter
from tenor.kernel.errors import Refusal
from tenor.kernel.ids import CustomerId
from tenor.kernel.period import EARLIEST, Period
from tenor.metering.clickhouse.http import ClickHouse, Parameter, instant_of, instant_text
from tenor.metering.clickhouse.shipments import (
    KeptRow,
    next_ordinals,
    waiting_arrivals,
    waiting_rows,
    waiting_rows_of,
    write_rows,
    write_shipments,
)
from tenor.metering.clickhouse.statements import ROWS, ROWS_OF_IDS, TOTALS
from tenor.metering.model import Part, UsageWindow
from tenor.metering.rules.parts import part_of
from tenor.metering.rules.readings import Reading, property_text
from tenor.metering.rules.totals import Totals, add_up
from tenor.metering.store.amendments import KeptUsage, Removal, placed_usage, write_corrections
from tenor.metering.store.arrivals import Arrival, Before, EventName
from tenor.metering.store.ingest import MeasuredEvent, Written
from tenor.metering.store.spans import Asked, Slot
from tenor.platform.unit_of_work import UnitOfWork

SLOTS_MAX: Final = 100
"""Slots of one statement: ClickHouse bounds the length of a parameter."""

_KEPT_UNTIL: Final = datetime(2200, 1, 1, tzinfo=UTC)  # within what a DateTime64 holds


class UsageMissing(Refusal):
    """An event that was taken, and is neither on its way to ClickHouse nor there: ClickHouse has lost it."""

    code = "usage_missing"


class ClickHouseUsage:
    """Usage in ClickHouse, with what is on its way there read from PostgreSQL; see `UsageStore` and ADR 18.

    Taking an event asks nothing of ClickHouse, so that usage is taken while it is away. Reading and amending do, inside
    of the transaction, and change nothing there.
    """

    def __init__(self, server: ClickHouse) -> None:
        self._server = server

    def take(self, uow: UnitOfWork, events: Iterable[MeasuredEvent], *, recorded_at: datetime) -> Written:
        """See `UsageStore.take`."""
        return write_shipments(uow, events, recorded_at=recorded_at)

    def amend(
        self, uow: UnitOfWork, removals: Sequence[Removal], *, recorded_at: datetime, actor: str, reason: str
    ) -> list[KeptUsage]:
        """See `UsageStore.amend`: each row that counts no longer is sent once more, as removed."""
        out = self._rows_of(uow, [removal.row_id for removal in removals])
        write_corrections(uow, removals, recorded_at=recorded_at, actor=actor, reason=reason)
        put = [removal for removal in removals if removal.replacement is not None]
        placed = [
            _row(uow, removal, ordinal=ordinal, recorded_at=recorded_at)
            for removal, ordinal in zip(put, next_ordinals(uow, len(put)), strict=True)
        ]
        write_rows(uow, [*({**row, "is_removed": 1} for row in out), *placed], recorded_at=recorded_at)
        return [*map(_usage, out), *placed_usage(removals)]

    def arrivals(self, uow: UnitOfWork, wanted: Sequence[Before], *, recorded_at: datetime) -> list[Arrival]:
        """See `UsageStore.arrivals`: what a transaction took still waits while it runs."""
        return waiting_arrivals(uow, wanted, recorded_at=recorded_at)

    def names(self, uow: UnitOfWork, rows: Mapping[UUID, datetime]) -> Mapping[UUID, EventName]:
        """See `UsageStore.names`."""
        found = self._rows_of(uow, list(rows)) if rows else []
        return {UUID(row["id"]): EventName(row["source"], row["event_id"]) for row in found}

    def totals(
        self,
        uow: UnitOfWork,
        asked: Sequence[Asked],
        *,
        from_events: bool,  # noqa: ARG002  part of the port; there is nothing else to answer from
    ) -> Iterator[tuple[Slot, Part, Totals]]:
        """See `UsageStore.totals`. There are no running aggregates here: it is from the events always.

        ClickHouse adds up, but for slots with rows that wait: their events are fetched and added up here.
        """
        waiting = waiting_rows(uow, asked)
        mixed = {row.slot for row in waiting}
        by_slot = {one.slot: one for one in asked}
        readings: defaultdict[tuple[Slot, Part], list[Reading]] = defaultdict(list)
        for slot, part, row in self._rows(uow, [one for one in asked if one.slot in mixed], waiting):
            readings[slot, part].append(_reading(row, by_slot[slot].window))
        for (slot, part), said in readings.items():
            yield slot, part, add_up(said, by_slot[slot].window.metric, by_slot[slot].served)
        alone = [one for one in asked if one.slot not in mixed]
        for slot, pool, values, *numbers in self._ask(uow, TOTALS, alone):
            is_weighted = by_slot[slot].window.metric.aggregation is Aggregation.WEIGHTED_SUM
            yield slot, int(pool) - 1 if int(pool) else tuple(values), _totals(numbers, is_weighted=is_weighted)

    def readings(self, uow: UnitOfWork, asked: Sequence[Asked]) -> Iterator[tuple[Slot, Part, Reading]]:
        """See `UsageStore.readings`."""
        windows = {one.slot: one.window for one in asked}
        for slot, part, row in self._rows(uow, asked, waiting_rows(uow, asked)):
            yield slot, part, _reading(row, windows[slot])

    def values(self, uow: UnitOfWork, asked: Sequence[Asked]) -> dict[Slot, list[Decimal]]:
        """See `UsageStore.values`."""
        found: defaultdict[Slot, list[Decimal]] = defaultdict(list)
        for slot, _, row in self._rows(uow, asked, waiting_rows(uow, asked)):
            found[slot].append(row.value)
        return found

    def _rows(
        self, uow: UnitOfWork, asked: Sequence[Asked], waiting: Iterable[KeptRow]
    ) -> Iterator[tuple[Slot, Part, KeptRow]]:
        """Yield the rows that count, of ClickHouse and of those that wait, by time and then arrival.

        A row may be on both sides, and removed on one of them only: then it is removed. So it does not matter what is
        shipped between the two questions, as long as the rows that wait were asked for first.
        """
        windows = {one.slot: one.window for one in asked}
        known: dict[tuple[Slot, UUID], KeptRow] = {}
        for row in (*waiting, *map(_kept_row, self._ask(uow, ROWS, asked))):
            if row.is_removed or (row.slot, row.id) not in known:
                known[row.slot, row.id] = row
        for row in sorted(known.values(), key=lambda row: (row.occurred_at, row.ordinal)):
            part = None if row.is_removed else part_of(windows[row.slot], row.said)
            if part is not None:
                yield row.slot, part, row

    def _rows_of(self, uow: UnitOfWork, ids: Sequence[UUID]) -> list[dict[str, Any]]:
        """Return these rows as they are kept.

        Raises:
            UsageMissing: one of them is nowhere.
        """
        rows = {UUID(row["id"]): row for row in waiting_rows_of(uow, ids)}
        elsewhere = [row_id for row_id in ids if row_id not in rows]
        if elsewhere:
            rows |= {
                UUID(row["id"]): row for row in self._server.fetch(ROWS_OF_IDS, tenant=uow.tenant_id, ids=elsewhere)
            }
        missing = [row_id for row_id in ids if row_id not in rows]
        if missing:
            raise UsageMissing(f"ClickHouse does not hold {len(missing)} of the events asked for: {missing[0]}, …")
        return [rows[row_id] for row_id in ids]

    def _ask(self, uow: UnitOfWork, statement: str, asked: Sequence[Asked]) -> Iterator[list[Any]]:
        """Yield the rows of a statement, each with its slot; those of one slot are asked for together."""
        slots = list(dict.fromkeys(one.slot for one in asked))
        for first in range(0, len(slots), SLOTS_MAX):
            numbers = {slot: number for number, slot in enumerate(slots[first : first + SLOTS_MAX])}
            spans = [one for one in asked if one.slot in numbers]
            for number, *row in self._server.fetch(
                statement,
                tenant=uow.tenant_id,
                spans=[_span(numbers[one.slot], one) for one in spans],
                usage=sorted({(one.window.metric.code, str(one.window.customer_id)) for one in spans}),
                earliest=min(one.period.start for one in spans),
                latest=min(_KEPT_UNTIL, max(one.period.end for one in spans)),
            ):
                yield [slots[first + int(number)], *row]


def _span(number: int, asked: Asked) -> tuple[Parameter, ...]:
    """Return what is asked as the statements take it."""
    window = asked.window
    places = {name: place for place, name in enumerate(window.kept_dimensions, 1)}

    def placed(conditions: Filter) -> list[Parameter]:
        return [(places[name], list(values), excludes) for name, values, excludes in conditions]

    return (
        number,
        window.customer_id,
        window.subscription_id,
        window.metric.code,
        window.metric.field or "",
        window.metric.aggregation is Aggregation.UNIQUE_COUNT,
        asked.names_keys,
        list(window.kept_dimensions),
        len(window.dimensions),
        placed(window.filter),
        [placed(pool) for pool in window.pools],
        asked.period.start,
        min(_KEPT_UNTIL, asked.period.end),
        Period(EARLIEST, asked.served.start).microseconds,
        Period(EARLIEST, asked.served.end).microseconds,
    )


def _totals(numbers: Sequence[Any], *, is_weighted: bool) -> Totals:
    count, inside_count, total, highest, lowest, latest, active_count, active_keys, area = numbers
    return Totals(
        int(count),
        int(inside_count),
        Decimal(total),
        Decimal(highest),
        Decimal(lowest),
        Decimal(latest),
        int(active_count),
        tuple(active_keys),
        Decimal(area) if is_weighted else None,
    )


def _kept_row(row: Sequence[Any]) -> KeptRow:
    slot, said, row_id, microseconds, ordinal, value, measured, operation, is_removed = row
    return KeptRow(
        slot,
        tuple(said),
        UUID(row_id),
        instant_of(int(microseconds)),
        int(ordinal),
        Decimal(value),
        measured,
        operation,
        is_removed=bool(is_removed),
    )


def _reading(row: KeptRow, window: UsageWindow) -> Reading:
    if window.metric.aggregation is not Aggregation.UNIQUE_COUNT:
        return Reading(row.occurred_at, row.value)
    return Reading(row.occurred_at, row.value, row.measured, removes=row.operation == "remove")


def _usage(row: Mapping[str, Any]) -> KeptUsage:
    occurred_at = datetime.fromisoformat(row["occurred_at"]).replace(tzinfo=UTC)
    return KeptUsage(CustomerId(UUID(row["customer_id"])), row["metric_code"], occurred_at)


def _row(uow: UnitOfWork, removal: Removal, *, ordinal: int, recorded_at: datetime) -> dict[str, object]:
    """Return the row that counts in the place of another one, as ClickHouse keeps it."""
    replacement = removal.replacement
    if replacement is None:
        raise ValueError("a cancelled event has none in its place")
    event, customer_id, value = replacement
    texts = {name: property_text(said) for name, said in event.properties.items()}
    return {
        "tenant_id": uow.tenant_id,
        "metric_code": event.metric_code,
        "customer_id": customer_id,
        "occurred_at": instant_text(event.occurred_at),
        "id": removal.replacement_id,
        "source": event.source,
        "event_id": event.event_id,
        "subscription_id": event.subscription_id,
        "value": str(value),
        "properties": {name: text for name, text in texts.items() if text is not None},
        "ordinal": ordinal,
        "recorded_at": instant_text(recorded_at),
        "is_removed": 0,
    }
