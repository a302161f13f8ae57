"""Monthly partitions, made before the rows that need them."""

from datetime import UTC, datetime, timedelta
from typing import Final

from psycopg.errors import LockNotAvailable

from tenor.kernel.ids import TenantId
from tenor.kernel.period import Period
from tenor.platform.database import Database
from tenor.platform.unit_of_work import UnitOfWork

_INSTANT: Final = timedelta(microseconds=1)
_AHEAD: Final = timedelta(days=32)
_LOCK_TIMEOUT: Final = "300ms"
"""For how long to wait for a table that is written to: less than the second after which circles are looked for."""
_ATTEMPTS_MAX: Final = 20


def prepare_partitions(uow: UnitOfWork, table: str, period: Period) -> None:
    """Make sure that `table`, which is partitioned by month (UTC), takes rows of every instant of `period`.

    Cheap when the partitions exist; call it before writing a batch. At most 240 months of the years
    1970 to 2099.
    """
    uow.execute(
        "select tenor.ensure_month_partitions(%s::text::regclass, %s, %s)",
        [f"tenor.{table}", period.start.date(), (period.end - _INSTANT).date()],
    )


def prepare_months_ahead(database: Database, tenant_id: TenantId, *, at: datetime) -> None:
    """Make the partitions of documents, the ledger and the records from `at`, the tenant's time, for a month ahead.

    Each in a transaction of its own that gives way to whoever writes meanwhile: to make one locks the tables that it
    refers to. An operation that has to do it itself has written to some of them, waits for others that have, and may
    so wait in a circle; then its deed is refused, and has to be done again.
    """
    now = datetime.now(UTC)
    for table, instant in (("invoice_lines", at), ("transfers", at), ("outbox_events", now), ("audit_records", now)):
        for _ in range(_ATTEMPTS_MAX):
            try:
                with database.transaction(tenant_id) as uow:
                    uow.execute("select set_config('lock_timeout', %s, true)", [_LOCK_TIMEOUT])
                    prepare_partitions(uow, table, Period(instant, instant + _AHEAD))
                break
            except LockNotAvailable:
                continue
