"""`/v1/charges`, `/v1/credits`, `/v1/payments`: what a person decides beside all plans, and money received."""

from typing import Annotated, Literal

from fastapi import Security
from pydantic import Field
from starlette.responses import Response

from tenor.api.bodies import NO_CARD_NUMBER, Body, Code, Currency, DecimalIn, InstantIn, Line, Reference
from tenor.api.call import Effect, Work, an_effect
from tenor.api.resource import resource
from tenor.api.taxes import ask_for_taxes
from tenor.customers import find_customer
from tenor.invoicing import (
    AdjustmentRequest,
    PaymentRequest,
    charge_once,
    find_document,
    grant_credit,
    record_payment,
)
from tenor.kernel.ids import InvoiceId
from tenor.kernel.quantity import parse_amount
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import TaxMode
from tenor.subscriptions import named_subscription
from tenor.wire import AdjustmentJson, ReceiptJson, adjustment_json, receipt_json

router = resource("one-offs")
Writes = Annotated[Effect, Security(an_effect, scopes=["invoices:write"])]


class OneOff(Body):
    """What is charged or credited, in major units; on a document now, or on the next one."""

    customer: Reference
    currency: Currency
    amount: DecimalIn
    description: Line
    subscription: Reference | None = None
    invoicing: Literal["now", "next_invoice"] = "now"
    tax_category: Code = "standard"
    tax_inclusive: bool = False
    reason: Line | None = None

    def request(self, uow: UnitOfWork) -> AdjustmentRequest:
        """Return what is asked for."""
        return AdjustmentRequest(
            customer_id=find_customer(uow, self.customer).id,
            currency=self.currency,
            amount_minor=parse_amount(self.amount, self.currency, name="/amount"),
            description=self.description,
            subscription_id=None if self.subscription is None else named_subscription(uow, self.subscription).id,
            tax_category=self.tax_category,
            tax_mode=TaxMode.INCLUSIVE if self.tax_inclusive else TaxMode.EXCLUSIVE,
            invoicing=self.invoicing,
        )


class NewCredit(OneOff):
    """What is given back beside all invoices; `clause` is that of the contract which was broken, for a penalty."""

    clause: Annotated[str, Field(max_length=200), NO_CARD_NUMBER] = ""


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


@router.post("/charges", status_code=201, response_model=AdjustmentJson)
def charge(call: Writes, body: OneOff) -> Response:
    """Charge a customer once, beside all plans."""
    ask_for_taxes(call, lambda uow: find_customer(uow, body.customer).id)

    def make(work: Work) -> AdjustmentJson:
        request = body.request(work.uow)
        return adjustment_json(charge_once(work.uow, request, key=work.request_key, **work.deed(body.reason)))

    return call.once(make, status=201)


@router.post("/credits", status_code=201, response_model=AdjustmentJson)
def credit(call: Writes, body: NewCredit) -> Response:
    """Give a customer something back, beside all invoices. To give back a part of one, credit that one."""
    ask_for_taxes(call, lambda uow: find_customer(uow, body.customer).id)

    def make(work: Work) -> AdjustmentJson:
        request = body.request(work.uow)
        granted = grant_credit(work.uow, request, clause=body.clause, key=work.request_key, **work.deed(body.reason))
        return adjustment_json(granted)

    return call.once(make, status=201)


@router.post("/payments", status_code=201, response_model=ReceiptJson)
def pay(call: Writes, body: NewPayment) -> Response:
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
