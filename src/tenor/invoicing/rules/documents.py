"""Documents: lines become invoices and credit notes with tax, credit, transfers and a digest."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from itertools import groupby
from typing import Any, Literal

import msgspec

from tenor.invoicing.model import DocumentKind, Draft, Line
from tenor.invoicing.rules.line_taxes import Taxation, tax_of
from tenor.invoicing.rules.payment_terms import PaymentTerms
from tenor.kernel.calendar import local_date
from tenor.kernel.ids import BillRunId, CustomerId, InvoiceId, SubscriptionId, TransferId, derived_id
from tenor.kernel.money import MINOR_LIMIT, AmountTooLarge
from tenor.kernel.period import format_instant
from tenor.ledger.model import Transfer
from tenor.pricing.model import TaxMode
from tenor.taxes.model import RatesOfCustomer, TaxRounding


@dataclass(frozen=True, slots=True)
class Party:
    """Who documents are for, how they are taxed and to be paid: what drafting needs besides the lines.

    `subscription_id` None: what the customer's subscriptions owe stands on one document for each day of `zone`.
    """

    customer_id: CustomerId
    subscription_id: SubscriptionId | None
    currency: str
    tax_mode: TaxMode
    rates: RatesOfCustomer
    tax_rounding: TaxRounding
    zone: tzinfo = UTC
    payment_terms: PaymentTerms | None = None
    po_number: str = ""
    negative_total: Literal["balance", "refund"] = "balance"


@dataclass(frozen=True, slots=True)
class Occasion:
    """What makes documents: when they are issued and recorded, and the run or the mark that tells them from others.

    Ids derive from it, so that a repeated run makes the same documents, and another run as of the same
    instant others.
    """

    issued_at: datetime
    recorded_at: datetime
    run_id: BillRunId | None = None
    mark: bytes = b""


def draft_documents(lines: Sequence[Line], party: Party, occasion: Occasion) -> list[Draft]:
    """Group `lines` into documents: one for each due instant, or day, in order of time.

    Three missed months thus give three invoices. A group whose total is negative becomes a credit note.

    Raises:
        AmountTooLarge: a total that the ledger cannot hold.
        TaxNotQuoted: a tax engine has to say the rates of a line, and has not.
    """
    moment = _moment(party)
    ordered = lines if len({line.due_at for line in lines}) < 2 else sorted(lines, key=lambda line: line.due_at)
    return [_draft(list(group), party, occasion) for _, group in groupby(ordered, key=moment)]


def _moment(party: Party) -> Callable[[Line], datetime | date]:
    if party.subscription_id is not None:
        return lambda line: line.due_at
    return lambda line: local_date(line.due_at, party.zone)


def _draft(lines: list[Line], party: Party, occasion: Occasion) -> Draft:
    taxation = Taxation(party.rates, party.tax_rounding, party.tax_mode is TaxMode.INCLUSIVE)
    taxed, note = tax_of(lines, taxation)
    billed_for = lines[-1].due_at
    tax_minor = sum([entry.tax_minor for entry in taxed])
    net_minor = sum([entry.line.amount_minor for entry in taxed]) - sum([entry.included_tax_minor for entry in taxed])
    if abs(net_minor + tax_minor) >= MINOR_LIMIT:
        raise AmountTooLarge(f"a total of {net_minor + tax_minor} minor units cannot be kept in the ledger")
    kind = DocumentKind.CREDIT_NOTE if net_minor + tax_minor < 0 else DocumentKind.INVOICE
    terms = party.payment_terms if kind is DocumentKind.INVOICE else None
    return Draft(
        id=_document_id(party, billed_for, occasion),
        kind=kind,
        customer_id=party.customer_id,
        subscription_id=party.subscription_id,
        run_id=occasion.run_id,
        currency=party.currency,
        tax_mode=party.tax_mode,
        tax_percent=taxation.plain_percent or Decimal(0),
        issued_at=occasion.issued_at,
        billed_for=billed_for,
        lines=tuple(taxed),
        net_minor=net_minor,
        tax_minor=tax_minor,
        credit_applied_minor=0,
        due_on=terms.due_on(local_date(occasion.issued_at, party.zone)) if terms else None,
        po_number=party.po_number,
        settles=party.negative_total if kind is DocumentKind.CREDIT_NOTE else "balance",
        tax_note=note,
    )


def transfers_of(draft: Draft) -> list[Transfer]:
    """Return the transfers of a finalised document.

    The receivable is debited with revenue (services rendered), deferred revenue (invoiced ahead) and
    tax, each in one transfer whose sides change places when the amount is negative. A credit note's
    total goes on to the customer's credit; an invoice draws what credit it applied. What wallets pay, and get back,
    is booked with their entries.
    """
    revenue_minor = deferred_minor = 0
    for entry in draft.lines:
        net_minor = entry.line.amount_minor - entry.included_tax_minor
        if entry.line.is_deferred:
            deferred_minor += net_minor
        else:
            revenue_minor += net_minor
    owed_to = "customer_credit" if draft.settles == "balance" else "refunds_payable"
    transfers = []
    for kind, debit, credit, amount_minor in (
        ("revenue", "receivable", "revenue", revenue_minor),
        ("deferred_revenue", "receivable", "deferred_revenue", deferred_minor),
        ("tax", "receivable", "tax_payable", draft.tax_minor),
        ("credit_applied", "customer_credit", "receivable", draft.credit_applied_minor),
        ("credit_granted", "receivable", owed_to, max(0, -draft.charged_minor)),
    ):
        if not amount_minor:
            continue
        if amount_minor < 0:
            debit, credit = credit, debit
        transfers.append(
            Transfer(
                id=TransferId(derived_id(draft.issued_at, draft.id.bytes, kind.encode())),
                effective_at=draft.issued_at,
                debit=debit,
                credit=credit,
                amount_minor=abs(amount_minor),
                currency=draft.currency,
                customer_id=draft.customer_id,
                source_type=draft.kind.value,
                source_id=draft.id,
                kind=kind,
            )
        )
    return transfers


def document_digest(
    *, kind: str, series: str, number: int, head: Iterable[Any], lines: Iterable[Sequence[Any]]
) -> bytes:
    """Return the SHA-256 of a finalised document's canonical text.

    `head` and each line are sequences of text, whole numbers, ids, UTC instants and traces in a fixed order;
    JSON without spaces and with sorted keys makes the text canonical. Whoever changes one cent, one date, one
    explanation or one line of a document in the database changes the digest.
    """
    text = msgspec.json.encode([kind, series, number, list(head), *lines], order="deterministic")
    return hashlib.sha256(text).digest()


def _document_id(party: Party, billed_for: datetime, occasion: Occasion) -> InvoiceId:
    run = b"" if occasion.run_id is None else occasion.run_id.bytes
    if party.subscription_id is not None:
        holder = party.subscription_id.bytes
    else:
        holder = b"".join([party.customer_id.bytes, party.currency.encode(), party.tax_mode.encode()])
    parts = [holder, format_instant(billed_for).encode(), run]
    return InvoiceId(derived_id(occasion.issued_at, *parts, *([occasion.mark] if occasion.mark else [])))
