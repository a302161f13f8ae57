"""The ten stages of the bill run, in order. Each takes the batch one step further; none asks per subscription.

`select` locks what the batch is about, `load` and `meter` read it in a constant number of statements, `rate`
to `tax` are pure, `credit` and `finalise` write. The pure stages call the functions that `owed` and `settle`
are made of, so that a run, a preview and a proof cannot disagree.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from tenor.invoicing.adjustments import claim_adjustments
from tenor.invoicing.bill_run.batch import Batch, ItemWork, Parking
from tenor.invoicing.bill_run.document_groups import document_groups, occasion_of, usage_given_back
from tenor.invoicing.bill_run.loading import load
from tenor.invoicing.bill_run.plan import PlannedRun
from tenor.invoicing.bill_run.rows import (
    OUTCOME_COLUMNS,
    begins_unbilled,
    claim_rows,
    outcome_rows,
    settled_positions,
)
from tenor.invoicing.bill_run.running_usage import (
    hold_usage,
    tell_threshold,
    threshold_events,
)
from tenor.invoicing.issue import CreditAccount, number_documents, with_credit, write_contents
from tenor.invoicing.model import Billed
from tenor.invoicing.prepaid import owners_among, settle_with_wallets
from tenor.invoicing.refunds import open_refund_requests, refunded_as_far_as_paid
from tenor.invoicing.rules.discounting import discount_ratings
from tenor.invoicing.rules.documents import draft_documents
from tenor.invoicing.rules.owed import commit_ratings, rate_dues
from tenor.invoicing.rules.settle import less_waived, settle
from tenor.invoicing.store import first_claims
from tenor.invoicing.usage import UsageRequest, read_usage
from tenor.kernel.errors import Conflict
from tenor.kernel.money import exponent
from tenor.ledger import customer_credits, move_customer_credits
from tenor.platform.outbox import publish
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions import (
    due_subscriptions,
    lock_positions,
    save_positions,
)


class BatchOutOfTurn(Conflict):
    """A batch that must be done again: the one before it did not finish, or moved the same credit."""

    code = "batch_out_of_turn"


def select(uow: UnitOfWork, batch: Batch) -> None:
    """Lock the billing positions of the batch's subscriptions that are due, so that no change slips in between."""
    if batch.run is not None:
        first, last = uow.fetch_one(
            "select first_subscription_id, last_subscription_id from bill_run_batches"
            " where run_id = %s and batch_no = %s",
            [batch.run.id, batch.number],
        ) or (None, None)
        batch.subscription_ids = due_subscriptions(uow, batch.run.as_of, first=first, last=last)
    lock_positions(uow, batch.subscription_ids)


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
        with Parking(work):
            for item in work.items:
                item.ratings = rate_dues(item.item, item.dues, batch.usage, prices, work.zone)


def discount(_uow: UnitOfWork, batch: Batch) -> None:
    """Take each subscription's discounts off its ratings."""
    for work in batch.each():
        if not work.discounts:
            continue
        with Parking(work):
            discounted = discount_ratings(
                [item.ratings for item in work.items],
                work.discounts,
                [item.looked for item in work.items],
                work.zone,
                work.policy,
                digits=exponent(work.subscription.currency),
            )
            for item, ratings in zip(work.items, discounted, strict=True):
                item.ratings = ratings


def commit(_uow: UnitOfWork, batch: Batch) -> None:
    """Round once per key, and hold commitments and caps against what is owed; what was waived is owed no more."""
    for work in batch.each():
        prices = batch.memory.prices_of(work.policy, work.subscription.currency)
        with Parking(work):
            for item in work.items:
                owed = commit_ratings(item.item, item.ratings, item.dues, prices, work.zone)
                item.owed = less_waived(owed, batch.waived)


def settle_batch(_uow: UnitOfWork, batch: Batch) -> None:
    """Turn what is owed into lines: the difference to what has been billed."""
    for work in batch.each():
        with Parking(work):
            hold_usage(work, batch)
            newest = work.newest_due_at
            for item in work.items:
                billed = _in_scope(batch.billed.get(item.item.id, []), item)
                item.lines = settle(item.owed, billed, now=newest, subscription_id=work.subscription.id)
            tell_threshold(work)


def tax(_uow: UnitOfWork, batch: Batch) -> None:
    """Make documents of the lines, with the tax of each line, and of the adjustments that waited for them."""
    for group in document_groups(batch):
        lines = [line for work in group.works for line in work.lines]
        newest = max(line.due_at for line in lines)
        waiting = [one for work in group.works for one in batch.waiting.get(work.subscription.id, ())]
        lines += [one.line(newest) for one in waiting if one.currency == group.party.currency]
        occasion, apart = occasion_of(batch, group), usage_given_back(group)
        with Parking(*group.works):
            if apart:
                lines = [line for line in lines if line not in apart]
                batch.drafts += draft_documents(apart, group.party, replace(occasion, mark=occasion.mark + b"usage"))
            batch.drafts += draft_documents(lines, group.party, occasion)


def credit(uow: UnitOfWork, batch: Batch) -> None:
    """Let wallets pay first, then draw customers' credit, in the order of documents; credit notes add to it first.

    Where wallets pay, the batch waits for its turn already here: whoever waited with a locked wallet would keep its
    customer from using it, and could wait in a circle.
    """
    owners = owners_among(uow, batch.drafts)
    if owners:
        if batch.run is not None:
            _wait_for_turn(uow, batch.run, batch.number)
        charges = {charge.id: charge for work in batch.each() for item in work.items for charge in item.plan.charges}
        batch.drafts = settle_with_wallets(uow, batch.drafts, owners, charges, at=batch.occasion.issued_at)
    batch.drafts = refunded_as_far_as_paid(uow, batch.drafts)
    batch.credit_before_minor = _credits(uow, batch)
    batch.drafts, batch.credit_moved_minor = with_credit(batch.drafts, batch.credit_before_minor)


def finalise(uow: UnitOfWork, batch: Batch) -> None:
    """Write everything: lines, claims, transfers and outcomes first; then, in turn, numbers and documents.

    Waiting for the batch before this one only now lets workers rate and write side by side, and still
    gives numbers in the order of batches.

    Raises:
        BatchOutOfTurn: the batch before this one did not finish, or a credit that was looked at has moved.
        CreditGone: the same, at the very end. After either, begin this batch again.
    """
    unbilled = [item.item.id for work in batch.each() for item in work.items if begins_unbilled(item)]
    batch.begun = first_claims(uow, unbilled) if unbilled else None
    lines = write_contents(uow, batch.drafts, claims=claim_rows(batch), recorded_at=batch.occasion.recorded_at)
    claim_adjustments(uow, batch.drafts)
    save_positions(uow, settled_positions(batch))
    if batch.run is not None:
        uow.copy_rows("bill_run_items", OUTCOME_COLUMNS, outcome_rows(batch, batch.run))
        _wait_for_turn(uow, batch.run, batch.number)
    if _credits(uow, batch) != batch.credit_before_minor:
        raise BatchOutOfTurn(f"a credit that batch {batch.number} looked at has moved")
    move_customer_credits(uow, batch.credit_moved_minor)
    number_documents(uow, batch.drafts, lines)
    open_refund_requests(uow, batch.drafts, now=batch.occasion.recorded_at)
    publish(uow, threshold_events(batch))


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


def _in_scope(billed: list[Billed], item: ItemWork) -> list[Billed]:
    """Return what was billed for the keys that this settlement is about.

    Those are the keys that are owed, and those that news has touched: of these the ones that are not
    owed any more are given back. In the order of what is owed, because the database reads them in none.
    """
    keys = {(due.charge.id, due.period) for due in item.dues}
    places = {charge.id: place for place, charge in enumerate(item.plan.charges)}
    revisit_from = item.look.revisit_from
    in_scope = [
        entry
        for entry in billed
        if entry.key.slot in keys
        or (revisit_from is not None and entry.key.period.end > revisit_from and entry.key.slot not in item.held)
    ]
    return sorted(in_scope, key=lambda entry: (places[entry.key.charge_id], entry.key.period, entry.key.dimension))


def _credits(uow: UnitOfWork, batch: Batch) -> dict[CreditAccount, int]:
    return customer_credits(uow, list({draft.customer_id for draft in batch.drafts}))


def _wait_for_turn(uow: UnitOfWork, run: PlannedRun, number: int) -> None:
    """Wait until the batch before this one has ended: its row is locked by the transaction that works on it."""
    if number == 1:
        return
    row = uow.fetch_one(
        "select finished_at from bill_run_batches where run_id = %s and batch_no = %s for share", [run.id, number - 1]
    )
    if row is None or row[0] is None:
        raise BatchOutOfTurn(f"batch {number - 1} did not finish; batch {number} takes its place in the row")
