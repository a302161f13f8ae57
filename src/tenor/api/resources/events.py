"""`/v1/events`: the feed of what happened, in order and without gaps."""

from dataclasses import replace
from typing import Annotated, Final

from fastapi import Path, Query, Security
from starlette.responses import Response

from tenor.access import holds_scope
from tenor.api.call import Call, Work, a_call
from tenor.api.references import id_in_path
from tenor.api.resource import resource
from tenor.events import FeedEvent, events_after, find_event, object_from_wire, sequence_events
from tenor.wire import EventJson, FeedJson, event_json, feed_json

router = resource("Events")
Reads = Annotated[Call, Security(a_call, scopes=["events:read"])]
_SCOPES: Final = {"api_key": "keys:read", "user": "users:read", "webhook_endpoint": "webhooks:read"}
"""What it takes to be told more of these objects than that something happened to them."""


@router.get("/events", response_model=FeedJson)
def list_(
    call: Reads,
    after: Annotated[int, Query(ge=0, le=2**53, description="What the page before said as `next_after`.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000, description="How many, at most.")] = 100,
    types: Annotated[
        list[str] | None, Query(alias="type", max_length=100, description="'invoice.finalised' or 'invoice.*'.")
    ] = None,
    of: Annotated[str | None, Query(alias="object", max_length=60, description="Id of one object.")] = None,
) -> Response:
    """Return events in their order. A position that was read never gets a neighbour before it later.

    `data` of events of API keys, users and webhook endpoints is empty for callers who may not see those.
    """
    with call.transaction() as work:  # gives places to what has none yet, also where no relay runs
        sequence_events(work.uow)

    def read(work: Work) -> FeedJson:
        object_id = None if of is None else object_from_wire(of)
        page = events_after(work.uow, after, limit=limit, types=types or (), object_id=object_id)
        return feed_json(replace(page, events=[_told(work, event) for event in page.events]))

    return call.show(read)


@router.get("/events/{event}", response_model=EventJson)
def retrieve(call: Reads, event: Annotated[str, Path(max_length=60, description="Id (`evt_…`).")]) -> Response:
    """Return an event."""
    return call.show(lambda work: event_json(_told(work, find_event(work.uow, id_in_path("evt", event)))))


def _told(work: Work, event: FeedEvent) -> FeedEvent:
    """Return what the caller may know of an event."""
    needed = _SCOPES.get(event.object)
    is_secret = needed is not None and not holds_scope(work.caller.who.scopes, needed)
    return replace(event, payload={}) if is_secret else event
