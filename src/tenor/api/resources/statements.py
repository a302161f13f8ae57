"""`/v1/customers/{customer}/statements`: what happened between a customer and the company, with the balance."""

from datetime import timedelta
from typing import Annotated

from fastapi import Path, Query, Security
from starlette.responses import Response

from tenor.api.bodies import InstantIn
from tenor.api.call import Call, Work, a_call
from tenor.api.pages import Page, whole
from tenor.api.resource import resource
from tenor.customers import customer_id_of
from tenor.invoicing import customer_statements
from tenor.kernel.period import EARLIEST
from tenor.wire import StatementJson, statement_json

router = resource("Statements")
Reads = Annotated[Call, Security(a_call, scopes=["invoices:read"])]
CustomerRef = Annotated[str, Path(max_length=200, description="Id (`cus_…`) or external id.")]


@router.get("/customers/{customer}/statements", response_model=Page[StatementJson])
def list_(
    call: Reads,
    customer: CustomerRef,
    since: Annotated[InstantIn | None, Query(description="From the beginning by default.")] = None,
    until: Annotated[InstantIn | None, Query(description="Not included; all until now by default.")] = None,
) -> Response:
    """List a customer's statements, one for each currency."""

    def read(work: Work) -> Page[StatementJson]:
        statements = customer_statements(
            work.uow,
            customer_id_of(work.uow, customer),
            since=since or EARLIEST,
            until=until or work.now + timedelta(microseconds=1),
        )
        return whole(map(statement_json, statements))

    return call.show(read)
