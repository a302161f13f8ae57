"""Changes inside a period: what the old prices give back and the new ones cost, and in which direction it goes."""

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal, localcontext
from enum import StrEnum
from typing import Literal, NamedTuple

from tenor.kernel.calendar import Grid, Interval, days_between, period_at
from tenor.kernel.money import EXACT
from tenor.kernel.period import Period
from tenor.pricing.policy import ProrationPolicy, RoundingPolicy
from tenor.pricing.rules.proration.credits import capped
from tenor.pricing.rules.proration.shares import Share, exact_part, round_part

_ZERO = Decimal(0)


class ChangedKind(StrEnum):
    """What kind of charge a change touches: time is given back and charged only for what is paid by time."""

    BY_TIME = "by_time"
    USAGE = "usage"
    ONE_OFF = "one_off"


class PriceChange(NamedTuple):
    """The full price of one item for the whole period, before and after; None where the item is added or removed."""

    old: Decimal | None
    new: Decimal | None


class ChangeLines(NamedTuple):
    """The lines of a change in order, credits negative; `net` is their sum."""

    amounts: tuple[Decimal, ...]
    credit: Decimal
    charge: Decimal
    net: Decimal


class ItemLine(NamedTuple):
    """An amount and the item it belongs to; None for an item that was added or removed as a whole."""

    item: str | None
    amount: Decimal


class Direction(StrEnum):
    """Where a change goes, by the prices before and after."""

    UPGRADE = "upgrade"
    DOWNGRADE = "downgrade"
    LATERAL = "lateral"


class AnchorMove(NamedTuple):
    """What a moved anchor means: the days of the running period that are given back, and the period charged anew."""

    credited_days: int
    charged: Period


def change_lines(
    changes: Iterable[PriceChange],
    *,
    share: Share | None,
    kind: ChangedKind,
    policy: ProrationPolicy,
    rounding: RoundingPolicy,
    currency_digits: int,
    credit_cap: Decimal | None,
) -> ChangeLines:
    """Return the lines of a change after which `share` of the period is left.

    Each old price gives a credit of its share and each new one a charge of its share, each rounded by
    itself, in the order of the changes. All credits together stay within `credit_cap` (None: no cap).
    A one-off gives nothing back and is charged whole; usage makes no lines; nor does time where there is
    no share. Lines of zero are not written. With `change_billing` `difference` an item has one line.
    """
    amounts: list[Decimal] = []
    rest = credit_cap

    def part(price: Decimal, of: Share | None) -> Decimal:
        exact = exact_part(price, of, day_rate=rounding.day_rate_rounding, currency_digits=currency_digits)
        return round_part(exact, rounding.rounding, currency_digits=currency_digits)

    with localcontext(EXACT):
        for change in changes:
            credit, charge = _ZERO, _ZERO
            if kind is ChangedKind.ONE_OFF:
                charge = part(change.new or _ZERO, None)
            elif kind is ChangedKind.BY_TIME and share is not None:
                credit = capped(part(change.old or _ZERO, share), rest)
                charge = part(change.new or _ZERO, share)
                rest = None if rest is None else rest - credit
            parts = (charge - credit,) if policy.change_billing == "difference" else (-credit, charge)
            amounts += [amount for amount in parts if amount]
        return ChangeLines(
            tuple(amounts),
            credit=sum((amount for amount in amounts if amount < 0), _ZERO),
            charge=sum((amount for amount in amounts if amount > 0), _ZERO),
            net=sum(amounts, _ZERO),
        )


def direction(changes: Iterable[PriceChange], upgrade_test: Literal["period_total", "yearly_amount"]) -> Direction:
    """Return where the sum of all new prices lies to that of all old ones, both for the same length of time.

    By `yearly_amount` an equal price is an upgrade, by `period_total` it is neither.
    """
    with localcontext(EXACT):
        more = sum(((change.new or _ZERO) - (change.old or _ZERO) for change in changes), _ZERO)
    if more:
        return Direction.UPGRADE if more > 0 else Direction.DOWNGRADE
    return Direction.UPGRADE if upgrade_test == "yearly_amount" else Direction.LATERAL


def netted(lines: Sequence[ItemLine], policy: ProrationPolicy) -> list[ItemLine]:
    """Return `lines` with those of one item made one, where the first stood; a line that comes to zero vanishes.

    Lines without an item are kept as they are, and so are all lines where the policy does not net.
    """
    if policy.netting == "none":
        return list(lines)
    found: list[ItemLine] = []
    place: dict[str, int] = {}
    for line in lines:
        if line.item is None or line.item not in place:
            if line.item is not None:
                place[line.item] = len(found)
            found.append(line)
            continue
        before = found[place[line.item]]
        found[place[line.item]] = before._replace(amount=EXACT.add(before.amount, line.amount))
    return [line for line in found if line.amount or line.item is None]


def anchor_move(period: Period, *, to: datetime, interval: Interval, zone: tzinfo) -> AnchorMove:
    """Return what becomes of the running `period` when its anchor moves to `to`: a new period opens there at once."""
    left = Period(max(period.start, min(to, period.end)), period.end)
    return AnchorMove(days_between(left, zone), period_at(Grid(interval, to, zone), to))
