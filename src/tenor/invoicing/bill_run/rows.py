"""What a batch writes besides its documents: claims, outcomes and positions, as rows."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tenor.invoicing.bill_run.batch import Batch, ItemWork, Work
from tenor.invoicing.bill_run.plan import PlannedRun
from tenor.invoicing.model import AdjustmentKey, Billed, Key
from tenor.invoicing.rules.dues import next_due_at, service_start
from tenor.kernel.ids import ChargeId, InvoiceId
from tenor.kernel.period import Period
from tenor.subscriptions import Settled

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
    documents = {entry.line.key: draft.id for draft in batch.drafts for entry in draft.lines}
    for work in batch.each():
        for item in work.items:
            yield from _claims_of(item, batch.billed.get(item.item.id, []), documents)


def _claims_of(
    item: ItemWork, billed: list[Billed], documents: Mapping[Key | AdjustmentKey, InvoiceId]
) -> Iterator[tuple[Any, ...]]:
    settlements = {(entry.key.charge_id, entry.key.period): entry.settlements for entry in billed}
    claimed: dict[tuple[ChargeId, Period], tuple[int, InvoiceId | None]] = {}
    for due in item.dues:
        slot = (due.charge.id, due.period)
        if slot not in settlements:
            claimed[slot] = (0, None)
    for line in item.lines:
        if isinstance(line.key, AdjustmentKey):
            continue
        slot = (line.key.charge_id, line.key.period)
        amount_minor, _ = claimed.get(slot, (0, None))
        claimed[slot] = (amount_minor + line.amount_minor, documents[line.key])
    start = service_start(item.item)
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


def outcome_rows(batch: Batch, run: PlannedRun) -> Iterator[tuple[Any, ...]]:
    """Yield the one outcome of each subscription of the batch, rows of `OUTCOME_COLUMNS`."""
    documents = Counter(
        subscription_id
        for draft in batch.drafts
        for subscription_id in {entry.line.subscription_id for entry in draft.lines}
    )
    for work in batch.works:
        count = documents[work.subscription.id]
        outcome = "parked" if work.parked else "invoiced" if count else "nothing_due"
        yield (run.id, work.subscription.id, outcome, count, work.parked)


def settled_positions(batch: Batch) -> list[Settled]:
    """Return how far each item is settled now; a parked one stays where it is, for the next run to find.

    What falls due next is looked at when its draft has been open for as long as the customer's are.
    """
    return [_settled(batch, work, item) for work in batch.each() for item in work.items]


def _settled(batch: Batch, work: Work, item: ItemWork) -> Settled:
    before = item.position.settled_through
    through = work.through if before is None else max(before, work.through)
    next_at = next_due_at(item.item, item.plan, work.zone, work.policy.calendar, after=through)
    grace = batch.occasion.issued_at - work.through
    return Settled(
        work.subscription.id, item.item.id, through, next_at + grace if grace and next_at is not None else next_at
    )
