"""Top wallets up: order credit when little is left, and grant it when it was paid."""

from datetime import datetime
from decimal import localcontext
from typing import Final

from tenor.kernel.ids import TopUpId, WalletId, new_id, to_wire
from tenor.kernel.money import EXACT, to_minor
from tenor.kernel.quantity import parse_quantity, plain
from tenor.platform.outbox import Event, publish
from tenor.platform.telling import tell
from tenor.platform.unit_of_work import UnitOfWork
from tenor.wallets.errors import MalformedWallet, TopUpNotFound, TopUpSettled
from tenor.wallets.model import NewGrant, PaidFrom
from tenor.wallets.operations.grant_credits import grant_credits
from tenor.wallets.store.top_ups import (
    TopUpOrder,
    TopUpRule,
    insert_orders,
    lock_low_wallets,
    lock_order,
    put_rule,
    settle_order,
)
from tenor.wallets.store.wallets import lock_wallets
from tenor.wallets.using import lock_wallet

PER_DAY_MAX: Final = 1000


def set_top_up(
    uow: UnitOfWork, wallet_id: WalletId, rule: TopUpRule, *, now: datetime, actor: str, reason: str
) -> None:
    """Say when a wallet is filled up by itself, or no longer is.

    Raises:
        WalletNotFound: there is no such wallet.
        MalformedWallet, NotADecimal: bounds that cannot be.
    """
    parse_quantity(rule.threshold, name="threshold")
    if parse_quantity(rule.target, name="target") <= rule.threshold:
        raise MalformedWallet("a wallet is filled up to more than what is too little")
    if not 1 <= rule.max_per_day <= PER_DAY_MAX:
        raise MalformedWallet(f"a wallet is filled up 1 to {PER_DAY_MAX} times a day at most")
    lock_wallet(uow, wallet_id)
    put_rule(uow, wallet_id, rule)
    facts = {
        "threshold": plain(rule.threshold),
        "target": plain(rule.target),
        "max_per_day": rule.max_per_day,
        "is_active": rule.is_active,
    }
    tell(uow, "wallet.top_up_set", wallet_id, facts, now=now, actor=actor, reason=reason)


def order_top_ups(uow: UnitOfWork, *, now: datetime, limit: int = 1000) -> list[TopUpOrder]:
    """Order what fills up each wallet that has less than its threshold, of `limit` wallets at most.

    Whoever takes the payment, or bills it, hears the event. Until it is settled nothing more is ordered for a wallet.
    Call it in a transaction that has locked no wallet before: their customers are locked first.
    """
    low = lock_low_wallets(uow, now=now, limit=limit)
    if not low:
        return []
    wallets = lock_wallets(uow, [entry.wallet_id for entry in low])
    with localcontext(EXACT):
        orders = [
            (
                TopUpOrder(
                    id=TopUpId(new_id(now)),
                    wallet_id=entry.wallet_id,
                    amount=entry.rule.target - entry.balance,
                    price_minor=to_minor(
                        (entry.rule.target - entry.balance) * wallets[entry.wallet_id].terms.rate,
                        wallets[entry.wallet_id].terms.currency,
                    ),
                    status="pending",
                    grant_id=None,
                ),
                entry,
            )
            for entry in low
        ]
    written = insert_orders(uow, orders, now=now)
    asked = [(order, entry.balance) for order, entry in orders if order.id in written]
    publish(
        uow,
        [
            Event(
                "wallet.top_up_ordered",
                order.wallet_id,
                {
                    "top_up_id": to_wire("top", order.id),
                    "wallet_id": to_wire("wal", order.wallet_id),
                    "amount": plain(order.amount),
                    "price_minor": order.price_minor,
                    "currency": wallets[order.wallet_id].terms.currency,
                    "balance": plain(balance),
                },
                now,
            )
            for order, balance in asked
        ],
    )
    return [order for order, _ in asked]


def settle_top_up(
    uow: UnitOfWork,
    top_up_id: TopUpId,
    *,
    is_paid: bool,
    paid_from: PaidFrom = "cash",
    now: datetime,
    actor: str,
    reason: str,
) -> TopUpOrder:
    """Say what became of a top-up: paid, it is granted; failed, another may be ordered. The same again changes nothing.

    `paid_from` 'invoice': a document bills it, in the same transaction or before.

    Raises:
        TopUpNotFound: there is no such top-up.
        TopUpSettled: it was settled in the other way before, or is to be paid otherwise.
    """
    order = lock_order(uow, top_up_id)
    if order is None:
        raise TopUpNotFound(f"there is no top-up {to_wire('top', top_up_id)}")
    if order.status != "pending":
        if (order.status == "paid") != is_paid:
            raise TopUpSettled(f"{to_wire('top', top_up_id)} has {order.status} before")
        return order
    if is_paid and order.is_invoiced != (paid_from == "invoice"):
        how = "is invoiced: pay its invoice" if order.is_invoiced else "is not invoiced"
        raise TopUpSettled(f"{to_wire('top', top_up_id)} {how}")
    grant_id = None
    if is_paid:
        new = NewGrant(order.amount, "purchase", "paid", cost_minor=order.price_minor, paid_from=paid_from)
        grant_id = grant_credits(uow, order.wallet_id, new, now=now, actor=actor, reason=reason).grant_id
    settled = order._replace(status="paid" if is_paid else "failed", grant_id=grant_id)
    settle_order(uow, order.id, settled.status, grant_id, now=now)
    facts = {"wallet_id": to_wire("wal", order.wallet_id), "status": settled.status, "amount": plain(order.amount)}
    tell(uow, "top_up.settled", order.id, facts, now=now, actor=actor, reason=reason)
    return settled
