"""`/v1/payments`: money received."""

from typing import Annotated

from fastapi import Security
from pydantic import Field
from starlette.responses import Response

from tenor.api.bodies import NO_CARD_NUMBER, Body, Currency, DecimalIn, InstantIn, Line, Reference
from tenor.api.call import Effect, Work, an_effect
from tenor.api.resource import resource
from tenor.customers import find_customer
from tenor.invoicing import PaymentRequest, find_document, record_payment
from tenor.kernel.ids import InvoiceId
from tenor.kernel.quantity import parse_amount
from tenor.wire import ReceiptJson, receipt_json

router = resource("Payments")
Writes = Annotated[Effect, Security(an_effect, scopes=["invoices:write"])]


class NewPayment(Body):
    """Money received. It pays `invoices` in their order, else what is open, oldest first; the rest becomes credit."""

    customer: Reference
    currency: Currency
    amount: DecimalIn
    method: Annotated[str, Field(min_length=1, max_length=100), NO_CARD_NUMBER]
    reference: Annotated[str, Field(min_length=1, max_length=200), NO_CARD_NUMBER]
    received_at: InstantIn | None = None
    invoices: Annotated[list[Reference], Field(max_length=100)] = Field(default_factory=list)
    reason: Line | None = None


@router.post("/payments", status_code=201, response_model=ReceiptJson)
def record(call: Writes, body: NewPayment) -> Response:
    """Record money received. `reference` is unique for each payment."""

    def make(work: Work) -> ReceiptJson:
        request = PaymentRequest(
            customer_id=find_customer(work.uow, body.customer).id,
            currency=body.currency,
            amount_minor=parse_amount(body.amount, body.currency, name="/amount"),
            received_at=body.received_at,
            method=body.method,
            reference=body.reference,
            invoice_ids=[InvoiceId(find_document(work.uow, one).id) for one in body.invoices],
        )
        return receipt_json(record_payment(work.uow, request, **work.deed(body.reason)))

    return call.once(make, status=201)
