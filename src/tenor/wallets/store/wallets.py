"""Rows of `wallets`, `credit_grants` and `wallet_entries`."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

from psycopg.types.json import Jsonb

from tenor.kernel.ids import CustomerId, GrantId, WalletId
from tenor.kernel.quantity import plain
from tenor.platform.unit_of_work import Row, UnitOfWork
from tenor.wallets.model import (
    RESERVES,
    SIGNS,
    ZERO,
    Grant,
    HeldGrant,
    Movement,
    NewGrant,
    StoredWallet,
    WalletEntry,
    WalletTerms,
)

_WALLET: Final = (
    "id, customer_id, code, unit, currency, rate, overdraws, repays_advances, burn_order, eligibility, pays,"
    " entry_count"
)
_NOT_ROLLING: Final = """
    not exists (select from recurring_grants r where r.id = recurring_grant_id and r.rollover_max > 0
                and r.next_at <= %s)
"""
"""What expires when its recurring grant is due next may roll over: the renewal decides what of it lapses."""
_GRANT: Final = (
    "id, wallet_id, amount, remaining, cost_minor, category, priority, features, effective_at, expires_at, made_at,"
    " voided_at, reserved, paid_from"
)


def insert_wallets(
    uow: UnitOfWork, wallets: Sequence[tuple[WalletId, CustomerId, WalletTerms]], *, now: datetime
) -> set[WalletId]:
    """Write wallets; return those that were written. Where a customer has one of its code, it is left out."""
    rows = [
        {
            "id": str(wallet_id),
            "customer_id": str(customer_id),
            "code": terms.code,
            "unit": terms.unit,
            "currency": terms.currency,
            "rate": plain(terms.rate),
            "overdraws": terms.overdraws,
            "repays_advances": terms.repays_advances,
            "burn_order": terms.burn_order,
            "eligibility": terms.eligibility,
            "pays": terms.pays,
        }
        for wallet_id, customer_id, terms in wallets
    ]
    written = uow.fetch_all(
        """
        insert into wallets (tenant_id, id, customer_id, code, unit, currency, rate, overdraws, repays_advances,
                             burn_order, eligibility, pays, opened_at)
        select %s, id, customer_id, code, unit, currency, rate, overdraws, repays_advances,
               array(select jsonb_array_elements_text(burn_order)), eligibility, pays, %s
        from jsonb_to_recordset(%s) as w (
            id uuid, customer_id uuid, code text, unit text, currency text, rate numeric, overdraws boolean,
            repays_advances boolean, burn_order jsonb, eligibility text, pays text)
        on conflict (tenant_id, customer_id, code) do nothing returning id
        """,
        [uow.tenant_id, now, Jsonb(rows)],
    )
    return {WalletId(wallet_id) for (wallet_id,) in written}


def lock_wallets(uow: UnitOfWork, wallet_ids: Iterable[UUID]) -> dict[WalletId, StoredWallet]:
    """Return wallets by id, locked until the transaction ends, in the order of their ids so that nobody deadlocks."""
    rows = uow.fetch_all(
        f"select {_WALLET} from wallets where id = any(%s) order by id for update", [list(set(wallet_ids))]
    )
    return {wallet.id: wallet for wallet in map(_wallet, rows)}


def lock_wallets_of(uow: UnitOfWork, customer_ids: Iterable[UUID]) -> None:
    """Lock all wallets of customers until the transaction ends, in the order of their ids.

    Whoever moves several of them, one after the other, does so first: who needs the same does not wait in a circle.
    """
    uow.execute("select from wallets where customer_id = any(%s) order by id for update", [list(set(customer_ids))])


def wallets_of(uow: UnitOfWork, customer_ids: Iterable[UUID]) -> list[StoredWallet]:
    """Return the wallets of customers, those of a customer oldest first."""
    rows = uow.fetch_all(
        f"select {_WALLET} from wallets where customer_id = any(%s) order by customer_id, opened_at, code",
        [list(set(customer_ids))],
    )
    return [_wallet(row) for row in rows]


def grants_in_force(uow: UnitOfWork, wallet_ids: Iterable[UUID], *, at: datetime) -> list[HeldGrant]:
    """Return the grants of wallets that can be drawn from at an instant and have something left."""
    rows = uow.fetch_all(
        f"select {_GRANT} from credit_grants where wallet_id = any(%s) and remaining > 0 and effective_at <= %s"
        " and (expires_at is null or expires_at > %s) order by id",
        [list(wallet_ids), at, at],
    )
    return [_grant(row) for row in rows]


def grants_of(uow: UnitOfWork, wallet_id: WalletId) -> list[HeldGrant]:
    """Return all grants of a wallet, whatever they have left."""
    return [
        _grant(row)
        for row in uow.fetch_all(f"select {_GRANT} from credit_grants where wallet_id = %s order by id", [wallet_id])
    ]


def grants_by_id(uow: UnitOfWork, grant_ids: Iterable[UUID]) -> dict[GrantId, HeldGrant]:
    """Return grants by id, whatever they have left."""
    rows = uow.fetch_all(f"select {_GRANT} from credit_grants where id = any(%s)", [list(grant_ids)])
    return {grant.id: grant for grant in map(_grant, rows)}


def expired_grants(uow: UnitOfWork, wallet_ids: Iterable[UUID], *, at: datetime) -> list[HeldGrant]:
    """Return the grants of wallets that have expired by an instant and still have something left."""
    rows = uow.fetch_all(
        f"select {_GRANT} from credit_grants where wallet_id = any(%s) and remaining > 0 and expires_at <= %s"
        f" and {_NOT_ROLLING} order by id",
        [list(wallet_ids), at, at],
    )
    return [_grant(row) for row in rows]


def wallets_with_expired_grants(uow: UnitOfWork, *, at: datetime, limit: int) -> list[WalletId]:
    """Return wallets in which something has expired and not lapsed yet."""
    rows = uow.fetch_all(
        "select distinct wallet_id from credit_grants where remaining > 0 and expires_at <= %s"
        f" and {_NOT_ROLLING} order by 1 limit %s",
        [at, at, limit],
    )
    return [WalletId(wallet_id) for (wallet_id,) in rows]


def insert_grants(
    uow: UnitOfWork,
    grants: Sequence[tuple[HeldGrant, NewGrant]],
    *,
    now: datetime,
    recurring: Mapping[GrantId, UUID] | None = None,
) -> None:
    """Write grants with nothing left; their entries make them whole."""
    rows = [
        {
            "id": held.id,
            "wallet_id": held.wallet_id,
            "amount": new.amount,
            "cost_minor": new.cost_minor,
            "source": new.source,
            "category": new.category,
            "priority": new.priority,
            "features": sorted(new.features),
            "effective_at": held.grant.effective_at,
            "expires_at": new.expires_at,
            "recurring_grant_id": (recurring or {}).get(held.id),
            "paid_from": new.paid_from,
        }
        for held, new in grants
    ]
    uow.execute(
        """
        insert into credit_grants (tenant_id, id, wallet_id, amount, remaining, cost_minor, source, category, priority,
                                   features, effective_at, expires_at, recurring_grant_id, paid_from, reserved, made_at)
        select %s, id, wallet_id, amount, 0, cost_minor, source, category, priority,
               array(select jsonb_array_elements_text(features)), effective_at, expires_at, recurring_grant_id,
               paid_from, 0, %s
        from jsonb_to_recordset(%s) as g (
            id uuid, wallet_id uuid, amount numeric, cost_minor bigint, source text, category text, priority bigint,
            features jsonb, effective_at timestamptz, expires_at timestamptz, recurring_grant_id uuid, paid_from text)
        """,
        [uow.tenant_id, now, Jsonb(rows)],
    )


class Numbered(NamedTuple):
    """Whose wallet takes new entries, in which currency it is booked, and the number of its last entry before them."""

    customer_id: CustomerId
    currency: str
    before: int


def take_entry_numbers(uow: UnitOfWork, counts: Mapping[WalletId, int]) -> dict[WalletId, Numbered]:
    """Take so many entry numbers of each wallet. The wallets are locked."""
    rows = uow.fetch_all(
        """
        update wallets w set entry_count = w.entry_count + m.count
        from unnest(%s::uuid[], %s::bigint[]) as m (wallet_id, count)
        where w.id = m.wallet_id returning w.id, w.customer_id, w.currency, w.entry_count - m.count
        """,
        [list(counts), list(counts.values())],
    )
    return {wallet_id: Numbered(*taken) for wallet_id, *taken in rows}


def insert_entries(uow: UnitOfWork, entries: Sequence[WalletEntry]) -> None:
    """Append entries."""
    uow.execute(
        """
        insert into wallet_entries (tenant_id, wallet_id, entry_no, kind, amount, grant_id, use_id, value_minor, at)
        select %s, * from unnest(%s::uuid[], %s::bigint[], %s::text[], %s::numeric[], %s::uuid[], %s::uuid[],
                                 %s::bigint[], %s::timestamptz[])
        """,
        [
            uow.tenant_id,
            [movement.wallet_id for _, movement in entries],
            [entry_no for entry_no, _ in entries],
            [movement.kind for _, movement in entries],
            [movement.amount for _, movement in entries],
            [movement.grant_id for _, movement in entries],
            [movement.use_id for _, movement in entries],
            [movement.value_minor for _, movement in entries],
            [movement.at for _, movement in entries],
        ],
    )


def move_grants(uow: UnitOfWork, movements: Iterable[Movement]) -> None:
    """Move what grants have left, and what of them is set aside, as movements say. The database refuses an overdraw."""
    left: dict[GrantId, Decimal] = defaultdict(Decimal)
    reserved: dict[GrantId, Decimal] = defaultdict(Decimal)
    for movement in movements:
        if movement.grant_id is not None:
            left[movement.grant_id] += SIGNS[movement.kind] * movement.amount
            reserved[movement.grant_id] += RESERVES.get(movement.kind, 0) * movement.amount
    uow.execute(
        """
        update credit_grants g set remaining = g.remaining + m.left, reserved = g.reserved + m.reserved
        from unnest(%s::uuid[], %s::numeric[], %s::numeric[]) as m (grant_id, "left", reserved)
        where g.id = m.grant_id and (m.left <> 0 or m.reserved <> 0)
        """,
        [list(left), list(left.values()), list(reserved.values())],
    )


def mark_voided(uow: UnitOfWork, grant_id: GrantId, *, now: datetime) -> None:
    """Write when a grant was voided; nothing is left of it."""
    uow.execute("update credit_grants set voided_at = %s where id = %s", [now, grant_id])


def balances(uow: UnitOfWork, wallet_ids: Iterable[UUID], *, at: datetime) -> dict[WalletId, Decimal]:
    """Return what the grants in force of each wallet have left; advances are not taken off."""
    ids = [WalletId(wallet_id) for wallet_id in wallet_ids]
    rows = uow.fetch_all(
        "select wallet_id, sum(remaining) from credit_grants where wallet_id = any(%s) and remaining > 0"
        " and effective_at <= %s and (expires_at is null or expires_at > %s) group by wallet_id",
        [ids, at, at],
    )
    return dict.fromkeys(ids, ZERO) | dict(rows)


def _wallet(row: Row) -> StoredWallet:
    wallet_id, customer_id, code, unit, currency, rate, overdraws, repays_advances, burn_order, *others = row
    eligibility, pays, count = others
    terms = WalletTerms(
        code=code,
        unit=unit,
        currency=currency,
        rate=rate,
        overdraws=overdraws,
        repays_advances=repays_advances,
        burn_order=tuple(burn_order),
        eligibility=eligibility,
        pays=pays,
    )
    return StoredWallet(wallet_id, customer_id, terms, count)


def _grant(row: Row) -> HeldGrant:
    grant_id, wallet_id, amount, remaining, cost_minor, category, priority, features, *times = row
    effective_at, expires_at, made_at, voided_at, reserved, paid_from = times
    grant = Grant(
        id=str(grant_id),
        amount=amount,
        effective_at=effective_at,
        expires_at=expires_at,
        priority=priority,
        created_at=made_at,
        category=category,
        features=frozenset(features),
        voided_at=voided_at,
    )
    return HeldGrant(grant_id, wallet_id, grant, remaining, cost_minor, reserved, paid_from)
