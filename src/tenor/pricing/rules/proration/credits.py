"""Credits: how much may be given back, and on which invoiced lines it lands."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Literal, NamedTuple

from tenor.kernel.money import EXACT

_ZERO = Decimal(0)


class InvoicedLine(NamedTuple):
    """A charge that was invoiced: the item it is for, its amount, and where its service period ends."""

    id: str
    item: str
    amount: Decimal
    period_end: datetime


class ItemCredit(NamedTuple):
    """A positive amount to be given back for an item."""

    item: str
    amount: Decimal


class AllocatedCredit(NamedTuple):
    """A positive amount given back on one invoiced line, whose amount was `line_amount`."""

    line: str
    amount: Decimal
    line_amount: Decimal


def capped(credit: Decimal, rest: Decimal | None) -> Decimal:
    """Return `credit`, at most what the `rest` allows and never below zero; a rest of None allows all."""
    return max(credit if rest is None else min(credit, rest), _ZERO)


def allocate_credits(
    credits_due: Iterable[ItemCredit],
    lines: Sequence[InvoicedLine],
    *,
    credited_before: Mapping[str, Decimal],
    link: Literal["same_item", "newest_charge_first"],
) -> list[AllocatedCredit]:
    """Return where each credit lands, in the order of the credits; never more on a line than is left of it.

    `credited_before`: what earlier credits took off a line. `same_item`: a credit lands on the one
    line of its item that has something left and ends last; what exceeds it is not given. `newest_charge_first`:
    it uses up the charges of any item, the one that ends last first, with one credit line for each.
    """
    with localcontext(EXACT):
        left = {line.id: line.amount - credited_before.get(line.id, _ZERO) for line in lines}
        newest_first = sorted(lines, key=lambda line: line.period_end)[::-1]
        found: list[AllocatedCredit] = []
        for credit in credits_due:
            open_lines = [line for line in newest_first if left[line.id] > 0]
            if link == "same_item":
                open_lines = [line for line in open_lines if line.item == credit.item][:1]
            rest = credit.amount
            for line in open_lines:
                amount = min(rest, left[line.id])
                if amount > 0:
                    found.append(AllocatedCredit(line.id, amount, line.amount))
                    left[line.id] -= amount
                    rest -= amount
        return found
