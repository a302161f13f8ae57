"""Audit: who did what to which object, when, and why; written with the deed itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from tenor.kernel.ids import new_id
from tenor.platform.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Deed:
    """One deed: `actor` did `action` to an object. `before` and `after` hold what changed, where anything did.

    Both are what `msgspec.json.encode` takes; `occurred_at` is in the tenant's time.
    """

    actor: str
    action: str
    object_type: str
    object_id: UUID
    reason: str
    occurred_at: datetime
    before: Mapping[str, object] | None = None
    after: Mapping[str, object] | None = None


def name_request(uow: UnitOfWork, request_id: str) -> None:
    """Have every record of this transaction name the request that it comes from; at most 200 characters."""
    uow.execute("select set_config('tenor.request_id', %s, true)", [request_id[:200]])


def record(uow: UnitOfWork, deeds: Sequence[Deed]) -> None:
    """Write `deeds` in one statement."""
    if not deeds:
        return
    uow.execute(
        """
        select tenor.write_audit_records(
            %s, %b::uuid[], %b::text[], %b::text[], %b::text[], %b::uuid[], %b::text[], %b::jsonb[], %b::jsonb[],
            %b::timestamptz[])
        """,
        [
            uow.tenant_id,
            [new_id(deed.occurred_at) for deed in deeds],
            [deed.actor for deed in deeds],
            [deed.action for deed in deeds],
            [deed.object_type for deed in deeds],
            [deed.object_id for deed in deeds],
            [deed.reason for deed in deeds],
            [None if deed.before is None else Jsonb(deed.before) for deed in deeds],
            [None if deed.after is None else Jsonb(deed.after) for deed in deeds],
            [deed.occurred_at for deed in deeds],
        ],
    )
