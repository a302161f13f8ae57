"""Load: read the subscriptions of a batch with their timelines, and find what is due of each."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from tenor.invoicing.adjustments import Adjustment, pending_adjustments, waivers_of
from tenor.invoicing.bill_run.batch import Batch, ItemWork, Parking, Work
from tenor.invoicing.bill_run.running_usage import (
    counts_for_life,
    thresholds_of,
)
from tenor.invoicing.billing_settings import BillingSettings, billing_settings
from tenor.invoicing.rules.discounting import dues_of_all, joint_looks
from tenor.invoicing.rules.dues import Look, falls_inside, riding_on, with_corrections_due
from tenor.invoicing.rules.payment_terms import PaymentTerms, TermsKind
from tenor.invoicing.store import read_billed
from tenor.invoicing.usage_thresholds import agreed_thresholds, usage_billed
from tenor.kernel.calendar import parse_zone
from tenor.kernel.ids import CustomerId, ItemId, PlanVersionId, SubscriptionId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import Contract, contracts_behind, plan_versions
from tenor.pricing.model import ChargeKind, PlanVersion
from tenor.pricing.policy import profile
from tenor.subscriptions import (
    BillingPosition,
    Standing,
    first_subscriptions,
    load_items,
)
from tenor.taxes import effective_rates


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
        with Parking(work):
            find_dues(work)
    batch.waiting = _waiting_adjustments(uow, customers)
    batch.billed = read_billed(uow, settled_before(batch))
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


def settled_before(batch: Batch) -> dict[UUID, datetime]:
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
