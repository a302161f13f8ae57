"""Frozen values of invoicing: what is owed, what has been billed, lines and documents."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from tenor.kernel.ids import BillRunId, ChargeId, CustomerId, InvoiceId, ItemId, SubscriptionId
from tenor.kernel.period import Period
from tenor.pricing.model import TaxMode

Trace = Mapping[str, Any]
"""The derivation of an amount, ready for JSON: inputs, formula, rounding residue."""


class Key(NamedTuple):
    """What an amount is for: Owed, Billed and Line share it, and the database claims it.

    `period` is the whole billing period of the charge's grid, also where only a part of it is served;
    `dimension` is the value that a matrix charge is priced by, else empty.
    """

    item_id: ItemId
    charge_id: ChargeId
    dimension: str
    period: Period


class Owed(NamedTuple):
    """What the timeline says for a key, rounded once, with its derivation."""

    key: Key
    amount_minor: int
    due_at: datetime
    is_deferred: bool
    description: str
    trace: Trace


class Billed(NamedTuple):
    """What issued documents already hold for a key, and how many settlements made it up."""

    key: Key
    amount_minor: int
    settlements: int
    is_deferred: bool
    description: str


class Line(NamedTuple):
    """The difference between owed and billed for one key; negative gives something back."""

    key: Key
    amount_minor: int
    due_at: datetime
    is_deferred: bool
    description: str
    trace: Trace


class DocumentKind(StrEnum):
    """What a finalised document is."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


@dataclass(frozen=True, slots=True)
class TaxedLine:
    """A line with its tax. In an inclusive book `tax_minor` is inside `amount_minor`, else on top."""

    line: Line
    tax_minor: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A document before it has its number: everything that its amounts and its digest rest on."""

    id: InvoiceId
    kind: DocumentKind
    customer_id: CustomerId
    subscription_id: SubscriptionId
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

    @property
    def total_minor(self) -> int:
        """Net and tax together."""
        return self.net_minor + self.tax_minor

    @property
    def due_minor(self) -> int:
        """What is still to be paid; a credit note asks for nothing."""
        return max(0, self.total_minor - self.credit_applied_minor)
