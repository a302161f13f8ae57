"""What a batch writes besides its documents: claims, outcomes and positions, as rows."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from tenor.invoicing.bill_run.batch import Batch, ItemWork, Work
from tenor.invoicing.bill_run.plan import PlannedRun
from tenor.invoicing.model import AdjustmentKey, Billed, Key, Slot
from tenor.invoicing.rules.dues import is_early, next_due_at, service_start
from tenor.kernel.ids import ChargeId, InvoiceId, ItemId
from tenor.subscriptions import Settled

OUTCOME_COLUMNS: Final = (
    ("run_id", "uuid"),
    ("subscription_id", "uuid"),
    ("outcome", "text"),
    ("document_count", "bigint"),
    ("reason", "text"),
)


def begins_unbilled(item: ItemWork) -> bool:
    """Whether an item that is settled already begins with time that is not billed.

    Its claims begin with that time, or after it where they were made before such time was claimed too.
    """
    phases = item.item.phases
    return item.position.settled_through is not None and bool(phases) and not phases[0].is_billable


def claim_rows(batch: Batch) -> Iterator[tuple[Any, ...]]:
    """Yield the claim of each (charge, period) settled first or anew; rows of `CLAIM_COLUMNS`.

    A first claim of zero is written too: it lets the chain of periods go on, and says that they were looked at.
    """
    documents = {entry.line.key: draft.id for draft in batch.drafts for entry in draft.lines}
    for work in batch.each():
        for item in work.items:
            begun = batch.begun if begins_unbilled(item) else None
            yield from _claims_of(item, batch.billed.get(item.item.id, []), documents, begun)


def _claims_of(
    item: ItemWork,
    billed: list[Billed],
    documents: Mapping[Key | AdjustmentKey, InvoiceId],
    begun: Mapping[tuple[ItemId, ChargeId], datetime] | None,
) -> Iterator[tuple[Any, ...]]:
    settlements = {entry.key.slot: entry.settlements for entry in billed}
    metered_before = {entry.key.slot: entry.metered_through for entry in billed}
    metered = {(due.charge.id, due.period): due.metered_through for due in item.dues}
    claimed: dict[Slot, tuple[int, InvoiceId | None]] = {}
    for slot, metered_through in metered.items():
        if slot not in settlements or metered_through != metered_before[slot]:
            claimed[slot] = (0, None)
    for line in item.lines:
        if isinstance(line.key, AdjustmentKey):
            continue
        slot = line.key.slot
        amount_minor, _ = claimed.get(slot, (0, None))
        claimed[slot] = (amount_minor + line.amount_minor, documents[line.key])
    firsts = _first_periods(item, claimed, begun)
    for (charge_id, period), (amount_minor, document) in claimed.items():
        done = settlements.get((charge_id, period), 0)
        first = firsts.get(charge_id)
        if not (done or amount_minor) and first is not None and period.start < first:
            continue
        follows = None if done or period.start == first else period.start
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
            metered.get((charge_id, period)),
        )


def _first_periods(
    item: ItemWork,
    claimed: Iterable[Slot],
    begun: Mapping[tuple[ItemId, ChargeId], datetime] | None,
) -> dict[ChargeId, datetime]:
    """Return where the first period begins of the chain of each charge, as far as it can be among those `claimed`.

    It is the one that holds the first instant of the item; with `begun`, the one where the chain has begun.
    """
    start = service_start(item.item)
    firsts: dict[ChargeId, datetime] = {}
    for charge_id, period in claimed:
        if begun is None:
            if start is not None and period.holds(start):
                firsts[charge_id] = period.start
        else:
            known = begun.get((item.item.id, charge_id))
            firsts[charge_id] = known or min(period.start, firsts.get(charge_id, period.start))
    return firsts


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
    next_at = next_due_at(item.item, item.plan, work.zone, work.policy.calendar, after=through, looked_at=item.dues)
    grace = batch.occasion.issued_at - work.through
    bills_early = any(is_early(due, item.look.through) for due in item.dues)
    return Settled(
        work.subscription.id,
        item.item.id,
        through,
        next_at + grace if grace and next_at is not None else next_at,
        metered_through=item.look.metered_through if bills_early else item.position.metered_through,
        revisit_from=_unsettled_news(batch, item),
    )


def _unsettled_news(batch: Batch, item: ItemWork) -> datetime | None:
    """Return from where on news is left of usage that was billed while its period ran, and is held until it is over."""
    since = item.look.revisit_from
    if since is None or not item.held:
        return None
    touched = [
        entry.key.period.start
        for entry in batch.billed.get(item.item.id, ())
        if entry.key.slot in item.held and entry.metered_through is not None and entry.metered_through >= since
    ]
    return max(since, min(touched)) if touched else None
