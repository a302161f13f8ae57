"""Seats: how many units a period counts when their number changes inside it."""

from collections.abc import Iterable
from datetime import date, datetime, tzinfo
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from tenor.kernel.calendar import days_between, local_date, midnight_of
from tenor.kernel.period import Period
from tenor.pricing.policy import Rounding
from tenor.pricing.rules.proration.shares import round_part


class QuantityChange(NamedTuple):
    """From the local day of `effective_at` on there are `units`; the wish was put on record at `recorded_at`."""

    units: Decimal
    effective_at: datetime
    recorded_at: datetime


def seat_units(changes: Iterable[QuantityChange], *, period: Period, zone: tzinfo, units_rounding: Rounding) -> Decimal:
    """Return the units of `period`: each quantity times its local days, over the days of the period.

    What is wished last counts: a change takes back those recorded before it that take effect on or
    after its own day. Before the first change there are no units. `units_rounding` rounds each
    stretch of constant quantity (place `slice`), or the sum.
    """
    kept: list[tuple[date, Decimal]] = []
    for change in sorted(changes, key=lambda change: change.recorded_at):
        day = local_date(change.effective_at, zone)
        kept = [(earlier, units) for earlier, units in kept if earlier < day]
        kept.append((day, change.units))
    opens = [midnight_of(day, zone) for day, _ in kept]
    stretches = [Period(*ends).overlap(period) for ends in pairwise([*opens, period.end])]
    whole_days = days_between(period, zone)
    by_slice = units_rounding.place == "slice"
    total = Fraction(0)
    for (_, units), stretch in zip(kept, stretches, strict=True):
        if not stretch.is_empty:
            part = Fraction(units) * days_between(stretch, zone) / whole_days
            total += Fraction(_rounded(part, units_rounding)) if by_slice else part
    return _rounded(total, units_rounding)


def _rounded(units: Fraction, rounding: Rounding) -> Decimal:
    return round_part(units, rounding, currency_digits=0)
