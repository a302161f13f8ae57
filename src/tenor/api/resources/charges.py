"""`/v1/charges`: what is charged once, beside all plans."""

from typing import Annotated, Literal

from fastapi import Security
from starlette.responses import Response

from tenor.api.bodies import Body, Code, Currency, DecimalIn, Line, Reference
from tenor.api.call import Effect, Work, an_effect
from tenor.api.resource import resource
from tenor.api.taxes import ask_for_taxes
from tenor.customers import find_customer
from tenor.invoicing import AdjustmentRequest, charge_once
from tenor.kernel.quantity import parse_amount
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import TaxMode
from tenor.subscriptions import named_subscription
from tenor.wire import AdjustmentJson, adjustment_json

router = resource("Charges")
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


@router.post("/charges", status_code=201, response_model=AdjustmentJson)
def create(call: Writes, body: OneOff) -> Response:
    """Charge a customer once, beside all plans."""
    ask_for_taxes(call, lambda uow: find_customer(uow, body.customer).id)

    def make(work: Work) -> AdjustmentJson:
        request = body.request(work.uow)
        return adjustment_json(charge_once(work.uow, request, key=work.request_key, **work.deed(body.reason)))

    return call.once(make, status=201)
