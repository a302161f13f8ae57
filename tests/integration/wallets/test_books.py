"""Wallets in the ledger: what was paid for credit is owed until it is used, lapses or is voided, whatever happens."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenor.kernel.errors import Refusal
from tenor.kernel.ids import CustomerId, TenantId, WalletUseId
from tenor.ledger import CreditGone, move_customer_credits, trial_balance
from tenor.platform.database import Database
from tenor.wallets import (
    LineToPay,
    NothingToRestore,
    RestoredPayment,
    UseNotFound,
    UsePaysDocument,
    give_back_credits,
    lapse_grants,
    pay_lines,
    restore_payments,
)
from tests.support.wallets import Purse, day


def pay(purse: Purse, amount_minor: int, *, key: str = "line-1", on: int = 20) -> list[WalletUseId]:
    """Pay a line of a document and return the uses that do."""
    line = LineToPay(key, purse.customer_id, "EUR", amount_minor, None, day(on), is_metered=True)
    with purse.work() as uow:
        return [part.use.id for part in pay_lines(uow, [line], now=day(on)).paid]


def restore(purse: Purse, use_id: WalletUseId, amount_minor: int, *, on: int = 21) -> None:
    with purse.work() as uow:
        restore_payments(uow, [RestoredPayment(use_id, amount_minor)], now=day(on), actor="ada", reason="a test")


def lapse(purse: Purse, *, on: int) -> None:
    with purse.work() as uow:
        lapse_grants(uow, now=day(on))


def test_credit_that_was_bought_is_owed_until_it_is_used_and_what_lapses_is_income(purse: Purse) -> None:
    # 100 units for 80.00, of which 25 are used (20.00), 35 are committed of 40 that were held (28.00), and 40 lapse
    purse.grant("100", cost_minor=8000, expires_at=day(10))
    purse.use("25", on=2)
    held = purse.reserve("40", on=3, until=5)
    assert purse.books() == {"cash": 8000, "prepaid_credits": -6000, "revenue": -2000}
    purse.commit(held, "35", on=4)
    lapse(purse, on=10)

    assert purse.books() == {"cash": 8000, "revenue": -2000 - 2800, "breakage": -3200}
    assert purse.adds_up()
    with purse.work() as uow:
        assert trial_balance(uow).difference_minor("EUR") == 0


def test_credit_that_pays_a_document_settles_it_and_gives_back_exactly(purse: Purse) -> None:
    # 60 units were given and 100 sold for 80.00; gifts burn first. Of a document 100.00 are paid: 60 are given, and 40
    # had cost 32.00; 68.00 are the discount
    purse.grant("60")
    purse.grant("100", cost_minor=8000, paid_from="invoice")
    (paid,) = pay(purse, 10_000)
    settled = {"deferred_revenue": 8000, "prepaid_credits": -4800, "receivable": -10_000, "credit_discounts": 6800}
    assert purse.books() == settled
    with pytest.raises(UsePaysDocument), purse.work() as uow:
        give_back_credits(uow, paid, Decimal(1), now=day(21), actor="ada", reason="a test")

    restore(purse, paid, 3000)  # 30 of the 40 that were drawn last: 24.00 are owed again, 6.00 are no discount any more
    assert purse.books() == settled | {"prepaid_credits": -7200, "receivable": -7000, "credit_discounts": 6200}
    restore(purse, paid, 7000)
    assert purse.books() == {"deferred_revenue": 8000, "prepaid_credits": -8000}
    assert purse.figures(21) == (160, 0, 0)
    for use_id, error in ((paid, NothingToRestore), (WalletUseId(purse.wallet_id), UseNotFound)):
        with pytest.raises(error):
            restore(purse, use_id, 1)
    assert purse.adds_up()


def test_credit_of_thirds_gives_back_what_it_took_however_it_is_split(
    database: Database, tenant: TenantId, customers: dict[str, CustomerId]
) -> None:
    # a token is worth 0.003 EUR: 1.00 takes 333.333333333334; in three parts it comes back whole
    tokens = Purse.open(database, tenant, customers["globex"], code="tokens", unit="tokens", rate=Decimal("0.003"))
    grant_id = tokens.grant("500", cost_minor=1000)  # dearer than what it pays: 6.67 were paid for what pays 1.00
    (paid,) = pay(tokens, 100)
    assert tokens.books() == {"cash": 1000, "prepaid_credits": -333, "receivable": -100, "credit_discounts": -567}
    for part in (33, 33, 34):
        restore(tokens, paid, part)

    assert tokens.left() == {grant_id: Decimal(500)}
    assert tokens.books() == {"cash": 1000, "prepaid_credits": -1000}


def test_what_is_voided_goes_where_it_is_owed(purse: Purse) -> None:
    with purse.work() as uow:
        move_customer_credits(uow, {(purse.customer_id, "EUR"): 500})
    ways: dict[str, tuple[str, str]] = {
        "cash": ("cash", "customer_credit"),
        "invoice": ("deferred_revenue", "deferred_revenue"),
        "customer_credit": ("customer_credit", "customer_credit"),
    }
    for paid_from in ways:
        purse.void(purse.grant("5", cost_minor=500, paid_from=paid_from), on=2)
    purse.void(purse.grant("5"), on=2)

    # what was received for the first is owed back; the others went and came
    assert purse.books() == {"cash": 500, "customer_credit": -500}
    with purse.work() as uow:
        assert uow.fetch_all("select balance_minor from customer_credits") == [(1000,)]
    with pytest.raises(CreditGone):
        purse.grant("5", cost_minor=1001, paid_from="customer_credit")
    assert purse.adds_up()


def test_what_is_booked_otherwise_is_found(purse: Purse) -> None:
    purse.grant("10", cost_minor=1000)
    assert purse.adds_up()
    with purse.work() as uow:
        uow.execute("update credit_grants set remaining = 9, reserved = 1")
    assert not purse.adds_up()  # the cost is owed all the same, but no entry has set anything aside


NAMES = count(1)
DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["use", "hold", "commit", "release", "give_back", "pay", "restore", "void", "grant", "lapse"]),
        st.integers(1, 4000),
        st.integers(0, 5),
    ),
    min_size=4,
    max_size=20,
)
GRANTS = st.lists(
    st.tuples(st.integers(1, 3000), st.integers(0, 5000), st.sampled_from(["cash", "invoice"]), st.integers(2, 40)),
    min_size=1,
    max_size=5,
)


class Life:
    """A wallet to which things happen at random, an hour apart."""

    def __init__(self, purse: Purse) -> None:
        self.purse = purse
        self.grants: list[Any] = []
        self.uses: list[Any] = []
        self.paid: list[WalletUseId] = []
        self.hours = 0

    def do(self, deed: str, size: int, which: int, grants: list[tuple[int, int, Any, int]]) -> None:
        """Do something; what is refused has changed nothing."""
        self.hours += 1
        try:
            getattr(self, deed)(Decimal(size) / 8, which, grants)
        except (Refusal, IndexError):
            return

    @property
    def day(self) -> int:
        """The day of January that it is."""
        return 1 + self.hours // 24

    def grant(self, _: Decimal, which: int, grants: list[tuple[int, int, Any, int]]) -> None:
        """Make one of the grants."""
        amount, cost_minor, paid_from, lasts = grants[which % len(grants)]
        made = self.purse.grant(
            str(Decimal(amount) / 8),
            cost_minor=cost_minor,
            paid_from=paid_from,
            expires_at=day(1) + timedelta(hours=self.hours + 24 * lasts),
            on=self.day,
        )
        self.grants.append(made)

    def use(self, amount: Decimal, *_: Any) -> None:
        """Use credit."""
        self.uses.append(self.purse.use(str(amount), on=self.day))

    def hold(self, amount: Decimal, which: int, *_: Any) -> None:
        """Set credit aside."""
        self.uses.append(self.purse.reserve(str(amount), until=9 + which, on=self.day))

    def commit(self, amount: Decimal, which: int, *_: Any) -> None:
        """Use what was set aside, more of it or less."""
        self.purse.commit(self.uses[which], str(amount), on=self.day)

    def release(self, _: Decimal, which: int, *__: Any) -> None:
        """Give free what was set aside."""
        self.purse.release(self.uses[which], on=self.day)

    def give_back(self, amount: Decimal, which: int, *_: Any) -> None:
        """Give back part of a use."""
        self.purse.give_back(self.uses[which], str(amount), on=self.day)

    def pay(self, amount: Decimal, *_: Any) -> None:
        """Pay a document."""
        self.paid.extend(pay(self.purse, int(amount * 100), key=f"line-{self.hours}", on=self.day))

    def restore(self, amount: Decimal, which: int, *_: Any) -> None:
        """Take part of a document back."""
        restore(self.purse, self.paid[which], int(amount * 30), on=self.day)

    def void(self, _: Decimal, which: int, *__: Any) -> None:
        """Take out the rest of a grant."""
        self.purse.void(self.grants[which], on=self.day)

    def lapse(self, *_: Any) -> None:
        """Let two days go by, and what has expired lapse."""
        self.hours += 48
        lapse(self.purse, on=self.day)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(grants=GRANTS, deeds=DEEDS)
def test_what_is_owed_for_credit_is_what_was_paid_for_the_rest_of_it(
    database: Database,
    tenant: TenantId,
    customers: dict[str, CustomerId],
    grants: list[tuple[int, int, Any, int]],
    deeds: list[tuple[str, int, int]],
) -> None:
    purse = Purse.open(database, tenant, customers["globex"], code=f"w{next(NAMES)}", rate=Decimal(1))
    life = Life(purse)
    for which in range(len(grants)):
        life.do("grant", 1, which, grants)
    for deed in deeds:
        life.do(*deed, grants)
    with purse.work() as uow:
        rows = uow.fetch_all(
            "select cost_minor, remaining + reserved, amount, coalesce((select sum(value_minor) from wallet_entries e"
            " where e.grant_id = g.id and kind = 'granted'), 0) from credit_grants g where wallet_id = %s",
            [purse.wallet_id],
        )
        trial = trial_balance(uow)
    owed = sum(
        int(Fraction(cost) * Fraction(left) / Fraction(amount) + Fraction(1, 2)) for cost, left, amount, _ in rows
    )

    assert -purse.books().get("prepaid_credits", 0) == owed
    assert purse.adds_up()
    assert trial.difference_minor("EUR") == 0
    assert all(cost == granted for cost, _, _, granted in rows)
