"""Entries of a wallet of money: what is voided and given back is counted once, whatever comes first."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tenor.wallets.model import Grant
from tenor.wallets.rules.spending import (
    NotAnAmountOfCredit,
    NothingToRestore,
    UnknownGrant,
    Wallet,
    deposit,
    give_back,
    use_credit,
    void,
)

ORDER = ("priority", "expiry", "id")


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


def funded(amount: str = "100") -> Wallet:
    return deposit(Wallet(), Grant("g", Decimal(amount), day(1)), at=day(1), repays=False)


def test_what_comes_back_to_a_voided_grant_is_voided_too() -> None:
    wallet, _ = use_credit(funded(), Decimal(60), at=day(2), order=ORDER)
    wallet = give_back(void(wallet, "g", at=day(3)), Decimal(10), at=day(4))

    # 100 = 50 used + 40 taken out by the void + 10 taken out when they came back
    assert (wallet.used(day(4)), wallet.voided(day(3)), wallet.voided(day(4))) == (
        Decimal(50),
        Decimal(40),
        Decimal(50),
    )
    assert wallet.left(day(4)) == {"g": Decimal(0)}


def test_a_void_is_done_once_and_never_after_an_expiry() -> None:
    wallet = void(funded(), "g", at=day(2))
    assert void(wallet, "g", at=day(3)) == wallet

    lapsed = deposit(Wallet(), Grant("g", Decimal(5), day(1), expires_at=day(2)), at=day(1), repays=False)
    assert void(lapsed, "g", at=day(2)) == lapsed
    assert lapsed.lapsed(day(2)) == 5


def test_a_use_under_a_label_is_given_back_alone() -> None:
    wallet, _ = use_credit(funded(), Decimal(10), at=day(2), order=ORDER, label="first")
    wallet, _ = use_credit(wallet, Decimal(20), at=day(3), order=ORDER, label="second")

    wallet = give_back(wallet, Decimal(10), at=day(4), label="first")
    assert (wallet.used(day(4), label="first"), wallet.used(day(4), label="second")) == (Decimal(0), Decimal(20))
    with pytest.raises(NothingToRestore):
        give_back(wallet, Decimal(1), at=day(5), label="first")


def test_amounts_that_are_none_are_refused() -> None:
    for amount in ("0", "-1"):
        with pytest.raises(NotAnAmountOfCredit):
            funded(amount)
    with pytest.raises(NotAnAmountOfCredit):
        use_credit(funded(), Decimal(-1), at=day(1), order=ORDER)
    with pytest.raises(NotAnAmountOfCredit):
        give_back(funded(), Decimal(-1), at=day(1))
    with pytest.raises(UnknownGrant):
        void(funded(), "h", at=day(1))
