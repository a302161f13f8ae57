"""`/v1/customers`: the parties that are billed."""

from decimal import Decimal
from typing import Annotated

from fastapi import Path, Query, Security
from pydantic import Field
from starlette.responses import Response

from tenor.api.bodies import NO_CARD_NUMBER, Body, DecimalIn, ExternalId, Line, Metadata
from tenor.api.call import Call, Effect, Work, a_call, an_effect
from tenor.api.pages import After, Limit, Page, cursor, page
from tenor.api.resource import resource
from tenor.customers import (
    CustomerDetails,
    change_customer,
    create_customer,
    erase_customer,
    find_customer,
    list_customers,
)
from tenor.kernel.ids import CustomerId, to_wire
from tenor.wire import CustomerJson, customer_json

router = resource("Customers")
Reads = Annotated[Call, Security(a_call, scopes=["customers:read"])]
Writes = Annotated[Effect, Security(an_effect, scopes=["customers:write"])]
CustomerRef = Annotated[str, Path(max_length=200, description="Id (`cus_…`) or external id.")]


Address = Annotated[str, Field(min_length=1, max_length=1_000, pattern=r"^[^\x00-\x09\x0b-\x1f\x7f]*$"), NO_CARD_NUMBER]
"""A postal address in lines."""


class NewCustomer(Body):
    """A customer to be."""

    external_id: ExternalId
    name: Line | None = None
    email: Line | None = None
    address: Address | None = None
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = None
    timezone: Line | None = None
    tax_percent: DecimalIn = Decimal(0)
    metadata: Metadata = Field(default_factory=dict)


class CustomerChange(Body):
    """What is to be changed; what is left out stays. `version`: refused when it is another by now."""

    name: Line | None = None
    email: Line | None = None
    address: Address | None = None
    metadata: Metadata | None = None
    version: int | None = None
    reason: Line | None = None


@router.post("/customers", status_code=201, response_model=CustomerJson)
def create(call: Writes, body: NewCustomer) -> Response:
    """Create a customer. Its time zone is the tenant's where none is given."""

    def make(work: Work) -> CustomerJson:
        details = CustomerDetails(
            external_id=body.external_id,
            name=body.name or body.external_id,
            country=body.country,
            timezone=body.timezone or work.tenant.timezone,
            tax_percent=body.tax_percent,
            email=body.email,
            address=body.address,
        )
        return customer_json(create_customer(work.uow, details, metadata=body.metadata, **work.deed()))

    return call.once(make, status=201)


@router.get("/customers", response_model=Page[CustomerJson])
def list_(
    call: Reads,
    limit: Limit = 20,
    after: After = None,
    external_id: Annotated[ExternalId | None, Query(description="Only the one of this name.")] = None,
) -> Response:
    """List customers, the newest first."""

    def read(work: Work) -> Page[CustomerJson]:
        since = cursor("cus", after)
        found = list_customers(
            work.uow, limit=limit + 1, after=None if since is None else CustomerId(since), external_id=external_id
        )
        return page(found, "cus", limit=limit, id_of=lambda one: one.id, shown=customer_json)

    return call.show(read)


@router.get("/customers/{customer}", response_model=CustomerJson)
def retrieve(call: Reads, customer: CustomerRef) -> Response:
    """Return a customer."""
    return call.show(lambda work: customer_json(find_customer(work.uow, customer)))


@router.post("/customers/{customer}", response_model=CustomerJson)
def update(call: Writes, customer: CustomerRef, body: CustomerChange) -> Response:
    """Change what a customer is called and what you keep with it."""

    def make(work: Work) -> CustomerJson:
        changed = change_customer(
            work.uow,
            customer,
            version=body.version,
            name=body.name,
            email=body.email,
            address=body.address,
            metadata=body.metadata,
            **work.deed(body.reason),
        )
        return customer_json(changed)

    return call.once(make)


class Erasure(Body):
    """Why a customer is erased."""

    reason: Line


@router.post("/customers/{customer}/erase", response_model=CustomerJson)
def erase(call: Writes, customer: CustomerRef, body: Erasure) -> Response:
    """Destroy what is personal of a customer, for good; what is about money stays. Repeatable."""

    def make(work: Work) -> CustomerJson:
        held = find_customer(work.uow, customer)
        erase_customer(work.uow, held.id, **work.deed(body.reason))
        return customer_json(find_customer(work.uow, to_wire("cus", held.id)))

    return call.once(make)
