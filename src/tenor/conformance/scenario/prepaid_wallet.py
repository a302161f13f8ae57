"""A wallet of a customer in money, whose holder thinks in credits: what it has, and what is bought and not paid yet."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from tenor.conformance.scenario.documents import ZERO, Invoice
from tenor.wallets.rules.spending import Wallet


class TopUpRule(NamedTuple):
    """Whenever `threshold` credits or less are left, `paid` credits are bought, or so many times that it is more again.

    `ignores_limits`: also where that is less than may be bought at once.
    """

    threshold: Decimal
    paid: Decimal
    ignores_limits: bool


class CreditMove(NamedTuple):
    """What one deed moved, in money and in credits."""

    amount: Decimal
    credits: Decimal


class Purchase(NamedTuple):
    """Credits that are bought: they come into the wallet when their invoice is paid."""

    invoice: Invoice
    credits: Decimal


@dataclass(slots=True, eq=False)
class PrepaidWallet:
    """A wallet: `rate` is the money for a credit. `metrics`: it pays for usage of these alone; None: for anything.

    `min_top_up` is the least money for which credits may be bought.
    Money and credits are counted each for itself: both are rounded when one is turned into the other.
    """

    rate: Decimal
    metrics: frozenset[str] | None
    rule: TopUpRule | None
    min_top_up: Decimal = ZERO
    money: Wallet = field(default_factory=Wallet)
    credits: Decimal = ZERO
    moves: list[CreditMove] = field(default_factory=list)
    purchases: list[Purchase] = field(default_factory=list)

    def balance(self, at: datetime) -> Decimal:
        """Return the money that is left."""
        return self.money.balance(at)
