"""What a session has seen to be committed and can never change again, so that it is not asked for with every batch."""

from collections.abc import Mapping
from typing import Any, Final, Generic, TypeVar
from weakref import WeakKeyDictionary

from psycopg import Connection

from tenor.kernel.ids import TenantId
from tenor.platform.unit_of_work import UnitOfWork

K = TypeVar("K")
V = TypeVar("V")

_REMEMBERED_MAX: Final = 50_000


class Remembered(Generic[K, V]):
    """Rows by their keys, for each session and tenant; at most 50,000 of each, then it begins anew.

    Only what is there is remembered: what is missing may come at any time.
    """

    def __init__(self) -> None:
        self._sessions: WeakKeyDictionary[Connection[Any], dict[TenantId, dict[K, V]]] = WeakKeyDictionary()

    def of(self, uow: UnitOfWork) -> Mapping[K, V]:
        """Return what the session of `uow` knows of its tenant."""
        return self._sessions.setdefault(uow.connection, {}).setdefault(uow.tenant_id, {})

    def add(self, uow: UnitOfWork, found: Mapping[K, V]) -> None:
        """Remember rows that `uow` has read, unless they may be its own and be rolled back."""
        # Of a transaction that has written nothing yet, everything that it sees is committed.
        if uow.fetch_one("select where pg_current_xact_id_if_assigned() is null") is None:
            return
        known = self._sessions.setdefault(uow.connection, {}).setdefault(uow.tenant_id, {})
        if len(known) + len(found) > _REMEMBERED_MAX:
            known.clear()
        known |= found
