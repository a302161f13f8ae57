"""Grants and uses of a stored wallet: in which order, to the last unit, and what is refused."""

from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tenor.kernel.ids import CustomerId, TenantId, WalletId
from tenor.platform.database import Database
from tenor.wallets import (
    CreditExhausted,
    MalformedWallet,
    NothingToRestore,
    UseKeyReused,
    WalletExists,
    lapse_grants,
    open_wallet,
)
from tests.support.wallets import Purse, day, terms

ZERO = Decimal(0)


def test_grants_are_used_in_the_order_that_the_wallet_says(purse: Purse) -> None:
    paid = purse.grant("10", cost_minor=1000)
    gift = purse.grant("10")
    first = purse.grant("10", priority=1, cost_minor=1000)

    used = purse.use("25", on=2)

    # the low priority number, then the gift before what was paid for: 10 + 10 + 5
    assert purse.left() == {first: ZERO, gift: ZERO, paid: Decimal(5)}
    assert [movement.grant_id for _, movement in used.entries] == [first, gift, paid]
    assert purse.figures(2) == (5, 0, 0)
    assert purse.adds_up()


def test_only_grants_in_force_and_of_the_feature_pay(purse: Purse) -> None:
    purse.grant("10", effective_at=day(5))
    purse.grant("10", expires_at=day(3))
    purse.grant("10", features=frozenset({"api"}))

    assert purse.use("10", on=2, feature="api").use.used == 10  # of the one that is soonest over: nothing else differs
    with pytest.raises(CreditExhausted, match="10 are left") as refused:
        purse.use("11", on=2, feature="api")
    assert refused.value.details == {"asked": "11", "available": "10"}
    assert purse.figures(4) == (10, 0, 0)
    with pytest.raises(CreditExhausted, match="0 are left"):
        purse.use("1", on=4)


def test_what_is_refused_has_changed_nothing(purse: Purse) -> None:
    purse.grant("10")
    with pytest.raises(CreditExhausted):
        purse.use("11", on=2)

    assert purse.kinds() == [("granted", 10, 0)]
    assert purse.figures(2) == (10, 0, 0)


def test_a_key_is_one_use_for_ever(purse: Purse) -> None:
    purse.grant("10")
    first = purse.use("4", on=2, key="call-1")
    again = purse.use("4", on=3, key="call-1")

    assert (again.use, again.entries) == (first.use, ())
    assert purse.figures(3) == (6, 0, 0)
    with pytest.raises(UseKeyReused):
        purse.use("5", on=3, key="call-1")


def test_what_a_grant_cost_is_used_up_exactly_with_it(purse: Purse) -> None:
    # 3 units for 1.00: the third cents come out as 33 + 34 + 33 = 100, rounded on what is left (67, 33, 0)
    purse.grant("3", cost_minor=100)
    for key in "abc":
        purse.use("1", on=2, key=key)

    assert purse.kinds() == [("granted", 3, 100), ("drawn", 1, 33), ("drawn", 1, 34), ("drawn", 1, 33)]


def test_a_use_is_given_back_exactly_to_the_grants_that_it_came_from(purse: Purse) -> None:
    soon = purse.grant("4", expires_at=day(10), cost_minor=400)
    late = purse.grant("6", expires_at=day(15), cost_minor=600)
    used = purse.use("10", on=2)

    assert purse.give_back(used, "8", on=3).use.used == 2
    assert purse.left() == {soon: Decimal(2), late: Decimal(6)}  # 6 of the last draw, then 2 of the first
    assert purse.kinds()[-2:] == [("restored", 6, 600), ("restored", 2, 200)]
    with pytest.raises(NothingToRestore):
        purse.give_back(used, "3", on=3)
    assert purse.adds_up()


def test_a_void_takes_out_the_rest_and_what_comes_back_later(purse: Purse) -> None:
    grant_id = purse.grant("10", cost_minor=1000)
    used = purse.use("4", on=2)
    purse.void(grant_id, on=3)
    purse.void(grant_id, on=4)

    assert purse.figures(4) == (0, 0, 0)
    purse.give_back(used, "4", on=5)
    assert purse.figures(5) == (0, 0, 0)
    assert [kind for kind, _, _ in purse.kinds()] == ["granted", "drawn", "voided", "restored", "voided"]
    assert purse.adds_up()


def test_what_is_left_at_an_expiry_lapses_once(purse: Purse) -> None:
    purse.grant("10", expires_at=day(5), cost_minor=999)
    purse.grant("10", expires_at=day(9))
    purse.use("4", on=2)

    for _ in range(2):
        with purse.work() as uow:
            lapse_grants(uow, now=day(5))

    # the gift burns first although it expires later: the category comes before the expiry
    assert purse.kinds()[-1] == ("lapsed", 10, 999)
    assert purse.figures(6) == (6, 0, 0)
    assert [event["lapsed"] for event in purse.events("credit_grant.lapsed")] == ["10"]
    assert purse.adds_up()


def test_a_wallet_that_may_be_overdrawn_is_repaid_by_later_grants(
    database: Database, tenant: TenantId, customers: dict[str, CustomerId]
) -> None:
    purse = Purse.open(database, tenant, customers["initech"], overdraws=True, repays_advances=True)
    purse.grant("10")
    first, second = purse.use("15", on=2), purse.use("3", on=3, feature="api")

    assert purse.figures(3) == (0, 0, 8)
    purse.grant("6", on=4)
    assert purse.figures(4) == (0, 0, 2)  # the oldest is paid first: 5 and 1
    purse.give_back(second, "2", on=5)
    assert purse.figures(5) == (1, 0, 1)  # 1 goes back to the grant that had paid it last, then 1 is owed no more
    purse.give_back(second, "1", on=5)
    assert purse.figures(5) == (1, 0, 0)
    purse.give_back(first, "15", on=6)
    assert purse.figures(6) == (16, 0, 0)
    assert purse.adds_up()


def test_a_wallet_is_opened_once(database: Database, tenant: TenantId, customers: dict[str, CustomerId]) -> None:
    def opened(**changes: Any) -> WalletId:
        with database.transaction(tenant) as uow:
            return open_wallet(uow, customers["globex"], terms(**changes), now=day(1), actor="ada", reason="")

    assert opened() == opened()
    with pytest.raises(WalletExists):
        opened(overdraws=True)
    wrongs: list[dict[str, Any]] = [
        {"burn_order": ("age",)},
        {"burn_order": ()},
        {"code": "Big"},
        {"rate": ZERO},
        {"unit": "two words"},
        {"unit": "USD"},
        {"rate": Decimal(2)},
    ]
    for wrong in wrongs:
        with pytest.raises(MalformedWallet):
            opened(**wrong)


def test_the_database_refuses_what_no_caller_may_do(purse: Purse) -> None:
    purse.grant("10")
    with pytest.raises(psycopg.errors.CheckViolation), purse.work() as uow:
        uow.execute("update credit_grants set remaining = -1")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), purse.work() as uow:
        uow.execute("update wallet_entries set amount = 1")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), purse.work() as uow:
        uow.execute("update credit_grants set amount = 100")
    with purse.work() as uow:
        uow.execute("update credit_grants set remaining = 9")
    assert not purse.adds_up()
