"""Documents: lines become invoices and credit notes with tax, credit, transfers and a digest."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

import msgspec

from tenor.invoicing.model import DocumentKind, Draft, Line, TaxedLine
from tenor.kernel.ids import BillRunId, CustomerId, InvoiceId, SubscriptionId, TransferId, derived_id
from tenor.kernel.money import MINOR_LIMIT, AmountTooLarge, divide_rounded
from tenor.kernel.period import format_instant
from tenor.ledger.model import Transfer
from tenor.pricing.model import TaxMode

_PERCENT_SCALE = 1_000_000
"""Tax percentages have at most six digits after the point."""


@dataclass(frozen=True, slots=True)
class Party:
    """Who a document is for and under which tax: what drafting needs besides the lines."""

    customer_id: CustomerId
    subscription_id: SubscriptionId
    currency: str
    tax_mode: TaxMode
    tax_percent: Decimal


def draft_documents(
    lines: Sequence[Line], party: Party, *, run_id: BillRunId | None, issued_at: datetime
) -> list[Draft]:
    """Group `lines` into documents: one for each due instant, in order of time.

    Three missed months thus give three invoices. A group whose total is negative becomes a credit note.
    Ids derive from the run, the subscription, the due instant and the time of issue, so that a repeated run
    makes the same documents, and another run as of the same instant others.

    Raises:
        AmountTooLarge: a total that the ledger cannot hold.
    """
    drafts = []
    ordered = lines if len({line.due_at for line in lines}) < 2 else sorted(lines, key=lambda line: line.due_at)
    for due_at, group in groupby(ordered, key=lambda line: line.due_at):
        taxed = tuple(TaxedLine(line, _line_tax_minor(line.amount_minor, party)) for line in group)
        amount_minor = sum(entry.line.amount_minor for entry in taxed)
        tax_minor = sum(entry.tax_minor for entry in taxed)
        net_minor = amount_minor - tax_minor if party.tax_mode is TaxMode.INCLUSIVE else amount_minor
        if abs(net_minor + tax_minor) >= MINOR_LIMIT:
            raise AmountTooLarge(f"a total of {net_minor + tax_minor} minor units cannot be kept in the ledger")
        drafts.append(
            Draft(
                id=_document_id(party.subscription_id, due_at, run_id=run_id, issued_at=issued_at),
                kind=DocumentKind.CREDIT_NOTE if net_minor + tax_minor < 0 else DocumentKind.INVOICE,
                customer_id=party.customer_id,
                subscription_id=party.subscription_id,
                run_id=run_id,
                currency=party.currency,
                tax_mode=party.tax_mode,
                tax_percent=party.tax_percent,
                issued_at=issued_at,
                billed_for=due_at,
                lines=taxed,
                net_minor=net_minor,
                tax_minor=tax_minor,
                credit_applied_minor=0,
            )
        )
    return drafts


def transfers_of(draft: Draft) -> list[Transfer]:
    """Return the transfers of a finalised document.

    The receivable is debited with revenue (services rendered), deferred revenue (invoiced ahead) and
    tax, each in one transfer whose sides change places when the amount is negative. A credit note's
    total goes on to the customer's credit; an invoice draws what credit it applied.
    """
    inclusive = draft.tax_mode is TaxMode.INCLUSIVE
    revenue_minor = deferred_minor = 0
    for entry in draft.lines:
        net_minor = entry.line.amount_minor - entry.tax_minor if inclusive else entry.line.amount_minor
        if entry.line.is_deferred:
            deferred_minor += net_minor
        else:
            revenue_minor += net_minor
    transfers = []
    for kind, debit, credit, amount_minor in (
        ("revenue", "receivable", "revenue", revenue_minor),
        ("deferred_revenue", "receivable", "deferred_revenue", deferred_minor),
        ("tax", "receivable", "tax_payable", draft.tax_minor),
        ("credit_applied", "customer_credit", "receivable", draft.credit_applied_minor),
        ("credit_granted", "receivable", "customer_credit", max(0, -draft.total_minor)),
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


def _line_tax_minor(amount_minor: int, party: Party) -> int:
    """Return the tax of a line, rounded half up once per line; carved out of an inclusive amount."""
    if not party.tax_percent or not amount_minor:
        return 0
    percent = int(party.tax_percent * _PERCENT_SCALE)
    whole = 100 * _PERCENT_SCALE
    return divide_rounded(amount_minor * percent, whole + (percent if party.tax_mode is TaxMode.INCLUSIVE else 0))


def _document_id(
    subscription_id: SubscriptionId, due_at: datetime, *, run_id: BillRunId | None, issued_at: datetime
) -> InvoiceId:
    run = b"" if run_id is None else run_id.bytes
    return InvoiceId(derived_id(issued_at, subscription_id.bytes, format_instant(due_at).encode(), run))
