"""Plans that promise credit: granted every month while a subscription is entitled, and never twice."""

from decimal import Decimal

import pytest

from tenor.subscriptions import add_add_on, catch_up_credits, next_instant_of_calendar, pause, resume
from tenor.wallets import UseRequest, find_wallet, use_credits, wallet_balances, wallet_entries
from tests.support.changes import change
from tests.support.company import Company, instant

BOOK = """\
price_book: main
currency: USD
tax_mode: exclusive
effective: 2020-01-01T00:00:00Z
products:
  - {code: app, name: App}
plans:
  - code: starter
    name: Starter
    product: app
    interval: month
    trial_days: 0
    charges: [{code: base, name: Base fee, kind: recurring, amount: 10.00}]
    credits:
      - {code: included, wallet: tokens, unit: tokens, rate: 0.002, amount: 1000, rollover_max: 500}
  - code: team
    name: Team
    product: app
    interval: month
    charges: [{code: seats, name: Seats, kind: seat, unit_amount: 20.00}]
    credits:
      - {code: included, wallet: tokens, unit: tokens, rate: 0.002, amount: 800, per: seats, rollover_max: 500}
  - code: boost
    name: Boost
    product: app
    interval: month
    charges: [{code: fee, name: Fee, kind: recurring, amount: 5.00}]
    credits:
      - {code: included, wallet: tokens, unit: tokens, rate: 0.002, amount: 250}
      - {code: gift, amount: 3, every: year, lasts: 2 weeks, category: paid, priority: 5, features: [api]}
  - code: plain
    name: Plain
    product: app
    interval: month
    charges: [{code: base, name: Base fee, kind: recurring, amount: 8.00}]
"""


@pytest.fixture(autouse=True)
def _sold(acme: Company) -> None:
    acme.sell(BOOK)


def left(acme: Company, on: str, *, code: str = "tokens", customer: str = "ann") -> Decimal | int:
    """Return what a customer's wallet has, after all that is due by then."""
    catch_up_credits(acme.database, acme.tenant_id, now=instant(on))
    with acme.work() as uow:
        found = wallet_balances(uow, [acme.customer_of(customer)], at=instant(on))
    return next((one.available for one in found if one.wallet.terms.code == code), 0)


def use(acme: Company, amount: int, on: str) -> None:
    with acme.work() as uow:
        wallet = find_wallet(uow, acme.customer_of("ann"), "tokens")
        use_credits(uow, UseRequest(wallet.id, Decimal(amount), on), now=instant(on))


def entries(acme: Company) -> list[tuple[str, int]]:
    with acme.work() as uow:
        wallet = find_wallet(uow, acme.customer_of("ann"), "tokens")
        return [(entry.kind, int(entry.amount)) for _, entry in wallet_entries(uow, wallet.id)]


def test_credit_comes_with_the_subscription_and_every_month_and_rolls_over(acme: Company) -> None:
    acme.subscribe("ann", "starter", "2026-01-10")
    with acme.work() as uow:
        wallet = find_wallet(uow, acme.customer_of("ann"), "tokens")
    assert (wallet.terms.unit, wallet.terms.currency, wallet.terms.rate) == ("tokens", "USD", Decimal("0.002"))
    assert left(acme, "2026-01-10") == 1000  # in the transaction of the subscription, not only when something ticks
    use(acme, 300, "2026-01-12")

    acme.bill("2026-02-10")  # 500 of the 700 roll over, 200 lapse, 1,000 are new
    assert left(acme, "2026-02-10") == 1500
    assert left(acme, "2026-03-09") == 1500
    assert left(acme, "2026-03-10") == 1500  # 500 of the 1,500, and 1,000
    assert entries(acme) == [
        ("granted", 1000),
        ("drawn", 300),
        ("lapsed", 200),
        ("granted", 1000),
        ("lapsed", 1000),  # the older 500 are kept
        ("granted", 1000),
    ]
    acme.cancel("ann", "2026-03-15")
    assert left(acme, "2026-03-16") == 1500  # what was granted stays until it expires
    assert left(acme, "2026-04-10") == 0


def test_a_change_of_plan_gives_the_difference_and_going_to_and_fro_gives_nothing(acme: Company) -> None:
    acme.subscribe("ann", "starter", "2026-01-01")
    acme.change_plan("ann", "team", "2026-01-11", quantities={"seats": 3})
    assert left(acme, "2026-01-11") == 2400  # 800 × 3, of which 1,000 were there
    for on, plan, quantities in (
        ("2026-01-12", "starter", {}),
        ("2026-01-13", "team", {"seats": 3}),
        ("2026-01-14", "plain", {}),
        ("2026-01-15", "team", {"seats": 3}),
    ):
        acme.change_plan("ann", plan, on, quantities=quantities)
    assert left(acme, "2026-01-16") == 2400
    acme.change_seats("ann", 5, "2026-01-20")
    assert left(acme, "2026-01-20") == 4000  # 800 × 5
    acme.change_seats("ann", 2, "2026-01-21")
    assert left(acme, "2026-01-21") == 4000
    use(acme, 4000, "2026-01-25")

    assert left(acme, "2026-02-01") == 1600  # 800 × 2, and nothing was left


def test_a_clock_that_is_moved_on_stops_where_credit_comes_and_goes(acme: Company) -> None:
    acme.subscribe("ann", "starter", "2026-01-10")
    change(acme, add_add_on, "ann", "2026-01-12", plan="boost", at="now")
    acme.bill("2026-01-12")
    with acme.work() as uow:
        stops = [next_instant_of_calendar(uow, after=instant(f"2026-{after}")) for after in ("01-12", "01-26")]

    assert stops == [instant("2026-01-26"), instant("2026-02-10")]  # the gift lasts two weeks; the next month begins


def test_a_pause_grants_nothing_and_what_is_planned_comes_at_its_time(acme: Company) -> None:
    acme.subscribe("ann", "starter", "2026-01-01")
    change(acme, pause, "ann", "2026-01-20", at="now")
    assert left(acme, "2026-02-05") == 0
    change(acme, resume, "ann", "2026-02-10", at="now")
    assert left(acme, "2026-02-10") == 1000
    acme.change_plan("ann", "plain", "2026-02-11", at="period_end")
    assert left(acme, "2026-02-27") == 1000
    assert left(acme, "2026-03-02") == 0
    assert left(acme, "2026-04-02") == 0


def test_add_ons_add_up_and_a_yearly_gift_lasts_two_weeks(acme: Company) -> None:
    acme.subscribe("ann", "starter", "2026-01-01")
    change(acme, add_add_on, "ann", "2026-01-05", plan="boost", at="now")
    assert left(acme, "2026-01-05") == 1250
    assert left(acme, "2026-01-05", code="main") == 3
    with acme.work() as uow:
        grants = uow.fetch_all(
            "select priority, category, features, expires_at from credit_grants where priority < 255"
        )
    assert grants == [(5, "paid", ["api"], instant("2026-01-19"))]

    assert left(acme, "2026-02-01") == 1250 + 500
    assert left(acme, "2026-02-01", code="main") == 0
    assert left(acme, "2027-01-01", code="main") == 3


def test_a_trial_is_entitled_and_one_customer_has_the_credit_of_all_subscriptions(acme: Company) -> None:
    acme.subscribe("ann", "starter", "2026-01-01", trial_days=14)
    acme.subscribe("ann-2", "starter", "2026-01-01")
    acme.subscribe("bob", "starter", "2026-01-01", customer="bob")

    assert (left(acme, "2026-01-01"), left(acme, "2026-01-01", customer="bob")) == (2000, 1000)
    assert (
        left(acme, "2026-01-15") == 2500
    )  # the first month begins with the end of the trial: 1,000 more, 500 roll over
