"""Keep the credits that plans promise: in the transaction of a change, and whenever time has moved on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from tenor.kernel.ids import SubscriptionId, WalletId, new_id
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing.policy import profile
from tenor.subscriptions.entitlements.model import Access
from tenor.subscriptions.entitlements.rules import access_left
from tenor.subscriptions.entitlements.store import access_by_state
from tenor.subscriptions.plan_credits.rules import Promised, RunningItem, promised
from tenor.subscriptions.plan_credits.store import are_there_credits, running_items
from tenor.wallets import RecurringGrant, WalletTerms, keep_promises, open_wallets

ACTOR: Final = "plan"
"""Who opens a wallet that a plan needs."""


def keep_plan_credits(uow: UnitOfWork, subscription_ids: Sequence[SubscriptionId], *, now: datetime) -> None:
    """Make what subscriptions are promised in wallets what their plans and add-ons promise now.

    Only what runs, and is fully entitled, promises anything. A wallet that is missing is opened with the unit and rate
    of the plan and the burn order of the subscription's profile; one that the customer has is used as it is. In a
    number of statements that does not depend on how many subscriptions there are; one, where no plan has credits.
    """
    if not are_there_credits(uow):
        return
    items = running_items(uow, subscription_ids, at=now)
    access = access_by_state(uow)

    def is_entitled(item: RunningItem) -> bool:
        return access_left(item.state, item.status, access)[0] is Access.FULL

    wanted = promised(items, is_entitled=is_entitled)
    wallets = open_wallets(
        uow,
        {(one.item.customer_id, one.credit.wallet): _terms(one) for one in wanted},
        now=now,
        actor=ACTOR,
        reason="its plan promises credit",
    )
    promises = [_recurring(one, wallets[one.item.customer_id, one.credit.wallet].id, now) for one in wanted]
    keep_promises(uow, promises, of=subscription_ids, now=now)


def _terms(one: Promised) -> WalletTerms:
    policy = profile(one.item.profile).credits
    return WalletTerms(
        code=one.credit.wallet,
        unit=one.credit.unit,
        currency=one.item.plan.currency,
        rate=one.credit.rate,
        overdraws=False,
        repays_advances=policy.advance_backfill,
        burn_order=policy.burn_order,
        eligibility=policy.credit_eligibility,
    )


def _recurring(one: Promised, wallet_id: WalletId, now: datetime) -> RecurringGrant:
    return RecurringGrant(
        id=new_id(now),
        wallet_id=wallet_id,
        code=one.credit.code,
        amount=one.amount,
        every=one.credit.every,
        anchor=one.item.anchor_at,
        priority=one.credit.priority,
        category=one.credit.category,
        features=one.credit.features,
        rollover_max=one.credit.rollover_max,
        next_at=now,
        rollover_min=one.credit.rollover_min,
        lasts=one.credit.lasts,
        timezone=one.item.timezone,
        subscription_id=one.item.subscription_id,
    )
