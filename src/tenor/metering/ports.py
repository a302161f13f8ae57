"""The port of usage stores: where the events of a tenant are kept and added up."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from tenor.metering.model import Part
from tenor.metering.rules.readings import Reading
from tenor.metering.rules.totals import Totals
from tenor.metering.store.amendments import KeptUsage, Removal
from tenor.metering.store.arrivals import Arrival, Before, EventName
from tenor.metering.store.ingest import MeasuredEvent, Written
from tenor.metering.store.spans import Asked, Slot
from tenor.platform.unit_of_work import UnitOfWork


class UsageStore(Protocol):
    """Keeps the events of a tenant. Two adapters: `PostgresUsage`, and `ClickHouseUsage` for one that was relocated.

    In both of them PostgreSQL decides. Identities, amendments and rejections stand there; what a call writes holds
    from the commit of `uow` on and not before, and is seen by whatever `uow` reads after it.
    """

    def take(self, uow: UnitOfWork, events: Iterable[MeasuredEvent], *, recorded_at: datetime) -> Written:
        """Keep those events whose (source, event id) was never taken before, and say what became of the others.

        Of several in one call the first counts. Reading `events` must ask nothing of the database.
        """
        ...

    def amend(
        self, uow: UnitOfWork, removals: Sequence[Removal], *, recorded_at: datetime, actor: str, reason: str
    ) -> list[KeptUsage]:
        """Have rows count no longer, and others in their place; return the usage that was taken out and put in.

        Only under `lock_hours`, which the caller takes before it decides what to amend.
        """
        ...

    def arrivals(self, uow: UnitOfWork, wanted: Sequence[Before], *, recorded_at: datetime) -> list[Arrival]:
        """Return the events that `uow` itself took at `recorded_at`, of times before those wanted, as they came."""
        ...

    def names(self, uow: UnitOfWork, rows: Mapping[UUID, datetime]) -> Mapping[UUID, EventName]:
        """Return what the senders call the events of these rows, which are given with their times of use."""
        ...

    def totals(
        self, uow: UnitOfWork, asked: Sequence[Asked], *, from_events: bool
    ) -> Iterable[tuple[Slot, Part, Totals]]:
        """Return what the events that count come to, with `from_events` from nothing but the events themselves.

        A part of which nothing was used is left out.
        """
        ...

    def readings(self, uow: UnitOfWork, asked: Sequence[Asked]) -> Iterable[tuple[Slot, Part, Reading]]:
        """Return what each event that counts says, those of a slot by time and then arrival."""
        ...

    def values(self, uow: UnitOfWork, asked: Sequence[Asked]) -> Mapping[Slot, list[Decimal]]:
        """Return what each event that counts measured, by time and then arrival."""
        ...
