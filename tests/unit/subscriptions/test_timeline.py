"""Stories of single timelines: pauses, add-ons, moved billing dates, terms, and what a halt does to its period."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from tenor.kernel.ids import DiscountId, ItemId, PlanVersionId
from tenor.pricing.discounts.model import Discount
from tenor.subscriptions.model import (
    AddOnAdded,
    AddOnRemoved,
    AnchorMoved,
    Cancelled,
    Change,
    Closing,
    DiscountApplied,
    DiscountRemoved,
    Facts,
    Item,
    Paused,
    Phase,
    PhaseState,
    PlanChanged,
    Reopened,
    Resumed,
    Subscribed,
    TermChanged,
    Terms,
    TrialChanged,
)
from tenor.subscriptions.rules.phases import cut, joined
from tenor.subscriptions.rules.timeline import Life, fold, fold_with_life

PLAN, NEXT, ADD_ON, OTHER = (ItemId(UUID(int=number)) for number in range(1, 5))
BASIC, PRO = PlanVersionId(UUID(int=101)), PlanVersionId(UUID(int=102))
ONE, TWO = Terms({"seats": Decimal(1)}, {}), Terms({"seats": Decimal(2)}, {})


def day(number: int, month: int = 5) -> datetime:
    return datetime(2026, month, number, tzinfo=UTC)


def journal(
    *changes: tuple[datetime, Facts],
    trial_ends_at: datetime | None = None,
    trial_converts: bool = True,
    ends_at: datetime | None = None,
) -> list[Change]:
    """A subscription from 1 May on, and what changes it."""
    first = Subscribed(PLAN, BASIC, day(1), ONE, Decimal(0), trial_ends_at, trial_converts, ends_at)
    return [
        Change(version, at, day(1), "test", "", facts)
        for version, (at, facts) in enumerate([(day(1), first), *changes], start=1)
    ]


def shown(item: Item) -> list[str]:
    """Each phase as '05-01..05-10 active billable prorated'."""
    return [
        f"{phase.starts_at:%m-%d}..{'' if phase.ends_at is None else f'{phase.ends_at:%m-%d}'}"
        f" {phase.state} {'billable' if phase.is_billable else 'free'} {phase.closing}"
        for phase in item.phases
    ]


def test_a_pause_is_not_billable_and_says_what_becomes_of_the_period_it_cuts() -> None:
    (item,) = fold(journal((day(10), Paused(Closing.WHOLE)), (day(20), Resumed()))).items

    assert shown(item) == [
        "05-01..05-10 active billable whole",
        "05-10..05-20 paused free prorated",
        "05-20.. active billable prorated",
    ]


def test_a_second_pause_and_a_second_resumption_say_nothing() -> None:
    once = journal((day(10), Paused(Closing.WHOLE)), (day(20), Resumed()))
    twice = journal(
        (day(10), Paused(Closing.WHOLE)), (day(20), Resumed()), (day(12), Paused(Closing.FREE)), (day(25), Resumed())
    )

    assert fold(twice) == fold(once)


def test_of_two_pauses_at_one_instant_the_first_says_what_becomes_of_the_period() -> None:
    once = journal((day(10), Paused(Closing.WHOLE)))

    assert fold(journal((day(10), Paused(Closing.WHOLE)), (day(10), Paused(Closing.FREE)))) == fold(once)


def test_a_discount_that_is_given_back_at_the_instant_of_its_removal_has_never_ceased() -> None:
    ten = Discount(id=DiscountId(UUID(int=9)), code="ten", name="Ten", percent_off=Decimal(10))
    applied, removed = DiscountApplied(ten), DiscountRemoved(ten.id)

    def holds(*changes: tuple[datetime, Facts]) -> list[tuple[datetime, datetime | None]]:
        return [(one.applied_at, one.removed_at) for one in fold(journal(*changes)).discounts]

    assert holds((day(5), applied), (day(10), removed), (day(10), applied)) == [(day(5), None)]
    assert holds((day(5), applied), (day(10), removed), (day(11), applied)) == [(day(5), day(10)), (day(11), None)]
    assert holds((day(5), applied), (day(5), removed)) == []


def test_a_trial_that_would_have_lapsed_converts_when_it_is_ended_by_hand() -> None:
    def life_of(ends_at: datetime) -> Life:
        changes = journal((day(10), TrialChanged(ends_at)), trial_ends_at=day(15), trial_converts=False)
        return fold_with_life(changes)[1]

    assert life_of(day(10)).trial_converts
    assert not life_of(day(20)).trial_converts


def test_what_ends_where_phases_are_cut_lies_before_the_cut() -> None:
    phase = Phase(day(1), day(5), True, ONE, PhaseState.ACTIVE)

    assert cut([phase], day(5)) == ((phase,), ())
    assert cut([phase], day(1)) == ((), (phase,))


def test_a_change_of_plan_in_a_pause_leaves_it_paused() -> None:
    entries = (day(10), Paused()), (day(15), PlanChanged(NEXT, PRO, day(15), TWO, Closing.FREE)), (day(20), Resumed())
    first, second = fold(journal(*entries)).items

    # The pause has closed the first plan's billing, the change of plan finds nothing left to close.
    assert shown(first) == ["05-01..05-10 active billable prorated", "05-10..05-15 paused free prorated"]
    assert shown(second) == ["05-15..05-20 paused free prorated", "05-20.. active billable prorated"]


def test_a_trial_goes_on_in_a_pause() -> None:
    entries = (day(5), Paused()), (day(8), Resumed())
    (item,) = fold(journal(*entries, trial_ends_at=day(15))).items

    assert shown(item) == [
        "05-01..05-05 trial free prorated",
        "05-05..05-08 paused free prorated",
        "05-08..05-15 trial free prorated",
        "05-15.. active billable prorated",
    ]


def test_an_add_on_shares_the_trial_the_pause_and_the_end() -> None:
    entries = (
        (day(5), AddOnAdded(ADD_ON, PRO, day(15), TWO)),
        (day(20), Paused(Closing.WHOLE)),
        (day(25), Resumed()),
        (day(28), Cancelled(Closing.FREE)),
    )
    plan, add_on = fold(journal(*entries, trial_ends_at=day(15))).items

    assert (plan.is_add_on, add_on.is_add_on, add_on.plan_version_id, add_on.anchor_at) == (False, True, PRO, day(15))
    assert shown(add_on) == [
        "05-05..05-15 trial free prorated",
        "05-15..05-20 active billable whole",
        "05-20..05-25 paused free prorated",
        "05-25..05-28 active billable free",
    ]
    assert shown(plan)[1:] == shown(add_on)[1:]


def test_an_extended_trial_moves_what_follows_and_one_that_ends_now_converts() -> None:
    extended = fold(journal((day(10), TrialChanged(day(20))), trial_ends_at=day(15)))
    assert shown(extended.items[0]) == ["05-01..05-20 trial free prorated", "05-20.. active billable prorated"]

    converted = fold(journal((day(10), TrialChanged(day(10))), trial_ends_at=day(15)))
    assert shown(converted.items[0]) == ["05-01..05-10 trial free prorated", "05-10.. active billable prorated"]

    over = journal((day(18), TrialChanged(day(25))), trial_ends_at=day(15))
    assert fold(over) == fold(journal(trial_ends_at=day(15)))


def test_a_billing_date_that_moves_opens_another_item_and_keeps_what_was_paid_for() -> None:
    # Paused on the 11th with the month paid for: the twenty days to 1 June that were left are served from the 21st on.
    entries = (
        (day(11), Paused(Closing.WHOLE)),
        (day(21), Resumed((Reopened(PLAN, NEXT, day(11, 6), billable_from=day(11, 6)),))),
    )
    before, after = fold(journal(*entries)).items

    assert shown(before) == ["05-01..05-11 active billable whole", "05-11..05-21 paused free prorated"]
    assert (after.id, after.plan_version_id, after.anchor_at) == (NEXT, BASIC, day(11, 6))
    assert shown(after) == ["05-21..06-11 active free prorated", "06-11.. active billable prorated"]


def test_an_anchor_that_moves_closes_the_period_whole_only_where_it_was_paid_for() -> None:
    paid = fold(journal((day(11), AnchorMoved((Reopened(PLAN, NEXT, day(15, 6), billable_from=day(1, 6)),)))))
    assert shown(paid.items[0]) == ["05-01..05-11 active billable whole"]
    assert shown(paid.items[1]) == ["05-11..06-01 active free prorated", "06-01.. active billable prorated"]

    cut = fold(journal((day(11), AnchorMoved((Reopened(PLAN, NEXT, day(11)),)))))
    assert shown(cut.items[0]) == ["05-01..05-11 active billable prorated"]
    assert shown(cut.items[1]) == ["05-11.. active billable prorated"]


def test_time_that_was_paid_for_with_the_plan_is_not_paid_for_with_an_add_on() -> None:
    entries = (
        (day(11), AnchorMoved((Reopened(PLAN, NEXT, day(15, 6), billable_from=day(1, 6)),))),
        (day(20), AddOnAdded(ADD_ON, PRO, day(15, 6), TWO)),
    )
    *_, add_on = fold(journal(*entries)).items

    assert shown(add_on) == ["05-20.. active billable prorated"]


def test_what_is_planned_for_an_add_on_finds_it_under_its_later_id() -> None:
    entries = (
        (day(1), AddOnAdded(ADD_ON, PRO, day(1), TWO)),
        (day(25), AddOnRemoved(ADD_ON, Closing.FREE)),
        (day(10), AnchorMoved((Reopened(ADD_ON, OTHER, day(10)),))),
    )
    later = next(item for item in fold(journal(*entries)).items if item.id == OTHER)

    assert shown(later) == ["05-10..05-25 active billable free"]


def test_the_plan_is_not_removed_as_an_add_on() -> None:
    assert fold(journal((day(10), AddOnRemoved(PLAN)))) == fold(journal())


def test_a_change_at_the_end_of_a_term_holds_if_the_term_is_prolonged_there() -> None:
    planned = (day(20), PlanChanged(NEXT, PRO, day(20), TWO, Closing.WHOLE))
    assert fold(journal(planned, ends_at=day(20))) == fold(journal(ends_at=day(20)))

    timeline, life = fold_with_life(journal(planned, (day(20), TermChanged(day(30))), ends_at=day(20)))
    assert [shown(item) for item in timeline.items] == [
        ["05-01..05-20 active billable whole"],
        ["05-20..05-30 active billable prorated"],
    ]
    assert (life.ends_at, life.cancels_at_end) == (day(30), False)


def test_a_cancellation_at_the_end_of_a_term_stands_against_its_renewal() -> None:
    entries = (day(20), Cancelled()), (day(20), TermChanged(day(30)))
    timeline, life = fold_with_life(journal(*entries, ends_at=day(20)))

    assert timeline == fold(journal(ends_at=day(20)))
    assert (life.ends_at, life.cancels_at_end) == (day(20), True)


def test_neighbours_that_agree_are_one_phase_with_the_later_closing() -> None:
    def phase(start: int, end: int, closing: Closing, terms: Terms = ONE) -> Phase:
        return Phase(day(start), day(end), True, terms, PhaseState.ACTIVE, closing)

    assert joined([phase(1, 5, Closing.FREE), phase(5, 9, Closing.WHOLE)]) == (phase(1, 9, Closing.WHOLE),)
    # Where billing goes on at once, on other terms, nothing was closed.
    assert joined([phase(1, 5, Closing.FREE), phase(5, 9, Closing.WHOLE, TWO)]) == (
        phase(1, 5, Closing.PRORATED),
        phase(5, 9, Closing.WHOLE, TWO),
    )
