"""Take a coupon off offer."""

from datetime import datetime

from tenor.kernel.period import format_instant
from tenor.platform.telling import tell
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing.discounts.errors import CouponNotFound
from tenor.pricing.discounts.model import Coupon, coupon_code
from tenor.pricing.discounts.store import find_coupon, set_archived


def archive_coupon(uow: UnitOfWork, code: str, *, now: datetime, actor: str, reason: str) -> Coupon:
    """End the offer for good, also through its promotion codes; discounts that were granted go on.

    Archiving again changes nothing.

    Raises:
        CouponNotFound: there is no coupon of this code.
    """
    coupon = find_coupon(uow, coupon_code(code))
    if coupon is None:
        raise CouponNotFound(f"there is no coupon {code!r}")
    if set_archived(uow, coupon.id, now=now):
        facts = {"code": code, "archived_at": format_instant(now)}
        tell(uow, "coupon.archived", coupon.id, facts, now=now, actor=actor, reason=reason)
    return find_coupon(uow, code) or coupon
