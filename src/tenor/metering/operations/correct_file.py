"""Correct usage from a file: each of its rows counts in the place of the event that was taken under its id."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from pathlib import Path

from tenor.metering.importing import BadRow, UsageRow, counted_as, read_usage
from tenor.metering.model import Amendment
from tenor.metering.operations.amend_usage import AmendmentReceipt, amend_usage
from tenor.metering.operations.import_usage import UsageFileRefused
from tenor.metering.queries import find_metrics
from tenor.metering.rules.forms import STANDARD_COLUMNS, Columns, ReadingTerms
from tenor.platform.unit_of_work import UnitOfWork


def correct_from_file(
    uow: UnitOfWork,
    path: Path,
    *,
    now: datetime,
    actor: str,
    reason: str,
    columns: Columns = STANDARD_COLUMNS,
    default_source: str = "file",
    zone: tzinfo | None = None,
) -> AmendmentReceipt:
    """Correct the events of a file, all of them or none; see `amend_usage` and, for the forms, `read_usage`.

    Raises:
        UsageFileRefused: with every row that cannot be taken. The transaction must not be committed.
        MalformedUsageFile: no row of the file can be read.
    """
    rows = list(read_usage(path, ReadingTerms(find_metrics(uow), default_source, columns, zone)))
    good = [row for row in rows if isinstance(row, UsageRow)]
    amendments = [Amendment(row.event.source, row.event.event_id, row.event) for row in good]
    receipt = amend_usage(uow, amendments, now=now, actor=actor, reason=reason)
    bad: Sequence[BadRow] = [row for row in rows if isinstance(row, BadRow)] + [
        BadRow(good[entry.position].line, columns.column_of(entry.field), entry.reason, counted_as=counted_as(path))
        for entry in receipt.rejected
    ]
    if bad:
        raise UsageFileRefused(path, sorted(bad))
    return receipt
