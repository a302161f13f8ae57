"""Recurring grants: so much credit every month, as a plan promises it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import localcontext
from uuid import UUID

from tenor.kernel.calendar import Grid, period_at
from tenor.kernel.errors import NotFound
from tenor.kernel.ids import GrantId, WalletId, to_wire
from tenor.kernel.money import EXACT
from tenor.kernel.period import Period
from tenor.kernel.quantity import parse_quantity, plain
from tenor.platform.outbox import Event, publish
from tenor.platform.unit_of_work import UnitOfWork
from tenor.wallets.booking import book
from tenor.wallets.errors import WalletExists
from tenor.wallets.model import HeldGrant, NewGrant, WalletEntry
from tenor.wallets.operations.grant_credits import held_grant, require_sound
from tenor.wallets.rules.movements import Movements
from tenor.wallets.store.recurring import (
    RecurringGrant,
    due_recurring,
    extend_grants,
    find_recurring,
    insert_recurring,
    rolling_grants,
    set_next,
)
from tenor.wallets.store.wallets import grants_by_id, insert_grants, lock_wallets
from tenor.wallets.telling import tell, tell_balances
from tenor.wallets.using import lock_wallet


def recur_credits(
    uow: UnitOfWork, recurring: RecurringGrant, *, now: datetime, actor: str, reason: str
) -> RecurringGrant:
    """Promise a grant at each boundary from the anchor on; the next renewal makes those that are due.

    Repeating a promise changes nothing.

    Raises:
        WalletNotFound, MalformedWallet, NotADecimal: as they say.
        WalletExists: the wallet has a recurring grant of this code with other terms.
    """
    require_sound(_new_grant(recurring, _running(recurring, recurring.anchor)))
    parse_quantity(recurring.rollover_max, name="rollover_max")
    lock_wallet(uow, recurring.wallet_id)
    if not insert_recurring(uow, recurring):
        known = find_recurring(uow, recurring.wallet_id, recurring.code)
        if known is None or known._replace(id=recurring.id, next_at=None) != recurring._replace(next_at=None):
            raise WalletExists(f"the wallet has a recurring grant {recurring.code!r} with other terms")
        return known
    facts = {
        "wallet_id": to_wire("wal", recurring.wallet_id),
        "code": recurring.code,
        "amount": plain(recurring.amount),
        "every": f"{recurring.every.count} {recurring.every.unit}",
        "rollover_max": plain(recurring.rollover_max),
    }
    tell(uow, "recurring_grant.promised", recurring.id, facts, now=now, actor=actor, reason=reason)
    return recurring


def stop_recurring(uow: UnitOfWork, wallet_id: WalletId, code: str, *, now: datetime, actor: str, reason: str) -> None:
    """Make no more grants of a promise; what was granted stays until it expires.

    Raises:
        NotFound: the wallet has no recurring grant of this code.
    """
    lock_wallet(uow, wallet_id)
    known = find_recurring(uow, wallet_id, code)
    if known is None:
        raise NotFound(f"the wallet has no recurring grant {code!r}")
    set_next(uow, [(known.id, None)])
    tell(uow, "recurring_grant.stopped", known.id, {"code": code}, now=now, actor=actor, reason=reason)


def renew_grants(uow: UnitOfWork, *, now: datetime, limit: int = 1000) -> tuple[WalletEntry, ...]:
    """Make the grant of the interval that is running for every promise that is due, `limit` at most.

    What is left of the interval before is kept for one more, oldest first, up to the promise's `rollover_max`; the
    rest lapses. Intervals that were missed would have lapsed unused, so they are not made. Called again, it goes on.
    """
    lock_wallets(uow, [recurring.wallet_id for recurring in due_recurring(uow, now=now, limit=limit)])
    due = due_recurring(uow, now=now, limit=limit)  # read again: somebody may have renewed until the locks were ours
    running = {recurring.id: _running(recurring, now) for recurring in due}
    rolling = rolling_grants(uow, running)
    held = grants_by_id(uow, [grant_id for _, grant_id in rolling])
    movements = Movements.of(held.values(), at=now)
    made = [(recurring, _new_grant(recurring, running[recurring.id])) for recurring in due]
    grants = [(held_grant(recurring.wallet_id, new, now=now), new) for recurring, new in made]
    with localcontext(EXACT):
        extended = _roll_over(due, running, [(promise, held[grant_id]) for promise, grant_id in rolling], movements)
        insert_grants(
            uow,
            grants,
            now=now,
            recurring={grant.id: promise.id for (promise, _), (grant, _) in zip(made, grants, strict=True)},
        )
        for grant, _ in grants:
            movements.deposit(grant)
        entries = book(uow, movements)
    extend_grants(uow, extended)
    set_next(uow, [(promise_id, period.end) for promise_id, period in running.items()])
    publish(uow, [_renewed(promise, grant, now) for (promise, _), (grant, _) in zip(made, grants, strict=True)])
    tell_balances(uow, {recurring.wallet_id for recurring in due}, now=now)
    return tuple(entries)


def _running(recurring: RecurringGrant, now: datetime) -> Period:
    return period_at(Grid(recurring.every, recurring.anchor, UTC), now)


def _new_grant(recurring: RecurringGrant, period: Period) -> NewGrant:
    return NewGrant(
        amount=recurring.amount,
        source="plan",
        category=recurring.category,
        priority=recurring.priority,
        features=recurring.features,
        effective_at=period.start,
        expires_at=period.end,
    )


def _roll_over(
    due: Sequence[RecurringGrant],
    running: Mapping[UUID, Period],
    rolling: Sequence[tuple[UUID, HeldGrant]],
    movements: Movements,
) -> dict[GrantId, datetime]:
    """Let lapse what is more than may be kept; return the new expiry of the grants that are kept."""
    room = {recurring.id: recurring.rollover_max for recurring in due}
    extended: dict[GrantId, datetime] = {}
    for promise_id, held in rolling:
        period = running[promise_id]
        if held.grant.expires_at is None or held.grant.expires_at > period.start:
            continue
        kept = min(room[promise_id], held.remaining) if held.grant.expires_at == period.start else 0
        room[promise_id] -= kept
        movements.move("lapsed", held.id, held.remaining - kept)
        if kept:
            extended[held.id] = period.end
    return extended


def _renewed(promise: RecurringGrant, grant: HeldGrant, now: datetime) -> Event:
    facts = {
        "wallet_id": to_wire("wal", promise.wallet_id),
        "code": promise.code,
        "amount": plain(promise.amount),
        "expires_at": grant.grant.expires_at,
    }
    return Event("credit_grant.renewed", grant.id, facts, now)
