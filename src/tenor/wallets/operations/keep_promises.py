"""Keep promises: make what is promised in wallets what the plans of subscriptions promise now."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from tenor.kernel.ids import SubscriptionId
from tenor.platform.audit import Deed, record
from tenor.platform.outbox import Event, publish
from tenor.platform.unit_of_work import UnitOfWork
from tenor.wallets.model import RecurringGrant, WalletEntry
from tenor.wallets.operations.recur import issue, promised
from tenor.wallets.store.recurring import put_recurring, recurring_of_subscriptions
from tenor.wallets.store.wallets import lock_wallets

ACTOR: Final = "plan"
"""Who promises credit where a plan does."""


class _Changes(NamedTuple):
    """Promises that begin or have other terms from now on, and promises that end."""

    kept: list[RecurringGrant]
    stopped: list[RecurringGrant]


def keep_promises(
    uow: UnitOfWork, wanted: Sequence[RecurringGrant], *, of: Sequence[SubscriptionId], now: datetime
) -> tuple[WalletEntry, ...]:
    """Let the plans of subscriptions promise exactly `wanted` from now on, and issue at once what that owes.

    A promise is known by its subscription, wallet and code. One that begins grants its whole amount; one that grows
    grants the difference for the running interval; one that shrinks or ends takes nothing back, and grants no more
    than that until the interval is over. In a few statements, however many subscriptions there are; one, where nothing
    has changed.
    """
    known = recurring_of_subscriptions(uow, of)
    changes = _changes(known, wanted, now)
    if not (changes.kept or changes.stopped):
        return ()
    lock_wallets(uow, {one.wallet_id for one in (*changes.kept, *changes.stopped)})
    changes = _changes(recurring_of_subscriptions(uow, of), wanted, now)  # again: now nobody else can change them
    put_recurring(uow, [*changes.kept, *changes.stopped])
    entries = issue(uow, changes.kept, now=now)
    told = [("recurring_grant.promised", one) for one in changes.kept]
    told += [("recurring_grant.stopped", one) for one in changes.stopped]
    publish(uow, [Event(deed, one.id, promised(one), now) for deed, one in told])
    record(
        uow,
        [
            Deed(ACTOR, deed, "recurring_grant", one.id, "as its plan says", now, after=promised(one))
            for deed, one in told
        ],
    )
    return entries


def _changes(known: Sequence[RecurringGrant], wanted: Sequence[RecurringGrant], now: datetime) -> _Changes:
    """Return what must change; what is known keeps its id and what was issued."""
    by_key = {(one.subscription_id, one.wallet_id, one.code): one for one in known}
    kept = []
    for one in wanted:
        before = by_key.pop((one.subscription_id, one.wallet_id, one.code), None)
        if before is None:
            kept.append(one._replace(next_at=now))
        elif before.next_at is None or not before.promises_what(one):
            kept.append(one._replace(id=before.id, next_at=now, issued=before.issued, issued_until=before.issued_until))
    stopped = [one._replace(next_at=None) for one in by_key.values() if one.next_at is not None]
    return _Changes(kept, stopped)
