"""Customers who change what they have: plans, seats, prices and add-ons, at once, later, and in order."""

from decimal import Decimal

import pytest

from tenor.kernel.ids import ItemId
from tenor.subscriptions import (
    Closing,
    NoSuchAddOn,
    OutsideLife,
    PriceStep,
    TermsRefused,
    VersionConflict,
    add_add_on,
    change_plan,
    change_prices,
    change_quantity,
    pause,
    remove_add_on,
    resume,
    undo_change,
)
from tests.support.changes import BOOK, change, entries, items, life
from tests.support.company import Company, instant, told

EURO = BOOK.replace("price_book: main", "price_book: euro").replace("USD", "EUR").replace("- code: ", "- code: euro-")
TAXED = BOOK.replace("price_book: main", "price_book: taxed").replace("exclusive", "inclusive")
TAXED = TAXED.replace("- code: ", "- code: taxed-")


@pytest.fixture(autouse=True)
def _sold(acme: Company) -> None:
    acme.sell(BOOK)


def seats(count: int | str) -> dict[str, Decimal]:
    return {"seats": Decimal(count)}


# --- plans ------------------------------------------------------------------------------------------------


def test_a_plan_by_the_year_begins_its_own_dates_on_the_day_of_the_change(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")
    acme.bill("2026-04-01")

    change(acme, change_plan, "ann", "2026-04-16", plan="yearly", at="now")

    # Half of April goes back; the year begins.
    assert acme.bill("2026-04-16") == told("""
        INV-2 ann 2026-04-16
        base  2026-04-01 2026-05-01  -15.00
        base  2026-04-16 2027-04-16  365.00
        total 350.00  due 350.00
    """)


@pytest.mark.parametrize(
    ("closing", "credit_minor"),
    [
        (Closing.PRORATED, -1500),  # 15 of 30 days
        (Closing.WHOLE, 0),
        (Closing.FREE, -3000),
    ],
)
def test_what_a_change_gives_back_of_the_former_plan_is_asked(
    acme: Company, closing: Closing, credit_minor: int
) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")
    acme.bill("2026-04-01")

    change(acme, change_plan, "ann", "2026-04-16", plan="yearly", at="now", closing=closing)
    acme.bill("2026-04-16")

    lines = acme.document("INV-2").lines
    assert [line.amount_minor for line in lines] == [*([credit_minor] if credit_minor else []), 36500]


def test_the_newest_edition_of_the_plan_is_taken_when_asked_for_and_not_before(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")
    acme.sell(BOOK.replace("amount: 30.00", "amount: 33.00").replace("2020-01-01", "2026-04-05"), on="2026-04-05")
    assert "base 2026-04-01 2026-05-01 30.00" in acme.bill("2026-04-10")

    change(acme, change_plan, "ann", "2026-04-10", plan="basic", at="period_end")

    assert acme.bill("2026-05-01") == told("""
        INV-2 ann 2026-05-01
        base  2026-05-01 2026-06-01   33.00
        total 33.00  due 33.00
    """)


@pytest.mark.parametrize(
    ("profile", "plan", "at"),
    [
        ("tenor", "basic", "2026-04-11"),
        ("lago", "basic", "2026-05-01"),  # a downgrade waits for the end of the period
        ("lago", "even", "2026-04-11"),  # an equal price is an upgrade
        ("lago", "yearly", "2026-05-01"),  # 365.00 a year is less than 12 × 60.00
    ],
)
def test_the_profile_says_when_a_downgrade_takes_effect(acme: Company, profile: str, plan: str, at: str) -> None:
    acme.subscribe("ann", "pro", "2026-04-01", profile=profile)

    change(acme, change_plan, "ann", "2026-04-11", plan=plan, effective=None)

    assert entries(acme, "ann") == [("plan_changed", instant(at))]


def test_a_plan_in_another_currency_or_tax_mode_is_refused_also_as_an_add_on(acme: Company) -> None:
    acme.sell(EURO)
    acme.sell(TAXED)
    acme.subscribe("ann", "basic", "2026-04-01")

    for operation in (change_plan, add_add_on):
        with pytest.raises(TermsRefused, match="plan: 'euro-pro' is in EUR, tax exclusive; the subscription is in USD"):
            change(acme, operation, "ann", "2026-04-11", plan="euro-pro", at="now")
        with pytest.raises(TermsRefused, match="plan: 'taxed-pro' is in USD, tax inclusive"):
            change(acme, operation, "ann", "2026-04-11", plan="taxed-pro", at="now")
    assert acme.subscription("ann").version == 1


def test_two_changes_in_the_same_second_keep_their_order(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")
    acme.bill("2026-04-01")

    change(acme, change_plan, "ann", "2026-04-16", plan="pro", at="now")
    change(acme, change_plan, "ann", "2026-04-16", plan="team", at="now", quantities=seats(2))

    # Pro has never run: −15.00 + 20.00/2 + 12.00/2
    assert acme.bill("2026-04-16") == told("""
        INV-2 ann 2026-04-16
        base   2026-04-01 2026-05-01  -15.00
        base   2026-04-01 2026-05-01   10.00
        seats  2026-04-01 2026-05-01    6.00
        total 1.00  due 1.00
    """)


def test_a_change_that_is_repeated_conflicts_and_is_never_made_twice(acme: Company) -> None:
    acme.subscribe("ann", "team", "2026-04-01")
    change(acme, change_quantity, "ann", "2026-04-11", quantities=seats(5), at="now", version=1)

    with pytest.raises(VersionConflict, match="is at version 2, not 1"):
        change(acme, change_quantity, "ann", "2026-04-11", quantities=seats(5), at="now", version=1)
    with pytest.raises(OutsideLife, match="at 2026-03-31T00:00:00Z nothing of the subscription runs"):
        change(acme, change_plan, "ann", "2026-04-11", plan="pro", at="2026-03-31")


def test_a_planned_change_follows_dates_that_move_before_it(acme: Company) -> None:
    acme.subscribe("ann", "team", "2026-04-01", quantities=seats(2))
    change(acme, change_plan, "ann", "2026-04-02", plan="pro", at="2026-07-10")
    change(acme, change_plan, "ann", "2026-04-02", plan="team", at="2026-08-10", quantities=seats(3))
    change(acme, change_quantity, "ann", "2026-04-02", quantities=seats(4), at="2026-08-10")

    change(acme, pause, "ann", "2026-04-11", at="now", until=instant("2026-05-11"), unused_time="extend")

    # Twenty days were left of April, so the billing day is the 31st of May for all plans that follow.
    assert [item.anchor_at for item in items(acme, "ann")] == [instant("2026-04-01"), *[instant("2026-05-31")] * 3]
    assert items(acme, "ann")[-1].phases[-1].terms.quantities == seats(4)

    change(acme, resume, "ann", "2026-04-21", at="now")  # ten days: the 11th

    assert [item.anchor_at for item in items(acme, "ann")] == [instant("2026-04-01"), *[instant("2026-05-11")] * 3]
    assert items(acme, "ann")[-1].phases[-1].terms.quantities == seats(4)


# --- seats ------------------------------------------------------------------------------------------------


def test_with_the_ratchet_seats_rise_at_once_and_fall_at_renewal(acme: Company) -> None:
    acme.subscribe("ann", "team", "2026-04-01", quantities=seats(5))
    acme.bill("2026-04-01")

    change(acme, change_quantity, "ann", "2026-04-11", quantities=seats(2), at="now", decrease="renewal")
    assert acme.bill("2026-04-11") == ""
    change(acme, change_quantity, "ann", "2026-04-16", quantities=seats(7), at="now", decrease="renewal")

    # Two seats more for 15 of 30 days: 2 × 6.00 / 2
    assert acme.bill("2026-04-16") == told("""
        INV-2 ann 2026-04-16
        seats  2026-04-01 2026-05-01  6.00
        total 6.00  due 6.00
    """)
    assert acme.bill("2026-05-01") == told("""
        INV-3 ann 2026-05-01
        base   2026-05-01 2026-06-01  20.00
        seats  2026-05-01 2026-06-01  12.00
        total 32.00  due 32.00
    """)


def test_a_ratchet_that_clicks_on_a_boundary_falls_there(acme: Company) -> None:
    acme.subscribe("ann", "team", "2026-04-01", quantities=seats(5))

    change(acme, change_quantity, "ann", "2026-04-11", quantities=seats(2), at="2026-05-01", decrease="renewal")

    assert entries(acme, "ann") == [("quantity_changed", instant("2026-05-01"))]


@pytest.mark.parametrize("count", ["NaN", "-1", "Infinity", "1e20"])
def test_seats_that_are_no_number_are_refused(acme: Company, count: str) -> None:
    acme.subscribe("ann", "team", "2026-04-01")
    with pytest.raises(TermsRefused, match=r"quantities\.seats: "):
        change(acme, change_quantity, "ann", "2026-04-11", quantities=seats(count), at="now")


# --- prices -----------------------------------------------------------------------------------------------


def test_a_ramp_is_agreed_in_one_call_and_ends_in_the_price_of_the_plan(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")
    steps = [
        PriceStep(instant("2026-06-01"), {"base": None}),
        PriceStep("now", {"base": Decimal(10)}),
        PriceStep("period_end", {"base": Decimal("20.50")}),
    ]

    change(acme, change_prices, "ann", "2026-04-01", steps=steps)

    assert entries(acme, "ann") == [
        ("prices_changed", instant(day)) for day in ("2026-04-01", "2026-05-01", "2026-06-01")
    ]
    assert acme.bill("2026-06-01") == told("""
        INV-1 ann 2026-04-01
        base  2026-04-01 2026-05-01   10.00
        total 10.00  due 10.00
        INV-2 ann 2026-05-01
        base  2026-05-01 2026-06-01   20.50
        total 20.50  due 20.50
        INV-3 ann 2026-06-01
        base  2026-06-01 2026-07-01   30.00
        total 30.00  due 30.00
    """)


def test_a_price_that_changes_inside_a_period_costs_each_part_its_own(acme: Company) -> None:
    acme.subscribe("ann", "team", "2026-04-01", quantities=seats(2))
    acme.bill("2026-04-01")

    change(acme, change_prices, "ann", "2026-04-16", steps=[PriceStep("now", {"seats": Decimal("4.005")})])

    # 2 × 6.00 × 15/30 + 2 × 4.005 × 15/30 − 12.00 = −1.995, rounded with the whole: 10.005 → 10.01
    assert acme.bill("2026-04-16") == told("""
        CN-1 ann 2026-04-16
        seats  2026-04-01 2026-05-01  -1.99
        total -1.99  due 0.00
    """)


def test_steps_of_a_ramp_are_refused_at_their_place(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")
    wrong = [
        PriceStep("now", {"seats": Decimal(1)}),
        PriceStep(instant("2026-05-01"), {"base": Decimal("1.005")}),
        PriceStep(instant("2026-05-01"), {"base": None}),
        PriceStep(instant("2026-06-01"), {}),
        PriceStep(instant("2026-07-01"), {"base": Decimal(-1)}),
    ]

    with pytest.raises(TermsRefused) as refusal:
        change(acme, change_prices, "ann", "2026-04-01", steps=wrong)

    assert refusal.value.details["flaws"] == [
        {"field": "steps[0].prices.seats", "message": "plan 'basic' has no such charge; it has base"},
        {"field": "steps[1].prices.base", "message": "1.005 is finer than USD has digits"},
        {"field": "steps[2].effective", "message": "another step has the same instant"},
        {"field": "steps[3].prices", "message": "none are named"},
        {"field": "steps[4].prices.base", "message": "unit price: -1 is negative"},
    ]
    with pytest.raises(TermsRefused, match="steps: none are named"):
        change(acme, change_prices, "ann", "2026-04-01", steps=[])


# --- add-ons ----------------------------------------------------------------------------------------------


def the_add_on(acme: Company, name: str) -> ItemId:
    return [item.id for item in items(acme, name) if item.is_add_on][-1]


def test_an_add_on_renews_with_the_plan_and_can_be_changed_and_removed(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")
    acme.bill("2026-04-01")
    change(acme, add_add_on, "ann", "2026-04-16", plan="storage", at="now")

    # Half of April: 9.00/2 + 3.00/2
    assert acme.bill("2026-04-16") == told("""
        INV-2 ann 2026-04-16
        space  2026-04-01 2026-05-01  4.50
        disks  2026-04-01 2026-05-01  1.50
        total 6.00  due 6.00
    """)
    storage = the_add_on(acme, "ann")
    change(
        acme, change_quantity, "ann", "2026-04-20", quantities={"disks": Decimal(3)}, at="period_end", add_on=storage
    )
    change(acme, remove_add_on, "ann", "2026-04-21", add_on=storage, at="2026-05-17")

    assert acme.bill("2026-05-01") == told("""
        INV-3 ann 2026-05-01
        base   2026-05-01 2026-06-01  30.00
        space  2026-05-01 2026-06-01   4.65
        disks  2026-05-01 2026-06-01   4.65
        total 39.30  due 39.30
    """)  # 16 of 31 days are agreed: 9.00 × 16/31 = 4.645, and 3 × 3.00 × 16/31 the same
    assert acme.bill("2026-05-17") == ""


def test_an_add_on_shares_pauses_and_the_end(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")
    change(acme, add_add_on, "ann", "2026-04-01", plan="storage", at="now", quantities={"disks": Decimal(2)})
    acme.bill("2026-04-01")  # 30.00 + 9.00 + 6.00

    change(acme, pause, "ann", "2026-04-11", at="now", until=instant("2026-04-21"), unused_time="extend")

    # The dates move by ten days for both.
    assert acme.bill("2026-05-11") == told("""
        INV-2 ann 2026-05-11
        base   2026-05-11 2026-06-11  30.00
        space  2026-05-11 2026-06-11   9.00
        disks  2026-05-11 2026-06-11   6.00
        total 45.00  due 45.00
    """)
    acme.cancel("ann", "2026-05-12", at="period_end")
    assert {item.ends_at for item in items(acme, "ann")[2:]} == {instant("2026-06-11")}


def test_the_plan_of_an_add_on_is_changed_beside_that_of_the_subscription(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")
    change(acme, add_add_on, "ann", "2026-04-01", plan="storage", at="now")
    acme.bill("2026-04-01")

    change(acme, change_plan, "ann", "2026-04-16", plan="team", at="now", add_on=the_add_on(acme, "ann"))

    # −9.00/2 − 3.00/2 + 20.00/2 + 6.00/2
    assert acme.bill("2026-04-16") == told("""
        INV-2 ann 2026-04-16
        space  2026-04-01 2026-05-01  -4.50
        disks  2026-04-01 2026-05-01  -1.50
        base   2026-04-01 2026-05-01  10.00
        seats  2026-04-01 2026-05-01   3.00
        total 7.00  due 7.00
    """)


def test_an_add_on_that_does_not_run_is_refused_with_those_that_do(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")
    change(acme, add_add_on, "ann", "2026-04-11", plan="storage", at="now")
    storage = the_add_on(acme, "ann")

    with pytest.raises(NoSuchAddOn, match=r"at 2026-04-05T00:00:00Z no add-on itm_\w+ runs; there is none"):
        change(acme, remove_add_on, "ann", "2026-04-12", add_on=storage, at="2026-04-05")
    plan = items(acme, "ann")[0].id
    with pytest.raises(NoSuchAddOn, match=r"there is itm_\w+ \(storage\)"):
        change(acme, remove_add_on, "ann", "2026-04-12", add_on=plan, at="now")


def test_a_planned_add_on_is_taken_back(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")
    change(acme, add_add_on, "ann", "2026-04-11", plan="storage", at="period_end")

    change(acme, undo_change, "ann", "2026-04-12", entry=2)

    assert life(acme, "ann") == ["04-01 … active"]
