"""Rows of `wallet_alerts`: below which balances somebody is to be told, once for each crossing."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

from tenor.kernel.ids import WalletId
from tenor.platform.unit_of_work import UnitOfWork


class WalletAlert(NamedTuple):
    """A threshold of which somebody is told, and whether the wallet was below it when that was last looked at."""

    threshold: Decimal
    is_below: bool


class Crossing(NamedTuple):
    """A wallet whose balance has fallen below a threshold."""

    wallet_id: WalletId
    threshold: Decimal
    balance: Decimal


def wallet_alerts(uow: UnitOfWork, wallet_id: WalletId) -> list[WalletAlert]:
    """Return the thresholds of a wallet, the highest first."""
    rows = uow.fetch_all(
        "select threshold, is_below from wallet_alerts where wallet_id = %s order by threshold desc", [wallet_id]
    )
    return [WalletAlert(*row) for row in rows]


def insert_alert(uow: UnitOfWork, wallet_id: WalletId, threshold: Decimal) -> bool:
    """Write a threshold that was not crossed yet; return False where it is there already."""
    return bool(
        uow.execute(
            "insert into wallet_alerts (tenant_id, wallet_id, threshold, is_below) values (%s, %s, %s, false)"
            " on conflict do nothing",
            [uow.tenant_id, wallet_id, threshold],
        )
    )


def wallets_across(uow: UnitOfWork, *, at: datetime, limit: int) -> list[WalletId]:
    """Return wallets that are on another side of a threshold than was kept, because a grant has begun or expired."""
    rows = uow.fetch_all(
        f"{_STANDING} select distinct wallet_id from standing where is_below <> (balance < threshold)"
        " order by 1 limit %(limit)s",
        {"at": at, "ids": None, "limit": limit},
    )
    return [WalletId(wallet_id) for (wallet_id,) in rows]


def cross_alerts(uow: UnitOfWork, wallet_ids: Iterable[UUID], *, at: datetime) -> list[Crossing]:
    """Keep on which side of its thresholds each wallet is; return those that it has just fallen below.

    The wallets are locked, so that nobody takes a crossing back that somebody else has just told.
    """
    rows = uow.fetch_all(
        f"""
        {_STANDING}
        update wallet_alerts a set is_below = s.balance < s.threshold
        from standing s
        where a.wallet_id = s.wallet_id and a.threshold = s.threshold and a.is_below <> (s.balance < s.threshold)
        returning a.wallet_id, a.threshold, s.balance, a.is_below
        """,
        {"at": at, "ids": list(wallet_ids)},
    )
    return [Crossing(*row) for *row, is_below in rows if is_below]


_STANDING: Final = """
    with standing as (
        select a.wallet_id, a.threshold, a.is_below, coalesce((
            select sum(g.remaining) from credit_grants g
            where g.wallet_id = a.wallet_id and g.remaining > 0 and g.effective_at <= %(at)s
            and (g.expires_at is null or g.expires_at > %(at)s)
        ), 0) as balance
        from wallet_alerts a where %(ids)s::uuid[] is null or a.wallet_id = any(%(ids)s)
    )
"""
"""What wallets (all, where `ids` is null) have beside their thresholds."""
