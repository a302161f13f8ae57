"""Law 1, on lives made at random: what has been billed is what is owed, however the way there was cut into runs.

One subscription is billed again and again while its journal grows (also into the past) and usage arrives late.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from itertools import pairwise
from typing import Final, NamedTuple
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from tenor.invoicing.model import Billed, Owed
from tenor.invoicing.rules.documents import transfers_of
from tenor.invoicing.rules.dues import next_due_at
from tenor.invoicing.rules.settle import settle
from tenor.kernel.calendar import Interval, Unit, parse_zone
from tenor.kernel.ids import ChargeId, ItemId, PlanVersionId
from tenor.kernel.period import Period
from tenor.pricing.charges import Matrix, MatrixCell, Price, Standard
from tenor.pricing.model import Charge, PlanVersion, Timing
from tenor.pricing.policy import profile
from tenor.subscriptions import (
    Cancelled,
    Item,
    Phase,
    PlanChanged,
    QuantityChanged,
    Subscribed,
    Terms,
)
from tenor.subscriptions.rules.grid import period_end
from tests.support.bill_run_in_memory import Books, Used, subscription
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

FORTNIGHT: Final = Interval(Unit.WEEK, 2)
PROFILES: Final = ("tenor", "lago", "killbill", "mlytics", "paddle", "recurly", "flexprice")
ZONES: Final = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata")


half_days = st.integers(min_value=0, max_value=2 * 300).map(lambda number: FIRST_DAY + timedelta(hours=12 * number))
month_starts = st.integers(min_value=1, max_value=12).map(lambda month: datetime(2026, month, 1, tzinfo=UTC))
instants = half_days | month_starts
charge_sets = st.one_of(
    st.lists(st.sampled_from(CHARGES), min_size=2, max_size=5, unique_by=lambda charge: charge.code),
    st.just(list(MEASURED_ON_ALL)),
)
intervals = st.sampled_from([MONTH, MONTH, FORTNIGHT])
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
def lives(draw: st.DrawFn) -> Books:
    """A subscription on one of two plans, perhaps with a trial, an end, a discount and an anchor of its own."""
    plans = [
        plan(*draw(charge_sets), interval=draw(intervals), version_id=PlanVersionId(UUID(int=number)))
        for number in (101, 102)
    ]
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
    return Books(plans, first, starts_at=FIRST_DAY, profile_name=draw(profiles), zone=draw(zones), tax_percent=19)


def comes_to_light(books: Books, event: News, *, now: datetime) -> None:
    version = len(books.journal) + 1
    match event.kind:
        case "seats":
            books.record(event.at, QuantityChanged({"seats": Decimal(event.number)}), now=now)
        case "plan":
            plan_id = list(books.plans)[event.number % 2]
            anchor = books.items[0].anchor_at if event.number % 3 else event.at
            terms = Terms({"seats": Decimal(event.number)}, {})
            books.record(event.at, PlanChanged(ItemId(UUID(int=version)), plan_id, anchor, terms), now=now)
        case "cancel":
            books.record(event.at, Cancelled(), now=now)
        case _:
            size = ("large", "small", "")[event.number % 3]
            books.use(Used(event.at, size, Decimal(event.number) / 2), now=now)


@settings(max_examples=200, deadline=None)
@given(lives(), steps)
def test_successive_runs_bill_exactly_what_is_owed(books: Books, steps: list[Step]) -> None:
    now = FIRST_DAY
    for step in steps:
        for event in step.news:
            comes_to_light(books, event, now=now)
        now += timedelta(days=step.days)
        books.bill(now)

        owed_now = books.owed(now)
        sums = books.billed_sums()
        assert len({entry.key for entry in owed_now}) == len(owed_now), "two amounts for one key"
        assert {key: minor for key, minor in sums.items() if minor} == {
            entry.key: entry.amount_minor for entry in owed_now if entry.amount_minor
        }
        assert min(sums.values(), default=0) >= 0, "more was given back than was billed"
        # Nothing is left to settle, and the same run again has nothing to do.
        billed = [Billed(key, minor, 1, is_deferred=False, description="") for key, minor in sums.items()]
        assert settle(owed_now, billed, now=now) == []
        assert books.bill(now) == []


@settings(max_examples=60, deadline=None)
@given(lives(), steps)
def test_every_document_sums_up_and_balances(books: Books, steps: list[Step]) -> None:
    now = FIRST_DAY
    for step in steps:
        for event in step.news:
            comes_to_light(books, event, now=now)
        now += timedelta(days=step.days)
        made = books.bill(now)
        corrections = [
            entry.line for draft in made for entry in draft.lines if entry.line.trace.get("billed_minor") is not None
        ]
        assert len({line.due_at for line in corrections}) <= 1, "corrections of one run stand on one document"

    assert len({draft.id for draft in books.drafts}) == len(books.drafts)
    for draft in books.drafts:
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
@given(lives(), steps, half_days)
def test_next_due_at_is_the_first_due_after_an_instant(books: Books, steps: list[Step], after: datetime) -> None:
    for step in steps:
        for event in step.news:
            comes_to_light(books, event, now=FIRST_DAY)
    for item in books.items:
        version = books.plans[item.plan_version_id]

        first = next_due_at(item, version, books.zone, books.policy.calendar, after=after)

        horizon = after + timedelta(days=800) if first is None else first
        later = [
            due
            for due in looked_at(item, version, through=horizon, zone=books.zone, policy=books.policy)
            if due.due_at > after
        ]
        assert {due.due_at for due in later} == (set() if first is None else {first})


@settings(max_examples=100, deadline=None)
@given(lives(), steps, half_days, half_days)
def test_two_looks_see_every_period_once_and_one_look_the_same(
    books: Books, steps: list[Step], one: datetime, other: datetime
) -> None:
    for step in steps:
        for event in step.news:
            comes_to_light(books, event, now=FIRST_DAY)
    settled, through = sorted((one, other))
    for item in books.items:
        version = books.plans[item.plan_version_id]

        def fresh(
            *,
            through: datetime,
            settled: datetime | None = None,
            item: Item = item,
            version: PlanVersion = version,
        ) -> list[tuple[ChargeId, Period, datetime]]:
            every = looked_at(item, version, through=through, settled=settled, zone=books.zone, policy=books.policy)
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
        end = period_end(life, MONTH, subscription(starts_at=FIRST_DAY, profile_name=name, zone=zone), at=change)

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
@given(lives(), steps)
def test_every_amount_follows_from_its_trace(books: Books, steps: list[Step]) -> None:
    for step in steps:
        for event in step.news:
            comes_to_light(books, event, now=FIRST_DAY)

    for entry in books.owed(at("2026-12-31")):
        assert entry.amount_minor == derived_minor(entry)
        for part in entry.trace.get("slices", []):
            assert Fraction(part["price"]) == sum(Fraction(step["amount"]) for step in part["steps"])


@settings(max_examples=30, deadline=None)
@given(lives(), steps)
def test_what_is_owed_does_not_hang_on_the_callers_decimal_context(books: Books, steps: list[Step]) -> None:
    for step in steps:
        for event in step.news:
            comes_to_light(books, event, now=FIRST_DAY)
    through = at("2026-12-31")
    usage = books.used_by_key(through)
    expected = books.owed(through, usage)
    with localcontext(Context(prec=2)):
        assert books.owed(through, usage) == expected
