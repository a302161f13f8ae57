"""The tax of lines: carved out of prices that include it, added to prices that do not, rounded once."""

from collections import defaultdict
from collections.abc import Sequence
from math import lcm
from typing import NamedTuple

from tenor.kernel.money import RoundingMode, divide_rounded
from tenor.taxes.model import PERCENT_DIGITS, AppliedRate, LineTax, TaxableLine, TaxRounding, TaxTreatment

_SCALE = 10**PERCENT_DIGITS
_WHOLE = 100 * _SCALE


class _Shares(NamedTuple):
    """What part of an amount each tax of a treatment is: `numerators[i] / denominator`, whole numbers.

    With inclusive rates of p % together, the net is amount × 100 / (100 + p), and every tax is its
    percentage of that net, whether it lies in the price or on top of it.
    """

    numerators: tuple[int, ...]
    denominator: int
    inclusive: tuple[int, ...]
    exclusive: tuple[int, ...]
    is_charged: bool


def tax_lines(lines: Sequence[TaxableLine], *, prices_include_tax: bool, rounding: TaxRounding) -> list[LineTax]:
    """Return the tax of each line of one document, in their order.

    Units: minor units of one currency. Credits are negative amounts and mirror charges.
    Rounding by line: the inclusive taxes of a line together, then shared out among them by largest remainder;
    each exclusive tax by itself. By invoice: the sum of all taxes of the document once, then shared out by
    largest remainder, first to the taxes, then to the lines of each. Nothing is rounded before.
    A line that is not charged (exempt, reverse charge) has taxes of 0, and a net without what its price includes.

    Source: docs/algorithms/tax.md.
    """
    shares: dict[int, _Shares] = {}
    for _, treatment in lines:
        if id(treatment) not in shares:
            shares[id(treatment)] = _shares(treatment, prices_include_tax=prices_include_tax)
    paired = [(amount_minor, shares[id(treatment)]) for amount_minor, treatment in lines]
    if rounding.place == "line":
        taxes = [_taxes_of_line(amount_minor, share, rounding) for amount_minor, share in paired]
    else:
        taxes = _taxes_of_document(lines, paired, rounding)
    return [
        _line_tax(amount_minor, share, of_line) for (amount_minor, share), of_line in zip(paired, taxes, strict=True)
    ]


def spread(total: int, numerators: Sequence[int], denominator: int) -> list[int]:
    """Round the fractions `numerators[i] / denominator` to whole numbers whose sum is `total`, by largest remainder.

    `total` is their exact sum rounded by any rule. Parts may have either sign. What is left after each is cut down goes
    one each to the largest remainders, ties to the earlier part; the parts of -total mirror those of total.
    """
    sign = -1 if total < 0 else 1
    cut = [divmod(sign * numerator, denominator) for numerator in numerators]
    parts = [whole for whole, _ in cut]
    left = sign * total - sum(parts)
    for position in sorted(range(len(cut)), key=lambda at: cut[at][1], reverse=True)[:left]:
        parts[position] += 1
    return [sign * part for part in parts]


def _shares(treatment: TaxTreatment, *, prices_include_tax: bool) -> _Shares:
    percents = tuple(int(rate.percent * _SCALE) for rate in treatment.rates)
    lies_within = [prices_include_tax if rate.is_inclusive is None else rate.is_inclusive for rate in treatment.rates]
    inclusive = tuple(position for position, within in enumerate(lies_within) if within)
    exclusive = tuple(position for position, within in enumerate(lies_within) if not within)
    denominator = _WHOLE + sum(percents[position] for position in inclusive)
    return _Shares(percents, denominator, inclusive, exclusive, treatment.is_charged)


def _taxes_of_line(amount_minor: int, share: _Shares, rounding: TaxRounding) -> tuple[int, ...]:
    mode, _, step_minor = rounding
    numerators, denominator, inclusive, exclusive, _ = share
    if not numerators:
        return ()
    denominator *= step_minor
    if len(numerators) == 1:
        return (divide_rounded(amount_minor * numerators[0], denominator, mode) * step_minor,)
    taxes = [0] * len(numerators)
    for position in exclusive:
        taxes[position] = divide_rounded(amount_minor * numerators[position], denominator, mode) * step_minor
    if inclusive:
        exact = [amount_minor * numerators[position] for position in inclusive]
        together = divide_rounded(sum(exact), denominator, mode)
        for position, steps in zip(inclusive, spread(together, exact, denominator), strict=True):
            taxes[position] = steps * step_minor
    return tuple(taxes)


def _taxes_of_document(
    lines: Sequence[TaxableLine], paired: Sequence[tuple[int, _Shares]], rounding: TaxRounding
) -> list[tuple[int, ...]]:
    """Return the taxes of each line of a document whose tax is rounded once.

    What is charged and what is only taken out of a price are two sums, because only the first is owed.
    """
    taxes = [[0] * len(share.numerators) for _, share in paired]
    for is_charged in (True, False):
        charged = [number for number, (_, share) in enumerate(paired) if share.is_charged is is_charged]
        common = lcm(*(paired[number][1].denominator for number in charged))
        exact: dict[AppliedRate, list[tuple[int, int, int]]] = defaultdict(list)
        for number in charged:
            amount_minor, share = paired[number]
            factor = amount_minor * (common // share.denominator)
            for position in range(len(share.numerators)) if is_charged else share.inclusive:
                rate = lines[number].treatment.rates[position]
                exact[rate].append((number, position, factor * share.numerators[position]))
        for (number, position), steps in _shared_out(list(exact.values()), common * rounding.step_minor, rounding.mode):
            taxes[number][position] = steps * rounding.step_minor
    return [tuple(of_line) for of_line in taxes]


def _shared_out(
    groups: Sequence[Sequence[tuple[int, int, int]]], denominator: int, mode: RoundingMode
) -> list[tuple[tuple[int, int], int]]:
    """Return the whole steps of each (line, rate), given as (line, rate, numerator) in one group for each tax."""
    sums = [sum(numerator for _, _, numerator in group) for group in groups]
    of_groups = spread(divide_rounded(sum(sums), denominator, mode), sums, denominator)
    return [
        ((number, position), steps)
        for group, of_group in zip(groups, of_groups, strict=True)
        for (number, position, _), steps in zip(
            group, spread(of_group, [numerator for _, _, numerator in group], denominator), strict=True
        )
    ]


def _line_tax(amount_minor: int, share: _Shares, taxes_minor: tuple[int, ...]) -> LineTax:
    included_minor = sum([taxes_minor[position] for position in share.inclusive])
    net_minor = amount_minor - included_minor
    return LineTax(net_minor, taxes_minor if share.is_charged else (0,) * len(taxes_minor))
