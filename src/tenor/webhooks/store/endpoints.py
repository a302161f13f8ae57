"""SQL of endpoints."""

from collections.abc import Collection
from datetime import datetime
from typing import Final, LiteralString
from uuid import UUID

from tenor.kernel.ids import EndpointId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.webhooks.errors import EndpointNotFound
from tenor.webhooks.model import DisabledBecause, Endpoint, Health

_FIELDS: Final[LiteralString] = (
    "id, url, description, event_types, status, disabled_because, created_at, failing_since, delivered_at"
)


def insert_endpoint(uow: UnitOfWork, endpoint: Endpoint, *, after_position: int) -> None:
    """Write a new endpoint, which is told of the events after a position of the feed."""
    uow.execute(
        """
        insert into webhook_endpoints (tenant_id, id, url, description, event_types, status, created_at,
                                       after_position)
        values (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [
            uow.tenant_id,
            endpoint.id,
            endpoint.url,
            endpoint.description,
            list(endpoint.event_types),
            endpoint.status,
            endpoint.created_at,
            after_position,
        ],
    )


def endpoint_count(uow: UnitOfWork) -> int:
    """Return how many endpoints the tenant has; of two transactions that ask, one waits for the other."""
    uow.execute("select pg_advisory_xact_lock(hashtextextended('webhook endpoints of ' || %s, 0))", [uow.tenant_id])
    return int(uow.fetch_all("select count(*) from webhook_endpoints")[0][0])


def endpoints(uow: UnitOfWork) -> list[Endpoint]:
    """Return every endpoint, oldest first."""
    rows = uow.fetch_all(f"select {_FIELDS} from webhook_endpoints order by created_at, id")
    return [Endpoint(EndpointId(row[0]), *row[1:]) for row in rows]


def find_endpoint(uow: UnitOfWork, endpoint_id: EndpointId, *, is_locked: bool = False) -> Endpoint:
    """Return one endpoint, where asked with its row locked until the transaction ends.

    Raises:
        EndpointNotFound: there is none of this id.
    """
    lock: LiteralString = "for no key update" if is_locked else ""
    row = uow.fetch_one(f"select {_FIELDS} from webhook_endpoints where id = %s {lock}", [endpoint_id])
    if row is None:
        raise EndpointNotFound("there is no webhook endpoint of this id")
    return Endpoint(EndpointId(row[0]), *row[1:])


def health_of(uow: UnitOfWork, endpoint_ids: Collection[UUID]) -> dict[EndpointId, Health]:
    """Return how many messages of these endpoints wait and how many were given up."""
    rows = uow.fetch_all(
        """
        select asked.id,
               (select count(*) from webhook_messages m where m.endpoint_id = asked.id and m.status = 'pending'),
               (select count(*) from webhook_messages m where m.endpoint_id = asked.id and m.status = 'dead')
        from unnest(%s::uuid[]) asked (id)
        """,
        [list(endpoint_ids)],
    )
    return {EndpointId(endpoint_id): Health(pending, dead) for endpoint_id, pending, dead in rows}


def set_status(uow: UnitOfWork, endpoint_id: EndpointId, *, disabled_because: DisabledBecause | None) -> None:
    """Disable an endpoint, or enable it with a clean record."""
    uow.execute(
        "update webhook_endpoints set status = case when %(because)s::text is null then 'active' else 'disabled' end,"
        " disabled_because = %(because)s,"
        " failing_since = case when %(because)s::text is not null then failing_since end where id = %(id)s",
        {"because": disabled_because, "id": endpoint_id},
    )


def note_success(uow: UnitOfWork, endpoint_id: EndpointId, *, now: datetime) -> None:
    """Write that an endpoint has taken a message."""
    uow.execute(
        "update webhook_endpoints set delivered_at = %s, failing_since = null where id = %s", [now, endpoint_id]
    )


def note_failure(uow: UnitOfWork, endpoint_id: EndpointId, *, now: datetime) -> Endpoint:
    """Write that an endpoint has not taken a message; return it as it then is, locked."""
    rows = uow.fetch_all(
        "update webhook_endpoints set failing_since = coalesce(failing_since, %s) where id = %s returning " + _FIELDS,
        [now, endpoint_id],
    )
    return Endpoint(EndpointId(rows[0][0]), *rows[0][1:])
