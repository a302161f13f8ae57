"""Rows of `credit_purchases`: prepaid credit that documents bill, and what became of it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple

from psycopg.types.json import Jsonb

from tenor.kernel.calendar import Interval, Unit
from tenor.kernel.ids import AdjustmentId, CustomerId, GrantId, InvoiceId, TopUpId, WalletId
from tenor.platform.unit_of_work import UnitOfWork

PurchaseStatus = Literal["pending", "granted", "failed"]


class CreditPurchase(NamedTuple):
    """Credit that was sold: `amount` of the wallet's unit for `net_minor`, billed by an adjustment.

    `lasts` None: it never expires. `top_up_id`: the order that it carries out, or None.
    """

    adjustment_id: AdjustmentId
    wallet_id: WalletId
    amount: Decimal
    net_minor: int
    priority: int
    features: frozenset[str]
    lasts: Interval | None
    top_up_id: TopUpId | None
    status: PurchaseStatus = "pending"
    grant_id: GrantId | None = None


class BilledPurchase(NamedTuple):
    """A purchase and the document that bills it. `is_top_up_open`: its order waits to be settled."""

    purchase: CreditPurchase
    invoice_id: InvoiceId
    name: str
    due_minor: int
    is_top_up_open: bool


class PendingTopUp(NamedTuple):
    """A top-up that was ordered and that no document bills yet."""

    id: TopUpId
    wallet_id: WalletId
    customer_id: CustomerId
    currency: str
    unit: str
    amount: Decimal
    price_minor: int


_COLUMNS: Final = "adjustment_id, wallet_id, amount, net_minor, priority, features, lasts, top_up_id, status, grant_id"
_BILLED: Final = f"""
    select {", ".join(f"p.{name}" for name in _COLUMNS.split(", "))},
           i.id, i.series || '-' || i.number, i.due_minor, coalesce(o.status = 'pending', false)
    from credit_purchases p
    join adjustment_claims c on c.adjustment_id = p.adjustment_id
    join invoices i on i.id = c.invoice_id
    left join top_up_orders o on o.id = p.top_up_id
"""


def insert_purchases(uow: UnitOfWork, purchases: Sequence[CreditPurchase]) -> None:
    """Write purchases that wait for their payment."""
    rows = [
        {
            **one._asdict(),
            "features": sorted(one.features),
            "lasts": None if one.lasts is None else f"{one.lasts.count} {one.lasts.unit}",
        }
        for one in purchases
    ]
    uow.execute(
        """
        insert into credit_purchases (tenant_id, status, adjustment_id, wallet_id, amount, net_minor, priority,
                                      features, lasts, top_up_id)
        select %s, 'pending', adjustment_id, wallet_id, amount, net_minor, priority,
               array(select jsonb_array_elements_text(features)), lasts, top_up_id
        from jsonb_to_recordset(%s) as p (
            adjustment_id uuid, wallet_id uuid, amount numeric, net_minor bigint, priority bigint, features jsonb,
            lasts text, top_up_id uuid)
        """,
        [uow.tenant_id, Jsonb(rows)],
    )


def purchases_billed_by(uow: UnitOfWork, invoice_ids: Collection[InvoiceId]) -> list[BilledPurchase]:
    """Return the purchases that these invoices bill."""
    rows = uow.fetch_all(f"{_BILLED} where i.id = any(%s) order by p.adjustment_id", [list(invoice_ids)])
    return [_billed(row) for row in rows]


def purchases_of(uow: UnitOfWork, adjustment_ids: Collection[AdjustmentId]) -> list[BilledPurchase]:
    """Return the purchases of these adjustments."""
    rows = uow.fetch_all(f"{_BILLED} where p.adjustment_id = any(%s) order by p.adjustment_id", [list(adjustment_ids)])
    return [_billed(row) for row in rows]


def settle_purchase(
    uow: UnitOfWork,
    adjustment_id: AdjustmentId,
    *,
    status: PurchaseStatus,
    grant_id: GrantId | None,
    now: datetime,
) -> None:
    """Write what became of a purchase."""
    uow.execute(
        "update credit_purchases set status = %s, grant_id = %s, settled_at = %s where adjustment_id = %s",
        [status, grant_id, now, adjustment_id],
    )


def pending_top_ups(
    uow: UnitOfWork, *, limit: int | None = None, among: Collection[TopUpId] | None = None
) -> list[PendingTopUp]:
    """Return top-ups that no document bills yet, the oldest first, locked; with `among`, only of these."""
    rows = uow.fetch_all(
        """
        select o.id, o.wallet_id, w.customer_id, w.currency, w.unit, o.amount, o.price_minor
        from top_up_orders o join wallets w on w.id = o.wallet_id
        where o.status = 'pending' and not o.is_invoiced and (%(among)s::uuid[] is null or o.id = any(%(among)s))
        order by o.ordered_at, o.id limit %(limit)s for update of o
        """,
        {"limit": limit, "among": None if among is None else list(among)},
    )
    return [PendingTopUp(*row) for row in rows]


def _billed(row: tuple[Any, ...]) -> BilledPurchase:
    lasts = None if row[6] is None else _interval(row[6])
    facts = (*row[:5], frozenset(row[5]), lasts, *row[7:10])
    return BilledPurchase(CreditPurchase(*facts), *row[10:])


def _interval(text: str) -> Interval:
    count, _, unit = text.partition(" ")
    return Interval(Unit(unit), int(count))
