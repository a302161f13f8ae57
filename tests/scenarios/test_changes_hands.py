"""Customers whose billing dates move, who hand a subscription over, or who bring a coupon."""

from decimal import Decimal

import pytest

from tenor.customers import CustomerDetails, register_customers
from tenor.kernel.ids import CustomerId
from tenor.kernel.money import Money
from tenor.pricing import create_coupon
from tenor.pricing.discounts.model import DiscountTerms, Limits
from tenor.subscriptions import (
    Cancelled,
    DiscountApplied,
    GridRefused,
    NoSuchDiscount,
    NotADayOfMonth,
    Subscribed,
    TermsRefused,
    TransferRefused,
    UndoRefused,
    add_add_on,
    apply_discount,
    move_anchor,
    pause,
    remove_discount,
    transfer,
    undo_change,
)
from tests.support.changes import BOOK, change, items, journal, life
from tests.support.company import SINCE, Company, instant, told


@pytest.fixture(autouse=True)
def _sold(acme: Company) -> None:
    acme.sell(BOOK)


# --- billing dates ----------------------------------------------------------------------------------------


def test_a_new_billing_day_costs_the_days_up_to_it(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")
    acme.bill("2026-04-01")

    change(acme, move_anchor, "ann", "2026-04-10", to=15, at="period_end")

    assert acme.bill("2026-04-10") == ""
    # 1 to 15 May are 14 of the 30 days from 15 April to 15 May: 30.00 × 14/30
    assert acme.bill("2026-05-15") == told("""
        INV-2 ann 2026-05-01
        base  2026-04-15 2026-05-15   14.00
        total 14.00  due 14.00
        INV-3 ann 2026-05-15
        base  2026-05-15 2026-06-15   30.00
        total 30.00  due 30.00
    """)


def test_billing_dates_that_move_at_once_give_back_the_rest_of_the_period(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")
    acme.bill("2026-04-01")

    change(acme, move_anchor, "ann", "2026-04-16", to=instant("2026-04-16"), at="now")

    assert acme.bill("2026-04-16") == told("""
        INV-2 ann 2026-04-16
        base  2026-04-01 2026-05-01  -15.00
        base  2026-04-16 2026-05-16   30.00
        total 15.00  due 15.00
    """)


def test_a_31st_is_the_31st_wherever_there_is_one(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-01-15")

    change(acme, move_anchor, "ann", "2026-02-20", to=31, at="2026-03-15")
    acme.bill("2026-06-30")

    assert [line.period.end.strftime("%m-%d") for name in acme.names() for line in acme.document(name).lines] == [
        "02-15",
        "03-15",
        "03-31",
        "04-30",
        "05-31",
        "06-30",
        "07-31",
    ]


def test_the_day_of_a_yearly_plan_moves_inside_its_own_month(acme: Company) -> None:
    acme.subscribe("ann", "yearly", "2026-05-01")
    acme.bill("2026-05-01")

    change(acme, move_anchor, "ann", "2026-08-20", to=10, at="period_end")

    # Nine of the 365 days from 10 May 2026 to 10 May 2027.
    assert acme.bill("2027-05-10") == told("""
        INV-2 ann 2027-05-01
        base  2026-05-10 2027-05-10     9.00
        total 9.00  due 9.00
        INV-3 ann 2027-05-10
        base  2027-05-10 2028-05-10   365.00
        total 365.00  due 365.00
    """)


def test_a_yearly_plan_whose_day_moves_at_once_keeps_its_month(acme: Company) -> None:
    acme.subscribe("ann", "yearly", "2026-05-01")

    change(acme, move_anchor, "ann", "2026-08-20", to=10, at="now")

    assert items(acme, "ann")[-1].anchor_at == instant("2027-05-10")


def test_an_add_on_that_renews_with_the_plan_moves_with_it(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")
    change(acme, add_add_on, "ann", "2026-04-03", plan="tried-team", at="now")
    change(acme, add_add_on, "ann", "2026-04-05", plan="tried-team", at="now", anchor="own")

    change(acme, move_anchor, "ann", "2026-04-10", to=15, at="period_end")

    running = [item for item in items(acme, "ann") if item.ends_at is None]
    assert sorted((item.is_add_on, item.anchor_at.day) for item in running) == [(False, 15), (True, 5), (True, 15)]


def test_dates_that_cannot_move_are_refused(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")
    acme.subscribe("wes", "weekly", "2026-04-01")
    acme.subscribe("leo", "basic", "2026-04-01", profile="lago")
    for day in (0, 32, True):
        with pytest.raises(NotADayOfMonth):
            change(acme, move_anchor, "ann", "2026-04-10", to=day, at="now")
    with pytest.raises(GridRefused, match="plan 'weekly' is billed by the week"):
        change(acme, move_anchor, "wes", "2026-04-10", to=15, at="now")
    with pytest.raises(GridRefused, match="profile 'lago' bills civil periods"):
        change(acme, move_anchor, "leo", "2026-04-10", to=15, at="now")
    with pytest.raises(GridRefused, match="count from that instant already"):
        change(acme, move_anchor, "ann", "2026-04-10", to=instant("2026-04-01"), at="now")


# --- another customer -------------------------------------------------------------------------------------


def bob(acme: Company) -> CustomerId:
    details = CustomerDetails(external_id="bob", name="Bob", timezone="UTC")
    with acme.work() as uow:
        return register_customers(uow, [details], now=instant(SINCE), actor="test", reason="a test")["bob"]


def test_a_transferred_subscription_goes_on_on_its_own_dates_and_each_pays_a_part(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01", prices={"base": "15"}, ends_at=instant("2027-04-01"))
    change(acme, add_add_on, "ann", "2026-04-01", plan="tried-team", at="now", quantities={"seats": Decimal(2)})
    acme.bill("2026-04-01")  # 15.00 + 20.00 + 12.00

    transferred = change(acme, transfer, "ann", "2026-04-16", to=bob(acme), external_id="bob-1", at="now")

    assert (acme.subscription("ann").status, transferred.status) == ("cancelled", "active")
    assert transferred.ends_at == instant("2027-04-01")
    assert acme.bill("2026-04-16") == told("""
        INV-2 bob-1 2026-04-16
        base   2026-04-01 2026-05-01  7.50
        base   2026-04-01 2026-05-01  10.00
        seats  2026-04-01 2026-05-01  6.00
        total 23.50  due 23.50
        CN-1 ann 2026-04-16
        base   2026-04-01 2026-05-01  -7.50
        base   2026-04-01 2026-05-01  -10.00
        seats  2026-04-01 2026-05-01  -6.00
        total -23.50  due 0.00
    """)
    ended, begun = journal(acme, "ann")[-1].facts, journal(acme, "bob-1")[0].facts
    assert isinstance(ended, Cancelled)
    assert isinstance(begun, Subscribed)
    assert (ended.transferred_to, begun.transferred_from) == (transferred.id, acme.subscription("ann").id)


def test_a_transfer_may_begin_dates_of_its_own(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")

    change(acme, transfer, "ann", "2026-04-02", to=bob(acme), external_id="bob-1", at="2026-04-16", anchor="restart")

    assert acme.subscription("bob-1").status == "created"
    assert [item.anchor_at for item in items(acme, "bob-1")] == [instant("2026-04-16")]
    with pytest.raises(UndoRefused, match="is a transfer"):
        change(acme, undo_change, "ann", "2026-04-03", entry=2)


def test_a_trial_goes_on_with_the_other_customer(acme: Company) -> None:
    acme.subscribe("ann", "tried-team", "2026-04-01")

    change(acme, transfer, "ann", "2026-04-08", to=bob(acme), external_id="bob-1", at="now")

    assert life(acme, "bob-1") == ["04-08 04-15 trial -", "04-15 … active"]


def test_what_cannot_be_transferred_is_refused_and_nothing_is_written(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")
    acme.subscribe("eve", "basic", "2026-04-01")
    other = bob(acme)
    stranger = CustomerId(acme.subscription("ann").id)

    def refused(message: str, **asked: object) -> None:
        given = {"to": other, "external_id": "bob-1", "at": "now"} | asked
        with pytest.raises(TransferRefused, match=message):
            change(acme, transfer, "ann", "2026-04-16", **given)

    refused("is that customer's already", to=acme.subscription("ann").customer_id)
    refused("there is no customer cus_", to=stranger)
    refused("external id 'eve' is that of sub_", external_id="eve")
    refused("1 to 200 printable characters", external_id="")
    change(acme, pause, "ann", "2026-04-10", at="now")
    refused("is paused; resume it")
    assert acme.rows("select count(*) from subscriptions") == [(2,)]


# --- coupons ----------------------------------------------------------------------------------------------


def coupon(acme: Company, code: str, *, minimum: str | None = None) -> None:
    """Offer half off for ever."""
    limits = Limits(minimum_order=Money.from_decimal(Decimal(minimum), "USD")) if minimum else None
    terms = DiscountTerms(code=code, name=code, percent_off=Decimal(50))
    with acme.work() as uow:
        create_coupon(uow, terms, limits=limits, now=instant(SINCE), actor="test", reason="")


def test_a_coupon_is_kept_as_it_stood_and_removed_from_a_day_on(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")
    coupon(acme, "half")

    change(acme, apply_discount, "ann", "2026-04-01", coupon="half", at="now")

    applied = journal(acme, "ann")[-1].facts
    assert isinstance(applied, DiscountApplied)
    assert (applied.discount.code, applied.discount.percent_off) == ("half", Decimal(50))
    change(acme, remove_discount, "ann", "2026-04-10", discount=applied.discount.id, at="period_end")
    with pytest.raises(NoSuchDiscount, match="does not hold then; there is none"):
        change(acme, remove_discount, "ann", "2026-04-10", discount=applied.discount.id, at="2026-05-01")


def test_an_undone_discount_gives_its_redemption_back(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")
    coupon(acme, "half")
    change(acme, apply_discount, "ann", "2026-04-01", coupon="half", at="period_end")
    assert acme.rows("select redeemed from coupons") == [(1,)]

    change(acme, undo_change, "ann", "2026-04-02", entry=2)

    assert acme.rows("select redeemed from coupons") == [(0,)]


def test_a_minimum_order_is_measured_by_what_a_period_of_the_plan_costs(acme: Company) -> None:
    acme.subscribe("ann", "tried-team", "2026-04-01", quantities={"seats": 2})
    coupon(acme, "small", minimum="32.00")
    coupon(acme, "large", minimum="32.01")

    change(acme, apply_discount, "ann", "2026-04-01", coupon="small", at="now")  # 20.00 + 2 × 6.00
    with pytest.raises(Exception, match=r"needs an order of 32\.01 USD"):
        change(acme, apply_discount, "ann", "2026-04-01", coupon="large", at="now")
    for words in ({}, {"coupon": "small", "promotion_code": "SMALL"}):
        with pytest.raises(TermsRefused, match="a coupon or a promotion code, and not both"):
            change(acme, apply_discount, "ann", "2026-04-01", at="now", **words)
