"""Rating on arrival: what each event costs at the moment it comes in, and what a single event would cost."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Literal, NamedTuple

from tenor.pricing.charges import Percentage, Price
from tenor.pricing.policy import RatingPolicy
from tenor.pricing.rules.rating.models import percentage_of_events
from tenor.pricing.rules.rating.pipeline import Rated, rate
from tenor.pricing.rules.rating.usage import RUNNING_TOTAL, UNROUNDED, ZERO, MoneyRounding, Usage, UsageEvent


class Arrival(NamedTuple):
    """The units that one event adds and the fee that is due for it; nothing is given back."""

    units: Decimal
    amount: Decimal


def rate_on_arrival(
    price: Price,
    events: Sequence[UsageEvent],
    policy: RatingPolicy,
    rounding: MoneyRounding,
    *,
    aggregation: Literal["count", "sum", "max", "unique_count"],
) -> list[Arrival]:
    """Return what each event costs: price(all so far) − price(before), only above the highest level so far.

    Before the first event nothing was priced, so that it pays a flat fee. An event that lowers the level
    costs nothing, and so does one that raises it again within the highest. Each fee is rounded.
    Cost: one rating per event; a percentage looks again at every event before it.
    Like `rate`, it runs in the exact context.
    """
    arrivals = []
    active: set[str | None] = set()
    level = highest = billed = ZERO
    for number, event in enumerate(events, 1):
        before = level
        match aggregation:
            case "unique_count":
                (active.discard if event.is_removal else active.add)(event.value)
                level = Decimal(len(active))
            case "max":
                level = max(level, event.units)
            case "count" | "sum":
                level += event.units
        added = max(level - highest, ZERO)
        highest += added
        due = rate(price, Usage(highest, tuple(events[:number])), policy, UNROUNDED, segment=RUNNING_TOTAL).amount
        units = max(level - before, ZERO) if aggregation == "unique_count" else added
        arrivals.append(Arrival(units, rounding.apply(max(due - billed, ZERO))))
        billed = max(due, billed)
    return arrivals


def quote_event(price: Price, event: UsageEvent, policy: RatingPolicy, rounding: MoneyRounding) -> Rated:
    """Return what one event alone would cost, whatever came before it: no allowance, no minimum, no maximum.

    A percentage asks for its fixed amount even for zero units; negative units cost nothing.
    Like `rate`, it runs in the exact context.
    """
    model = price.model
    if not isinstance(model, Percentage):
        return rate(Price(model), Usage(event.units, (event,)), policy, rounding, segment=RUNNING_TOTAL)
    alone = replace(model, free_events=None, free_amount=None)
    steps = percentage_of_events(alone, [event]) if event.units >= 0 else []
    exact = sum((step.amount for step in steps), ZERO)
    return Rated(rounding.apply(exact), exact, max(event.units, ZERO), ZERO, tuple(steps))
