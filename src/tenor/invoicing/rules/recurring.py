"""What recurs: the price of the served parts of a period, each its share of the whole.

Where nothing is prorated the period costs its price. Where a change cut it in parts, a policy says how they add up:

- as one amount (`difference`): Σ price × share, which is rounded once;
- as the lines in which a vendor writes it (`gross`): what is paid in advance is charged to the end of the period
  and credited from the change on, each rounded by itself; what is paid in arrears is charged part by part.
"""

from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, NamedTuple

from tenor.invoicing.rules.dues import Due
from tenor.invoicing.rules.price_memory import PriceMemory, to_minor_exact
from tenor.invoicing.rules.ratings import Rating, exact_text
from tenor.kernel.calendar import local_date, midnight_of
from tenor.kernel.period import Period, format_instant
from tenor.kernel.quantity import plain
from tenor.pricing.model import ChargeKind, Timing
from tenor.pricing.policy import ProrationPolicy
from tenor.pricing.rules.proration import Share, exact_part, share_of

_DAY: Final = timedelta(days=1)


class _Part(NamedTuple):
    """A price for a whole period, and the part of it that one slice is served at it: its `span` as it is `counted`."""

    price: Decimal
    steps: list[dict[str, str]]
    span: Period
    counted: Period
    share: Share


def rate_recurring(due: Due, memory: PriceMemory, zone: tzinfo) -> Rating:
    """Return the exact price of a recurring charge, a seat charge, a commitment or a cap for the served parts."""
    if not due.slices:
        return Rating(due, "", Decimal(0), {"model": "recurring", "steps": []})
    parts = _parts(due, memory, zone)
    if parts is None:
        amount, steps = memory.amount(due.charge, due.slices[0].quantity, due.slices[0].price)
        return Rating(due, "", amount, {"model": "recurring", "steps": steps})
    is_gross = memory.policy.proration.change_billing == "gross"
    amounts = [_gross(due, part, memory, zone) if is_gross else _cost(part, memory) for part in parts]
    total = sum(amounts, Fraction(0))
    whole = total - amounts[-1] + _to_the_end(due, parts[-1], memory, zone)
    unit = memory.policy.proration.proration_unit if memory.policy.proration.ratio_digits is None else None
    slices = [
        {
            "from": format_instant(part.span.start),
            "to": format_instant(part.span.end),
            "price": plain(part.price),
            "share": f"{part.share.used}/{part.share.whole}",
            "unit": unit,
            "amount": exact_text(amount),
            "steps": part.steps,
        }
        for part, amount in zip(parts, amounts, strict=True)
    ]
    trace: dict[str, Any] = {"model": "recurring", "slices": slices, "exact": exact_text(total)}
    return Rating(due, "", total, trace, whole)


def _parts(due: Due, memory: PriceMemory, zone: tzinfo) -> list[_Part] | None:
    """Return the parts of a due; None where the first slice's price is due whole.

    That is so where one slice fills the period, and where the charge or the policy prorates nothing.
    """
    if not due.charge.is_prorated or due.slices[0].span == due.period:
        return None
    policy = memory.policy.proration
    parts = []
    for part, counted in zip(due.slices, _counted_spans(due, policy, zone), strict=True):
        share = share_of(period=due.period, used=counted, policy=policy, zone=zone)
        if share is None:
            return None
        price, steps = memory.amount(due.charge, part.quantity, part.price)
        parts.append(_Part(price, steps, part.span, counted, share))
    return parts


def _counted_spans(due: Due, policy: ProrationPolicy, zone: tzinfo) -> list[Period]:
    """Return the spans of the slices as their days are counted: who pays the day of a change, or of the end.

    Only where days are the unit; the new terms pay the day of a change unless the policy gives it to the old ones,
    or for seats to both, and the day of the end counts where the policy bills it: once, if service goes on that day.
    """
    spans = [part.span for part in due.slices]
    if policy.proration_unit != "day":
        return spans
    is_seat = due.charge.kind is ChargeKind.SEAT
    owner = policy.seat_change_day_owner if is_seat else policy.change_day_owner
    counted: list[Period] = []
    for place, (start, end) in enumerate(spans):
        comes_at_once = place > 0 and spans[place - 1].end == start
        goes_on_at_once = (place + 1 < len(spans) and spans[place + 1].start == end) or end == due.joint.handed_over_at
        if start == due.joint.taken_over_at and owner == "old":
            start = _next_midnight(start, due, zone)
        if end < due.period.end and (owner != "new" if goes_on_at_once else policy.termination_day == "billed"):
            end = _next_midnight(end, due, zone)
        if counted and not (comes_at_once and owner == "both"):
            start = max(start, counted[-1].end)
        counted.append(Period(start, max(start, end)))
    return counted


def _next_midnight(at: datetime, due: Due, zone: tzinfo) -> datetime:
    return min(midnight_of(local_date(at, zone) + _DAY, zone), due.period.end)


def _cost(part: _Part, memory: PriceMemory) -> Fraction:
    return exact_part(
        part.price,
        part.share,
        day_rate=memory.policy.rounding.day_rate_rounding,
        currency_digits=memory.digits,
    )


def _to_the_end(due: Due, part: _Part, memory: PriceMemory, zone: tzinfo) -> Fraction:
    """Return what a part would cost if it went on to the end of the period."""
    if part.span.end >= due.period.end:
        return _cost(part, memory)
    rest = Period(part.counted.start, due.period.end)
    share = share_of(period=due.period, used=rest, policy=memory.policy.proration, zone=zone)
    return _cost(part._replace(share=share or part.share), memory)


def _gross(due: Due, part: _Part, memory: PriceMemory, zone: tzinfo) -> Fraction:
    """Return what a part comes to in rounded lines: its charge to the period's end, less the credit of the rest."""
    whole = _cost(part, memory)
    if due.charge.timing is not Timing.ADVANCE:
        return _rounded(whole, memory)
    to_the_end = _to_the_end(due, part, memory, zone)
    return _rounded(to_the_end, memory) - _rounded(to_the_end - whole, memory)


def _rounded(amount: Fraction, memory: PriceMemory) -> Fraction:
    return Fraction(to_minor_exact(amount, memory.digits, memory.policy.rounding.rounding.mode), 10**memory.digits)
