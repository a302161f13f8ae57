"""Decide on an adjustment, and invoice it at once where that is asked for: shared by one-off charges and credits."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from tenor.invoicing.adjustments import Adjustment, AdjustmentKind, Invoicing, adjustments_by_id, insert_adjustments
from tenor.invoicing.issue import draw_credit
from tenor.invoicing.model import DocumentKind
from tenor.invoicing.outside_runs import issue_at_once, party_of
from tenor.invoicing.prepaid import settled_with_wallets
from tenor.invoicing.receivables import lock_customer
from tenor.invoicing.request_keys import made_before, remember
from tenor.invoicing.rules.documents import Occasion, draft_documents
from tenor.kernel.errors import Malformed
from tenor.kernel.ids import AdjustmentId, CustomerId, SubscriptionId, new_id, to_wire
from tenor.kernel.money import Money
from tenor.kernel.period import Period, format_instant
from tenor.platform.audit import Deed, record
from tenor.platform.outbox import Event, publish
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing.model import TaxMode
from tenor.taxes.model import STANDARD, require_category

_INSTANT: Final = timedelta(microseconds=1)
TEXT_LENGTH_MAX: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustmentRequest:
    """What is to be charged or credited, in minor units, more than 0.

    With a `subscription_id` it stands on that subscription's document. `period` is what it is for, the moment
    of the decision where none is given. On a document of its own it is taxed as `tax_mode` says; on the next
    one it counts as the prices there do.

    Raises:
        Malformed: an amount of 0 or less, no description, a text that is too long, or a tax category that is no code.
        AmountTooLarge, UnknownCurrency: no such amount can be kept.
    """

    customer_id: CustomerId
    currency: str
    amount_minor: int
    description: str
    subscription_id: SubscriptionId | None = None
    period: Period | None = None
    tax_category: str = STANDARD
    tax_mode: TaxMode = TaxMode.EXCLUSIVE
    invoicing: Invoicing = "now"

    def __post_init__(self) -> None:
        Money(self.amount_minor, self.currency)
        if self.amount_minor <= 0:
            raise Malformed(f"an amount to charge or to credit is more than 0, not {self.amount_minor} minor units")
        require_text(self.description, name="description", length_max=TEXT_LENGTH_MAX)
        require_category(self.tax_category)
        if self.period is not None and self.period.is_empty:
            raise Malformed(f"the period from {format_instant(self.period.start)} holds no time")

    @property
    def content(self) -> Mapping[str, object]:
        """What a request key stands for."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


class Adjusted(NamedTuple):
    """An adjustment, and the number of the document that bills it; None while it waits for the next one."""

    adjustment: Adjustment
    document: str | None


def require_text(text: str, *, name: str, length_max: int) -> None:
    """Refuse a text that is empty, too long, or cannot be printed.

    Raises:
        Malformed: it is.
    """
    if not text.strip() or len(text) > length_max or "\0" in text:
        raise Malformed(f"{name}: 1 to {length_max} characters are needed")


def adjust(
    uow: UnitOfWork,
    request: AdjustmentRequest,
    *,
    kind: AdjustmentKind,
    clause: str = "",
    key: str,
    now: datetime,
    actor: str,
    reason: str,
) -> Adjusted:
    """Write an adjustment of `kind`, and its own document where it is to be invoiced now.

    The same `key` with the same content gives what it gave before.

    Raises:
        RequestKeyReused: the key was used for something else.
        NotFound: no such customer, or no such subscription of it in this currency.
    """
    require_text(reason, name="reason", length_max=4 * TEXT_LENGTH_MAX)
    content = {**request.content, "clause": clause}
    operation = f"adjust_{kind.value}"
    known = made_before(uow, operation, key, content)
    if known is not None:
        return _adjusted(uow, AdjustmentId(known))
    lock_customer(uow, request.customer_id)
    party = party_of(
        uow,
        request.customer_id,
        subscription_id=request.subscription_id,
        currency=request.currency,
        tax_mode=request.tax_mode,
        at=now,
    )
    adjustment = Adjustment(
        id=AdjustmentId(new_id(now)),
        kind=kind,
        customer_id=request.customer_id,
        subscription_id=request.subscription_id,
        currency=request.currency,
        amount_minor=request.amount_minor if kind is AdjustmentKind.ONE_OFF else -request.amount_minor,
        description=request.description,
        tax_category=request.tax_category,
        period=request.period or Period(now, now + _INSTANT),
        reason=reason,
        clause=clause,
        invoicing=request.invoicing,
        created_at=now,
        actor=actor,
    )
    insert_adjustments(uow, [adjustment])
    remember(uow, operation, key, content, adjustment.id)
    if request.invoicing == "now":
        (draft,) = draft_documents([adjustment.line(now)], party, Occasion(now, now, mark=adjustment.id.bytes))
        if draft.kind is DocumentKind.INVOICE:
            draft = replace(draft, kind=DocumentKind.ONE_OFF)
        issue_at_once(uow, draw_credit(uow, [settled_with_wallets(uow, draft)]), now=now)
    _tell(uow, adjustment)
    return _adjusted(uow, adjustment.id)


def _adjusted(uow: UnitOfWork, adjustment_id: AdjustmentId) -> Adjusted:
    (adjustment,) = adjustments_by_id(uow, [adjustment_id])
    row = uow.fetch_one(
        "select i.series || '-' || i.number from adjustment_claims c join invoices i on i.id = c.invoice_id"
        " where c.adjustment_id = %s",
        [adjustment_id],
    )
    return Adjusted(adjustment, None if row is None else row[0])


def _tell(uow: UnitOfWork, adjustment: Adjustment) -> None:
    facts: dict[str, object] = {
        "kind": adjustment.kind.value,
        "customer_id": to_wire("cus", adjustment.customer_id),
        "currency": adjustment.currency,
        "amount_minor": adjustment.amount_minor,
        "invoicing": adjustment.invoicing,
    }
    publish(uow, [Event("adjustment.recorded", adjustment.id, facts, adjustment.created_at)])
    deed = Deed(
        actor=adjustment.actor,
        action=f"adjustment.{adjustment.kind.value}",
        object_type="adjustment",
        object_id=adjustment.id,
        reason=adjustment.reason,
        occurred_at=adjustment.created_at,
        after=facts,
    )
    record(uow, [deed])
