"""Reads for people: documents with their lines, as they were issued."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from tenor.kernel.errors import Malformed, NotFound
from tenor.kernel.ids import from_wire
from tenor.kernel.period import Period
from tenor.platform.unit_of_work import UnitOfWork

_NUMBER = re.compile(r"([A-Z0-9-]{1,20})-([0-9]{1,18})", re.ASCII)


class DocumentNotFound(NotFound):
    """A document number or id that this tenant has not issued."""

    code = "document_not_found"


@dataclass(frozen=True, slots=True)
class IssuedLine:
    """A line as issued. Amounts in minor units; `tax_minor` is inside the amount of an inclusive document."""

    number: int
    description: str
    charge_code: str
    dimension: str
    period: Period
    amount_minor: int
    tax_minor: int
    trace: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class IssuedDocument:
    """A finalised document. `name` is its legal number, e.g. INV-12."""

    id: UUID
    name: str
    kind: str
    customer_external_id: str
    customer_name: str
    subscription_external_id: str
    plan: str
    plan_version: int
    timezone: str
    currency: str
    tax_mode: str
    tax_percent: Decimal
    issued_at: datetime
    billed_for: datetime
    net_minor: int
    tax_minor: int
    total_minor: int
    credit_applied_minor: int
    due_minor: int
    lines: tuple[IssuedLine, ...]


@dataclass(frozen=True, slots=True)
class DocumentSummary:
    """One row of a list of documents."""

    id: UUID
    name: str
    kind: str
    customer_external_id: str
    currency: str
    issued_at: datetime
    total_minor: int
    due_minor: int


def find_document(uow: UnitOfWork, reference: str) -> IssuedDocument:
    """Return the document with the number ('INV-12') or the id ('inv_01…') `reference`.

    Raises:
        Malformed: the text is neither; DocumentNotFound: nothing has been issued under it.
    """
    if match := _NUMBER.fullmatch(reference):
        where, params = "i.series = %s and i.number = %s", [match[1], int(match[2])]
    elif reference.startswith("inv_"):
        where, params = "i.id = %s", [from_wire("inv", reference)]
    else:
        raise Malformed(f"{reference[:40]!r} is neither a document number such as INV-12 nor an id such as inv_01h…")
    row = uow.fetch_one(
        f"""
        select i.id, i.series || '-' || i.number, i.kind, c.external_id, c.name, s.external_id, s.timezone, i.currency,
               i.tax_mode, i.tax_percent, i.issued_at, i.billed_for, i.net_minor, i.tax_minor, i.total_minor,
               i.credit_applied_minor, i.due_minor
        from invoices i
        join customers c on c.id = i.customer_id
        join subscriptions s on s.id = i.subscription_id
        where {where}
        """,
        params,
    )
    if row is None:
        raise DocumentNotFound(f"no document {reference} has been issued")
    lines = uow.fetch_all(
        """
        select l.line_no, l.description, c.code, l.dimension, l.period_start, l.period_end, l.amount_minor, l.tax_minor,
               l.trace, v.plan, v.version
        from invoice_lines l
        join charges c on c.id = l.charge_id
        join plan_versions v on v.id = c.plan_version_id
        where l.invoice_id = %s order by l.line_no
        """,
        [row[0]],
    )
    plan, plan_version = lines[-1][9:11] if lines else ("", 0)
    issued_lines = tuple(
        IssuedLine(number, description, code, dimension, Period(start, end), amount, tax, trace)
        for number, description, code, dimension, start, end, amount, tax, trace, _, _ in lines
    )
    facts = (*row[:6], plan, plan_version, *row[6:], issued_lines)
    return IssuedDocument(*facts)


def list_documents(uow: UnitOfWork, *, customer: str | None = None, limit: int = 20) -> list[DocumentSummary]:
    """Return the newest documents, of one customer (external id) or of all; at most `limit`."""
    rows = uow.fetch_all(
        """
        select i.id, i.series || '-' || i.number, i.kind, c.external_id, i.currency, i.issued_at, i.total_minor,
               i.due_minor
        from invoices i join customers c on c.id = i.customer_id
        where %(customer)s::text is null or c.external_id = %(customer)s
        order by i.issued_at desc, i.series desc, i.number desc limit %(limit)s
        """,
        {"customer": customer, "limit": limit},
    )
    return [DocumentSummary(*row) for row in rows]
