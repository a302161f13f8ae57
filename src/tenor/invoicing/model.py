"""Frozen values of invoicing: what is owed, what has been billed, adjustments, lines and documents."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal, NamedTuple

from tenor.kernel.ids import (
    AdjustmentId,
    BillRunId,
    ChargeId,
    CustomerId,
    InvoiceId,
    ItemId,
    SubscriptionId,
    WalletId,
    WalletUseId,
)
from tenor.kernel.period import Period
from tenor.pricing.model import TaxMode
from tenor.taxes.rules.giving_back import Held

Trace = Mapping[str, Any]
"""The derivation of an amount, ready for JSON: inputs, formula, rounding residue."""


Slot = tuple[ChargeId, Period]
"""A charge of an item and one of its periods: what a claim is of."""


class Key(NamedTuple):
    """What an amount is for: Owed, Billed and Line share it, and the database claims it.

    `period` is the whole billing period of the charge's grid, also where only a part of it is served;
    `dimension` is the value that a matrix charge is priced by, else empty.
    """

    item_id: ItemId
    charge_id: ChargeId
    dimension: str
    period: Period

    @property
    def slot(self) -> Slot:
        """The charge and the period."""
        return self.charge_id, self.period


class AdjustmentKey(NamedTuple):
    """What an amount is for that no charge of a plan asks: a one-off charge or a credit that a person decided on."""

    adjustment_id: AdjustmentId
    period: Period


class Owed(NamedTuple):
    """What the timeline says for a key, rounded once, with its derivation."""

    key: Key
    amount_minor: int
    due_at: datetime
    is_deferred: bool
    description: str
    trace: Trace
    tax_category: str = "standard"


class Billed(NamedTuple):
    """What issued documents already hold for a key, how many settlements made it up, and with which tax.

    `metered_through` is set while the last of them has counted usage of a period that still ran.
    """

    key: Key
    amount_minor: int
    settlements: int
    is_deferred: bool
    description: str
    taxed: Held | None = None
    metered_through: datetime | None = None


class TaxShare(NamedTuple):
    """The part that one rate has in the tax of a line; the charged parts of a line sum to its tax.

    Inclusive parts lie inside the line's amount. One that is not charged (an exempt customer, reverse charge) only
    lowers what is paid for a price that includes it.
    """

    name: str
    jurisdiction: str
    percent: Decimal
    is_inclusive: bool
    amount_minor: int
    is_charged: bool = True


class Line(NamedTuple):
    """The difference between owed and billed for one key; negative gives something back.

    `subscription_id` is the subscription that the line is for, None for a line that is only the customer's.
    `tax_category` is what its tax rates hang on; `gives_back` is what a line that lowers an amount which was billed
    takes its tax from.
    """

    key: Key | AdjustmentKey
    amount_minor: int
    due_at: datetime
    is_deferred: bool
    description: str
    trace: Trace
    subscription_id: SubscriptionId | None = None
    tax_category: str = "standard"
    gives_back: Held | None = None


class DocumentKind(StrEnum):
    """What a finalised document is."""

    INVOICE = "invoice"
    ONE_OFF = "one_off"  # an invoice that no subscription asked for
    CREDIT_NOTE = "credit_note"


class TaxedLine(NamedTuple):
    """A line with its tax; `included_tax_minor` is what of the line's amount is no net.

    `taxes` is empty where the document's one percentage says it all.
    """

    line: Line
    tax_minor: int
    included_tax_minor: int
    taxes: tuple[TaxShare, ...] = ()

    @property
    def gross_minor(self) -> int:
        """Net and tax together."""
        return self.line.amount_minor - self.included_tax_minor + self.tax_minor


class WalletPayment(NamedTuple):
    """What one use of a wallet pays of one line, numbered from 1: `amount` of its unit pays `paid_minor`, with tax.

    Both are negative on a credit note, which gives back.
    """

    line_no: int
    wallet_id: WalletId
    use_id: WalletUseId
    unit: str
    amount: Decimal
    paid_minor: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A document before it has its number: everything that its amounts and its digest rest on.

    `subscription_id` is None where several subscriptions or none stand on it. `due_on` is the day by which it is
    to be paid. A credit note that belongs to one invoice names it in `credits_invoice_id`; `settles` says whether
    its total goes to the customer's balance or is asked to be refunded.
    """

    id: InvoiceId
    kind: DocumentKind
    customer_id: CustomerId
    subscription_id: SubscriptionId | None
    run_id: BillRunId | None
    currency: str
    tax_mode: TaxMode
    tax_percent: Decimal
    issued_at: datetime
    billed_for: datetime
    lines: tuple[TaxedLine, ...]
    net_minor: int
    tax_minor: int
    credit_applied_minor: int
    due_on: date | None = None
    po_number: str = ""
    credits_invoice_id: InvoiceId | None = None
    settles: Literal["balance", "refund"] = "balance"
    tax_note: str = ""
    wallet_payments: tuple[WalletPayment, ...] = ()

    @property
    def total_minor(self) -> int:
        """Net and tax together."""
        return self.net_minor + self.tax_minor

    @property
    def prepaid_minor(self) -> int:
        """What wallets pay of it; negative where a credit note gives that back to them."""
        return sum([payment.paid_minor for payment in self.wallet_payments])

    @property
    def charged_minor(self) -> int:
        """What wallets leave of the total for money and customer credit; negative: what goes back to these."""
        return self.total_minor - self.prepaid_minor

    @property
    def due_minor(self) -> int:
        """What is still to be paid; a credit note asks for nothing."""
        return max(0, self.charged_minor - self.credit_applied_minor)
