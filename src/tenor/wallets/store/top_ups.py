"""Rows of `wallet_top_ups` and `top_up_orders`: when wallets are filled up, and what was asked for."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal, LiteralString, NamedTuple

from tenor.kernel.ids import GrantId, TopUpId, WalletId
from tenor.platform.unit_of_work import UnitOfWork

TopUpStatus = Literal["pending", "paid", "failed"]
_ORDER: Final = "id, wallet_id, amount, price_minor, status, grant_id, is_invoiced"


class TopUpRule(NamedTuple):
    """From less than `threshold` to `target`, in the wallet's unit, so many times a day (UTC) at most."""

    threshold: Decimal
    target: Decimal
    max_per_day: int
    is_active: bool = True


class LowWallet(NamedTuple):
    """A wallet that is to be filled up, and how many times it was asked for on this day."""

    wallet_id: WalletId
    rule: TopUpRule
    balance: Decimal
    ordered_today: int


class TopUpOrder(NamedTuple):
    """One top-up: how much credit is to be bought, and at what price in minor units of the wallet's currency.

    One that is invoiced is paid by paying its invoice.
    """

    id: TopUpId
    wallet_id: WalletId
    amount: Decimal
    price_minor: int
    status: TopUpStatus
    grant_id: GrantId | None
    is_invoiced: bool = False


def put_rule(uow: UnitOfWork, wallet_id: WalletId, rule: TopUpRule) -> None:
    """Write when a wallet is filled up, in place of what was said before."""
    uow.execute(
        """
        insert into wallet_top_ups (tenant_id, wallet_id, threshold, target, max_per_day, is_active)
        values (%s, %s, %s, %s, %s, %s)
        on conflict (tenant_id, wallet_id) do update set threshold = excluded.threshold, target = excluded.target,
            max_per_day = excluded.max_per_day, is_active = excluded.is_active
        """,
        [uow.tenant_id, wallet_id, *rule],
    )


def top_up_rule(uow: UnitOfWork, wallet_id: WalletId) -> TopUpRule | None:
    """Return when a wallet is filled up; None where nobody has said."""
    row = uow.fetch_one(
        "select threshold, target, max_per_day, is_active from wallet_top_ups where wallet_id = %s", [wallet_id]
    )
    return None if row is None else TopUpRule(*row)


def top_up_orders(uow: UnitOfWork, wallet_id: WalletId, *, limit: int = 100) -> list[TopUpOrder]:
    """Return what was ordered for a wallet, the newest first."""
    rows = uow.fetch_all(
        f"select {_ORDER} from top_up_orders where wallet_id = %s order by ordered_at desc, id desc limit %s",
        [wallet_id, limit],
    )
    return [TopUpOrder(*row) for row in rows]


def lock_low_wallets(uow: UnitOfWork, *, now: datetime, limit: int) -> list[LowWallet]:
    """Return wallets below their threshold with none in flight and a top-up left today, locked after their customers.

    Who pays or buys locks a customer before its wallets: in the same order nobody waits in a circle.
    """
    found = _low_wallets(uow, "", now=now, among=None, limit=limit)
    if not found:
        return []
    ids = [low.wallet_id for low in found]
    uow.execute(
        "select from customers where id in (select customer_id from wallets where id = any(%s))"
        " order by id for no key update",
        [ids],
    )
    return _low_wallets(uow, "for update of w", now=now, among=ids, limit=limit)


def _low_wallets(
    uow: UnitOfWork, locking: LiteralString, *, now: datetime, among: list[WalletId] | None, limit: int
) -> list[LowWallet]:
    rows = uow.fetch_all(
        """
        select w.id, t.threshold, t.target, t.max_per_day, b.balance, o.count
        from wallet_top_ups t join wallets w on w.id = t.wallet_id
        cross join lateral (
            select coalesce(sum(g.remaining), 0) as balance from credit_grants g
            where g.wallet_id = w.id and g.remaining > 0 and g.effective_at <= %(now)s
            and (g.expires_at is null or g.expires_at > %(now)s)
        ) b
        cross join lateral (
            select count(*) as count from top_up_orders o
            where o.wallet_id = w.id and o.day = (%(now)s at time zone 'UTC')::date
        ) o
        where t.is_active and b.balance < t.threshold and o.count < t.max_per_day
        and (%(among)s::uuid[] is null or w.id = any(%(among)s))
        and not exists (select from top_up_orders p where p.wallet_id = w.id and p.status = 'pending')
        order by w.id limit %(limit)s
        """
        + locking,
        {"now": now, "among": among, "limit": limit},
    )
    return [
        LowWallet(wallet_id, TopUpRule(threshold, target, max_per_day), balance, count)
        for wallet_id, threshold, target, max_per_day, balance, count in rows
    ]


def insert_orders(uow: UnitOfWork, orders: Sequence[tuple[TopUpOrder, LowWallet]], *, now: datetime) -> set[TopUpId]:
    """Write top-ups; return those that were written. One that somebody else has asked for meanwhile is left out."""
    rows = uow.fetch_all(
        """
        insert into top_up_orders (tenant_id, id, wallet_id, amount, price_minor, status, ordered_at, day, order_of_day,
                                   max_per_day)
        select %s, o.id, o.wallet_id, o.amount, o.price_minor, 'pending', %s, (%s at time zone 'UTC')::date,
               o.count + 1, o.max_per_day
        from unnest(%s::uuid[], %s::uuid[], %s::numeric[], %s::bigint[], %s::bigint[], %s::bigint[])
            as o (id, wallet_id, amount, price_minor, count, max_per_day)
        on conflict do nothing returning id
        """,
        [
            uow.tenant_id,
            now,
            now,
            [order.id for order, _ in orders],
            [order.wallet_id for order, _ in orders],
            [order.amount for order, _ in orders],
            [order.price_minor for order, _ in orders],
            [low.ordered_today for _, low in orders],
            [low.rule.max_per_day for _, low in orders],
        ],
    )
    return {order_id for (order_id,) in rows}


def lock_order(uow: UnitOfWork, order_id: TopUpId) -> TopUpOrder | None:
    """Return a top-up, locked until the transaction ends; None where there is none."""
    row = uow.fetch_one(f"select {_ORDER} from top_up_orders where id = %s for update", [order_id])
    return None if row is None else TopUpOrder(*row)


def settle_order(
    uow: UnitOfWork, order_id: TopUpId, status: TopUpStatus, grant_id: GrantId | None, *, now: datetime
) -> None:
    """Write what became of a top-up."""
    uow.execute(
        "update top_up_orders set status = %s, grant_id = %s, settled_at = %s where id = %s and status = 'pending'",
        [status, grant_id, now, order_id],
    )


def mark_invoiced(uow: UnitOfWork, order_ids: Iterable[TopUpId]) -> None:
    """Write that documents bill these top-ups."""
    uow.execute("update top_up_orders set is_invoiced = true where id = any(%s)", [list(order_ids)])
