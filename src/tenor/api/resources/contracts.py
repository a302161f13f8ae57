"""`/v1/contracts`: what is agreed with single customers apart from the price books, and subscriptions to it."""

from datetime import datetime
from typing import Annotated

from fastapi import Path, Query, Security
from pydantic import Field
from starlette.responses import Response

from tenor.api.bodies import Body, Code, ExternalId, InstantIn, Line
from tenor.api.call import Call, Effect, Work, a_call, an_effect
from tenor.api.changing import Proposal, carried_out, quoted
from tenor.api.pages import After, Limit, Page, keyed_page, place
from tenor.api.references import OfCustomer, wanted_customer
from tenor.api.resource import resource
from tenor.api.resources.changes import BillingOfChange
from tenor.api.resources.subscriptions import KnownSubscriptionJson, known_with_documents
from tenor.customers import customer_id_of
from tenor.kernel.ids import CustomerId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import agree_contract, all_contracts, contract_differences, find_contract
from tenor.subscriptions import NewSubscription, Subscription, load_items, subscribe_to_contract
from tenor.wire import ContractJson, QuoteJson, contract_json

router = resource("Contracts")
Reads = Annotated[Call, Security(a_call, scopes=["catalog:read"])]
Writes = Annotated[Effect, Security(an_effect, scopes=["catalog:write"])]
Subscribes = Annotated[Effect, Security(an_effect, scopes=["subscriptions:write"])]
CustomerRef = Annotated[str, Path(max_length=200, description="Id (`cus_…`) or external id.")]
ContractRef = Annotated[Code, Path(description="Code.")]
Version = Annotated[int, Field(ge=1, lt=2**31)]


class NewContract(Body):
    """A contract, or the next version of one: the text of its file, in YAML or JSON (docs/price-books.md)."""

    source: Annotated[str, Field(min_length=1, max_length=900_000)]
    reason: Line | None = None


class ContractSubscription(BillingOfChange):
    """A subscription to be of the contract's customer, with all steps ahead; the newest version by default."""

    external_id: ExternalId
    contract_version: Version | None = None
    starts_at: InstantIn | None = None


@router.post("/customers/{customer}/contracts", status_code=201, response_model=ContractJson)
def agree(call: Writes, customer: CustomerRef, body: NewContract) -> Response:
    """Agree what a file says: a new contract, or the next version of one. The newest again changes nothing."""

    def make(work: Work) -> ContractJson:
        agreed = agree_contract(
            work.uow,
            body.source.encode(),
            customer_id=customer_id_of(work.uow, customer),
            **work.deed(body.reason),
        )
        return contract_json(agreed, contract_differences(work.uow, agreed))

    return call.once(make, status=201)


@router.get("/contracts", response_model=Page[ContractJson])
def list_(
    call: Reads,
    limit: Limit = 20,
    after: After = None,
    customer: OfCustomer = None,
) -> Response:
    """List the contracts in every version, by code, the newest version first."""

    def read(work: Work) -> Page[ContractJson]:
        customer_id = wanted_customer(work.uow, customer)
        code, version = place(after, str, int) or ("", 0)
        found = all_contracts(work.uow, customer_id=customer_id, after=(code, version), limit=limit + 1)
        return keyed_page(found, limit=limit, key_of=lambda one: (one.code, one.version), shown=contract_json)

    return call.show(read)


@router.get("/contracts/{contract}", response_model=ContractJson)
def retrieve(
    call: Reads,
    contract: ContractRef,
    version: Annotated[Version | None, Query(description="The newest by default.")] = None,
) -> Response:
    """Return a contract, with what each of its steps changes."""

    def read(work: Work) -> ContractJson:
        held = find_contract(work.uow, contract, version=version)
        return contract_json(held, contract_differences(work.uow, held))

    return call.show(read)


@router.post("/contracts/{contract}/subscriptions", status_code=201, response_model=KnownSubscriptionJson)
def subscribe(call: Subscribes, contract: ContractRef, body: ContractSubscription) -> Response:
    """Subscribe the customer of a contract to it, with all its steps ahead."""
    return carried_out(
        call, _opening(contract, body), quote=body.quote, invoice=body.invoice, shown=known_with_documents, status=201
    )


@router.post("/contracts/{contract}/quotes", response_model=QuoteJson)
def quote(call: Subscribes, contract: ContractRef, body: ContractSubscription) -> Response:
    """Tell what a subscription to a contract would cost now. Create it with `quote`, and it costs exactly that."""
    return quoted(call, _opening(contract, body))


def _opening(contract: str, body: ContractSubscription) -> Proposal:
    def make(work: Work, at: datetime, _version: int | None) -> list[Subscription]:
        asked = NewSubscription(
            external_id=body.external_id,
            customer_id=find_contract(work.uow, contract, version=body.contract_version).customer_id,
            plan=contract,
            starts_at=body.starts_at or at,
        )
        deed = work.deed(body.reason)
        deed["now"] = at
        made = subscribe_to_contract(work.uow, asked, version=body.contract_version, **deed)
        (loaded,) = load_items(work.uow, [made])
        return [loaded.subscription]

    def buyer(uow: UnitOfWork) -> tuple[CustomerId, int]:
        return find_contract(uow, contract, version=body.contract_version).customer_id, 0

    return Proposal(make, buyer)
