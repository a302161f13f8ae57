"""The adapter that keeps usage in PostgreSQL: events in monthly partitions, running aggregates beside them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from tenor.metering.model import Part
from tenor.metering.rules.readings import Reading
from tenor.metering.rules.totals import Totals
from tenor.metering.store.amendments import (
    KeptUsage,
    Removal,
    kept_usage,
    placed_usage,
    repair_hours,
    write_corrections,
    write_replacements,
)
from tenor.metering.store.arrivals import Arrival, Before, EventName, arrivals_of, names_of
from tenor.metering.store.hours import prepare_hours
from tenor.metering.store.ingest import MeasuredEvent, Written, write_events
from tenor.metering.store.spans import Asked, Slot, readings_of, totals_of, values_of
from tenor.platform.unit_of_work import UnitOfWork


class PostgresUsage:
    """Usage in the tables of the tenant's own database; see `UsageStore`. A fixed number of statements a call."""

    def take(self, uow: UnitOfWork, events: Iterable[MeasuredEvent], *, recorded_at: datetime) -> Written:
        """See `UsageStore.take`; the running aggregates follow, and partitions are made as needed."""
        return write_events(uow, events, recorded_at=recorded_at)

    def amend(
        self, uow: UnitOfWork, removals: Sequence[Removal], *, recorded_at: datetime, actor: str, reason: str
    ) -> list[KeptUsage]:
        """See `UsageStore.amend`; the hours concerned are added up again."""
        prepare_hours(uow)
        kept = kept_usage(uow, [removal.row_id for removal in removals])
        if len(kept) < len(removals):  # to go on would count the replacement beside what it replaces
            raise LookupError("an event that was taken is not kept under the id that follows from its identity")
        usage = [*kept.values(), *placed_usage(removals)]
        write_corrections(uow, removals, recorded_at=recorded_at, actor=actor, reason=reason)
        write_replacements(uow, removals, recorded_at=recorded_at)
        repair_hours(uow, usage)
        return usage

    def arrivals(self, uow: UnitOfWork, wanted: Sequence[Before], *, recorded_at: datetime) -> list[Arrival]:
        """See `UsageStore.arrivals`."""
        return arrivals_of(uow, wanted, recorded_at=recorded_at)

    def names(self, uow: UnitOfWork, rows: Mapping[UUID, datetime]) -> Mapping[UUID, EventName]:
        """See `UsageStore.names`."""
        return names_of(uow, rows)

    def totals(
        self, uow: UnitOfWork, asked: Sequence[Asked], *, from_events: bool
    ) -> Iterable[tuple[Slot, Part, Totals]]:
        """See `UsageStore.totals`: whole hours (UTC) from the running aggregates, the rest from the events."""
        return totals_of(uow, asked, from_events=from_events)

    def readings(self, uow: UnitOfWork, asked: Sequence[Asked]) -> Iterable[tuple[Slot, Part, Reading]]:
        """See `UsageStore.readings`."""
        return readings_of(uow, asked)

    def values(self, uow: UnitOfWork, asked: Sequence[Asked]) -> Mapping[Slot, list[Decimal]]:
        """See `UsageStore.values`."""
        return values_of(uow, asked)
