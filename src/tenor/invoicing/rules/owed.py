"""Owed: what a timeline costs, key by key. Rate, discount and commit are its three steps, in this order."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any, Final, NamedTuple

from tenor.invoicing.model import Key, Owed
from tenor.invoicing.rules.dues import Due, Look, billing_zone, dues
from tenor.kernel.ids import ChargeId, ItemId, PlanVersionId
from tenor.kernel.money import EXACT, MINOR_LIMIT, AmountTooLarge, RoundingMode, divide_rounded, exponent
from tenor.kernel.period import Period, format_instant
from tenor.kernel.quantity import plain
from tenor.pricing.charges import Flat, Matrix, Price, Standard
from tenor.pricing.model import Charge, ChargeKind, PlanVersion, Timing
from tenor.pricing.policy import Policy, ProrationPolicy
from tenor.pricing.rules.proration import Share, exact_part, share_of
from tenor.pricing.rules.rating import UNROUNDED, Rated, Usage, rate, steps_to_json
from tenor.subscriptions.model import Item, Timeline

UsageKey = tuple[ItemId, ChargeId, Period]
"""Whose usage, of which charge, over which service period."""

UsageTotals = Mapping[UsageKey, Usage]
"""The metered usage of each usage charge and service period that is looked at; absent means none."""

Prices = Mapping[PlanVersionId, PlanVersion]
"""The plan versions that a timeline pins."""

REMEMBERED_MAX: Final = 5_000
"""Prices that a `PriceMemory` holds at most."""

_NO_USAGE: Final = Usage()


class Rating(NamedTuple):
    """What one due costs before it is rounded: the exact amount in major units, and how it came about."""

    due: Due
    dimension: str
    exact: Decimal | Fraction
    trace: dict[str, Any]


class PriceMemory:
    """Prices that have been worked out before: many subscriptions of a run have the same terms.

    Purely a saving: what it returns is what `rate` returns for the same charge, units and price. It forgets
    everything when it has grown large, so that the memory of a run does not grow with its subscriptions.
    """

    def __init__(self, policy: Policy, *, currency: str) -> None:
        self.policy = policy
        self.digits = exponent(currency)
        self._rated: dict[tuple[ChargeId, Decimal, Decimal | None], tuple[Decimal, list[dict[str, str]]]] = {}

    def amount(self, charge: Charge, units: Decimal, price: Decimal | None) -> tuple[Decimal, list[dict[str, str]]]:
        """Return the exact amount of `units` of `charge` and its steps; `price` overrules the plan's own."""
        key = (charge.id, units, price)
        known = self._rated.get(key)
        if known is None:
            if len(self._rated) >= REMEMBERED_MAX:
                self._rated.clear()
            rated = self.rate(charge.price if price is None else _overruled(charge, price), Usage(units=units))
            known = self._rated[key] = (rated.amount, steps_to_json(rated.steps))
        return known

    def rate(self, price: Price, usage: Usage) -> Rated:
        """Return the exact price of `usage`."""
        return rate(price, usage, self.policy.rating, UNROUNDED)


def owed(
    timeline: Timeline, prices: Prices, usage: UsageTotals, policy: Policy, *, through: datetime, zone: tzinfo
) -> list[Owed]:
    """Return everything that the timeline owes through an instant, as if nothing had been settled.

    Pure and total: the same arguments give the same amounts, whatever was billed before. Amounts are
    minor units of the plan version's currency, rounded once per key by `policy.rounding`.
    """
    found: list[Owed] = []
    for item in timeline.items:
        plan = prices[item.plan_version_id]
        memory = PriceMemory(policy, currency=plan.currency)
        look = Look(through=through, settled_through=None, revisit_from=None)
        looked_at = dues(item, plan, look, zone, policy.calendar)
        found.extend(owed_of_item(item, looked_at, usage, memory, zone))
    return found


def owed_of_item(
    item: Item, looked_at: Sequence[Due], usage: UsageTotals, memory: PriceMemory, zone: tzinfo
) -> list[Owed]:
    """Return what is owed for the given dues of one item: the three steps of owed, one after the other."""
    ratings = rate_dues(item, looked_at, usage, memory, zone)
    discounted = discount_ratings(ratings, item.discount_percent)
    return commit_ratings(item, discounted, looked_at, memory, zone)


def rate_dues(
    item: Item, looked_at: Sequence[Due], usage: UsageTotals, memory: PriceMemory, zone: tzinfo
) -> list[Rating]:
    """Return the exact price of each due, commitments left out.

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
                    ratings.append(_rate_recurring(due, memory, zone))
                case ChargeKind.ONE_OFF:
                    ratings.append(_rate_one_off(due, memory))
                case ChargeKind.USAGE:
                    units = usage.get((item.id, due.charge.id, due.period), _NO_USAGE)
                    ratings.extend(_rate_usage(due, units, memory))
                case ChargeKind.COMMITMENT:
                    continue
    return ratings


def discount_ratings(ratings: Sequence[Rating], discount_percent: Decimal) -> list[Rating]:
    """Take the item's discount off every rating, before anything is rounded."""
    if not discount_percent:
        return list(ratings)
    kept = 1 - Fraction(discount_percent) / 100
    return [
        rating._replace(
            exact=Fraction(rating.exact) * kept,
            trace={**rating.trace, "discount_percent": plain(discount_percent), "before_discount": _text(rating.exact)},
        )
        for rating in ratings
    ]


def commit_ratings(
    item: Item, ratings: Sequence[Rating], looked_at: Sequence[Due], memory: PriceMemory, zone: tzinfo
) -> list[Owed]:
    """Round each rating once, and true up every commitment to what the other charges of its period leave short.

    Only charges whose whole period lies in the commitment's count: a longer one falls due after it. Of two
    commitments the one that ends first, or is the shorter, counts for the other. A commitment is prorated
    like a fee; the true-up is never negative.
    """
    mode = memory.policy.rounding.rounding.mode
    digits = memory.digits
    zone = billing_zone(item, zone, memory.policy.calendar)
    found = [_owed(item, rating, mode, digits) for rating in ratings]
    commitments = [due for due in looked_at if due.charge.kind is ChargeKind.COMMITMENT]
    with localcontext(EXACT):
        for due in sorted(commitments, key=lambda due: (due.period.end, due.period.microseconds)):
            committed = _rate_recurring(due, memory, zone)
            counted_minor = sum(entry.amount_minor for entry in found if due.period.covers(entry.key.period))
            committed_minor = to_minor_exact(committed.exact, digits, mode)
            trace = {**committed.trace, "committed_minor": committed_minor, "counted_minor": counted_minor}
            short = committed._replace(exact=Fraction(max(0, committed_minor - counted_minor), 10**digits), trace=trace)
            found.append(_owed(item, short, mode, digits))
    return found


def to_minor_exact(amount: Decimal | Fraction, digits: int, mode: RoundingMode) -> int:
    """Return an exact amount in major units as minor units, rounded once by `mode`.

    Raises:
        AmountTooLarge: the ledger cannot hold it.
    """
    numerator, denominator = amount.as_integer_ratio()
    minor = divide_rounded(numerator * 10**digits, denominator, mode)
    if abs(minor) >= MINOR_LIMIT:
        raise AmountTooLarge(f"{minor} minor units cannot be kept in the ledger")
    return minor


def _rate_recurring(due: Due, memory: PriceMemory, zone: tzinfo) -> Rating:
    if not due.slices:
        return Rating(due, "", Decimal(0), {"model": "recurring", "steps": []})
    shares = _shares(due, memory.policy.proration, zone)
    if shares is None:
        amount, steps = memory.amount(due.charge, due.slices[0].quantity, due.slices[0].price)
        return Rating(due, "", amount, {"model": "recurring", "steps": steps})
    policy = memory.policy.proration
    unit = policy.proration_unit if policy.ratio_digits is None else None
    total = Fraction(0)
    parts = []
    for part, share in zip(due.slices, shares, strict=True):
        amount, steps = memory.amount(due.charge, part.quantity, part.price)
        exact = exact_part(
            amount, share, day_rate=memory.policy.rounding.day_rate_rounding, currency_digits=memory.digits
        )
        total += exact
        parts.append(
            {
                "from": format_instant(part.span.start),
                "to": format_instant(part.span.end),
                "price": plain(amount),
                "share": f"{share.used}/{share.whole}",
                "unit": unit,
                "amount": _text(exact),
                "steps": steps,
            }
        )
    return Rating(due, "", total, {"model": "recurring", "slices": parts, "exact": _text(total)})


def _shares(due: Due, policy: ProrationPolicy, zone: tzinfo) -> list[Share] | None:
    """Return the share of its period that each slice is; None where the first slice's price is due whole.

    That is so where one slice fills the period, and where the charge or the policy prorates nothing.
    """
    if not due.charge.is_prorated or due.slices[0].span == due.period:
        return None
    shares = [share_of(period=due.period, used=part.span, policy=policy, zone=zone) for part in due.slices]
    known = [share for share in shares if share is not None]
    return known if len(known) == len(shares) else None


def _rate_one_off(due: Due, memory: PriceMemory) -> Rating:
    amount, steps = memory.amount(due.charge, due.slices[0].quantity, due.slices[0].price)
    return Rating(due, "", amount, {"model": "one_off", "steps": steps})


def _rate_usage(due: Due, usage: Usage, memory: PriceMemory) -> list[Rating]:
    """Return the ratings of a usage due: one, or one for each named dimension and one for all the rest.

    The rest, under the empty dimension, is usage without the property and what a minimum or maximum changes.
    What was not served at all costs nothing, not even a minimum.
    """
    price = due.charge.price
    if not due.slices:
        return [Rating(due, "", Decimal(0), {"model": "usage", "units": "0", "steps": []})]
    if not isinstance(price.model, Matrix):
        rated = memory.rate(price, usage)  # not remembered: hardly two subscriptions use the same number of units
        trace = {"model": "usage", "units": plain(usage.units), "steps": steps_to_json(rated.steps)}
        return [Rating(due, "", rated.amount, trace)]
    ratings = []
    named = {dimension: units for dimension, units in sorted(usage.by_dimension.items()) if any(dimension)}
    for dimension, units in named.items():
        model = price.model.model_for(dimension)
        rated = memory.rate(Price(model, unit_conversion=price.unit_conversion), Usage(units=units))
        trace = {"model": "usage", "units": plain(units), "steps": steps_to_json(rated.steps)}
        ratings.append(Rating(due, _dimension_text(dimension), rated.amount, trace))
    whole = memory.rate(price, usage)
    rest = Fraction(whole.amount) - sum(Fraction(rating.exact) for rating in ratings)
    if rest:
        names = {", ".join(dimension) for dimension in named}
        of_the_rest = steps_to_json(step for step in whole.steps if step.name not in names)
        ratings.append(Rating(due, "", rest, {"model": "usage", "steps": of_the_rest}))
    return ratings


def _dimension_text(values: tuple[str, ...]) -> str:
    """Return the values of a dimension as one text; of several, slashes inside are doubled: no two texts are equal."""
    return values[0] if len(values) == 1 else " / ".join(value.replace("/", "//") for value in values)


def _overruled(charge: Charge, price: Decimal) -> Price:
    """Return the charge's price with a subscription's own amount in place of the plan's model."""
    return replace(charge.price, model=Standard(price) if charge.kind is ChargeKind.SEAT else Flat(price))


def _owed(item: Item, rating: Rating, mode: RoundingMode, digits: int) -> Owed:
    due = rating.due
    return Owed(
        key=Key(item.id, due.charge.id, rating.dimension, due.period),
        amount_minor=to_minor_exact(rating.exact, digits, mode),
        due_at=due.due_at,
        is_deferred=due.charge.timing is Timing.ADVANCE and due.charge.kind is not ChargeKind.ONE_OFF,
        description=f"{due.charge.name} ({rating.dimension})" if rating.dimension else due.charge.name,
        trace=rating.trace,
    )


def _text(value: Decimal | Fraction) -> str:
    """Return an exact number: as a decimal, or as 'numerator/denominator' where a decimal never ends."""
    if isinstance(value, Decimal):
        return plain(value)
    return str(value.numerator) if value.denominator == 1 else f"{value.numerator}/{value.denominator}"
