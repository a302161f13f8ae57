"""Send events to an endpoint again."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from tenor.events import FeedEvent, events_after, find_event
from tenor.kernel.ids import EndpointId, to_wire
from tenor.kernel.period import format_instant
from tenor.platform.telling import tell
from tenor.platform.unit_of_work import UnitOfWork
from tenor.webhooks.model import MessageStatus
from tenor.webhooks.store.endpoints import find_endpoint
from tenor.webhooks.store.messages import first_position_since, write_messages

_PAGE: Final = 1_000


def replay_event(
    uow: UnitOfWork, endpoint_id: EndpointId, event_id: UUID, *, now: datetime, actor: str, reason: str
) -> int:
    """Send one event again, delivered or not, under the same `webhook-id`; return 1, or 0 where it waits already.

    Raises:
        EndpointNotFound, NotFound: there is no such endpoint or event.
    """
    facts = {"event_id": to_wire("evt", event_id)}
    return _replay(uow, endpoint_id, [[find_event(uow, event_id)]], ("dead", "delivered"), facts, now, actor, reason)


def replay_since(
    uow: UnitOfWork,
    endpoint_id: EndpointId,
    since: datetime,
    *,
    with_delivered: bool = False,
    now: datetime,
    actor: str,
    reason: str,
) -> int:
    """Send what the endpoint has not got of the events since an instant; return how many messages wait now.

    These are the ones given up and those for which it was disabled; with `with_delivered` also what it has got.

    Raises:
        EndpointNotFound: there is no such endpoint.
    """
    revived: tuple[MessageStatus, ...] = ("dead", "delivered") if with_delivered else ("dead",)
    facts = {"since": format_instant(since), "with_delivered": with_delivered}
    return _replay(uow, endpoint_id, _since(uow, since), revived, facts, now, actor, reason)


def _since(uow: UnitOfWork, since: datetime) -> Iterator[Sequence[FeedEvent]]:
    first = first_position_since(uow, since)
    cursor = None if first is None else first - 1
    while cursor is not None:
        page = events_after(uow, cursor, limit=_PAGE)
        yield page.events
        cursor = page.cursor if page.has_more else None


def _replay(
    uow: UnitOfWork,
    endpoint_id: EndpointId,
    pages: Iterable[Sequence[FeedEvent]],
    revived: Sequence[MessageStatus],
    facts: Mapping[str, object],
    now: datetime,
    actor: str,
    reason: str,
) -> int:
    find_endpoint(uow, endpoint_id)
    written = sum(write_messages(uow, page, now=now, endpoint_id=endpoint_id, revived=revived) for page in pages)
    facts = {**facts, "messages": written}
    tell(uow, "webhook_endpoint.replayed", endpoint_id, facts, now=now, actor=actor, reason=reason)
    return written
