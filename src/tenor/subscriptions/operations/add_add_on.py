"""Add an add-on to a subscription."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal

from tenor.kernel.ids import SubscriptionId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import newest_plan_version
from tenor.subscriptions.changing import Effective, open_for_change, record_changes
from tenor.subscriptions.errors import TermsRefused
from tenor.subscriptions.model import AddOnAdded, Recording, Subscription
from tenor.subscriptions.rules.terms import NOTHING, agreed_terms, same_books
from tenor.subscriptions.running import new_item_ids, target_at


def add_add_on(
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
    anchor: Literal["plan", "own"] = "plan",
) -> Subscription:
    """Run `plan`, in the edition that is sold now, beside the subscription's own; return how it then stands.

    The add-on shares the pauses and the end of the subscription. Its billing periods count from the anchor of the
    plan, so that both renew together and the first period is a part of one; or from its own start.

    Raises:
        SubscriptionNotFound, VersionConflict, OutsideLife: see `tenor.subscriptions.changing`.
        PlanNotSold: nobody sells the plan now.
        TermsRefused: it has another currency or tax mode, or does not allow the quantities or prices.
    """
    opened = open_for_change(uow, subscription_id, version=version, now=now)
    at, base = target_at(uow, opened, effective, add_on=None, now=now)
    added = newest_plan_version(uow, plan, now)
    terms, flaws = agreed_terms(added, quantities=quantities, prices=prices, held=NOTHING)
    flaws += same_books(base.plan, added)
    if flaws:
        raise TermsRefused(flaws)
    facts = AddOnAdded(
        item_id=next(new_item_ids(opened, now=now)),
        plan_version_id=added.id,
        anchor_at=base.item.anchor_at if anchor == "plan" else at,
        terms=terms,
    )
    return record_changes(uow, opened, [(facts, at)], Recording(now, actor, reason))
