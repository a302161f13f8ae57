"""The ten stages of the bill run, in order. Each takes the batch one step further; none asks per subscription.

`select` locks what the batch is about, `load` and `meter` read it in a constant number of statements, `rate`
to `tax` are pure, `credit` and `finalise` write. The pure stages call the functions that `owed` and `settle`
are made of, so that a run, a preview and a proof cannot disagree.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from tenor.customers import tax_percent_of
from tenor.invoicing.bill_run.plan import PlannedRun
from tenor.invoicing.model import Billed, DocumentKind, Draft, Key, Line, Owed
from tenor.invoicing.rules.documents import Party, draft_documents, transfers_of
from tenor.invoicing.rules.dues import Due, Look, dues, newest_due_at, next_due_at, with_corrections_due
from tenor.invoicing.rules.owed import PriceMemory, Rating, UsageKey, commit_ratings, discount_ratings, rate_dues
from tenor.invoicing.rules.settle import settle
from tenor.invoicing.store import INVOICE_COLUMNS, invoice_row, read_billed, take_numbers, write_drafts
from tenor.invoicing.usage import UsageRequest, read_usage
from tenor.kernel.calendar import parse_zone
from tenor.kernel.errors import Conflict, Refusal
from tenor.kernel.ids import ChargeId, InvoiceId, PlanVersionId, SubscriptionId, derived_id
from tenor.kernel.period import Period
from tenor.ledger import customer_credits, move_customer_credits, open_accounts, write_transfers
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import plan_versions
from tenor.pricing.model import PlanVersion
from tenor.pricing.policy import Policy, profile
from tenor.pricing.rules.rating import Usage
from tenor.subscriptions import (
    BillingPosition,
    Item,
    Settled,
    Subscription,
    due_subscriptions,
    load_items,
    lock_positions,
    save_positions,
)

SERIES: Final = {DocumentKind.INVOICE: "INV", DocumentKind.CREDIT_NOTE: "CN"}
"""The number series of each kind of document."""


class BatchOutOfTurn(Conflict):
    """A batch that must be done again: the one before it did not finish, or moved the same credit."""

    code = "batch_out_of_turn"


@dataclass(slots=True)
class ItemWork:
    """One item on its way through the stages."""

    item: Item
    position: BillingPosition
    plan: PlanVersion
    dues: list[Due] = field(default_factory=list)
    ratings: list[Rating] = field(default_factory=list)
    owed: list[Owed] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


@dataclass(slots=True)
class Work:
    """One subscription on its way through the stages. `parked` says why it had to be left for a person."""

    subscription: Subscription
    tax_percent: Decimal
    zone: tzinfo
    policy: Policy
    items: list[ItemWork]
    drafts: list[Draft] = field(default_factory=list)
    parked: str | None = None

    @property
    def settled_through(self) -> datetime | None:
        """How far any item of it is settled: what fell due before is a correction, also of an item that is new."""
        settled = [item.position.settled_through for item in self.items if item.position.settled_through is not None]
        return max(settled, default=None)

    def newest_due_at(self, through: datetime) -> datetime:
        """Return the instant of the newest document, which carries what corrects earlier ones.

        Newest of all items: what a change of plan gives back of one stands beside what it charges for the next.
        """
        every = (due for item in self.items for due in item.dues)
        return newest_due_at(every, through=through, settled_through=self.settled_through)

    @property
    def lines(self) -> list[Line]:
        """The lines of all items."""
        return [line for item in self.items for line in item.lines]


@dataclass(slots=True)
class Memory:
    """What one worker keeps from batch to batch, also when one is rolled back: plan versions and worked-out prices."""

    plans: dict[PlanVersionId, PlanVersion] = field(default_factory=dict)
    prices: dict[tuple[str, str], PriceMemory] = field(default_factory=dict)

    def prices_of(self, policy: Policy, currency: str) -> PriceMemory:
        """Return the prices worked out so far under a policy in a currency."""
        key = (policy.name, currency)
        if key not in self.prices:
            self.prices[key] = PriceMemory(policy, currency=currency)
        return self.prices[key]


@dataclass(slots=True)
class Batch:
    """One batch: its run, its number, the subscriptions it is about, and their work."""

    run: PlannedRun
    number: int
    memory: Memory
    subscription_ids: list[SubscriptionId] = field(default_factory=list)
    works: list[Work] = field(default_factory=list)
    usage: dict[UsageKey, Usage] = field(default_factory=dict)
    billed: dict[UUID, list[Billed]] = field(default_factory=dict)
    credit_before_minor: dict[tuple[UUID, str], int] = field(default_factory=dict)
    credit_moved_minor: dict[tuple[UUID, str], int] = field(default_factory=dict)

    @property
    def drafts(self) -> list[Draft]:
        """Every document of the batch, in the order in which numbers are taken."""
        return [draft for work in self.works for draft in work.drafts]

    def each(self) -> Iterator[Work]:
        """Yield the works that are not parked."""
        return (work for work in self.works if work.parked is None)


def select(uow: UnitOfWork, batch: Batch) -> None:
    """Lock the billing positions of the batch's subscriptions that are due, so that no change slips in between."""
    first, last = uow.fetch_one(
        "select first_subscription_id, last_subscription_id from bill_run_batches where run_id = %s and batch_no = %s",
        [batch.run.id, batch.number],
    ) or (None, None)
    batch.subscription_ids = due_subscriptions(uow, batch.run.as_of, first=first, last=last)
    lock_positions(uow, batch.subscription_ids)


def load(uow: UnitOfWork, batch: Batch) -> None:
    """Read the subscriptions with their timelines, the plan versions not known yet, and what is due of each."""
    standings = load_items(uow, batch.subscription_ids)
    tax_percents = tax_percent_of(uow, {standing.subscription.customer_id for standing in standings})
    missing = {item.plan_version_id for standing in standings for item in standing.items} - batch.memory.plans.keys()
    if missing:
        batch.memory.plans.update(plan_versions(uow, sorted(missing)))
    for standing in standings:
        subscription = standing.subscription
        work = Work(
            subscription=subscription,
            tax_percent=tax_percents[subscription.customer_id],
            zone=parse_zone(subscription.timezone),
            policy=profile(subscription.profile),
            items=[
                ItemWork(item, position, batch.memory.plans[item.plan_version_id])
                for item, position in zip(standing.items, standing.positions, strict=True)
            ],
        )
        batch.works.append(work)
        with _parking(work):
            for item in work.items:
                look = _look(item.position, batch.run.as_of)
                item.dues = dues(item.item, item.plan, look, work.zone, work.policy.calendar)
            newest = work.newest_due_at(batch.run.as_of)
            for item in work.items:
                item.dues = with_corrections_due(item.dues, newest, settled_through=work.settled_through)
    batch.billed = read_billed(uow, _settled_before(batch))


def meter(uow: UnitOfWork, batch: Batch) -> None:
    """Read the usage of every usage charge that is due, all windows in one statement."""
    batch.usage = read_usage(
        uow,
        [
            UsageRequest(work.subscription, item.item, due, work.zone, work.policy)
            for work in batch.each()
            for item in work.items
            for due in item.dues
            if due.charge.metric is not None
        ],
    )


def rate(_uow: UnitOfWork, batch: Batch) -> None:
    """Price every due, exactly."""
    for work in batch.each():
        prices = batch.memory.prices_of(work.policy, work.subscription.currency)
        with _parking(work):
            for item in work.items:
                item.ratings = rate_dues(item.item, item.dues, batch.usage, prices, work.zone)


def discount(_uow: UnitOfWork, batch: Batch) -> None:
    """Take each item's discount off its ratings."""
    for work in batch.each():
        for item in work.items:
            item.ratings = discount_ratings(item.ratings, item.item.discount_percent)


def commit(_uow: UnitOfWork, batch: Batch) -> None:
    """Round once per key, and true up commitments: now it is known what is owed."""
    for work in batch.each():
        prices = batch.memory.prices_of(work.policy, work.subscription.currency)
        with _parking(work):
            for item in work.items:
                item.owed = commit_ratings(item.item, item.ratings, item.dues, prices, work.zone)


def settle_batch(_uow: UnitOfWork, batch: Batch) -> None:
    """Turn what is owed into lines: the difference to what has been billed."""
    for work in batch.each():
        with _parking(work):
            newest = work.newest_due_at(batch.run.as_of)
            for item in work.items:
                look = _look(item.position, batch.run.as_of)
                billed = _in_scope(batch.billed.get(item.item.id, []), item, look)
                item.lines = settle(item.owed, billed, now=newest)


def tax(_uow: UnitOfWork, batch: Batch) -> None:
    """Make documents of the lines, with the tax of each line."""
    for work in batch.each():
        lines = work.lines
        if not lines:
            continue
        subscription = work.subscription
        party = Party(
            customer_id=subscription.customer_id,
            subscription_id=subscription.id,
            currency=subscription.currency,
            tax_mode=work.items[0].plan.tax_mode,
            tax_percent=work.tax_percent,
        )
        with _parking(work):
            work.drafts = draft_documents(lines, party, run_id=batch.run.id, issued_at=batch.run.as_of)


def credit(uow: UnitOfWork, batch: Batch) -> None:
    """Draw customers' credit for what is to be paid, oldest document first; credit notes add to it.

    A subscription's credit notes come before its invoices: nobody is asked for what the same run gives back.
    """
    batch.credit_before_minor = _credits(uow, batch)
    available = dict(batch.credit_before_minor)
    for work in batch.each():
        for position, draft in sorted(
            enumerate(work.drafts), key=lambda placed: placed[1].kind is DocumentKind.INVOICE
        ):
            account = (draft.customer_id, draft.currency)
            drawn = min(available.get(account, 0), max(0, draft.total_minor))
            if drawn:
                work.drafts[position] = replace(draft, credit_applied_minor=drawn)
            change = -drawn if draft.kind is DocumentKind.INVOICE else -draft.total_minor
            if change:
                available[account] = available.get(account, 0) + change
                batch.credit_moved_minor[account] = batch.credit_moved_minor.get(account, 0) + change


def finalise(uow: UnitOfWork, batch: Batch) -> None:
    """Write everything: lines, claims, transfers and outcomes first; then, in turn, numbers and documents.

    Waiting for the batch before this one only now lets workers rate and write side by side, and still
    gives numbers in the order of batches.

    Raises:
        BatchOutOfTurn: the batch before this one did not finish, or a credit that was looked at has moved.
        CreditGone: the same, at the very end. After either, begin this batch again.
    """
    drafts = batch.drafts
    accounts = open_accounts(uow, {draft.currency for draft in drafts})
    write_drafts(uow, drafts, _claim_rows(batch))
    write_transfers(uow, [transfer for draft in drafts for transfer in transfers_of(draft)], accounts)
    uow.copy_rows("outbox_events", _EVENT_COLUMNS, _event_rows(drafts, batch.run))
    uow.copy_rows("bill_run_items", _OUTCOME_COLUMNS, _outcome_rows(batch))
    save_positions(uow, _settled(batch))
    _wait_for_turn(uow, batch)
    if _credits(uow, batch) != batch.credit_before_minor:
        raise BatchOutOfTurn(f"a credit that batch {batch.number} looked at has moved")
    move_customer_credits(uow, batch.credit_moved_minor)
    counts = {series: sum(SERIES[draft.kind] == series for draft in drafts) for series in SERIES.values()}
    numbers = take_numbers(uow, counts)
    rows = []
    for draft in drafts:
        series = SERIES[draft.kind]
        rows.append(invoice_row(draft, series, numbers[series]))
        numbers[series] += 1
    uow.copy_rows("invoices", INVOICE_COLUMNS, rows)


Stage = Callable[[UnitOfWork, Batch], None]

STAGES: Final[tuple[tuple[str, Stage], ...]] = (
    ("select", select),
    ("load", load),
    ("meter", meter),
    ("rate", rate),
    ("discount", discount),
    ("commit", commit),
    ("settle", settle_batch),
    ("tax", tax),
    ("credit", credit),
    ("finalise", finalise),
)

_EVENT_COLUMNS: Final = (
    ("id", "uuid"),
    ("type", "text"),
    ("object_id", "uuid"),
    ("payload", "jsonb"),
    ("occurred_at", "timestamptz"),
    ("recorded_at", "timestamptz"),
)
_OUTCOME_COLUMNS: Final = (
    ("run_id", "uuid"),
    ("subscription_id", "uuid"),
    ("outcome", "text"),
    ("document_count", "bigint"),
    ("reason", "text"),
)


@contextmanager
def _parking(work: Work) -> Iterator[None]:
    """Park a subscription that a rule refuses instead of stopping the run; a person must look at it."""
    try:
        yield
    except Refusal as refusal:
        work.parked = f"{refusal.code}: {refusal.message}"
        work.drafts = []


def _look(position: BillingPosition, as_of: datetime) -> Look:
    return Look(through=as_of, settled_through=position.settled_through, revisit_from=position.revisit_from)


def _settled_before(batch: Batch) -> dict[UUID, datetime]:
    """Return the items of which earlier settlements must be read, and from where on."""
    since: dict[UUID, datetime] = {}
    for work in batch.each():
        for item in work.items:
            instants = [due.period.start for due in item.dues if due.is_settled]
            if item.position.settled_through is not None and item.position.revisit_from is not None:
                instants.append(item.position.revisit_from)
            if instants:
                since[item.item.id] = min(instants)
    return since


def _in_scope(billed: list[Billed], item: ItemWork, look: Look) -> list[Billed]:
    """Return what was billed for the keys that this settlement is about.

    Those are the keys that are owed, and those that news has touched: of these the ones that are not
    owed any more are given back. In the order of what is owed, because the database reads them in none.
    """
    keys = {(due.charge.id, due.period) for due in item.dues}
    places = {charge.id: place for place, charge in enumerate(item.plan.charges)}
    in_scope = [
        entry
        for entry in billed
        if (entry.key.charge_id, entry.key.period) in keys
        or (look.revisit_from is not None and entry.key.period.end > look.revisit_from)
    ]
    return sorted(in_scope, key=lambda entry: (places[entry.key.charge_id], entry.key.period, entry.key.dimension))


def _credits(uow: UnitOfWork, batch: Batch) -> dict[tuple[UUID, str], int]:
    return customer_credits(uow, list({draft.customer_id for draft in batch.drafts}))


def _claim_rows(batch: Batch) -> Iterator[tuple[Any, ...]]:
    """Yield a claim for each (charge, period) that is settled for the first time, or by another amount.

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


def _event_rows(drafts: list[Draft], run: PlannedRun) -> Iterator[tuple[Any, ...]]:
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


def _outcome_rows(batch: Batch) -> Iterator[tuple[Any, ...]]:
    for work in batch.works:
        outcome = "parked" if work.parked else "invoiced" if work.drafts else "nothing_due"
        yield (batch.run.id, work.subscription.id, outcome, len(work.drafts), work.parked)


def _settled(batch: Batch) -> list[Settled]:
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


def _wait_for_turn(uow: UnitOfWork, batch: Batch) -> None:
    """Wait until the batch before this one has ended: its row is locked by the transaction that works on it."""
    if batch.number == 1:
        return
    row = uow.fetch_one(
        "select finished_at from bill_run_batches where run_id = %s and batch_no = %s for share",
        [batch.run.id, batch.number - 1],
    )
    if row is None or row[0] is None:
        raise BatchOutOfTurn(
            f"batch {batch.number - 1} did not finish; batch {batch.number} takes its place in the row"
        )
