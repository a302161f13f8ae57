"""Customers who pause: what stops, what it costs, and when it goes on."""

import pytest

from tenor.subscriptions import (
    AlreadyPaused,
    BillingDate,
    Cycles,
    GridRefused,
    NotPaused,
    PauseRefused,
    change_plan,
    pause,
    resume,
    undo_change,
)
from tests.support.changes import change, entries, items, life
from tests.support.company import Company, instant, told

BOOK = """\
price_book: main
currency: USD
tax_mode: exclusive
effective: 2020-01-01T00:00:00Z
products:
  - {code: app, name: App}
metrics:
  - {code: calls, name: Calls, aggregation: sum, field: value}
plans:
  - code: metered
    name: Metered
    product: app
    interval: month
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: 30.00}
      - {code: calls, name: Calls, kind: usage, metric: calls, unit_amount: 0.01}
      - {code: support, name: Support, kind: recurring, amount: 12.00, timing: arrears}
  - code: basic
    name: Basic
    product: app
    interval: month
    charges: [{code: base, name: Base fee, kind: recurring, amount: 30.00}]
  - code: pro
    name: Pro
    product: app
    interval: month
    charges: [{code: base, name: Base fee, kind: recurring, amount: 60.00}]
"""


@pytest.fixture(autouse=True)
def _sold(acme: Company) -> None:
    acme.sell(BOOK)


def test_pause_then_downgrade_then_resume_is_boring(acme: Company) -> None:
    acme.subscribe("ann", "pro", "2026-04-01")
    acme.bill("2026-04-01")  # 60.00 for April

    paused = change(acme, pause, "ann", "2026-04-11", at="now")
    assert paused.status == "paused"
    # 10 of 30 days were served: 60.00 × 10/30 − 60.00
    assert acme.bill("2026-04-11") == told("""
        CN-1 ann 2026-04-11
        base  2026-04-01 2026-05-01  -40.00
        total -40.00  due 0.00
    """)
    downgraded = change(acme, change_plan, "ann", "2026-04-15", plan="basic", at="now")
    assert downgraded.status == "paused"
    assert acme.bill("2026-04-15") == ""

    resumed = change(acme, resume, "ann", "2026-04-21", at="now")

    assert resumed.status == "active"
    assert life(acme, "ann") == [
        "04-01 04-11 active",
        "04-11 04-15 paused -",
        "04-15 04-21 paused -",
        "04-21 … active",
    ]
    # The dates have stayed: 10 of April's 30 days on Basic, 30.00 × 10/30, paid by the credit of the pause.
    assert acme.bill("2026-04-21") == told("""
        INV-2 ann 2026-04-21
        base  2026-04-01 2026-05-01   10.00
        total 10.00  credit 10.00  due 0.00
    """)
    assert acme.bill("2026-05-01") == told("""
        INV-3 ann 2026-05-01
        base  2026-05-01 2026-06-01   30.00
        total 30.00  credit 30.00  due 0.00
    """)


def test_a_pause_over_a_whole_period_costs_nothing_and_is_resumed_inside_another(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")
    acme.bill("2026-04-01")
    change(acme, pause, "ann", "2026-04-16", at="now")
    acme.bill("2026-04-16")  # 15 of 30 days given back: −15.00
    assert acme.bill("2026-05-01") == ""
    assert acme.bill("2026-06-01") == ""

    change(acme, resume, "ann", "2026-06-21", at="now")

    # 10 of June's 30 days: 30.00 × 10/30
    assert acme.bill("2026-06-21") == told("""
        INV-2 ann 2026-06-21
        base  2026-06-01 2026-07-01   10.00
        total 10.00  credit 10.00  due 0.00
    """)


def test_a_pause_for_two_cycles_from_the_end_of_the_period_has_its_end_in_the_journal(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-01-31")
    acme.bill("2026-01-31")

    change(acme, pause, "ann", "2026-02-10", at="period_end", until=Cycles(2))

    # Periods from a 31st: 28 February, 31 March, 30 April.
    assert entries(acme, "ann") == [("paused", instant("2026-02-28")), ("resumed", instant("2026-04-30"))]
    assert acme.subscription("ann").status == "active"
    assert acme.bill("2026-02-28") == ""
    assert acme.subscription("ann").status == "paused"
    assert acme.bill("2026-03-31") == ""
    assert acme.bill("2026-04-30") == told("""
        INV-2 ann 2026-04-30
        base  2026-04-30 2026-05-31   30.00
        total 30.00  due 30.00
    """)
    assert acme.subscription("ann").status == "active"


def test_unused_time_can_be_lost(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")
    acme.bill("2026-04-01")

    change(acme, pause, "ann", "2026-04-11", at="now", until=instant("2026-05-16"), unused_time="none")

    assert acme.bill("2026-04-11") == ""  # April stays owed whole
    assert acme.bill("2026-05-01") == ""
    # 16 of May's 31 days: 30.00 × 16/31 = 15.4838
    assert acme.bill("2026-05-16") == told("""
        INV-2 ann 2026-05-16
        base  2026-05-01 2026-06-01   15.48
        total 15.48  due 15.48
    """)


def test_unused_time_is_served_after_the_pause_when_the_date_shifts(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")
    acme.bill("2026-04-01")

    change(acme, pause, "ann", "2026-04-11", at="now", unused_time="extend")
    assert acme.bill("2026-04-11") == ""
    resumed = change(acme, resume, "ann", "2026-05-16", at="now")

    # 20 days were left of April; they are served from 16 May, so the next period begins on 5 June.
    assert resumed.status == "active"
    assert life(acme, "ann") == [
        "04-01 04-11 active",
        "04-11 05-16 paused -",
        "05-16 06-05 active -",
        "06-05 … active",
    ]
    assert acme.bill("2026-05-16") == ""
    assert acme.bill("2026-06-05") == told("""
        INV-2 ann 2026-06-05
        base  2026-06-05 2026-07-05   30.00
        total 30.00  due 30.00
    """)


def test_what_is_paid_in_arrears_is_owed_also_in_time_that_was_paid_for_ahead(acme: Company) -> None:
    acme.subscribe("ann", "metered", "2026-04-01")
    acme.bill("2026-04-01")
    change(acme, pause, "ann", "2026-04-11", at="now", until=instant("2026-05-16"), unused_time="extend")
    acme.use("calls", 100, "2026-04-05")
    acme.use("calls", 1000, "2026-04-20")  # paused
    acme.use("calls", 200, "2026-05-20")  # in the 20 days that were paid for in April

    # Support: 10 of April's 30 days; then 20 of the 31 days from 5 May to 5 June: 12.00 × 20/31 = 7.7419.
    assert acme.bill("2026-06-05") == told("""
        INV-2 ann 2026-05-01
        calls    2026-04-01 2026-05-01   1.00
        support  2026-04-01 2026-05-01   4.00
        total 5.00  due 5.00
        INV-3 ann 2026-06-05
        base     2026-06-05 2026-07-05  30.00
        calls    2026-05-05 2026-06-05   2.00
        support  2026-05-05 2026-06-05   7.74
        total 39.74  due 39.74
    """)


def test_a_pause_from_the_end_of_a_period_has_no_paid_time_to_serve(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")
    acme.bill("2026-04-01")

    change(acme, pause, "ann", "2026-04-11", at="period_end", until=instant("2026-05-16"), unused_time="extend")

    assert acme.bill("2026-05-16") == told("""
        INV-2 ann 2026-05-16
        base  2026-05-16 2026-06-16   30.00
        total 30.00  due 30.00
    """)


def test_billing_dates_may_begin_anew_where_service_goes_on(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")
    acme.bill("2026-04-01")
    change(acme, pause, "ann", "2026-04-16", at="now", billing_date=BillingDate.RESTART)
    acme.bill("2026-04-16")  # −15.00

    change(acme, resume, "ann", "2026-05-20", at="now")

    assert acme.bill("2026-05-20") == told("""
        INV-2 ann 2026-05-20
        base  2026-05-20 2026-06-20   30.00
        total 30.00  credit 15.00  due 15.00
    """)


def test_a_shift_keeps_the_local_time_of_day_over_a_change_of_the_clock(acme: Company) -> None:
    acme.customer("ann", timezone="Europe/Berlin")
    acme.subscribe("ann", "basic", "2026-02-28T23:00")  # midnight of 1 March in Berlin, an hour earlier in summer

    change(
        acme, pause, "ann", "2026-03-19T23:00", at="now", until=instant("2026-04-04T22:00"), unused_time="extend"
    )  # from 20 March to 5 April, 12 days before April: to 17 April

    (_, resumed) = items(acme, "ann")
    assert resumed.anchor_at == instant("2026-04-16T22:00")


def test_resumed_early_the_planned_end_is_taken_back_and_the_term_grows_by_what_it_was(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01", ends_at=instant("2026-10-01"))
    change(acme, pause, "ann", "2026-04-11", at="now", until=instant("2026-06-10"), extends_term=True)
    assert acme.subscription("ann").ends_at == instant("2026-11-30")  # 60 days more

    resumed = change(acme, resume, "ann", "2026-04-21", at="now")

    assert (resumed.status, resumed.ends_at) == ("active", instant("2026-10-11"))  # 10 days more
    assert entries(acme, "ann") == [
        ("paused", instant("2026-04-11")),
        ("term_changed", instant("2026-04-11")),
        ("resumed", instant("2026-06-10")),
        ("undone", instant("2026-06-10")),
        ("undone", instant("2026-04-11")),
        ("term_changed", instant("2026-04-11")),
        ("resumed", instant("2026-04-21")),
    ]


def test_a_pause_can_be_prolonged(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")
    change(acme, pause, "ann", "2026-04-11", at="now", until=instant("2026-05-01"))

    change(acme, resume, "ann", "2026-04-20", at="2026-06-01")

    assert life(acme, "ann") == ["04-01 04-11 active", "04-11 06-01 paused -", "06-01 … active"]


def test_a_pause_that_is_undone_takes_its_end_along(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01", ends_at=instant("2026-10-01"))
    change(
        acme,
        pause,
        "ann",
        "2026-04-11",
        at="period_end",
        until=Cycles(1),
        unused_time="extend",
        extends_term=True,
    )

    undone = change(acme, undo_change, "ann", "2026-04-12", entry=2)

    assert life(acme, "ann") == ["04-01 10-01 active"]
    assert (undone.version, undone.ends_at) == (7, instant("2026-10-01"))


def test_changes_that_are_planned_lie_ahead_also_of_a_pause(acme: Company) -> None:
    acme.subscribe("ann", "pro", "2026-04-01")
    acme.bill("2026-04-01")
    change(acme, change_plan, "ann", "2026-04-02", plan="basic", at="period_end")

    change(acme, pause, "ann", "2026-04-11", at="now", until=instant("2026-05-16"), unused_time="extend")

    # Paid is Pro up to 1 May: 20 days are served from 16 May, on Basic by then; Basic is billed from 5 June.
    assert acme.bill("2026-05-16") == ""
    assert acme.bill("2026-06-05") == told("""
        INV-2 ann 2026-06-05
        base  2026-06-05 2026-07-05   30.00
        total 30.00  due 30.00
    """)


def test_a_plan_that_changes_in_a_pause_of_known_end_is_resumed_on_the_shifted_dates(acme: Company) -> None:
    acme.subscribe("ann", "pro", "2026-04-01")
    acme.bill("2026-04-01")
    change(acme, pause, "ann", "2026-04-11", at="now", until=instant("2026-05-16"), unused_time="extend")

    change(acme, change_plan, "ann", "2026-04-20", plan="basic", at="now")

    assert acme.bill("2026-05-16") == ""
    assert acme.bill("2026-06-05") == told("""
        INV-2 ann 2026-06-05
        base  2026-06-05 2026-07-05   30.00
        total 30.00  due 30.00
    """)


def test_a_backdated_pause_corrects_what_was_billed_since(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")
    acme.bill("2026-05-01")  # April and May

    change(acme, pause, "ann", "2026-05-10", at="2026-04-16")

    # Half of April, and all of May.
    assert acme.bill("2026-05-10") == told("""
        CN-1 ann 2026-05-10
        base  2026-04-01 2026-05-01  -15.00
        base  2026-05-01 2026-06-01  -30.00
        total -45.00  due 0.00
    """)


def test_what_is_paused_is_not_paused_and_what_runs_is_not_resumed(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")
    with pytest.raises(NotPaused, match="at 2026-04-11T00:00:00Z the subscription is not paused"):
        change(acme, resume, "ann", "2026-04-11", at="now")
    change(acme, pause, "ann", "2026-04-11", at="2026-05-01", until=instant("2026-06-01"))

    for at, until in (("2026-05-01", None), ("2026-05-20", "2026-05-21"), ("2026-04-20", "2026-05-02"), ("now", None)):
        with pytest.raises(AlreadyPaused, match=r"paused from 2026-05-01T00:00:00Z until 2026-06-01T00:00:00Z \(entry"):
            change(acme, pause, "ann", "2026-04-12", at=at, until=until and instant(until))
    with pytest.raises(NotPaused):
        change(acme, resume, "ann", "2026-04-12", at="2026-06-01")
    assert acme.subscription("ann").version == 3


def test_pauses_that_cannot_be_are_refused(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")
    with pytest.raises(PauseRefused, match="from 2026-04-11T00:00:00Z cannot end at 2026-04-11T00:00:00Z"):
        change(acme, pause, "ann", "2026-04-11", at="now", until=instant("2026-04-11"))
    with pytest.raises(PauseRefused, match="only if the billing date shifts, not restart"):
        change(acme, pause, "ann", "2026-04-11", at="now", unused_time="extend", billing_date=BillingDate.RESTART)
    acme.subscribe("bob", "basic", "2026-04-01", profile="lago")
    with pytest.raises(GridRefused, match="profile 'lago' bills civil periods"):
        change(acme, pause, "bob", "2026-04-11", at="now", until=instant("2026-05-11"), unused_time="extend")
    assert acme.subscription("ann").version == acme.subscription("bob").version == 1
