"""Tick: do what time alone does to wallets: end reservations, lapse and renew grants, order top-ups."""

from datetime import datetime
from typing import Final, NamedTuple

from tenor.kernel.ids import TenantId
from tenor.platform.database import Database
from tenor.platform.unit_of_work import UnitOfWork
from tenor.wallets.operations.lapse_grants import lapse_grants
from tenor.wallets.operations.recur import renew_grants
from tenor.wallets.operations.settle_reservation import release_expired_reservations
from tenor.wallets.operations.top_up import order_top_ups
from tenor.wallets.store.alerts import wallets_across
from tenor.wallets.store.wallets import lock_wallets
from tenor.wallets.telling import tell_balances

CHUNK: Final = 1000
"""Wallets, promises or reservations that are dealt with in one transaction."""


class Ticked(NamedTuple):
    """What fell due: reservations whose time was over, grants that lapsed, grants that were made, top-ups ordered.

    `crossed` are wallets that had come to another side of a threshold only because a grant has begun or expired.
    """

    released: int = 0
    lapsed: int = 0
    renewed: int = 0
    crossed: int = 0
    top_ups_ordered: int = 0


def tick_wallets(uow: UnitOfWork, *, now: datetime, limit: int = CHUNK) -> Ticked:
    """Do what is due in wallets by `now`, at most `limit` of each kind. Called again, it goes on; in the end all is 0.

    What a reservation held is free before grants lapse, and what lapses is gone before grants are renewed. Nothing is
    ordered here: `order_top_ups` looks at wallets after all of this, in a transaction of its own.
    """
    released = release_expired_reservations(uow, now=now, limit=limit)
    lapsed = lapse_grants(uow, now=now, limit=limit)
    renewed = renew_grants(uow, now=now, limit=limit)
    crossed = list(lock_wallets(uow, wallets_across(uow, at=now, limit=limit)))
    tell_balances(uow, crossed, now=now)
    return Ticked(
        released=len(released),
        lapsed=len(lapsed) + sum(movement.kind == "lapsed" for _, movement in renewed),
        renewed=sum(movement.kind == "granted" for _, movement in renewed),
        crossed=len(crossed),
    )


def catch_up_wallets(database: Database, tenant_id: TenantId, *, now: datetime) -> Ticked:
    """Do all that is due in the wallets of a tenant by `now`, a transaction for each part of it; return the sums."""
    total = Ticked()
    while any(done := _tick(database, tenant_id, now=now)):
        total = Ticked(*(sum(pair) for pair in zip(total, done, strict=True)))
    while ordered := _order(database, tenant_id, now=now):
        total = total._replace(top_ups_ordered=total.top_ups_ordered + ordered)
    return total


def _tick(database: Database, tenant_id: TenantId, *, now: datetime) -> Ticked:
    with database.transaction(tenant_id) as uow:
        return tick_wallets(uow, now=now)


def _order(database: Database, tenant_id: TenantId, *, now: datetime) -> int:
    with database.transaction(tenant_id) as uow:
        return len(order_top_ups(uow, now=now, limit=CHUNK))
