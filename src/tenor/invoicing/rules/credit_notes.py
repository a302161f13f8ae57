"""Credit notes: what crediting a part of an invoiced line gives back, and where that money goes.

A line is credited with what it took part in: its share of the invoice's discounts and each of its taxes at the rate
at which it was charged. Every part is rounded to the minor unit, and what the roundings leave over has a place: the
last note of the line takes it (`last_note`), or each note takes what the ones before it left (`carry`). Either
way the notes that credit a whole line sum to it exactly, discount and each tax included.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, NamedTuple

from tenor.kernel.errors import Malformed, Refusal
from tenor.kernel.money import divide_rounded

Residue = Literal["last_note", "carry"]
"""Who takes what rounding leaves over; the words are those of the policy key `credit_note_residue`."""


class CreditExceedsLine(Refusal):
    """A credit of more than is left of the line that it gives back."""

    code = "credit_exceeds_line"


class CreditExceedsDocument(Refusal):
    """A credit of more than is left of the document that it gives back."""

    code = "credit_exceeds_document"


@dataclass(frozen=True, slots=True)
class LineParts:
    """A line, or what was credited of it, in minor units; all parts have the sign of the line.

    `amount_minor` is the line before its discount, `discount_minor` what its discounts took off, and `taxes` what
    each tax, by name, put on top of the rest. A whole line and the sum of its credits can be compared part by part.
    """

    amount_minor: int
    discount_minor: int = 0
    taxes: Mapping[str, int] = field(default_factory=dict)

    @property
    def tax_minor(self) -> int:
        """All taxes together."""
        return sum(self.taxes.values())

    @property
    def net_minor(self) -> int:
        """What the line comes to after its discount, before tax."""
        return self.amount_minor - self.discount_minor

    @property
    def total_minor(self) -> int:
        """What the line comes to, tax included."""
        return self.net_minor + self.tax_minor

    def __add__(self, other: "LineParts") -> "LineParts":
        names = [*self.taxes, *(name for name in other.taxes if name not in self.taxes)]
        return LineParts(
            self.amount_minor + other.amount_minor,
            self.discount_minor + other.discount_minor,
            {name: self.taxes.get(name, 0) + other.taxes.get(name, 0) for name in names},
        )


NOTHING = LineParts(0)


def credit_line(line: LineParts, amount_minor: int, *, before: LineParts = NOTHING, residue: Residue) -> LineParts:
    """Return what crediting `amount_minor` of a line gives back, each part rounded half up once.

    `amount_minor` is measured before the discount and has the sign of the line; `before` is the sum of what earlier
    notes gave back of it. No part ever exceeds what is left of it.

    Raises:
        Malformed: the line is 0, or the amount is 0 or has the other sign.
        CreditExceedsLine: less than that is left of the line.
    """
    if not line.amount_minor or not amount_minor or (amount_minor < 0) != (line.amount_minor < 0):
        raise Malformed(f"{amount_minor} minor units are no credit of a line of {line.amount_minor}")
    left_minor = line.amount_minor - before.amount_minor
    if abs(amount_minor) > abs(left_minor):
        raise CreditExceedsLine(
            f"{amount_minor} minor units cannot be credited: {left_minor} are left of the line",
            asked_minor=amount_minor,
            left_minor=left_minor,
        )
    share = Fraction(amount_minor, line.amount_minor)
    share_before = Fraction(before.amount_minor, line.amount_minor)

    def part(whole_minor: int, given_minor: int) -> int:
        return part_of_note(
            whole_minor * share,
            whole_minor=whole_minor,
            exact_before_minor=whole_minor * share_before,
            given_minor=given_minor,
            residue=residue,
        )

    return LineParts(
        amount_minor,
        part(line.discount_minor, before.discount_minor),
        {name: part(tax_minor, before.taxes.get(name, 0)) for name, tax_minor in line.taxes.items()},
    )


def part_of_note(
    exact_minor: Fraction, *, whole_minor: int, exact_before_minor: Fraction, given_minor: int, residue: Residue
) -> int:
    """Return the part of `whole_minor` that one note gives back, rounded half up.

    `exact_minor` is the part unrounded, `exact_before_minor` that of the notes before, and `given_minor` what those
    gave after rounding. The note that exhausts the whole takes what is left, which no part ever exceeds.
    """
    left_minor = whole_minor - given_minor
    if exact_before_minor + exact_minor == whole_minor:
        return left_minor
    carried = residue == "carry"
    exact = exact_before_minor + exact_minor if carried else exact_minor
    part_minor = divide_rounded(exact.numerator, exact.denominator) - (given_minor if carried else 0)
    lowest_minor, highest_minor = sorted((0, left_minor))
    return min(max(part_minor, lowest_minor), highest_minor)


class CreditSettlement(NamedTuple):
    """Where a credit goes, in minor units: its three parts sum to it."""

    off_due_minor: int  # lowers what is still to be paid
    to_refund_minor: int  # goes back to where the money came from
    to_balance_minor: int  # is kept for later invoices


def settle_credit(total_minor: int, *, due_minor: int, paid_minor: int, from_balance_minor: int) -> CreditSettlement:
    """Divide a credit of `total_minor`, at least 0, tax included, over what it can pay back, in minor units.

    First it lowers what is still due on the document, so that an open one just asks for less. Then it is refunded, up
    to what was paid in money and not refunded yet; what was drawn from the customer's balance goes back to it.

    Raises:
        CreditExceedsDocument: the document holds less than that.
    """
    left_minor = due_minor + paid_minor + from_balance_minor
    if not 0 <= total_minor <= left_minor:
        raise CreditExceedsDocument(
            f"{total_minor} minor units cannot be credited: {left_minor} are left of the document",
            asked_minor=total_minor,
            left_minor=left_minor,
        )
    off_due_minor = min(total_minor, due_minor)
    to_refund_minor = min(total_minor - off_due_minor, paid_minor)
    return CreditSettlement(off_due_minor, to_refund_minor, total_minor - off_due_minor - to_refund_minor)
