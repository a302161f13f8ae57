"""Record usage: keep each event once, and say of every event what became of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from tenor.customers import customer_ids
from tenor.kernel.errors import Malformed, Refusal
from tenor.kernel.ids import CustomerId
from tenor.metering.model import Metric, UsageEvent
from tenor.metering.rules.acceptance import UnacceptableEvent, require_acceptable
from tenor.metering.rules.readings import read
from tenor.metering.store import AcceptedEvent, find_metrics, write_events
from tenor.platform.unit_of_work import UnitOfWork


class Rejection(NamedTuple):
    """An event that was not kept: its place in the batch, the part that is wrong, and why."""

    position: int
    field: str
    reason: str


class TouchedUsage(NamedTuple):
    """Usage that changed: from its earliest new event on, what is owed for it may have changed too."""

    customer_id: CustomerId
    metric_code: str
    earliest_at: datetime


@dataclass(frozen=True, slots=True)
class UsageReceipt:
    """What became of a batch, by the positions of its events; every event is in exactly one of the four."""

    accepted: tuple[int, ...]
    duplicates: tuple[int, ...]
    conflicts: tuple[int, ...]
    rejected: tuple[Rejection, ...]
    touched: tuple[TouchedUsage, ...]


class UsageRefused(Refusal):
    """A batch that was to be kept whole holds an event that cannot be kept; `details` lists each."""

    code = "usage_refused"


def record_usage(uow: UnitOfWork, events: Sequence[UsageEvent], *, now: datetime, strict: bool = False) -> UsageReceipt:
    """Keep the events of a batch that were not kept before.

    The same source and id with the same content is a duplicate and changes nothing; with other content
    it is a conflict, and what was kept first stays. An event whose customer, metric or value is not
    good is rejected and does not keep the others from being taken. `customer` is the external id. A few
    statements whatever the size of the batch; 10,000 events are a good one.

    Raises:
        UsageRefused: `strict`, and an event was rejected or contradicts one that was kept. The
            transaction must not be committed.
    """
    accepted, rejected = _sort_out(uow, events, now)
    written = write_events(uow, accepted)
    if strict and (rejected or written.conflicts):
        raise UsageRefused(
            f"{len(rejected)} of {len(events)} events cannot be kept and {len(written.conflicts)} contradict kept ones",
            rejected=[entry._asdict() for entry in rejected],
            conflicts=list(written.conflicts),
        )
    kept = [entry for entry in accepted if entry.position in written.fresh]
    return UsageReceipt(
        accepted=tuple(entry.position for entry in kept),
        duplicates=written.duplicates,
        conflicts=written.conflicts,
        rejected=tuple(rejected),
        touched=tuple(_touched(kept)),
    )


def _sort_out(
    uow: UnitOfWork, events: Sequence[UsageEvent], now: datetime
) -> tuple[list[AcceptedEvent], list[Rejection]]:
    """Divide a batch into events that may be kept and those that may not, whose names are looked up at once."""
    sound: list[tuple[int, UsageEvent]] = []
    accepted: list[AcceptedEvent] = []
    rejected: list[Rejection] = []
    for position, event in enumerate(events):
        try:
            require_acceptable(event, now=now)
        except UnacceptableEvent as error:
            rejected.append(Rejection(position, error.field, error.message))
        else:
            sound.append((position, event))
    metrics = find_metrics(uow, {event.metric_code for _, event in sound if event.metric_code})
    customers = customer_ids(uow, {event.customer for _, event in sound if event.customer})
    for position, event in sound:
        try:
            accepted.append(_accept(position, event, metrics, customers, now))
        except UnacceptableEvent as error:
            rejected.append(Rejection(position, error.field, error.message))
    return accepted, sorted(rejected)


def _accept(
    position: int,
    event: UsageEvent,
    metrics: Mapping[str, Metric],
    customers: Mapping[str, CustomerId],
    now: datetime,
) -> AcceptedEvent:
    metric = metrics.get(event.metric_code or "")
    if metric is None:
        raise UnacceptableEvent("metric", f"there is no metric {event.metric_code!r}")
    customer_id = customers.get(event.customer or "")
    if customer_id is None:
        raise UnacceptableEvent("customer", f"there is no customer {event.customer!r}")
    try:
        value = read(event, metric).amount
    except Malformed as error:
        raise UnacceptableEvent(metric.field or "", error.message) from None
    return AcceptedEvent(position, event, customer_id, value, now)


def _touched(kept: Sequence[AcceptedEvent]) -> Iterator[TouchedUsage]:
    earliest: dict[tuple[CustomerId, str], datetime] = {}
    for entry in kept:
        key = (entry.customer_id, entry.event.metric_code or "")
        earliest[key] = min(entry.event.occurred_at, earliest.get(key, entry.event.occurred_at))
    for (customer_id, metric_code), instant in earliest.items():
        yield TouchedUsage(customer_id, metric_code, instant)
