"""Lives of a subscription made at random: every kind of change, usage and waiver, as the operations would write them.

A life is told in steps: what comes to light, and when the next bill run is made. Told twice, it is the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Final, NamedTuple, TypeVar, get_args
from uuid import UUID

from hypothesis import strategies as st

from tenor.invoicing.model import Draft
from tenor.kernel.ids import DiscountId, ItemId, PlanVersionId
from tenor.pricing.charges import Matrix, MatrixCell, Price, Standard
from tenor.pricing.discounts.model import Discount, Duration
from tenor.pricing.model import Charge, PlanVersion, SeatCounting, TaxMode, Timing
from tenor.subscriptions import (
    AddOnAdded,
    AddOnRemoved,
    AnchorMoved,
    BillingDate,
    Cancelled,
    Change,
    Closing,
    DiscountApplied,
    DiscountRemoved,
    Facts,
    Item,
    Paused,
    PlanChanged,
    PricesChanged,
    QuantityChanged,
    Resumed,
    Subscribed,
    TermChanged,
    Terms,
    TrialChanged,
    Undone,
)
from tenor.subscriptions.errors import GridRefused
from tenor.subscriptions.rules.anchors import reanchored, require_movable
from tenor.subscriptions.rules.resumption import Running, reopened_at
from tenor.subscriptions.rules.standing import pause_at, standing, taken_back_with
from tenor.subscriptions.rules.timeline import fold, phase_at
from tenor.taxes.model import AppliedRate, RatesOfCustomer, TaxTreatment
from tests.support.bill_run_in_memory import Books, Used
from tests.support.invoicing import (
    MONTH,
    QUARTER,
    YEAR,
    at,
    base,
    calls,
    cap,
    charge_id,
    commitment,
    plan,
    seats,
    setup,
)

T = TypeVar("T")

FIRST_DAY: Final = at("2026-01-01")
PROFILES: Final = ("tenor", "stripe", "killbill", "lago", "recurly", "chargebee-ms", "chargebee-day")
ZONES: Final = ("UTC", "Europe/Berlin", "America/New_York")
CLOSINGS: Final = (Closing.PRORATED, Closing.WHOLE, Closing.FREE)

BY_SIZE: Final = Matrix(
    ("size",), (MatrixCell(("large",), Standard(Decimal("0.30"))),), default=Standard(Decimal("0.07"))
)
HIGH_WATER: Final = replace(seats("7.77"), id=charge_id("high_water"), counting=SeatCounting.HIGH_WATER)
CHARGES: Final[Sequence[Charge]] = (
    base("100.00"),
    base("77.77", code="arrears", timing=Timing.ARREARS),
    base("999.99", code="yearly", interval=YEAR),
    base("10.00", code="whole", is_prorated=False),
    seats("9.99"),
    HIGH_WATER,
    setup("50.00"),
    calls("0.333", code="calls"),
    calls(Price(BY_SIZE, min_amount=Decimal(8)), code="sized"),
    commitment("120.00"),
    cap("150.00"),
    cap("390.00", code="quarter_cap", interval=QUARTER),
)
MAY_BE_NEGATIVE: Final = frozenset({"sized", "cap", "quarter_cap"})
"""Charges of which a key may be owed to the customer: a cap, and the rest of a matrix under a maximum."""


def treatment(*percents: str, is_charged: bool = True, is_inclusive: bool | None = None) -> TaxTreatment:
    rates = tuple(
        AppliedRate(f"tax{place}", Decimal(percent), "CA", is_inclusive) for place, percent in enumerate(percents)
    )
    return TaxTreatment(rates, "table", is_charged)


PLAIN: Final = (
    RatesOfCustomer({}, TaxTreatment((AppliedRate("tax", Decimal(19)),), "customer")),
    RatesOfCustomer({}, TaxTreatment((AppliedRate("tax", Decimal(7)),), "customer")),
    RatesOfCustomer({}, TaxTreatment((), "customer")),
)
RATES: Final = (
    *PLAIN,
    RatesOfCustomer({}, treatment("5", "9.975")),
    RatesOfCustomer({}, treatment("20", is_inclusive=True)),
    RatesOfCustomer({}, treatment("19", is_charged=False)),
    RatesOfCustomer({"reduced": treatment("7", "3")}, treatment("21")),
)


class News(NamedTuple):
    """Something that comes to light: what, from when, and a number whose meaning hangs on it."""

    kind: str
    at: datetime
    number: int


class Step(NamedTuple):
    """What comes to light, and after how many more hours the next run is made."""

    news: list[News]
    hours: int


class Choice:
    """Reads a number as one choice after the other."""

    def __init__(self, number: int) -> None:
        self._left = number

    def of(self, options: Sequence[T]) -> T:
        self._left, place = divmod(self._left, len(options))
        return options[place]


class Life:
    """What can happen to a subscription; what an operation would refuse does not happen."""

    def __init__(self, books: Books, add_on_plans: Sequence[PlanVersion]) -> None:
        self.books = books
        self._main = [one for one in books.plans.values() if one not in add_on_plans]
        self._add_ons = add_on_plans
        self._ids = (ItemId(UUID(int=number)) for number in count(100))
        self._discounts = (DiscountId(UUID(int=number)) for number in count(1))

    def comes_to_light(self, news: News, *, now: datetime) -> None:
        choice = Choice(news.number)
        if news.kind == "use":
            self.books.use(Used(news.at, choice.of(("large", "", "small")), choice.of(TENTHS)), now=now)
        elif news.kind == "rates":
            self.books.rates = choice.of(RATES)
        elif news.kind == "waive":
            self._waive(choice, now=now)
        else:
            make: Callable[[Choice, datetime], list[tuple[Facts, datetime]]] = getattr(self, f"_{news.kind}")
            try:
                entries = make(choice, news.at)
            except GridRefused:
                return
            if entries:
                self.books.record_together(entries, now=now)

    def _waive(self, choice: Choice, *, now: datetime) -> None:
        positive = sorted(key for key, minor in self.books.billed_sums().items() if minor > 0)
        if positive:
            key = choice.of(positive)
            left = self.books.billed_sums()[key]
            self.books.waive(key, max(1, left * choice.of((3, 1, 2)) // 3), now=now)

    def _running(self, when: datetime, journal: Sequence[Change] | None = None) -> list[Running]:
        timeline = fold(self.books.journal if journal is None else journal)
        items = [item for item in timeline.items if phase_at(item, when)]
        return [Running(item, self.books.plans[item.plan_version_id]) for item in items]

    def _some_item(self, choice: Choice, when: datetime) -> Item | None:
        """Return the item of the plan or an add-on that runs then."""
        running = [one.item for one in self._running(when)]
        return choice.of(running) if running else None

    def _seats(self, choice: Choice, when: datetime) -> list[tuple[Facts, datetime]]:
        item = self._some_item(choice, when)
        named = item.id if item and item.is_add_on else None
        return [(QuantityChanged({"seats": Decimal(choice.of(range(10)))}, named), when)]

    def _prices(self, choice: Choice, when: datetime) -> list[tuple[Facts, datetime]]:
        item = self._some_item(choice, when)
        named = item.id if item and item.is_add_on else None
        price = choice.of((Decimal("33.33"), None, Decimal(120), Decimal(0)))
        return [(PricesChanged({choice.of(("base", "seats", "setup")): price}, named), when)]

    def _plan(self, choice: Choice, when: datetime) -> list[tuple[Facts, datetime]]:
        item = self._some_item(choice, when)
        replaces = item.id if item and item.is_add_on else None
        target = choice.of(self._add_ons if replaces else self._main)
        anchor = item.anchor_at if item and choice.of((True, False)) else when
        terms = Terms({"seats": Decimal(choice.of(range(4)))}, {})
        return [(PlanChanged(next(self._ids), target.id, anchor, terms, choice.of(CLOSINGS), replaces), when)]

    def _add(self, choice: Choice, when: datetime) -> list[tuple[Facts, datetime]]:
        running = self._running(when)
        is_aligned: bool = choice.of((True, False))
        anchor = running[0].item.anchor_at if running and is_aligned else when
        terms = Terms({"seats": Decimal(choice.of(range(4)))}, {})
        return [(AddOnAdded(next(self._ids), choice.of(self._add_ons).id, anchor, terms), when)]

    def _remove(self, choice: Choice, when: datetime) -> list[tuple[Facts, datetime]]:
        item = self._some_item(choice, when)
        return [(AddOnRemoved(item.id, choice.of(CLOSINGS)), when)] if item and item.is_add_on else []

    def _pause(self, choice: Choice, when: datetime) -> list[tuple[Facts, datetime]]:
        """Pause until further notice, or until an instant that is known."""
        facts = Paused(choice.of(CLOSINGS), choice.of(tuple(BillingDate)))
        days = choice.of((None, 10, 3, 35, 80))
        paused = Change(10_000, when, when, "test", "", facts)
        if days is None:
            return [(facts, when)]
        until = when + timedelta(days=days)
        return [(facts, when), (self._resumed(until, [*self.books.journal, paused], paused), until)]

    def _resume(self, choice: Choice, when: datetime) -> list[tuple[Facts, datetime]]:
        """Resume then, in place of whatever end the pause that holds then has."""
        found = pause_at(self.books.journal, when)
        if found is None:
            return []
        taken_back = [] if found.resumed is None else [found.resumed]
        kept = [change for change in self.books.journal if change not in taken_back]
        assert isinstance(found.paused.facts, Paused)
        facts = replace(found.paused.facts, billing_date=choice.of(tuple(BillingDate)))
        resumed = self._resumed(when, kept, replace(found.paused, facts=facts))
        return [*((Undone(one.version), one.effective_at) for one in taken_back), (resumed, when)]

    def _resumed(self, when: datetime, journal: Sequence[Change], paused: Change) -> Resumed:
        assert isinstance(paused.facts, Paused)
        reopened = reopened_at(
            when,
            self._running(when, journal),
            self.books.subscription,
            paused_at=paused.effective_at,
            closing=paused.facts.closing,
            billing_date=paused.facts.billing_date,
            ids=self._ids,
        )
        return Resumed(reopened)

    def _trial(self, choice: Choice, when: datetime) -> list[tuple[Facts, datetime]]:
        former = self.books.subscription.trial_ends_at
        if former is None or not FIRST_DAY <= when < former:
            return []
        ends_at = choice.of((when, former + timedelta(days=20), when + timedelta(days=5), former + timedelta(days=60)))
        running = [one.item for one in self._running(when)]
        reopened = reanchored(running, former=former, anchor_at=ends_at, ids=self._ids)
        return [(TrialChanged(ends_at, reopened), when)]

    def _anchor(self, choice: Choice, when: datetime) -> list[tuple[Facts, datetime]]:
        require_movable(self.books.subscription.profile)
        running = [one.item for one in self._running(when)]
        if not running:
            return []
        anchor = when + timedelta(days=choice.of((0, 3, 17, -8)))
        reopened = reanchored(running, former=running[0].anchor_at, anchor_at=anchor, ids=self._ids)
        return [(AnchorMoved(reopened), when)]

    def _term(self, choice: Choice, when: datetime) -> list[tuple[Facts, datetime]]:
        days = choice.of((None, 0, 30, 90, 200))
        return [(TermChanged(None if days is None else when + timedelta(days=days)), when)]

    def _cancel(self, choice: Choice, when: datetime) -> list[tuple[Facts, datetime]]:
        return [(Cancelled(choice.of(CLOSINGS)), when)]

    def _discount(self, choice: Choice, when: datetime) -> list[tuple[Facts, datetime]]:
        duration: Duration = choice.of(get_args(Duration))
        amount = choice.of((None, Decimal(10), Decimal("66.67"), Decimal(400)))
        discount = Discount(
            id=next(self._discounts),
            code="thanks",
            name="Thanks",
            percent_off=choice.of((Decimal(50), Decimal("12.5"), Decimal(100))) if amount is None else None,
            amount_off=amount,
            currency=None if amount is None else "USD",
            duration=duration,
            periods=choice.of((2, 3)) if duration == "repeating" else None,
            charges=choice.of(((), (), ("base", "calls"))),
        )
        return [(DiscountApplied(discount), when)]

    def _undiscount(self, choice: Choice, when: datetime) -> list[tuple[Facts, datetime]]:
        applied = [one.discount.id for one in self.books.timeline.discounts]
        return [(DiscountRemoved(choice.of(applied)), when)] if applied else []

    def _undo(self, choice: Choice, _: datetime) -> list[tuple[Facts, datetime]]:
        known = [change for change in standing(self.books.journal) if not isinstance(change.facts, Subscribed)]
        if not known:
            return []
        taken_back = taken_back_with(self.books.journal, choice.of(known))
        return [(Undone(part.version), part.effective_at) for part in taken_back]


TENTHS: Final = tuple(Decimal(number) * 10 for number in (3, 0, 1, 40, -2))
KINDS: Final = (
    *("seats", "prices", "plan", "add", "remove", "pause", "pause", "resume", "trial", "anchor", "term", "cancel"),
    *("discount", "discount", "undiscount", "undo", "undo", "undo", "use", "use", "use", "rates", "rates", "waive"),
)
half_days = st.integers(min_value=0, max_value=2 * 250).map(lambda number: FIRST_DAY + timedelta(hours=12 * number))
month_starts = st.integers(min_value=1, max_value=9).map(lambda month: FIRST_DAY.replace(month=month))
news = st.builds(News, st.sampled_from(KINDS), half_days | month_starts, st.integers(0, 20_000))
steps = st.lists(
    st.builds(Step, st.lists(news, max_size=3), st.sampled_from([0, 1, 24, 13 * 24, 31 * 24, 31 * 24, 62 * 24])),
    min_size=2,
    max_size=9,
)
charge_sets = st.lists(st.sampled_from(CHARGES), min_size=1, max_size=5, unique_by=lambda charge: charge.code)


class Beginning(NamedTuple):
    """What a life begins with: enough to live it twice."""

    plans: tuple[PlanVersion, ...]
    first: Subscribed
    profile_name: str
    zone: str
    rates: RatesOfCustomer

    def life(self) -> Life:
        books = Books(self.plans, self.first, starts_at=FIRST_DAY, profile_name=self.profile_name, zone=self.zone)
        books.rates = self.rates
        return Life(books, self.plans[3:])


@st.composite
def beginnings(draw: st.DrawFn) -> Beginning:
    mode = draw(st.sampled_from(list(TaxMode)))
    plans = tuple(
        plan(
            *draw(charge_sets),
            interval=interval,
            tax_mode=mode,
            version_id=PlanVersionId(UUID(int=number)),
        )
        for number, interval in enumerate((MONTH, MONTH, YEAR, MONTH, QUARTER), start=101)
    )
    trial_days = draw(st.sampled_from([0, 0, 14, 45]))
    paid_from = FIRST_DAY + timedelta(days=trial_days)
    first = Subscribed(
        item_id=ItemId(UUID(int=1)),
        plan_version_id=plans[0].id,
        anchor_at=draw(st.sampled_from([paid_from, paid_from, at("2025-12-31"), at("2026-01-15T10:30:00Z")])),
        terms=Terms({"seats": Decimal(draw(st.integers(1, 5)))}, draw(st.sampled_from([{}, {"base": Decimal(80)}]))),
        discount_percent=draw(st.sampled_from([Decimal(0), Decimal(0), Decimal("12.5")])),
        trial_ends_at=paid_from if trial_days else None,
        trial_converts=draw(st.sampled_from([True, True, False])) if trial_days else True,
        ends_at=draw(st.sampled_from([None, None, paid_from + timedelta(days=130)])),
    )
    return Beginning(
        plans, first, draw(st.sampled_from(PROFILES)), draw(st.sampled_from(ZONES)), draw(st.sampled_from(RATES))
    )


def live(life: Life, steps: Sequence[Step], after_run: Callable[[Books, datetime], None]) -> list[list[Draft]]:
    """Let everything come to light and be billed; return the documents of each run."""
    now, made = FIRST_DAY, []
    for step in steps:
        for event in step.news:
            life.comes_to_light(event, now=now)
        now += timedelta(hours=step.hours)
        made.append(life.books.bill(now))
        after_run(life.books, now)
    return made
