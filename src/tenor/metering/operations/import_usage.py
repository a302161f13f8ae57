"""Import usage: take a whole file or nothing, or what is good of it; list everything that is wrong with it at once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Final

from tenor.kernel.errors import Malformed
from tenor.metering.importing import BadRow, UsageRow, counted_as, read_usage
from tenor.metering.model import UsageEvent
from tenor.metering.operations.record_usage import take
from tenor.metering.queries import find_metrics
from tenor.metering.rules.forms import STANDARD_COLUMNS, Columns, ReadingTerms
from tenor.metering.store.ingest import TouchedUsage
from tenor.metering.store.rejections import Refused, keep_rejections
from tenor.platform.unit_of_work import UnitOfWork

PROGRESS_ROWS: Final = 10_000
"""Rows after which progress is told again."""

REJECTED_ROWS: Final = 1_000
"""Bad rows that are put by at a time."""

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
            rows=[{"line": row.line, "column": row.column, "reason": row.reason} for row in rows],
        )
        self.rows = tuple(rows)


@dataclass(frozen=True, slots=True)
class ImportReceipt:
    """What a file brought: events now kept, events that were kept before, bad rows, and the usage that changed."""

    accepted: int
    duplicates: int
    bad: tuple[BadRow, ...]
    touched: tuple[TouchedUsage, ...]


def import_usage(
    uow: UnitOfWork,
    path: Path,
    *,
    now: datetime,
    columns: Columns = STANDARD_COLUMNS,
    default_source: str = "file",
    zone: tzinfo | None = None,
    takes_part: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> ImportReceipt:
    """Record the events of a file, all of them or none; with `takes_part` the good ones.

    The bad rows of a file that is taken in part are put by as rejections, for a replay, but for those that
    contradict a kept event: it stays. A file may be imported again: what was kept before is a duplicate and
    changes nothing. `on_progress` is told the number of rows read so far. See `read_usage` for the forms of a file.
    All of it passes through one stage, so that neither the size of the file nor other senders matter.

    Raises:
        UsageFileRefused: with every row that cannot be taken. The transaction must not be committed.
        MalformedUsageFile: no row of the file can be read.
    """
    metrics = find_metrics(uow)
    bad: list[BadRow] = []
    rows = _told(read_usage(path, ReadingTerms(metrics, default_source, columns, zone)), on_progress)
    receipt = take(uow, _good(rows, bad), metrics, now=now)
    bad += [
        BadRow(entry.position, columns.column_of(entry.field), entry.reason, entry.payload, counted_as(path))
        for entry in receipt.rejected
    ]
    contradicting = [
        BadRow(position, columns.event_id, "this id was kept before with another content", "", counted_as(path))
        for position in receipt.conflicts
    ]
    if (bad or contradicting) and not takes_part:
        raise UsageFileRefused(path, sorted(bad + contradicting))
    for first in range(0, len(bad), REJECTED_ROWS):
        rows_put_by = bad[first : first + REJECTED_ROWS]
        keep_rejections(uow, [Refused(row.payload, row.column, row.reason) for row in rows_put_by], now=now)
    return ImportReceipt(
        len(receipt.accepted), len(receipt.duplicates), tuple(sorted(bad + contradicting)), receipt.touched
    )


def _good(rows: Iterable[UsageRow | BadRow], bad: list[BadRow]) -> Iterator[tuple[int, UsageEvent]]:
    """Yield the events with their lines; the bad rows are added to `bad`."""
    for row in rows:
        if isinstance(row, BadRow):
            bad.append(row)
        else:
            yield row


def _told(rows: Iterable[UsageRow | BadRow], on_progress: Callable[[int], None] | None) -> Iterator[UsageRow | BadRow]:
    """Yield `rows` and tell how many there were, now and then and at the end."""
    count = 0
    for count, row in enumerate(rows, start=1):
        yield row
        if on_progress is not None and count % PROGRESS_ROWS == 0:
            on_progress(count)
    if on_progress is not None and count % PROGRESS_ROWS:
        on_progress(count)
