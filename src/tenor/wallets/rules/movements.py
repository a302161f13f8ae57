"""Movements: the entries of one transaction, with the part of a grant's cost that each of them moves."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from tenor.kernel.ids import GrantId, WalletId, WalletUseId
from tenor.kernel.money import divide_rounded
from tenor.kernel.quantity import FRACTION_DIGITS
from tenor.wallets.model import RESERVES, SIGNS, ZERO, EntryKind, HeldGrant, Movement


def value_minor(cost_minor: int, *, of: Decimal, part: Decimal) -> int:
    """Return what `part` of a grant of `of` units cost, in minor units, rounded half away from zero once."""
    return divide_rounded(cost_minor * int(part.scaleb(FRACTION_DIGITS)), int(of.scaleb(FRACTION_DIGITS)))


@dataclass(slots=True)
class Movements:
    """Entries to be written, in order, and what each grant has left after them.

    The value of an entry is the difference between what the grant is worth before and after it: rounded cumulatively,
    so that a grant that is drawn in any pieces has cost exactly what was paid for it. What is only set aside is still
    there, and moves no value. `paid_minor` says of uses that pay documents by how many minor units more (or less) they
    do; the values of all others are what they earn.
    """

    at: datetime
    grants: dict[GrantId, HeldGrant] = field(default_factory=dict)
    entries: list[Movement] = field(default_factory=list)
    paid_minor: dict[WalletUseId, int] = field(default_factory=dict)

    @classmethod
    def of(cls, grants: Iterable[HeldGrant], *, at: datetime) -> "Movements":
        """Return no movements yet of `grants`."""
        return cls(at, {grant.id: grant for grant in grants})

    def left(self, grant_id: GrantId) -> Decimal:
        """Return what a grant has left after all movements so far."""
        return self.grants[grant_id].remaining

    def deposit(self, grant: HeldGrant) -> None:
        """Add the entry that makes a grant whole."""
        self.grants[grant.id] = grant._replace(remaining=ZERO)
        self.move("granted", grant.id, grant.grant.amount)

    def move(self, kind: EntryKind, grant_id: GrantId, amount: Decimal, *, use_id: WalletUseId | None = None) -> None:
        """Add an entry of a grant; one of nothing is left out."""
        if not amount:
            return
        before = self.grants[grant_id]
        behind = before._replace(
            remaining=before.remaining + SIGNS[kind] * amount,
            reserved=before.reserved + RESERVES.get(kind, 0) * amount,
        )
        self.grants[grant_id] = behind
        value = abs(_worth_minor(behind) - _worth_minor(before))
        self.entries.append(Movement(before.wallet_id, kind, amount, grant_id, use_id, value, self.at))

    def advance(self, kind: EntryKind, wallet_id: WalletId, amount: Decimal, use_id: WalletUseId) -> None:
        """Add an entry of a use that no grant covers; one of nothing is left out."""
        if amount:
            self.entries.append(Movement(wallet_id, kind, amount, None, use_id, 0, self.at))


def _worth_minor(held: HeldGrant) -> int:
    """Return what was paid for what a grant still has, free or set aside."""
    return value_minor(held.cost_minor, of=held.grant.amount, part=held.remaining + held.reserved)
