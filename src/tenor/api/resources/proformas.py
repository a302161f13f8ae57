"""`/v1/proformas`: numbered previews of invoices, by which nothing is owed."""

from typing import Annotated

from fastapi import Path, Security
from pydantic import Field
from starlette.responses import Response

from tenor.api.bodies import Body, Currency, DecimalIn, Line, Reference
from tenor.api.call import Call, Effect, Work, a_call, an_effect
from tenor.api.pages import After, Limit, Page, cursor, page
from tenor.api.references import OfCustomer, id_in_path, wanted_customer
from tenor.api.resource import resource
from tenor.api.taxes import ask_for_taxes
from tenor.customers import customer_id_of
from tenor.invoicing import AdjustmentRequest, find_proforma, list_proformas, make_proforma
from tenor.kernel.quantity import parse_amount
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import TaxMode
from tenor.subscriptions import named_subscription
from tenor.wire import ProformaJson, proforma_json

router = resource("Proformas")
Reads = Annotated[Call, Security(a_call, scopes=["invoices:read"])]
Writes = Annotated[Effect, Security(an_effect, scopes=["invoices:write"])]


class NewProformaLine(Body):
    """What the preview names, in major units."""

    description: Line
    amount: DecimalIn
    tax_category: Annotated[str, Field(min_length=1, max_length=63)] = "standard"


class NewProforma(Body):
    """A preview to be, for one customer, in one currency."""

    customer: Reference
    currency: Currency
    lines: Annotated[list[NewProformaLine], Field(min_length=1, max_length=1_000)]
    subscription: Reference | None = None
    tax_inclusive: bool = False
    reason: Line | None = None

    def requests(self, uow: UnitOfWork) -> list[AdjustmentRequest]:
        """Return what is asked for, line by line."""
        customer_id = customer_id_of(uow, self.customer)
        subscription_id = None if self.subscription is None else named_subscription(uow, self.subscription).id
        return [
            AdjustmentRequest(
                customer_id=customer_id,
                currency=self.currency,
                amount_minor=parse_amount(line.amount, self.currency, name=f"/lines/{place}/amount"),
                description=line.description,
                subscription_id=subscription_id,
                tax_category=line.tax_category,
                tax_mode=TaxMode.INCLUSIVE if self.tax_inclusive else TaxMode.EXCLUSIVE,
            )
            for place, line in enumerate(self.lines)
        ]


@router.post("/proformas", status_code=201, response_model=ProformaJson)
def create(call: Writes, body: NewProforma) -> Response:
    """Make a numbered preview of an invoice. Nothing is booked or owed by it."""
    ask_for_taxes(call, lambda uow: customer_id_of(uow, body.customer))

    def make(work: Work) -> ProformaJson:
        requests = body.requests(work.uow)
        return proforma_json(make_proforma(work.uow, requests, key=work.request_key, **work.deed(body.reason)))

    return call.once(make, status=201)


@router.get("/proformas", response_model=Page[ProformaJson])
def list_(
    call: Reads,
    limit: Limit = 20,
    after: After = None,
    customer: OfCustomer = None,
) -> Response:
    """List proformas as they were made, the newest first."""

    def read(work: Work) -> Page[ProformaJson]:
        customer_id = wanted_customer(work.uow, customer)
        found = list_proformas(work.uow, limit=limit + 1, after=cursor("pro", after), customer_id=customer_id)
        return page(found, "pro", limit=limit, id_of=lambda one: one.id, shown=proforma_json)

    return call.show(read)


@router.get("/proformas/{proforma}", response_model=ProformaJson)
def retrieve(call: Reads, proforma: Annotated[str, Path(max_length=60, description="Id (`pro_…`).")]) -> Response:
    """Return a proforma as it was made."""
    return call.show(lambda work: proforma_json(find_proforma(work.uow, id_in_path("pro", proforma))))
