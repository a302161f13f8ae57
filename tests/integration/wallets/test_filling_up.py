"""Top-ups, alerts and recurring grants: what fills a wallet by itself, and who is told when little is left."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from tenor.kernel.calendar import Interval, Unit
from tenor.wallets import (
    MalformedWallet,
    RecurringGrant,
    TopUpOrder,
    TopUpRule,
    TopUpSettled,
    WalletExists,
    lapse_grants,
    order_top_ups,
    recur_credits,
    renew_grants,
    set_alert,
    set_top_up,
    settle_top_up,
    stop_recurring,
)
from tests.support.wallets import Purse, day

ZERO = Decimal(0)


def filled_up(purse: Purse, threshold: str, target: str, *, max_per_day: int = 5, is_active: bool = True) -> None:
    rule = TopUpRule(Decimal(threshold), Decimal(target), max_per_day, is_active)
    with purse.work() as uow:
        set_top_up(uow, purse.wallet_id, rule, now=day(1), actor="ada", reason="")


def order(purse: Purse, *, on: int, hour: int = 0) -> list[TopUpOrder]:
    with purse.work() as uow:
        return order_top_ups(uow, now=day(on, hour))


def settle(purse: Purse, ordered: TopUpOrder, *, on: int, is_paid: bool = True) -> TopUpOrder:
    with purse.work() as uow:
        return settle_top_up(uow, ordered.id, is_paid=is_paid, now=day(on), actor="ada", reason="")


def test_a_wallet_is_filled_up_to_its_target_when_it_was_paid(purse: Purse) -> None:
    purse.grant("20")
    filled_up(purse, "10", "50")
    assert order(purse, on=2) == []

    purse.use("12.50", on=2)
    (ordered,) = order(purse, on=2)

    assert (ordered.amount, ordered.price_minor, ordered.status) == (Decimal("42.50"), 4250, "pending")
    assert order(purse, on=3) == []  # one is in flight
    assert purse.figures(2) == (Decimal("7.50"), 0, 0)
    paid = settle(purse, ordered, on=3)
    assert purse.figures(3) == (50, 0, 0)
    assert purse.kinds()[-1] == ("granted", Decimal("42.50"), 4250)
    assert settle(purse, ordered, on=4) == paid
    with pytest.raises(TopUpSettled):
        settle(purse, ordered, on=4, is_paid=False)
    assert [event["amount"] for event in purse.events("wallet.top_up_ordered")] == ["42.5"]


def test_a_failed_top_up_grants_nothing_and_the_cap_of_the_day_holds(purse: Purse) -> None:
    filled_up(purse, "10", "50", max_per_day=2)
    for _ in range(2):
        (ordered,) = order(purse, on=2, hour=3)
        settle(purse, ordered, on=2, is_paid=False)

    assert purse.figures(2) == (0, 0, 0)
    assert order(purse, on=2, hour=23) == []
    assert len(order(purse, on=3)) == 1


def test_a_top_up_that_is_switched_off_orders_nothing(purse: Purse) -> None:
    filled_up(purse, "10", "50", is_active=False)
    assert order(purse, on=2) == []
    for wrong in (("10", "10", 1), ("10", "50", 0), ("10", "50", 1001)):
        with pytest.raises(MalformedWallet):
            filled_up(purse, wrong[0], wrong[1], max_per_day=wrong[2])


def test_parallel_runs_order_one_top_up(purse: Purse) -> None:
    filled_up(purse, "10", "50")

    with ThreadPoolExecutor(max_workers=8) as pool:
        ordered = [entry for found in pool.map(lambda _: order(purse, on=2), range(16)) for entry in found]

    assert len(ordered) == 1
    assert len(purse.events("wallet.top_up_ordered")) == 1


def test_a_crossing_is_told_once(purse: Purse) -> None:
    purse.grant("20")
    with purse.work() as uow:
        set_alert(uow, purse.wallet_id, Decimal(10), now=day(1), actor="ada", reason="")
        set_alert(uow, purse.wallet_id, Decimal(5), now=day(1), actor="ada", reason="")
        set_alert(uow, purse.wallet_id, Decimal(5), now=day(1), actor="ada", reason="")

    purse.use("10", on=2)
    assert purse.events("wallet.low") == []  # 10 is not less than 10
    purse.use("1", on=3)
    purse.use("1", on=4)
    purse.use("4", on=5)
    purse.grant("20", on=6)
    purse.use("15", on=7)

    told = [(event["threshold"], event["balance"]) for event in purse.events("wallet.low")]
    assert told == [("10", "9"), ("5", "4"), ("10", "9")]


def promise(purse: Purse, **changes: Any) -> RecurringGrant:
    usual: dict[str, Any] = {
        "id": uuid4(),
        "wallet_id": purse.wallet_id,
        "code": "monthly",
        "amount": Decimal(100),
        "every": Interval(Unit.WEEK),
        "anchor": day(1),
        "priority": 1,
        "category": "promotional",
        "features": frozenset(),
        "rollover_max": ZERO,
        "next_at": day(1),
    }
    recurring = RecurringGrant(**(usual | changes))
    with purse.work() as uow:
        return recur_credits(uow, recurring, now=day(1), actor="ada", reason="")


def renew(purse: Purse, now: datetime) -> None:
    with purse.work() as uow:
        lapse_grants(uow, now=now)
        renew_grants(uow, now=now)


def test_a_promise_grants_anew_at_each_boundary_and_what_is_left_lapses(purse: Purse) -> None:
    promise(purse)
    for _ in range(2):
        renew(purse, day(1))
    assert purse.figures(1) == (100, 0, 0)

    purse.use("30", on=3)
    renew(purse, day(8, 1))
    assert purse.figures(9) == (100, 0, 0)
    renew(purse, day(30))  # the week of the 22nd to the 29th was missed
    assert [(kind, amount) for kind, amount, _ in purse.kinds()] == [
        ("granted", 100),
        ("drawn", 30),
        ("lapsed", 70),
        ("granted", 100),
        ("lapsed", 100),
        ("granted", 100),
    ]
    assert purse.figures(30) == (100, 0, 0)
    assert purse.adds_up()


def test_what_may_roll_over_is_kept_for_one_interval_more(purse: Purse) -> None:
    promise(purse, rollover_max=Decimal(50))
    renew(purse, day(1))
    purse.use("30", on=3)

    renew(purse, day(8))
    assert purse.figures(8) == (150, 0, 0)  # 50 of the 70, and 100
    purse.use("60", on=9)  # of equal priority and expiry the older one first: 50, then 10
    renew(purse, day(15))
    assert purse.figures(15) == (150, 0, 0)  # 50 of the 90, and 100
    assert sum(amount for kind, amount, _ in purse.kinds() if kind == "lapsed") == 20 + 40
    assert purse.adds_up()


def test_what_was_missed_rolls_over_as_if_somebody_had_looked_in_time(purse: Purse) -> None:
    promise(purse, rollover_max=Decimal(50))
    renew(purse, day(30))  # the 8th, 15th, 22nd and 29th were missed

    assert purse.figures(30) == (150, 0, 0)  # 50 of what was left, and 100
    assert [(kind, amount) for kind, amount, _ in purse.kinds()] == [
        ("granted", 100),
        ("lapsed", 50),
        ("granted", 100),
        *[("lapsed", 100), ("granted", 100)] * 3,
    ]
    assert purse.adds_up()


def test_what_was_missed_and_would_still_last_is_made(purse: Purse) -> None:
    promise(purse, lasts=Interval(Unit.DAY, 12))
    renew(purse, day(30))

    # of the 8th: until the 20th; the 15th: until the 27th; the 22nd and the 29th are there
    assert purse.figures(30) == (200, 0, 0)
    assert [(kind, amount) for kind, amount, _ in purse.kinds()] == [
        ("granted", 100),
        ("lapsed", 100),
        ("granted", 100),
        ("granted", 100),
    ]


def test_at_least_so_much_rolls_over_whatever_was_used(purse: Purse) -> None:
    promise(purse, rollover_min=Decimal(30), rollover_max=Decimal(50))
    purse.use("90", on=2)
    renew(purse, day(8))
    assert purse.figures(8) == (130, 0, 0)  # the 10 that were left, 20 more, and 100
    purse.use("60", on=9)
    renew(purse, day(15))
    assert purse.figures(15) == (150, 0, 0)  # 50 of the 70, and 100
    assert purse.adds_up()


def test_a_promise_is_made_once_and_can_be_stopped(purse: Purse) -> None:
    first = promise(purse)
    assert promise(purse).id == first.id
    with pytest.raises(WalletExists):
        promise(purse, amount=Decimal(200))
    renew(purse, day(1))
    with purse.work() as uow:
        stop_recurring(uow, purse.wallet_id, "monthly", now=day(2), actor="ada", reason="")
    renew(purse, day(9))

    assert purse.figures(7) == (0, 0, 0)
    assert [kind for kind, _, _ in purse.kinds()] == ["granted", "lapsed"]
