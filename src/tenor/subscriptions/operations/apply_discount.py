"""Apply a discount to a subscription."""

from datetime import datetime

from tenor.kernel.ids import DiscountId, SubscriptionId, derived_id
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import redeem_coupon, redeem_promotion_code
from tenor.pricing.discounts.model import Occasion
from tenor.pricing.policy import profile
from tenor.subscriptions.changing import Effective, open_for_change, record_changes
from tenor.subscriptions.errors import Flaw, TermsRefused
from tenor.subscriptions.model import DiscountApplied, Recording, Subscription
from tenor.subscriptions.rules.offers import Offer, order_of
from tenor.subscriptions.running import target_at, terms_at
from tenor.subscriptions.store.subscriptions import is_only_subscription


def apply_discount(
    uow: UnitOfWork,
    subscription_id: SubscriptionId,
    *,
    coupon: str | None = None,
    promotion_code: str | None = None,
    effective: Effective,
    version: int,
    now: datetime,
    actor: str,
    reason: str,
) -> Subscription:
    """Redeem a coupon, or the promotion code of one, for the subscription; return how it then stands.

    The discount, as the coupon stands now, lowers what is owed from the effective instant on, for as long as its
    duration says. A minimum order is measured by the plan's fees and seats for one period and what it costs once.

    Raises:
        SubscriptionNotFound, VersionConflict, OutsideLife: see `tenor.subscriptions.changing`.
        TermsRefused: not exactly one of coupon and promotion code is given.
        Refusal: the coupon cannot be redeemed, see `tenor.pricing.redeem_coupon`.
    """
    opened = open_for_change(uow, subscription_id, version=version, now=now)
    at, target = target_at(uow, opened, effective, add_on=None, now=now)
    subscription = opened.subscription
    occasion = Occasion(
        customer_id=subscription.customer_id,
        currency=subscription.currency,
        subscription_id=subscription.id,
        order=order_of(Offer(target.plan, terms_at(target, at)), profile(subscription.profile)),
        is_first_purchase=is_only_subscription(uow, subscription),
        # Derived, so that the lines of a quote, whose traces name the discount, are those of its acceptance.
        discount_id=DiscountId(derived_id(now, subscription.id.bytes, b"discount", version.to_bytes(8))),
    )
    if coupon is not None and promotion_code is None:
        discount = redeem_coupon(uow, coupon, occasion, now=now, actor=actor, reason=reason)
    elif promotion_code is not None and coupon is None:
        discount = redeem_promotion_code(uow, promotion_code, occasion, now=now, actor=actor, reason=reason)
    else:
        raise TermsRefused([Flaw("coupon", "give a coupon or a promotion code, and not both")])
    return record_changes(uow, opened, [(DiscountApplied(discount), at)], Recording(now, actor, reason))
