"""Remove a discount from a subscription."""

from datetime import datetime

from tenor.kernel.ids import DiscountId, SubscriptionId, to_wire
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions.changing import Effective, effective_instant, open_for_change, record_changes
from tenor.subscriptions.errors import NoSuchDiscount
from tenor.subscriptions.model import AppliedDiscount, DiscountRemoved, Recording, Subscription


def remove_discount(
    uow: UnitOfWork,
    subscription_id: SubscriptionId,
    *,
    discount: DiscountId,
    effective: Effective,
    version: int,
    now: datetime,
    actor: str,
    reason: str,
) -> Subscription:
    """Let a discount lower nothing any more from the effective instant on; return how the subscription then stands.

    The redemption stays counted; `undo_change` of the entry that applied it gives it back.

    Raises:
        SubscriptionNotFound, VersionConflict, OutsideLife: see `tenor.subscriptions.changing`.
        NoSuchDiscount: it does not hold at that instant.
    """
    opened = open_for_change(uow, subscription_id, version=version, now=now)
    at, _ = effective_instant(uow, opened, effective, now=now)
    held = [one for one in opened.timeline.discounts if _holds(one, at)]
    if discount not in {one.discount.id for one in held}:
        known = ", ".join(f"{to_wire('dis', one.discount.id)} ({one.discount.code})" for one in held)
        raise NoSuchDiscount(f"{to_wire('dis', discount)} does not hold then; there is {known or 'none'}")
    return record_changes(uow, opened, [(DiscountRemoved(discount), at)], Recording(now, actor, reason))


def _holds(applied: AppliedDiscount, at: datetime) -> bool:
    return applied.applied_at <= at and (applied.removed_at is None or at < applied.removed_at)
