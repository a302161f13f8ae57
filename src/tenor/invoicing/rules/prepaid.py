"""Prepaid: how much of each line of a document a wallet may pay, and how much of a line goes back to wallets."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tenor.kernel.ids import WalletUseId


def payable_minor(gross_minor: Sequence[int]) -> list[int]:
    """Return what can be paid of each line of a document, given the lines with their tax, in minor units.

    Lines that give something back lower the others, the first ones first, so that no more is paid than the total.
    """
    given_back_minor = -sum(min(0, line_minor) for line_minor in gross_minor)
    payable = []
    for line_minor in gross_minor:
        lowered_minor = min(max(0, line_minor), given_back_minor)
        payable.append(max(0, line_minor) - lowered_minor)
        given_back_minor -= lowered_minor
    return payable


class PaidPart(NamedTuple):
    """What one use of a wallet still pays, in minor units, of what line `line_no` of a credit note gives back."""

    line_no: int
    use_id: WalletUseId
    paid_minor: int


def restored_parts(
    credited_minor: Mapping[int, int], parts: Sequence[PaidPart], *, elsewhere_minor: int
) -> list[PaidPart]:
    """Return what a credit note gives back to wallets of `parts`, the last of them first, given its lines with tax.

    `credited_minor` is what each line of the note gives back, negative where it takes something back again. A line
    goes back to the wallets that paid it. Where the note gives back more than these and what was paid or is to be paid
    otherwise (`elsewhere_minor`), payments of other lines are given back too. It is never more than the whole note.
    """
    budget_minor = max(0, sum(credited_minor.values()))
    of_line = {number: max(0, line_minor) for number, line_minor in credited_minor.items()}
    taken: dict[PaidPart, int] = {}
    for part in reversed(parts):
        taken[part] = min(part.paid_minor, of_line.get(part.line_no, 0), budget_minor)
        of_line[part.line_no] = of_line.get(part.line_no, 0) - taken[part]
        budget_minor -= taken[part]
    uncovered_minor = max(0, budget_minor - elsewhere_minor)
    for part in reversed(parts):
        more_minor = min(part.paid_minor - taken[part], uncovered_minor)
        taken[part] += more_minor
        uncovered_minor -= more_minor
    return [part._replace(paid_minor=taken[part]) for part in parts if taken[part]]
