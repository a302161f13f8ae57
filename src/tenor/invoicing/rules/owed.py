"""Owed: what a timeline costs, key by key. Rate, discount and commit are its three steps, in this order."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Final

from tenor.invoicing.model import Key, Owed
from tenor.invoicing.rules.discounting import Looked, discount_ratings, dues_of_all
from tenor.invoicing.rules.dues import MEASURED_ON_OTHERS, PAID_BY_TIME, Due, Look, billing_zone
from tenor.invoicing.rules.price_memory import PriceMemory, to_minor_exact
from tenor.invoicing.rules.ratings import Rating, exact_text
from tenor.invoicing.rules.recurring import rate_recurring
from tenor.invoicing.rules.running import served_span
from tenor.kernel.ids import ChargeId, ItemId, PlanVersionId
from tenor.kernel.money import EXACT, RoundingMode
from tenor.kernel.period import Period, format_instant
from tenor.kernel.quantity import plain
from tenor.pricing.charges import Matrix, Price
from tenor.pricing.model import ChargeKind, PlanVersion, Timing
from tenor.pricing.policy import Policy
from tenor.pricing.rules.rating import Usage, parts_of, steps_to_json
from tenor.subscriptions.model import AppliedDiscount, Item, Timeline

UsageKey = tuple[ItemId, ChargeId, Period]
"""Whose usage, of which charge, over which service period."""

UsageTotals = Mapping[UsageKey, Usage]
"""The metered usage of each usage charge and service period that is looked at; absent means none."""

Prices = Mapping[PlanVersionId, PlanVersion]
"""The plan versions that a timeline pins."""

_NO_USAGE: Final = Usage()


def owed(
    timeline: Timeline, prices: Prices, usage: UsageTotals, policy: Policy, *, through: datetime, zone: tzinfo
) -> list[Owed]:
    """Return everything that the timeline owes through an instant, as if nothing had been settled.

    Pure and total: the same arguments give the same amounts, whatever was billed before. Amounts are
    minor units of the plan version's currency, rounded once per key by `policy.rounding`.
    """
    look = Look(through=through, settled_through=None, revisit_from=None)
    looked = [Looked(item, prices[item.plan_version_id], look) for item in timeline.items]
    if not looked:
        return []
    memory = PriceMemory(policy, currency=looked[0].plan.currency)
    looked_at = dues_of_all(looked, timeline.discounts, zone, policy.calendar)
    return [
        entry
        for entries in owed_of_items(looked, looked_at, timeline.discounts, usage, memory, zone)
        for entry in entries
    ]


def owed_of_items(
    looked: Sequence[Looked],
    looked_at: Sequence[Sequence[Due]],
    discounts: Sequence[AppliedDiscount],
    usage: UsageTotals,
    memory: PriceMemory,
    zone: tzinfo,
) -> list[list[Owed]]:
    """Return what is owed for the given dues of each item of a subscription: rate, discount, commit."""
    ratings = [
        rate_dues(one.item, item_dues, usage, memory, zone) for one, item_dues in zip(looked, looked_at, strict=True)
    ]
    discounted = discount_ratings(ratings, discounts, looked, zone, memory.policy, digits=memory.digits)
    return [
        commit_ratings(one.item, kept, item_dues, memory, zone)
        for one, kept, item_dues in zip(looked, discounted, looked_at, strict=True)
    ]


def rate_dues(
    item: Item, looked_at: Sequence[Due], usage: UsageTotals, memory: PriceMemory, zone: tzinfo
) -> list[Rating]:
    """Return the exact price of each due, less the item's own percentage; commitments and caps left out.

    What recurs costs the sum over its slices of price × share of the period; usage costs what its
    model says for the metered units; a one-off costs its price. Matrix usage is one rating for each
    dimension.
    """
    ratings: list[Rating] = []
    zone = billing_zone(item, zone, memory.policy.calendar)
    with localcontext(EXACT):
        for due in looked_at:
            match due.charge.kind:
                case ChargeKind.RECURRING | ChargeKind.SEAT:
                    ratings.append(rate_recurring(due, memory, zone))
                case ChargeKind.ONE_OFF:
                    ratings.append(_rate_one_off(due, memory))
                case ChargeKind.USAGE:
                    units = usage.get((item.id, due.charge.id, due.period), _NO_USAGE)
                    ratings.extend(_rate_usage(due, units, memory))
                case ChargeKind.COMMITMENT | ChargeKind.CAP:
                    continue
    return _less_percent(ratings, item.discount_percent)


def _less_percent(ratings: list[Rating], discount_percent: Decimal) -> list[Rating]:
    """Take an item's own percentage off every rating, before anything is rounded."""
    if not discount_percent:
        return ratings
    kept = 1 - Fraction(discount_percent) / 100
    return [
        rating._replace(
            exact=Fraction(rating.exact) * kept,
            whole=None if rating.whole is None else Fraction(rating.whole) * kept,
            trace={
                **rating.trace,
                "discount_percent": plain(discount_percent),
                "before_discount": exact_text(rating.exact),
            },
        )
        for rating in ratings
    ]


def commit_ratings(
    item: Item, ratings: Sequence[Rating], looked_at: Sequence[Due], memory: PriceMemory, zone: tzinfo
) -> list[Owed]:
    """Round each rating once, and hold what the other charges of a period come to against commitments and caps.

    Only charges whose whole period lies in that of the commitment or cap count: a longer one falls due after it.
    The one that ends first, or is the shorter, counts for the next; of equals a commitment comes before a cap.
    Both are prorated like a fee; a commitment adds what is missing, a cap takes off what is above it.
    """
    mode = memory.policy.rounding.rounding.mode
    digits = memory.digits
    found = [_owed(item, rating, mode, digits) for rating in ratings]
    bounds = [due for due in looked_at if due.charge.kind in MEASURED_ON_OTHERS]
    if not bounds:
        return found
    zone = billing_zone(item, zone, memory.policy.calendar)
    bounds.sort(key=lambda due: (due.period.end, due.period.microseconds, due.charge.kind is ChargeKind.CAP))
    with localcontext(EXACT):
        for due in bounds:
            bound = rate_recurring(due, memory, zone)
            counted_minor = sum(entry.amount_minor for entry in found if due.period.covers(entry.key.period))
            bound_minor = to_minor_exact(bound.exact, digits, mode)
            missing_minor = bound_minor - counted_minor
            if due.charge.kind is ChargeKind.CAP:
                name, moved_minor = "cap_minor", min(0, missing_minor) if due.slices else 0
            else:
                name, moved_minor = "committed_minor", max(0, missing_minor)
            trace = {**bound.trace, name: bound_minor, "counted_minor": counted_minor}
            moved = bound._replace(exact=Fraction(moved_minor, 10**digits), trace=trace)
            found.append(_owed(item, moved, mode, digits))
    return found


def _rate_one_off(due: Due, memory: PriceMemory) -> Rating:
    if not due.slices:
        return Rating(due, "", Decimal(0), {"model": "one_off", "steps": []})
    amount, steps = memory.amount(due.charge, due.slices[0].quantity, due.slices[0].price)
    return Rating(due, "", amount, {"model": "one_off", "steps": steps})


def _rate_usage(due: Due, usage: Usage, memory: PriceMemory) -> list[Rating]:
    """Return the ratings of a usage due: one, or one for each named dimension and one for all the rest.

    The rest, under the empty dimension, is usage without the property and what a minimum or maximum changes.
    What was not served at all costs nothing, not even a minimum; what still runs has not missed its minimum yet.
    """
    price, head = due.charge.price, {"model": "usage"}
    if due.metered_through is not None:
        price = replace(price, min_amount=None)
        head |= {"through": format_instant(due.metered_through)}
    if served_span(due) is None:
        return [Rating(due, "", Decimal(0), {**head, "units": "0", "steps": []})]
    matrix = price.model
    if not isinstance(matrix, Matrix):
        rated = memory.rate(price, usage)  # not remembered: hardly two subscriptions use the same number of units
        trace = {**head, "units": plain(usage.units), "steps": steps_to_json(rated.steps)}
        return [Rating(due, "", rated.amount, trace)]
    ratings = []
    named = [(text, key, units) for text, key, units in parts_of(matrix, usage) if any(key)]
    for text, key, units in named:
        rated = memory.rate(Price(matrix.model_for(key), unit_conversion=price.unit_conversion), Usage(units=units))
        trace = {**head, "units": plain(units), "steps": steps_to_json(rated.steps)}
        ratings.append(Rating(due, text, rated.amount, trace))
    whole = memory.rate(price, usage)
    rest = Fraction(whole.amount) - sum(Fraction(rating.exact) for rating in ratings)
    if rest:
        names = {text for text, _, _ in named}
        of_the_rest = steps_to_json(step for step in whole.steps if step.name not in names)
        ratings.append(Rating(due, "", rest, {**head, "steps": of_the_rest}))
    return ratings


def _owed(item: Item, rating: Rating, mode: RoundingMode, digits: int) -> Owed:
    due = rating.due
    return Owed(
        key=Key(item.id, due.charge.id, rating.dimension, due.period),
        amount_minor=to_minor_exact(rating.exact, digits, mode),
        due_at=due.due_at,
        is_deferred=due.charge.timing is Timing.ADVANCE and due.charge.kind in PAID_BY_TIME,
        description=f"{due.charge.name} ({rating.dimension})" if rating.dimension else due.charge.name,
        trace=rating.trace,
        tax_category=due.charge.tax_category,
    )
