"""Bill top-ups: invoice what wallets have ordered for themselves."""

from collections.abc import Sequence
from datetime import datetime

from tenor.invoicing.billing_settings import billing_settings
from tenor.invoicing.purchases import BilledPurchase, PendingTopUp, pending_top_ups
from tenor.invoicing.selling import Sale, issue_sales
from tenor.kernel.ids import TopUpId, from_wire
from tenor.kernel.quantity import plain
from tenor.platform.event import Event
from tenor.platform.unit_of_work import UnitOfWork
from tenor.wallets import mark_invoiced, settle_top_up


def bill_top_ups(uow: UnitOfWork, *, now: datetime, actor: str, reason: str, limit: int = 1000) -> list[BilledPurchase]:
    """Invoice every top-up that was ordered and is not billed yet, `limit` at most. Called again, it goes on.

    Paying the invoice settles the order and grants the credit; voiding it or writing it off fails the order. What
    costs less than the smallest unit of money is granted without an invoice.
    """
    return _bill(uow, pending_top_ups(uow, limit=limit), now=now, actor=actor, reason=reason)


def bill_ordered_top_ups(uow: UnitOfWork, events: Sequence[Event]) -> None:
    """Invoice top-ups as they are ordered, of customers whose billing settings say so; follows `wallet.top_up_ordered`.

    Whoever orders them has locked their customers before their wallets: see `order_top_ups`.
    """
    ids = [TopUpId(from_wire("top", str(event.payload["top_up_id"]))) for event in events]
    orders = pending_top_ups(uow, among=ids)
    settings = billing_settings(uow, {order.customer_id for order in orders})
    at_once = [order for order in orders if settings[order.customer_id].invoices_top_ups]
    _bill(uow, at_once, now=events[-1].occurred_at, actor="top-up", reason="invoiced as it is ordered")


def _bill(
    uow: UnitOfWork, orders: Sequence[PendingTopUp], *, now: datetime, actor: str, reason: str
) -> list[BilledPurchase]:
    for order in orders:
        if not order.price_minor:
            settle_top_up(uow, order.id, is_paid=True, now=now, actor=actor, reason=reason)
    sales = [
        Sale(
            wallet_id=order.wallet_id,
            customer_id=order.customer_id,
            currency=order.currency,
            amount=order.amount,
            price_minor=order.price_minor,
            description=f"{plain(order.amount)} {order.unit} of prepaid credit (top-up)",
            top_up_id=order.id,
        )
        for order in orders
        if order.price_minor
    ]
    mark_invoiced(uow, [order.id for order in orders if order.price_minor])
    return issue_sales(uow, sales, now=now, actor=actor, reason=reason)
