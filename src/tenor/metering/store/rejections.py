"""Events that could not be taken, as they were sent, until a replay takes them."""

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from tenor.platform.unit_of_work import UnitOfWork

PAYLOAD_LENGTH_MAX: Final = 65_536
"""Of a longer one the beginning is kept, to be looked at; it cannot be replayed."""


class Refused(NamedTuple):
    """What was sent, the part of it that is wrong, and why."""

    payload: str
    field: str
    reason: str


class KeptRejection(NamedTuple):
    """A rejection that was put by: how often it was sent, when first and last, and when a replay settled it."""

    id: UUID
    payload: str
    field: str
    reason: str
    first_at: datetime
    last_at: datetime
    times: int
    settled_at: datetime | None


def keep_rejections(uow: UnitOfWork, refused: Sequence[Refused], *, now: datetime) -> None:
    """Put rejections by; one that was sent before is counted and its reason renewed, and it is open again."""
    by_id = {_id_of(entry.payload): entry for entry in refused}
    if not by_id:
        return
    uow.execute(
        """
        insert into usage_rejections as known (tenant_id, id, payload, field, reason, first_at, last_at, times)
        select %(tenant)s, r.*, %(now)s, %(now)s, 1
        from unnest(%(ids)b::uuid[], %(payloads)b::text[], %(fields)b::text[], %(reasons)b::text[]) r order by 1, 2
        on conflict (tenant_id, id) do update set
            field = excluded.field, reason = excluded.reason, last_at = excluded.last_at,
            times = known.times + 1, settled_at = null
        """,
        {
            "tenant": uow.tenant_id,
            "now": now,
            "ids": list(by_id),
            "payloads": [entry.payload[:PAYLOAD_LENGTH_MAX] for entry in by_id.values()],
            "fields": [_storable(entry.field) for entry in by_id.values()],
            "reasons": [_storable(entry.reason) for entry in by_id.values()],
        },
    )


def usage_rejections(
    uow: UnitOfWork, *, limit: int, settled: bool = False, after: UUID | None = None, ids: Collection[UUID] = ()
) -> list[KeptRejection]:
    """Return rejections in the order of arrival, at most `limit`: the open ones, or with `settled` all of them.

    `after` is the last one of the page before; with `ids` only those.
    """
    rows = uow.fetch_all(
        """
        select id, payload, field, reason, first_at, last_at, times, settled_at
        from usage_rejections r
        where (%(settled)s or settled_at is null)
          and (cardinality(%(ids)s::uuid[]) = 0 or id = any(%(ids)s::uuid[]))
          and (%(after)s::uuid is null
               or (first_at, id) > (select l.first_at, l.id from usage_rejections l where l.id = %(after)s::uuid))
        order by first_at, id limit %(limit)s
        """,
        {"settled": settled, "ids": list(ids), "after": after, "limit": limit},
    )
    return [KeptRejection(*row) for row in rows]


def settle_rejections(uow: UnitOfWork, ids: Sequence[UUID], *, now: datetime) -> None:
    """Note that a replay took these, or found them taken."""
    uow.execute("update usage_rejections set settled_at = %s where id = any(%s)", [now, list(ids)])


def refresh_reasons(uow: UnitOfWork, refused: Sequence[tuple[UUID, str, str]]) -> None:
    """Note why a replay could not take these: id, field and reason of each."""
    uow.execute(
        """
        update usage_rejections r set field = n.field, reason = n.reason
        from unnest(%b::uuid[], %b::text[], %b::text[]) n (id, field, reason) where r.id = n.id
        """,
        [
            [rejection_id for rejection_id, _, _ in refused],
            [_storable(field) for _, field, _ in refused],
            [_storable(reason) for _, _, reason in refused],
        ],
    )


def _id_of(payload: str) -> UUID:
    return UUID(bytes=hashlib.sha256(payload.encode()).digest()[:16])


def _storable(text: str) -> str:
    """Return text that PostgreSQL keeps: what it cannot hold is written as an escape."""
    return text.replace("\0", "\\u0000").encode(errors="backslashreplace").decode()
