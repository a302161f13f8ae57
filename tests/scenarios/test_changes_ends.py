"""Customers who try, stay, leave and come back: trials, terms, cancellations, and taking them back."""

import pytest

from tenor.kernel.calendar import Interval, Unit
from tenor.subscriptions import (
    AlreadyCancelled,
    Closing,
    NotInTrial,
    OutsideLife,
    TermRefused,
    TrialRefused,
    UndoRefused,
    cancel,
    change_plan,
    convert_trial,
    end_trial,
    extend_term,
    extend_trial,
    pause,
    renew,
    resume,
    shorten_term,
    undo_change,
)
from tests.support.changes import BOOK, change, entries, items, life
from tests.support.company import Company, instant, told

YEAR = Interval(Unit.YEAR)


@pytest.fixture(autouse=True)
def _sold(acme: Company) -> None:
    acme.sell(BOOK)


# --- trials -----------------------------------------------------------------------------------------------


def test_an_extended_trial_moves_the_billing_dates_with_it(acme: Company) -> None:
    acme.subscribe("ann", "tried", "2026-04-01")

    extended = change(acme, extend_trial, "ann", "2026-04-10", ends_at=instant("2026-04-20"))

    assert (extended.status, extended.trial_ends_at) == ("trialing", instant("2026-04-20"))
    assert acme.bill("2026-04-15") == ""
    assert acme.bill("2026-04-20") == told("""
        INV-1 ann 2026-04-20
        base  2026-04-20 2026-05-20   30.00
        total 30.00  due 30.00
    """)
    assert acme.subscription("ann").status == "active"


def test_a_trial_is_converted_at_once_also_one_that_would_lapse(acme: Company) -> None:
    acme.subscribe("ann", "tried", "2026-04-01", trial_converts=False)

    converted = change(acme, convert_trial, "ann", "2026-04-06", at="now")

    assert converted.status == "active"
    assert acme.bill("2026-05-06") == told("""
        INV-1 ann 2026-04-06
        base  2026-04-06 2026-05-06   30.00
        total 30.00  due 30.00
        INV-2 ann 2026-05-06
        base  2026-05-06 2026-06-06   30.00
        total 30.00  due 30.00
    """)


def test_a_trial_is_converted_on_a_day_ahead_which_can_be_undone(acme: Company) -> None:
    acme.subscribe("ann", "tried", "2026-04-01")

    planned = change(acme, convert_trial, "ann", "2026-04-02", at="2026-04-08")
    assert (planned.status, planned.trial_ends_at) == ("trialing", instant("2026-04-08"))
    undone = change(acme, undo_change, "ann", "2026-04-03", entry=2)

    assert (undone.status, undone.trial_ends_at) == ("trialing", instant("2026-04-15"))
    assert acme.bill("2026-04-15").startswith("INV-1 ann 2026-04-15")


def test_a_trial_that_is_ended_costs_nothing(acme: Company) -> None:
    acme.subscribe("ann", "tried", "2026-04-01")
    acme.subscribe("bob", "tried", "2026-04-01")

    assert change(acme, end_trial, "ann", "2026-04-06", at="now").status == "cancelled"
    assert change(acme, end_trial, "bob", "2026-04-06", at="period_end").status == "trialing"

    assert acme.bill("2026-06-01") == ""
    assert acme.subscription("bob").status == "cancelled"
    assert life(acme, "bob") == ["04-01 04-15 trial -"]


def test_a_plan_that_changes_in_a_trial_gives_no_second_trial_and_its_dates_follow_the_extension(
    acme: Company,
) -> None:
    acme.subscribe("ann", "tried", "2026-04-01")
    change(acme, change_plan, "ann", "2026-04-05", plan="yearly", at="2026-04-12")

    change(acme, extend_trial, "ann", "2026-04-10", ends_at=instant("2026-04-20"))

    assert acme.bill("2026-04-20") == told("""
        INV-1 ann 2026-04-20
        base  2026-04-20 2027-04-20   365.00
        total 365.00  due 365.00
    """)


def test_trials_that_do_not_run_or_would_not_be_longer_are_refused(acme: Company) -> None:
    acme.subscribe("ann", "tried", "2026-04-01", ends_at=instant("2026-06-01"))
    acme.subscribe("bob", "basic", "2026-04-01")
    for ends_at in ("2026-04-15", "2026-04-10", "2026-06-01"):
        with pytest.raises(TrialRefused, match="after its end, 2026-04-15T00:00:00Z and before the end of the term"):
            change(acme, extend_trial, "ann", "2026-04-10", ends_at=instant(ends_at))
    for operation in (convert_trial, end_trial):
        with pytest.raises(NotInTrial, match="the subscription has no trial"):
            change(acme, operation, "bob", "2026-04-10", at="now")
        with pytest.raises(NotInTrial, match="no trial runs: it ended at 2026-04-15T00:00:00Z"):
            change(acme, operation, "ann", "2026-04-20", at="now")
    assert acme.subscription("ann").version == acme.subscription("bob").version == 1


# --- terms ------------------------------------------------------------------------------------------------


def test_the_end_of_a_term_is_noticed_and_a_renewal_makes_it_good_again(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01", ends_at=instant("2027-04-01"), notice_days=30)
    acme.bill("2027-03-01")
    assert acme.subscription("ann").status == "active"
    acme.bill("2027-03-02")
    assert acme.subscription("ann").status == "expiring_soon"

    renewed = change(acme, renew, "ann", "2027-03-10", by=YEAR)

    assert (renewed.status, renewed.ends_at) == ("active", instant("2028-04-01"))
    assert entries(acme, "ann") == [("term_changed", instant("2027-04-01"))]
    undone = change(acme, undo_change, "ann", "2027-03-11", entry=2)
    assert (undone.status, undone.ends_at) == ("expiring_soon", instant("2027-04-01"))


def test_a_term_that_has_expired_is_renewed_without_a_gap(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-03-01", ends_at=instant("2026-05-01"))
    acme.bill("2026-05-01")
    assert acme.subscription("ann").status == "expired"

    renewed = change(acme, renew, "ann", "2026-05-10", by=YEAR)

    assert (renewed.status, renewed.ends_at) == ("active", instant("2027-05-01"))
    assert acme.bill("2026-05-10") == told("""
        INV-3 ann 2026-05-10
        base  2026-05-01 2026-06-01   30.00
        total 30.00  due 30.00
    """)


def test_a_change_after_the_term_has_renewed_itself_goes_on_from_the_renewal(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-03-01", ends_at=instant("2026-04-01"), renewal=Interval(Unit.MONTH))

    paused = change(acme, pause, "ann", "2026-04-11", at="now", until=instant("2026-04-21"), extends_term=True)
    resumed = change(acme, resume, "ann", "2026-04-16", at="now")

    # The renewal is entry 2, to 1 May; the pause of five days carries it to the 6th.
    assert (paused.version, paused.ends_at) == (5, instant("2026-05-11"))
    assert (resumed.status, resumed.ends_at) == ("active", instant("2026-05-06"))


def test_the_agreed_renewal_can_be_made_ahead(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-03-01", ends_at=instant("2026-09-01"), renewal=YEAR)

    assert change(acme, renew, "ann", "2026-04-11", by=None).ends_at == instant("2027-09-01")


def test_a_term_of_a_year_from_29_february_ends_on_the_28th(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2028-01-01", ends_at=instant("2028-02-29"))

    assert change(acme, extend_term, "ann", "2028-01-10", by=YEAR).ends_at == instant("2029-02-28")


def test_a_term_that_is_shortened_is_credited_like_any_end(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01", ends_at=instant("2026-10-01"))
    acme.bill("2026-04-01")

    shortened = change(acme, shorten_term, "ann", "2026-04-06", ends_at=instant("2026-04-16"))

    assert shortened.ends_at == instant("2026-04-16")
    # 15 of 30 days
    assert acme.bill("2026-04-06") == told("""
        CN-1 ann 2026-04-06
        base  2026-04-01 2026-05-01  -15.00
        total -15.00  due 0.00
    """)
    acme.bill("2026-04-16")
    assert acme.subscription("ann").status == "expired"


def test_terms_that_cannot_be_are_refused(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01", ends_at=instant("2026-10-01"))
    acme.subscribe("bob", "basic", "2026-04-01")
    with pytest.raises(TermRefused, match="2026-09-01T00:00:00Z is not after the term's end, 2026-10-01T00:00:00Z"):
        change(acme, extend_term, "ann", "2026-04-10", by=instant("2026-09-01"))
    with pytest.raises(TermRefused, match="2026-10-01T00:00:00Z is not before the term's end"):
        change(acme, shorten_term, "ann", "2026-04-10", ends_at=instant("2026-10-01"))
    with pytest.raises(TermRefused, match="2026-04-10T00:00:00Z is not ahead; cancel"):
        change(acme, shorten_term, "ann", "2026-04-10", ends_at=instant("2026-04-10"))
    with pytest.raises(TermRefused, match="no term that ends"):
        change(acme, extend_term, "bob", "2026-04-10", by=YEAR)
    with pytest.raises(TermRefused, match="no renewal is agreed; say by how much"):
        change(acme, renew, "ann", "2026-04-10", by=None)
    change(acme, renew, "ann", "2026-04-10", by=YEAR)
    with pytest.raises(TermRefused, match="entry 2 changes the term at 2026-10-01T00:00:00Z; undo it first"):
        change(acme, extend_term, "ann", "2026-04-10", by=YEAR)
    change(acme, undo_change, "ann", "2026-04-10", entry=2)
    acme.cancel("ann", "2026-04-10", at="2026-05-01")
    for operation in (extend_term, renew):
        with pytest.raises(TermRefused, match=r"cancelled for 2026-05-01T00:00:00Z \(entry 4\)"):
            change(acme, operation, "ann", "2026-04-11", by=YEAR)


# --- ends, and taking back --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("closing", "credited"),
    [
        (Closing.PRORATED, "-20.00"),  # 20 of 30 days
        (Closing.WHOLE, ""),
        (Closing.FREE, "-30.00"),
    ],
)
def test_the_credit_of_a_cancellation_is_asked(acme: Company, closing: Closing, credited: str) -> None:
    acme.subscribe("ann", "basic", "2026-03-01")
    acme.bill("2026-04-01")

    change(acme, cancel, "ann", "2026-04-11", at="now", closing=closing)

    billed = acme.bill("2026-04-11")
    assert billed == (
        told(f"""
            CN-1 ann 2026-04-11
            base  2026-04-01 2026-05-01  {credited}
            total {credited}  due 0.00
        """)
        if credited
        else ""
    )


def test_a_cancellation_is_undone_while_it_is_ahead(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")
    acme.bill("2026-04-01")
    cancelled = change(acme, cancel, "ann", "2026-04-11", at="period_end")
    assert (cancelled.ends_at, cancelled.cancels_at_end) == (instant("2026-05-01"), True)

    undone = change(acme, undo_change, "ann", "2026-04-12", entry=2)

    assert (undone.status, undone.ends_at, undone.cancels_at_end) == ("active", None, False)
    assert acme.bill("2026-05-01").startswith("INV-2 ann 2026-05-01")


def test_a_cancellation_for_an_earlier_day_takes_the_place_of_one_ahead(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")
    change(acme, cancel, "ann", "2026-04-11", at="2026-06-15")

    change(acme, cancel, "ann", "2026-04-12", at="period_end")
    with pytest.raises(AlreadyCancelled, match=r"cancelled for 2026-05-01T00:00:00Z \(entry 4\); undo that entry"):
        change(acme, cancel, "ann", "2026-04-13", at="2026-06-15")
    change(acme, undo_change, "ann", "2026-04-13", entry=4)

    assert life(acme, "ann") == ["04-01 … active"]


def test_what_has_taken_effect_is_taken_back_only_when_that_is_asked_for(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")
    acme.bill("2026-04-01")
    change(acme, change_plan, "ann", "2026-04-16", plan="pro", at="now")
    acme.bill("2026-04-16")  # −15.00 + 30.00

    with pytest.raises(UndoRefused, match="entry 2 has taken effect at 2026-04-16T00:00:00Z; undo it backdated"):
        change(acme, undo_change, "ann", "2026-04-20", entry=2)
    change(acme, undo_change, "ann", "2026-04-20", entry=2, is_backdated=True)

    assert acme.bill("2026-04-20") == told("""
        CN-1 ann 2026-04-20
        base  2026-04-01 2026-05-01  -30.00
        base  2026-04-01 2026-05-01   15.00
        total -15.00  due 0.00
    """)


def test_an_undone_change_of_plan_gives_a_planned_pause_its_item_back(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")
    change(acme, change_plan, "ann", "2026-04-02", plan="pro", at="2026-04-05")
    change(acme, pause, "ann", "2026-04-03", at="2026-04-11", until=instant("2026-04-21"), unused_time="extend")

    change(acme, undo_change, "ann", "2026-04-04", entry=2)

    assert [item.anchor_at for item in items(acme, "ann")] == [instant("2026-04-01"), instant("2026-05-11")]
    assert life(acme, "ann") == [
        "04-01 04-11 active",
        "04-11 04-21 paused -",
        "04-21 05-11 active -",
        "05-11 … active",
    ]


def test_what_cannot_be_taken_back_is_refused_with_what_to_do_instead(acme: Company) -> None:
    acme.subscribe("ann", "basic", "2026-04-01")
    change(acme, change_plan, "ann", "2026-04-02", plan="pro", at="period_end")
    change(acme, undo_change, "ann", "2026-04-03", entry=2)
    refused = {
        1: "is the start, which cannot be taken back; cancel instead",
        2: "has been taken back already",
        3: "takes one back and cannot be taken back; make the change anew",
        4: "there is no entry 4; the journal has 1 to 3",
    }
    for entry, message in refused.items():
        with pytest.raises(UndoRefused, match=message):
            change(acme, undo_change, "ann", "2026-04-04", entry=entry, is_backdated=True)
    acme.cancel("ann", "2026-04-05")
    with pytest.raises(UndoRefused, match="has ended the subscription at 2026-04-05T00:00:00Z; subscribe anew"):
        change(acme, undo_change, "ann", "2026-04-06", entry=4, is_backdated=True)
    with pytest.raises(OutsideLife):
        change(acme, pause, "ann", "2026-04-06", at="now")
