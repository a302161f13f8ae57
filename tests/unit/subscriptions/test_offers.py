"""What a plan costs one customer, which way a change goes, and what a ratchet lets through."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import pytest

from tenor.kernel.calendar import Interval, Unit
from tenor.kernel.money import Money
from tenor.pricing.charges import Flat, Price, Standard
from tenor.pricing.model import Charge, ChargeKind
from tenor.pricing.policy import profile
from tenor.pricing.rules.proration import Direction
from tenor.subscriptions.model import Terms
from tenor.subscriptions.rules.offers import Offer, direction_of, effective_by_policy, order_of, yearly_amount
from tenor.subscriptions.rules.ratchet import ratcheted
from tests.support.invoicing import MONTH, TEN_AT_FIVE_THEN_TWO, YEAR, charge, plan

TENOR, LAGO = profile("tenor"), profile("lago")
NOTHING = Terms({}, {})


def fee(amount: str, interval: Interval | None = None) -> Charge:
    return charge(ChargeKind.RECURRING, Price(Flat(Decimal(amount))), code="base", interval=interval)


def seats(price: Price) -> Charge:
    return charge(ChargeKind.SEAT, price, code="seats")


def offer(charges: Sequence[Charge], interval: Interval = MONTH, terms: Terms = NOTHING) -> Offer:
    return Offer(plan(*charges, interval=interval), terms)


def test_a_year_is_twelve_months_or_365_days_of_fees_and_seats() -> None:
    tiered = seats(Price(TEN_AT_FIVE_THEN_TWO))
    twelve = Terms({"seats": Decimal(12)}, {})

    assert yearly_amount(offer([fee("30")]), TENOR.rating) == 360
    assert yearly_amount(offer([fee("30"), fee("365", YEAR)]), TENOR.rating) == 725
    assert yearly_amount(offer([fee("7")], Interval(Unit.WEEK)), TENOR.rating) == 365  # 365/7 weeks
    assert yearly_amount(offer([fee("1")], Interval(Unit.MONTH, 7)), TENOR.rating) == Fraction(12, 7)
    assert yearly_amount(offer([fee("1")], Interval(Unit.HOUR, 6)), TENOR.rating) == 1460
    assert yearly_amount(offer([tiered], terms=twelve), TENOR.rating) == 12 * 54  # 10 × 5.00 + 2 × 2.00
    assert yearly_amount(offer([tiered], terms=twelve._replace(prices={"seats": Decimal(3)})), TENOR.rating) == 12 * 36


@pytest.mark.parametrize(
    ("amount", "interval", "by_total", "by_year"),
    [
        ("30", MONTH, Direction.LATERAL, Direction.UPGRADE),
        ("29.99", MONTH, Direction.DOWNGRADE, Direction.DOWNGRADE),
        ("359", YEAR, Direction.DOWNGRADE, Direction.DOWNGRADE),
        ("361", YEAR, Direction.UPGRADE, Direction.UPGRADE),
        ("209.99", Interval(Unit.MONTH, 7), Direction.DOWNGRADE, Direction.DOWNGRADE),  # 30.00 a month are 210.00
        ("210.01", Interval(Unit.MONTH, 7), Direction.UPGRADE, Direction.UPGRADE),
    ],
)
def test_up_or_down_is_what_both_cost_in_the_same_time(
    amount: str, interval: Interval, by_total: Direction, by_year: Direction
) -> None:
    former, target = offer([fee("30")]), offer([fee(amount)], interval)

    assert direction_of(former, target, TENOR) is by_total
    assert direction_of(former, target, LAGO) is by_year


def test_only_a_downgrade_waits_and_only_where_the_profile_says_so() -> None:
    cheap, dear = offer([fee("10")]), offer([fee("20")])

    assert [effective_by_policy(dear, cheap, policy) for policy in (TENOR, LAGO)] == ["now", "period_end"]
    assert [effective_by_policy(cheap, dear, policy) for policy in (TENOR, LAGO)] == ["now", "now"]


def test_an_order_is_a_period_of_fees_and_seats_and_what_is_once_without_usage() -> None:
    once = charge(ChargeKind.ONE_OFF, Price(Flat(Decimal("9.99"))), code="setup")
    calls = charge(ChargeKind.USAGE, Price(Standard(Decimal(1))), code="calls")
    three = Terms({"seats": Decimal(3)}, {})
    ordered = offer([fee("30"), seats(Price(Standard(Decimal("0.335")))), once, calls], terms=three)

    # 30.00 + 1.005 + 9.99 = 40.995
    assert order_of(ordered, TENOR) == Money(4100, "USD")


def test_a_ratchet_lets_rise_at_once_and_fall_at_renewal() -> None:
    held = {"seats": Decimal(5), "disks": Decimal(2), "keys": Decimal(1)}

    parts = ratcheted(held, {"seats": Decimal(3), "disks": Decimal(2), "keys": Decimal(4)})

    assert parts.at_once == {"disks": Decimal(2), "keys": Decimal(4)}
    assert parts.at_renewal == {"seats": Decimal(3)}
