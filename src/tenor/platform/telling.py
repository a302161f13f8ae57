"""Tell of a deed: an audit record and an event, in the transaction of the deed."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from tenor.platform.audit import Deed, record
from tenor.platform.outbox import Event, publish
from tenor.platform.unit_of_work import UnitOfWork


def tell(
    uow: UnitOfWork,
    deed: str,
    object_id: UUID,
    facts: Mapping[str, object],
    *,
    now: datetime,
    actor: str,
    reason: str,
) -> None:
    """Record and publish `deed`, named 'object.past' such as 'coupon.created', with the facts after it."""
    object_type, _, _ = deed.partition(".")
    record(uow, [Deed(actor, deed, object_type, object_id, reason, now, after=facts)])
    publish(uow, [Event(deed, object_id, facts, now)])
