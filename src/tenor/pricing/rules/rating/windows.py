"""Models over windows of time: commitments per window, and quotas that reset with their window."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from tenor.kernel.period import Period
from tenor.pricing.charges import ParallelQuotaWindows, QuotaWindows, TimeOfDay, WindowedCommitment
from tenor.pricing.rules.rating.trace import Step, StepKind
from tenor.pricing.rules.rating.usage import ZERO, QuotaWindow, UsageEvent, UsageWindow


class _Terms(NamedTuple):
    """What holds in one window; without a commitment every unit costs the unit price and nothing else."""

    unit_amount: Decimal
    commitment: Decimal | None
    overage_factor: Decimal
    true_up: bool


def windowed_commitment(model: WindowedCommitment, used: Sequence[UsageWindow]) -> list[Step]:
    """Price every window alone against its commitment.

    What a window costs up to its commitment is `committed`, what it costs above is `overage` after the
    factor, and `true_up` is what a window short of its commitment is topped up by.
    """
    committed = overage = true_up = ZERO
    for window in used:
        terms = _terms_at(model, window.at)
        cost = max(window.units, ZERO) * terms.unit_amount
        if terms.commitment is None:
            overage += cost
            continue
        committed += min(cost, terms.commitment)
        overage += max(cost - terms.commitment, ZERO) * terms.overage_factor
        if terms.true_up:
            true_up += max(terms.commitment - cost, ZERO)
    sums = {StepKind.COMMITTED: committed, StepKind.OVERAGE: overage, StepKind.TRUE_UP: true_up}
    return [Step(kind, amount=amount) for kind, amount in sums.items() if amount]


def window_starts(
    model: WindowedCommitment, used: Sequence[datetime], *, period: Period, length: timedelta
) -> list[datetime]:
    """Return the starts of the windows in `period` to be rated: those with usage, and those that may be trued up.

    The grid runs from the period's start in steps of `length`; `used` are starts on that grid. The hours
    of the day are read in the zone of the period's start.
    """
    zone = period.start.tzinfo or UTC
    count = -(-(period.end - period.start) // length)
    grid = [(period.start.astimezone(UTC) + length * number).astimezone(zone) for number in range(count)]
    with_usage = set(used)
    return [start for start in grid if start in with_usage or _can_be_trued_up(_terms_at(model, start))]


def over_quota(model: QuotaWindows, quotas: Sequence[QuotaWindow]) -> list[Step]:
    """Price what each window used above its quota."""
    return _above_quota(model, sum((max(window.used - window.quota, ZERO) for window in quotas), ZERO))


def while_exhausted(
    model: ParallelQuotaWindows, quotas: Sequence[QuotaWindow], events: Sequence[UsageEvent]
) -> list[Step]:
    """Price the events inside any span from a quota's exhaustion to the end of its window, each once."""
    units = sum((event.units for event in events if any(_is_exhausted(quota, event.at) for quota in quotas)), ZERO)
    return _above_quota(model, units)


def _terms_at(model: WindowedCommitment, at: datetime | None) -> _Terms:
    own = _Terms(model.unit_amount, _commitment(model, model.unit_amount), model.overage_factor, model.true_up)
    if at is None or not model.time_of_day:
        return own
    minute = at.hour * 60 + at.minute
    hours = next((hours for hours in model.time_of_day if hours.holds(minute)), None)
    if hours is None:
        keeps_commitment = any(hours.names_a_commitment for hours in model.time_of_day)
        return own if keeps_commitment else own._replace(commitment=None)
    unit_amount = model.unit_amount if hours.unit_amount is None else hours.unit_amount
    return _Terms(
        unit_amount=unit_amount,
        commitment=_commitment(hours if hours.names_a_commitment else model, unit_amount),
        overage_factor=model.overage_factor if hours.overage_factor is None else hours.overage_factor,
        true_up=model.true_up if hours.true_up is None else hours.true_up,
    )


def _commitment(of: WindowedCommitment | TimeOfDay, unit_amount: Decimal) -> Decimal | None:
    """Return a commitment as money; one in units is worth them at the unit price."""
    if of.commitment_amount is not None:
        return of.commitment_amount
    return None if of.commitment_units is None else of.commitment_units * unit_amount


def _can_be_trued_up(terms: _Terms) -> bool:
    return terms.true_up and bool(terms.commitment)


def _is_exhausted(quota: QuotaWindow, at: datetime | None) -> bool:
    if at is None or quota.exhausted_at is None:
        return False
    return quota.exhausted_at <= at and (quota.end is None or at < quota.end)


def _above_quota(model: QuotaWindows | ParallelQuotaWindows, above: Decimal) -> list[Step]:
    if model.quota_in == "amount":
        return [Step(StepKind.CARRIED, amount=above)]
    return [Step(StepKind.UNITS, above, model.unit_amount, above * model.unit_amount)]
