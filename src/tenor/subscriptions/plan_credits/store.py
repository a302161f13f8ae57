"""Which subscriptions have to do with credits of plans, and what runs of them at an instant."""

from collections.abc import Sequence
from datetime import datetime

from tenor.kernel.ids import SubscriptionId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import plan_versions
from tenor.subscriptions.model import PhaseState, Status
from tenor.subscriptions.plan_credits.rules import RunningItem
from tenor.subscriptions.store.facts import terms_from_json


def are_there_credits(uow: UnitOfWork) -> bool:
    """Whether any plan version of this tenant has ever had credits."""
    return uow.fetch_one("select from plan_versions where definition ? 'credits' limit 1") is not None


def subscriptions_with_credits(uow: UnitOfWork) -> list[SubscriptionId]:
    """Return the subscriptions that have an item with credits, or are promised some still, by id."""
    rows = uow.fetch_all(
        """
        select i.subscription_id from subscription_items i
        join plan_versions v on v.id = i.plan_version_id and v.definition ? 'credits'
        union
        select subscription_id from recurring_grants where subscription_id is not null and next_at is not null
        order by 1
        """
    )
    return [SubscriptionId(subscription_id) for (subscription_id,) in rows]


def running_items(uow: UnitOfWork, subscription_ids: Sequence[SubscriptionId], *, at: datetime) -> list[RunningItem]:
    """Return the items with credits that run at an instant, by subscription, the plan before its add-ons."""
    rows = uow.fetch_all(
        """
        select s.id, s.customer_id, s.timezone, s.profile, s.status, i.anchor_at, p.state, p.terms, i.plan_version_id
        from subscriptions s
        join subscription_items i on i.subscription_id = s.id
        join plan_versions v on v.id = i.plan_version_id and v.definition ? 'credits'
        join phases p on p.item_id = i.id and p.superseded_by_version is null
            and p.starts_at <= %(at)s and (p.ends_at is null or p.ends_at > %(at)s)
        where s.id = any(%(ids)s)
        order by s.id, i.is_add_on, i.id
        """,
        {"at": at, "ids": list(subscription_ids)},
    )
    plans = plan_versions(uow, {row[-1] for row in rows}) if rows else {}
    return [
        RunningItem(
            subscription_id=SubscriptionId(subscription_id),
            customer_id=customer_id,
            timezone=timezone,
            profile=profile,
            status=Status(status),
            anchor_at=anchor_at,
            state=PhaseState(state),
            terms=terms_from_json(terms),
            plan=plans[plan_version_id],
        )
        for subscription_id, customer_id, timezone, profile, status, anchor_at, state, terms, plan_version_id in rows
    ]
