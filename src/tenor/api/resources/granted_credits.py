"""`/v1/credits`: what a person gives back, beside all invoices."""

from typing import Annotated

from fastapi import Security
from pydantic import Field
from starlette.responses import Response

from tenor.api.bodies import NO_CARD_NUMBER
from tenor.api.call import Effect, Work, an_effect
from tenor.api.resource import resource
from tenor.api.resources.charges import OneOff
from tenor.api.taxes import ask_for_taxes
from tenor.customers import find_customer
from tenor.invoicing import grant_credit
from tenor.wire import AdjustmentJson, adjustment_json

router = resource("Credits")
Writes = Annotated[Effect, Security(an_effect, scopes=["invoices:write"])]


class NewCredit(OneOff):
    """What is given back beside all invoices; `clause` is that of the contract which was broken, for a penalty."""

    clause: Annotated[str, Field(max_length=200), NO_CARD_NUMBER] = ""


@router.post("/credits", status_code=201, response_model=AdjustmentJson)
def create(call: Writes, body: NewCredit) -> Response:
    """Give a customer something back, beside all invoices. To give back a part of one, credit that one."""
    ask_for_taxes(call, lambda uow: find_customer(uow, body.customer).id)

    def make(work: Work) -> AdjustmentJson:
        request = body.request(work.uow)
        granted = grant_credit(work.uow, request, clause=body.clause, key=work.request_key, **work.deed(body.reason))
        return adjustment_json(granted)

    return call.once(make, status=201)
