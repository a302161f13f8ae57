"""Paying: how much money credit pays, and how much credit that takes."""

from decimal import Decimal
from typing import NamedTuple

from tenor.kernel.money import RoundingMode, exponent, round_decimal, to_minor
from tenor.kernel.quantity import FRACTION_DIGITS


class Payment(NamedTuple):
    """What is paid, in minor units, and the credit that it takes, in the wallet's unit."""

    paid_minor: int
    amount: Decimal


def payment(owed_minor: int, *, available: Decimal, rate: Decimal, currency: str) -> Payment:
    """Return what `available` credit pays of an amount, when a unit is worth `rate` of `currency`.

    Whole minor units are paid, never more than is owed. The credit taken for them is rounded up to 12 digits, so that
    credit is never worth more than its rate. The caller has entered the exact context.
    """
    whole = credit_for(owed_minor, rate=rate, currency=currency)
    if whole <= available:
        return Payment(owed_minor, whole)
    paid_minor = to_minor(available * rate, currency, RoundingMode.TRUNC)
    return Payment(paid_minor, credit_for(paid_minor, rate=rate, currency=currency))


def credit_for(paid_minor: int, *, rate: Decimal, currency: str) -> Decimal:
    """Return the credit that paying so many minor units takes, rounded up. The caller has entered the exact context."""
    money = Decimal(paid_minor).scaleb(-exponent(currency))
    return round_decimal(money / rate, digits=FRACTION_DIGITS, mode=RoundingMode.CEIL)
