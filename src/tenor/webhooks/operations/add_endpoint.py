"""Add a webhook endpoint."""

import os
from collections.abc import Sequence
from datetime import datetime

from tenor.events import last_position, require_event_types, sequence_events, start_reader
from tenor.kernel.ids import EndpointId, new_id
from tenor.platform.telling import tell
from tenor.platform.unit_of_work import UnitOfWork
from tenor.webhooks.errors import MalformedEndpoint, TooManyEndpoints
from tenor.webhooks.model import DESCRIPTION_LENGTH_MAX, ENDPOINTS_MAX, SECRET_BYTES, Endpoint
from tenor.webhooks.rules.signing import secret_text
from tenor.webhooks.rules.urls import require_url
from tenor.webhooks.store.endpoints import endpoint_count, insert_endpoint
from tenor.webhooks.store.secrets import add_secret


def add_endpoint(
    uow: UnitOfWork,
    url: str,
    *,
    event_types: Sequence[str] = (),
    description: str = "",
    allows_local: bool = False,
    now: datetime,
    actor: str,
    reason: str,
) -> tuple[Endpoint, str]:
    """Have events sent to `url` from now on; return the endpoint and its secret, which is told only here.

    `event_types` are such as 'invoice.finalised' or 'invoice.*', none for all. `allows_local` is the operator's
    setting for development.

    Raises:
        UnsafeUrl: webhooks are not sent to such a URL.
        NotAnEventType, MalformedEndpoint: the types or the description are not good.
        TooManyEndpoints: there are fifty already.
    """
    require_url(url, allows_local=allows_local)
    wanted = require_event_types(event_types)
    if len(description) > DESCRIPTION_LENGTH_MAX or "\0" in description:
        raise MalformedEndpoint(f"a description has at most {DESCRIPTION_LENGTH_MAX} characters")
    if endpoint_count(uow) >= ENDPOINTS_MAX:
        raise TooManyEndpoints(f"there are {ENDPOINTS_MAX} webhook endpoints already, and no more are kept")
    key = os.urandom(SECRET_BYTES)
    endpoint = Endpoint(EndpointId(new_id(now)), url, description, wanted, "active", None, now, None, None)
    while sequence_events(uow):  # what has happened before is placed before it, whether a relay is running or not
        pass
    position = last_position(uow)
    insert_endpoint(uow, endpoint, after_position=position)
    add_secret(uow, endpoint.id, key, now=now, old_until=now)
    start_reader(uow, "webhooks", position=position)
    facts = {"url": url, "description": description, "event_types": list(wanted)}
    tell(uow, "webhook_endpoint.added", endpoint.id, facts, now=now, actor=actor, reason=reason)
    return endpoint, secret_text(key)
