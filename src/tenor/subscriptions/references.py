"""What people and programs call things of subscriptions by: an id, or the name that their own systems know."""

from tenor.kernel.errors import NotFound
from tenor.kernel.ids import DiscountId, ItemId, NotAnId, SubscriptionId, from_wire, to_wire
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import plan_versions
from tenor.subscriptions.model import Subscription
from tenor.subscriptions.queries import find_subscription, load_items


def named_subscription(uow: UnitOfWork, reference: str) -> Subscription:
    """Return the subscription with the id ('sub_01…') or the external id `reference`; ids go before names.

    Raises:
        SubscriptionNotFound: there is none.
    """
    try:
        found = load_items(uow, [SubscriptionId(from_wire("sub", reference))])
    except NotAnId:
        found = []
    return found[0].subscription if found else find_subscription(uow, reference)


def find_add_on(uow: UnitOfWork, subscription_id: SubscriptionId, reference: str) -> ItemId:
    """Return the id of the newest add-on that is on the plan `reference`, or has that id ('itm_01…').

    Raises:
        NotFound: no add-on is on this plan. Whether there is one with the id, the operation sees.
    """
    if reference.startswith("itm_"):
        return ItemId(from_wire("itm", reference))
    (standing,) = load_items(uow, [subscription_id])
    add_ons = [item for item in standing.timeline.items if item.is_add_on]
    plans = plan_versions(uow, {item.plan_version_id for item in add_ons})
    meant = [item.id for item in add_ons if plans[item.plan_version_id].plan == reference]
    if not meant:
        known = ", ".join(f"{to_wire('itm', item.id)} ({plans[item.plan_version_id].plan})" for item in add_ons)
        raise NotFound(f"there is no add-on on plan {reference[:60]!r}; there is {known or 'none'}")
    return meant[-1]


def find_discount(uow: UnitOfWork, subscription_id: SubscriptionId, reference: str) -> DiscountId:
    """Return the id of the newest discount by the code of its coupon, or by its own id ('dis_01…').

    Raises:
        NotFound: there is none by this coupon. Whether there is one with the id, the operation sees.
    """
    if reference.startswith("dis_"):
        return DiscountId(from_wire("dis", reference))
    (standing,) = load_items(uow, [subscription_id])
    known = {one.discount.code: one.discount.id for one in standing.timeline.discounts}
    if reference not in known:
        raise NotFound(f"there is no discount by coupon {reference[:60]!r}; there is {', '.join(known) or 'none'}")
    return known[reference]
