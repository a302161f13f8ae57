"""The documents of a customer: invoices with their lines and payments, and the account they stand on."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final

from tenor.invoicing.rules.spans import BilledSpan, GivenBack
from tenor.kernel.period import Period
from tenor.pricing.discounts.model import Discount
from tenor.pricing.rules.proration import UnusedTime

ZERO: Final = Decimal(0)
UNSOLD: Final = frozenset({"account_credit", "credit_grant", "tax", "children_summary"})
"""Kinds of lines that move money or tax: they sell nothing, so that no coupon and no tax is taken of them."""


@dataclass(slots=True, eq=False)
class Line:
    """One line of an invoice, amount in major units. `billed` is set where time was billed; a credit changes it.

    `given_back` is set on a credit: the earlier line, and what of its time. `of`: what a line without time was made
    for (a one-off of a phase, the usage of a period), so that it is not made twice. `tax_percents` None: those of the
    customer hold. `progressive` is what earlier threshold invoices billed of the line, `discount` its share of the
    coupons; a line that was edited is never made anew, one that is not invoiceable becomes a loose fee.
    """

    kind: str
    amount: Decimal
    span: Period | None = None
    customer: str | None = None
    subscription: str | None = None
    plan: str | None = None
    metric: str | None = None
    item: str | None = None
    quantity: Decimal | None = None
    units: Decimal | None = None
    unit_amount: Decimal | None = None
    billed: BilledSpan | None = None
    given_back: "tuple[Line, GivenBack] | None" = None
    of: tuple[object, ...] = ()
    tax_percents: tuple[Decimal, ...] | None = None
    progressive: Decimal = ZERO
    discount: Decimal = ZERO
    tax: Decimal = ZERO
    is_edited: bool = False
    is_invoiceable: bool = True

    @property
    def net(self) -> Decimal:
        """What is taxed: the amount less what threshold invoices billed of it and less its share of coupons."""
        return self.amount - self.progressive - self.discount

    @property
    def tax_percent(self) -> Decimal:
        """All taxes of the line together, 20 is 20 %."""
        return sum(self.tax_percents or (), ZERO)

    def give_back(self, credit: GivenBack) -> None:
        """Note that a part of the line's time was given back."""
        if self.billed is not None:
            self.billed = self.billed._replace(given_back=(*self.billed.given_back, credit))

    def keep(self, credit: GivenBack) -> None:
        """Take a credit back: the time that it gave back stands again."""
        if self.billed is not None:
            kept = tuple(given for given in self.billed.given_back if given is not credit)
            self.billed = self.billed._replace(given_back=kept)

    def take_off(self, minor: int) -> None:
        """Note that a part of the line was taken off without giving back time."""
        if self.billed is not None:
            self.billed = self.billed._replace(adjusted_minor=self.billed.adjusted_minor + minor)


@dataclass(slots=True, eq=False)
class Payment:
    """Money for one invoice. `amount` counts for the invoice; a payment that failed or was taken back counts 0."""

    number: int
    at: datetime
    amount: Decimal
    is_taken_back: bool = False
    has_failed: bool = False
    refunded: Decimal = ZERO

    @property
    def counts(self) -> Decimal:
        """What the payment still pays."""
        return ZERO if self.is_taken_back or self.has_failed else self.amount - self.refunded


@dataclass(slots=True, eq=False)
class Invoice:
    """An invoice. `number` counts the customer's from 1; `issued_at` is when it was made, also as a draft.

    `balance_applied` was drawn from the customer's balance (−: put on it). `gathered_on`: the parent's invoice, which
    pays `gathered_total` of this one.
    `discount` and `tax` are reckoned from the lines by `sums`. `billed_for` are the subscriptions that its run looked
    at, so that a draft can be worked out again; without any it was not made by a run. `stays_billed`: although void,
    what it billed is not billed again.
    """

    number: int
    customer: str
    issued_at: datetime
    state: str = "finalized"
    reason: str | None = None
    lines: list[Line] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    balance_applied: Decimal = ZERO
    discount: Decimal = ZERO
    tax: Decimal = ZERO
    credit_notes_applied: Decimal = ZERO
    wallet_applied: Decimal = ZERO
    billed_for: tuple[str, ...] = ()
    stays_billed: bool = False
    gathered_on: "Invoice | None" = None
    gathered_total: Decimal = ZERO

    @property
    def is_draft(self) -> bool:
        """Whether it can still change."""
        return self.state == "draft"

    @property
    def subtotal(self) -> Decimal:
        """All lines but the account's credit."""
        return total_of(line for line in self.lines if line.kind != "account_credit")

    @property
    def account_credit(self) -> Decimal:
        """What was put aside on the account (+) or drawn from it (−)."""
        return total_of(line for line in self.lines if line.kind == "account_credit")

    @property
    def paid(self) -> Decimal:
        """What payments still pay of it."""
        return sum((payment.counts for payment in self.payments), ZERO)

    @property
    def progressive_credit(self) -> Decimal:
        """What earlier threshold invoices of the period billed of its lines."""
        return sum((line.progressive for line in self.lines), ZERO)

    @property
    def net(self) -> Decimal:
        """What is left of the lines to be taxed."""
        return self.subtotal - self.progressive_credit - self.discount

    @property
    def gross(self) -> Decimal:
        """The net with its tax, before anything pays it."""
        return self.net + self.tax

    @property
    def total(self) -> Decimal:
        """What is left after credit notes and prepaid credits; lines of account credit are part of it."""
        return self.gross - self.credit_notes_applied - self.wallet_applied + self.account_credit

    @property
    def outstanding(self) -> Decimal:
        """What is still to be settled; negative where more was paid than is owed, zero while nothing can be paid.

        What was gathered on a parent's invoice is settled with that.
        """
        if self.state in {"draft", "void"}:
            return ZERO
        gathered = self.gathered_on
        is_settled = gathered is not None and not gathered.is_draft and gathered.outstanding <= 0
        by_parent = self.gathered_total if is_settled else ZERO
        return self.total - self.balance_applied - self.paid - by_parent

    @property
    def balance(self) -> Decimal:
        """What is told to be unpaid: nothing while a parent's draft still gathers the invoice."""
        return ZERO if self.gathered_on is not None and self.gathered_on.is_draft else self.outstanding

    @property
    def payment(self) -> str:
        """Whether the invoice is paid: succeeded once nothing is left, failed after a payment that was refused."""
        if self.paid >= self.total:
            return "succeeded"
        return "failed" if self.payments and self.payments[-1].has_failed else "pending"

    @property
    def status(self) -> str:
        """The state as it is told: finalized until nothing is unpaid any more, then paid."""
        has_been_due = bool(self.payments) or bool(self.balance_applied)
        return "paid" if self.state == "finalized" and has_been_due and self.balance <= 0 else self.state


@dataclass(slots=True, eq=False)
class CreditNote:
    """What is given back of an invoice: `item` of one of its lines, less coupon (`subtotal`), plus `tax`.

    `line` None: what an invoice that was made void did not give back otherwise. `unused` is the span that a
    termination gives back, by the choice `unused_time`; a note on a draft follows the draft. `balance` is what is
    left of `to_credit`, `drawn` on which invoices the rest was used.
    """

    invoice: Invoice
    line: Line | None
    state: str
    item: Decimal = ZERO
    discount_reversed: Decimal = ZERO
    tax_exact: Fraction = Fraction(0)
    subtotal: Decimal = ZERO
    tax: Decimal = ZERO
    tax_rounding_adjustment: Decimal = ZERO
    to_credit: Decimal = ZERO
    to_refund: Decimal = ZERO
    unused: Period | None = None
    unused_time: UnusedTime = "credit"
    drawn: list[tuple[Invoice, Decimal]] = field(default_factory=list)

    @property
    def total(self) -> Decimal:
        """What the note comes to, tax included."""
        return self.subtotal + self.tax

    @property
    def balance(self) -> Decimal:
        """What of the credit is not used yet."""
        return self.to_credit - sum((amount for _, amount in self.drawn), ZERO)


@dataclass(slots=True, eq=False)
class AppliedCoupon:
    """A coupon that a customer has. None: nothing counts down.

    `cycles_left` counts final invoices, `over_on` is the local day from which it holds no more; of a fixed amount
    that is due once, `amount_left` may wait for a later invoice.
    """

    discount: Discount
    cycles_left: int | None
    over_on: date | None
    amount_left: Decimal | None


@dataclass(slots=True, eq=False)
class Account:
    """A customer's side of the books: documents, credit, anchor day, flags, and where dunning stands.

    `loose_fees` are fees of usage that stand on no invoice, kept as if each had one of its own.
    """

    id: str
    anchor_day: int | None
    credit: Decimal = ZERO
    invoices: list[Invoice] = field(default_factory=list)
    previews: list[Invoice] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)
    payments_fail: bool = False
    looked_until: datetime | None = None
    stages: list[tuple[datetime, str]] = field(default_factory=list)
    tax_lines: list[Line] = field(default_factory=list)
    coupons: list[AppliedCoupon] = field(default_factory=list)
    notes: list[CreditNote] = field(default_factory=list)
    loose_fees: list[Invoice] = field(default_factory=list)

    @property
    def lines(self) -> list[Line]:
        """All lines of all invoices that stand, oldest first."""
        standing = (invoice for invoice in self.invoices if invoice.state != "void" or invoice.stays_billed)
        return [line for invoice in standing for line in invoice.lines]

    @property
    def standing_lines(self) -> list[Line]:
        """All lines that stand, and the fees without an invoice."""
        return [*self.lines, *(line for fee in self.loose_fees for line in fee.lines)]

    def keep_loose(self, line: Line, *, at: datetime) -> None:
        """Keep a fee that stands on no invoice."""
        self.loose_fees.append(Invoice(len(self.loose_fees) + 1, self.id, at, lines=[line]))

    @property
    def payments(self) -> list[Payment]:
        """All payments, oldest first."""
        found = [payment for invoice in self.invoices for payment in invoice.payments]
        return sorted(found, key=lambda payment: payment.number)

    @property
    def open_invoices(self) -> list[Invoice]:
        """Finalized invoices with something unpaid, oldest first."""
        return [invoice for invoice in self.invoices if invoice.outstanding > 0]

    @property
    def balance(self) -> Decimal:
        """What the customer owes (+), less its credit (−)."""
        return sum((invoice.balance for invoice in self.invoices), ZERO) - self.credit


def total_of(lines: Iterable[Line]) -> Decimal:
    """Return the sum of the amounts of `lines`."""
    return sum((line.amount for line in lines), ZERO)
