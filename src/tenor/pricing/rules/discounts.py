"""Discounts: what coupons take off the lines of one billing window, and what a credit gives back of it.

Everything is exact (fractions of major units). What must be rounded is rounded here once, half away from zero, and
nowhere else; a percentage stays exact as long as the line that it is taken off is rounded later.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

from tenor.kernel.ids import DiscountId
from tenor.kernel.money import RoundingMode, divide_rounded
from tenor.kernel.quantity import plain
from tenor.pricing.discounts.model import Discount
from tenor.pricing.policy import DiscountPolicy

Amount = Decimal | Fraction
"""Exact major units."""

NOTHING_TAKEN: Final[Mapping[DiscountId, Fraction]] = MappingProxyType({})
"""Fixed amounts of which nothing has been taken yet."""

_ZERO: Final = Fraction(0)


class Discountable(NamedTuple):
    """A line that discounts may take something off.

    `amount` is what is due for the line. `whole` is what the line would cost for its whole period, where only a part
    of that is due: a fixed amount off is then due in the same part, so that a credit for the rest gives back what was
    paid for it. None says that the amount is whole.
    """

    key: object
    amount: Amount
    plan: str = ""
    product: str = ""
    charge: str = ""
    metric: str | None = None
    whole: Amount | None = None


class DiscountShare(NamedTuple):
    """What one discount takes off one line, or off all of them."""

    discount: Discount
    amount: Fraction


class LineDiscount(NamedTuple):
    """What all discounts together take off a line: 0 ≤ `amount` ≤ the line's, and the sum of `shares`."""

    key: object
    amount: Fraction
    shares: tuple[DiscountShare, ...]


def active_in(discount: Discount, nth_window: int) -> bool:
    """Return whether a discount holds in a billing window, counted from 0 for the one in which it was applied."""
    match discount.duration:
        case "once":
            return nth_window == 0
        case "repeating":
            return discount.periods is not None and 0 <= nth_window < discount.periods
        case "forever":
            return nth_window >= 0


def covers(discount: Discount, line: Discountable) -> bool:
    """Return whether a line is inside the discount's scope: every scope that names anything names the line's own."""
    return (
        (not discount.plans or line.plan in discount.plans)
        and (not discount.products or line.product in discount.products)
        and (not discount.charges or line.charge in discount.charges)
        and (not discount.metrics or line.metric in discount.metrics)
    )


def in_order(
    discounts: Sequence[Discount], order: Literal["given", "percent_first", "limited_first"]
) -> list[Discount]:
    """Return the discounts in the order in which they are taken; equals keep the order that they came in."""
    match order:
        case "given":
            return list(discounts)
        case "percent_first":
            return sorted(discounts, key=lambda discount: discount.percent_off is None)
        case "limited_first":
            return sorted(discounts, key=_width)


def _width(discount: Discount) -> int:
    """Return 0 for a discount limited to metrics or charges, 1 to plans or products, 2 for one without limits."""
    if discount.metrics or discount.charges:
        return 0
    return 1 if discount.plans or discount.products else 2


def spread(
    lines: Sequence[Discountable],
    discounts: Sequence[Discount],
    policy: DiscountPolicy,
    digits: int,
    *,
    remainder: Literal["largest_remainder", "last"] = "largest_remainder",
    rounds_percentages: bool = False,
    amounts_left: Mapping[DiscountId, Fraction] = NOTHING_TAKEN,
) -> list[LineDiscount]:
    """Return what the discounts take off each line, in the order of `lines`.

    One discount after the other, in the policy's order, takes its percentage (of what is left of a line, or of the
    line's full amount: `coupon_stacking`) or its fixed amount, never more than is left; lines that are not above
    zero take no part. `digits` are the minor digits of the lines' currency, to which amounts are rounded.
    `amounts_left` says what is left of fixed amounts of which other lines have taken a part.

    - `proportional`: a fixed amount is split by what is left of the lines, in whole minor units that add up to it
      exactly (`remainder` says who gets what is left over; equal remainders: the earlier line); only what no line
      has room for as whole units is split finer. A percentage is taken off every line exactly; or, with
      `rounds_percentages`, rounded once for all lines and then split like a fixed amount. With
      `coupon_share_digits` each share is rounded to these digits by itself, and no longer adds up exactly.
    - `each_line`: a percentage is rounded on each line by itself; a fixed amount fills the lines in their order.
    - `waterfall`: both fill the lines in their order.

    Source: docs/algorithms/discounts.md.
    """
    wholes = [Fraction(line.amount if line.whole is None else line.whole) for line in lines]
    room = [max(_ZERO, whole) for whole in wholes]
    shares: list[list[DiscountShare]] = [[] for _ in lines]
    for discount in in_order(discounts, policy.coupon_order):
        places = [place for place, line in enumerate(lines) if room[place] > 0 and covers(discount, line)]
        if not places:
            continue
        basis = room if policy.coupon_stacking == "compound" else wholes
        taken = _taken(
            discount,
            amounts_left.get(discount.id, Fraction(discount.amount_off or 0)),
            [basis[place] for place in places],
            [room[place] for place in places],
            _Splitting(policy, digits, remainder, rounds_percentages),
        )
        for place, amount in zip(places, taken, strict=True):
            room[place] -= amount
            due = amount * Fraction(lines[place].amount) / wholes[place]
            shares[place].append(DiscountShare(discount, due))
    return [
        LineDiscount(line.key, sum((share.amount for share in found), _ZERO), tuple(found))
        for line, found in zip(lines, shares, strict=True)
    ]


def totals(spread_lines: Sequence[LineDiscount]) -> list[DiscountShare]:
    """Return what each discount took off all lines together, in the order in which they were taken."""
    sums: dict[Discount, Fraction] = {}
    for line in spread_lines:
        for share in line.shares:
            sums[share.discount] = sums.get(share.discount, _ZERO) + share.amount
    return [DiscountShare(discount, amount) for discount, amount in sums.items()]


def shares_to_json(shares: Sequence[DiscountShare]) -> list[dict[str, Any]]:
    """Return the trace of a line's discounts: which, its terms, and the exact amount that it took off."""
    return [
        {
            "discount": str(share.discount.id),
            "code": share.discount.code,
            "terms": _terms(share.discount),
            "amount": str(share.amount),
        }
        for share in shares
    ]


def discount_back(
    *,
    line_discount: Amount,
    coupon_discount: Amount,
    credited: Amount,
    basis: Literal["allocated_share", "whole_coupon"],
    given_back: Amount = Decimal(0),
) -> Fraction:
    """Return the discount that a credit takes along: as much of it as of the line is credited.

    `credited` is the credited share of the line, from 0 to 1; `line_discount` what the line's own share of the
    coupon was, `coupon_discount` the coupon on all lines; `given_back` what earlier credits took along. Exact, in
    major units, never below zero and never more than what is left.
    """
    carried = Fraction(line_discount if basis == "allocated_share" else coupon_discount)
    return max(_ZERO, min(carried * Fraction(credited), carried - Fraction(given_back)))


class _Splitting(NamedTuple):
    """How one discount is divided over lines."""

    policy: DiscountPolicy
    digits: int
    remainder: Literal["largest_remainder", "last"]
    rounds_percentages: bool


def _taken(
    discount: Discount, amount: Fraction, basis: Sequence[Fraction], room: Sequence[Fraction], how: _Splitting
) -> list[Fraction]:
    """Return what a discount takes off each line that it covers; `room` is what is left of each, above zero.

    `amount` is what a discount that is no percentage takes at most.
    """
    if discount.percent_off is None:
        return _divided(min(amount, sum(room, _ZERO)), room, room, how)
    rate = Fraction(discount.percent_off) / 100
    parts = [min(full * rate, left) for full, left in zip(basis, room, strict=True)]
    if how.policy.coupon_spread == "each_line":
        return [min(_rounded(part, how.digits), left) for part, left in zip(parts, room, strict=True)]
    due = sum(parts, _ZERO)
    if how.rounds_percentages:
        due = min(_rounded(due, how.digits), sum(room, _ZERO))
    elif how.policy.coupon_spread == "proportional" and how.policy.coupon_share_digits is None:
        return parts
    return _divided(due, parts, room, how)


def _divided(due: Fraction, weights: Sequence[Fraction], room: Sequence[Fraction], how: _Splitting) -> list[Fraction]:
    """Return `due` over all lines as the policy spreads it, none above its room."""
    if how.policy.coupon_spread != "proportional":
        return _filled(due, room)
    whole = sum(weights, _ZERO)
    ideal = [min(due * weight / whole, left) for weight, left in zip(weights, room, strict=True)]
    finer = how.policy.coupon_share_digits
    if finer is None:
        return _in_whole_units(due, ideal, room, how)
    return [min(_rounded(share, finer), left) for share, left in zip(ideal, room, strict=True)]


def _filled(due: Fraction, room: Sequence[Fraction]) -> list[Fraction]:
    """Return `due` laid on the lines in their order, each taking all that it can."""
    parts = []
    for left in room:
        parts.append(min(due, left))
        due -= parts[-1]
    return parts


def _in_whole_units(
    due: Fraction, ideal: Sequence[Fraction], room: Sequence[Fraction], how: _Splitting
) -> list[Fraction]:
    """Return `due` split by the ideal shares, rounded to whole minor units that add up to it and fit the room."""
    unit = Fraction(1, 10**how.digits)
    parts = [_rounded(share, how.digits, RoundingMode.FLOOR) for share in ideal]
    order = list(range(len(ideal)))
    if how.remainder == "last":
        order.reverse()
    else:
        order.sort(key=lambda place: parts[place] - ideal[place])
    rest = due - sum(parts, _ZERO)
    for place in order:
        most = rest if how.remainder == "last" else min(rest, unit)
        given = _rounded(min(most, room[place] - parts[place]), how.digits, RoundingMode.FLOOR)
        parts[place] += given
        rest -= given
    if rest:  # lines below one minor unit have no room for a whole one
        free = [left - part for left, part in zip(room, parts, strict=True)]
        parts = [part + rest * own / sum(free) for part, own in zip(parts, free, strict=True)]
    return parts


def _rounded(amount: Fraction, digits: int, mode: RoundingMode = RoundingMode.HALF_UP) -> Fraction:
    scaled = amount * 10**digits
    return Fraction(divide_rounded(scaled.numerator, scaled.denominator, mode), 10**digits)


def _terms(discount: Discount) -> str:
    if discount.percent_off is not None:
        return f"{plain(discount.percent_off)} %"
    return f"{plain(discount.amount_off or Decimal(0))} {discount.currency}"
