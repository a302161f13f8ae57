"""Record usage: keep each event once, and say of every event what became of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Final, NamedTuple

from tenor.kernel.errors import Malformed, Refusal
from tenor.metering.home import store_of
from tenor.metering.model import Metric, UsageEvent
from tenor.metering.queries import find_metrics
from tenor.metering.rules.acceptance import UnacceptableEvent, are_acceptable, require_acceptable
from tenor.metering.rules.forms import payload_of
from tenor.metering.rules.readings import part_at_fault, read_amount
from tenor.metering.store.ingest import MeasuredEvent, TouchedUsage
from tenor.metering.store.rejections import Refused, keep_rejections
from tenor.platform.unit_of_work import UnitOfWork

_AT_A_GLANCE: Final = 1_000  # so many events are looked at together; where one is bad, each of them is


class Rejection(NamedTuple):
    """An event that was not kept: its place in the batch, the part that is wrong, and why.

    `payload` is what it said, in the flat form.
    """

    position: int
    field: str
    reason: str
    payload: str


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
    """Keep the events of a batch that were not kept before, and bring the running aggregates up to date.

    The same source and id with the same content is a duplicate and changes nothing; with other content
    it is a conflict, and what was kept first stays. An event whose customer, metric or value is not
    good is rejected, put by for a replay, and does not keep the others from being taken. `customer` is the
    external id. About ten statements whatever the size of the batch; 1,000 events and more are a good one.

    Raises:
        UsageRefused: `strict`, and an event was rejected or contradicts one that was kept. The
            transaction must not be committed.
    """
    receipt = take(uow, enumerate(events), find_metrics(uow), now=now)
    if strict and (receipt.rejected or receipt.conflicts):
        raise UsageRefused(
            f"{len(receipt.rejected)} of {len(events)} events cannot be kept"
            f" and {len(receipt.conflicts)} contradict kept ones",
            rejected=[
                {"position": entry.position, "field": entry.field, "reason": entry.reason} for entry in receipt.rejected
            ],
            conflicts=list(receipt.conflicts),
        )
    keep_rejections(uow, [Refused(entry.payload, entry.field, entry.reason) for entry in receipt.rejected], now=now)
    return receipt


def take(
    uow: UnitOfWork, numbered: Iterable[tuple[int, UsageEvent]], metrics: Mapping[str, Metric], *, now: datetime
) -> UsageReceipt:
    """Keep events that come with a number of their own, however many; puts no rejections by.

    Nothing is asked of the database while they are read.
    """
    rejected: list[Rejection] = []
    written = store_of(uow).take(uow, _measured(numbered, metrics, now, rejected), recorded_at=now)
    rejected += [
        Rejection(position, "customer", f"there is no customer {event.customer!r}", payload_of(event))
        for position, event in written.strangers
    ]
    return UsageReceipt(written.fresh, written.duplicates, written.conflicts, tuple(sorted(rejected)), written.touched)


def _measured(
    numbered: Iterable[tuple[int, UsageEvent]],
    metrics: Mapping[str, Metric],
    now: datetime,
    rejected: list[Rejection],
) -> Iterator[MeasuredEvent]:
    """Yield the sound events; the others are added to `rejected`."""
    rest = iter(numbered)
    while some := list(islice(rest, _AT_A_GLANCE)):
        are_good = are_acceptable([event for _, event in some], now=now)
        for position, event in some:
            try:
                if not are_good:
                    require_acceptable(event, now=now)
                yield MeasuredEvent(position, event, measure(event, metrics))
            except UnacceptableEvent as error:
                rejected.append(Rejection(position, error.field, error.message, payload_of(event)))


def measure(event: UsageEvent, metrics: Mapping[str, Metric]) -> Decimal:
    """Return the number that an event's metric measures.

    Raises:
        UnacceptableEvent: there is no such metric, or the event says nothing that it can use.
    """
    metric = metrics.get(event.metric_code or "")
    if metric is None:
        raise UnacceptableEvent("metric", f"there is no metric {event.metric_code!r}")
    try:
        return read_amount(event, metric)
    except Malformed as error:
        raise UnacceptableEvent(part_at_fault(error, metric), error.message) from None
