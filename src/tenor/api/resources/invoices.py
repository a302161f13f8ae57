"""`/v1/invoices`: documents as they were issued, why they say what they say, and what is done to them."""

from typing import Annotated, Literal

from fastapi import Path, Query, Security
from pydantic import Field
from starlette.responses import Response

from tenor.api.bodies import Body, DecimalIn, Line
from tenor.api.call import Call, Effect, Work, a_call, an_effect
from tenor.api.pages import After, Limit, Page, cursor, page
from tenor.api.references import OfCustomer
from tenor.api.resource import resource
from tenor.customers import find_customer
from tenor.invoicing import (
    DocumentNotFound,
    IssuedDocument,
    credit_invoice,
    find_document,
    list_documents,
    void_invoice,
    write_off,
)
from tenor.kernel.errors import Malformed
from tenor.kernel.ids import InvoiceId
from tenor.kernel.quantity import parse_amount
from tenor.wire import DocumentJson, DocumentRowJson, document_json, document_row_json

router = resource("Invoices")
Reads = Annotated[Call, Security(a_call, scopes=["invoices:read"])]
Writes = Annotated[Effect, Security(an_effect, scopes=["invoices:write"])]
InvoiceRef = Annotated[str, Path(max_length=60, description="Id (`inv_…`) or number (INV-12).")]


class Voiding(Body):
    """Why a document is taken back whole. `rebill`: the next bill run bills anew what is owed."""

    reason: Line
    rebill: bool = False


class CreditedLine(Body):
    """What is given back of a line, in major units; its tax follows."""

    line: Annotated[int, Field(ge=1, le=1_000_000)]
    amount: DecimalIn


class NewCreditNote(Body):
    """What is given back: lines, an amount spread over all of them, or (neither) all that is left."""

    lines: Annotated[list[CreditedLine] | None, Field(min_length=1, max_length=1_000)] = None
    amount: DecimalIn | None = None
    settles: Annotated[
        Literal["balance", "refund"] | None, Field(description="As the customer's settings say by default.")
    ] = None
    reason: Line


class WritingOff(Body):
    """Why what is open is given up as lost."""

    reason: Line


@router.get("/invoices", response_model=Page[DocumentRowJson])
def list_(
    call: Reads,
    limit: Limit = 20,
    after: After = None,
    customer: OfCustomer = None,
    is_open: Annotated[bool, Query(alias="open", description="Only what is still to be paid.")] = False,  # noqa: FBT002  a query
) -> Response:
    """List documents, the newest first."""

    def read(work: Work) -> Page[DocumentRowJson]:
        since = cursor("inv", after)
        found = list_documents(
            work.uow,
            customer=None if customer is None else find_customer(work.uow, customer).external_id,
            limit=limit + 1,
            is_open=is_open,
            after=None if since is None else InvoiceId(since),
        )
        today = work.now.date()
        return page(
            found, "inv", limit=limit, id_of=lambda one: one.id, shown=lambda one: document_row_json(one, today)
        )

    return call.show(read)


@router.get("/invoices/{invoice}", response_model=DocumentJson)
def retrieve(
    call: Reads,
    invoice: InvoiceRef,
    explain: Annotated[bool, Query(description="With the derivation of each line.")] = False,  # noqa: FBT002  a query
) -> Response:
    """Return a document as it was issued, with what became of it since."""
    return call.show(lambda work: document_json(_document(work, invoice), is_explained=explain, now=work.now))


@router.post("/invoices/{invoice}/void", status_code=201, response_model=DocumentJson)
def void(call: Writes, invoice: InvoiceRef, body: Voiding) -> Response:
    """Take a document back whole, by a credit note, which is the answer; the number is kept."""

    def make(work: Work) -> DocumentJson:
        held = InvoiceId(_document(work, invoice).id)
        note = void_invoice(work.uow, held, rebill=body.rebill, **work.deed(body.reason))
        return document_json(find_document(work.uow, note.name), is_explained=False, now=work.now)

    return call.once(make, status=201)


@router.post("/invoices/{invoice}/credit-notes", status_code=201, response_model=DocumentJson)
def create_credit_note(call: Writes, invoice: InvoiceRef, body: NewCreditNote) -> Response:
    """Give back lines, an amount, or all that is left of an invoice, with its tax. It is not billed again."""

    def make(work: Work) -> DocumentJson:
        held = _document(work, invoice)
        amount = body.amount
        note = credit_invoice(
            work.uow,
            InvoiceId(held.id),
            lines=_credited(body.lines, held.currency),
            amount_minor=None if amount is None else parse_amount(amount, held.currency, name="/amount"),
            settles=body.settles,
            key=work.request_key,
            **work.deed(body.reason),
        )
        return document_json(find_document(work.uow, note.name), is_explained=False, now=work.now)

    return call.once(make, status=201)


@router.post("/invoices/{invoice}/write-off", response_model=DocumentJson)
def write_off_(call: Writes, invoice: InvoiceRef, body: WritingOff) -> Response:
    """Give up what is open of a document as lost. A later payment takes it back."""

    def make(work: Work) -> DocumentJson:
        held = _document(work, invoice)
        write_off(work.uow, InvoiceId(held.id), **work.deed(body.reason))
        return document_json(find_document(work.uow, held.name), is_explained=False, now=work.now)

    return call.once(make)


def _document(work: Work, reference: str) -> IssuedDocument:
    """Return the document that a path names; what is no reference names nothing."""
    try:
        return find_document(work.uow, reference)
    except Malformed:
        raise DocumentNotFound(f"no document {reference[:60]!r} has been issued") from None


def _credited(lines: list[CreditedLine] | None, currency: str) -> dict[int, int] | None:
    if lines is None:
        return None
    credited: dict[int, int] = {}
    for place, one in enumerate(lines):
        if one.line in credited:
            raise Malformed(f"/lines/{place}/line: line {one.line} is named twice")
        credited[one.line] = parse_amount(one.amount, currency, name=f"/lines/{place}/amount")
    return credited
