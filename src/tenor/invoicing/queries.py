"""Reads for people: documents with their lines, as they were issued, and how they stand."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from tenor.customers import personal_of
from tenor.invoicing.model import TaxShare
from tenor.invoicing.rules.lifecycle import DocumentStatus
from tenor.invoicing.rules.receivable import Receivable
from tenor.invoicing.store import tax_shares_from_json
from tenor.kernel.errors import Malformed, NotFound
from tenor.kernel.ids import CustomerId, InvoiceId, from_wire
from tenor.kernel.period import Period
from tenor.platform.unit_of_work import UnitOfWork

_NUMBER = re.compile(r"([A-Z0-9-]{1,20})-([0-9]{1,18})", re.ASCII)


class DocumentNotFound(NotFound):
    """A document number or id that this tenant has not issued."""

    code = "document_not_found"


class PaidByWallet(NamedTuple):
    """What the wallet of a code paid of a line, in its unit and in minor units; negative: was given back."""

    wallet: str
    unit: str
    amount: Decimal
    paid_minor: int


@dataclass(frozen=True, slots=True)
class IssuedLine:
    """A line as issued. Amounts in minor units; inclusive tax is inside the amount.

    `charge_code` is that of the charge, or the kind of the adjustment. `plan` and `plan_version` are those of its
    charge; an adjustment has none.
    """

    number: int
    description: str
    charge_code: str
    dimension: str
    period: Period
    amount_minor: int
    tax_minor: int
    trace: Mapping[str, Any]
    subscription_external_id: str = ""
    plan: str = ""
    plan_version: int = 0
    taxes: tuple[TaxShare, ...] = ()
    paid_by: tuple[PaidByWallet, ...] = ()


@dataclass(frozen=True, slots=True)
class IssuedDocument:
    """A finalised document. `name` is its legal number, e.g. INV-12. `prepaid_minor` is what wallets paid of it.

    A credit note names the invoice that it `credits`, if it is one's; an invoice the credit notes for it.
    """

    id: UUID
    name: str
    kind: str
    customer_external_id: str
    customer_name: str
    timezone: str
    currency: str
    tax_mode: str
    tax_percent: Decimal
    issued_at: datetime
    billed_for: datetime
    net_minor: int
    tax_minor: int
    total_minor: int
    prepaid_minor: int
    credit_applied_minor: int
    due_minor: int
    due_on: date | None
    po_number: str
    settles: str
    tax_note: str
    credits: str | None
    credited_by: tuple[str, ...]
    receivable: Receivable
    lines: tuple[IssuedLine, ...]

    @property
    def subscription_external_ids(self) -> tuple[str, ...]:
        """The subscriptions that its lines are for, in their order."""
        return tuple(
            dict.fromkeys(line.subscription_external_id for line in self.lines if line.subscription_external_id)
        )

    @property
    def subscription_external_id(self) -> str:
        """Its subscriptions as one text."""
        return ", ".join(self.subscription_external_ids)

    @property
    def plans(self) -> tuple[tuple[str, int], ...]:
        """The plans that its lines are of, with their versions, those of the last lines first."""
        return tuple(dict.fromkeys((line.plan, line.plan_version) for line in reversed(self.lines) if line.plan))

    def status(self, on: date) -> str:
        """Return how it stands on a day: open, overdue, paid, void or written off; a credit note is issued."""
        return "issued" if self.kind == "credit_note" else self.receivable.shown(due_on=self.due_on, on=on)


@dataclass(frozen=True, slots=True)
class DocumentSummary:
    """One row of a list of documents."""

    id: UUID
    name: str
    kind: str
    customer_external_id: str
    currency: str
    issued_at: datetime
    due_on: date | None
    total_minor: int
    due_minor: int
    receivable: Receivable

    def status(self, on: date) -> str:
        """Return how it stands on a day, as `IssuedDocument.status` does."""
        return "issued" if self.kind == "credit_note" else self.receivable.shown(due_on=self.due_on, on=on)


_RECEIVABLE = """
               i.customer_id, coalesce(s.status, 'finalized'), coalesce(s.paid_minor, 0),
               coalesce(s.credited_minor, 0), coalesce(s.written_off_minor, 0)"""


def find_document(uow: UnitOfWork, reference: str) -> IssuedDocument:
    """Return the document with the number ('INV-12') or the id ('inv_01…') `reference`.

    Raises:
        Malformed: the text is neither; DocumentNotFound: nothing has been issued under it.
    """
    where, params = _found_by(reference)
    row = uow.fetch_one(
        f"""
        select i.id, i.series || '-' || i.number, i.kind, c.external_id, c.id,
               coalesce((select timezone from subscriptions where id = i.subscription_id), c.timezone), i.currency,
               i.tax_mode, i.tax_percent, i.issued_at, i.billed_for, i.net_minor, i.tax_minor, i.total_minor,
               i.prepaid_minor, i.credit_applied_minor, i.due_minor, i.due_on, i.po_number, i.settles, i.tax_note,
               (select n.series || '-' || n.number from invoices n where n.id = i.credits_invoice_id),
               array(select n.series || '-' || n.number from invoices n where n.credits_invoice_id = i.id
                     order by n.issued_at, n.number),
               {_RECEIVABLE}
        from invoices i
        join customers c on c.id = i.customer_id
        left join document_states s on s.invoice_id = i.id
        where {where}
        """,
        params,
    )
    if row is None:
        raise DocumentNotFound(f"no document {reference} has been issued")
    receivable = _receivable(row[0], row[1], row[6], row[16], row[23:])
    name = personal_of(uow, [row[4]])[row[4]].name or ""
    facts = (*row[:4], name, *row[5:22], tuple(row[22]), receivable, _lines(uow, row[0]))
    return IssuedDocument(*facts)


def list_documents(
    uow: UnitOfWork,
    *,
    customer: str | None = None,
    limit: int = 20,
    is_open: bool = False,
    after: InvoiceId | None = None,
) -> list[DocumentSummary]:
    """Return the newest documents, of one customer (external id) or of all; at most `limit`.

    With `is_open` only those of which something is still expected to be paid; with `after` only those that come after
    that document in this order.
    """
    rows = uow.fetch_all(
        f"""
        select i.id, i.series || '-' || i.number, i.kind, c.external_id, i.currency, i.issued_at, i.due_on,
               i.total_minor, i.due_minor, {_RECEIVABLE}
        from invoices i
        join customers c on c.id = i.customer_id
        left join document_states s on s.invoice_id = i.id
        where (%(customer)s::text is null or c.external_id = %(customer)s)
          and (%(after)s::uuid is null or (i.issued_at, i.series, i.number)
               < (select issued_at, series, number from invoices where id = %(after)s))
          and (not %(is_open)s or i.due_minor > coalesce(s.paid_minor + s.credited_minor + s.written_off_minor, 0))
        order by i.issued_at desc, i.series desc, i.number desc limit %(limit)s
        """,
        {"customer": customer, "limit": limit, "is_open": is_open, "after": after},
    )
    found = [(*row[:9], _receivable(row[0], row[1], row[4], row[8], row[9:])) for row in rows]
    return [DocumentSummary(*facts) for facts in found]


def _found_by(reference: str) -> tuple[str, list[Any]]:
    if match := _NUMBER.fullmatch(reference):
        return "i.series = %s and i.number = %s", [match[1], int(match[2])]
    if reference.startswith("inv_"):
        return "i.id = %s", [from_wire("inv", reference)]
    raise Malformed(f"{reference[:40]!r} is neither a document number such as INV-12 nor an id such as inv_01h…")


def _receivable(document_id: UUID, name: str, currency: str, due_minor: int, row: tuple[Any, ...]) -> Receivable:
    customer_id, status, paid_minor, credited_minor, written_off_minor = row
    return Receivable(
        InvoiceId(document_id),
        name,
        CustomerId(customer_id),
        currency,
        DocumentStatus(status),
        due_minor,
        paid_minor,
        credited_minor,
        written_off_minor,
    )


def _lines(uow: UnitOfWork, document_id: UUID) -> tuple[IssuedLine, ...]:
    rows = uow.fetch_all(
        """
        select l.line_no, l.description, coalesce(c.code, a.kind), l.dimension, l.period_start, l.period_end,
               l.amount_minor, l.tax_minor, l.trace, coalesce(s.external_id, ''), coalesce(v.plan, ''),
               coalesce(v.version, 0), l.taxes,
               (select jsonb_agg(jsonb_build_array(w.code, p.unit, p.amount::text, p.paid_minor)
                                 order by w.opened_at, w.code)
                from wallet_payments p join wallets w on w.id = p.wallet_id
                where p.invoice_id = l.invoice_id and p.line_no = l.line_no)
        from invoice_lines l
        join invoices i on i.id = l.invoice_id
        left join subscriptions s on s.id = coalesce(l.subscription_id, i.subscription_id)
        left join charges c on c.id = l.charge_id
        left join plan_versions v on v.id = c.plan_version_id
        left join adjustments a on a.id = l.adjustment_id
        where l.invoice_id = %s order by l.line_no
        """,
        [document_id],
    )
    found = [
        (*row[:4], Period(*row[4:6]), *row[6:12], tax_shares_from_json(row[12]), tuple(map(_paid_by, row[13] or ())))
        for row in rows
    ]
    return tuple(IssuedLine(*facts) for facts in found)


def _paid_by(entry: Sequence[Any]) -> PaidByWallet:
    wallet, unit, amount, paid_minor = entry
    return PaidByWallet(wallet, unit, Decimal(amount), paid_minor)
