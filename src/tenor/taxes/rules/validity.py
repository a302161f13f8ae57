"""The table of rates over time: a new rate cuts those that it overlaps; no rate is ever changed or lost."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from tenor.kernel.period import LATEST
from tenor.taxes.model import TaxRate


class Overlay(NamedTuple):
    """What a new rate does to the rows of its tax: `ends` closes rows earlier, `added` are new rows."""

    ends: Mapping[UUID, datetime]
    added: Sequence[TaxRate]


def overlay(rows: Mapping[UUID, TaxRate], new: TaxRate) -> Overlay:
    """Return what is to be written so that `new` holds in its span, of rows of one tax that do not overlap.

    Without an end it holds until the next row begins. A row that it meets ends where it begins (one that begins
    no earlier never holds); what such a row had beyond the new one's end comes back as a row of its own, so that
    a temporary rate needs no second entry.
    """
    following = [row.valid_from for row in rows.values() if row.valid_from > new.valid_from]
    ends_at = new.valid_to or min(following, default=LATEST)
    placed = replace(new, valid_to=None if ends_at == LATEST else ends_at)
    met = {
        row_id: row
        for row_id, row in rows.items()
        if row.valid_from < ends_at and new.valid_from < (row.valid_to or LATEST)
    }
    if placed in met.values():
        return Overlay({}, [])
    ends = {row_id: max(row.valid_from, new.valid_from) for row_id, row in met.items()}
    beyond = [replace(row, valid_from=ends_at) for row in met.values() if ends_at < (row.valid_to or LATEST)]
    return Overlay(ends, [placed, *beyond])
