"""Import usage: take a whole file or nothing, and list everything that is wrong with it at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import islice
from pathlib import Path
from typing import Final

from tenor.kernel.errors import Malformed
from tenor.metering.importing import STANDARD_COLUMNS, BadRow, Columns, UsageRow, read_usage
from tenor.metering.operations.record_usage import TouchedUsage, record_usage
from tenor.metering.store import find_metrics
from tenor.platform.unit_of_work import UnitOfWork

BATCH_EVENTS: Final = 10_000
"""Events a batch: large enough that round trips do not matter, small enough that memory stays flat."""

_SHOWN_MAX: Final = 20


class UsageFileRefused(Malformed):
    """A file with rows that cannot be taken; nothing of it was kept. `rows` lists each, in order."""

    code = "usage_file_refused"

    def __init__(self, path: Path, rows: Sequence[BadRow]) -> None:
        shown = "".join(f"\n  {row}" for row in rows[:_SHOWN_MAX])
        more = f"\n  … and {len(rows) - _SHOWN_MAX} more" if len(rows) > _SHOWN_MAX else ""
        count = "1 row" if len(rows) == 1 else f"{len(rows)} rows"
        super().__init__(
            f"{path}: {count} cannot be taken, so nothing was written:{shown}{more}",
            rows=[row._asdict() for row in rows],
        )
        self.rows = tuple(rows)


@dataclass(frozen=True, slots=True)
class ImportReceipt:
    """What a file brought: events now kept, events that were kept before, and the usage that changed."""

    accepted: int
    duplicates: int
    touched: tuple[TouchedUsage, ...]


def import_usage(
    uow: UnitOfWork,
    path: Path,
    *,
    now: datetime,
    columns: Columns = STANDARD_COLUMNS,
    default_source: str = "file",
    zone: tzinfo | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> ImportReceipt:
    """Record the events of a CSV or JSON Lines file, all of them or none.

    A file may be imported again: what was kept before is a duplicate and changes nothing. `on_progress`
    is told the number of rows read so far. See `read_usage` for the forms of a file.

    Raises:
        UsageFileRefused: with every row that cannot be taken. The transaction must not be committed.
        MalformedUsageFile: no row of the file can be read.
    """
    rows = read_usage(path, metrics=find_metrics(uow), columns=columns, default_source=default_source, zone=zone)
    accepted = duplicates = read_count = 0
    bad: list[BadRow] = []
    touched: dict[tuple[object, str], TouchedUsage] = {}
    while batch := list(islice(rows, BATCH_EVENTS)):
        good = [row for row in batch if isinstance(row, UsageRow)]
        receipt = record_usage(uow, [row.event for row in good], now=now)
        accepted += len(receipt.accepted)
        duplicates += len(receipt.duplicates)
        bad += [row for row in batch if isinstance(row, BadRow)]
        bad += [
            BadRow(good[entry.position].line, columns.column_of(entry.field), entry.reason)
            for entry in receipt.rejected
        ]
        bad += [
            BadRow(good[position].line, columns.event_id, "this id was kept before with another content")
            for position in receipt.conflicts
        ]
        for change in receipt.touched:
            key = (change.customer_id, change.metric_code)
            touched[key] = min(change, touched.get(key, change), key=lambda entry: entry.earliest_at)
        read_count += len(batch)
        if on_progress is not None:
            on_progress(read_count)
    if bad:
        raise UsageFileRefused(path, sorted(bad))
    return ImportReceipt(accepted, duplicates, tuple(touched.values()))
