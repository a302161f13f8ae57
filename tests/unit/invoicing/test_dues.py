"""Dues: the worked table of its page, and what a settled item is looked at again for."""

from collections.abc import Sequence
from datetime import UTC
from decimal import Decimal

import pytest

from tenor.invoicing.rules.dues import Look, dues, next_due_at
from tenor.kernel.calendar import parse_zone
from tenor.kernel.period import Period
from tenor.pricing.model import PlanVersion, Timing
from tenor.pricing.policy import profile
from tenor.subscriptions.model import Closing, Item, PhaseState
from tests.support.invoicing import (
    ITEM,
    MICROSECOND,
    PLAN,
    QUARTER,
    TENOR,
    YEAR,
    at,
    base,
    calls,
    commitment,
    in_words,
    item,
    looked_at,
    phase,
    plan,
    seats,
    setup,
    span,
)
from tests.support.worked_tables import worked_table

PLANS = {
    "month in advance": plan(base("100.00", code="fee")),
    "month in arrears": plan(base("100.00", code="fee", timing=Timing.ARREARS)),
    "year in advance": plan(base("100.00", code="fee", interval=YEAR)),
    "one-off": plan(setup("50.00")),
}
MONTHLY = plan(base("100.00"), calls())


def life_of(text: str) -> Item:
    """Read 'start .. end', perhaps after 'trial start ..'."""
    *trial, start, end = [word.strip() or None for word in text.removeprefix("trial").split("..")]
    assert start is not None
    paid = phase(start, end)
    return item(phase(trial[0], start, is_billable=False), paid) if trial and trial[0] else item(paid)


def next_at(life: Item, version: PlanVersion, after: str) -> str | None:
    """Return the next due instant after one as a day."""
    found = next_due_at(life, version, UTC, TENOR.calendar, after=at(after))
    return None if found is None else found.strftime("%m-%d")


@pytest.mark.parametrize("row", worked_table("algorithms/owed.md", "What is due"), ids="-".join)
def test_what_is_due(row: list[str]) -> None:
    charge, life, through, expected = row

    found = in_words(looked_at(life_of(life), PLANS[charge], through=through))

    assert [words.split(" ", 1)[1] for words in found] == [words for words in expected.split("; ") if words]


def test_a_boundary_belongs_to_the_run_as_of_it_and_not_to_the_microsecond_before() -> None:
    life = item(phase("2026-01-01"))

    before = looked_at(life, MONTHLY, through=at("2026-02-01") - MICROSECOND, settled="2026-01-01")
    on_time = looked_at(life, MONTHLY, through="2026-02-01", settled="2026-01-01")

    assert in_words(before) == []
    assert in_words(on_time) == ["base 02-01..03-01 @ 02-01", "calls 01-01..02-01 @ 02-01"]


def test_a_first_part_of_a_period_keeps_the_whole_period_as_its_key() -> None:
    life = item(phase("2026-01-20"), anchor="2026-01-01")

    advance, arrears = looked_at(life, MONTHLY, through="2026-02-01")[::2]

    assert in_words([advance, arrears]) == ["base 01-01..02-01 @ 01-20", "calls 01-01..02-01 @ 02-01"]
    assert [part.span for part in advance.slices] == [span("2026-01-20", "2026-02-01")]


def test_a_calendar_grid_has_its_boundaries_at_local_midnight() -> None:
    life = item(phase("2026-03-15T10:00:00Z"))

    found = looked_at(life, MONTHLY, through="2026-04-01", zone=parse_zone("Europe/Berlin"), policy=profile("lago"))

    # 1 March is still winter time, 1 April summer time: 23:00 and 22:00 UTC on the day before.
    assert found[0].period == span("2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z")
    assert found[0].due_at == at("2026-03-15T10:00:00Z")


def test_a_fixed_offset_profile_keeps_the_offset_of_the_anchor_all_year() -> None:
    life = item(phase("2026-01-31T23:00:00Z"))  # midnight of 1 February in Berlin, winter time
    berlin = parse_zone("Europe/Berlin")

    civil = looked_at(life, MONTHLY, through="2026-04-15", zone=berlin)
    fixed = looked_at(life, MONTHLY, through="2026-04-15", zone=berlin, policy=profile("killbill"))

    assert civil[2].period.start == at("2026-03-31T22:00:00Z")
    assert fixed[2].period.start == at("2026-03-31T23:00:00Z")


def test_a_pause_serves_nothing_but_its_periods_are_looked_at() -> None:
    life = item(
        phase("2026-01-01", "2026-02-10"),
        phase("2026-02-10", "2026-04-05", is_billable=False),
        phase("2026-04-05"),
    )

    found = looked_at(life, plan(base("100.00")), through="2026-04-30")

    assert [[part.span for part in due.slices] for due in found] == [
        [span("2026-01-01", "2026-02-01")],
        [span("2026-02-01", "2026-02-10")],
        [],
        [span("2026-04-05", "2026-05-01")],
    ]


def test_a_pause_inside_a_period_leaves_two_slices() -> None:
    life = item(
        phase("2026-01-01", "2026-01-10"),
        phase("2026-01-10", "2026-01-20", is_billable=False),
        phase("2026-01-20"),
    )

    (due,) = looked_at(life, plan(base("100.00")), through="2026-01-01")

    assert [part.span for part in due.slices] == [span("2026-01-01", "2026-01-10"), span("2026-01-20", "2026-02-01")]


def test_a_change_makes_slices_only_in_the_charges_that_it_concerns() -> None:
    life = item(
        phase("2026-01-01", "2026-01-11", seats=5),
        phase("2026-01-11", "2026-01-21", seats=8),
        phase("2026-01-21", seats=8, prices={"base": "80.00"}),
    )

    fee, held = looked_at(life, plan(base("100.00"), seats("10.00")), through="2026-01-01")

    assert fee.slices == (
        (span("2026-01-01", "2026-01-21"), Decimal(1), None),
        (span("2026-01-21", "2026-02-01"), Decimal(1), Decimal(80)),
    )
    assert held.slices == (
        (span("2026-01-01", "2026-01-11"), Decimal(5), None),
        (span("2026-01-11", "2026-02-01"), Decimal(8), None),
    )


def test_a_yearly_fee_and_monthly_usage_each_follow_their_own_grid() -> None:
    version = plan(base("1200.00", interval=YEAR), calls())
    life = item(phase("2026-01-01"))

    assert in_words(looked_at(life, version, through="2026-03-01")) == [
        "base 01-01..01-01 @ 01-01",
        "calls 01-01..02-01 @ 02-01",
        "calls 02-01..03-01 @ 03-01",
    ]
    assert in_words(looked_at(life, version, through="2026-04-01", settled="2026-03-01")) == [
        "calls 03-01..04-01 @ 04-01"
    ]


def test_three_missed_months_are_three_dues_each_at_its_own_instant() -> None:
    life = item(phase("2026-01-01"))

    found = looked_at(life, plan(base("100.00")), through="2026-04-20", settled="2026-01-01")

    assert in_words(found) == ["base 02-01..03-01 @ 02-01", "base 03-01..04-01 @ 03-01", "base 04-01..05-01 @ 04-01"]


def test_news_has_settled_periods_looked_at_that_end_after_it_and_no_others() -> None:
    life = item(phase("2026-01-01"))

    # March and April end after 10 March; February does not. The correction rides with the newest document, of 1 May.
    assert in_words(
        looked_at(life, plan(base("100.00")), through="2026-05-12", settled="2026-04-20", revisit="2026-03-10")
    ) == ["base 03-01..04-01 @ 05-01*", "base 04-01..05-01 @ 05-01*", "base 05-01..06-01 @ 05-01"]


def test_news_at_a_boundary_does_not_touch_the_period_that_ends_there() -> None:
    life = item(phase("2026-01-01"))

    found = looked_at(life, plan(base("100.00")), through="2026-03-20", settled="2026-03-20", revisit="2026-03-01")

    # Nothing regular is due, so what is corrected is due as of the run.
    assert in_words(found) == ["base 03-01..04-01 @ 03-20*"]


def test_news_about_what_was_never_settled_changes_nothing() -> None:
    life = item(phase("2026-01-01"))

    with_news = looked_at(life, plan(base("100.00")), through="2026-03-20", revisit="2026-02-15")

    assert with_news == looked_at(life, plan(base("100.00")), through="2026-03-20")


@pytest.mark.parametrize("end", ["2026-03-15", "2026-03-10", "2026-03-20"])
def test_the_period_in_which_an_item_ended_is_looked_at_whichever_comes_first_end_or_news(end: str) -> None:
    """A cancellation is news from the very instant at which the item ends; late usage may come from after it."""
    life = item(phase("2026-01-01", end))

    found = looked_at(life, plan(base("100.00")), through="2026-03-20", settled="2026-03-20", revisit="2026-03-15")

    assert [(due.period, due.slices[0].span.end) for due in found] == [(span("2026-03-01", "2026-04-01"), at(end))]


def test_an_end_in_the_past_makes_an_arrears_period_due_that_was_not() -> None:
    life = item(phase("2026-01-01", "2026-03-15"))
    version = plan(base("100.00", timing=Timing.ARREARS))

    found = looked_at(life, version, through="2026-03-25", settled="2026-03-20", revisit="2026-03-15")

    assert in_words(found) == ["base 03-01..04-01 @ 03-25*"]


def test_a_one_off_is_due_once_and_looked_at_again_only_for_news_of_its_period() -> None:
    life = item(phase("2026-01-01"))
    version = plan(setup("50.00"))

    assert in_words(looked_at(life, version, through="2026-06-01", settled="2026-01-01")) == []
    assert in_words(looked_at(life, version, through="2026-06-01", settled="2026-03-01", revisit="2026-02-01")) == []
    assert in_words(looked_at(life, version, through="2026-03-01", settled="2026-03-01", revisit="2026-01-31")) == [
        "setup 01-01..02-01 @ 03-01*"
    ]


def test_a_commitment_brings_the_charges_of_its_period_with_it() -> None:
    version = plan(base("100.00"), calls(), setup("50.00"), commitment("900.00", interval=QUARTER))
    life = item(phase("2026-01-01"))

    found = looked_at(life, version, through="2026-04-01", settled="2026-03-01")

    assert in_words(found) == [
        "base 01-01..02-01 @ 04-01*",
        "base 02-01..03-01 @ 04-01*",
        "base 03-01..04-01 @ 04-01*",
        "base 04-01..05-01 @ 04-01",
        "calls 01-01..02-01 @ 04-01*",
        "calls 02-01..03-01 @ 04-01*",
        "calls 03-01..04-01 @ 04-01",
        "setup 01-01..02-01 @ 04-01*",
        "minimum 01-01..04-01 @ 04-01",
    ]


def test_a_commitment_leaves_out_what_is_longer_than_its_period() -> None:
    version = plan(base("1200.00", interval=YEAR), calls(interval=QUARTER), commitment("100.00"))
    life = item(phase("2026-01-01"))

    assert in_words(looked_at(life, version, through="2026-02-01", settled="2026-01-01")) == [
        "minimum 01-01..02-01 @ 02-01"
    ]


def test_a_commitment_does_not_look_beyond_its_period() -> None:
    version = plan(base("100.00"), commitment("200.00"))
    life = item(phase("2026-01-01"))

    assert in_words(looked_at(life, version, through="2026-06-01", settled="2026-05-01")) == [
        "base 05-01..06-01 @ 06-01*",
        "base 06-01..07-01 @ 06-01",
        "minimum 05-01..06-01 @ 06-01",
    ]


def test_what_was_taken_back_altogether_has_no_dues() -> None:
    life = Item(ITEM, PLAN, at("2026-01-01"), Decimal(0), ())

    assert looked_at(life, MONTHLY, through="2026-06-01", settled="2026-03-01", revisit="2026-01-01") == []
    assert next_at(life, MONTHLY, "2025-12-01") is None


def test_a_trial_that_lapses_has_dues_without_anything_served() -> None:
    life = item(phase("2026-01-01", "2026-01-15", is_billable=False))

    found = looked_at(life, plan(base("100.00"), calls(), setup("50.00")), through="2026-06-01")

    assert in_words(found) == [
        "base 01-01..02-01 @ 01-01",
        "calls 01-01..02-01 @ 01-15",
        "setup 01-01..02-01 @ 01-01",
    ]
    assert [due.slices for due in found] == [(), (), ()]


@pytest.mark.parametrize(
    ("paused", "expected"),
    [
        ((), ["setup 01-01..02-01 @ 01-01"]),
        # Paused from the first day on: it is due when service begins, and the row of periods reaches there.
        (("2026-01-01", "2026-01-20"), ["setup 01-01..02-01 @ 01-20"]),
        (
            ("2026-01-01", "2026-03-10"),
            ["setup 01-01..02-01 @ 01-01", "setup 02-01..03-01 @ 02-01", "setup 03-01..04-01 @ 03-10"],
        ),
        (("2026-01-20", "2026-03-10"), ["setup 01-01..02-01 @ 01-01"]),
    ],
)
def test_what_is_paid_once_is_due_when_the_item_is_first_billable(paused: tuple[str, ...], expected: list[str]) -> None:
    phases = [phase("2026-01-01")]
    if paused:
        start, end = paused
        before = [phase("2026-01-01", start)] if start != "2026-01-01" else []
        pause = phase(start, end, is_billable=False)._replace(state=PhaseState.PAUSED)
        phases = [*before, pause, phase(end)]
    life = item(*phases, anchor="2026-01-01")

    assert in_words(looked_at(life, plan(setup("50.00")), through="2026-06-01")) == expected


def test_a_period_that_is_resumed_inside_is_due_when_service_goes_on() -> None:
    pause = phase("2026-01-20", "2026-02-10", is_billable=False)._replace(state=PhaseState.PAUSED)
    life = item(phase("2026-01-01", "2026-01-20"), pause, phase("2026-02-10"))
    version = plan(base("100.00"))

    assert in_words(looked_at(life, version, through="2026-03-01")) == [
        "base 01-01..02-01 @ 01-01",
        "base 02-01..03-01 @ 02-10",
        "base 03-01..04-01 @ 03-01",
    ]
    assert [next_at(life, version, after) for after in ("2026-01-01", "2026-02-01", "2026-02-10")] == [
        "02-10",
        "02-10",
        "03-01",
    ]


def test_what_an_end_sets_free_is_due_as_before() -> None:
    """Resumed on 10 January, then ended with all of January given back: it still falls due on the 10th."""
    pause = phase("2026-01-01", "2026-01-10", is_billable=False)._replace(state=PhaseState.PAUSED)
    freed = phase("2026-01-10", "2026-01-20")._replace(closing=Closing.FREE)

    (due,) = looked_at(item(pause, freed, anchor="2026-01-01"), plan(base("100.00")), through="2026-02-01")

    assert (in_words([due]), due.slices) == (["base 01-01..02-01 @ 01-10"], ())


def test_an_end_on_a_boundary_sets_nothing_free_of_the_period_that_was_served() -> None:
    served = phase("2026-01-01", "2026-02-01")._replace(closing=Closing.FREE)

    (due,) = looked_at(item(served), plan(base("100.00")), through="2026-02-01")

    assert [part.span for part in due.slices] == [span("2026-01-01", "2026-02-01")]


def test_usage_is_owed_also_in_time_that_was_paid_for_ahead_and_fees_are_not() -> None:
    paid_ahead = phase("2026-01-01", "2026-01-11", is_billable=False)._replace(state=PhaseState.ACTIVE)
    life = item(paid_ahead, phase("2026-01-11"), anchor="2026-01-01")

    fee, _, usage = looked_at(life, plan(base("100.00"), calls()), through="2026-02-01")

    assert [part.span for part in fee.slices] == [span("2026-01-11", "2026-02-01")]
    assert [part.span for part in usage.slices] == [span("2026-01-01", "2026-02-01")]


def test_a_settled_commitment_over_something_that_may_have_changed_is_measured_again() -> None:
    """What falls due in `changed_in` brings its commitment, and that all it is measured on; `needed_in` does not."""
    version = plan(base("100.00"), calls(), commitment("900.00"))
    look = Look(at("2026-03-20"), at("2026-03-20"), None)
    february = [span("2026-02-01", "2026-02-02")]

    def words(*, changed_in: Sequence[Period] = (), needed_in: Sequence[Period] = ()) -> list[str]:
        every = dues(
            item(phase("2026-01-01")),
            version,
            look,
            UTC,
            TENOR.calendar,
            changed_in=changed_in,
            needed_in=needed_in,
        )
        return [one.split(" @ ")[0] for one in in_words(every)]

    # The fee of February and the usage of January fall due on 1 February.
    assert words(needed_in=february) == ["base 02-01..03-01", "calls 01-01..02-01"]
    assert words(changed_in=february) == [
        "base 01-01..02-01",
        "base 02-01..03-01",
        "calls 01-01..02-01",
        "calls 02-01..03-01",
        "minimum 01-01..02-01",
        "minimum 02-01..03-01",
    ]


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ("2025-12-01", "01-15"),  # the start
        ("2026-01-15", "02-15"),  # strictly after
        ("2026-02-14T23:59:59.999999Z", "02-15"),
        ("2026-02-15", "03-15"),
        ("2026-03-20", "04-01"),  # the end, of the arrears
        ("2026-04-01", None),
        ("2027-01-01", None),
    ],
)
def test_when_to_look_again(after: str, expected: str | None) -> None:
    assert next_at(item(phase("2026-01-15", "2026-04-01")), MONTHLY, after) == expected


@pytest.mark.parametrize(
    ("charge", "life", "after", "expected"),
    [
        ("month in advance", "2026-01-15 .. 2026-02-15", "2026-01-15", None),  # the end is no new period
        ("month in advance", "2026-01-15 .. 2026-02-16", "2026-01-15", "02-15"),
        ("month in arrears", "2026-01-15 .. 2026-02-15", "2026-01-15", "02-15"),
        ("month in arrears", "2026-01-15 .. 2026-02-10", "2026-01-15", "02-10"),
        ("month in arrears", "2026-01-15 ..", "2025-06-01", "02-15"),
        ("month in advance", "2026-01-31 ..", "2026-01-31", "02-28"),
        ("month in advance", "2026-01-31 ..", "2026-02-28", "03-31"),
        ("year in advance", "2026-01-15 ..", "2026-01-15", "01-15"),
        ("one-off", "2026-01-15 ..", "2026-01-14", "01-15"),
        ("one-off", "2026-01-15 ..", "2026-01-15", None),
        ("month in advance", "trial 2026-01-01 .. 2026-01-15 ..", "2026-01-01", "01-15"),
        ("month in arrears", "trial 2026-01-01 .. 2026-01-15 ..", "2026-01-01", "01-15"),
    ],
)
def test_when_to_look_again_at_one_charge(charge: str, life: str, after: str, expected: str | None) -> None:
    assert next_at(life_of(life), PLANS[charge], after) == expected


def test_the_soonest_charge_says_when_to_look_again() -> None:
    version = plan(base("1200.00", interval=YEAR), calls(), commitment("900.00", interval=QUARTER), setup("50.00"))
    life = item(phase("2026-01-01"))

    assert [next_at(life, version, after) for after in ("2025-12-31", "2026-01-01", "2026-03-31")] == [
        "01-01",
        "02-01",
        "04-01",
    ]


def test_a_pause_does_not_stop_the_looking() -> None:
    life = item(phase("2026-01-01", "2026-01-20"), phase("2026-01-20", is_billable=False))

    assert next_at(life, plan(base("100.00")), "2026-05-10") == "06-01"
