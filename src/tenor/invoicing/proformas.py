"""Rows of `proformas`: previews with a number, which claim nothing and are booked nowhere."""

from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

from psycopg.types.json import Jsonb

from tenor.invoicing.model import Draft
from tenor.invoicing.store import take_numbers, tax_shares_to_json
from tenor.kernel.errors import NotFound
from tenor.kernel.ids import CustomerId, to_wire
from tenor.platform.unit_of_work import Row, UnitOfWork

PROFORMA_SERIES: Final = "PRO"


class ProformaLine(NamedTuple):
    """A line of a proforma with its tax, in minor units."""

    description: str
    amount_minor: int
    tax_minor: int


class Proforma(NamedTuple):
    """A proforma as it was made: what an invoice over its lines would come to."""

    id: UUID
    name: str
    customer_external_id: str
    currency: str
    tax_mode: str
    issued_at: datetime
    due_on: date | None
    po_number: str
    tax_note: str
    net_minor: int
    tax_minor: int
    total_minor: int
    lines: tuple[ProformaLine, ...]


_SELECT: Final = """
    select p.id, p.series || '-' || p.number, c.external_id, p.currency, p.tax_mode, p.issued_at, p.due_on,
           p.po_number, p.tax_note, p.net_minor, p.tax_minor, p.total_minor, p.lines
    from proformas p join customers c on c.id = p.customer_id
"""


def insert_proforma(uow: UnitOfWork, draft: Draft) -> None:
    """Write a document as a proforma, with the next number of their series; its id is the draft's."""
    number = take_numbers(uow, {PROFORMA_SERIES: 1})[PROFORMA_SERIES]
    lines = [
        {
            "description": entry.line.description,
            "amount_minor": entry.line.amount_minor,
            "tax_minor": entry.tax_minor,
            "taxes": tax_shares_to_json(entry.taxes),
        }
        for entry in draft.lines
    ]
    uow.execute(
        """
        insert into proformas (tenant_id, id, series, number, customer_id, currency, tax_mode, issued_at, due_on,
                               po_number, tax_note, net_minor, tax_minor, total_minor, lines)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [
            uow.tenant_id,
            draft.id,
            PROFORMA_SERIES,
            number,
            draft.customer_id,
            draft.currency,
            draft.tax_mode.value,
            draft.issued_at,
            draft.due_on,
            draft.po_number,
            draft.tax_note,
            draft.net_minor,
            draft.tax_minor,
            draft.total_minor,
            Jsonb(lines),
        ],
    )


def find_proforma(uow: UnitOfWork, proforma_id: UUID) -> Proforma:
    """Return a proforma.

    Raises:
        NotFound: this tenant has none with the id.
    """
    row = uow.fetch_one(f"{_SELECT} where p.id = %s", [proforma_id])
    if row is None:
        raise NotFound(f"there is no proforma {to_wire('pro', proforma_id)}")
    return _proforma(row)


def list_proformas(
    uow: UnitOfWork, *, limit: int, after: UUID | None = None, customer_id: CustomerId | None = None
) -> list[Proforma]:
    """Return proformas, the newest first: those older than `after`, and those of one customer, where they are given."""
    rows = uow.fetch_all(
        f"""
        {_SELECT}
        where (%(after)s::uuid is null or p.id < %(after)s)
          and (%(customer)s::uuid is null or p.customer_id = %(customer)s)
        order by p.id desc limit %(limit)s
        """,
        {"after": after, "customer": customer_id, "limit": limit},
    )
    return [_proforma(row) for row in rows]


def _proforma(row: Row) -> Proforma:
    lines = tuple(ProformaLine(one["description"], one["amount_minor"], one["tax_minor"]) for one in row[-1])
    facts = (*row[:-1], lines)
    return Proforma(*facts)
