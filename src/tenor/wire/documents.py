"""Documents as JSON: as issued, as rows of a list, and as they would be issued."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NotRequired

from typing_extensions import TypedDict

from tenor.invoicing import DocumentSummary, Draft, IssuedDocument, IssuedLine, explain_line
from tenor.kernel.calendar import local_date, parse_zone
from tenor.kernel.ids import to_wire
from tenor.kernel.quantity import plain
from tenor.wire.forms import Amount, Day, DecimalText, Instant, amount, day, instant


class PeriodJson(TypedDict):
    """A half-open span: the start belongs to it, the end does not."""

    start: Instant
    end: Instant


class TaxShareJson(TypedDict):
    """The part of one rate in the tax of a line."""

    name: str
    jurisdiction: str
    percent: DecimalText
    is_inclusive: bool
    is_charged: bool
    amount: Amount


class PaidByJson(TypedDict):
    """What a wallet paid of a line, by its code, in its unit and in money; negative: was given back."""

    wallet: str
    unit: str
    credits: DecimalText
    amount: Amount


class LineJson(TypedDict):
    """A line as issued; `explanation` is its derivation, one step each, where it was asked for."""

    description: str
    charge: str
    subscription: str | None
    period: PeriodJson
    amount: Amount
    tax: Amount
    taxes: list[TaxShareJson]
    paid_by: list[PaidByJson]
    explanation: NotRequired[list[str]]


class DocumentJson(TypedDict):
    """An issued document. It never changes; what was paid, credited and written off since stands beside."""

    id: str
    number: str
    kind: str
    customer: str
    customer_id: str
    subscription: str | None
    subscriptions: list[str]
    plan: str | None
    plan_version: int | None
    currency: str
    issued_at: Instant
    due_on: Day | None
    po_number: str
    status: NotRequired[str]
    net: Amount
    tax: Amount
    tax_note: str
    total: Amount
    prepaid: Amount
    credit_applied: Amount
    due: Amount
    paid: Amount
    credited: Amount
    written_off: Amount
    open: Amount
    credits: str | None
    credited_by: list[str]
    settles: str | None
    lines: list[LineJson]


class DocumentRowJson(TypedDict):
    """A document in a list."""

    id: str
    number: str
    kind: str
    customer: str
    issued_at: Instant
    due_on: Day | None
    status: str
    total: Amount
    due: Amount
    open: Amount
    currency: str


class IssuedJson(TypedDict):
    """Number and total of a document that a call has issued."""

    number: str
    kind: str
    total: Amount
    currency: str


DraftLineJson = TypedDict(
    "DraftLineJson", {"description": str, "from": Instant, "to": Instant, "amount": Amount, "tax": Amount}
)
"""A line that is not issued; its period holds `from` and not `to`."""


class DraftJson(TypedDict):
    """A document that is not issued."""

    kind: str
    currency: str
    net: Amount
    tax: Amount
    total: Amount
    prepaid: Amount
    due: Amount
    due_on: Day | None
    lines: list[DraftLineJson]


def document_json(document: IssuedDocument, *, is_explained: bool, now: datetime | None = None) -> DocumentJson:
    """Return a document; with `now`, its status by then, and with `is_explained` the derivation of each line."""
    currency = document.currency
    plan, plan_version = document.plans[0] if document.plans else (None, None)
    receivable = document.receivable
    told = DocumentJson(
        id=to_wire("inv", document.id),
        number=document.name,
        kind=document.kind,
        customer=document.customer_external_id,
        customer_id=to_wire("cus", receivable.customer_id),
        subscription=document.subscription_external_id or None,
        subscriptions=list(document.subscription_external_ids),
        plan=plan,
        plan_version=plan_version,
        currency=currency,
        issued_at=instant(document.issued_at),
        due_on=day(document.due_on),
        po_number=document.po_number,
        net=amount(document.net_minor, currency),
        tax=amount(document.tax_minor, currency),
        tax_note=document.tax_note,
        total=amount(document.total_minor, currency),
        prepaid=amount(document.prepaid_minor, currency),
        credit_applied=amount(document.credit_applied_minor, currency),
        due=amount(document.due_minor, currency),
        paid=amount(receivable.paid_minor, currency),
        credited=amount(receivable.credited_minor, currency),
        written_off=amount(receivable.written_off_minor, currency),
        open=amount(receivable.open_minor, currency),
        credits=document.credits,
        credited_by=list(document.credited_by),
        settles=document.settles if document.kind == "credit_note" else None,
        lines=[_line_json(document, line, is_explained=is_explained) for line in document.lines],
    )
    if now is not None:
        told["status"] = document.status(local_date(now, parse_zone(document.timezone)))
    return told


def _line_json(document: IssuedDocument, line: IssuedLine, *, is_explained: bool) -> LineJson:
    currency = document.currency
    told = LineJson(
        description=line.description,
        charge=line.charge_code,
        subscription=line.subscription_external_id or None,
        period=PeriodJson(start=instant(line.period.start), end=instant(line.period.end)),
        amount=amount(line.amount_minor, currency),
        tax=amount(line.tax_minor, currency),
        taxes=[
            TaxShareJson(
                name=share.name,
                jurisdiction=share.jurisdiction,
                percent=plain(share.percent),
                is_inclusive=share.is_inclusive,
                is_charged=share.is_charged,
                amount=amount(share.amount_minor, currency),
            )
            for share in line.taxes
        ],
        paid_by=[
            PaidByJson(
                wallet=part.wallet,
                unit=part.unit,
                credits=plain(part.amount),
                amount=amount(part.paid_minor, currency),
            )
            for part in line.paid_by
        ],
    )
    if is_explained:
        told["explanation"] = explain_line(line, currency=currency, zone=parse_zone(document.timezone))
    return told


def document_row_json(row: DocumentSummary, today: date) -> DocumentRowJson:
    """Return a row of a list of documents, with its status on a day."""
    return DocumentRowJson(
        id=to_wire("inv", row.id),
        number=row.name,
        kind=row.kind,
        customer=row.customer_external_id,
        issued_at=instant(row.issued_at),
        due_on=day(row.due_on),
        status=row.status(today),
        total=amount(row.total_minor, row.currency),
        due=amount(row.due_minor, row.currency),
        open=amount(row.receivable.open_minor, row.currency),
        currency=row.currency,
    )


def issued_json(documents: Sequence[IssuedDocument]) -> list[IssuedJson]:
    """Return number and total of what a change has issued."""
    return [
        IssuedJson(
            number=document.name,
            kind=document.kind,
            total=amount(document.total_minor, document.currency),
            currency=document.currency,
        )
        for document in documents
    ]


def draft_json(draft: Draft) -> DraftJson:
    """Return a document that has not been issued."""
    return DraftJson(
        kind=draft.kind.value,
        currency=draft.currency,
        net=amount(draft.net_minor, draft.currency),
        tax=amount(draft.tax_minor, draft.currency),
        total=amount(draft.total_minor, draft.currency),
        prepaid=amount(draft.prepaid_minor, draft.currency),
        due=amount(draft.due_minor, draft.currency),
        due_on=day(draft.due_on),
        lines=[
            DraftLineJson(
                {
                    "description": entry.line.description,
                    "from": instant(entry.line.key.period.start),
                    "to": instant(entry.line.key.period.end),
                    "amount": amount(entry.line.amount_minor, draft.currency),
                    "tax": amount(entry.tax_minor, draft.currency),
                }
            )
            for entry in draft.lines
        ],
    )
