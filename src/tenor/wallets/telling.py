"""Every deed on wallets leaves an audit record and an event in the transaction of the deed."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from tenor.kernel.ids import WalletId, to_wire
from tenor.kernel.quantity import plain
from tenor.platform.audit import Deed, record
from tenor.platform.outbox import Event, publish
from tenor.platform.unit_of_work import UnitOfWork
from tenor.wallets.store.alerts import cross_alerts


def tell(
    uow: UnitOfWork,
    deed: str,
    object_id: UUID,
    facts: Mapping[str, object],
    *,
    now: datetime,
    actor: str,
    reason: str,
) -> None:
    """Record and publish `deed`, named 'object.past' such as 'credit_grant.made', with the facts after it."""
    object_type, _, _ = deed.partition(".")
    record(uow, [Deed(actor, deed, object_type, object_id, reason, now, after=facts)])
    publish(uow, [Event(deed, object_id, facts, now)])


def tell_balances(uow: UnitOfWork, wallet_ids: Iterable[WalletId], *, now: datetime) -> None:
    """Publish each threshold that the balance of these wallets has fallen below since it was last told."""
    crossed = cross_alerts(uow, wallet_ids, at=now)
    events = [
        Event(
            "wallet.low",
            crossing.wallet_id,
            {
                "wallet_id": to_wire("wal", crossing.wallet_id),
                "threshold": plain(crossing.threshold),
                "balance": plain(crossing.balance),
            },
            now,
        )
        for crossing in crossed
    ]
    publish(uow, events)
