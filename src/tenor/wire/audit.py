"""Records of the audit trail as JSON."""

import json
from typing import Any

from typing_extensions import TypedDict

from tenor.events import object_to_wire
from tenor.kernel.ids import to_wire
from tenor.platform.audit_chain import AuditRecord
from tenor.wire.forms import Instant, instant


class AuditRecordJson(TypedDict):
    """Who (`actor`) did what (`action`) to which object, when, why, by which request; `position` in the chain."""

    id: str
    position: int
    occurred_at: Instant
    recorded_at: Instant
    actor: str
    action: str
    object_type: str
    object_id: str
    reason: str
    request_id: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


def audit_record_json(record: AuditRecord) -> AuditRecordJson:
    """Return a record of the audit trail."""
    return AuditRecordJson(
        id=to_wire("aud", record.id),
        position=record.position,
        occurred_at=instant(record.occurred_at),
        recorded_at=instant(record.recorded_at),
        actor=record.actor,
        action=record.action,
        object_type=record.object_type,
        object_id=object_to_wire(record.object_type, record.object_id),
        reason=record.reason,
        request_id=record.request_id,
        before=None if record.before is None else json.loads(record.before),
        after=None if record.after is None else json.loads(record.after),
    )
