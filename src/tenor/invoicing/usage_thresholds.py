"""Rows of usage thresholds: what is agreed with customers and for subscriptions, and what was billed toward them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from psycopg.types.json import Jsonb

from tenor.kernel.ids import CustomerId, SubscriptionId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import UsageThresholds, thresholds_from_json, thresholds_to_json
from tenor.subscriptions import Subscription


def agreed_thresholds(
    uow: UnitOfWork, subscriptions: Sequence[Subscription]
) -> Mapping[SubscriptionId, UsageThresholds]:
    """Return the thresholds of each subscription for which some are agreed: its own, else its customer's.

    Those that are agreed to be none are there. One statement.
    """
    holders = {one.id for one in subscriptions} | {one.customer_id for one in subscriptions}
    rows = uow.fetch_all(
        """
        select distinct on (holder_id, currency) holder_id, currency, thresholds
        from usage_thresholds where holder_id = any(%s) order by holder_id, currency, version desc
        """,
        [list(holders)],
    )
    agreed = {(holder_id, currency): thresholds_from_json(body) for holder_id, currency, body in rows}
    if not agreed:
        return {}
    found = {}
    for one in subscriptions:
        for holder_id in (one.id, one.customer_id):
            if (holder_id, one.currency) in agreed:
                found[one.id] = agreed[holder_id, one.currency]
                break
    return found


def save_thresholds(
    uow: UnitOfWork,
    customer_id: CustomerId,
    subscription_id: SubscriptionId | None,
    currency: str,
    thresholds: UsageThresholds,
    *,
    now: datetime,
    actor: str,
    reason: str,
) -> None:
    """Write thresholds of a subscription, or (None) of all of a customer in a currency, as their next version."""
    uow.execute("select pg_advisory_xact_lock(hashtextextended('usage thresholds of ' || %s, 0))", [customer_id])
    uow.execute(
        """
        insert into usage_thresholds
            (tenant_id, customer_id, subscription_id, currency, version, thresholds, set_at, actor, reason)
        select %(tenant)s, %(customer)s, %(subscription)s, %(currency)s, 1 + coalesce((
                   select max(version) from usage_thresholds
                   where holder_id = coalesce(%(subscription)s::uuid, %(customer)s) and currency = %(currency)s
               ), 0), %(thresholds)s, %(now)s, %(actor)s, %(reason)s
        """,
        {
            "tenant": uow.tenant_id,
            "customer": customer_id,
            "subscription": subscription_id,
            "currency": currency,
            "thresholds": Jsonb(thresholds_to_json(thresholds)),
            "now": now,
            "actor": actor,
            "reason": reason,
        },
    )


def usage_billed(uow: UnitOfWork, subscription_ids: Collection[SubscriptionId]) -> dict[SubscriptionId, int]:
    """Return what documents hold of usage over the whole life of each subscription, in minor units; one statement."""
    rows = uow.fetch_all(
        """
        select i.subscription_id, sum(l.amount_minor)::bigint
        from subscription_items i join charges c on c.plan_version_id = i.plan_version_id and c.kind = 'usage'
        join invoice_lines l on l.item_id = i.id and l.charge_id = c.id
        where i.subscription_id = any(%s) group by i.subscription_id
        """,
        [list(subscription_ids)],
    )
    return {SubscriptionId(subscription_id): minor for subscription_id, minor in rows}
