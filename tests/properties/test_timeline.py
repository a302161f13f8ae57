"""Laws of the timeline, on journals made at random.

The oracle is a second reading of a journal that knows no phases: it answers for one instant only,
by going through the changes that are effective by then.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import NamedTuple
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

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
    PhaseState,
    PlanChanged,
    PricesChanged,
    QuantityChanged,
    Reopened,
    Resumed,
    Subscribed,
    TermChanged,
    Terms,
    Timeline,
    TrialChanged,
    Undone,
)
from tenor.subscriptions.rules.timeline import fold, item_at, phase_at

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
FEW = settings(max_examples=150, deadline=None)
LAST_HOUR = 40
REOPENED = 100
"""What the number of an item has on top of that of the change that reopened it for another's sake."""


class Agreed(NamedTuple):
    """What holds of one item at one instant."""

    item: ItemId
    plan: PlanVersionId
    is_add_on: bool
    is_billable: bool
    state: PhaseState
    seats: Decimal | None
    price: Decimal | None


@dataclass
class Slot:
    """The plan, or one add-on, as a reading of the journal has come to it."""

    names: list[ItemId]
    plan: PlanVersionId
    terms: Terms
    is_add_on: bool
    billable_from: datetime | None = None


def hour(count: int) -> datetime:
    return EPOCH + timedelta(hours=count)


def item_id(number: int) -> ItemId:
    return ItemId(UUID(int=number))


def plan_id(number: int) -> PlanVersionId:
    return PlanVersionId(UUID(int=1000 + number))


def discount(number: int) -> Discount:
    return Discount(id=DiscountId(UUID(int=2000 + number)), code="ten", name="Ten", percent_off=Decimal(10))


def terms(seats: int | None) -> Terms:
    return Terms(quantities={} if seats is None else {"seats": Decimal(seats)}, prices={})


def change(version: int, effective_at: datetime, facts: Facts) -> Change:
    return Change(version, effective_at, EPOCH, "test", "", facts)


hours = st.integers(min_value=0, max_value=LAST_HOUR)  # few instants, so that many coincide
seats = st.none() | st.integers(min_value=0, max_value=3)
closings = st.sampled_from(Closing)
KINDS = [
    "plan",
    "plan",
    "quantity",
    "quantity",
    "price",
    "add",
    "remove",
    "pause",
    "pause",
    "resume",
    "resume",
    "trial",
    "anchor",
    "term",
    "cancel",
    "discount",
    "undiscount",
    "undo",
]


@st.composite
def changes(draw: st.DrawFn, version: int) -> Facts:
    """Any facts for the entry `version`, about any item that an earlier entry may have opened."""
    earlier = st.integers(min_value=1, max_value=version - 1).map(item_id)
    at = hour(draw(hours))
    match draw(st.sampled_from(KINDS)):
        case "plan":
            replaces = draw(st.none() | earlier)
            return PlanChanged(item_id(version), plan_id(version), at, terms(draw(seats)), draw(closings), replaces)
        case "quantity":
            return QuantityChanged({"seats": Decimal(draw(hours))}, draw(st.none() | earlier))
        case "price":
            price = draw(st.none() | st.integers(min_value=1, max_value=3).map(Decimal))
            return PricesChanged({"seats": price}, draw(st.none() | earlier))
        case "add":
            return AddOnAdded(item_id(version), plan_id(version), at, terms(draw(seats)))
        case "remove":
            return AddOnRemoved(draw(earlier), draw(closings))
        case "pause":
            return Paused(draw(closings))
        case "resume":
            return Resumed(draw(reopenings(version)))
        case "trial":
            return TrialChanged(at, draw(reopenings(version)))
        case "anchor":
            return AnchorMoved(draw(reopenings(version)))
        case "term":
            return TermChanged(draw(st.none() | hours.map(hour)))
        case "cancel":
            return Cancelled(draw(closings))
        case "discount":
            return DiscountApplied(discount(draw(st.integers(min_value=1, max_value=2))))
        case "undiscount":
            return DiscountRemoved(discount(draw(st.integers(min_value=1, max_value=2))).id)
        case _:
            return Undone(draw(st.integers(min_value=2, max_value=max(2, version - 1))))


@st.composite
def reopenings(draw: st.DrawFn, version: int) -> tuple[Reopened, ...]:
    """Up to two items that go on as others."""
    replaced = draw(st.lists(st.integers(min_value=1, max_value=version - 1), max_size=2, unique=True))
    return tuple(
        Reopened(
            item_id(number),
            item_id(version + REOPENED * place),
            hour(draw(hours)),
            draw(st.none() | hours.map(hour)),
        )
        for place, number in enumerate(replaced)
    )


@st.composite
def journals(draw: st.DrawFn, most: int = 8) -> list[Change]:
    """A journal with a start at any hour, perhaps a trial and an end, and changes in any order of time."""
    start = draw(st.integers(min_value=0, max_value=20))
    trial = draw(st.none() | st.integers(min_value=0, max_value=20))
    end = draw(st.none() | st.integers(min_value=1, max_value=40))
    first = Subscribed(
        item_id=item_id(1),
        plan_version_id=plan_id(1),
        anchor_at=hour(start + (trial or 0)),
        terms=terms(draw(seats)),
        discount_percent=Decimal(0),
        trial_ends_at=None if trial is None else hour(start + trial),
        trial_converts=draw(st.booleans()) if trial else True,
        ends_at=None if end is None else hour(start + end),
    )
    versions = range(2, 2 + draw(st.integers(min_value=0, max_value=most)))
    later = [change(version, hour(draw(hours)), draw(changes(version))) for version in versions]
    return [change(1, hour(start), first), *later]


class Reading:
    """A journal read up to one instant, without phases."""

    def __init__(self, first: Change) -> None:
        assert isinstance(first.facts, Subscribed)
        facts = first.facts
        self.slots = [Slot([facts.item_id], facts.plan_version_id, facts.terms, is_add_on=False)]
        self.trial_ends_at, self.converts = facts.trial_ends_at, facts.trial_converts
        self.ends_at = facts.ends_at
        self.is_paused = False

    def in_trial(self, at: datetime) -> bool:
        return self.trial_ends_at is not None and at < self.trial_ends_at

    def runs(self, at: datetime) -> bool:
        """Whether the plan goes on at `at`, the end of a term left aside."""
        return bool(self.slots) and (self.converts or self.in_trial(at))

    def named(self, name: ItemId | None) -> Slot | None:
        found = [slot for slot in self.slots if (name in slot.names if name else not slot.is_add_on)]
        return found[0] if found else None

    def reopen(self, reopened: Sequence[Reopened], at: datetime) -> None:
        for one in reopened:
            paid_until = None if self.in_trial(at) else one.billable_from
            for slot in self.slots:
                if slot.names[-1] == one.replaces:
                    slot.names.append(one.item_id)
                    billable = [at for at in (slot.billable_from, paid_until) if at is not None]
                    slot.billable_from = max(billable, default=None)
                    break

    def read(self, facts: Facts, at: datetime) -> None:
        match facts:
            case PlanChanged():
                if slot := self.named(facts.replaces):
                    slot.names.append(facts.item_id)
                    slot.plan, slot.terms = facts.plan_version_id, facts.terms
            case QuantityChanged():
                slot = self.named(facts.item_id)
                if slot and "seats" in slot.terms.quantities:
                    slot.terms = slot.terms._replace(quantities=facts.quantities)
            case PricesChanged():
                if slot := self.named(facts.item_id):
                    price = facts.prices["seats"]
                    slot.terms = slot.terms._replace(prices={} if price is None else {"seats": price})
            case AddOnAdded():
                self.slots.append(Slot([facts.item_id], facts.plan_version_id, facts.terms, is_add_on=True))
            case AddOnRemoved():
                if (slot := self.named(facts.item_id)) and slot.is_add_on:
                    self.slots.remove(slot)
            case Paused():
                self.is_paused = True
            case Resumed():
                if self.is_paused:
                    self.is_paused = False
                    self.reopen(facts.reopened, at)
            case TrialChanged():
                if self.in_trial(at):
                    self.trial_ends_at = max(at, facts.trial_ends_at)
                    self.converts = self.converts or facts.trial_ends_at <= at
                    self.reopen(facts.reopened, at)
            case AnchorMoved():
                self.reopen(facts.reopened, at)
            case TermChanged():
                self.ends_at = None if facts.ends_at is None else max(at, facts.ends_at)
            case Cancelled():
                self.slots = []
            case _:
                pass


def agreed_at(journal: Sequence[Change], instant: datetime) -> set[Agreed]:
    """Read the journal for one instant, without phases."""
    undone = {entry.facts.version for entry in journal if isinstance(entry.facts, Undone)}
    first, *rest = journal
    said = [entry for entry in rest if entry.version not in undone]
    said = [entry for entry in said if first.effective_at <= entry.effective_at <= instant]
    if instant < first.effective_at:
        return set()
    reading = Reading(first)
    for entry in sorted(said, key=lambda entry: (entry.effective_at, entry.version)):
        at = entry.effective_at
        if reading.runs(at) and (reading.ends_at is None or at <= reading.ends_at):
            reading.read(entry.facts, at)
    if not reading.runs(instant) or (reading.ends_at is not None and instant >= reading.ends_at):
        return set()
    state = PhaseState.TRIAL if reading.in_trial(instant) else PhaseState.ACTIVE
    state = PhaseState.PAUSED if reading.is_paused else state
    return {
        Agreed(
            slot.names[-1],
            slot.plan,
            slot.is_add_on,
            state is PhaseState.ACTIVE and (slot.billable_from is None or instant >= slot.billable_from),
            state,
            slot.terms.quantities.get("seats"),
            slot.terms.prices.get("seats"),
        )
        for slot in reading.slots
    }


def timeline_at(timeline: Timeline, instant: datetime) -> set[Agreed]:
    return {
        Agreed(
            item.id,
            item.plan_version_id,
            item.is_add_on,
            phase.is_billable,
            phase.state,
            phase.terms.quantities.get("seats"),
            phase.terms.prices.get("seats"),
        )
        for item in timeline.items
        if (phase := phase_at(item, instant))
    }


def of_the_plan(timeline: Timeline) -> list[Item]:
    return [item for item in timeline.items if not item.is_add_on]


@settings(max_examples=400, deadline=None)
@given(journals())
def test_every_instant_holds_what_the_journal_says_of_it(journal: list[Change]) -> None:
    timeline = fold(journal)

    for half_hours in range(-1, 165):
        instant = EPOCH + timedelta(minutes=30 * half_hours)
        assert timeline_at(timeline, instant) == agreed_at(journal, instant)


@FEW
@given(journals(most=12))
def test_phases_are_filled_and_contiguous_and_items_of_the_plan_follow_each_other(journal: list[Change]) -> None:
    timeline = fold(journal)

    for item in timeline.items:
        assert item.phases
        assert all(phase.ends_at is None or phase.starts_at < phase.ends_at for phase in item.phases)
        assert all(earlier.ends_at == later.starts_at for earlier, later in pairwise(item.phases))
    # One item of the plan follows the other without a gap as well, so the whole life is one chain.
    plan = of_the_plan(timeline)
    assert all(earlier.ends_at == later.starts_at for earlier, later in pairwise(plan))
    assert len({item.id for item in timeline.items}) == len(timeline.items)
    # No add-on runs where the plan does not.
    ends = [item.ends_at for item in plan]
    for add_on in timeline.items[len(plan) :] if plan else []:
        assert plan[0].starts_at <= add_on.starts_at
        assert ends[-1] is None or (add_on.ends_at is not None and add_on.ends_at <= ends[-1])


@FEW
@given(journals(most=12))
def test_a_closing_stands_only_where_billing_stops(journal: list[Change]) -> None:
    for item in fold(journal).items:
        for phase, following in pairwise((*item.phases, None)):
            if phase is not None and phase.closing is not Closing.PRORATED:
                assert phase.is_billable
                assert phase.ends_at is not None
                assert following is None or not following.is_billable


@FEW
@given(journals(), st.randoms(use_true_random=False))
def test_the_fold_is_the_same_for_any_order_of_reading(journal: list[Change], random: Random) -> None:
    shuffled = list(journal)
    random.shuffle(shuffled)

    assert fold(shuffled) == fold(journal)


@FEW
@given(journals(), hours, st.data())
def test_what_is_taken_back_has_never_been(journal: list[Change], at: int, data: st.DataObject) -> None:
    anything = change(98, hour(at), data.draw(changes(98)))
    if isinstance(anything.facts, Undone):
        return

    assert fold([*journal, anything, change(99, hour(at), Undone(98))]) == fold(journal)


@FEW
@given(journals())
def test_taking_back_the_taking_back_says_nothing(journal: list[Change]) -> None:
    undoings = [entry for entry in journal if isinstance(entry.facts, Undone)]
    again = [change(50 + place, entry.effective_at, Undone(entry.version)) for place, entry in enumerate(undoings)]

    assert fold([*journal, *again]) == fold(journal)


@FEW
@given(journals(), hours)
def test_nothing_is_agreed_from_a_cancellation_on(journal: list[Change], at: int) -> None:
    cancelled = fold([*journal, change(99, hour(at), Cancelled())])

    if hour(at) >= journal[0].effective_at:
        assert all(item.ends_at is not None and item.ends_at <= hour(at) for item in cancelled.items)
    else:
        assert cancelled == fold(journal)


@FEW
@given(journals(), hours, closings, st.booleans())
def test_a_pause_or_a_discount_and_its_reversal_at_the_same_instant_leave_nothing(
    journal: list[Change], at: int, closing: Closing, is_pause: bool
) -> None:
    before = fold(journal)
    item = item_at(before, hour(at))
    phase = phase_at(item, hour(at)) if item else None
    if phase and phase.state is PhaseState.PAUSED:
        return  # what is paused already is resumed by the reversal
    there: Facts = Paused(closing) if is_pause else DiscountApplied(discount(3))
    back: Facts = Resumed() if is_pause else DiscountRemoved(discount(3).id)

    assert fold([*journal, change(98, hour(at), there), change(99, hour(at), back)]) == before


@FEW
@given(journals(), hours, st.integers(min_value=0, max_value=9), st.integers(min_value=1, max_value=9))
def test_terms_and_their_reversal_at_the_same_instant_leave_nothing(
    journal: list[Change], at: int, count: int, price: int
) -> None:
    before = fold(journal)
    item = item_at(before, hour(at))
    phase = phase_at(item, hour(at)) if item else None
    held, agreed = (phase.terms.quantities, phase.terms.prices.get("seats")) if phase else ({}, None)
    there: list[Facts] = [QuantityChanged({"seats": Decimal(count)}), PricesChanged({"seats": Decimal(price)})]
    back: list[Facts] = [QuantityChanged(held), PricesChanged({"seats": agreed})]
    entries = [change(90 + place, hour(at), facts) for place, facts in enumerate([*there, *back])]
    if phase is None and any(item.ends_at == hour(at) for item in before.items):
        return  # at the end of a term it is not known what would hold if it were prolonged

    assert fold([*journal, *entries]) == before


@FEW
@given(journals(), hours)
def test_an_add_on_and_its_removal_at_the_same_instant_leave_nothing(journal: list[Change], at: int) -> None:
    there = change(98, hour(at), AddOnAdded(item_id(98), plan_id(98), hour(at), terms(1)))
    back = change(99, hour(at), AddOnRemoved(item_id(98), Closing.FREE))

    assert fold([*journal, there, back]) == fold(journal)


@FEW
@given(journals(), hours, st.none() | hours)
def test_a_term_and_its_reversal_at_the_same_instant_leave_nothing(
    journal: list[Change], at: int, end: int | None
) -> None:
    # The term that is agreed by then: said by the first entry or by the last change of term that holds.
    before = fold([entry for entry in journal if not isinstance(entry.facts, TermChanged)])
    first = journal[0].facts
    assert isinstance(first, Subscribed)
    there = change(98, hour(at), TermChanged(None if end is None else hour(end)))
    back = change(99, hour(at), TermChanged(first.ends_at))
    rest = [entry for entry in journal if not isinstance(entry.facts, TermChanged)]
    if first.ends_at is not None and hour(at) > first.ends_at:
        return

    assert fold([*rest, there, back]) == before


@FEW
@given(journals(), hours)
def test_a_plan_and_its_reversal_at_the_same_instant_leave_the_same_to_be_billed(
    journal: list[Change], at: int
) -> None:
    before = fold(journal)
    item = item_at(before, hour(at))
    phase = phase_at(item, hour(at)) if item else None
    if item is None or phase is None:
        return
    there = change(98, hour(at), PlanChanged(item_id(98), plan_id(98), hour(at), terms(1)))
    back = change(99, hour(at), PlanChanged(item_id(99), item.plan_version_id, item.anchor_at, phase.terms))

    after = fold([*journal, there, back])
    assert item_id(98) not in {item.id for item in after.items}
    for half_hours in range(165):
        instant = EPOCH + timedelta(minutes=30 * half_hours)
        assert terms_at(after, instant) == terms_at(before, instant) or names_an_item(journal)


def terms_at(timeline: Timeline, instant: datetime) -> set[Agreed]:
    """What holds of the plan and of add-ons, whatever the items are called."""
    return {agreed._replace(item=item_id(0)) for agreed in timeline_at(timeline, instant)}


def names_an_item(journal: Sequence[Change]) -> bool:
    """Whether a later entry moves the grid of an item by its id, which another item in its place does not have."""
    return any(isinstance(entry.facts, Resumed | AnchorMoved | TrialChanged) for entry in journal)


@FEW
@given(journals())
def test_what_is_recorded_later_never_changes_the_time_before_it_takes_effect(journal: list[Change]) -> None:
    *earlier, newest = journal
    if not earlier or isinstance(newest.facts, Undone):
        return
    before, after = fold(earlier), fold(journal)

    def until(timeline: Timeline) -> list[Item]:
        """The part of each item before the newest change takes effect; what a halt does there is news."""
        cut = newest.effective_at
        return [
            replace(
                item,
                phases=tuple(
                    phase._replace(ends_at=min(phase.ends_at or cut, cut), closing=Closing.PRORATED)
                    for phase in item.phases
                    if phase.starts_at < cut
                ),
            )
            for item in timeline.items
            if item.starts_at < cut
        ]

    assert until(after) == until(before)


@FEW
@given(journals())
def test_discounts_hold_from_when_they_are_applied_until_they_are_removed(journal: list[Change]) -> None:
    timeline = fold(journal)
    undone = {entry.facts.version for entry in journal if isinstance(entry.facts, Undone)}

    for half_hours in range(165):
        instant = EPOCH + timedelta(minutes=30 * half_hours)
        held: set[DiscountId] = set()
        for entry in sorted(journal, key=lambda entry: (entry.effective_at, entry.version)):
            at = entry.effective_at
            if at > instant or entry.version in undone or not timeline_at(timeline, at):
                continue
            if isinstance(entry.facts, DiscountApplied):
                held.add(entry.facts.discount.id)
            elif isinstance(entry.facts, DiscountRemoved):
                held.discard(entry.facts.discount_id)
        holding = [
            one.discount.id
            for one in timeline.discounts
            if one.applied_at <= instant and (one.removed_at is None or instant < one.removed_at)
        ]
        if timeline_at(timeline, instant):
            assert sorted(holding) == sorted(held)
