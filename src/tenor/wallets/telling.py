"""Tell of balances that have fallen below a threshold, in the transaction of what has lowered them."""

from collections.abc import Collection
from datetime import datetime

from tenor.kernel.ids import WalletId, to_wire
from tenor.kernel.quantity import plain
from tenor.platform.outbox import Event, publish
from tenor.platform.unit_of_work import UnitOfWork
from tenor.wallets.store.alerts import cross_alerts


def tell_balances(uow: UnitOfWork, wallet_ids: Collection[WalletId], *, now: datetime) -> None:
    """Publish each threshold that the balance of these locked wallets has fallen below since it was last told."""
    if not wallet_ids:
        return
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
