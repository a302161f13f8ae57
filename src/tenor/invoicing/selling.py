"""Sell prepaid credit: an invoice for each sale, and the credit granted when it is paid, or at once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from tenor.invoicing.adjustments import Adjustment, AdjustmentKind, insert_adjustments
from tenor.invoicing.issue import draw_credit
from tenor.invoicing.model import DocumentKind, Draft
from tenor.invoicing.outside_runs import issue_at_once, parties_of
from tenor.invoicing.purchase_settlement import grant_purchase
from tenor.invoicing.purchases import BilledPurchase, CreditPurchase, insert_purchases, purchases_of
from tenor.invoicing.receivables import lock_customers
from tenor.invoicing.rules.documents import Occasion, Party, draft_documents
from tenor.kernel.calendar import Interval
from tenor.kernel.ids import AdjustmentId, CustomerId, TopUpId, WalletId, new_id, to_wire
from tenor.kernel.period import Period
from tenor.kernel.quantity import plain
from tenor.platform.audit import Deed, record
from tenor.platform.outbox import Event, publish
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing.model import TaxMode
from tenor.taxes.model import RatesOfCustomer, TaxTreatment
from tenor.wallets import lock_wallets
from tenor.wallets.model import PRIORITY_LAST

OUT_OF_SCOPE: Final = "out_of_scope"
"""The tax category of a sale that bears no tax: what is bought with the credit is taxed when it is billed."""

_INSTANT: Final = timedelta(microseconds=1)
_UNTAXED: Final = RatesOfCustomer({}, TaxTreatment((), "override", note="prepaid credit: taxed when it is used"))


class Sale(NamedTuple):
    """Credit that is to be sold into a wallet: `amount` of its unit for `price_minor` without tax."""

    wallet_id: WalletId
    customer_id: CustomerId
    currency: str
    amount: Decimal
    price_minor: int
    description: str
    tax_category: str = OUT_OF_SCOPE
    priority: int = PRIORITY_LAST
    features: frozenset[str] = frozenset()
    lasts: Interval | None = None
    top_up_id: TopUpId | None = None
    is_granted_at_once: bool = False


def issue_sales(
    uow: UnitOfWork, sales: Sequence[Sale], *, now: datetime, actor: str, reason: str
) -> list[BilledPurchase]:
    """Issue an invoice for each sale; grant what is to be granted at once, or needs no payment. In their order.

    The number of statements hangs on what is granted alone.
    """
    if not sales:
        return []
    lock_customers(uow, {sale.customer_id for sale in sales})
    lock_wallets(uow, {sale.wallet_id for sale in sales})  # before any credit moves, as whoever draws does it
    payers = {(sale.customer_id, sale.currency) for sale in sales}
    parties = parties_of(uow, payers, tax_mode=TaxMode.EXCLUSIVE, at=now)
    adjustments = [_adjustment(sale, now=now, actor=actor, reason=reason) for sale in sales]
    insert_adjustments(uow, adjustments)
    drafts = [
        _draft(adjustment, parties[adjustment.customer_id, adjustment.currency], now=now) for adjustment in adjustments
    ]
    issue_at_once(uow, draw_credit(uow, drafts), now=now)
    insert_purchases(
        uow,
        [
            _purchase(sale, adjustment.id, draft)
            for sale, adjustment, draft in zip(sales, adjustments, drafts, strict=True)
        ],
    )
    _tell(uow, sales, adjustments)
    ids = [adjustment.id for adjustment in adjustments]
    at_once = {adjustment.id for sale, adjustment in zip(sales, adjustments, strict=True) if sale.is_granted_at_once}
    for billed in purchases_of(uow, ids):
        if billed.purchase.adjustment_id in at_once or not billed.due_minor:
            grant_purchase(uow, billed, now=now, actor=actor, reason=reason)
    found = {billed.purchase.adjustment_id: billed for billed in purchases_of(uow, ids)}
    return [found[adjustment_id] for adjustment_id in ids]


def _adjustment(sale: Sale, *, now: datetime, actor: str, reason: str) -> Adjustment:
    return Adjustment(
        id=AdjustmentId(new_id(now)),
        kind=AdjustmentKind.CREDIT_PURCHASE,
        customer_id=sale.customer_id,
        subscription_id=None,
        currency=sale.currency,
        amount_minor=sale.price_minor,
        description=sale.description,
        tax_category=sale.tax_category,
        period=Period(now, now + _INSTANT),
        reason=reason,
        clause="",
        invoicing="now",
        created_at=now,
        actor=actor,
    )


def _draft(adjustment: Adjustment, party: Party, *, now: datetime) -> Draft:
    if adjustment.tax_category == OUT_OF_SCOPE:
        party = replace(party, rates=_UNTAXED)
    (draft,) = draft_documents([adjustment.line(now)], party, Occasion(now, now, mark=adjustment.id.bytes))
    return replace(draft, kind=DocumentKind.ONE_OFF)


def _purchase(sale: Sale, adjustment_id: AdjustmentId, draft: Draft) -> CreditPurchase:
    return CreditPurchase(
        adjustment_id=adjustment_id,
        wallet_id=sale.wallet_id,
        amount=sale.amount,
        net_minor=draft.net_minor,
        priority=sale.priority,
        features=sale.features,
        lasts=sale.lasts,
        top_up_id=sale.top_up_id,
    )


def _tell(uow: UnitOfWork, sales: Sequence[Sale], adjustments: Sequence[Adjustment]) -> None:
    events, deeds = [], []
    for sale, adjustment in zip(sales, adjustments, strict=True):
        facts: dict[str, object] = {
            "customer_id": to_wire("cus", sale.customer_id),
            "wallet_id": to_wire("wal", sale.wallet_id),
            "amount": plain(sale.amount),
            "price_minor": sale.price_minor,
            "currency": sale.currency,
            "top_up_id": None if sale.top_up_id is None else to_wire("top", sale.top_up_id),
        }
        at = adjustment.created_at
        events.append(Event("credits.sold", adjustment.id, facts, at))
        deeds.append(
            Deed(adjustment.actor, "credits.sold", "adjustment", adjustment.id, adjustment.reason, at, after=facts)
        )
    publish(uow, events)
    record(uow, deeds)
