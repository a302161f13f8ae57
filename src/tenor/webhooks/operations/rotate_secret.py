"""Give an endpoint a new secret."""

import os
from datetime import datetime

from tenor.kernel.ids import EndpointId
from tenor.kernel.period import format_instant
from tenor.platform.telling import tell
from tenor.platform.unit_of_work import UnitOfWork
from tenor.webhooks.model import ROTATION_OVERLAP, SECRET_BYTES
from tenor.webhooks.rules.signing import secret_text
from tenor.webhooks.store.endpoints import find_endpoint
from tenor.webhooks.store.secrets import add_secret


def rotate_secret(uow: UnitOfWork, endpoint_id: EndpointId, *, now: datetime, actor: str, reason: str) -> str:
    """Return a new secret, told only here. For 24 hours messages are signed with the one before as well.

    An even older secret ends at once: at most two are live.

    Raises:
        EndpointNotFound: there is no such endpoint.
    """
    find_endpoint(uow, endpoint_id, is_locked=True)
    key = os.urandom(SECRET_BYTES)
    old_until = now + ROTATION_OVERLAP
    add_secret(uow, endpoint_id, key, now=now, old_until=old_until)
    facts = {"old_secret_until": format_instant(old_until)}
    tell(uow, "webhook_endpoint.secret_rotated", endpoint_id, facts, now=now, actor=actor, reason=reason)
    return secret_text(key)
