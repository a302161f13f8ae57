"""Lines of invoices paid with credit: for many customers at once, once per line, and never more than is owed."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from tenor.kernel.ids import CustomerId, TenantId
from tenor.platform.database import Database
from tenor.wallets import LineToPay, PaidLines, pay_lines
from tests.support.wallets import Purse, day


def line(customer_id: CustomerId, amount_minor: int, *, key: str = "line-1", **more: Any) -> LineToPay:
    usual = LineToPay(key, customer_id, "EUR", amount_minor, None, day(20), is_metered=True)
    return usual._replace(**more)


def pay(purse: Purse, *lines: LineToPay, on: int = 20) -> PaidLines:
    with purse.work() as uow:
        return pay_lines(uow, lines, now=day(on))


def paid(found: PaidLines) -> list[tuple[str, int]]:
    return [(part.line.key, part.paid_minor) for part in found.paid]


def test_lines_are_paid_in_their_order_as_far_as_credit_goes(
    purse: Purse, database: Database, tenant: TenantId, customers: dict[str, CustomerId]
) -> None:
    other = Purse.open(database, tenant, customers["initech"])
    purse.grant("10.00")
    other.grant("3.00")
    mine, theirs = purse.customer_id, other.customer_id

    found = pay(
        purse,
        line(mine, 700, key="a"),
        line(theirs, 700, key="b"),
        line(mine, 700, key="c"),
        line(mine, 700, key="d"),
    )

    assert paid(found) == [("a", 700), ("b", 300), ("c", 300)]
    assert purse.figures(20) == (0, 0, 0)
    assert other.figures(20) == (0, 0, 0)
    assert purse.adds_up()


def test_a_line_is_paid_once(purse: Purse) -> None:
    purse.grant("10.00")
    pay(purse, line(purse.customer_id, 400))

    assert paid(pay(purse, line(purse.customer_id, 400))) == []
    assert purse.figures(20) == (6, 0, 0)


def test_only_grants_that_may_pay_a_line_do(purse: Purse) -> None:
    purse.grant("1.00", features=frozenset({"api"}))
    purse.grant("2.00", expires_at=day(25))
    purse.grant("4.00", effective_at=day(21))
    owed = line(purse.customer_id, 900)

    for wrong in (owed._replace(currency="USD"), owed._replace(is_metered=False)):
        assert paid(pay(purse, wrong)) == []
    assert paid(pay(purse, owed._replace(key="later", period_end=day(25)), on=24)) == [("later", 400)]
    assert paid(pay(purse, owed._replace(key="api", feature="api"), on=24)) == [("api", 300)]


def test_credit_of_a_unit_of_its_own_pays_by_its_rate(
    database: Database, tenant: TenantId, customers: dict[str, CustomerId]
) -> None:
    # a token is worth 0.003 EUR: 1.00 EUR takes 333.333333333334 tokens, and 500 tokens pay 1.50 EUR at most
    tokens = Purse.open(database, tenant, customers["globex"], code="tokens", unit="tokens", rate=Decimal("0.003"))
    tokens.grant("500", cost_minor=120)

    assert paid(pay(tokens, line(tokens.customer_id, 100))) == [("line-1", 100)]
    assert tokens.figures(20)[0] == Decimal("166.666666666666")
    assert paid(pay(tokens, line(tokens.customer_id, 100, key="line-2"))) == [("line-2", 49)]
    # 0.49 EUR take 163.333333333334 tokens, and 3.333333333332 are left
    assert tokens.figures(20)[0] == Decimal("3.333333333332")
    assert sum(value for kind, _, value in tokens.kinds() if kind == "drawn") == 119  # 120 × 496.67/500 = 119.2
    assert tokens.adds_up()


def test_a_second_wallet_pays_what_the_first_leaves(purse: Purse, database: Database, tenant: TenantId) -> None:
    second = replace(purse, wallet_id=Purse.open(database, tenant, purse.customer_id, code="second").wallet_id)
    purse.grant("2.00")
    second.grant("5.00")

    assert paid(pay(purse, line(purse.customer_id, 600))) == [("line-1", 200), ("line-1", 400)]
    assert (purse.figures(20)[0], second.figures(20)[0]) == (0, 1)


def test_no_lines_and_no_wallets_pay_nothing(purse: Purse, customers: dict[str, CustomerId]) -> None:
    assert pay(purse) == ((), ())
    assert paid(pay(purse, line(customers["initech"], 100))) == []
