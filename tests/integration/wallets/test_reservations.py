"""Reservations: credit is held, committed or released, and never held twice, however many ask at once."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from tenor.kernel.ids import CustomerId, TenantId
from tenor.platform.database import Database
from tenor.wallets import (
    CreditExhausted,
    MalformedWallet,
    ReservationSettled,
    lapse_grants,
    release_expired_reservations,
)
from tests.support.wallets import Purse, day


def test_what_is_held_is_committed_in_part_and_the_rest_is_free(purse: Purse) -> None:
    purse.grant("10", cost_minor=1000)
    held = purse.reserve("8", on=2, until=3)

    assert purse.figures(2) == (2, 8, 0)
    with pytest.raises(CreditExhausted):
        purse.use("3", on=2)
    committed = purse.commit(held, "5", on=2)

    assert (committed.use.status, committed.use.used) == ("used", Decimal(5))
    assert purse.figures(2) == (5, 0, 0)
    assert purse.kinds() == [("granted", 10, 1000), ("held", 8, 0), ("released", 8, 0), ("drawn", 5, 500)]
    assert purse.commit(held, "5", on=9).entries == ()
    with pytest.raises(ReservationSettled):
        purse.commit(held, "6", on=2)
    with pytest.raises(ReservationSettled):
        purse.release(held, on=2)
    assert purse.adds_up()


def test_more_than_was_held_is_drawn_on_what_else_is_there(purse: Purse) -> None:
    purse.grant("10")
    held = purse.reserve("8", on=2, until=3)

    with pytest.raises(CreditExhausted, match="11 EUR are to be used and 10 are left"):
        purse.commit(held, "11", on=2)
    assert purse.figures(2) == (2, 8, 0)
    assert purse.commit(held, "9", on=2).use.used == 9
    assert purse.figures(2) == (1, 0, 0)


def test_a_release_gives_back_exactly_what_was_held(purse: Purse) -> None:
    soon, late = purse.grant("4", expires_at=day(10)), purse.grant("6", expires_at=day(15))
    held = purse.reserve("7", on=2, until=3)
    assert purse.left() == {soon: Decimal(0), late: Decimal(3)}

    assert purse.release(held, on=2).use.status == "released"
    assert purse.release(held, on=4).entries == ()

    assert purse.left() == {soon: Decimal(4), late: Decimal(6)}
    assert purse.adds_up()


def test_a_hold_that_nobody_settles_ends_by_itself(purse: Purse) -> None:
    purse.grant("10")
    held, longer = purse.reserve("4", on=2, until=3), purse.reserve("5", on=2, until=9)

    with pytest.raises(ReservationSettled, match="its time is over"):
        purse.commit(held, "4", on=3)
    for _ in range(2):
        with purse.work() as uow:
            release_expired_reservations(uow, now=day(3))

    assert purse.figures(3) == (5, 5, 0)
    assert purse.commit(longer, "5", on=4).use.used == 5
    with pytest.raises(MalformedWallet):
        purse.reserve("1", on=4, until=4)


def test_what_is_held_outlives_the_expiry_of_its_grant(purse: Purse) -> None:
    purse.grant("10", expires_at=day(5), cost_minor=1000)
    held = purse.reserve("8", on=4, until=7)
    with purse.work() as uow:
        lapse_grants(uow, now=day(5))
    purse.commit(held, "6", on=6)
    with purse.work() as uow:
        lapse_grants(uow, now=day(6))

    # 2 were not held when it expired, 2 of what was held were not used
    lapsed = [(kind, amount) for kind, amount, _ in purse.kinds() if kind == "lapsed"]
    assert lapsed == [("lapsed", 2), ("lapsed", 2)]
    assert purse.adds_up()


def test_what_is_held_of_a_grant_that_is_voided_may_be_used_and_is_else_taken_out(purse: Purse) -> None:
    grant_id = purse.grant("10")
    first, second = purse.reserve("4", on=2, until=9), purse.reserve("5", on=2, until=9)
    purse.void(grant_id, on=3)
    purse.commit(first, "3", on=4)
    purse.release(second, on=4)

    assert purse.figures(4) == (0, 0, 0)
    assert sum(amount for kind, amount, _ in purse.kinds() if kind == "voided") == 7  # 1 + 1 + 5
    assert purse.adds_up()


def test_64_parallel_reservations_never_overdraw_a_wallet(purse: Purse) -> None:
    for amount in ("7", "11", "13"):
        purse.grant(amount)

    def reserve(number: int) -> bool:
        try:
            purse.reserve("1", on=2, until=9, key=f"call-{number}")
        except CreditExhausted:
            return False
        return True

    with ThreadPoolExecutor(max_workers=16) as pool:
        answers = list(pool.map(reserve, range(64)))

    assert sum(answers) == 31  # 7 + 11 + 13
    assert purse.figures(2) == (0, 31, 0)
    assert purse.adds_up()


def test_one_key_that_comes_in_parallel_is_one_reservation(purse: Purse) -> None:
    purse.grant("10")

    with ThreadPoolExecutor(max_workers=8) as pool:
        held = list(pool.map(lambda _: purse.reserve("3", on=2, until=9, key="same"), range(16)))

    assert len({entry.use.id for entry in held}) == 1
    assert purse.figures(2) == (7, 3, 0)


def test_commits_releases_and_uses_in_parallel_leave_a_wallet_that_adds_up(
    database: Database, tenant: TenantId, customers: dict[str, CustomerId]
) -> None:
    purse = Purse.open(database, tenant, customers["initech"], code="busy", overdraws=True)
    purse.grant("100")
    purse.grant("50", priority=1)
    held = [purse.reserve("2", on=2, until=9) for _ in range(24)]

    def settle(number: int) -> None:
        match number % 3:
            case 0:
                purse.commit(held[number], "1", on=3)
            case 1:
                purse.release(held[number], on=3)
            case _:
                purse.use("3", on=3, key=f"use-{number}-beside")

    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(settle, range(24)))

    # 8 commits of 1, 8 uses of 3; 8 holds of 2 are open: 150 − 8 − 24 − 16
    assert purse.figures(3) == (102, 16, 0)
    assert purse.adds_up()
