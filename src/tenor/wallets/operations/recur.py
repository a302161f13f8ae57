"""Recurring grants: so much credit every month, promised to a customer or by the plan of a subscription."""

from collections.abc import Sequence
from datetime import datetime
from decimal import localcontext

from tenor.kernel.calendar import period_at
from tenor.kernel.errors import NotFound
from tenor.kernel.ids import WalletId, to_wire
from tenor.kernel.money import EXACT
from tenor.kernel.quantity import parse_quantity, plain
from tenor.platform.outbox import Event, publish
from tenor.platform.telling import tell
from tenor.platform.unit_of_work import UnitOfWork
from tenor.wallets.booking import book
from tenor.wallets.errors import MalformedWallet, WalletExists
from tenor.wallets.model import HeldGrant, RecurringGrant, WalletEntry
from tenor.wallets.operations.grant_credits import held_grant, require_sound
from tenor.wallets.rules.movements import Movements
from tenor.wallets.rules.recurrence import due_of, grant_of, grants_of, grid_of, issued, roll_over
from tenor.wallets.store.recurring import (
    due_recurring,
    extend_grants,
    find_recurring,
    keep_issued,
    put_recurring,
    rolling_grants,
    still_due,
)
from tenor.wallets.store.wallets import grants_by_id, insert_grants, lock_wallets
from tenor.wallets.telling import tell_balances
from tenor.wallets.using import lock_wallet


def recur_credits(
    uow: UnitOfWork, recurring: RecurringGrant, *, now: datetime, actor: str, reason: str
) -> RecurringGrant:
    """Promise a customer a grant at each boundary from the anchor on; one that is due is made at once.

    Repeating a promise changes nothing.

    Raises:
        WalletNotFound, MalformedWallet, NotADecimal: as they say.
        WalletExists: the wallet has a recurring grant of this code with other terms.
    """
    require_promisable(recurring)
    lock_wallet(uow, recurring.wallet_id)
    known = find_recurring(uow, recurring.wallet_id, recurring.code)
    if known is not None:
        if not known.promises_what(recurring):
            raise WalletExists(f"the wallet has a recurring grant {recurring.code!r} with other terms")
        return known
    put_recurring(uow, [recurring])
    tell(uow, "recurring_grant.promised", recurring.id, promised(recurring), now=now, actor=actor, reason=reason)
    if recurring.next_at is None or recurring.next_at > now:
        return recurring
    issue(uow, [recurring], now=now)
    return find_recurring(uow, recurring.wallet_id, recurring.code) or recurring


def stop_recurring(uow: UnitOfWork, wallet_id: WalletId, code: str, *, now: datetime, actor: str, reason: str) -> None:
    """Make no more grants of what a customer was promised; what was granted stays until it expires.

    Raises:
        NotFound: the wallet has no recurring grant of this code.
    """
    lock_wallet(uow, wallet_id)
    known = find_recurring(uow, wallet_id, code)
    if known is None:
        raise NotFound(f"the wallet has no recurring grant {code!r}")
    put_recurring(uow, [known._replace(next_at=None)])
    tell(uow, "recurring_grant.stopped", known.id, {"code": code}, now=now, actor=actor, reason=reason)


def renew_grants(uow: UnitOfWork, *, now: datetime, limit: int = 1000) -> tuple[WalletEntry, ...]:
    """Make the grant of the interval that is running for every promise that is due, `limit` at most.

    What is left of the interval before is kept for one more, oldest first, up to the promise's `rollover_max`; the
    rest lapses. What was missed is as if somebody had looked in time: it rolls over interval by interval, or it still
    lasts; else it would have lapsed unused, and is not made. Called again, it goes on.
    """
    due = due_recurring(uow, now=now, limit=limit)
    if not due:
        return ()
    lock_wallets(uow, [recurring.wallet_id for recurring in due])
    entries: list[WalletEntry] = []
    ids = [recurring.id for recurring in due]
    while due := still_due(uow, ids, now=now):  # read again: somebody may have renewed until the locks were ours
        entries += issue(uow, due, now=now)
    return tuple(entries)


def issue(uow: UnitOfWork, recurring: Sequence[RecurringGrant], *, now: datetime) -> tuple[WalletEntry, ...]:
    """Make what is owed of the interval that each promise has come to. The wallets are locked."""
    due = [due_of(one, now) for one in recurring]
    beginning = {one.recurring.id: one for one in due if not one.is_begun}
    rolling = rolling_grants(uow, beginning)
    held = grants_by_id(uow, [grant_id for _, grant_id in rolling])
    movements = Movements.of(held.values(), at=now)
    with localcontext(EXACT):
        kept = roll_over(beginning, [(promise, held[grant_id]) for promise, grant_id in rolling], movements)
        news = [(one, new) for one in due for new in grants_of(one, kept.amounts.get(one.recurring.id), now)]
        grants = [(one, held_grant(one.recurring.wallet_id, new, now=now), new) for one, new in news]
        insert_grants(
            uow,
            [(grant, new) for _, grant, new in grants],
            now=now,
            recurring={grant.id: one.recurring.id for one, grant, _ in grants},
        )
        for _, grant, _ in grants:
            movements.deposit(grant)
        entries = book(uow, movements)
    extend_grants(uow, kept.expiries)
    keep_issued(uow, [issued(one) for one in due])
    publish(uow, [_renewed(one.recurring, grant, now) for one, grant, _ in grants])
    tell_balances(uow, {one.wallet_id for one in recurring}, now=now)
    return tuple(entries)


def require_promisable(recurring: RecurringGrant) -> None:
    """Refuse a promise that nobody has to look at the wallet for to see that it is wrong.

    Raises:
        MalformedWallet, NotADecimal, UnknownTimezone: as they say.
    """
    interval = period_at(grid_of(recurring), recurring.anchor)
    require_sound(grant_of(recurring, recurring.amount, start=interval.start, end=interval.end))
    least = parse_quantity(recurring.rollover_min, name="rollover_min")
    most = parse_quantity(recurring.rollover_max, name="rollover_max")
    if least > most:
        raise MalformedWallet("at least so much as may be kept at most rolls over")
    if recurring.lasts is not None and most:
        raise MalformedWallet("a grant lasts for a time of its own, or rolls over; not both")


def promised(recurring: RecurringGrant) -> dict[str, object]:
    """Return what a promise is told as."""
    return {
        "wallet_id": to_wire("wal", recurring.wallet_id),
        "subscription_id": None if recurring.subscription_id is None else to_wire("sub", recurring.subscription_id),
        "code": recurring.code,
        "amount": plain(recurring.amount),
        "every": f"{recurring.every.count} {recurring.every.unit}",
        "rollover_min": plain(recurring.rollover_min),
        "rollover_max": plain(recurring.rollover_max),
    }


def _renewed(promise: RecurringGrant, grant: HeldGrant, now: datetime) -> Event:
    facts = {
        "wallet_id": to_wire("wal", promise.wallet_id),
        "code": promise.code,
        "amount": plain(grant.grant.amount),
        "expires_at": grant.grant.expires_at,
    }
    return Event("credit_grant.renewed", grant.id, facts, now)
