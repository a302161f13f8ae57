"""`/v1/subscriptions/{subscription}/drafts`: what waits to be invoiced, and its early end."""

from typing import Annotated

from fastapi import Path, Security
from starlette.responses import Response
from typing_extensions import TypedDict

from tenor.api.bodies import Body, Line
from tenor.api.call import Call, Effect, Work, a_call, an_effect
from tenor.api.pages import Page, whole
from tenor.api.resource import resource
from tenor.api.taxes import ask_for_taxes
from tenor.invoicing import drafts_of, finalise_drafts, find_document
from tenor.kernel.ids import to_wire
from tenor.subscriptions import named_subscription
from tenor.wire import DraftJson, IssuedJson, draft_json, issued_json

router = resource("Invoices")
Drafts = Annotated[Effect, Security(an_effect, scopes=["invoices:write"])]
SubscriptionRef = Annotated[str, Path(max_length=200, description="Id (`sub_…`) or external id.")]


class Finalising(Body):
    """Why drafts are finalised early."""

    reason: Line | None = None


class FinalisedJson(TypedDict):
    """What was issued."""

    documents: list[IssuedJson]


@router.post("/subscriptions/{subscription}/drafts/finalise", response_model=FinalisedJson)
def finalise_drafts_(call: Drafts, subscription: SubscriptionRef, body: Finalising) -> Response:
    """Issue the drafts of a subscription now, also those that grace still keeps open."""
    ask_for_taxes(call, lambda uow: named_subscription(uow, subscription).customer_id)

    def make(work: Work) -> FinalisedJson:
        held = named_subscription(work.uow, subscription)
        drafts = finalise_drafts(work.uow, held, **work.deed(body.reason))
        issued = [find_document(work.uow, to_wire("inv", draft.id)) for draft in drafts]
        return FinalisedJson(documents=issued_json(issued))

    return call.once(make)


@router.get("/subscriptions/{subscription}/drafts", response_model=Page[DraftJson])
def list_drafts(
    call: Annotated[Call, Security(a_call, scopes=["invoices:read"])], subscription: SubscriptionRef
) -> Response:
    """Return the documents of a subscription that would be issued now, with those that grace keeps open."""
    ask_for_taxes(call, lambda uow: named_subscription(uow, subscription).customer_id)
    with call.transaction() as work:  # drafts are really made, and taken back: a read-only transaction could not
        held = named_subscription(work.uow, subscription)
        told = whole(map(draft_json, drafts_of(work.uow, held, as_of=work.now)))
    return call.answer(told)
