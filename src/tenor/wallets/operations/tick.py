"""Tick: do what time alone does to wallets: end reservations, lapse and renew grants, order top-ups."""

from collections.abc import Callable, Iterable, Sequence
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
from tenor.wallets.store.recurring import due_recurring
from tenor.wallets.store.uses import due_reservations
from tenor.wallets.store.wallets import lock_wallets, wallets_with_expired_grants
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


def catch_up_wallets(database: Database, tenant_id: TenantId, *, now: datetime, limit: int = CHUNK) -> Ticked:
    """Do all that is due in the wallets of a tenant by `now`, `limit` in one transaction at most; return the sums.

    What a reservation held is free before grants lapse, what lapses is gone before grants are renewed, and a wallet is
    filled up only if it is low after all of that. Called again, or by two at once, it does nothing twice.
    """
    total = Ticked()
    if _is_anything_due(database, tenant_id, now=now):
        while any(done := _once(database, tenant_id, now=now, limit=limit)):
            total = _sum([total, done])
    while ordered := _order(database, tenant_id, now=now, limit=limit):
        total = total._replace(top_ups_ordered=total.top_ups_ordered + ordered)
    return total


def _is_anything_due(database: Database, tenant_id: TenantId, *, now: datetime) -> bool:
    with database.transaction(tenant_id) as uow:
        return bool(
            due_reservations(uow, now=now, limit=1)
            or wallets_with_expired_grants(uow, at=now, limit=1)
            or due_recurring(uow, now=now, limit=1)
            or wallets_across(uow, at=now, limit=1)
        )


def _once(database: Database, tenant_id: TenantId, *, now: datetime, limit: int) -> Ticked:
    """Do each of the things that time does once, in a transaction of its own.

    Each locks its wallets at once, in their order: with those of another one it could wait in a circle with others.
    """
    done = []
    for step in _BY_TIME:
        with database.transaction(tenant_id) as uow:
            done.append(step(uow, now, limit))
    return _sum(done)


def _sum(parts: Iterable[Ticked]) -> Ticked:
    return Ticked(*map(sum, zip(*parts, strict=True)))


def _release(uow: UnitOfWork, now: datetime, limit: int) -> Ticked:
    return Ticked(released=len(release_expired_reservations(uow, now=now, limit=limit)))


def _lapse(uow: UnitOfWork, now: datetime, limit: int) -> Ticked:
    return Ticked(lapsed=len(lapse_grants(uow, now=now, limit=limit)))


def _renew(uow: UnitOfWork, now: datetime, limit: int) -> Ticked:
    kinds = [movement.kind for _, movement in renew_grants(uow, now=now, limit=limit)]
    return Ticked(lapsed=kinds.count("lapsed"), renewed=kinds.count("granted"))


def _cross(uow: UnitOfWork, now: datetime, limit: int) -> Ticked:
    crossed = list(lock_wallets(uow, wallets_across(uow, at=now, limit=limit)))
    tell_balances(uow, crossed, now=now)
    return Ticked(crossed=len(crossed))


def _order(database: Database, tenant_id: TenantId, *, now: datetime, limit: int) -> int:
    with database.transaction(tenant_id) as uow:
        return len(order_top_ups(uow, now=now, limit=limit))


_BY_TIME: Final[Sequence[Callable[[UnitOfWork, datetime, int], Ticked]]] = (_release, _lapse, _renew, _cross)
