"""Laws of every change, on lives made at random: entries of all kinds, late or ahead, interleaved with bill runs.

What the tables refuse the books refuse (`Books`), so a life that would stop the bill run of a tenant fails here.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from tenor.invoicing.model import Billed
from tenor.invoicing.rules.dues import next_due_at
from tenor.invoicing.rules.settle import settle
from tenor.kernel.ids import ItemId
from tenor.kernel.period import Period
from tenor.subscriptions import (
    AddOnAdded,
    AddOnRemoved,
    DiscountApplied,
    DiscountRemoved,
    Facts,
    Paused,
    PricesChanged,
    QuantityChanged,
    Resumed,
    Terms,
    Undone,
)
from tenor.subscriptions.rules.standing import pause_at
from tenor.subscriptions.rules.timeline import phase_at
from tests.support.bill_run_in_memory import Books
from tests.support.changing_lives import (
    CLOSINGS,
    FIRST_DAY,
    MAY_BE_NEGATIVE,
    Beginning,
    Choice,
    Life,
    News,
    Step,
    beginnings,
    half_days,
    live,
    news,
    steps,
)
from tests.support.invoicing import looked_at


@settings(max_examples=300, deadline=None)
@given(beginnings(), steps)
def test_whatever_changes_what_is_billed_is_what_is_owed(beginning: Beginning, steps: list[Step]) -> None:
    def check(books: Books, now: datetime) -> None:
        owed_now = books.owed(now)
        sums = books.billed_sums()
        assert len({entry.key for entry in owed_now}) == len(owed_now), "two amounts for one key"
        assert {key: minor for key, minor in sums.items() if minor} == {
            entry.key: entry.amount_minor for entry in owed_now if entry.amount_minor
        }
        billed = [Billed(key, minor, 1, is_deferred=False, description="") for key, minor in sums.items()]
        assert settle(owed_now, billed, now=now) == []
        assert books.bill(now) == []

    live(beginning.life(), steps, check)


@settings(max_examples=100, deadline=None)
@given(beginnings(), steps)
def test_no_credit_exceeds_what_was_billed_in_money_or_in_tax(beginning: Beginning, steps: list[Step]) -> None:
    def check(books: Books, _: datetime) -> None:
        codes = {charge.id: charge.code for version in books.plans.values() for charge in version.charges}
        for key, taxed in books.tax_sums().items():
            if codes[key.charge_id] not in MAY_BE_NEGATIVE:
                assert taxed.amount_minor >= 0
                assert all(minor >= 0 for minor in taxed.taxes_minor.values())
            if not taxed.amount_minor:
                assert not any(taxed.taxes_minor.values()), "a key that is given back leaves tax"

    live(beginning.life(), steps, check)


@settings(max_examples=60, deadline=None)
@given(beginnings(), steps)
def test_periods_of_a_charge_tile_its_life(beginning: Beginning, steps: list[Step]) -> None:
    def check(books: Books, _now: datetime) -> None:
        chains: dict[tuple[UUID, UUID], list[Period]] = {}
        for claimed in sorted(books.settlements):
            chains.setdefault(claimed[:2], []).append(claimed.period)
        for (item_id, _), periods in chains.items():
            assert periods[0].holds(books.opened[ItemId(item_id)].starts_at)
            assert all(before.end == after.start for before, after in pairwise(periods))

    live(beginning.life(), steps, check)


@settings(max_examples=60, deadline=None)
@given(beginnings(), steps)
def test_no_run_looks_too_late_or_for_nothing(beginning: Beginning, steps: list[Step]) -> None:
    def check(books: Books, now: datetime) -> None:
        for item in books.items:
            version = books.plans[item.plan_version_id]
            first = next_due_at(item, version, books.zone, books.policy.calendar, after=now)
            horizon = first or now + timedelta(days=800)
            every = looked_at(item, version, through=horizon, zone=books.zone, policy=books.policy)
            assert {due.due_at for due in every if due.due_at > now} == (set() if first is None else {first})

    live(beginning.life(), steps, check)


@settings(max_examples=60, deadline=None)
@given(beginnings(), steps)
def test_the_same_life_makes_the_same_documents_and_previews_say_them(beginning: Beginning, steps: list[Step]) -> None:
    life = beginning.life()
    now, made = FIRST_DAY, []
    for step in steps:
        for event in step.news:
            life.comes_to_light(event, now=now)
        now += timedelta(hours=step.hours)
        previews = [life.books.preview(now) for _ in range(2)]
        made.append(life.books.bill(now))
        assert previews[0] == previews[1]
        assert [draft.lines for draft in previews[0]] == [draft.lines for draft in made[-1]]

    assert live(beginning.life(), steps, lambda _books, _now: None) == made


def reversals(life: Life, number: int, when: datetime) -> list[list[tuple[Facts, datetime]]]:
    """Return changes each with its exact reversal at one instant."""
    (running, *_) = life._running(when)
    phase = phase_at(running.item, when)
    assert phase is not None
    add_on = AddOnAdded(ItemId(UUID(int=99)), life._add_ons[0].id, when, Terms({"seats": Decimal(1)}, {}))
    (discount,) = life._discount(Choice(number), when)
    assert isinstance(discount[0], DiscountApplied)
    facts: list[tuple[Facts, Facts]] = [
        (QuantityChanged({"seats": Decimal(number)}), QuantityChanged(phase.terms.quantities)),
        (PricesChanged({"base": Decimal(number)}), PricesChanged({"base": phase.terms.prices.get("base")})),
        (Paused(CLOSINGS[number % 3]), Resumed()),
        (add_on, AddOnRemoved(add_on.item_id, CLOSINGS[number % 3])),
        (discount[0], DiscountRemoved(discount[0].discount.id)),
    ]
    return [[(one, when) for one in pair] for pair in facts]


@settings(max_examples=100, deadline=None)
@given(beginnings(), steps, half_days, st.integers(0, 100), st.integers(0, 4))
def test_a_change_and_its_reversal_at_one_instant_cost_nothing(
    beginning: Beginning, steps: list[Step], when: datetime, number: int, which: int
) -> None:
    life = beginning.life()
    live(life, steps, lambda _books, _now: None)
    now = FIRST_DAY + timedelta(hours=sum(step.hours for step in steps))
    if not life._running(when) or pause_at(life.books.journal, when):
        return
    before = life.books.billed_sums()
    for one in reversals(life, number, when)[which]:
        life.books.record_together([one], now=now)
    life.books.bill(now)
    assert life.books.billed_sums() == before


@settings(max_examples=100, deadline=None)
@given(beginnings(), steps, news)
def test_a_change_that_is_taken_back_after_it_was_billed_leaves_nothing(
    beginning: Beginning, steps: list[Step], event: News
) -> None:
    life = beginning.life()
    live(life, steps, lambda _books, _now: None)
    now = FIRST_DAY + timedelta(hours=sum(step.hours for step in steps))
    before, length = {key: minor for key, minor in life.books.billed_sums().items() if minor}, len(life.books.journal)
    if event.kind in ("waive", "use"):
        return
    life.comes_to_light(event, now=now)
    life.books.bill(now)
    written = life.books.journal[length:]
    if not written or any(isinstance(change.facts, Undone) for change in written):
        return

    life.books.record_together([(Undone(change.version), change.effective_at) for change in written], now=now)
    life.books.bill(now)

    assert {key: minor for key, minor in life.books.billed_sums().items() if minor} == before
