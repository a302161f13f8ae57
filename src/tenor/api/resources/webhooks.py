"""`/v1/webhook-endpoints`: where events are sent to, and what became of each message."""

from typing import Annotated, Literal

from fastapi import Path, Query, Security
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from starlette.responses import Response
from typing_extensions import TypedDict

from tenor.api.bodies import NO_CARD_NUMBER, Body, InstantIn, Line
from tenor.api.call import Call, Effect, Work, a_call, an_effect
from tenor.api.pages import Page, whole
from tenor.api.references import id_in_path
from tenor.api.resource import resource
from tenor.kernel.ids import EndpointId, from_wire
from tenor.webhooks import (
    add_endpoint,
    disable_endpoint,
    enable_endpoint,
    replay_event,
    replay_since,
    rotate_secret,
    webhook_attempts,
    webhook_endpoint,
    webhook_endpoints,
    webhook_messages,
)
from tenor.wire import (
    AttemptJson,
    EndpointJson,
    EndpointWithSecretJson,
    HealthyEndpointJson,
    MessageJson,
    attempts_json,
    endpoint_json,
    endpoint_with_health_json,
    endpoint_with_secret_json,
    messages_json,
)

router = resource("Webhook endpoints")
Reads = Annotated[Call, Security(a_call, scopes=["webhooks:read"])]
Writes = Annotated[Effect, Security(an_effect, scopes=["webhooks:write"])]
EndpointRef = Annotated[str, Path(max_length=60, description="Id (`whe_…`).")]
HowMany = Annotated[int, Query(ge=1, le=1_000, description="How many, at most.")]


class NewEndpoint(Body):
    """An endpoint to be, https to a public address. Of `event_types` ('invoice.finalised', 'invoice.*') none is all."""

    url: Annotated[str, Field(min_length=1, max_length=2_000)]
    event_types: Annotated[list[str], Field(max_length=100)] = Field(default_factory=list)
    description: Annotated[str, Field(max_length=500), NO_CARD_NUMBER] = ""
    reason: Line | None = None


class EndpointDecision(Body):
    """Why something is done to an endpoint."""

    reason: Line | None = None


class EndpointReplay(Body):
    """What to send again: one event, delivered or not, or all that the endpoint has not got since an instant."""

    event: Annotated[str, Field(max_length=60)] | None = None
    since: InstantIn | None = None
    with_delivered: Annotated[bool, Field(description="With `since`: also what it has got.")] = False
    reason: Line | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "EndpointReplay":
        if (self.event is None) == (self.since is None):
            raise PydanticCustomError("contradiction", "give one of `event` and `since`")
        return self


class SentAgainJson(TypedDict):
    """How many messages wait to be sent again."""

    messages: int


class SecretJson(TypedDict):
    """A new secret, which is told this once. For 24 hours the one before signs as well."""

    secret: str


@router.post("/webhook-endpoints", status_code=201, response_model=EndpointWithSecretJson)
def create(call: Writes, body: NewEndpoint) -> Response:
    """Have events sent to a URL from now on. `secret` is told this once, and to repetitions of this very call."""

    def make(work: Work) -> EndpointWithSecretJson:
        endpoint, secret = add_endpoint(
            work.uow,
            body.url,
            event_types=body.event_types,
            description=body.description,
            allows_local=call.engine.settings.allows_local_webhooks,
            **work.wall_deed(body.reason),
        )
        return endpoint_with_secret_json(endpoint, secret)

    return call.once(make, status=201)


@router.get("/webhook-endpoints", response_model=Page[HealthyEndpointJson])
def list_(call: Reads) -> Response:
    """List the endpoints with their health, the oldest first."""
    return call.show(lambda work: whole(endpoint_with_health_json(*one) for one in webhook_endpoints(work.uow)))


@router.get("/webhook-endpoints/{endpoint}", response_model=HealthyEndpointJson)
def retrieve(call: Reads, endpoint: EndpointRef) -> Response:
    """Return an endpoint with its health."""
    return call.show(lambda work: endpoint_with_health_json(*webhook_endpoint(work.uow, _endpoint_id(endpoint))))


@router.get("/webhook-endpoints/{endpoint}/messages", response_model=Page[MessageJson])
def list_messages(
    call: Reads,
    endpoint: EndpointRef,
    status: Annotated[
        Literal["pending", "delivered", "dead"], Query(description="`dead`: the dead letter list.")
    ] = "dead",
    after: Annotated[int, Query(ge=0, le=2**53, description="Begin after this position of the feed.")] = 0,
    limit: HowMany = 100,
) -> Response:
    """List the messages of an endpoint: those given up, those that wait, those delivered."""
    return call.show(
        lambda work: whole(
            messages_json(webhook_messages(work.uow, _endpoint_id(endpoint), status, after=after, limit=limit))
        )
    )


@router.get("/webhook-endpoints/{endpoint}/attempts", response_model=Page[AttemptJson])
def list_attempts(call: Reads, endpoint: EndpointRef, limit: HowMany = 100) -> Response:
    """List the newest tries of an endpoint, with what the receiver answered."""

    def read(work: Work) -> Page[AttemptJson]:
        found, _ = webhook_endpoint(work.uow, _endpoint_id(endpoint))
        return whole(attempts_json(webhook_attempts(work.uow, endpoint_id=found.id, limit=limit)))

    return call.show(read)


@router.post("/webhook-endpoints/{endpoint}/rotate", response_model=SecretJson)
def rotate_secret_(call: Writes, endpoint: EndpointRef, body: EndpointDecision) -> Response:
    """Make a new secret."""
    return call.once(
        lambda work: SecretJson(secret=rotate_secret(work.uow, _endpoint_id(endpoint), **work.wall_deed(body.reason)))
    )


@router.post("/webhook-endpoints/{endpoint}/disable", response_model=EndpointJson)
def disable(call: Writes, endpoint: EndpointRef, body: EndpointDecision) -> Response:
    """Send nothing more to an endpoint. What waits for it is kept."""
    return call.once(
        lambda work: endpoint_json(disable_endpoint(work.uow, _endpoint_id(endpoint), **work.wall_deed(body.reason)))
    )


@router.post("/webhook-endpoints/{endpoint}/enable", response_model=EndpointJson)
def enable(call: Writes, endpoint: EndpointRef, body: EndpointDecision) -> Response:
    """Send to an endpoint again. What happened while it was disabled has to be replayed."""
    return call.once(
        lambda work: endpoint_json(enable_endpoint(work.uow, _endpoint_id(endpoint), **work.wall_deed(body.reason)))
    )


@router.post("/webhook-endpoints/{endpoint}/replay", response_model=SentAgainJson)
def replay(call: Writes, endpoint: EndpointRef, body: EndpointReplay) -> Response:
    """Send again: one event, or all since an instant. Receivers know repetitions by their `webhook-id`."""

    def make(work: Work) -> SentAgainJson:
        endpoint_id, deed = _endpoint_id(endpoint), work.wall_deed(body.reason)
        if body.since is not None:
            count = replay_since(work.uow, endpoint_id, body.since, with_delivered=body.with_delivered, **deed)
        else:
            count = replay_event(work.uow, endpoint_id, from_wire("evt", body.event or ""), **deed)
        return SentAgainJson(messages=count)

    return call.once(make)


def _endpoint_id(text: str) -> EndpointId:
    return EndpointId(id_in_path("whe", text))
