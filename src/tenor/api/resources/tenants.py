"""`/v1/tenants`: who bills with this installation. For the operator, whose key the environment names."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Path
from pydantic import Field
from starlette.responses import Response

from tenor.access import create_key
from tenor.api.bodies import Body, InstantIn, Line
from tenor.api.call import replied
from tenor.api.operator import OperatorCall, an_operator_call, an_operator_effect
from tenor.api.pages import Page, whole
from tenor.api.resource import resource
from tenor.kernel.ids import TenantId
from tenor.platform.idempotency import Answer, answered_before, keep_answer
from tenor.platform.partitions import prepare_months_ahead
from tenor.platform.tenants import SlugTaken, create_tenant, current_tenant, find_tenant, list_tenants
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import profile as policy_profile
from tenor.wire import IssuedKeyJson, TenantJson, encode, issued_key_json, tenant_json

router = resource("Tenants")
Reads = Annotated[OperatorCall, Depends(an_operator_call)]
Writes = Annotated[OperatorCall, Depends(an_operator_effect)]


class NewTenant(Body):
    """A tenant to be. A sandbox may be moved through time, from `clock_at` on; without that it follows the world."""

    slug: Annotated[str, Field(pattern="^[a-z][a-z0-9-]{0,62}$")]
    name: Line | None = None
    is_sandbox: bool = False
    clock_at: InstantIn | None = None
    timezone: Annotated[str, Field(min_length=1, max_length=100)] = "UTC"
    profile: Annotated[str, Field(min_length=1, max_length=100)] = "tenor"


class FurnishedTenantJson(TenantJson):
    """A fresh tenant with its first API key, which may do everything."""

    key: IssuedKeyJson


@router.post("/tenants", status_code=201, response_model=FurnishedTenantJson)
def create(call: Writes, body: NewTenant) -> Response:
    """Create a tenant with its first API key, whose text is told this once, and to repetitions of this very call."""
    policy_profile(body.profile)  # refuses an unknown one now, not at the first subscription
    answers: list[Answer] = []
    try:
        tenant_id = create_tenant(
            call.engine.database,
            slug=body.slug,
            name=body.name or body.slug,
            is_sandbox=body.is_sandbox,
            clock_at=body.clock_at,
            timezone=body.timezone,
            profile=body.profile,
            furnish=lambda uow: answers.append(_furnished(call, uow)),
        )
    except SlugTaken as taken:
        kept = _kept(call, find_tenant(call.engine.database, body.slug).tenant_id)
        if kept is None:
            raise taken from None
        return replied(kept, is_replayed=True)
    prepare_months_ahead(call.engine.database, tenant_id, at=body.clock_at or datetime.now(UTC))
    return replied(answers[0], is_replayed=False)


@router.get("/tenants", response_model=Page[TenantJson])
def list_(call: Reads) -> Response:
    """List every tenant, by slug."""
    return replied(Answer(200, encode(whole(map(tenant_json, list_tenants(call.engine.database))))), is_replayed=False)


@router.get("/tenants/{tenant}", response_model=TenantJson)
def retrieve(call: Reads, tenant: Annotated[str, Path(max_length=63, description="Slug.")]) -> Response:
    """Return a tenant."""
    return replied(Answer(200, encode(tenant_json(find_tenant(call.engine.database, tenant)))), is_replayed=False)


def _furnished(call: OperatorCall, uow: UnitOfWork) -> Answer:
    """Give a fresh tenant its first key; return the answer, which is kept with it."""
    now = datetime.now(UTC)
    issued = create_key(uow, name="first key", now=now, actor="operator", reason="made with the tenant")
    told: FurnishedTenantJson = {**tenant_json(current_tenant(uow)), "key": issued_key_json(issued)}
    answer = Answer(201, encode(told))
    if call.repeatable is not None:
        keep_answer(uow, call.repeatable, answer, at=now)
    return answer


def _kept(call: OperatorCall, tenant_id: TenantId) -> Answer | None:
    """Return the answer to this very call, which made the tenant that is there; None: another one made it."""
    if call.repeatable is None:
        return None
    with call.engine.database.transaction(tenant_id) as uow:
        return answered_before(uow, call.repeatable, at=datetime.now(UTC))
