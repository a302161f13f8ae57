"""Change the plan of a subscription."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from tenor.kernel.calendar import Interval
from tenor.kernel.ids import SubscriptionId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import newest_plan_version
from tenor.pricing.model import PlanVersion
from tenor.subscriptions.changing import Effective, effective_instant, open_for_change, plan_of, record_change
from tenor.subscriptions.errors import Flaw, TermsRefused
from tenor.subscriptions.model import Item, PlanChanged, Recording, Subscription
from tenor.subscriptions.rules.admission import item_id
from tenor.subscriptions.rules.terms import agreed_terms
from tenor.subscriptions.rules.timeline import phase_at

NOTHING: Final[Mapping[str, Decimal]] = MappingProxyType({})


def change_plan(
    uow: UnitOfWork,
    subscription_id: SubscriptionId,
    *,
    plan: str,
    effective: Effective,
    version: int,
    now: datetime,
    actor: str,
    reason: str,
    quantities: Mapping[str, Decimal] = NOTHING,
    prices: Mapping[str, Decimal] = NOTHING,
) -> Subscription:
    """Put the subscription on `plan`, in the edition that is sold now; return how it then stands.

    Seats that are not named in `quantities` are carried over where both plans have them; prices of the
    former plan are not. The billing grid stays where both plans have the same interval; else it begins anew
    at the effective instant, in a trial at its end.

    Raises:
        SubscriptionNotFound, VersionConflict, OutsideLife: see `tenor.subscriptions.changing`.
        PlanNotSold: nobody sells the plan now.
        TermsRefused: it has another currency or tax mode, or does not allow the quantities or prices.
    """
    opened = open_for_change(uow, subscription_id, version=version, now=now)
    at, item = effective_instant(uow, opened, effective, now=now)
    former = plan_of(uow, item)
    target = newest_plan_version(uow, plan, now)
    _require_same_books(former, target)
    phase = phase_at(item, at)
    held = phase.terms.quantities if phase else NOTHING
    terms, flaws = agreed_terms(target, quantities=quantities, prices=prices, held=held)
    if flaws:
        raise TermsRefused(flaws)
    facts = PlanChanged(
        item_id=item_id(subscription_id, version=version + 1, now=now),
        plan_version_id=target.id,
        anchor_at=_anchor(item, opened.subscription, at, is_same_grid=_is_same(former.interval, target.interval)),
        terms=terms,
    )
    return record_change(uow, opened, facts, at=at, recording=Recording(now, actor, reason))


def _require_same_books(former: PlanVersion, target: PlanVersion) -> None:
    """Refuse a target whose amounts could not stand on one document with those of the former plan."""
    if (target.currency, target.tax_mode) != (former.currency, former.tax_mode):
        message = (
            f"{target.plan!r} is in {target.currency}, tax {target.tax_mode};"
            f" the subscription is in {former.currency}, tax {former.tax_mode}"
        )
        raise TermsRefused([Flaw("plan", message)])


def _anchor(item: Item, subscription: Subscription, at: datetime, *, is_same_grid: bool) -> datetime:
    if is_same_grid:
        return item.anchor_at
    trial_ends_at = subscription.trial_ends_at
    return at if trial_ends_at is None else max(at, trial_ends_at)


def _is_same(one: Interval, other: Interval) -> bool:
    """Whether two intervals make one grid: a year is twelve months, a week seven days."""
    return one == other or (one.months, one.days) == (other.months, other.days) != (0, 0)
