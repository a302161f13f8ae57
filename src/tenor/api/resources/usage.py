"""`/v1/usage`: usage events in, put right, and what they come to."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import Depends, Query, Security
from pydantic import Field
from starlette.responses import Response
from typing_extensions import TypedDict

from tenor.api.bodies import Body, Code, ExternalId, InstantIn, Line, Reference
from tenor.api.call import Call, Effect, Work, a_batch, a_call, an_effect, body_bytes
from tenor.api.pages import Page, whole
from tenor.api.resource import resource
from tenor.customers import find_customer
from tenor.invoicing import follow_usage
from tenor.kernel.calendar import parse_zone, start_of_month
from tenor.kernel.ids import from_wire
from tenor.kernel.period import Period
from tenor.metering import (
    Amendment,
    AmendmentReceipt,
    Rejection,
    TouchedUsage,
    amend_usage,
    correct_usage,
    current_usage,
    ingest_usage,
    replay_rejections,
    usage_rejections,
)
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import profile
from tenor.wire import (
    AmendedUsageJson,
    CurrentUsageJson,
    RefusedEventJson,
    RejectionJson,
    UsageReceiptJson,
    rejection_json,
    usage_json,
)

router = resource("Usage")
_EVENT: Final = {"type": "object", "additionalProperties": True}
_FORMS: Final = {
    media_type: {"schema": {"anyOf": [_EVENT, {"type": "array"}]}}
    for media_type in (
        "application/json",
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
    )
}
Sends = Annotated[Effect, Security(a_batch, scopes=["usage:write"])]
Writes = Annotated[Effect, Security(an_effect, scopes=["usage:write"])]
Reads = Annotated[Call, Security(a_call, scopes=["usage:read"])]
Source = Annotated[str, Query(min_length=1, max_length=200, description="Who sends: ids are unique within a source.")]


class ReplayedJson(TypedDict):
    """What a replay of rejected events came to."""

    accepted: int
    duplicates: int
    still_rejected: int


class EventRef(Body):
    """An event that was taken."""

    source: ExternalId
    event_id: ExternalId


class Cancellation(Body):
    """Events that are no longer to count; they stay on record."""

    events: Annotated[list[EventRef], Field(min_length=1, max_length=10_000)]
    reason: Line


class Correction(Body):
    """Events in the form in which they are sent; each counts in the place of the one that has its source and id."""

    events: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=10_000)]
    source: ExternalId = "api"
    reason: Line


class Replay(Body):
    """Which rejected events to try again: those of these ids (`rej_…`), or all."""

    ids: Annotated[list[ExternalId], Field(max_length=10_000)] = Field(default_factory=list)


@router.post(
    "/usage/events",
    response_model=UsageReceiptJson,
    openapi_extra={"requestBody": {"required": True, "content": _FORMS}},
)
def send(call: Sends, document: Annotated[bytes, Depends(body_bytes)], source: Source = "api") -> Response:
    """Bring usage events in: flat or CloudEvents 1.0, one or a list. Safe to repeat, also without a key.

    Each event is answered for: taken, known already, in conflict with what was taken under its id, or rejected. One
    that is bad keeps no other from being taken; it is put by, and can be replayed.

    A flat event has `event_id`, `customer`, `metric` and `occurred_at`, and perhaps `source`, `subscription`, `value`,
    `properties`; any other member is a property too.
    """

    def make(work: Work) -> UsageReceiptJson:
        receipt = ingest_usage(work.uow, document, default_source=source, now=work.now)
        _follow(work.uow, receipt.touched, now=work.now)
        return UsageReceiptJson(
            accepted=len(receipt.accepted),
            duplicates=list(receipt.duplicates),
            conflicts=list(receipt.conflicts),
            rejected=_rejected(receipt.rejected),
        )

    return call.once(make)


@router.post("/usage/cancellations", response_model=AmendedUsageJson)
def cancel(call: Writes, body: Cancellation) -> Response:
    """Cancel events: they stay on record and no longer count. What was billed is put right by the next run."""

    def make(work: Work) -> AmendedUsageJson:
        asked = [Amendment(one.source, one.event_id) for one in body.events]
        return _amended(work, amend_usage(work.uow, asked, **work.deed(body.reason)))

    return call.once(make)


@router.post("/usage/corrections", response_model=AmendedUsageJson)
def correct(call: Writes, body: Correction) -> Response:
    """Correct events: what was taken stays on record, and what is sent now counts in its place."""

    def make(work: Work) -> AmendedUsageJson:
        receipt = correct_usage(work.uow, body.events, default_source=body.source, **work.deed(body.reason))
        return _amended(work, receipt)

    return call.once(make)


@router.get("/usage", response_model=CurrentUsageJson)
def retrieve(
    call: Reads,
    customer: Annotated[Reference, Query(description="Id or external id.")],
    metric: Annotated[str, Query(max_length=63, description="Code of the metric.")],
    since: Annotated[InstantIn | None, Query(description="The start of the customer's month by default.")] = None,
    until: Annotated[InstantIn | None, Query(description="Now by default.")] = None,
    by: Annotated[list[Code] | None, Query(max_length=5, description="Properties to tell usage apart by.")] = None,
) -> Response:
    """Return what a customer has used of a metric so far."""

    def read(work: Work) -> CurrentUsageJson:
        party = find_customer(work.uow, customer)
        zone = parse_zone(party.timezone)
        end = until or work.now
        period = Period(since or start_of_month(end, zone), end)
        names = tuple(by or ())
        policy = profile(work.tenant.profile).metering
        numbers = current_usage(work.uow, party.id, metric, period, dimensions=names, zone=zone, policy=policy)
        return usage_json(period, names, numbers)

    return call.show(read)


@router.get("/usage/rejections", response_model=Page[RejectionJson])
def list_rejections(
    call: Reads,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    settled: Annotated[bool, Query(description="Those that a replay took, too.")] = False,  # noqa: FBT002  a query
) -> Response:
    """List events that could not be taken, the oldest first, with the reason and what was sent."""
    return call.show(lambda work: whole(map(rejection_json, usage_rejections(work.uow, limit=limit, settled=settled))))


@router.post("/usage/rejections/replay", response_model=ReplayedJson)
def replay_rejections_(call: Writes, body: Replay) -> Response:
    """Try again to take events that could not be taken, once what was wrong is put right."""

    def make(work: Work) -> ReplayedJson:
        chosen = [from_wire("rej", text) for text in body.ids]
        receipt = replay_rejections(work.uow, now=work.now, ids=chosen)
        _follow(work.uow, receipt.touched, now=work.now)
        return ReplayedJson(
            accepted=receipt.accepted, duplicates=receipt.duplicates, still_rejected=receipt.still_rejected
        )

    return call.once(make)


def _amended(work: Work, receipt: AmendmentReceipt) -> AmendedUsageJson:
    """Return what became of amendments, once what follows from them is done."""
    _follow(work.uow, receipt.touched, now=work.now)
    return AmendedUsageJson(
        amended=list(receipt.amended), unchanged=list(receipt.unchanged), rejected=_rejected(receipt.rejected)
    )


def _follow(uow: UnitOfWork, touched: Iterable[TouchedUsage], *, now: datetime) -> None:
    """Have periods looked at again that usage has come to, and tell of what it has reached."""
    follow_usage(uow, touched, now=now)


def _rejected(rejections: Iterable[Rejection]) -> list[RefusedEventJson]:
    return [RefusedEventJson(position=one.position, field=one.field, reason=one.reason) for one in rejections]
