"""Laws of the timeline, on journals made at random.

The oracle is a second reading of a journal that knows no phases: it answers for one instant only,
by going through the changes that are effective by then.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import NamedTuple
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from tenor.kernel.ids import ItemId, PlanVersionId
from tenor.subscriptions.model import (
    Cancelled,
    Change,
    Facts,
    Item,
    PlanChanged,
    QuantityChanged,
    Subscribed,
    Terms,
    Timeline,
)
from tenor.subscriptions.rules.timeline import fold, item_at, phase_at

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
FEW = settings(max_examples=150, deadline=None)


class Agreed(NamedTuple):
    """What holds at one instant."""

    item: ItemId
    plan: PlanVersionId
    is_billable: bool
    seats: Decimal | None


def hour(count: int) -> datetime:
    return EPOCH + timedelta(hours=count)


def item_id(version: int) -> ItemId:
    return ItemId(UUID(int=version))


def plan_id(number: int) -> PlanVersionId:
    return PlanVersionId(UUID(int=1000 + number))


def terms(seats: int | None) -> Terms:
    return Terms(quantities={} if seats is None else {"seats": Decimal(seats)}, prices={})


def change(version: int, effective_at: datetime, facts: Facts) -> Change:
    return Change(version, effective_at, EPOCH, "test", "", facts)


hours = st.integers(min_value=0, max_value=40)  # few instants, so that many coincide
seats = st.none() | st.integers(min_value=0, max_value=3)


@st.composite
def journals(draw: st.DrawFn) -> list[Change]:
    """A journal with a start at any hour, perhaps a trial and an end, and up to seven changes in any order of time."""
    start = draw(hours)
    trial = draw(st.none() | st.integers(min_value=0, max_value=20))
    end = draw(st.none() | st.integers(min_value=1, max_value=40))
    first = Subscribed(
        item_id=item_id(1),
        plan_version_id=plan_id(1),
        anchor_at=hour(start + (trial or 0)),
        terms=terms(draw(seats)),
        discount_percent=Decimal(0),
        trial_ends_at=None if trial is None else hour(start + trial),
        trial_converts=draw(st.booleans()),
        ends_at=None if end is None else hour(start + end),
    )
    journal = [change(1, hour(start), first)]
    for version in range(2, 2 + draw(st.integers(min_value=0, max_value=7))):
        at = hour(draw(hours))
        kind = draw(st.sampled_from(["plan", "quantity", "quantity", "cancel"]))
        facts: Facts
        if kind == "plan":
            facts = PlanChanged(item_id(version), plan_id(version), anchor_at=at, terms=terms(draw(seats)))
        elif kind == "quantity":
            facts = QuantityChanged({"seats": Decimal(draw(st.integers(min_value=0, max_value=3)))})
        else:
            facts = Cancelled()
        journal.append(change(version, at, facts))
    return journal


def agreed_at(journal: list[Change], instant: datetime) -> Agreed | None:
    """Read the journal for one instant, without phases."""
    first = next(entry.facts for entry in journal if isinstance(entry.facts, Subscribed))
    starts_at = journal[0].effective_at
    life_ends = [entry.effective_at for entry in journal if isinstance(entry.facts, Cancelled)]
    # A cancellation before the start finds nothing to cancel.
    life_ends = [at for at in life_ends if at >= starts_at]
    if first.ends_at is not None:
        life_ends.append(first.ends_at)
    if first.trial_ends_at is not None and not first.trial_converts:
        life_ends.append(first.trial_ends_at)
    if instant < starts_at or any(instant >= end for end in life_ends):
        return None
    said = [entry for entry in journal[1:] if starts_at <= entry.effective_at <= instant]
    said.sort(key=lambda entry: (entry.effective_at, entry.version))
    item, plan, held = first.item_id, first.plan_version_id, dict(first.terms.quantities)
    for entry in said:
        if isinstance(entry.facts, PlanChanged):
            item, plan, held = entry.facts.item_id, entry.facts.plan_version_id, dict(entry.facts.terms.quantities)
        elif isinstance(entry.facts, QuantityChanged) and "seats" in held:
            held |= entry.facts.quantities
    is_billable = first.trial_ends_at is None or instant >= first.trial_ends_at
    return Agreed(item, plan, is_billable, held.get("seats"))


def timeline_at(timeline: Timeline, instant: datetime) -> Agreed | None:
    item = item_at(timeline, instant)
    phase = None if item is None else phase_at(item, instant)
    if item is None or phase is None:
        return None
    return Agreed(item.id, item.plan_version_id, phase.is_billable, phase.terms.quantities.get("seats"))


def billable_stretches(timeline: Timeline) -> list[tuple[datetime, datetime | None]]:
    """The billable time of all items, neighbours joined."""
    joined: list[tuple[datetime, datetime | None]] = []
    for item in timeline.items:
        for phase in item.phases:
            if phase.is_billable and joined and joined[-1][1] == phase.starts_at:
                joined[-1] = (joined[-1][0], phase.ends_at)
            elif phase.is_billable:
                joined.append((phase.starts_at, phase.ends_at))
    return joined


@FEW
@given(journals())
def test_every_instant_holds_what_the_journal_says_of_it(journal: list[Change]) -> None:
    timeline = fold(journal)

    for half_hours in range(-1, 165):
        instant = EPOCH + timedelta(minutes=30 * half_hours)
        assert timeline_at(timeline, instant) == agreed_at(journal, instant)


@FEW
@given(journals())
def test_phases_are_filled_and_contiguous_and_items_do_not_overlap(journal: list[Change]) -> None:
    timeline = fold(journal)

    phases = [phase for item in timeline.items for phase in item.phases]
    assert all(item.phases for item in timeline.items)
    assert all(phase.ends_at is None or phase.starts_at < phase.ends_at for phase in phases)
    # One item follows the other without a gap as well, so the whole life is one chain.
    assert all(earlier.ends_at == later.starts_at for earlier, later in pairwise(phases))
    assert len({item.id for item in timeline.items}) == len(timeline.items)


@FEW
@given(journals(), st.randoms(use_true_random=False))
def test_the_fold_is_the_same_for_any_order_of_reading(journal: list[Change], random: Random) -> None:
    shuffled = list(journal)
    random.shuffle(shuffled)

    assert fold(shuffled) == fold(journal)


@FEW
@given(journals(), hours)
def test_nothing_is_agreed_from_a_cancellation_on(journal: list[Change], at: int) -> None:
    cancelled = fold([*journal, change(99, hour(at), Cancelled())])

    if hour(at) >= journal[0].effective_at:
        assert all(item.ends_at is not None and item.ends_at <= hour(at) for item in cancelled.items)
    else:
        assert cancelled == fold(journal)


@FEW
@given(journals(), hours, st.integers(min_value=0, max_value=9))
def test_a_quantity_and_its_reversal_at_the_same_instant_leave_nothing(
    journal: list[Change], at: int, count: int
) -> None:
    before = fold(journal)
    item = item_at(before, hour(at))
    phase = item and phase_at(item, hour(at))
    held = phase.terms.quantities if phase else {}
    there = change(98, hour(at), QuantityChanged({"seats": Decimal(count)}))
    back = change(99, hour(at), QuantityChanged(held))

    assert fold([*journal, there, back]) == before


@FEW
@given(journals(), hours)
def test_a_plan_and_its_reversal_at_the_same_instant_leave_the_same_billable_time(
    journal: list[Change], at: int
) -> None:
    before = fold(journal)
    item = item_at(before, hour(at))
    if item is None:
        return
    phase = phase_at(item, hour(at))
    assert phase is not None
    there = change(98, hour(at), PlanChanged(item_id(98), plan_id(98), hour(at), terms(1)))
    back = change(99, hour(at), PlanChanged(item_id(99), item.plan_version_id, item.anchor_at, phase.terms))

    after = fold([*journal, there, back])
    assert billable_stretches(after) == billable_stretches(before)
    assert item_id(98) not in {item.id for item in after.items}


@FEW
@given(journals())
def test_what_is_recorded_later_never_changes_the_time_before_it_takes_effect(journal: list[Change]) -> None:
    *earlier, newest = journal
    if not earlier:
        return
    before, after = fold(earlier), fold(journal)

    def until(timeline: Timeline) -> list[Item]:
        """The part of each item before the newest change takes effect."""
        cut = newest.effective_at
        return [
            replace(
                item,
                phases=tuple(
                    phase._replace(ends_at=min(phase.ends_at or cut, cut))
                    for phase in item.phases
                    if phase.starts_at < cut
                ),
            )
            for item in timeline.items
            if item.starts_at < cut
        ]

    assert until(after) == until(before)
