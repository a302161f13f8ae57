"""What becomes of prepaid credit that documents sell: granted when they are paid, taken back when they are."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from tenor.invoicing.model import AdjustmentKey, Draft, TaxedLine
from tenor.invoicing.purchases import BilledPurchase, purchases_billed_by, purchases_of, settle_purchase
from tenor.invoicing.rules.lifecycle import DocumentStatus
from tenor.invoicing.rules.receivable import Receivable
from tenor.kernel.calendar import Grid, Interval, boundary
from tenor.kernel.errors import Refusal
from tenor.kernel.ids import GrantId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.wallets import grant_credits, lock_wallets, settle_top_up, void_grant, voided_minor
from tenor.wallets.model import NewGrant

ACTOR: Final = "billing"
"""Who follows the documents."""


class CreditsNotReturnable(Refusal):
    """Prepaid credit that was sold and cannot be given back so: it was used, or only a part is to go back."""

    code = "credits_not_returnable"


def settle_purchases(uow: UnitOfWork, receivables: Sequence[Receivable], *, now: datetime) -> None:
    """Grant the credit that paid invoices have sold; a top-up whose invoice is given up as lost has failed.

    What was given up and is paid after all is granted then.
    """
    moved = {
        one.id: one.status for one in receivables if one.status in {DocumentStatus.PAID, DocumentStatus.UNCOLLECTIBLE}
    }
    if not moved:
        return
    found = purchases_billed_by(uow, moved)
    lock_wallets(uow, {billed.purchase.wallet_id for billed in found})
    for billed in found:
        if billed.purchase.status != "pending":
            continue
        if moved[billed.invoice_id] is DocumentStatus.PAID:
            grant_purchase(uow, billed, now=now, actor=ACTOR, reason=f"{billed.name} is paid")
        elif billed.is_top_up_open:
            _fail_top_up(uow, billed, now=now, reason=f"{billed.name} is written off")


def grant_purchase(uow: UnitOfWork, billed: BilledPurchase, *, now: datetime, actor: str, reason: str) -> None:
    """Grant the credit of a purchase that is pending."""
    purchase = billed.purchase
    if purchase.top_up_id is not None and billed.is_top_up_open:
        order = settle_top_up(
            uow, purchase.top_up_id, is_paid=True, paid_from="invoice", now=now, actor=actor, reason=reason
        )
        grant_id = order.grant_id
    else:
        new = NewGrant(
            purchase.amount,
            "purchase",
            "paid",
            cost_minor=purchase.net_minor,
            priority=purchase.priority,
            features=purchase.features,
            expires_at=None if purchase.lasts is None else _after(purchase.lasts, now),
            paid_from="invoice",
        )
        grant_id = grant_credits(uow, purchase.wallet_id, new, now=now, actor=actor, reason=reason).grant_id
    settle_purchase(uow, purchase.adjustment_id, status="granted", grant_id=grant_id, now=now)


def take_back_purchases(uow: UnitOfWork, note: Draft, *, now: datetime, reason: str) -> None:
    """Take back the prepaid credit of the lines that a credit note gives back.

    What was not granted yet fails, as a whole. Of a grant all that is left of it is voided, and so much can be given
    back as that had cost.

    Raises:
        CreditsNotReturnable: more than that is to be given back, or only a part of it.
    """
    lines = {entry.line.key.adjustment_id: entry for entry in note.lines if isinstance(entry.line.key, AdjustmentKey)}
    for billed in purchases_of(uow, lines) if lines else ():
        given_back_minor = -_net_minor(lines[billed.purchase.adjustment_id])
        grant_id = billed.purchase.grant_id
        if grant_id is None:
            _require_whole(given_back_minor, billed.purchase.net_minor)
            if billed.is_top_up_open:
                _fail_top_up(uow, billed, now=now, reason=reason)
            settle_purchase(uow, billed.purchase.adjustment_id, status="failed", grant_id=None, now=now)
        else:
            _take_back_grant(uow, billed, grant_id, given_back_minor, now=now, reason=reason)


def _take_back_grant(
    uow: UnitOfWork, billed: BilledPurchase, grant_id: GrantId, given_back_minor: int, *, now: datetime, reason: str
) -> None:
    taken_out = void_grant(uow, grant_id, now=now, actor=ACTOR, reason=reason)
    if taken_out:
        _require_whole(given_back_minor, voided_minor(uow, grant_id))
        return
    row = uow.fetch_one(
        "select coalesce(-sum(l.amount_minor), 0)::bigint from invoice_lines l join invoices i on i.id = l.invoice_id"
        " where l.adjustment_id = %s and i.credits_invoice_id = %s",
        [billed.purchase.adjustment_id, billed.invoice_id],
    )
    left_minor = voided_minor(uow, grant_id) - (row[0] if row else 0)
    if given_back_minor > left_minor:
        raise _not_returnable(given_back_minor, left_minor)


def _require_whole(given_back_minor: int, whole_minor: int) -> None:
    if given_back_minor != whole_minor:
        raise _not_returnable(given_back_minor, whole_minor)


def _not_returnable(given_back_minor: int, possible_minor: int) -> CreditsNotReturnable:
    return CreditsNotReturnable(
        f"{given_back_minor} minor units of sold credit cannot be given back: {possible_minor} can, as a whole",
        asked_minor=given_back_minor,
        possible_minor=possible_minor,
    )


def _net_minor(entry: TaxedLine) -> int:
    return entry.line.amount_minor - entry.included_tax_minor


def _fail_top_up(uow: UnitOfWork, billed: BilledPurchase, *, now: datetime, reason: str) -> None:
    top_up_id = billed.purchase.top_up_id
    if top_up_id is not None:
        settle_top_up(uow, top_up_id, is_paid=False, now=now, actor=ACTOR, reason=reason)


def _after(lasts: Interval, now: datetime) -> datetime:
    return boundary(Grid(lasts, anchor=now, zone=UTC), 1)
