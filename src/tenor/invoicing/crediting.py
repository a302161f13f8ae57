"""What is left of an invoice, and the credit note that gives some of it back: shared by crediting and voiding."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple

from tenor.invoicing.adjustments import AdjustmentKind, Waiver, adjustments_by_id, insert_adjustments
from tenor.invoicing.issue import IssuedNumber
from tenor.invoicing.model import AdjustmentKey, DocumentKind, Draft, Key, Line
from tenor.invoicing.outside_runs import issue_at_once
from tenor.invoicing.prepaid import Prepaid, prepaid_of, restored_notes
from tenor.invoicing.purchase_settlement import take_back_purchases
from tenor.invoicing.receivables import Allocation, Booking, book, save_discharges
from tenor.invoicing.rules.credit_notes import CreditExceedsDocument, CreditExceedsLine
from tenor.invoicing.rules.documents import Occasion, Party, draft_documents
from tenor.invoicing.rules.line_taxes import taxes_by_rate
from tenor.invoicing.rules.receivable import Discharge, Receivable
from tenor.invoicing.store import tax_shares_from_json
from tenor.kernel.errors import Malformed
from tenor.kernel.ids import AdjustmentId, ChargeId, CustomerId, InvoiceId, ItemId, SubscriptionId, new_id
from tenor.kernel.money import format_minor
from tenor.kernel.period import Period
from tenor.ledger import move_customer_credits
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing.model import TaxMode
from tenor.subscriptions import lock_positions, mark_news
from tenor.taxes.model import AppliedRate, RatesOfCustomer, TaxedAmount, TaxRounding, TaxTreatment
from tenor.taxes.rules.giving_back import Held, held
from tenor.wallets import lock_wallets_of


class LeftOfLine(NamedTuple):
    """A line of an invoice with what is left of it, in minor units with the sign of the line.

    `billed` is what a credit of it takes its tax from. `given_back_on` names documents other than credit notes for
    this invoice that gave back so much of the same key that they reach into this line. `is_cap`: all that is billed of
    its key is less than nothing, as only what a cap takes off a period is.
    """

    number: int
    line: Line
    left_minor: int
    billed: Held
    given_back_on: tuple[str, ...]
    is_cap: bool


class LeftOfInvoice(NamedTuple):
    """An invoice with what is left of it after earlier credit notes; `total_minor` with tax, and who prepaid it.

    `drawn_minor` is what it drew of the customer's credit when it was issued; `capped` are the items of which a cap has
    taken something off a period that it bills.
    """

    id: InvoiceId
    name: str
    customer_id: CustomerId
    subscription_id: SubscriptionId | None
    currency: str
    tax_mode: TaxMode
    tax_percent: Decimal
    total_minor: int
    drawn_minor: int
    lines: tuple[LeftOfLine, ...]
    capped: frozenset[ItemId] = frozenset()
    prepaid: tuple[Prepaid, ...] = ()

    @property
    def prepaid_minor(self) -> int:
        """What wallets still pay of it."""
        return sum(entry.part.paid_minor for entry in self.prepaid)

    def discharged_minor(self, receivable: Receivable) -> tuple[int, int]:
        """Return how much of what is left money has paid, and how much the customer's credit, in minor units.

        What was given back before beyond what was due is taken to be money first, so that money goes back once.
        """
        both_minor = max(0, self.total_minor - self.prepaid_minor - receivable.collectable_minor)
        drawn_minor = min(self.drawn_minor, both_minor)
        return both_minor - drawn_minor, drawn_minor

    @property
    def given_back_on(self) -> list[str]:
        """The documents that gave back of its lines although they are no credit notes for it."""
        return sorted({name for line in self.lines for name in line.given_back_on})


def read_left(uow: UnitOfWork, receivable: Receivable) -> LeftOfInvoice:
    """Return what is left of an invoice, and keep bill runs from settling what it bills until the transaction ends.

    Nobody else moves its customer's wallets either. The caller holds the lock of the customer.
    """
    invoice_id = receivable.id
    held_by = uow.fetch_all(
        "select distinct i.subscription_id from invoice_lines l join subscription_items i on i.id = l.item_id"
        " where l.invoice_id = %s",
        [invoice_id],
    )
    lock_positions(uow, [subscription_id for (subscription_id,) in held_by])
    lock_wallets_of(uow, [receivable.customer_id])
    name, customer_id, subscription_id, currency, tax_mode, tax_percent, drawn_minor, total_minor = uow.fetch_all(
        """
        select i.series || '-' || i.number, i.customer_id, i.subscription_id, i.currency, i.tax_mode, i.tax_percent,
               i.credit_applied_minor, i.total_minor + coalesce((
                   select sum(n.total_minor) from invoices n where n.credits_invoice_id = i.id), 0)::bigint
        from invoices i where i.id = %s
        """,
        [invoice_id],
    )[0]
    rows = uow.fetch_all(_LINES_OF_ITS_KEYS, {"invoice": invoice_id})
    return LeftOfInvoice(
        id=invoice_id,
        name=name,
        customer_id=customer_id,
        subscription_id=subscription_id,
        currency=currency,
        tax_mode=TaxMode(tax_mode),
        tax_percent=tax_percent,
        total_minor=total_minor,
        drawn_minor=drawn_minor,
        lines=tuple(_left(invoice_id, list(group)) for _, group in groupby(rows, key=itemgetter(0))),
        capped=frozenset(item_id for (item_id,) in uow.fetch_all(_CAPPED, [invoice_id])),
        prepaid=tuple(prepaid_of(uow, invoice_id)),
    )


def credit_note_draft(
    invoice: LeftOfInvoice, amounts_minor: Mapping[int, int], *, reason: str, now: datetime, mark: bytes
) -> Draft:
    """Return the credit note that gives back `amounts_minor` by line number, each with the sign of its line.

    The tax is reversed as it was billed: in proportion to the line, with its last part whatever is left of it.

    Raises:
        Malformed: no such line, nothing to give back, or an amount of the wrong sign.
        CreditExceedsLine: less than that is left of a line.
        CreditExceedsDocument: less than that is left of the invoice.
    """
    by_number = {entry.number: entry for entry in invoice.lines}
    lines = []
    for number, amount_minor in amounts_minor.items():
        if number not in by_number:
            raise Malformed(f"{invoice.name} has no line {number}; its lines are 1 to {len(by_number)}")
        lines.append(_credit_line(invoice, by_number[number], amount_minor, reason=reason, now=now))
    if not lines:
        raise Malformed(f"nothing of {invoice.name} is left to be credited")
    treatment = TaxTreatment((AppliedRate("tax", invoice.tax_percent),) if invoice.tax_percent else (), "customer")
    party = Party(
        customer_id=invoice.customer_id,
        subscription_id=invoice.subscription_id,
        currency=invoice.currency,
        tax_mode=invoice.tax_mode,
        rates=RatesOfCustomer({}, treatment),
        tax_rounding=TaxRounding(),
    )
    (draft,) = draft_documents(lines, party, Occasion(now, now, mark=mark))
    if -draft.total_minor > invoice.total_minor:
        raise CreditExceedsDocument(
            f"{_money(-draft.total_minor, invoice)} cannot be credited: "
            f"{_money(invoice.total_minor, invoice)} are left of {invoice.name}",
            asked_minor=-draft.total_minor,
            left_minor=invoice.total_minor,
        )
    return replace(
        draft,
        kind=DocumentKind.CREDIT_NOTE,
        credits_invoice_id=invoice.id,
        settles="balance",
        due_on=None,
    )


def restored(
    uow: UnitOfWork,
    note: Draft,
    invoice: LeftOfInvoice,
    receivable: Receivable,
    numbers: Sequence[int],
    *,
    now: datetime,
    actor: str,
    reason: str,
) -> Draft:
    """Give back to wallets what they paid of the lines that a note takes back: those of these `numbers`, in its order.

    Returns the note with that.
    """
    places = {number: place for place, number in enumerate(numbers, start=1)}
    prepaid = [
        entry._replace(part=entry.part._replace(line_no=places.get(entry.part.line_no, 0))) for entry in invoice.prepaid
    ]
    (note,) = restored_notes(
        uow,
        [note],
        {note.id: prepaid},
        elsewhere_minor={note.id: receivable.collectable_minor + sum(invoice.discharged_minor(receivable))},
        now=now,
        actor=actor,
        reason=reason,
    )
    return note


def write_credit_note(
    uow: UnitOfWork, draft: Draft, discharge: Discharge, off_due_minor: int, *, reason: str, now: datetime
) -> IssuedNumber:
    """Issue the credit note of an invoice and let `off_due_minor` of it lower what is due on that invoice.

    Its total goes to the customer's credit, from which the part that the invoice still asks for is drawn at once.
    Prepaid credit that the invoice sold is taken back first.

    Raises:
        CreditsNotReturnable: it was used, or is to be given back only in part.
    """
    take_back_purchases(uow, draft, now=now, reason=reason)
    (issued,) = issue_at_once(uow, [draft], claims=_claims(uow, draft), now=now)
    receivable = discharge.receivable
    move_customer_credits(uow, {(receivable.customer_id, receivable.currency): -off_due_minor})
    book(
        uow,
        [Booking("credit_settled", "customer_credit", "receivable", off_due_minor)],
        customer_id=receivable.customer_id,
        currency=receivable.currency,
        source=("credit_note", draft.id),
        effective_at=now,
    )
    allocations = [Allocation(receivable.id, off_due_minor, credit_note_id=draft.id)] if off_due_minor else []
    save_discharges(uow, [discharge], allocations, reason=reason, effective_at=now, now=now)
    return issued


def waivers_of(invoice: LeftOfInvoice, numbers: Iterable[int], note: Draft) -> list[Waiver]:
    """Return what a note gives up for good of the lines of these `numbers`, in its order, that bill a charge of a plan.

    That is what it gives back, and what it takes back of a cap, which would be given back once more. Other lines that
    had given something back are owed anew: see `owe_anew`.
    """
    by_number = {entry.number: entry for entry in invoice.lines}
    return [
        Waiver(entry.line.key, -entry.line.amount_minor)
        for number, entry in zip(numbers, note.lines, strict=True)
        if isinstance(entry.line.key, Key) and (entry.line.amount_minor < 0 or by_number[number].is_cap)
    ]


def owe_anew(uow: UnitOfWork, invoice: LeftOfInvoice, note: Draft, *, everything: bool, now: datetime) -> None:
    """Have the next documents bring again what a note takes back of what was given, or `everything` that it takes back.

    Keys are looked at again by the next bill run, as is what a cap had taken off what is given back now; what was
    waived of them is owed no more. Adjustments are written once more: each is claimed by one document, for ever.
    """
    news: dict[ItemId, datetime] = {}
    adjustments: list[AdjustmentId] = []
    for entry in note.lines:
        key, is_taken = entry.line.key, everything or entry.line.amount_minor > 0
        if isinstance(key, Key) and (is_taken or key.item_id in invoice.capped):
            news[key.item_id] = min(key.period.start, news.get(key.item_id, key.period.start))
        elif isinstance(key, AdjustmentKey) and is_taken:
            adjustments.append(key.adjustment_id)
    if news:
        mark_news(uow, news, now=now)
    again = [
        adjustment._replace(id=AdjustmentId(new_id(now)), invoicing="next_invoice", created_at=now)
        for adjustment in adjustments_by_id(uow, adjustments)
        if adjustment.kind is not AdjustmentKind.CREDIT_PURCHASE  # its wallet has been told that nobody pays
    ]
    if again:
        insert_adjustments(uow, again)


def _claims(uow: UnitOfWork, draft: Draft) -> list[tuple[Any, ...]]:
    """Return the claims of a credit note, rows of `CLAIM_COLUMNS`: each takes the next number of its period's."""
    amounts: dict[tuple[ItemId, ChargeId, Period], int] = {}
    for entry in draft.lines:
        if isinstance(entry.line.key, Key):
            slot = (entry.line.key.item_id, entry.line.key.charge_id, entry.line.key.period)
            amounts[slot] = amounts.get(slot, 0) + entry.line.amount_minor
    rows = uow.fetch_all(
        """
        select c.item_id, c.charge_id, c.period_start, c.period_end, max(c.settlement_no),
               (array_agg(c.metered_through order by c.settlement_no desc))[1]
        from unnest(%s::uuid[], %s::uuid[], %s::timestamptz[]) s (item_id, charge_id, period_start)
        join claims c using (item_id, charge_id, period_start)
        group by c.item_id, c.charge_id, c.period_start, c.period_end
        """,
        [[slot[0] for slot in amounts], [slot[1] for slot in amounts], [slot[2].start for slot in amounts]],
    )
    return [
        (*slot, done + 1, done, None, amounts[slot[0], slot[1], Period(*slot[2:])], draft.id, metered)
        for *slot, done, metered in rows
    ]


_LINES_OF_ITS_KEYS: Final = """
    select own.line_no, l.invoice_id, n.credits_invoice_id, n.series || '-' || n.number, n.tax_mode, n.tax_percent,
           l.amount_minor, l.tax_minor, l.taxes,
           l.item_id, l.charge_id, l.dimension, l.adjustment_id, l.period_start, l.period_end,
           l.is_deferred, l.description, l.subscription_id, l.tax_category
    from invoice_lines own
    join invoice_lines l on l.adjustment_id = own.adjustment_id
        or (l.item_id = own.item_id and l.charge_id = own.charge_id and l.period_start = own.period_start
            and l.dimension = own.dimension)
    join invoices n on n.id = l.invoice_id
    where own.invoice_id = %(invoice)s
    order by own.line_no, n.issued_at, n.series desc, n.number
"""
"""Every line of the keys of an invoice, on whatever document, in the order in which they were billed."""


_CAPPED: Final = """
    select distinct l.item_id from invoice_lines own
    join invoice_lines l on l.item_id = own.item_id
        and l.period_start <= own.period_start and l.period_end >= own.period_end
    where own.invoice_id = %s
    group by own.line_no, l.item_id, l.charge_id, l.dimension, l.period_start having sum(l.amount_minor) < 0
"""


def _left(invoice_id: InvoiceId, rows: Sequence[tuple[Any, ...]]) -> LeftOfLine:
    """Return what is left of a line, from all lines of its key.

    It is the line less its credit notes. Where other documents gave back so much of the key that less than that is
    billed for it, only this is left, and all lines of the key together say the tax.
    """
    (own,) = [row for row in rows if row[1] == invoice_id]
    own_and_credits = [own, *(row for row in rows if row[2] == invoice_id)]
    left_minor = sum(row[6] for row in own_and_credits)
    billed_minor = sum(row[6] for row in rows)
    amount_minor = own[6]
    is_cap = billed_minor < 0
    if amount_minor > 0 and billed_minor < left_minor and not is_cap:
        others = [row[3] for row in rows if row[6] < 0 and row[2] != invoice_id]
        return LeftOfLine(own[0], _line(own), max(0, billed_minor), _held(rows), tuple(others), is_cap)
    return LeftOfLine(own[0], _line(own), left_minor, _held(own_and_credits), (), is_cap)


def _held(rows: Sequence[tuple[Any, ...]]) -> Held:
    return held(
        TaxedAmount(
            amount_minor,
            taxes_by_rate(
                tax_shares_from_json(taxes),
                tax_minor,
                tax_percent,
                prices_include_tax=TaxMode(tax_mode) is TaxMode.INCLUSIVE,
            ),
        )
        for _, _, _, _, tax_mode, tax_percent, amount_minor, tax_minor, taxes, *_ in rows
    )


def _line(row: tuple[Any, ...]) -> Line:
    item_id, charge_id, dimension, adjustment_id, start, end = row[9:15]
    is_deferred, description, subscription_id, tax_category = row[15:]
    period = Period(start, end)
    key: Key | AdjustmentKey = Key(ItemId(item_id), ChargeId(charge_id), dimension, period)
    if adjustment_id is not None:
        key = AdjustmentKey(AdjustmentId(adjustment_id), period)
    return Line(key, row[6], start, is_deferred, description, {}, subscription_id, tax_category)


def _credit_line(invoice: LeftOfInvoice, entry: LeftOfLine, amount_minor: int, *, reason: str, now: datetime) -> Line:
    billed_minor = entry.line.amount_minor
    if not amount_minor or (amount_minor < 0) != (billed_minor < 0):
        raise Malformed(
            f"{_money(amount_minor, invoice)} is no credit of line {entry.number}, which is "
            f"{_money(billed_minor, invoice)}"
        )
    if abs(amount_minor) > abs(entry.left_minor):
        raise CreditExceedsLine(
            f"{_money(amount_minor, invoice)} cannot be credited: {_money(entry.left_minor, invoice)} are left of "
            f"line {entry.number} of {invoice.name}",
            line=entry.number,
            asked_minor=amount_minor,
            left_minor=entry.left_minor,
        )
    trace = {
        "credits": invoice.name,
        "line": entry.number,
        "billed_minor": billed_minor,
        "left_minor": entry.left_minor,
        "note": reason,
    }
    return entry.line._replace(amount_minor=-amount_minor, due_at=now, trace=trace, gives_back=entry.billed)


def _money(minor: int, invoice: LeftOfInvoice) -> str:
    return f"{format_minor(minor, invoice.currency)} {invoice.currency}"
