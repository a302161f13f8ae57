"""`/v1/refund-requests`: money that is to be sent back, and that it was."""

from typing import Annotated

from fastapi import Path, Security
from pydantic import Field
from starlette.responses import Response

from tenor.api.bodies import Body, Currency, DecimalIn, Line, Reference
from tenor.api.call import Call, Effect, Work, a_call, an_effect
from tenor.api.pages import After, Limit, Page, cursor, page
from tenor.api.references import OfCustomer, id_in_path, wanted_customer
from tenor.api.resource import resource
from tenor.customers import customer_id_of
from tenor.invoicing import find_refund_request, list_refund_requests, mark_refunded, request_refund
from tenor.kernel.quantity import parse_amount
from tenor.wire import RefundRequestJson, refund_request_json

router = resource("Refund requests")
Reads = Annotated[Call, Security(a_call, scopes=["invoices:read"])]
Writes = Annotated[Effect, Security(an_effect, scopes=["invoices:write"])]
RefundRef = Annotated[str, Path(max_length=60, description="Id (`rfd_…`).")]


class NewRefundRequest(Body):
    """How much of a customer's credit is to be sent back, in major units."""

    customer: Reference
    currency: Currency
    amount: DecimalIn
    reason: Line


class SentRefund(Body):
    """Under which name the bank has sent it."""

    reference: Annotated[Line, Field(description="The bank's name for the payment.")]
    reason: Line | None = None


@router.post("/refund-requests", status_code=201, response_model=RefundRequestJson)
def create(call: Writes, body: NewRefundRequest) -> Response:
    """Ask for a customer's credit to be sent back. It is credit no longer."""

    def make(work: Work) -> RefundRequestJson:
        asked = request_refund(
            work.uow,
            customer_id_of(work.uow, body.customer),
            currency=body.currency,
            amount_minor=parse_amount(body.amount, body.currency, name="/amount"),
            key=work.request_key,
            **work.deed(body.reason),
        )
        return refund_request_json(asked)

    return call.once(make, status=201)


@router.get("/refund-requests", response_model=Page[RefundRequestJson])
def list_(
    call: Reads,
    limit: Limit = 20,
    after: After = None,
    customer: OfCustomer = None,
) -> Response:
    """List what is to be sent back, and what was; the newest first. Credit notes ask for refunds too."""

    def read(work: Work) -> Page[RefundRequestJson]:
        found = list_refund_requests(
            work.uow,
            limit=limit + 1,
            after=cursor("rfd", after),
            customer_id=wanted_customer(work.uow, customer),
        )
        return page(found, "rfd", limit=limit, id_of=lambda one: one.id, shown=refund_request_json)

    return call.show(read)


@router.get("/refund-requests/{refund}", response_model=RefundRequestJson)
def retrieve(call: Reads, refund: RefundRef) -> Response:
    """Return a request."""
    return call.show(lambda work: refund_request_json(find_refund_request(work.uow, id_in_path("rfd", refund))))


@router.post("/refund-requests/{refund}/sent", response_model=RefundRequestJson)
def mark_sent(call: Writes, refund: RefundRef, body: SentRefund) -> Response:
    """Tell that a refund has been sent; telling it again changes nothing."""

    def make(work: Work) -> RefundRequestJson:
        request_id = id_in_path("rfd", refund)
        return refund_request_json(
            mark_refunded(work.uow, request_id, reference=body.reference, **work.deed(body.reason))
        )

    return call.once(make)
