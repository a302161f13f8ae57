"""Catch up with time in all that has to do with prepaid credit, the promises of plans before the wallets."""

from datetime import datetime
from typing import Final

from tenor.kernel.ids import TenantId
from tenor.platform.database import Database
from tenor.subscriptions.operations.advance import advance
from tenor.subscriptions.plan_credits import keep_plan_credits, subscriptions_with_credits
from tenor.wallets import Ticked, catch_up_wallets

CHUNK: Final = 1000
"""Subscriptions whose promises are looked at in one transaction."""


def catch_up_credits(database: Database, tenant_id: TenantId, *, now: datetime) -> Ticked:
    """Do all that is due by `now`: what the calendar moves, what plans promise then, and what time does to wallets.

    In transactions of its own, so call it between others. Called again, it finds nothing to do.
    """
    with database.transaction(tenant_id) as uow:
        advance(uow, now=now)
        ids = subscriptions_with_credits(uow)
    for start in range(0, len(ids), CHUNK):
        with database.transaction(tenant_id) as uow:
            keep_plan_credits(uow, ids[start : start + CHUNK], now=now)
    return catch_up_wallets(database, tenant_id, now=now)
