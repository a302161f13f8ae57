"""The ten stages of the bill run, in order. Each takes the batch one step further; none asks per subscription.

`select` locks what the batch is about, `load` and `meter` read it in a constant number of statements, `rate`
to `tax` are pure, `credit` and `finalise` write. The pure stages call the functions that `owed` and `settle`
are made of, so that a run, a preview and a proof cannot disagree.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Final, NamedTuple
from uuid import UUID

from tenor.invoicing.adjustments import Adjustment, claim_adjustments, pending_adjustments, waivers_of
from tenor.invoicing.bill_run.batch import Batch, ItemWork, Work
from tenor.invoicing.bill_run.plan import PlannedRun
from tenor.invoicing.bill_run.rows import (
    OUTCOME_COLUMNS,
    begins_unbilled,
    claim_rows,
    outcome_rows,
    settled_positions,
)
from tenor.invoicing.bill_run.running_usage import (
    counts_for_life,
    hold_usage,
    tell_threshold,
    threshold_events,
    thresholds_of,
)
from tenor.invoicing.billing_settings import BillingSettings, billing_settings
from tenor.invoicing.issue import CreditAccount, number_documents, with_credit, write_contents
from tenor.invoicing.model import Billed, Key, Line
from tenor.invoicing.prepaid import owners_among, settle_with_wallets
from tenor.invoicing.refunds import open_refund_requests
from tenor.invoicing.rules.discounting import discount_ratings, dues_of_all, joint_looks
from tenor.invoicing.rules.documents import Occasion, Party, draft_documents
from tenor.invoicing.rules.dues import Look, falls_inside, riding_on, with_corrections_due
from tenor.invoicing.rules.owed import commit_ratings, rate_dues
from tenor.invoicing.rules.payment_terms import PaymentTerms, TermsKind
from tenor.invoicing.rules.settle import less_waived, settle
from tenor.invoicing.store import first_claims, read_billed
from tenor.invoicing.usage import UsageRequest, read_usage
from tenor.invoicing.usage_thresholds import agreed_thresholds, usage_billed
from tenor.kernel.calendar import parse_zone
from tenor.kernel.errors import Conflict, Refusal
from tenor.kernel.ids import CustomerId, ItemId, PlanVersionId, SubscriptionId
from tenor.kernel.money import exponent
from tenor.ledger import customer_credits, move_customer_credits
from tenor.platform.outbox import publish
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import Contract, contracts_behind, plan_versions
from tenor.pricing.model import ChargeKind, PlanVersion, TaxMode
from tenor.pricing.policy import Policy, profile
from tenor.subscriptions import (
    BillingPosition,
    Standing,
    due_subscriptions,
    first_subscriptions,
    load_items,
    lock_positions,
    save_positions,
)
from tenor.taxes import effective_rates
from tenor.taxes.model import TaxRounding


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


def load(uow: UnitOfWork, batch: Batch) -> None:
    """Read the subscriptions with their timelines, the plan versions not known yet, and what is due of each."""
    as_of = batch.occasion.issued_at
    standings = load_items(uow, batch.subscription_ids)
    customers = {standing.subscription.customer_id for standing in standings}
    settings, rates = billing_settings(uow, customers), effective_rates(uow, customers, as_of)
    missing = {item.plan_version_id for standing in standings for item in standing.items} - batch.memory.plans.keys()
    if missing:
        batch.memory.plans.update(plan_versions(uow, sorted(missing)))
    contracts = _contracts(uow, batch, standings)
    agreed_on = agreed_thresholds(uow, [standing.subscription for standing in standings])
    for standing in standings:
        subscription = standing.subscription
        of_customer = _agreed(settings[subscription.customer_id], standing, contracts)
        through = as_of - timedelta(days=of_customer.grace_days if batch.with_grace else 0)
        plans = [batch.memory.plans[item.plan_version_id] for item in standing.items]
        thresholds = thresholds_of(agreed_on.get(subscription.id), standing, plans, as_of=as_of)
        has_thresholds = thresholds is not None
        work = Work(
            subscription=subscription,
            discounts=standing.discounts,
            settings=of_customer,
            rates=rates[subscription.customer_id],
            zone=parse_zone(subscription.timezone),
            policy=profile(subscription.profile),
            through=through,
            items=[
                ItemWork(
                    item, position, plan, look_of(position, plan, through, as_of=as_of, has_thresholds=has_thresholds)
                )
                for item, position, plan in zip(standing.items, standing.positions, plans, strict=True)
            ],
            thresholds=thresholds,
        )
        batch.works.append(work)
        with _parking(work):
            find_dues(work)
    batch.waiting = _waiting_adjustments(uow, customers)
    batch.billed = read_billed(uow, _settled_before(batch))
    batch.waived = waivers_of(uow, [ItemId(item_id) for item_id in batch.billed]) if batch.billed else {}
    for_life = [work.subscription.id for work in batch.each() if counts_for_life(work)]
    batch.usage_billed = usage_billed(uow, for_life) if for_life else {}


def _contracts(uow: UnitOfWork, batch: Batch, standings: Sequence[Standing]) -> Mapping[PlanVersionId, Contract]:
    """Return the contracts behind the private editions among the plan versions of a batch."""
    held = {item.plan_version_id for standing in standings for item in standing.items}
    private = {version_id for version_id in held if batch.memory.plans[version_id].customer_id is not None}
    return contracts_behind(uow, private) if private else {}


def _agreed(
    settings: BillingSettings, standing: Standing, contracts: Mapping[PlanVersionId, Contract]
) -> BillingSettings:
    """Return how a subscription is billed: as its customer, but for what its newest contract says."""
    behind = [contracts[item.plan_version_id] for item in standing.items if item.plan_version_id in contracts]
    if not behind:
        return settings
    contract = behind[-1]
    terms = contract.payment
    return replace(
        settings,
        payment_terms=PaymentTerms(TermsKind(terms.kind), terms.days) if terms else settings.payment_terms,
        po_number=contract.po_number or settings.po_number,
    )


def _waiting_adjustments(uow: UnitOfWork, customers: Collection[CustomerId]) -> dict[SubscriptionId, list[Adjustment]]:
    """Return the adjustments of customers that wait for a document, by the subscription whose document takes them.

    One that is for no single subscription waits for the document of the customer's first that lives and has its
    currency, so that two batches never take it both.
    """
    found: dict[SubscriptionId, list[Adjustment]] = {}
    pending = pending_adjustments(uow, customers)
    first = first_subscriptions(uow, list(pending)) if pending else {}
    for customer_id, adjustments in pending.items():
        for adjustment in adjustments:
            holder = adjustment.subscription_id or first.get((customer_id, adjustment.currency))
            if holder is not None:
                found.setdefault(holder, []).append(adjustment)
    return found


def find_dues(work: Work) -> None:
    """Find what is due of each item of a subscription; what corrects earlier documents rides with the newest."""
    for item, look in zip(work.items, joint_looks([item.look for item in work.items]), strict=True):
        item.look = look
    found = dues_of_all([item.looked for item in work.items], work.discounts, work.zone, work.policy.calendar)
    for item, looked_at in zip(work.items, found, strict=True):
        item.dues = looked_at
    newest = work.newest_due_at
    for item in work.items:
        item.dues = with_corrections_due(item.dues, newest, settled_through=work.settled_through)
    if work.policy.billing.proration_invoicing == "next_invoice" and work.settled_through is not None:
        regular = sorted({due.due_at for item in work.items for due in item.dues if not falls_inside(due)})
        for item in work.items:
            item.dues = riding_on(item.dues, regular)


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
    """Take each subscription's discounts off its ratings."""
    for work in batch.each():
        if not work.discounts:
            continue
        with _parking(work):
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
        with _parking(work):
            for item in work.items:
                owed = commit_ratings(item.item, item.ratings, item.dues, prices, work.zone)
                item.owed = less_waived(owed, batch.waived)


def settle_batch(_uow: UnitOfWork, batch: Batch) -> None:
    """Turn what is owed into lines: the difference to what has been billed."""
    for work in batch.each():
        with _parking(work):
            hold_usage(work, batch)
            newest = work.newest_due_at
            for item in work.items:
                billed = _in_scope(batch.billed.get(item.item.id, []), item)
                item.lines = settle(item.owed, billed, now=newest, subscription_id=work.subscription.id)
            tell_threshold(work)


def tax(_uow: UnitOfWork, batch: Batch) -> None:
    """Make documents of the lines, with the tax of each line, and of the adjustments that waited for them."""
    for group in _groups(batch):
        lines = [line for work in group.works for line in work.lines]
        newest = max(line.due_at for line in lines)
        waiting = [one for work in group.works for one in batch.waiting.get(work.subscription.id, ())]
        lines += [one.line(newest) for one in waiting if one.currency == group.party.currency]
        occasion, apart = _occasion(batch, group), _usage_given_back(group)
        with _parking(*group.works):
            if apart:
                lines = [line for line in lines if line not in apart]
                batch.drafts += draft_documents(apart, group.party, replace(occasion, mark=occasion.mark + b"usage"))
            batch.drafts += draft_documents(lines, group.party, occasion)


class _Group(NamedTuple):
    """Subscriptions whose lines stand on one document: one, or all of a customer who wants it so."""

    party: Party
    works: list[Work]


def _usage_given_back(group: _Group) -> list[Line]:
    """Return the lines that give back usage, of the subscriptions whose policy wants them on a credit note."""
    return [
        line
        for work in group.works
        if work.policy.metering.late_usage_credit == "credit_note"
        for item in work.items
        for line in item.lines
        if line.amount_minor < 0 and isinstance(line.key, Key) and item.kind_of(line.key) is ChargeKind.USAGE
    ]


def _groups(batch: Batch) -> list[_Group]:
    """Return the groups that have lines, in the order of their first subscription."""
    groups: dict[tuple[SubscriptionId | CustomerId, str, TaxMode], _Group] = {}
    for work in batch.each():
        if not work.lines:
            continue
        party = _party(work)
        key = (party.subscription_id or party.customer_id, party.currency, party.tax_mode)
        if key in groups:
            groups[key].works.append(work)
        else:
            groups[key] = _Group(party, [work])
    return list(groups.values())


def _occasion(batch: Batch, group: _Group) -> Occasion:
    """Return what tells the documents of a group from others.

    Where settings change during a run, two batches of it may each have a document that is the customer's.
    """
    if group.party.subscription_id is not None:
        return batch.occasion
    return replace(batch.occasion, mark=batch.occasion.mark + group.works[0].subscription.id.bytes)


def _party(work: Work) -> Party:
    subscription, settings = work.subscription, work.settings
    return Party(
        customer_id=subscription.customer_id,
        subscription_id=None if settings.consolidates else subscription.id,
        currency=subscription.currency,
        tax_mode=work.items[0].plan.tax_mode,
        rates=work.rates,
        tax_rounding=_tax_rounding(work.policy, subscription.currency),
        zone=work.zone,
        payment_terms=settings.payment_terms,
        po_number=settings.po_number,
        negative_total=settings.negative_total,
    )


@cache
def _tax_rounding(policy: Policy, currency: str) -> TaxRounding:
    rounding = policy.rounding.tax_rounding
    return TaxRounding.of(
        rounding.mode, digits=rounding.digits, place=rounding.place, currency_digits=exponent(currency)
    )


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
    write_contents(uow, batch.drafts, claims=claim_rows(batch), recorded_at=batch.occasion.recorded_at)
    claim_adjustments(uow, batch.drafts)
    save_positions(uow, settled_positions(batch))
    if batch.run is not None:
        uow.copy_rows("bill_run_items", OUTCOME_COLUMNS, outcome_rows(batch, batch.run))
        _wait_for_turn(uow, batch.run, batch.number)
    if _credits(uow, batch) != batch.credit_before_minor:
        raise BatchOutOfTurn(f"a credit that batch {batch.number} looked at has moved")
    move_customer_credits(uow, batch.credit_moved_minor)
    number_documents(uow, batch.drafts)
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


@contextmanager
def _parking(*works: Work) -> Iterator[None]:
    """Park what a rule refuses instead of stopping the run; a person must look at it."""
    try:
        yield
    except Refusal as refusal:
        for work in works:
            work.parked = f"{refusal.code}: {refusal.message}"


def look_of(
    position: BillingPosition, plan: PlanVersion, through: datetime, *, as_of: datetime, has_thresholds: bool
) -> Look:
    """Return what is asked of an item. What has been settled stays in sight, also where drafts stay open longer now.

    Usage that may be billed before its period is over is looked at as of now, and so is what was so billed before. What
    a period costs under a cap is known when it is over: so its usage waits for that.
    """
    settled_through, metered_through = position.settled_through, position.metered_through
    is_capped = any(charge.kind is ChargeKind.CAP for charge in plan.charges)
    return Look(
        through=through if settled_through is None else max(through, settled_through),
        settled_through=settled_through,
        revisit_from=position.revisit_from,
        metered_through=None if is_capped else as_of if metered_through is None else max(as_of, metered_through),
        so_far=has_thresholds or metered_through is not None,
    )


def _settled_before(batch: Batch) -> dict[UUID, datetime]:
    """Return the items of which earlier settlements must be read, and from where on.

    A change may have put off what was settled: a due that is not settled yet, of a period that had begun by then. Usage
    may have been billed before its period was over.
    """
    since: dict[UUID, datetime] = {}
    for work in batch.each():
        is_changed = work.subscription.version > 1
        for item in work.items:
            settled_through, metered_through = item.look.settled_through, item.position.metered_through
            if settled_through is None:
                continue
            instants = [
                due.period.start
                for due in item.dues
                if due.is_settled
                or (is_changed and due.period.start <= settled_through)
                or (metered_through is not None and due.period.start <= metered_through)
            ]
            if item.look.revisit_from is not None:
                instants.append(item.look.revisit_from)
            if instants:
                since[item.item.id] = min(instants)
    return since


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
