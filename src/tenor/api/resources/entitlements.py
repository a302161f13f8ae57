"""`/v1/customers/{customer}/entitlements`: what customers may use, and what is decided over their plans."""

from typing import Annotated, Literal

from fastapi import Path, Query, Security
from starlette.responses import Response
from typing_extensions import TypedDict

from tenor.api.bodies import Body, Code, InstantIn, Line, QuantityIn, Reference
from tenor.api.call import Call, Effect, Work, a_call, an_effect
from tenor.api.pages import Page, whole
from tenor.api.references import id_in_path
from tenor.api.resource import resource
from tenor.customers import find_customer
from tenor.kernel.ids import OverrideId, to_wire
from tenor.subscriptions import (
    Access,
    NewOverride,
    Status,
    access_by_state,
    check_entitlement,
    entitlements_of,
    named_subscription,
    override_entitlement,
    revoke_override,
    set_access,
)
from tenor.wire import EntitlementJson, entitlement_json

router = resource("Entitlements")
Reads = Annotated[Call, Security(a_call, scopes=["subscriptions:read"])]
Writes = Annotated[Effect, Security(an_effect, scopes=["subscriptions:write"])]
CustomerRef = Annotated[str, Path(max_length=200, description="Id (`cus_…`) or external id.")]
At = Annotated[InstantIn | None, Query(description="The instant that is asked about; now by default.")]


class NewEntitlement(Body):
    """What is decided about a feature of a customer, whatever the plans say. Of several decisions the newest counts."""

    feature: Code
    is_granted: bool = True
    limit: QuantityIn | None = None
    subscription: Reference | None = None
    starts_at: InstantIn | None = None
    ends_at: InstantIn | None = None
    reason: Line | None = None


class Revoking(Body):
    """Why a decision is revoked."""

    reason: Line | None = None


class NewAccess(Body):
    """A state that a tenant may decide on, and what it is to leave."""

    status: Literal["past_due", "paused", "suspended"]
    access: Literal["full", "read_only", "none"]
    reason: Line | None = None


class AccessJson(TypedDict):
    """What each state leaves: all, what is there to be read, or nothing."""

    access: dict[str, str]


class OverrideJson(TypedDict):
    """A decision about a feature, and what the customer may do now."""

    id: str
    entitlement: EntitlementJson


class RevokedJson(TypedDict):
    """A decision that says nothing any more."""

    id: str


@router.get("/customers/{customer}/entitlements", response_model=Page[EntitlementJson])
def list_(call: Reads, customer: CustomerRef, at: At = None) -> Response:
    """List every feature that a plan, an add-on or a decision names for a customer."""
    return call.show(lambda work: whole(map(entitlement_json, entitlements_of(work.uow, customer, at or work.now))))


@router.get("/customers/{customer}/entitlements/{feature}", response_model=EntitlementJson)
def check(call: Reads, customer: CustomerRef, feature: Annotated[str, Path(max_length=63)], at: At = None) -> Response:
    """Say what a customer may do with a feature, and why."""
    return call.show(lambda work: entitlement_json(check_entitlement(work.uow, customer, feature, at or work.now)))


@router.post("/customers/{customer}/entitlements", status_code=201, response_model=OverrideJson)
def override(call: Writes, customer: CustomerRef, body: NewEntitlement) -> Response:
    """Grant a feature to a customer, or deny it, whatever the plans say."""

    def make(work: Work) -> OverrideJson:
        held = find_customer(work.uow, customer)
        subscription = body.subscription
        asked = NewOverride(
            customer_id=held.id,
            feature=body.feature,
            is_granted=body.is_granted,
            limit=body.limit,
            subscription_id=None if subscription is None else named_subscription(work.uow, subscription).id,
            starts_at=body.starts_at,
            ends_at=body.ends_at,
        )
        made = override_entitlement(work.uow, asked, **work.deed(body.reason))
        now = check_entitlement(work.uow, held.id, body.feature, work.now)
        return OverrideJson(id=to_wire("ovr", made), entitlement=entitlement_json(now))

    return call.once(make, status=201)


@router.get("/entitlement-access", response_model=AccessJson)
def retrieve_access(call: Reads) -> Response:
    """Return what each state of a subscription leaves of its features."""
    return call.show(_access)


@router.post("/entitlement-access", response_model=AccessJson)
def set_access_(call: Writes, body: NewAccess) -> Response:
    """Set what a state leaves of the features, for all customers."""

    def make(work: Work) -> AccessJson:
        set_access(work.uow, Status(body.status), Access(body.access), **work.deed(body.reason))
        return _access(work)

    return call.once(make)


@router.post("/entitlement-overrides/{override}/revoke", response_model=RevokedJson)
def revoke_override_(call: Writes, override: Annotated[str, Path(max_length=60)], body: Revoking) -> Response:
    """Let a decision say nothing from now on; an earlier one that still holds counts again."""

    def make(work: Work) -> RevokedJson:
        override_id = OverrideId(id_in_path("ovr", override))
        revoke_override(work.uow, override_id, **work.deed(body.reason))
        return RevokedJson(id=to_wire("ovr", override_id))

    return call.once(make)


def _access(work: Work) -> AccessJson:
    return AccessJson(access={status.value: left.value for status, left in access_by_state(work.uow).items()})
