"""Rows of `recurring_grants`: what is granted again and again."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg.types.json import Jsonb

from tenor.kernel.calendar import Interval, Unit
from tenor.kernel.ids import GrantId, WalletId
from tenor.kernel.quantity import plain
from tenor.platform.unit_of_work import Row, UnitOfWork
from tenor.wallets.model import RecurringGrant

_COLUMNS: Final = (
    "id, wallet_id, code, amount, every, anchor, priority, category, features, rollover_max, next_at, rollover_min,"
    " lasts, timezone, subscription_id, issued, issued_until"
)


def put_recurring(uow: UnitOfWork, recurring: Sequence[RecurringGrant]) -> None:
    """Write recurring grants, in place of what was promised under their ids before."""
    if not recurring:
        return
    uow.execute(
        f"""
        insert into recurring_grants (tenant_id, {_COLUMNS})
        select %s, id, wallet_id, code, amount, every, anchor, priority, category,
               array(select jsonb_array_elements_text(features)), rollover_max, next_at, rollover_min, lasts, timezone,
               subscription_id, issued, issued_until
        from jsonb_to_recordset(%s) as r (
            id uuid, wallet_id uuid, code text, amount numeric, every text, anchor timestamptz, priority bigint,
            category text, features jsonb, rollover_max numeric, next_at timestamptz, rollover_min numeric, lasts text,
            timezone text, subscription_id uuid, issued numeric, issued_until timestamptz)
        on conflict (tenant_id, id) do update set
            amount = excluded.amount, every = excluded.every, anchor = excluded.anchor, priority = excluded.priority,
            category = excluded.category, features = excluded.features, rollover_max = excluded.rollover_max,
            next_at = excluded.next_at, rollover_min = excluded.rollover_min, lasts = excluded.lasts,
            timezone = excluded.timezone
        """,
        [uow.tenant_id, Jsonb([_to_json(one) for one in recurring])],
    )


def find_recurring(uow: UnitOfWork, wallet_id: WalletId, code: str) -> RecurringGrant | None:
    """Return what a customer was promised in a wallet under a code, or None."""
    row = uow.fetch_one(
        f"select {_COLUMNS} from recurring_grants where wallet_id = %s and code = %s and subscription_id is null",
        [wallet_id, code],
    )
    return None if row is None else _recurring(row)


def recurring_of_wallet(uow: UnitOfWork, wallet_id: WalletId) -> list[RecurringGrant]:
    """Return all that is promised in a wallet, or was."""
    rows = uow.fetch_all(f"select {_COLUMNS} from recurring_grants where wallet_id = %s order by code, id", [wallet_id])
    return [_recurring(row) for row in rows]


def recurring_of_subscriptions(uow: UnitOfWork, subscription_ids: Iterable[UUID]) -> list[RecurringGrant]:
    """Return all that the plans of subscriptions promise, or did."""
    rows = uow.fetch_all(
        f"select {_COLUMNS} from recurring_grants where subscription_id = any(%s) order by id",
        [list(subscription_ids)],
    )
    return [_recurring(row) for row in rows]


def due_recurring(uow: UnitOfWork, *, now: datetime, limit: int) -> list[RecurringGrant]:
    """Return recurring grants of which one is to be made, the longest ago first."""
    rows = uow.fetch_all(
        f"select {_COLUMNS} from recurring_grants where next_at <= %s order by next_at, id limit %s", [now, limit]
    )
    return [_recurring(row) for row in rows]


def still_due(uow: UnitOfWork, recurring_ids: Iterable[UUID], *, now: datetime) -> list[RecurringGrant]:
    """Return those of recurring grants of which one more is to be made."""
    rows = uow.fetch_all(
        f"select {_COLUMNS} from recurring_grants where id = any(%s) and next_at <= %s order by id",
        [list(recurring_ids), now],
    )
    return [_recurring(row) for row in rows]


def rolling_grants(uow: UnitOfWork, recurring_ids: Iterable[UUID]) -> list[tuple[UUID, GrantId]]:
    """Return the grants of recurring grants that have something left, each with what it was made of; oldest first."""
    return [
        (recurring_id, GrantId(grant_id))
        for recurring_id, grant_id in uow.fetch_all(
            "select recurring_grant_id, id from credit_grants where recurring_grant_id = any(%s) and remaining > 0"
            " order by effective_at, id",
            [list(recurring_ids)],
        )
    ]


def extend_grants(uow: UnitOfWork, expiries: Mapping[GrantId, datetime]) -> None:
    """Write when grants that roll over expire now."""
    uow.execute(
        """
        update credit_grants g set expires_at = x.expires_at
        from unnest(%s::uuid[], %s::timestamptz[]) as x (id, expires_at) where g.id = x.id
        """,
        [list(expiries), list(expiries.values())],
    )


def keep_issued(uow: UnitOfWork, recurring: Sequence[RecurringGrant]) -> None:
    """Write when each recurring grant makes its next one, and what of the running interval is issued."""
    uow.execute(
        """
        update recurring_grants r set next_at = x.next_at, issued = x.issued, issued_until = x.issued_until
        from unnest(%s::uuid[], %s::timestamptz[], %s::numeric[], %s::timestamptz[])
            as x (id, next_at, issued, issued_until)
        where r.id = x.id
        """,
        [
            [one.id for one in recurring],
            [one.next_at for one in recurring],
            [one.issued for one in recurring],
            [one.issued_until for one in recurring],
        ],
    )


def _to_json(recurring: RecurringGrant) -> dict[str, object]:
    return {
        **{name: plain(getattr(recurring, name)) for name in ("amount", "rollover_min", "rollover_max", "issued")},
        **{name: getattr(recurring, name) for name in ("code", "priority", "category", "timezone")},
        **{name: str(getattr(recurring, name)) for name in ("id", "wallet_id", "anchor")},
        **{name: _text(getattr(recurring, name)) for name in ("next_at", "issued_until", "subscription_id")},
        "features": sorted(recurring.features),
        "every": _interval_text(recurring.every),
        "lasts": None if recurring.lasts is None else _interval_text(recurring.lasts),
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _interval_text(interval: Interval) -> str:
    return f"{interval.count} {interval.unit}"


def _interval(text: str) -> Interval:
    count, _, unit = text.partition(" ")
    return Interval(Unit(unit), int(count))


def _recurring(row: Row) -> RecurringGrant:
    recurring = RecurringGrant(*row)
    return recurring._replace(
        every=_interval(row[4]),
        features=frozenset(recurring.features),
        lasts=None if row[12] is None else _interval(row[12]),
    )
