"""Law 1, on lives made at random: what has been billed is what is owed, however the way there was cut into runs.

One subscription is billed again and again while its journal grows (also into the past) and usage arrives late.
The pure stages of the bill run do the work; lists stand in for the tables, and refuse what the tables refuse.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from itertools import count, pairwise
from typing import Final, NamedTuple, cast
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from tenor.invoicing.bill_run import stages
from tenor.invoicing.bill_run.plan import PlannedRun
from tenor.invoicing.bill_run.stages import Batch, ItemWork, Memory, Work
from tenor.invoicing.model import Billed, Draft, Key, Line, Owed
from tenor.invoicing.rules.documents import transfers_of
from tenor.invoicing.rules.dues import Due, Look, dues, next_due_at
from tenor.invoicing.rules.owed import UsageKey, owed
from tenor.invoicing.rules.settle import settle
from tenor.invoicing.usage import served_span
from tenor.kernel.calendar import parse_zone
from tenor.kernel.ids import BillRunId, ChargeId, CustomerId, ItemId, PlanVersionId, SubscriptionId
from tenor.kernel.period import Period
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing.charges import Matrix, MatrixCell, Price, Standard
from tenor.pricing.model import Charge, PlanVersion, Timing
from tenor.pricing.policy import profile
from tenor.pricing.rules.rating import Usage
from tenor.subscriptions import (
    BillingPosition,
    Cancelled,
    Change,
    Facts,
    Item,
    Phase,
    PlanChanged,
    QuantityChanged,
    Status,
    Subscribed,
    Subscription,
    Terms,
)
from tenor.subscriptions.rules.grid import period_end
from tenor.subscriptions.rules.timeline import fold
from tests.support.invoicing import (
    ITEM,
    MONTH,
    PLAN,
    QUARTER,
    TEN_AT_FIVE_THEN_TWO,
    YEAR,
    at,
    base,
    calls,
    commitment,
    looked_at,
    owed_of,
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
MEASURED_ON_ALL: Final = (commitment("120.00"), calls("0.333", code="quarterly", interval=QUARTER), *CHARGES[:3])
"""A monthly minimum beside charges of longer periods: what it is measured on must be due by then."""

PROFILES: Final = ("tenor", "lago", "killbill", "mlytics", "paddle", "recurly", "flexprice")
ZONES: Final = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata")


class Used(NamedTuple):
    """One usage event."""

    at: datetime
    size: str
    units: Decimal


class Claimed(NamedTuple):
    """A service period that has been settled, at zero or not."""

    item_id: ItemId
    charge_id: ChargeId
    period: Period


class World:
    """A subscription with its journal, usage, positions, claims and documents: the tables of one customer."""

    def __init__(self, plans: Sequence[PlanVersion], first: Subscribed, *, profile_name: str, zone: str) -> None:
        self.plans = {version.id: version for version in plans}
        self.policy = profile(profile_name)
        self.zone = parse_zone(zone)
        self.subscription = subscription(profile_name=profile_name, zone=zone)
        self.journal: list[Change] = []
        self.used: list[Used] = []
        self.drafts: list[Draft] = []
        self.settlements: dict[Claimed, int] = {}
        self.positions: dict[ItemId, BillingPosition] = {}
        self.next_due: dict[ItemId, datetime | None] = {}
        self.run_numbers = count(1)
        self.record(FIRST_DAY, first, now=FIRST_DAY)

    @property
    def lines(self) -> list[Line]:
        return [entry.line for draft in self.drafts for entry in draft.lines]

    @property
    def items(self) -> list[Item]:
        """Every item that there ever was; without phases where a later change took it back."""
        kept = {item.id: item for item in fold(self.journal).items}
        opened = [change.facts for change in self.journal if isinstance(change.facts, Subscribed | PlanChanged)]
        return [
            kept.get(facts.item_id) or Item(facts.item_id, facts.plan_version_id, facts.anchor_at, Decimal(0), ())
            for facts in opened
            if facts.item_id in self.positions
        ]

    def record(self, effective_at: datetime, facts: Facts, *, now: datetime) -> None:
        """Write an entry of the journal, open positions for new items, and mark as news what it touches."""
        before = {item.id: item.phases for item in self.items} if self.journal else {}
        self.journal.append(Change(len(self.journal) + 1, effective_at, now, "test", "", facts))
        for item in fold(self.journal).items:
            if item.id not in self.positions:
                self.positions[item.id] = BillingPosition(item.id, None, None)
                self.next_due[item.id] = item.starts_at
        for item in self.items:
            if item.id in before and before[item.id] != item.phases:
                self._mark(item.id, effective_at, now=now)

    def use(self, used: Used, *, now: datetime) -> None:
        """Take in usage; where it comes late, mark it as news."""
        self.used.append(used)
        for item_id, position in self.positions.items():
            if position.settled_through is not None and position.settled_through > used.at:
                self._mark(item_id, used.at, now=now)

    def _mark(self, item_id: ItemId, since: datetime, *, now: datetime) -> None:
        position, due = self.positions[item_id], self.next_due[item_id]
        self.positions[item_id] = position._replace(revisit_from=min(position.revisit_from or since, since))
        self.next_due[item_id] = min(due or now, now)

    def metered(self, item_id: ItemId, looked_at: Sequence[Due]) -> dict[UsageKey, Usage]:
        """Return the usage that is known by now of each due, over its served span."""
        totals = {}
        for due in looked_at:
            served = served_span(due)
            if due.charge.metric is None or served is None:
                continue
            inside = [used for used in self.used if served.holds(used.at)]
            by_size: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
            for used in inside:
                by_size[used.size,] += used.units
            totals[item_id, due.charge.id, due.period] = Usage(
                units=sum((used.units for used in inside), Decimal(0)),
                by_dimension=by_size if due.charge.dimensions else {},
            )
        return totals

    def bill(self, as_of: datetime) -> list[Draft]:
        """Do what the bill run does for this subscription as of an instant; return the documents made."""
        if not any(due is not None and due <= as_of for due in self.next_due.values()):
            return []
        batch = self._loaded(as_of)
        for stage in (stages.rate, stages.discount, stages.commit, stages.settle_batch, stages.tax):
            stage(NO_DATABASE, batch)
        assert [work.parked for work in batch.works] == [None]
        self._claim(batch)
        self.drafts += batch.drafts
        for work in batch.works[0].items:
            item_id = work.item.id
            self.positions[item_id] = BillingPosition(item_id, as_of, None)
            self.next_due[item_id] = next_due_at(work.item, work.plan, self.zone, self.policy.calendar, after=as_of)
        return batch.drafts

    def _loaded(self, as_of: datetime) -> Batch:
        run = PlannedRun(BillRunId(UUID(int=next(self.run_numbers))), as_of, as_of, 1, 1, is_resumed=False)
        works = [ItemWork(item, self.positions[item.id], self.plans[item.plan_version_id]) for item in self.items]
        batch = Batch(run=run, number=1, memory=Memory())
        batch.works = [Work(self.subscription, Decimal(19), self.zone, self.policy, works)]
        for work in works:
            look = Look(as_of, work.position.settled_through, work.position.revisit_from)
            work.dues = dues(work.item, work.plan, look, self.zone, self.policy.calendar)
            batch.usage |= self.metered(work.item.id, work.dues)
        since = stages._settled_before(batch)
        batch.billed = {item_id: list(self._billed(ItemId(item_id), since[item_id])) for item_id in since}
        return batch

    def _billed(self, item_id: ItemId, since: datetime) -> Iterator[Billed]:
        """Yield what lines hold for the claimed periods of an item that end after `since`."""
        for claimed, settlements in self.settlements.items():
            if claimed.item_id != item_id or claimed.period.end <= since:
                continue
            sums: dict[str, int] = defaultdict(int)
            for line in self.lines:
                if (line.key.item_id, line.key.charge_id, line.key.period) == claimed:
                    sums[line.key.dimension] += line.amount_minor
            for dimension, amount_minor in (sums or {"": 0}).items():
                key = Key(item_id, claimed.charge_id, dimension, claimed.period)
                yield Billed(key, amount_minor, settlements, is_deferred=False, description="")

    def _claim(self, batch: Batch) -> None:
        """Write the claims, and refuse what the keys of their table refuse."""
        for item_id, charge_id, start, end, number, previous, follows, _, _ in stages._claim_rows(batch):
            claimed = Claimed(item_id, charge_id, Period(start, end))
            ends = [other.period.end for other in self.settlements if other[:2] == claimed[:2]]
            assert number == self.settlements.get(claimed, 0) + 1, "another settlement has this number"
            assert previous == (number - 1 or None)
            assert follows is None or follows in ends, "a gap in the chain of periods"
            assert follows is not None or number > 1 or not ends, "a second chain of periods"
            self.settlements[claimed] = number

    def used_by_key(self, through: datetime) -> dict[UsageKey, Usage]:
        """Return the usage that is known by now of every due of the whole life."""
        usage: dict[UsageKey, Usage] = {}
        for item in self.items:
            version = self.plans[item.plan_version_id]
            every = looked_at(item, version, through=through, zone=self.zone, policy=self.policy)
            usage |= self.metered(item.id, every)
        return usage

    def owed(self, through: datetime, usage: dict[UsageKey, Usage] | None = None) -> list[Owed]:
        """Return what the whole life owes, with nothing settled."""
        metered = self.used_by_key(through) if usage is None else usage
        return owed(fold(self.journal), self.plans, metered, self.policy, through=through, zone=self.zone)

    def billed_sums(self) -> dict[Key, int]:
        """Return what all lines so far sum to, key by key."""
        sums: dict[Key, int] = defaultdict(int)
        for line in self.lines:
            sums[line.key] += line.amount_minor
        return dict(sums)


def subscription(*, profile_name: str, zone: str) -> Subscription:
    return Subscription(
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


half_days = st.integers(min_value=0, max_value=2 * 300).map(lambda number: FIRST_DAY + timedelta(hours=12 * number))
month_starts = st.integers(min_value=1, max_value=12).map(lambda month: datetime(2026, month, 1, tzinfo=UTC))
instants = half_days | month_starts
charge_sets = st.one_of(
    st.lists(st.sampled_from(CHARGES), min_size=2, max_size=5, unique_by=lambda charge: charge.code),
    st.just(list(MEASURED_ON_ALL)),
)
profiles = st.sampled_from(PROFILES)
zones = st.sampled_from(ZONES)


class News(NamedTuple):
    """Something that comes to light before the next run: what, from when, and a number whose meaning hangs on it."""

    kind: str
    at: datetime
    number: int


class Step(NamedTuple):
    """What comes to light, and after how many more days the next run is made."""

    news: list[News]
    days: int


kinds = st.sampled_from(["seats", "seats", "plan", "cancel", "use", "use", "use", "use"])
news = st.builds(News, kinds, instants, st.integers(0, 30))
steps = st.lists(
    st.builds(Step, st.lists(news, max_size=3), st.sampled_from([0, 1, 13, 31, 31, 62, 92])), min_size=3, max_size=9
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A subscription on one of two plans, perhaps with a trial, an end, a discount and an anchor of its own."""
    plans = [plan(*draw(charge_sets), version_id=PlanVersionId(UUID(int=number))) for number in (101, 102)]
    trial_days = draw(st.sampled_from([0, 0, 0, 14, 45]))
    paid_from = FIRST_DAY + timedelta(days=trial_days)
    first = Subscribed(
        item_id=ItemId(UUID(int=1)),
        plan_version_id=plans[0].id,
        anchor_at=draw(st.sampled_from([paid_from, at("2025-12-31"), at("2026-01-15T10:30:00Z")])),
        terms=Terms({"seats": Decimal(draw(st.integers(1, 5)))}, draw(st.sampled_from([{}, {"base": Decimal(80)}]))),
        discount_percent=draw(st.sampled_from([Decimal(0), Decimal(0), Decimal("12.5")])),
        trial_ends_at=paid_from if trial_days else None,
        trial_converts=draw(st.sampled_from([True, True, False])) if trial_days else True,
        ends_at=draw(st.sampled_from([None, None, paid_from + timedelta(days=130)])),
    )
    return World(plans, first, profile_name=draw(profiles), zone=draw(zones))


def comes_to_light(world: World, event: News, *, now: datetime) -> None:
    version = len(world.journal) + 1
    match event.kind:
        case "seats":
            world.record(event.at, QuantityChanged({"seats": Decimal(event.number)}), now=now)
        case "plan":
            plan_id = list(world.plans)[event.number % 2]
            anchor = world.items[0].anchor_at if event.number % 3 else event.at
            terms = Terms({"seats": Decimal(event.number)}, {})
            world.record(event.at, PlanChanged(ItemId(UUID(int=version)), plan_id, anchor, terms), now=now)
        case "cancel":
            world.record(event.at, Cancelled(), now=now)
        case _:
            size = ("large", "small", "")[event.number % 3]
            world.use(Used(event.at, size, Decimal(event.number) / 2), now=now)


@settings(max_examples=200, deadline=None)
@given(worlds(), steps)
def test_successive_runs_bill_exactly_what_is_owed(world: World, steps: list[Step]) -> None:
    now = FIRST_DAY
    for step in steps:
        for event in step.news:
            comes_to_light(world, event, now=now)
        now += timedelta(days=step.days)
        world.bill(now)

        owed_now = world.owed(now)
        sums = world.billed_sums()
        assert len({entry.key for entry in owed_now}) == len(owed_now), "two amounts for one key"
        assert {key: minor for key, minor in sums.items() if minor} == {
            entry.key: entry.amount_minor for entry in owed_now if entry.amount_minor
        }
        assert min(sums.values(), default=0) >= 0, "more was given back than was billed"
        # Nothing is left to settle, and the same run again has nothing to do.
        billed = [Billed(key, minor, 1, is_deferred=False, description="") for key, minor in sums.items()]
        assert settle(owed_now, billed, now=now) == []
        assert world.bill(now) == []


@settings(max_examples=60, deadline=None)
@given(worlds(), steps)
def test_every_document_sums_up_and_balances(world: World, steps: list[Step]) -> None:
    now = FIRST_DAY
    for step in steps:
        for event in step.news:
            comes_to_light(world, event, now=now)
        now += timedelta(days=step.days)
        world.bill(now)

    assert len({draft.id for draft in world.drafts}) == len(world.drafts)
    for draft in world.drafts:
        assert all(entry.line.amount_minor for entry in draft.lines)
        assert draft.net_minor == sum(entry.line.amount_minor for entry in draft.lines)
        assert draft.tax_minor == sum(entry.tax_minor for entry in draft.lines)
        assert draft.billed_for <= draft.issued_at
        booked: dict[str, int] = defaultdict(int)
        for transfer in transfers_of(draft):
            booked[transfer.debit] += transfer.amount_minor
            booked[transfer.credit] -= transfer.amount_minor
        assert booked["receivable"] == draft.due_minor
        assert booked["tax_payable"] == -draft.tax_minor
        assert sum(booked.values()) == 0


@settings(max_examples=200, deadline=None)
@given(worlds(), steps, half_days)
def test_next_due_at_is_the_first_due_after_an_instant(world: World, steps: list[Step], after: datetime) -> None:
    for step in steps:
        for event in step.news:
            comes_to_light(world, event, now=FIRST_DAY)
    for item in world.items:
        version = world.plans[item.plan_version_id]

        first = next_due_at(item, version, world.zone, world.policy.calendar, after=after)

        horizon = after + timedelta(days=800) if first is None else first
        later = [
            due
            for due in looked_at(item, version, through=horizon, zone=world.zone, policy=world.policy)
            if due.due_at > after
        ]
        assert {due.due_at for due in later} == (set() if first is None else {first})


@settings(max_examples=100, deadline=None)
@given(worlds(), steps, half_days, half_days)
def test_two_looks_see_every_period_once_and_one_look_the_same(
    world: World, steps: list[Step], one: datetime, other: datetime
) -> None:
    for step in steps:
        for event in step.news:
            comes_to_light(world, event, now=FIRST_DAY)
    settled, through = sorted((one, other))
    for item in world.items:
        version = world.plans[item.plan_version_id]

        def fresh(
            *,
            through: datetime,
            settled: datetime | None = None,
            item: Item = item,
            version: PlanVersion = version,
        ) -> list[tuple[ChargeId, Period, datetime]]:
            every = looked_at(item, version, through=through, settled=settled, zone=world.zone, policy=world.policy)
            return [(due.charge.id, due.period, due.due_at) for due in every if not due.is_settled]

        in_two = fresh(through=settled) + fresh(through=through, settled=settled)
        assert sorted(in_two) == sorted(fresh(through=through))


@settings(max_examples=100, deadline=None)
@given(zones, instants, instants)
def test_a_change_at_period_end_falls_on_a_boundary_of_the_bill_run(
    zone: str, anchor: datetime, change: datetime
) -> None:
    """The subscription's own idea of its period, by which it is cancelled, is that of its invoices."""
    for name in PROFILES:
        life = Item(ITEM, PLAN, anchor, Decimal(0), (Phase(FIRST_DAY, None, is_billable=True, terms=Terms({}, {})),))
        end = period_end(life, MONTH, subscription(profile_name=name, zone=zone), at=change)

        every = looked_at(life, plan(base("1")), through=change, zone=parse_zone(zone), policy=profile(name))

        assert [due.period.end for due in every if due.period.holds(change)] == [end]


seat_lives = st.lists(st.tuples(half_days, st.integers(0, 9)), min_size=1, max_size=5, unique_by=lambda entry: entry[0])


def life_with_seats(changes: list[tuple[datetime, int]], *, discount: Decimal = Decimal(0)) -> Item:
    """Return an item that begins with the first change and has no end."""
    ordered = sorted(changes)
    ends = [instant for instant, _ in ordered[1:]] + [None]
    phases = tuple(
        Phase(start, end, is_billable=True, terms=Terms({"seats": Decimal(number)}, {}))
        for (start, number), end in zip(ordered, ends, strict=True)
    )
    return Item(ITEM, PLAN, FIRST_DAY, discount, phases)


@settings(max_examples=100, deadline=None)
@given(seat_lives, st.sampled_from([Decimal(0), Decimal("12.5"), Decimal(100)]))
def test_seats_cost_their_price_by_the_second(changes: list[tuple[datetime, int]], discount: Decimal) -> None:
    """The oracle adds up seat-seconds, change by change, and knows no slices."""
    through = datetime(2027, 6, 1, tzinfo=UTC)
    for entry in owed_of(life_with_seats(changes, discount=discount), plan(seats("9.99")), through=through):
        period = entry.key.period
        seat_seconds = 0
        held = [*sorted(changes), (period.end, 0)]
        for (start, number), (end, _) in pairwise(held):
            served = min(end, period.end) - max(start, period.start)
            seat_seconds += number * max(0, round(served.total_seconds()))
        cents = Fraction(999 * seat_seconds, round((period.end - period.start).total_seconds()))
        cents *= 1 - Fraction(discount) / 100
        assert entry.amount_minor == int(cents + Fraction(1, 2))


@settings(max_examples=60, deadline=None)
@given(seat_lives, profiles, zones)
def test_a_change_of_seats_leaves_the_fee_alone(
    changes: list[tuple[datetime, int]], profile_name: str, zone: str
) -> None:
    policy, through = profile(profile_name), datetime(2027, 6, 1, tzinfo=UTC)
    fees = [
        owed_of(life_with_seats(life), plan(base("100000.00")), through=through, zone=parse_zone(zone), policy=policy)
        for life in (changes, [min(changes)])
    ]
    assert fees[0] == fees[1]


def derived_minor(entry: Owed) -> int:
    """Work out an amount again from its trace alone, in cents."""
    trace = entry.trace
    if "committed_minor" in trace:
        return max(0, int(trace["committed_minor"]) - int(trace["counted_minor"]))
    parts = trace.get("slices") or trace["steps"]
    exact = sum((Fraction(part["amount"]) for part in parts), Fraction(0))
    if "discount_percent" in trace:
        assert exact == Fraction(trace["before_discount"])
        exact *= 1 - Fraction(trace["discount_percent"]) / 100
    return int(abs(exact) * 100 + Fraction(1, 2)) * (1 if exact >= 0 else -1)


@settings(max_examples=100, deadline=None)
@given(worlds(), steps)
def test_every_amount_follows_from_its_trace(world: World, steps: list[Step]) -> None:
    for step in steps:
        for event in step.news:
            comes_to_light(world, event, now=FIRST_DAY)

    for entry in world.owed(at("2026-12-31")):
        assert entry.amount_minor == derived_minor(entry)
        for part in entry.trace.get("slices", []):
            assert Fraction(part["price"]) == sum(Fraction(step["amount"]) for step in part["steps"])


@settings(max_examples=30, deadline=None)
@given(worlds(), steps)
def test_what_is_owed_does_not_hang_on_the_callers_decimal_context(world: World, steps: list[Step]) -> None:
    for step in steps:
        for event in step.news:
            comes_to_light(world, event, now=FIRST_DAY)
    through = at("2026-12-31")
    usage = world.used_by_key(through)
    expected = world.owed(through, usage)
    with localcontext(Context(prec=2)):
        assert world.owed(through, usage) == expected
