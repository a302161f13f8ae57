"""Change the plan of a subscription, or of one of its add-ons."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from tenor.kernel.calendar import Interval
from tenor.kernel.ids import ItemId, SubscriptionId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import newest_plan_version
from tenor.pricing.model import PlanVersion
from tenor.pricing.policy import profile
from tenor.subscriptions.changing import Effective, Opened, open_for_change
from tenor.subscriptions.errors import Flaw, TermsRefused
from tenor.subscriptions.model import Closing, PlanChanged, Recording, Subscription, Terms
from tenor.subscriptions.rules.offers import Offer, effective_by_policy
from tenor.subscriptions.rules.resumption import Running
from tenor.subscriptions.rules.terms import NOTHING, agreed_terms, same_books
from tenor.subscriptions.rules.trials import trial_end_after_change
from tenor.subscriptions.running import new_item_ids, record_and_replan, target_at, terms_at


def change_plan(
    uow: UnitOfWork,
    subscription_id: SubscriptionId,
    *,
    plan: str,
    effective: Effective | None,
    version: int,
    now: datetime,
    actor: str,
    reason: str,
    quantities: Mapping[str, Decimal] = NOTHING,
    prices: Mapping[str, Decimal] = NOTHING,
    closing: Closing = Closing.PRORATED,
    add_on: ItemId | None = None,
) -> Subscription:
    """Put the subscription on `plan`, in the edition that is sold now; return how it then stands.

    Seats that are not named in `quantities` are carried over where both plans have them; prices of the
    former plan are not. The billing grid stays where both plans have the same interval; else it begins anew
    at the effective instant, in a trial at its end. `effective` None leaves it to the subscription's profile, which
    may put a downgrade off to the end of the period. `closing` says what becomes of the period of the former
    plan that is cut. `add_on` names the add-on whose plan is changed; None: the plan itself.

    Raises:
        SubscriptionNotFound, VersionConflict, OutsideLife, NoSuchAddOn: see `tenor.subscriptions.changing`, `running`.
        PlanNotSold: nobody sells the plan now.
        TermsRefused: it has another currency or tax mode, or does not allow the quantities or prices.
    """
    opened = open_for_change(uow, subscription_id, version=version, now=now)
    target = newest_plan_version(uow, plan, now)
    at, former = target_at(uow, opened, effective or "now", add_on=add_on, now=now)
    terms = _terms_on(target, former, at, quantities=quantities, prices=prices)
    if effective is None:
        was = Offer(former.plan, terms_at(former, at))
        by_policy = effective_by_policy(was, Offer(target, terms), profile(opened.subscription.profile))
        at, former = target_at(uow, opened, by_policy, add_on=add_on, now=now)
        terms = _terms_on(target, former, at, quantities=quantities, prices=prices)
    facts = PlanChanged(
        item_id=next(new_item_ids(opened, now=now)),
        plan_version_id=target.id,
        anchor_at=_anchor(former, target, opened, at),
        terms=terms,
        closing=closing,
        replaces=add_on,
    )
    return record_and_replan(uow, opened, [(facts, at)], Recording(now, actor, reason))


def _terms_on(
    target: PlanVersion,
    former: Running,
    at: datetime,
    *,
    quantities: Mapping[str, Decimal],
    prices: Mapping[str, Decimal],
) -> Terms:
    held = terms_at(former, at).quantities
    terms, flaws = agreed_terms(target, quantities=quantities, prices=prices, held=held)
    flaws = [*same_books(former.plan, target), *flaws]
    if (target.id, terms) == (former.plan.id, terms_at(former, at)):
        flaws.append(Flaw("plan", f"{target.plan!r} version {target.version} runs on these terms then already"))
    if flaws:
        raise TermsRefused(flaws)
    return terms


def _anchor(former: Running, target: PlanVersion, opened: Opened, at: datetime) -> datetime:
    if _is_same(former.plan.interval, target.interval):
        return former.item.anchor_at
    return trial_end_after_change(opened.subscription.trial_ends_at, changed_at=at) or at


def _is_same(one: Interval, other: Interval) -> bool:
    """Whether two intervals make one grid: a year is twelve months, a week seven days."""
    return one == other or (one.months, one.days) == (other.months, other.days) != (0, 0)
