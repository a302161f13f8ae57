"""How customers are billed, what is sent back to them, and what lies between them and the company, as JSON."""

from typing import cast

from typing_extensions import TypedDict

from tenor.invoicing import BillingSettings, Proforma, RefundRequest, Statement, settings_to_json
from tenor.kernel.ids import to_wire
from tenor.wire.forms import Amount, Day, Instant, amount, day, instant


class PaymentTermsJson(TypedDict):
    """`days` after the issue (`net`), or after the end of its month (`end_of_month`)."""

    kind: str
    days: int


class BillingSettingsJson(TypedDict):
    """How a customer is billed; a document is a draft for `grace_days` before it has its number.

    `invoices_top_ups`: what a wallet orders for itself is invoiced as it is ordered.
    """

    payment_terms: PaymentTermsJson
    po_number: str
    consolidates: bool
    negative_total: str
    grace_days: int
    invoices_top_ups: bool


class RefundRequestJson(TypedDict):
    """Money to be sent back; `credit_note` null: it was the customer's credit."""

    id: str
    customer: str
    amount: Amount
    currency: str
    status: str
    credit_note: str | None


class StatementEntryJson(TypedDict):
    """One thing that moved the balance, and what the balance then was."""

    at: Instant
    what: str
    number: str
    amount: Amount
    balance: Amount


class StatementJson(TypedDict):
    """A customer's movements in one currency. A positive balance is owed by the customer, a negative one to it."""

    currency: str
    opening: Amount
    closing: Amount
    entries: list[StatementEntryJson]


class ProformaLineJson(TypedDict):
    """A line of a proforma."""

    description: str
    amount: Amount
    tax: Amount


class ProformaJson(TypedDict):
    """A numbered preview of an invoice; nothing is owed by it."""

    id: str
    number: str
    customer: str
    currency: str
    issued_at: Instant
    due_on: Day | None
    po_number: str
    net: Amount
    tax: Amount
    total: Amount
    lines: list[ProformaLineJson]


def billing_settings_json(settings: BillingSettings) -> BillingSettingsJson:
    """Return how a customer is billed."""
    return cast(BillingSettingsJson, settings_to_json(settings))


def refund_request_json(request: RefundRequest) -> RefundRequestJson:
    """Return what is to be sent back."""
    return RefundRequestJson(
        id=to_wire("rfd", request.id),
        customer=to_wire("cus", request.customer_id),
        amount=amount(request.amount_minor, request.currency),
        currency=request.currency,
        status=request.status,
        credit_note=None if request.credit_note_id is None else to_wire("inv", request.credit_note_id),
    )


def statement_json(statement: Statement) -> StatementJson:
    """Return a statement."""
    currency = statement.currency
    return StatementJson(
        currency=currency,
        opening=amount(statement.opening_minor, currency),
        closing=amount(statement.closing_minor, currency),
        entries=[
            StatementEntryJson(
                at=instant(entry.at),
                what=entry.what,
                number=entry.name,
                amount=amount(entry.amount_minor, currency),
                balance=amount(entry.balance_minor, currency),
            )
            for entry in statement.entries
        ],
    )


def proforma_json(proforma: Proforma) -> ProformaJson:
    """Return a proforma."""
    currency = proforma.currency
    return ProformaJson(
        id=to_wire("pro", proforma.id),
        number=proforma.name,
        customer=proforma.customer_external_id,
        currency=currency,
        issued_at=instant(proforma.issued_at),
        due_on=day(proforma.due_on),
        po_number=proforma.po_number,
        net=amount(proforma.net_minor, currency),
        tax=amount(proforma.tax_minor, currency),
        total=amount(proforma.total_minor, currency),
        lines=[
            ProformaLineJson(
                description=line.description,
                amount=amount(line.amount_minor, currency),
                tax=amount(line.tax_minor, currency),
            )
            for line in proforma.lines
        ],
    )
