"""Move a subscription to a contract of its customer, or to the amended version of the one that it walks."""

from datetime import datetime

from tenor.kernel.ids import SubscriptionId
from tenor.kernel.period import format_instant
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import ContractOfAnother, find_contract
from tenor.subscriptions.changing import Effective, open_for_change
from tenor.subscriptions.errors import Flaw, TermsRefused
from tenor.subscriptions.model import Facts, PlanChanged, Recording, Subscription, TermChanged
from tenor.subscriptions.operations.subscribe_to_contract import steps_of
from tenor.subscriptions.rules.admission import item_ids
from tenor.subscriptions.rules.ramp import begun_by, instant_after, stages_ahead
from tenor.subscriptions.rules.terms import NOTHING, agreed_terms, same_books
from tenor.subscriptions.running import record_and_replan, target_at, terms_at


def move_to_contract(
    uow: UnitOfWork,
    subscription_id: SubscriptionId,
    *,
    contract: str,
    effective: Effective,
    version: int,
    now: datetime,
    actor: str,
    reason: str,
    contract_version: int | None = None,
) -> Subscription:
    """Put the subscription on the step of a contract that holds at the effective instant, the others ahead of it.

    The months of the ramp and of the term count from the anchor of the running plan, so an amended contract goes on
    where the former one was; the steps of the former one that lie ahead find nothing to go on from and say nothing.
    Seats are carried over. A contract without a term leaves the subscription's as it is.

    Raises:
        SubscriptionNotFound, VersionConflict, OutsideLife: see `tenor.subscriptions.changing`.
        ContractNotFound: there is no such contract.
        ContractOfAnother: it is not the customer's.
        TermsRefused: it has another currency, tax mode or interval, or a step would cut a period of a commitment.
    """
    opened = open_for_change(uow, subscription_id, version=version, now=now)
    agreed = find_contract(uow, contract, version=contract_version)
    if agreed.customer_id != opened.subscription.customer_id:
        raise ContractOfAnother(f"the contract {agreed.code!r} is another customer's", contract=agreed.code)
    at, former = target_at(uow, opened, effective, add_on=None, now=now)
    steps = steps_of(uow, agreed)
    current = begun_by(steps, at, former.item, opened.subscription)
    plan = steps[current].plan
    ends_at = opened.subscription.ends_at
    if agreed.term_months is not None:
        ends_at = instant_after(agreed.term_months, former.item, opened.subscription)
    held = terms_at(former, at).quantities
    terms, flaws = agreed_terms(plan, quantities=NOTHING, prices=NOTHING, held=held)
    stages, flaws_ahead = stages_ahead(
        steps, current, former.item, opened.subscription, quantities=terms.quantities, until=ends_at
    )
    flaws += [*same_books(former.plan, plan), *flaws_ahead]
    if plan.interval != former.plan.interval:
        flaws.append(Flaw("contract", "the plan has another interval; end the subscription and begin it anew"))
    if ends_at is not None and ends_at <= at:
        flaws.append(Flaw("contract", f"its term has ended by then, at {format_instant(ends_at)}"))
    if flaws:
        raise TermsRefused(flaws)
    ids = item_ids(subscription_id, version=opened.subscription.version + 1, now=now)
    entries: list[tuple[Facts, datetime]] = [
        (PlanChanged(next(ids), plan.id, former.item.anchor_at, terms), at),
        *((stage.facts(former.item, next(ids)), stage.at) for stage in stages),
    ]
    if ends_at != opened.subscription.ends_at:
        entries.append((TermChanged(ends_at), at))
    return record_and_replan(uow, opened, entries, Recording(now, actor, reason))
