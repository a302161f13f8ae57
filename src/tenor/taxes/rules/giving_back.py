"""Giving tax back: a credit reverses the tax that was billed, at the rates of then, and never a cent too much."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from tenor.kernel.money import allocate, divide_rounded
from tenor.taxes.errors import MoreThanBilled
from tenor.taxes.model import AppliedRate, TaxedAmount


@dataclass(frozen=True, slots=True)
class Held:
    """What documents hold for one key: what is left of it, and what it was when it last grew (`original`)."""

    original: TaxedAmount
    left: TaxedAmount


def held(lines: Iterable[TaxedAmount]) -> Held:
    """Return what the lines of one key, in the order of their billing, come to."""
    original = left = TaxedAmount()
    for line in lines:
        before_minor, left = left.amount_minor, left.plus(line)
        shrinks = abs(left.amount_minor) <= abs(before_minor) and left.amount_minor * before_minor >= 0
        if not shrinks:
            original = left
    return Held(original, left)


def tax_due(amount_after_minor: int, billed: Held) -> Mapping[AppliedRate, int]:
    """Return the tax to bill now, by rate, when a credit leaves `amount_after_minor` of what was billed.

    Owed − billed: the tax owed for the rest is the original tax × rest / original amount, rounded half away from zero
    once; what is billed of it already is taken off. So the tax that many credits give back sums to that of one, nothing
    is left when nothing is left of the amount, and no step gives more than there is. Every rate keeps its part
    of the tax under the same promise. An amount is net or gross as the line that billed it.

    Raises:
        MoreThanBilled: the rest is not between nothing and what is left: that is no credit of this line.
    """
    left_minor = billed.left.amount_minor
    if not min(0, left_minor) <= amount_after_minor <= max(0, left_minor):
        raise MoreThanBilled(
            f"a credit cannot leave {amount_after_minor} of {left_minor} minor units", left_minor=left_minor
        )
    taxes = billed.original.taxes_minor
    whole_minor = sum(taxes.values())
    rest_minor = _share(whole_minor, amount_after_minor, billed.original.amount_minor)
    owed = dict(zip(taxes, _parts_of_rest(rest_minor, list(taxes.values())), strict=True))
    return {rate: owed.get(rate, 0) - tax_minor for rate, tax_minor in billed.left.taxes_minor.items()}


class Reversal(NamedTuple):
    """What is given back of one line: its net amount and its tax."""

    amount_minor: int
    tax_minor: int


def reverse_share(rests: Sequence[Reversal], share: Decimal) -> list[Reversal]:
    """Return what a credit of a share of everything gives back, of lines of which `rests` are left.

    Each amount and each tax is rounded half away from zero.

    Raises:
        MoreThanBilled: the share is not between 0 and 1.
    """
    if not 0 <= share <= 1:
        raise MoreThanBilled(f"a credit gives back a share between 0 and 1, not {share}")
    numerator, denominator = share.as_integer_ratio()
    return [Reversal(*(divide_rounded(part_minor * numerator, denominator) for part_minor in rest)) for rest in rests]


def reverse_net(rests: Sequence[Reversal], net_minor: int) -> list[Reversal]:
    """Return what a credit of a net amount gives back: spread over the rests of the lines, each with its tax.

    Raises:
        MoreThanBilled: more than is left.
    """
    amounts = _spread_over([rest.amount_minor for rest in rests], net_minor)
    return [
        Reversal(amount, _share(rest.tax_minor, amount, rest.amount_minor))
        for amount, rest in zip(amounts, rests, strict=True)
    ]


def reverse_gross(rests: Sequence[Reversal], gross_minor: int) -> list[Reversal]:
    """Return what a credit of an amount with tax gives back: spread over what is left of the lines with their tax.

    Source: the flat amount of a partial reversal in Stripe's Tax API.

    Raises:
        MoreThanBilled: more than is left.
    """
    totals = [sum(rest) for rest in rests]
    reversals = []
    for gross, total, rest in zip(_spread_over(totals, gross_minor), totals, rests, strict=True):
        tax_minor = _share(rest.tax_minor, gross, total)
        reversals.append(Reversal(gross - tax_minor, tax_minor))
    return reversals


def _parts_of_rest(rest_minor: int, parts: Sequence[int]) -> list[int]:
    """Split what is left of a sum among its parts, so that no part grows while the rest shrinks.

    Each part takes its share of what the parts before it have left over. (Largest remainders would not do: a part
    may get a cent more of a smaller rest.)
    """
    of_parts = []
    whole_minor = sum(parts)
    for part in parts:
        of_part = _share(part, rest_minor, whole_minor)
        of_parts.append(of_part)
        rest_minor, whole_minor = rest_minor - of_part, whole_minor - part
    return of_parts


def _spread_over(rests: Sequence[int], amount_minor: int) -> list[int]:
    left_minor = sum(rests)
    if not 0 <= amount_minor <= left_minor:
        raise MoreThanBilled(
            f"{amount_minor} minor units cannot be given back of the {left_minor} that are left", left_minor=left_minor
        )
    return allocate(amount_minor, rests) if amount_minor else [0] * len(rests)


def _share(amount_minor: int, numerator: int, denominator: int) -> int:
    """Return amount × numerator / denominator, rounded once; 0 of nothing."""
    if not denominator:
        return 0
    sign = 1 if denominator > 0 else -1
    return divide_rounded(amount_minor * numerator * sign, abs(denominator))
