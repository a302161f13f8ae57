"""Law 1, on lives made at random: what has been billed is what is owed, however the way there was cut into runs.

One subscription is billed again and again while its journal grows (also into the past) and usage arrives late.
The pure stages of the bill run do the work; lists stand in for the tables, and refuse what the tables refuse.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, Final, NamedTuple, cast
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenor.invoicing.bill_run import stages
from tenor.invoicing.bill_run.plan import PlannedRun
from tenor.invoicing.bill_run.stages import Batch, ItemWork, Memory, Work
from tenor.invoicing.model import Billed, DocumentKind, Draft, Key, Line, Owed
from tenor.invoicing.rules.documents import transfers_of
from tenor.invoicing.rules.dues import Due, Look, dues, next_due_at
from tenor.invoicing.rules.owed import UsageKey, owed
from tenor.invoicing.rules.settle import settle
from tenor.invoicing.usage import served_span
from tenor.kernel.calendar import parse_zone
from tenor.kernel.ids import BillRunId, CustomerId, ItemId, PlanVersionId, SubscriptionId
from tenor.kernel.period import Period
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing.charges import Flat, Graduated, Matrix, MatrixCell, Price, Standard, Tier
from tenor.pricing.model import Charge, PlanVersion, Timing
from tenor.pricing.policy import Policy, profile
from tenor.pricing.rules.rating import Usage
from tenor.subscriptions import (
    BillingPosition,
    Cancelled,
    Change,
    Facts,
    Item,
    PlanChanged,
    QuantityChanged,
    Status,
    Subscribed,
    Subscription,
    Terms,
)
from tenor.subscriptions.rules.timeline import fold
from tests.support.invoicing import (
    MONTH,
    QUARTER,
    TEN_AT_FIVE_THEN_TWO,
    YEAR,
    at,
    base,
    calls,
    commitment,
    plan,
    seats,
    setup,
)

NO_DATABASE: Final = cast(UnitOfWork, None)
FIRST_DAY: Final = at("2026-01-01")
BY_SIZE: Final = Matrix(
    ("size",), (MatrixCell(("large",), Standard(Decimal("0.30"))),), default=Standard(Decimal("0.07"))
)

CHARGES: Final[Sequence[Charge]] = (
    base("100.00"),
    base("77.77", code="arrears", timing=Timing.ARREARS),
    base("999.99", code="yearly", interval=YEAR),
    base("10.00", code="whole", is_prorated=False),
    seats("9.99"),
    setup("50.00"),
    calls(Price(TEN_AT_FIVE_THEN_TWO)),
    calls("0.333", code="quarterly", interval=QUARTER),
    calls(Price(BY_SIZE, min_amount=Decimal(8)), code="sized"),
    calls(Price(Standard(Decimal(1)), free_units=Decimal(3), max_amount=Decimal(20)), code="capped"),
    commitment("120.00"),
    commitment("400.00", code="quarter_minimum", interval=QUARTER),
)
PROFILES: Final = ("tenor", "lago", "killbill", "mlytics", "paddle", "recurly")
ZONES: Final = ("UTC", "Europe/Berlin", "Asia/Kolkata")


class Used(NamedTuple):
    """One usage event."""

    at: datetime
    size: str
    units: Decimal


class World:
    """A subscription with its journal, usage, claims, lines and positions: the tables of one customer."""

    def __init__(self, plans: Sequence[PlanVersion], first: Subscribed, *, profile_name: str, zone: str) -> None:
        self.plans = {version.id: version for version in plans}
        self.policy: Policy = profile(profile_name)
        self.zone = parse_zone(zone)
        self.subscription = Subscription(
            id=SubscriptionId(UUID(int=7)),
            customer_id=CustomerId(UUID(int=8)),
            external_id="sub",
            currency="USD",
            timezone=zone,
            profile=profile_name,
            status=Status.ACTIVE,
            version=1,
            starts_at=FIRST_DAY,
            trial_ends_at=None,
            trial_converts=True,
            ends_at=None,
        )
        self.journal: list[Change] = []
        self.used: list[Used] = []
        self.lines: list[Line] = []
        self.drafts: list[Draft] = []
        self.settlements: dict[tuple[Any, ...], int] = defaultdict(int)
        self.positions: dict[ItemId, BillingPosition] = {}
        self.next_due: dict[ItemId, datetime | None] = {}
        self.runs = count(1)
        self.record(FIRST_DAY, first, now=FIRST_DAY)

    @property
    def items(self) -> list[Item]:
        """Every item that there ever was, as `load_items` returns them."""
        folded = {item.id: item for item in fold(self.journal).items}
        gone = Item(ItemId(UUID(int=0)), PlanVersionId(UUID(int=0)), FIRST_DAY, Decimal(0), ())
        opened = [change.facts for change in self.journal if isinstance(change.facts, Subscribed | PlanChanged)]
        return [
            folded.get(
                facts.item_id,
                Item(facts.item_id, facts.plan_version_id, facts.anchor_at, gone.discount_percent, ()),
            )
            for facts in opened
        ]

    def record(self, effective_at: datetime, facts: Facts, *, now: datetime) -> None:
        """Write an entry of the journal, and mark as news what it touches."""
        before = {item.id: item.phases for item in fold(self.journal).items} if self.journal else {}
        self.journal.append(Change(len(self.journal) + 1, effective_at, now, "test", "", facts))
        after = {item.id: item for item in fold(self.journal).items}
        for item_id, item in after.items():
            if item_id not in self.positions:
                self.positions[item_id] = BillingPosition(item_id, None, None)
                self.next_due[item_id] = item.starts_at
        for item_id, phases in before.items():
            if item_id not in after or after[item_id].phases != phases:
                self._mark(item_id, effective_at, now=now)

    def use(self, used: Used, *, now: datetime) -> None:
        """Take in usage; where it comes late, mark it as news."""
        self.used.append(used)
        for item_id, position in self.positions.items():
            if position.settled_through is not None and position.settled_through > used.at:
                self._mark(item_id, used.at, now=now)

    def _mark(self, item_id: ItemId, since: datetime, *, now: datetime) -> None:
        position, due = self.positions[item_id], self.next_due[item_id]
        revisit = position.revisit_from
        self.positions[item_id] = position._replace(revisit_from=since if revisit is None else min(revisit, since))
        self.next_due[item_id] = now if due is None else min(due, now)

    def metered(self, item_id: ItemId, looked_at: Sequence[Due]) -> dict[UsageKey, Usage]:
        """Return the usage known by now of each due, over its served span."""
        totals = {}
        for due in looked_at:
            served = served_span(due)
            if due.charge.metric is None or served is None:
                continue
            inside = [used for used in self.used if served.holds(used.at)]
            by_size: dict[tuple[str, ...], Decimal] = {}
            if due.charge.dimensions:
                for used in inside:
                    by_size[used.size,] = by_size.get((used.size,), Decimal(0)) + used.units
            units = sum((used.units for used in inside), Decimal(0))
            totals[item_id, due.charge.id, due.period] = Usage(units=units, by_dimension=by_size)
        return totals

    def bill(self, as_of: datetime) -> None:
        """Do what the bill run does for this subscription as of an instant."""
        if not any(due is not None and due <= as_of for due in self.next_due.values()):
            return
        batch = self._loaded(as_of)
        for stage in (stages.rate, stages.discount, stages.commit, stages.settle_batch, stages.tax):
            stage(NO_DATABASE, batch)
        assert [work.parked for work in batch.works] == [None]
        self._claim(batch)
        self.drafts += batch.drafts
        self.lines += [entry.line for draft in batch.drafts for entry in draft.lines]
        for work in batch.works[0].items:
            item_id = work.item.id
            self.positions[item_id] = BillingPosition(item_id, as_of, None)
            self.next_due[item_id] = next_due_at(work.item, work.plan, self.zone, self.policy.calendar, after=as_of)

    def _loaded(self, as_of: datetime) -> Batch:
        run = PlannedRun(BillRunId(UUID(int=next(self.runs))), as_of, as_of, 1, 1, is_resumed=False)
        batch = Batch(run=run, number=1, memory=Memory(plans=dict(self.plans)))
        works = [
            ItemWork(item, self.positions[item.id], self.plans[item.plan_version_id])
            for item in self.items
            if item.id in self.positions
        ]
        batch.works = [Work(self.subscription, Decimal(19), self.zone, self.policy, works)]
        for work in works:
            look = Look(as_of, work.position.settled_through, work.position.revisit_from)
            work.dues = dues(work.item, work.plan, look, self.zone, self.policy.calendar)
            batch.usage |= self.metered(work.item.id, work.dues)
        batch.billed = {
            item_id: list(self._billed(ItemId(item_id), since))
            for item_id, since in stages._settled_before(batch).items()
        }
        return batch

    def _billed(self, item_id: ItemId, since: datetime) -> Iterator[Billed]:
        """Yield what lines hold for the claimed periods of an item that end after `since`."""
        for (claimed_item, charge_id, start, end), settled in self.settlements.items():
            if claimed_item != item_id or end <= since:
                continue
            sums: dict[str, int] = defaultdict(int)
            for line in self.lines:
                if line.key[:2] == (item_id, charge_id) and line.key.period.start == start:
                    sums[line.key.dimension] += line.amount_minor
            for dimension, amount_minor in (sums or {"": 0}).items():
                yield Billed(Key(item_id, charge_id, dimension, Period(start, end)), amount_minor, settled, False, "")

    def _claim(self, batch: Batch) -> None:
        """Write the claims, and refuse what the keys of their table refuse."""
        for item_id, charge_id, start, end, number, previous, follows, _, _ in stages._claim_rows(batch):
            slot = (item_id, charge_id, start, end)
            assert number == self.settlements[slot] + 1, "a settlement number is taken"
            assert (previous or 0) == number - 1
            chain = [claimed for claimed in self.settlements if claimed[:2] == slot[:2] and self.settlements[claimed]]
            if follows is not None:
                assert any(claimed[3] == follows for claimed in chain), "a gap in the chain of periods"
            elif number == 1:
                assert not chain, "two chains of one charge"
            self.settlements[slot] = number

    def owed(self, through: datetime) -> list[Owed]:
        """Return what the whole life owes, with nothing settled."""
        timeline = fold(self.journal)
        usage: dict[UsageKey, Usage] = {}
        for item in timeline.items:
            version = self.plans[item.plan_version_id]
            usage |= self.metered(
                item.id, dues(item, version, Look(through, None, None), self.zone, self.policy.calendar)
            )
        return owed(timeline, self.plans, usage, self.policy, through=through, zone=self.zone)

    def billed_sums(self) -> dict[Key, int]:
        """Return what all lines so far sum to, keys at zero left out."""
        sums: dict[Key, int] = defaultdict(int)
        for line in self.lines:
            sums[line.key] += line.amount_minor
        return {key: amount_minor for key, amount_minor in sums.items() if amount_minor}


half_days = st.integers(min_value=0, max_value=2 * 500).map(lambda count: FIRST_DAY + timedelta(hours=12 * count))
month_starts = st.integers(min_value=1, max_value=12).map(lambda month: datetime(2026, month, 1, tzinfo=FIRST_DAY.tzinfo))
instants = half_days | month_starts
charge_sets = st.lists(st.sampled_from(CHARGES), min_size=1, max_size=4, unique_by=lambda charge: charge.code)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A subscription on one of two plans, perhaps with a trial, an end, a discount and an anchor of its own."""
    plans = [plan(*draw(charge_sets), version_id=PlanVersionId(UUID(int=number))) for number in (101, 102)]
    trial_days = draw(st.sampled_from([0, 0, 14, 45]))
    paid_from = FIRST_DAY + timedelta(days=trial_days)
    ends_at = draw(st.none() | instants.filter(lambda instant: instant > paid_from))
    first = Subscribed(
        item_id=ItemId(UUID(int=1)),
        plan_version_id=plans[0].id,
        anchor_at=draw(st.sampled_from([paid_from, at("2025-12-31"), at("2026-01-15T10:30:00Z")])),
        terms=Terms({"seats": Decimal(draw(st.integers(0, 5)))}, draw(st.sampled_from([{}, {"base": Decimal(80)}]))),
        discount_percent=draw(st.sampled_from([Decimal(0), Decimal(0), Decimal("12.5")])),
        trial_ends_at=paid_from if trial_days else None,
        trial_converts=draw(st.sampled_from([True, True, False])) if trial_days else True,
        ends_at=ends_at,
    )
    return World(plans, first, profile_name=draw(st.sampled_from(PROFILES)), zone=draw(st.sampled_from(ZONES)))


class News(NamedTuple):
    """Something that happens before the next run: what, and from when."""

    kind: str
    at: datetime
    number: int


news = st.builds(
    News, st.sampled_from(["seats", "plan", "cancel", "use", "use"]), instants, st.integers(min_value=0, max_value=30)
)
steps = st.lists(
    st.tuples(st.lists(news, max_size=3), st.sampled_from([0, 1, 13, 31, 31, 62, 92])), min_size=1, max_size=8
)


def happens(world: World, event: News, *, now: datetime) -> None:
    version = len(world.journal) + 1
    match event.kind:
        case "seats":
            world.record(event.at, QuantityChanged({"seats": Decimal(event.number)}), now=now)
        case "plan":
            plan_id = list(world.plans)[event.number % 2]
            terms = Terms({"seats": Decimal(event.number)}, {})
            anchor = world.items[0].anchor_at if event.number % 3 else event.at
            world.record(event.at, PlanChanged(ItemId(UUID(int=version)), plan_id, anchor, terms), now=now)
        case "cancel":
            world.record(event.at, Cancelled(), now=now)
        case _:
            size = ("large", "small", "")[event.number % 3]
            world.use(Used(event.at, size, Decimal(event.number) / 2), now=now)


@settings(max_examples=1000, deadline=None)
@given(worlds(), steps)
def test_successive_runs_bill_exactly_what_is_owed(
    world: World, steps: list[tuple[list[News], int]]
) -> None:
    now = FIRST_DAY
    for events, days in steps:
        for event in events:
            happens(world, event, now=now)
        now += timedelta(days=days)
        world.bill(now)

        owed_now = {entry.key: entry.amount_minor for entry in world.owed(now)}
        assert len(owed_now) == len(world.owed(now)), "two amounts for one key"
        assert world.billed_sums() == {key: amount for key, amount in owed_now.items() if amount}
