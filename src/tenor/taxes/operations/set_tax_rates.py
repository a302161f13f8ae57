"""Set rates of the table, many at once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from tenor.kernel.ids import new_id
from tenor.kernel.period import format_instant
from tenor.kernel.quantity import plain
from tenor.platform.audit import Deed, record
from tenor.platform.outbox import Event, publish
from tenor.platform.unit_of_work import UnitOfWork
from tenor.taxes.model import TaxRate
from tenor.taxes.rules.validity import overlay
from tenor.taxes.store import add_rates, end_rates, lock_tax_rates, rates_by_id


def set_tax_rates(
    uow: UnitOfWork, rates: Sequence[TaxRate], *, now: datetime, actor: str, reason: str
) -> list[TaxRate]:
    """Let rates hold in their spans, in the order given; return those that were not there already.

    What they meet is cut (see `rules.validity.overlay`), so a new rate from a date is all that a change of law
    needs. What is billed stays as billed. Setting the same again changes nothing.
    """
    lock_tax_rates(uow)
    stored = rates_by_id(uow, {rate.jurisdiction for rate in rates})
    standing = dict(stored)
    ends: dict[UUID, datetime] = {}
    new: list[TaxRate] = []
    for rate in rates:
        same_tax = {row_id: row for row_id, row in standing.items() if _tax(row) == _tax(rate)}
        change = overlay(same_tax, rate)
        if not change.added:
            continue
        new.append(change.added[0])
        for row_id, ends_at in change.ends.items():
            row = standing.pop(row_id)
            if row_id in stored:
                ends[row_id] = ends_at
            if row.valid_from < ends_at:
                standing[row_id] = replace(row, valid_to=ends_at)
        standing |= {new_id(now): row for row in change.added}
    if new:
        end_rates(uow, ends)
        add_rates(uow, {row_id: row for row_id, row in standing.items() if row_id not in stored})
        _tell(uow, new, now=now, actor=actor, reason=reason)
    return new


def rate_to_json(rate: TaxRate) -> dict[str, Any]:
    """Return a rate as audit records, events and the command line tell it."""
    return {
        "name": rate.name,
        "jurisdiction": str(rate.jurisdiction),
        "category": rate.category,
        "percent": plain(rate.percent),
        "valid_from": format_instant(rate.valid_from),
        "valid_to": None if rate.valid_to is None else format_instant(rate.valid_to),
    }


def _tax(rate: TaxRate) -> tuple[object, ...]:
    return rate.jurisdiction, rate.category, rate.name


def _tell(uow: UnitOfWork, new: Sequence[TaxRate], *, now: datetime, actor: str, reason: str) -> None:
    told = [(new_id(now), rate_to_json(rate)) for rate in new]
    record(
        uow,
        [Deed(actor, "tax_rate.set", "tax_rate", rate_id, reason, now, after=after) for rate_id, after in told],
    )
    publish(uow, [Event("tax_rate.set", rate_id, after, now) for rate_id, after in told])
