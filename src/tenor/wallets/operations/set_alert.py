"""Set alerts: whoever is to be told when little is left."""

from datetime import datetime
from decimal import Decimal

from tenor.kernel.ids import WalletId
from tenor.kernel.quantity import parse_quantity, plain
from tenor.platform.telling import tell
from tenor.platform.unit_of_work import UnitOfWork
from tenor.wallets.store.alerts import insert_alert
from tenor.wallets.telling import tell_balances
from tenor.wallets.using import lock_wallet


def set_alert(
    uow: UnitOfWork, wallet_id: WalletId, threshold: Decimal, *, now: datetime, actor: str, reason: str
) -> None:
    """Tell once when less than `threshold` is left, and again only after there was enough in between.

    A wallet that has less already is told of at once. The same threshold again changes nothing.

    Raises:
        WalletNotFound, NotADecimal: as they say.
    """
    parse_quantity(threshold, name="threshold")
    lock_wallet(uow, wallet_id)
    if insert_alert(uow, wallet_id, threshold):
        facts = {"threshold": plain(threshold)}
        tell(uow, "wallet.alert_set", wallet_id, facts, now=now, actor=actor, reason=reason)
        tell_balances(uow, [wallet_id], now=now)
