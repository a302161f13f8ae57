"""SQL of messages and their attempts: written, claimed, settled, listed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from tenor.events import FeedEvent
from tenor.kernel.ids import EndpointId, TenantId
from tenor.platform.database import Database
from tenor.platform.unit_of_work import Row, UnitOfWork
from tenor.webhooks.model import Answer, Attempt, Call, Message, MessageStatus
from tenor.webhooks.rules.retrying import DELAYS_SECONDS

CLAIM_SECONDS: Final = 60
"""How long a sender keeps a message; much longer than a call may take."""
CALLS_PER_ENDPOINT: Final = 10
"""How many messages of an endpoint are under way at once, over all senders: a slow one holds up nobody else."""

LOOK_AHEAD: Final = 1_000
"""How many due messages of an endpoint are looked at for one that may go, so that a long backlog costs no more."""


def write_messages(
    uow: UnitOfWork,
    events: Sequence[FeedEvent],
    *,
    now: datetime,
    endpoint_id: EndpointId | None = None,
    revived: Sequence[MessageStatus] = (),
) -> int:
    """Write a message for each event and each endpoint that wants it, due now; return how many are.

    For all active endpoints that were there before, or for one whatever its state. A message that is there already
    stays, unless its status is among `revived`: then it begins anew. No endpoint is told about itself.
    """
    if not events:
        return 0
    uow.execute(
        "select tenor.ensure_month_partitions('tenor.webhook_messages', %s, %s)",
        [min(event.sequenced_at for event in events).date(), max(event.sequenced_at for event in events).date()],
    )
    return uow.execute(
        """
        insert into webhook_messages as known
            (tenant_id, sequenced_at, endpoint_id, position, event_id, object_id, status, next_attempt_at)
        select e.tenant_id, f.sequenced_at, e.id, f.position, f.event_id, f.object_id, 'pending', %(now)s
        from unnest(%(at)s::timestamptz[], %(positions)s::bigint[], %(ids)s::uuid[], %(objects)s::uuid[],
                    %(types)s::text[]) f (sequenced_at, position, event_id, object_id, type)
        join webhook_endpoints e on (e.event_types = '{}' or f.type = any(e.event_types)
                                     or split_part(f.type, '.', 1) || '.*' = any(e.event_types))
        where f.object_id <> e.id
          and case when %(endpoint)s::uuid is null then e.status = 'active' and f.position > e.after_position
                   else e.id = %(endpoint)s end
        on conflict (tenant_id, sequenced_at, endpoint_id, position) do update
        set status = 'pending', try_no = 0, next_attempt_at = excluded.next_attempt_at
        where known.status = any(%(revived)s)
        """,
        {
            "now": now,
            "at": [event.sequenced_at for event in events],
            "positions": [event.position for event in events],
            "ids": [event.id for event in events],
            "objects": [event.object_id for event in events],
            "types": [event.type for event in events],
            "endpoint": endpoint_id,
            "revived": list(revived),
        },
    )


def claim_due(uow: UnitOfWork, *, now: datetime, limit: int) -> list[Row]:
    """Claim messages that are due at `now`; see `Call` for the columns up to `url`.

    Of an object's messages to one endpoint, none is claimed while an earlier one is due or under way.
    A message whose last try nobody has reported on is given up. Senders claim for a tenant one after the other, so
    that none sees what another one is claiming.
    """
    uow.execute("select pg_advisory_xact_lock(hashtextextended('webhook claims of ' || %s, 0))", [uow.tenant_id])
    uow.execute(
        """
        update webhook_messages set status = 'dead', next_attempt_at = null, claimed_until = null
        where claimed_until is not null and claimed_until < clock_timestamp() and status = 'pending' and try_no >= %s
        """,
        [len(DELAYS_SECONDS)],
    )
    return uow.fetch_all(
        """
        with due as (
            select m.sequenced_at, m.endpoint_id, m.position
            from webhook_endpoints e cross join lateral (
                select m.sequenced_at, m.endpoint_id, m.position, m.next_attempt_at
                from (
                    select * from webhook_messages d
                    where d.endpoint_id = e.id and d.status = 'pending' and d.next_attempt_at <= %(now)s
                    order by d.next_attempt_at, d.position limit %(ahead)s
                ) m
                where (m.claimed_until is null or m.claimed_until < clock_timestamp())
                  and not exists (
                      select from webhook_messages p
                      where p.endpoint_id = m.endpoint_id and p.object_id = m.object_id and p.status = 'pending'
                        and p.position < m.position
                        and (p.attempt_count = 0 or p.next_attempt_at <= %(now)s
                             or p.claimed_until >= clock_timestamp()))
                order by m.next_attempt_at, m.position
                limit greatest(0, %(lane)s - (
                    select count(*) from webhook_messages c
                    where c.endpoint_id = e.id and c.claimed_until is not null
                      and c.claimed_until >= clock_timestamp()))
            ) m
            where e.status = 'active'
            order by m.next_attempt_at, m.position
            limit %(limit)s
        )
        update webhook_messages m
        set attempt_count = attempt_count + 1, try_no = try_no + 1,
            claimed_until = clock_timestamp() + %(seconds)s * interval '1 second'
        from due join webhook_endpoints e on e.id = due.endpoint_id
        where m.sequenced_at = due.sequenced_at and m.endpoint_id = due.endpoint_id and m.position = due.position
        returning m.endpoint_id, m.sequenced_at, m.position, m.event_id, m.attempt_count, m.try_no, e.url
        """,
        {
            "now": now,
            "limit": limit,
            "lane": CALLS_PER_ENDPOINT,
            "ahead": LOOK_AHEAD,
            "seconds": CLAIM_SECONDS,
        },
    )


def write_attempt(uow: UnitOfWork, call: Call, answer: Answer, *, started_at: datetime) -> None:
    """Write what came of a try."""
    uow.execute(
        "select tenor.ensure_month_partitions('tenor.webhook_attempts', %(at)s, %(at)s)", {"at": started_at.date()}
    )
    uow.execute(
        """
        insert into webhook_attempts (tenant_id, started_at, endpoint_id, event_id, attempt_no,
                                      status_code, error, answer, duration_ms)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [uow.tenant_id, started_at, call.endpoint_id, call.event_id, call.attempt_no, *answer],
    )


def mark_delivered(uow: UnitOfWork, call: Call) -> None:
    """Write that a message has arrived, whoever holds it by now."""
    uow.execute(
        "update webhook_messages set status = 'delivered', next_attempt_at = null, claimed_until = null"
        " where sequenced_at = %s and endpoint_id = %s and position = %s and status = 'pending'",
        [call.sequenced_at, call.endpoint_id, call.position],
    )


def put_back(uow: UnitOfWork, call: Call, next_attempt_at: datetime | None) -> None:
    """Let a message wait for its next attempt, or give it up; nothing happens where another sender has it by now."""
    uow.execute(
        """
        update webhook_messages
        set status = case when %(at)s::timestamptz is null then 'dead' else 'pending' end,
            next_attempt_at = %(at)s, claimed_until = null
        where sequenced_at = %(sequenced_at)s and endpoint_id = %(endpoint)s and position = %(position)s
          and status = 'pending' and attempt_count = %(attempt)s
        """,
        {
            "at": next_attempt_at,
            "sequenced_at": call.sequenced_at,
            "endpoint": call.endpoint_id,
            "position": call.position,
            "attempt": call.attempt_no,
        },
    )


def messages_of(
    uow: UnitOfWork, endpoint_id: EndpointId, status: MessageStatus, *, after: int, limit: int
) -> list[Message]:
    """Return the messages of an endpoint in one state, in the order of the feed, after a position."""
    rows = uow.fetch_all(
        """
        select m.endpoint_id, m.event_id, f.type, m.position, m.status, m.attempt_count, m.next_attempt_at
        from webhook_messages m
        join feed_events f on f.sequenced_at = m.sequenced_at and f.position = m.position
        where m.endpoint_id = %s and m.status = %s and m.position > %s order by m.position limit %s
        """,
        [endpoint_id, status, after, limit],
    )
    return [Message(EndpointId(row[0]), *row[1:]) for row in rows]


def attempts_of(
    uow: UnitOfWork, *, endpoint_id: EndpointId | None = None, event_id: UUID | None = None, limit: int
) -> list[Attempt]:
    """Return the newest attempts, of one endpoint or of one event where that is asked."""
    rows = uow.fetch_all(
        f"""
        select started_at, endpoint_id, event_id, attempt_no, status_code, error, answer, duration_ms
        from webhook_attempts
        where true {"" if endpoint_id is None else "and endpoint_id = %(endpoint)s"}
        {"" if event_id is None else "and event_id = %(event)s"}
        order by started_at desc, attempt_no desc limit %(limit)s
        """,
        {"endpoint": endpoint_id, "event": event_id, "limit": limit},
    )
    return [Attempt(row[0], EndpointId(row[1]), row[2], row[3], Answer(*row[4:])) for row in rows]


def first_position_since(uow: UnitOfWork, since: datetime) -> int | None:
    """Return the position of the first event that got its place at or after an instant; None for none."""
    row = uow.fetch_one("select min(position) from feed_events where sequenced_at >= %s", [since])
    return None if row is None else row[0]


def tenants_with_due(database: Database, *, now: datetime) -> list[TenantId]:
    """Return the tenants that have a message due for an active endpoint."""
    with database.auditor() as connection:
        rows = connection.execute(
            """
            select distinct e.tenant_id from webhook_endpoints e
            where e.status = 'active' and exists (
                select from webhook_messages m
                where m.tenant_id = e.tenant_id and m.endpoint_id = e.id and m.status = 'pending'
                  and m.next_attempt_at <= %(now)s
                  and (m.claimed_until is null or m.claimed_until < clock_timestamp()))
            """,
            {"now": now},
        )
        return [TenantId(row[0]) for row in rows]
