"""What plans promise: the credit of all items of a subscription adds up, by wallet and code."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from tenor.kernel.ids import CustomerId, SubscriptionId
from tenor.pricing.model import PlanCredit
from tenor.subscriptions.model import PhaseState, Status, Terms
from tenor.subscriptions.plan_credits.rules import RunningItem, promised
from tests.support.invoicing import MONTH, at, base, plan, seats


def credit(amount: str, *, code: str = "monthly", wallet: str = "main", per: str | None = None) -> PlanCredit:
    return PlanCredit(
        code=code,
        wallet=wallet,
        unit="USD",
        rate=Decimal(1),
        amount=Decimal(amount),
        per=per,
        every=MONTH,
        rollover_min=Decimal(0),
        rollover_max=Decimal(0),
        lasts=None,
        priority=255,
        category="promotional",
        features=frozenset(),
    )


def running(*credits_: PlanCredit, held: int | None = None, subscription: int = 1) -> RunningItem:
    return RunningItem(
        subscription_id=SubscriptionId(UUID(int=subscription)),
        customer_id=CustomerId(UUID(int=9)),
        timezone="UTC",
        profile="tenor",
        status=Status.ACTIVE,
        anchor_at=at("2026-01-01"),
        state=PhaseState.ACTIVE,
        terms=Terms({} if held is None else {"seats": Decimal(held)}, {}),
        plan=replace(plan(base("30.00"), seats("8.00")), credits=credits_),
    )


def amounts(*items: RunningItem) -> list[tuple[str, str, int]]:
    return [
        (one.credit.wallet, one.credit.code, int(one.amount)) for one in promised(items, is_entitled=lambda _: True)
    ]


def test_items_of_one_subscription_promise_together_and_those_of_two_apart() -> None:
    plan_, add_on = running(credit("10")), running(credit("5"), credit("7", wallet="other"))

    assert amounts(plan_, add_on) == [("main", "monthly", 15), ("other", "monthly", 7)]
    assert amounts(plan_, running(credit("5"), subscription=2)) == [("main", "monthly", 10), ("main", "monthly", 5)]


def test_a_credit_per_seat_is_promised_for_each_that_is_held_or_by_default() -> None:
    per_seat = credit("10", per="seats")

    assert amounts(running(per_seat, held=4)) == [("main", "monthly", 40)]
    assert amounts(running(per_seat)) == [("main", "monthly", 10)]  # the plan's default is one seat
    assert amounts(running(per_seat, held=0)) == []


def test_a_credit_per_charge_that_a_contract_has_dropped_is_promised_once() -> None:
    assert amounts(running(credit("10", per="dropped"))) == [("main", "monthly", 10)]


def test_who_is_not_entitled_is_promised_nothing() -> None:
    assert promised([running(credit("10"))], is_entitled=lambda _: False) == []
