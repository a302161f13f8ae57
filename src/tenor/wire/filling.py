"""What fills wallets as JSON: credit that is sold, top-ups, promises, and who is told when little is left."""

from typing import Literal

from typing_extensions import TypedDict

from tenor.invoicing import BilledPurchase
from tenor.kernel.calendar import Interval
from tenor.kernel.ids import to_wire
from tenor.kernel.quantity import plain
from tenor.wallets import RecurringGrant, TopUpOrder, TopUpRule, WalletAlert
from tenor.wire.forms import Amount, DecimalText, Instant, amount, instant


class PurchaseJson(TypedDict):
    """Credit that was sold, and the document that bills it; `grant_id` null: it is granted when that is paid."""

    purchase_id: str
    invoice: str
    invoice_id: str
    credits: DecimalText
    due: Amount
    currency: str
    status: str
    grant_id: str | None


class WalletAlertJson(TypedDict):
    """A threshold of which somebody is told, and whether the wallet is below it."""

    threshold: DecimalText
    is_below: bool


class TopUpRuleJson(TypedDict):
    """From less than `threshold` to `target`, so many times a day (UTC) at most."""

    threshold: DecimalText
    target: DecimalText
    max_per_day: int
    is_active: bool


class TopUpJson(TypedDict):
    """One top-up that was ordered."""

    top_up_id: str
    amount: DecimalText
    price: Amount
    status: str
    grant_id: str | None
    is_invoiced: bool


class TopUpsJson(TypedDict):
    """When a wallet is filled up by itself (null: nobody has said), and what was ordered, the newest first."""

    rule: TopUpRuleJson | None
    top_ups: list[TopUpJson]


class PromiseJson(TypedDict):
    """What is granted again and again; `next_at` null: no more grants are made."""

    code: str
    amount: DecimalText
    every: str
    rollover_min: DecimalText
    rollover_max: DecimalText
    lasts: str | None
    priority: int
    category: Literal["paid", "promotional"]
    features: list[str]
    next_at: Instant | None
    subscription_id: str | None


def purchase_json(sold: BilledPurchase, currency: str) -> PurchaseJson:
    """Return credit that was sold to a wallet that pays in `currency`."""
    grant_id = sold.purchase.grant_id
    return PurchaseJson(
        purchase_id=to_wire("adj", sold.purchase.adjustment_id),
        invoice=sold.name,
        invoice_id=to_wire("inv", sold.invoice_id),
        credits=plain(sold.purchase.amount),
        due=amount(sold.due_minor, currency),
        currency=currency,
        status=sold.purchase.status,
        grant_id=None if grant_id is None else to_wire("grt", grant_id),
    )


def wallet_alert_json(alert: WalletAlert) -> WalletAlertJson:
    """Return a threshold of a wallet."""
    return WalletAlertJson(threshold=plain(alert.threshold), is_below=alert.is_below)


def top_up_rule_json(rule: TopUpRule) -> TopUpRuleJson:
    """Return when a wallet is filled up."""
    return TopUpRuleJson(
        threshold=plain(rule.threshold),
        target=plain(rule.target),
        max_per_day=rule.max_per_day,
        is_active=rule.is_active,
    )


def top_up_json(order: TopUpOrder, currency: str) -> TopUpJson:
    """Return a top-up of a wallet that pays in `currency`."""
    return TopUpJson(
        top_up_id=to_wire("top", order.id),
        amount=plain(order.amount),
        price=amount(order.price_minor, currency),
        status=order.status,
        grant_id=None if order.grant_id is None else to_wire("grt", order.grant_id),
        is_invoiced=order.is_invoiced,
    )


def promise_json(promise: RecurringGrant) -> PromiseJson:
    """Return a promise."""
    return PromiseJson(
        code=promise.code,
        amount=plain(promise.amount),
        every=interval_text(promise.every),
        rollover_min=plain(promise.rollover_min),
        rollover_max=plain(promise.rollover_max),
        lasts=None if promise.lasts is None else f"{promise.lasts.count} {promise.lasts.unit}",
        priority=promise.priority,
        category=promise.category,
        features=sorted(promise.features),
        next_at=instant(promise.next_at),
        subscription_id=None if promise.subscription_id is None else to_wire("sub", promise.subscription_id),
    )


def interval_text(every: Interval) -> str:
    """Return how often something comes: 'month', '2 weeks'."""
    return every.unit.value if every.count == 1 else f"{every.count} {every.unit}s"
