"""Monthly partitions, made before the rows that need them."""

from datetime import timedelta
from typing import Final

from tenor.kernel.period import Period
from tenor.platform.unit_of_work import UnitOfWork

_INSTANT: Final = timedelta(microseconds=1)


def prepare_partitions(uow: UnitOfWork, table: str, period: Period) -> None:
    """Make sure that `table`, which is partitioned by month (UTC), takes rows of every instant of `period`.

    Cheap when the partitions exist; call it before writing a batch. At most 240 months of the years
    1970 to 2099.
    """
    uow.execute(
        "select tenor.ensure_month_partitions(%s::text::regclass, %s, %s)",
        [f"tenor.{table}", period.start.date(), (period.end - _INSTANT).date()],
    )
