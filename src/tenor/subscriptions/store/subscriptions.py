"""Rows of `subscriptions`; how their status moves stands in `moves`."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from psycopg.types.json import Jsonb

from tenor.kernel.calendar import Interval, Unit
from tenor.kernel.ids import CustomerId, SubscriptionId, to_wire
from tenor.platform.unit_of_work import Column, Row, UnitOfWork
from tenor.subscriptions.errors import SubscriptionNotFound
from tenor.subscriptions.model import Status, Subscription
from tenor.subscriptions.store.rows import write_rows

SUBSCRIPTION_FIELDS: Final = """
    s.id, s.customer_id, s.external_id, s.currency, s.timezone, s.profile, s.status, s.version,
    s.starts_at, s.trial_ends_at, s.trial_converts, s.ends_at, s.cancels_at_end,
    s.notice_days, s.renewal, s.next_move_at"""
"""What `subscription_from` reads, of a table called `s`."""

SUBSCRIPTION_WIDTH: Final = 16
"""How many columns that are."""

_COLUMNS: Final[Sequence[Column]] = (
    ("id", "uuid"),
    ("customer_id", "uuid"),
    ("external_id", "text"),
    ("currency", "text"),
    ("timezone", "text"),
    ("profile", "text"),
    ("status", "text"),
    ("version", "bigint"),
    ("starts_at", "timestamptz"),
    ("trial_ends_at", "timestamptz"),
    ("trial_converts", "boolean"),
    ("ends_at", "timestamptz"),
    ("cancels_at_end", "boolean"),
    ("notice_days", "bigint"),
    ("renewal", "text"),
    ("next_move_at", "timestamptz"),
    ("request_digest", "bytea"),
    ("created_at", "timestamptz"),
)
_STATUS: Final = {status.value: status for status in Status}


class Known(NamedTuple):
    """A subscription that already has an external id, and the digest of the request that made it."""

    id: SubscriptionId
    request_digest: bytes


def subscription_from(row: Row) -> Subscription:
    """Return the subscription of a row that begins with `SUBSCRIPTION_FIELDS`."""
    return Subscription(
        id=row[0],
        customer_id=row[1],
        external_id=row[2],
        currency=row[3],
        timezone=row[4],
        profile=row[5],
        status=_STATUS[row[6]],
        version=row[7],
        starts_at=row[8],
        trial_ends_at=row[9],
        trial_converts=row[10],
        ends_at=row[11],
        cancels_at_end=row[12],
        notice_days=row[13],
        renewal=_interval(row[14]),
        next_move_at=row[15],
    )


def known_external_ids(uow: UnitOfWork, external_ids: Sequence[str]) -> dict[str, Known]:
    """Return what is known under each of `external_ids` that is taken."""
    rows = uow.fetch_all(
        "select external_id, id, request_digest from subscriptions where external_id = any(%s)", [list(external_ids)]
    )
    return {external_id: Known(SubscriptionId(id_), digest) for external_id, id_, digest in rows}


def insert_subscriptions(
    uow: UnitOfWork, subscriptions: Iterable[tuple[Subscription, bytes]], *, now: datetime
) -> None:
    """Write new subscriptions, each with the digest of its request."""
    rows = [
        (
            subscription.id,
            subscription.customer_id,
            subscription.external_id,
            subscription.currency,
            subscription.timezone,
            subscription.profile,
            subscription.status.value,
            subscription.version,
            subscription.starts_at,
            subscription.trial_ends_at,
            subscription.trial_converts,
            subscription.ends_at,
            subscription.cancels_at_end,
            subscription.notice_days,
            _interval_text(subscription.renewal),
            subscription.next_move_at,
            digest,
            now,
        )
        for subscription, digest in subscriptions
    ]
    write_rows(uow, "subscriptions", _COLUMNS, rows)


def lock_subscription(uow: UnitOfWork, subscription_id: SubscriptionId) -> Subscription:
    """Return a subscription that nobody else can change before this transaction ends.

    NO KEY UPDATE is the lock that an UPDATE takes. FOR UPDATE would also shut out the foreign keys of a bill run
    that writes an invoice for this subscription: it would wait for us while we wait for its billing position.

    Raises:
        SubscriptionNotFound: this tenant has none with the id.
    """
    row = uow.fetch_one(
        f"select {SUBSCRIPTION_FIELDS} from subscriptions s where s.id = %s for no key update", [subscription_id]
    )
    if row is None:
        raise SubscriptionNotFound(
            f"there is no subscription {to_wire('sub', subscription_id)}",
            subscription_id=to_wire("sub", subscription_id),
        )
    return subscription_from(row)


def save_changes_of(uow: UnitOfWork, subscriptions: Sequence[Subscription]) -> None:
    """Write what changes move on in locked subscriptions but the status: version, trial, end, and what is ahead."""
    uow.execute(
        """
        update subscriptions s
        set version = c.version, trial_ends_at = c.trial_ends_at, trial_converts = c.trial_converts,
            ends_at = c.ends_at, cancels_at_end = c.cancels_at_end, next_move_at = c.next_move_at
        from unnest(%b::uuid[], %b::bigint[], %b::timestamptz[], %b::boolean[], %b::timestamptz[], %b::boolean[],
                    %b::timestamptz[])
            c (id, version, trial_ends_at, trial_converts, ends_at, cancels_at_end, next_move_at)
        where s.id = c.id
        """,
        [
            [one.id for one in subscriptions],
            [one.version for one in subscriptions],
            [one.trial_ends_at for one in subscriptions],
            [one.trial_converts for one in subscriptions],
            [one.ends_at for one in subscriptions],
            [one.cancels_at_end for one in subscriptions],
            [one.next_move_at for one in subscriptions],
        ],
    )


def lock_due_for_move(uow: UnitOfWork, *, now: datetime, after: SubscriptionId, limit: int) -> list[Subscription]:
    """Return the next `limit` subscriptions with an id above `after` that the calendar moves by `now`, and lock them.

    In the order of their ids, so that two of these calls never wait for each other in a circle.
    """
    rows = uow.fetch_all(
        f"""
        select {SUBSCRIPTION_FIELDS} from subscriptions s
        where s.next_move_at <= %s and s.id > %s order by s.id limit %s for no key update
        """,
        [now, after, limit],
    )
    return [subscription_from(row) for row in rows]


def _interval_text(interval: Interval | None) -> str | None:
    """Return an interval as its column keeps it: '3 month'."""
    return None if interval is None else f"{interval.count} {interval.unit}"


def _interval(text: str | None) -> Interval | None:
    if text is None:
        return None
    count, unit = text.split()
    return Interval(Unit(unit), int(count))


def write_metadata(uow: UnitOfWork, subscription_id: SubscriptionId, metadata: Mapping[str, str]) -> None:
    """Write what the tenant keeps with a subscription.

    Raises:
        SubscriptionNotFound: there is none with the id.
    """
    if not uow.execute(
        "update subscriptions set metadata = %s where id = %s", [Jsonb(dict(metadata)), subscription_id]
    ):
        raise SubscriptionNotFound("there is no such subscription")


def empty_metadata(uow: UnitOfWork, customer_ids: Iterable[CustomerId]) -> None:
    """Write that nothing is kept with the subscriptions of these customers."""
    uow.execute(
        "update subscriptions set metadata = '{}' where customer_id = any(%s) and metadata <> '{}'",
        [list(customer_ids)],
    )


def metadata_of(uow: UnitOfWork, subscription_ids: Iterable[SubscriptionId]) -> dict[SubscriptionId, Mapping[str, str]]:
    """Return what the tenant keeps with each of these subscriptions, in one statement."""
    rows = uow.fetch_all("select id, metadata from subscriptions where id = any(%s)", [list(subscription_ids)])
    return {SubscriptionId(subscription_id): metadata for subscription_id, metadata in rows}


def is_only_subscription(uow: UnitOfWork, subscription: Subscription) -> bool:
    """Whether the customer has no other subscription, and never had one."""
    other = uow.fetch_one(
        "select from subscriptions where customer_id = %s and id <> %s limit 1",
        [subscription.customer_id, subscription.id],
    )
    return other is None
