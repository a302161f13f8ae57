"""The ten stages of the bill run, in order. Each takes the batch one step further; none asks per subscription.

`select` locks what the batch is about, `load` and `meter` read it in a constant number of statements, `rate`
to `tax` are pure, `credit` and `finalise` write. The pure stages call the functions that `owed` and `settle`
are made of, so that a run, a preview and a proof cannot disagree.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from tenor.customers import tax_percent_of
from tenor.invoicing.bill_run.batch import Batch, ItemWork, Work
from tenor.invoicing.bill_run.rows import (
    EVENT_COLUMNS,
    OUTCOME_COLUMNS,
    claim_rows,
    event_rows,
    outcome_rows,
    settled_positions,
)
from tenor.invoicing.model import Billed, DocumentKind
from tenor.invoicing.rules.documents import Party, draft_documents, transfers_of
from tenor.invoicing.rules.dues import Look, dues, with_corrections_due
from tenor.invoicing.rules.owed import commit_ratings, discount_ratings, rate_dues
from tenor.invoicing.rules.settle import settle
from tenor.invoicing.store import INVOICE_COLUMNS, invoice_row, read_billed, take_numbers, write_drafts
from tenor.invoicing.usage import UsageRequest, read_usage
from tenor.kernel.calendar import parse_zone
from tenor.kernel.errors import Conflict, Refusal
from tenor.ledger import customer_credits, move_customer_credits, open_accounts, write_transfers
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import plan_versions
from tenor.pricing.policy import profile
from tenor.subscriptions import (
    BillingPosition,
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
    write_drafts(uow, drafts, claim_rows(batch))
    write_transfers(uow, [transfer for draft in drafts for transfer in transfers_of(draft)], accounts)
    uow.copy_rows("outbox_events", EVENT_COLUMNS, event_rows(drafts, batch.run))
    uow.copy_rows("bill_run_items", OUTCOME_COLUMNS, outcome_rows(batch))
    save_positions(uow, settled_positions(batch))
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
