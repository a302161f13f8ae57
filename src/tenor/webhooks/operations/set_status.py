"""Disable an endpoint, and enable it again."""

from datetime import datetime

from tenor.kernel.ids import EndpointId
from tenor.platform.telling import tell
from tenor.platform.unit_of_work import UnitOfWork
from tenor.webhooks.model import DisabledBecause, Endpoint
from tenor.webhooks.store.endpoints import find_endpoint, set_status


def disable_endpoint(
    uow: UnitOfWork,
    endpoint_id: EndpointId,
    *,
    because: DisabledBecause = "operator",
    now: datetime,
    actor: str,
    reason: str,
) -> Endpoint:
    """Send nothing more to an endpoint; what waits for it stays. Nothing happens where it is disabled already.

    Raises:
        EndpointNotFound: there is no such endpoint.
    """
    if find_endpoint(uow, endpoint_id, is_locked=True).status == "active":
        set_status(uow, endpoint_id, disabled_because=because)
        facts = {"disabled_because": because}
        tell(uow, "webhook_endpoint.disabled", endpoint_id, facts, now=now, actor=actor, reason=reason)
    return find_endpoint(uow, endpoint_id)


def enable_endpoint(uow: UnitOfWork, endpoint_id: EndpointId, *, now: datetime, actor: str, reason: str) -> Endpoint:
    """Send to an endpoint again, first what waits for it. What happened while it was disabled has to be replayed.

    Raises:
        EndpointNotFound: there is no such endpoint.
    """
    if find_endpoint(uow, endpoint_id, is_locked=True).status == "disabled":
        set_status(uow, endpoint_id, disabled_because=None)
        tell(uow, "webhook_endpoint.enabled", endpoint_id, {}, now=now, actor=actor, reason=reason)
    return find_endpoint(uow, endpoint_id)
