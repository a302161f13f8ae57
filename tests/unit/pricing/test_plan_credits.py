"""The credits of a plan in a price book: what they mean, what is wrong with them, and what they are read back as."""

from decimal import Decimal

import pytest

from tenor.kernel.calendar import Interval, Unit
from tenor.pricing.definition import content_hash, plan_version
from tenor.pricing.model import PlanCredit
from tenor.pricing.price_book import MalformedPriceBook
from tests.support.price_books import as_applied, small_book

FEATURES = "    features: [sso]\n"


def credits_written(*written: str) -> tuple[PlanCredit, ...]:
    """Return what credits of the plan `pro` are read, stored and read back as."""
    listed = "".join(f"      - {{{credit}}}\n" for credit in written)
    record = as_applied(small_book((FEATURES, f"{FEATURES}    credits:\n{listed}"))).newest["pro"]
    return plan_version(record, stored_hash=content_hash(record)).credits


def test_a_credit_needs_a_code_and_an_amount_and_has_a_default_for_all_else() -> None:
    assert credits_written("code: monthly, amount: 12.5") == (
        PlanCredit(
            code="monthly",
            wallet="main",
            unit="USD",
            rate=Decimal(1),
            amount=Decimal("12.5"),
            per=None,
            every=Interval(Unit.MONTH),
            rollover_min=Decimal(0),
            rollover_max=Decimal(0),
            lasts=None,
            priority=255,
            category="promotional",
            features=frozenset(),
        ),
    )


def test_everything_about_a_credit_can_be_written() -> None:
    rolling, lasting = credits_written(
        "code: a, amount: 1000, wallet: tokens, unit: tokens, rate: 0.002, per: base, every: 2 weeks, rollover_min: 5,"
        " rollover_max: 50, priority: 3, category: paid, features: [tokens, sso]",
        "code: b, amount: 1, lasts: 5 weeks",
    )

    assert (rolling.wallet, rolling.unit, rolling.rate, rolling.per) == ("tokens", "tokens", Decimal("0.002"), "base")
    assert (rolling.every, rolling.rollover_min, rolling.rollover_max) == (
        Interval(Unit.WEEK, 2),
        Decimal(5),
        Decimal(50),
    )
    assert (rolling.priority, rolling.category) == (3, "paid")
    assert rolling.features == {"tokens", "sso"}
    assert lasting.lasts == Interval(Unit.WEEK, 5)


@pytest.mark.parametrize(
    ("credit", "told"),
    [
        ("code: a", "amount"),
        ("code: a, amount: 0", "0 is not above 0"),
        ("code: a, amount: 1, per: seats", "there is no charge 'seats' in this plan"),
        ("code: a, amount: 1, unit: two words", "is no unit"),
        ("code: a, amount: 1, rate: 2", "a unit of USD is worth 1"),
        ("code: a, amount: 1, rollover_min: 3", "3 is above the maximum of 0"),
        ("code: a, amount: 1, rollover_max: 3, lasts: 1 week", "lasts for a time of its own, or rolls over"),
        ("code: a, amount: 1, priority: 256", "256 is more than 255"),
        ("code: a, amount: 1, category: free", "'free' is not one of"),
        ("code: a, amount: 1, features: [x, x]", "x"),
    ],
)
def test_what_is_wrong_is_told(credit: str, told: str) -> None:
    with pytest.raises(MalformedPriceBook) as refused:
        credits_written(credit)

    assert any(told in problem.message for problem in refused.value.problems)


def test_a_code_is_used_once() -> None:
    with pytest.raises(MalformedPriceBook, match="line"):
        credits_written("code: a, amount: 1", "code: a, amount: 2")
