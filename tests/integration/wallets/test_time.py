"""What time alone does to wallets: everything that is due, once, however many do it at once."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from uuid import uuid4

from tenor.kernel.calendar import Interval, Unit
from tenor.kernel.ids import CustomerId, TenantId
from tenor.platform.database import Database
from tenor.wallets import (
    RecurringGrant,
    Ticked,
    TopUpRule,
    catch_up_wallets,
    recur_credits,
    set_alert,
    set_top_up,
)
from tests.support.wallets import Purse, day


def tick(purse: Purse, on: int) -> Ticked:
    return catch_up_wallets(purse.database, purse.tenant_id, now=day(on))


def watched(purse: Purse, *thresholds: int) -> None:
    with purse.work() as uow:
        for threshold in thresholds:
            set_alert(uow, purse.wallet_id, Decimal(threshold), now=day(1), actor="ada", reason="")


def test_a_tick_does_all_that_is_due_and_sixteen_at_once_do_it_once(
    purse: Purse, database: Database, tenant: TenantId, customers: dict[str, CustomerId]
) -> None:
    weekly = RecurringGrant(
        id=uuid4(),
        wallet_id=purse.wallet_id,
        code="weekly",
        amount=Decimal(100),
        every=Interval(Unit.WEEK),
        anchor=day(1),
        priority=1,
        category="promotional",
        features=frozenset(),
        rollover_max=Decimal(0),
        next_at=day(1),
    )
    with purse.work() as uow:
        recur_credits(uow, weekly, now=day(1), actor="ada", reason="")
    other = Purse.open(database, tenant, customers["initech"])
    other.grant("20", expires_at=day(6), cost_minor=2000)
    other.reserve("5", on=2, until=5)
    watched(other, 10)
    with other.work() as uow:
        set_top_up(uow, other.wallet_id, TopUpRule(Decimal(10), Decimal(50), 5), now=day(1), actor="ada", reason="")
    assert tick(purse, 4) == Ticked()

    with ThreadPoolExecutor(max_workers=8) as pool:
        done = list(pool.map(lambda _: tick(purse, 8), range(16)))

    # on the 8th: the hold of 5 ended on the 5th, the 20 lapsed on the 6th, 100 of the first week lapse for new ones
    assert Ticked(*map(sum, zip(*done, strict=True))) == Ticked(released=1, lapsed=2, renewed=1, top_ups_ordered=1)
    assert (purse.figures(8), other.figures(8)) == ((100, 0, 0), (0, 0, 0))
    assert other.books() == {"cash": 2000, "breakage": -2000}
    assert len(other.events("wallet.low")) == len(other.events("wallet.top_up_ordered")) == 1
    assert purse.adds_up()


def test_a_crossing_that_nobody_moved_is_told_by_a_tick_and_taken_back_when_credit_begins(purse: Purse) -> None:
    watched(purse, 10)  # there is nothing yet: told at once
    purse.grant("15", effective_at=day(3), expires_at=day(5))
    assert len(purse.events("wallet.low")) == 1
    assert tick(purse, 3).crossed == 1  # enough is there: the next crossing is a new one
    assert len(purse.events("wallet.low")) == 1

    purse.use("6", on=4)
    assert [(event["threshold"], event["balance"]) for event in purse.events("wallet.low")][1:] == [("10", "9")]
    assert tick(purse, 5) == Ticked(lapsed=1)  # 9 lapse; it was below before


def test_a_crossing_by_many_uses_at_once_is_told_once(purse: Purse) -> None:
    purse.grant("64")
    watched(purse, 32, 8)

    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(lambda number: purse.use("1", on=2, key=f"call-{number}"), range(60)))

    told = [(event["threshold"], event["balance"]) for event in purse.events("wallet.low")]
    assert sorted(told) == [("32", "31"), ("8", "7")]
    assert purse.figures(2) == (4, 0, 0)
    assert purse.adds_up()


def test_what_is_too_much_for_one_transaction_is_done_in_several(purse: Purse) -> None:
    for number in range(3):
        purse.reserve("0", on=2, until=3, key=f"call-{number}")

    assert catch_up_wallets(purse.database, purse.tenant_id, now=day(4), limit=2) == Ticked(released=3)
    assert tick(purse, 4) == Ticked()
