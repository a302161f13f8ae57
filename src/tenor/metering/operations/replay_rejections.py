"""Replay rejections: try again to take events that could not be taken, once what was wrong is put right."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from tenor.metering.model import UsageEvent
from tenor.metering.operations.record_usage import take
from tenor.metering.queries import find_metrics
from tenor.metering.rules.forms import ReadingTerms, read_events
from tenor.metering.store.ingest import TouchedUsage
from tenor.metering.store.rejections import refresh_reasons, settle_rejections, usage_rejections
from tenor.platform.unit_of_work import UnitOfWork

REPLAYED_MAX: Final = 100_000
"""Rejections of one call: what they said is held in memory."""


@dataclass(frozen=True, slots=True)
class ReplayReceipt:
    """How many rejections a replay took, found taken, and could still not take; and the usage that changed."""

    accepted: int
    duplicates: int
    still_rejected: int
    touched: tuple[TouchedUsage, ...]


def replay_rejections(
    uow: UnitOfWork, *, now: datetime, ids: Collection[UUID] = (), limit: int = REPLAYED_MAX
) -> ReplayReceipt:
    """Read the oldest open rejections again, or those of `ids`, and take what can be taken now.

    What is taken, or was taken meanwhile, is settled; of the others the reason is renewed.
    """
    kept = usage_rejections(uow, limit=min(limit, REPLAYED_MAX), ids=ids)
    metrics = find_metrics(uow)
    terms = ReadingTerms(metrics, default_source="")
    readable: dict[int, UsageEvent] = {}
    failed: list[tuple[UUID, str, str]] = []
    for position, entry in enumerate(kept):
        (found,) = read_events(entry.payload.encode(), terms)[:1] or (None,)
        if isinstance(found, UsageEvent):
            readable[position] = found
        elif found is not None:
            failed.append((entry.id, found.field, found.reason))
    receipt = take(uow, readable.items(), metrics, now=now)
    failed += [(kept[entry.position].id, entry.field, entry.reason) for entry in receipt.rejected]
    failed += [(kept[place].id, "event_id", "this id was kept with another content") for place in receipt.conflicts]
    settle_rejections(uow, [kept[place].id for place in (*receipt.accepted, *receipt.duplicates)], now=now)
    refresh_reasons(uow, failed)
    return ReplayReceipt(len(receipt.accepted), len(receipt.duplicates), len(failed), receipt.touched)
