"""What a batch writes besides its documents: claims, events, outcomes and positions, as rows."""

from collections.abc import Iterator
from typing import Any, Final

from tenor.invoicing.bill_run.batch import Batch, ItemWork
from tenor.invoicing.bill_run.plan import PlannedRun
from tenor.invoicing.model import Billed, Draft, Key
from tenor.invoicing.rules.dues import next_due_at
from tenor.kernel.ids import ChargeId, InvoiceId, derived_id
from tenor.kernel.period import Period
from tenor.subscriptions import Settled

EVENT_COLUMNS: Final = (
    ("id", "uuid"),
    ("type", "text"),
    ("object_id", "uuid"),
    ("payload", "jsonb"),
    ("occurred_at", "timestamptz"),
    ("recorded_at", "timestamptz"),
)
OUTCOME_COLUMNS: Final = (
    ("run_id", "uuid"),
    ("subscription_id", "uuid"),
    ("outcome", "text"),
    ("document_count", "bigint"),
    ("reason", "text"),
)


def claim_rows(batch: Batch) -> Iterator[tuple[Any, ...]]:
    """Yield the claim of each (charge, period) settled first or anew; rows of `CLAIM_COLUMNS`.

    A first claim of zero is written too: it lets the chain of periods go on, and says that they were looked at.
    """
    for work in batch.each():
        documents = {entry.line.key: draft.id for draft in work.drafts for entry in draft.lines}
        for item in work.items:
            yield from _claims_of(item, batch.billed.get(item.item.id, []), documents)


def _claims_of(item: ItemWork, billed: list[Billed], documents: dict[Key, InvoiceId]) -> Iterator[tuple[Any, ...]]:
    settlements = {(entry.key.charge_id, entry.key.period): entry.settlements for entry in billed}
    claimed: dict[tuple[ChargeId, Period], tuple[int, InvoiceId | None]] = {}
    for due in item.dues:
        slot = (due.charge.id, due.period)
        if slot not in settlements:
            claimed[slot] = (0, None)
    for line in item.lines:
        slot = (line.key.charge_id, line.key.period)
        amount_minor, _ = claimed.get(slot, (0, None))
        claimed[slot] = (amount_minor + line.amount_minor, documents[line.key])
    start = next((phase.starts_at for phase in item.item.phases if phase.is_billable), None)
    for (charge_id, period), (amount_minor, document) in claimed.items():
        done = settlements.get((charge_id, period), 0)
        is_first = start is not None and period.holds(start)
        follows = None if done or is_first else period.start
        yield (
            item.item.id,
            charge_id,
            period.start,
            period.end,
            done + 1,
            done or None,
            follows,
            amount_minor,
            document,
        )


def event_rows(drafts: list[Draft], run: PlannedRun) -> Iterator[tuple[Any, ...]]:
    """Yield the event of each document, rows of `EVENT_COLUMNS`; its id derives from the document's."""
    for draft in drafts:
        payload = {
            "kind": draft.kind.value,
            "customer_id": str(draft.customer_id),
            "subscription_id": str(draft.subscription_id),
            "currency": draft.currency,
            "total_minor": draft.total_minor,
            "due_minor": draft.due_minor,
        }
        event_id = derived_id(run.as_of, draft.id.bytes, b"finalised")
        yield (event_id, f"{draft.kind.value}.finalised", draft.id, payload, draft.issued_at, run.started_at)


def outcome_rows(batch: Batch) -> Iterator[tuple[Any, ...]]:
    """Yield the one outcome of each subscription of the batch, rows of `OUTCOME_COLUMNS`."""
    for work in batch.works:
        outcome = "parked" if work.parked else "invoiced" if work.drafts else "nothing_due"
        yield (batch.run.id, work.subscription.id, outcome, len(work.drafts), work.parked)


def settled_positions(batch: Batch) -> list[Settled]:
    """Return how far each item is settled now; a parked one stays where it is, for the next run to find."""
    as_of = batch.run.as_of
    return [
        Settled(
            work.subscription.id,
            item.item.id,
            as_of,
            next_due_at(item.item, item.plan, work.zone, work.policy.calendar, after=as_of),
        )
        for work in batch.each()
        for item in work.items
    ]
