"""Transfer a subscription to another customer."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from tenor.customers import customer_timezones
from tenor.kernel.ids import CustomerId, SubscriptionId, to_wire
from tenor.kernel.period import format_instant, parse_instant
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions.changing import Effective, Opened, open_for_change, record_changes
from tenor.subscriptions.errors import TransferRefused
from tenor.subscriptions.model import (
    AddOnAdded,
    Cancelled,
    Change,
    Facts,
    NewSubscription,
    Recording,
    Status,
    Subscribed,
    Subscription,
)
from tenor.subscriptions.opening import Opening, open_subscriptions
from tenor.subscriptions.rules.admission import external_id_flaws, item_ids, request_digest, subscription_id_of
from tenor.subscriptions.rules.resumption import Running
from tenor.subscriptions.rules.standing import agreed_end, pause_at
from tenor.subscriptions.rules.trials import trial_end_after_change
from tenor.subscriptions.running import running_at, target_at, terms_at
from tenor.subscriptions.store.subscriptions import known_external_ids

Anchor = Literal["keep", "restart"] | datetime
"""From when the billing periods count under the new customer: as before, from the transfer, or from an instant."""


def transfer(
    uow: UnitOfWork,
    subscription_id: SubscriptionId,
    *,
    to: CustomerId,
    external_id: str,
    effective: Effective,
    version: int,
    now: datetime,
    actor: str,
    reason: str,
    anchor: Anchor = "keep",
) -> Subscription:
    """Let another customer go on with a subscription from the effective instant; return theirs, named `external_id`.

    The one here is cancelled, and the rest of its period credited. The one there begins on the same plan versions,
    terms, trial and term, in the same zone and by the same profile, add-ons included; discounts, and what is planned
    for later, stay behind. Both journals name each other.

    Raises:
        SubscriptionNotFound, VersionConflict, OutsideLife: see `tenor.subscriptions.changing`.
        TransferRefused: it is the customer's already, there is no such customer, the external id cannot be or is
            taken, or service is paused at that instant.
    """
    opened = open_for_change(uow, subscription_id, version=version, now=now)
    at, plan = target_at(uow, opened, effective, add_on=None, now=now)
    _require_transferable(uow, opened, to=to, external_id=external_id, at=at)
    recording = Recording(now, actor, reason)
    add_ons = [one for one in running_at(uow, opened.timeline, at) if one.item.is_add_on]
    _require_sold_to(to, [plan, *add_ons])
    there = _continued(uow, opened, plan, add_ons, to=to, external_id=external_id, at=at, anchor=anchor, by=recording)
    (transferred,) = open_subscriptions(uow, [there], now=now)
    record_changes(uow, opened, [(Cancelled(transferred_to=transferred.id), at)], recording)
    return transferred


def _require_transferable(uow: UnitOfWork, opened: Opened, *, to: CustomerId, external_id: str, at: datetime) -> None:
    if to == opened.subscription.customer_id:
        raise TransferRefused("the subscription is that customer's already")
    if to not in customer_timezones(uow, [to]):
        raise TransferRefused(f"there is no customer {to_wire('cus', to)}")
    if flaws := external_id_flaws(external_id):
        raise TransferRefused(flaws[0].message)
    if known := known_external_ids(uow, [external_id]):
        raise TransferRefused(f"external id {external_id!r} is that of {to_wire('sub', known[external_id].id)} already")
    if pause_at(opened.journal, at):
        raise TransferRefused(f"at {format_instant(at)} the subscription is paused; resume it before it is transferred")


def _require_sold_to(to: CustomerId, running: Sequence[Running]) -> None:
    """Refuse what was agreed with another customer alone."""
    private = next((one.plan for one in running if one.plan.customer_id not in (None, to)), None)
    if private is not None:
        raise TransferRefused(f"{private.plan!r} is of a contract with another customer; move to a plan that is sold")


def _continued(
    uow: UnitOfWork,
    opened: Opened,
    plan: Running,
    add_ons: Sequence[Running],
    *,
    to: CustomerId,
    external_id: str,
    at: datetime,
    anchor: Anchor,
    by: Recording,
) -> Opening:
    """Return the subscription of the other customer, as it begins."""
    former = opened.subscription
    id_ = subscription_id_of(uow.tenant_id, external_id, now=by.now)
    ids = item_ids(id_, version=1, now=by.now)
    trial_ends_at = trial_end_after_change(former.trial_ends_at, changed_at=at)
    term_ends_at = agreed_end(opened.journal)

    def anchor_of(one: Running) -> datetime:
        if isinstance(anchor, datetime):
            return parse_instant(anchor, name="anchor")
        return one.item.anchor_at if anchor == "keep" else trial_ends_at or at

    first = Subscribed(
        item_id=next(ids),
        plan_version_id=plan.plan.id,
        anchor_at=anchor_of(plan),
        terms=terms_at(plan, at),
        discount_percent=plan.item.discount_percent,
        trial_ends_at=trial_ends_at,
        trial_converts=former.trial_converts,
        ends_at=term_ends_at,
        transferred_from=former.id,
    )
    facts: list[Facts] = [first]
    facts += [AddOnAdded(next(ids), one.plan.id, anchor_of(one), terms_at(one, at)) for one in add_ons]
    changes = tuple(Change(version, at, *by, entry) for version, entry in enumerate(facts, start=1))
    subscription = Subscription(
        id=id_,
        customer_id=to,
        external_id=external_id,
        currency=former.currency,
        timezone=former.timezone,
        profile=former.profile,
        status=Status.CREATED,
        version=len(changes),
        starts_at=at,
        trial_ends_at=trial_ends_at,
        trial_converts=former.trial_converts,
        ends_at=term_ends_at,
        notice_days=former.notice_days,
        renewal=former.renewal,
    )
    request = NewSubscription(external_id=external_id, customer_id=to, plan=plan.plan.plan, starts_at=at)
    return Opening(subscription, changes, request_digest(request))
