"""Move the billing dates of a subscription."""

from datetime import datetime

from tenor.kernel.calendar import parse_zone
from tenor.kernel.ids import ItemId, SubscriptionId
from tenor.kernel.period import parse_instant
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions.changing import Effective, open_for_change
from tenor.subscriptions.errors import GridRefused
from tenor.subscriptions.model import AnchorMoved, Recording, Subscription
from tenor.subscriptions.rules.anchors import anchor_on_day, reanchored, require_movable
from tenor.subscriptions.rules.grid import period_end
from tenor.subscriptions.rules.resumption import Running
from tenor.subscriptions.running import new_item_ids, record_and_replan, running_at, target_at


def move_anchor(
    uow: UnitOfWork,
    subscription_id: SubscriptionId,
    *,
    to: datetime | int,
    effective: Effective,
    version: int,
    now: datetime,
    actor: str,
    reason: str,
    add_on: ItemId | None = None,
) -> Subscription:
    """Let the billing periods count from another instant, or from a day of the month, from the effective instant on.

    Return how the subscription then stands. The period that runs is cut there, and the part up to the next new
    boundary costs its share. A day keeps the local time of day. Add-ons that count from the anchor of the plan come
    along; `add_on` names one that is moved alone.

    Raises:
        SubscriptionNotFound, VersionConflict, OutsideLife, NoSuchAddOn: see `tenor.subscriptions.changing`, `running`.
        NotADayOfMonth: it is not between 1 and 31.
        GridRefused: the policy fixes the dates, a plan of days or weeks knows no day of the month, or the anchor is
            where it was.
    """
    opened = open_for_change(uow, subscription_id, version=version, now=now)
    require_movable(opened.subscription.profile)
    at, target = target_at(uow, opened, effective, add_on=add_on, now=now)
    former = target.item.anchor_at
    if isinstance(to, datetime):
        anchor_at = parse_instant(to, name="to")
    else:
        anchor_at = _anchor_on_day(to, target, opened.subscription, at)
    moved = [target.item] if add_on else [one.item for one in running_at(uow, opened.timeline, at)]
    reopened = reanchored(moved, former=former, anchor_at=anchor_at, ids=new_item_ids(opened, now=now))
    if not reopened:
        raise GridRefused("the billing periods count from that instant already")
    return record_and_replan(uow, opened, [(AnchorMoved(reopened), at)], Recording(now, actor, reason))


def _anchor_on_day(day_of_month: int, target: Running, subscription: Subscription, at: datetime) -> datetime:
    interval = target.plan.interval
    if not interval.months:
        raise GridRefused(
            f"plan {target.plan.plan!r} is billed by the {interval.unit}, which knows no day of the month;"
            " name an instant"
        )
    return anchor_on_day(
        day_of_month,
        near=period_end(target.item, interval, subscription, at=at),
        former=target.item.anchor_at,
        interval=interval,
        zone=parse_zone(subscription.timezone),
    )
