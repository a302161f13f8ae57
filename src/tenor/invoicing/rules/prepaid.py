"""Prepaid: how much of each line of a document a wallet may pay, and how much of a line goes back to wallets."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tenor.kernel.ids import WalletUseId


class LineToLower(NamedTuple):
    """A line with its tax, in minor units; negative where it gives something back. `is_metered`: it bills usage."""

    gross_minor: int
    is_metered: bool


def payable_minor(lines: Sequence[LineToLower]) -> list[int]:
    """Return what can be paid of each line of a document, in minor units.

    Lines that give something back lower the others so that no more is paid than the total: first those of their own
    kind (usage or not), of which the first lines first. So a credit for a plan that was left keeps no wallet from
    paying for usage, as long as there are fees that it can lower.
    """
    payable = [max(0, line.gross_minor) for line in lines]
    given_back = {
        kind: -sum(min(0, one.gross_minor) for one in lines if one.is_metered is kind) for kind in (True, False)
    }
    for is_own_kind in (True, False):
        for place, line in enumerate(lines):
            source = line.is_metered is is_own_kind
            lowered_minor = min(payable[place], given_back[source])
            payable[place] -= lowered_minor
            given_back[source] -= lowered_minor
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
