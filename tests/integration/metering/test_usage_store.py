"""One behaviour of every usage store: PostgreSQL's tables, and ClickHouse with what is on its way there."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count, pairwise
from pathlib import Path
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenor.catalog.model import Aggregation, Condition, Filter
from tenor.kernel.errors import Conflict
from tenor.kernel.ids import CustomerId, SubscriptionId, TenantId, new_id
from tenor.kernel.money import RoundingMode
from tenor.kernel.period import Period
from tenor.metering import (
    Aggregate,
    Amendment,
    AmendmentReceipt,
    Before,
    Metric,
    Part,
    Span,
    Terms,
    TouchedUsage,
    UsageEvent,
    UsageReceipt,
    UsageRelocationFailed,
    UsageWindow,
    amend_usage,
    arrivals,
    event_names,
    record_usage,
    relocate_usage,
    ship_usage,
    usage_totals,
    usage_values,
)
from tenor.metering.clickhouse.http import ClickHouse, ClickHouseFailed, instant_of
from tenor.metering.home import ClickHouseUnknown
from tenor.metering.rules.aggregate import aggregate, aggregate_groups
from tenor.metering.rules.readings import property_text
from tenor.platform.database import Database
from tenor.platform.tenants import create_tenant
from tenor.pricing.policy import Rounding, profile
from tenor.subscriptions import LateUsage, mark_late_usage
from tests.integration.cli.conftest import opened_shell
from tests.integration.metering.conftest import METRICS, NOW, Furnish
from tests.support.clickhouse import ClickHouseServer, clickhouse_server
from tests.support.company import Company, instant
from tests.support.postgres import Server

Home = Literal["postgresql", "clickhouse"]

TERMS: Final = Terms(profile("tenor").metering)
MAY: Final = Period(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))
NINE: Final = datetime(2026, 5, 4, 9, tzinfo=UTC)
METRIC: Final = {code: Metric(code, Aggregation(aggregation), field) for code, aggregation, field in METRICS}
SUBSCRIPTION: Final = SubscriptionId(new_id(NOW))

_numbers = count(1)


def event(event_id: str, value: object, **changes: Any) -> UsageEvent:
    sent = UsageEvent(event_id, NINE, {"n": value}, "gw", "tokens", "acme")  # type: ignore[dict-item]  # test data
    return sent._replace(**changes)


def row(value: object, count: int) -> Aggregate:
    return Aggregate(Decimal(str(value)), count)


@dataclass
class Books:
    """A tenant whose usage is in one of the stores, with the customers `acme` and `blue`.

    Every call is a transaction of its own. Answers are taken while events wait and again after they were shipped,
    which must make no difference.
    """

    database: Database
    tenant: TenantId
    home: Home
    customers: dict[str, CustomerId] = field(default_factory=dict)

    def record(self, *events: UsageEvent) -> UsageReceipt:
        with self.database.transaction(self.tenant) as uow:
            return record_usage(uow, events, now=NOW)

    def amend(self, *amendments: Amendment) -> AmendmentReceipt:
        with self.database.transaction(self.tenant) as uow:
            return amend_usage(uow, amendments, now=NOW, actor="ann", reason="bad gateway")

    def relocate(self, *, on_progress: Callable[[int], None] | None = None) -> int:
        with self.database.transaction(self.tenant) as uow:
            return relocate_usage(uow, now=NOW, actor="ann", reason="grown", on_progress=on_progress)

    def ship(self) -> int:
        return ship_usage(self.database, self.tenant, now=NOW)

    def window(self, metric: str, period: Period = MAY, *, customer: str = "acme", **changes: Any) -> UsageWindow:
        return UsageWindow(self.customers[customer], METRIC[metric], Span(period), **changes)

    def asked(
        self, *windows: UsageWindow, terms: Terms = TERMS, from_events: bool = False
    ) -> list[dict[Part, Aggregate]]:
        with self.database.transaction(self.tenant) as uow:
            return usage_totals(uow, windows, terms, from_events=from_events)

    def totals(self, *windows: UsageWindow, terms: Terms = TERMS) -> list[dict[Part, Aggregate]]:
        found = self.asked(*windows, terms=terms)
        self.ship()
        assert self.asked(*windows, terms=terms, from_events=True) == found
        return found

    def used(self, metric: str, *, customer: str = "acme") -> tuple[object, int]:
        ((number,),) = (found.values() for found in self.totals(self.window(metric, customer=customer)))
        return number.value, number.event_count

    def values(self, *windows: UsageWindow) -> list[list[Decimal]]:
        with self.database.transaction(self.tenant) as uow:
            found = usage_values(uow, windows, TERMS)
        self.ship()
        with self.database.transaction(self.tenant) as uow:
            assert usage_values(uow, windows, TERMS) == found
        return found


@pytest.fixture(scope="module")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    """The ClickHouse of this process; all usage of these tests is in one table of it."""
    with clickhouse_server(tmp_path_factory.mktemp("clickhouse")) as server:
        yield server


@pytest.fixture(scope="module")
def shared(server: Server, template: str, clickhouse: ClickHouseServer) -> Iterator[Database]:
    """The database of these tests, each of which has a tenant of its own."""
    with server.fresh_database(template) as name:
        settings = replace(server.settings(name), clickhouse_url=clickhouse.fresh_url())
        with Database.open(settings) as database:
            yield database


def opened(database: Database, furnish: Furnish, home: Home) -> Books:
    number = next(_numbers)
    books = Books(database, create_tenant(database, slug=f"t{number}", name=f"Tenant {number}"), home)
    with database.transaction(books.tenant) as uow:
        books.customers = furnish(uow)
    if home == "clickhouse":
        assert books.relocate() == 0
    return books


@pytest.fixture(params=["postgresql", "clickhouse"])
def books(shared: Database, furnish: Furnish, request: pytest.FixtureRequest) -> Books:
    """An empty tenant of either store."""
    return opened(shared, furnish, request.param)


@pytest.fixture
def relocated(shared: Database, furnish: Furnish) -> Books:
    """An empty tenant whose usage is in ClickHouse."""
    return opened(shared, furnish, "clickhouse")


def test_each_event_of_a_batch_gets_its_own_answer(books: Books) -> None:
    assert books.record(event("old", 5)).accepted == (0,)
    books.ship()

    receipt = books.record(
        event("new", 7),
        event("old", Decimal("5.0")),  # the same content in another spelling
        event("old", 6),
        event("x", 1, customer="nobody"),
        event("new", Decimal("7.0")),
        event("new", 8),
        event("y", "NaN"),
        event("old", 5, source="elsewhere"),
        event("old", 5, occurred_at=NINE + timedelta(days=1)),
    )

    assert (receipt.accepted, receipt.duplicates, receipt.conflicts) == ((0, 7), (1, 4), (2, 5, 8))
    assert [(entry.position, entry.field) for entry in receipt.rejected] == [(3, "customer"), (6, "n")]
    assert '"customer":"nobody"' in receipt.rejected[0].payload.replace(" ", "")
    assert receipt.touched == (TouchedUsage(books.customers["acme"], "tokens", NINE),)
    assert books.used("tokens") == (17, 3)  # 5 + 7 + 5


def test_nothing_is_taken_before_its_transaction_ends(books: Books) -> None:
    """What a transaction wrote it sees; when it fails nobody does, and the same events are new again."""

    def fail() -> None:
        with books.database.transaction(books.tenant) as uow:
            record_usage(uow, [event("a", 5), event("b", 2)], now=NOW)
            amend_usage(uow, [Amendment("gw", "b")], now=NOW, actor="ann", reason="")
            assert usage_totals(uow, [books.window("tokens")], TERMS) == [{(): row(5, 1)}]
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail()

    assert books.used("tokens") == (0, 0)
    assert books.record(event("a", 5), event("b", 2)).accepted == (0, 1)
    assert books.used("tokens") == (7, 2)


def test_one_batch_sent_fifty_times_at_once_counts_once(books: Books) -> None:
    events = [event(f"e{n}", n + 1, occurred_at=NINE + timedelta(minutes=n)) for n in range(20)]
    taken, failures, start = list[int](), list[BaseException](), threading.Barrier(50)

    def send(number: int) -> None:
        try:
            start.wait()
            taken.append(len(books.record(*(events if number % 2 else events[::-1])).accepted))
            if number % 10 == 0:
                books.ship()  # several at the same time, too
        except BaseException as error:  # noqa: BLE001  # told below, in the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert sorted(taken) == [0] * 49 + [20]
    assert books.used("tokens") == (210, 20)  # 1 + 2 + … + 20


@pytest.mark.parametrize("shipped", [False, True])
def test_every_number_follows_an_amendment(books: Books, shipped: bool) -> None:
    """2, 7 and 4 at nine o'clock; 7 becomes 3; 3 is cancelled; and 4 moves to another customer and month."""
    codes = ("tokens", "calls", "peak", "floor", "mean", "level")
    sent = [event(f"{code}-{place}", n, metric_code=code) for code in codes for place, n in enumerate((2, 7, 4))]

    def numbers() -> dict[str, tuple[object, int]]:
        found = books.totals(*map(books.window, codes)) if shipped else books.asked(*map(books.window, codes))
        return {code: (*totals[()],) for code, totals in zip(codes, found, strict=True)}

    def ship() -> None:
        if shipped:
            books.ship()

    assert len(books.record(*sent).accepted) == 18
    ship()
    corrections = [Amendment("gw", f"{code}-1", event(f"{code}-1", 3, metric_code=code)) for code in codes]
    assert books.amend(*corrections).amended == tuple(range(6))
    assert books.amend(*corrections).unchanged == tuple(range(6))
    ship()
    assert numbers() == {
        "tokens": (9, 3),
        "calls": (3, 3),
        "peak": (4, 3),
        "floor": (2, 3),
        "mean": (3, 3),
        "level": (3, 3),  # corrected last, it is the last arrival of its instant
    }

    assert books.amend(*(Amendment("gw", f"{code}-1") for code in codes)).amended == tuple(range(6))
    ship()
    assert numbers() == {
        "tokens": (6, 2),
        "calls": (2, 2),
        "peak": (4, 2),
        "floor": (2, 2),
        "mean": (3, 2),
        "level": (4, 2),
    }
    assert books.amend(Amendment("gw", "tokens-1"), Amendment("gw", "never")).unchanged == (0,)

    april = NINE - timedelta(days=30)
    elsewhere = event("tokens-2", 4, customer="blue", metric_code="peak", occurred_at=april)
    receipt = books.amend(Amendment("gw", "tokens-2", elsewhere))
    assert set(receipt.touched) == {
        TouchedUsage(books.customers["acme"], "tokens", NINE),
        TouchedUsage(books.customers["blue"], "peak", april),
    }
    before = books.window("peak", Period(april, MAY.start), customer="blue")
    assert books.totals(books.window("tokens"), books.window("peak", customer="blue"), before) == [
        {(): row(2, 1)},
        {(): row(0, 0)},
        {(): row(4, 1)},
    ]
    # the sender's own repetition of what it first said changes nothing
    assert books.record(*sent).duplicates == tuple(range(18))
    assert books.used("tokens") == (2, 1)


def test_windows_of_any_kind_are_answered_together(books: Books) -> None:
    user = {"metric_code": "seats", "properties": {"user": "u"}}
    books.record(
        event("1", 2, properties={"n": 2, "region": "eu", "tier": 1}, subscription_id=SUBSCRIPTION),
        event("2", "3.5", properties={"n": "3.5", "region": "it's \\ a\ttab", "tier": True}, occurred_at=MAY.start),
        event("3", 4, occurred_at=MAY.end - timedelta(microseconds=1)),
        event("4", 100, customer="blue"),
        event("5", 50, subscription_id=SubscriptionId(new_id(NOW))),
        event("6", 8, metric_code="peak"),
        event("7", 6, metric_code="peak"),
        event("8", 31, metric_code="storage", occurred_at=datetime(2026, 5, 16, tzinfo=UTC)),
        event("9", 1, **user),
        event("10", 1, metric_code="seats", properties={"user": "v"}),
        event("11", 1, **user | {"properties": {"user": "u", "operation_type": "remove"}}),
        event("12", 9, occurred_at=MAY.end),  # of June
    )
    tokens = books.window("tokens")
    span = Span(MAY, period_days=31)

    assert books.totals(
        tokens,
        tokens._replace(subscription_id=SUBSCRIPTION),
        tokens._replace(dimensions=("region",)),
        tokens._replace(dimensions=("tier", "region"), subscription_id=SUBSCRIPTION),
        books.window("tokens", Period(MAY.start, MAY.start + timedelta(hours=1))),
        books.window("tokens", Period(MAY.end, MAY.end + timedelta(hours=1))),
        books.window("tokens", customer="blue", dimensions=("region",)),
        books.window("peak"),
        books.window("storage")._replace(span=span),
        books.window("seats"),
        books.window("seats", customer="blue"),
        books.window("seats", customer="blue", dimensions=("region",)),
    ) == [
        {(): row("59.5", 4)},
        {(): row("9.5", 3)},  # what names no subscription counts for it, too
        {("eu",): row(2, 1), ("it's \\ a\ttab",): row("3.5", 1), ("",): row(54, 2)},
        {("1", "eu"): row(2, 1), ("true", "it's \\ a\ttab"): row("3.5", 1), ("", ""): row(4, 1)},
        {(): row("3.5", 1)},
        {(): row(9, 1)},
        {("",): row(100, 1)},
        {(): row(8, 2)},
        {(): row(16, 1)},  # 31 from 16 May: 16 of 31 days
        {(): row(1, 3)},
        {(): row(0, 0)},
        {},
    ]
    assert books.values(tokens, books.window("peak"), books.window("floor")) == [
        [Decimal("3.5"), Decimal(2), Decimal(50), Decimal(4)],
        [8, 6],
        [],
    ]


def test_values_are_exact(books: Books) -> None:
    books.record(
        event("1", "999999999999999.123456789012345678"),
        event("2", "0.000000000000000001"),
        event("3", "-999999999999999"),
        event("4", "1e-18"),
    )

    # .123456789012345678 + .000000000000000001 + .000000000000000001
    assert books.used("tokens") == (Decimal("0.123456789012345680"), 4)


def test_midnight_and_the_hours_of_a_clock_change_belong_to_one_period(books: Books) -> None:
    """29 March 2026: Berlin goes from UTC+1 to UTC+2, so that the day has 23 hours and April begins at 22:00 UTC."""
    berlin = ZoneInfo("Europe/Berlin")
    midnights = [datetime(2026, 3, 28 + n, tzinfo=berlin).astimezone(UTC) for n in range(4)]
    april = datetime(2026, 4, 1, tzinfo=berlin).astimezone(UTC)
    instants = [
        *midnights,
        *(day - timedelta(microseconds=1) for day in midnights),
        datetime(2026, 3, 29, 0, 59, 59, 999_999, tzinfo=UTC),  # 01:59:59.999999, before the change
        datetime(2026, 3, 29, 1, tzinfo=UTC),  # 03:00, after it
        april - timedelta(microseconds=1),
        april,
    ]
    books.record(*(event(str(n), 10**n, occurred_at=at) for n, at in enumerate(instants)))
    periods = [Period(start, end) for start, end in pairwise([*midnights, april])]

    found = books.totals(*(books.window("tokens")._replace(span=Span(period, berlin)) for period in periods))

    assert [totals[()].value for totals in found] == [
        10**0 + 10**5,  # 28 March: its midnight, and the last instant before the next one
        10**1 + 10**6 + 10**8 + 10**9,  # 29 March: both sides of the change
        10**2 + 10**7,
        10**3 + 10**10,  # 31 March: up to the last instant; April's first is not in it
    ]


def test_what_comes_late_counts_in_its_own_time(books: Books) -> None:
    """The latest is that of the time of use; of one instant, that of the last arrival."""
    for minute, value in ((2, 20), (0, 1), (1, 10), (2, 21), (1, 11)):
        at = NINE + timedelta(minutes=minute)
        books.record(event(f"{minute}-{value}", value, occurred_at=at, metric_code="level"))
        books.ship()
    early = Period(MAY.start, NINE + timedelta(minutes=2))
    carried = replace(TERMS.policy, carry_over=True)

    assert books.totals(books.window("level"), books.window("level", early)) == [{(): row(21, 5)}, {(): row(11, 3)}]
    june = books.window("level", Period(MAY.end, MAY.end + timedelta(days=30)))
    assert books.totals(june, terms=Terms(carried)) == [{(): row(21, 0)}]
    recurring = books.window("tokens")._replace(metric=replace(METRIC["tokens"], recurring=True))
    stored = books.window("storage")._replace(metric=replace(METRIC["storage"], recurring=True))
    books.record(
        event("feb", 7, occurred_at=datetime(2026, 2, 1, tzinfo=UTC)),
        event("may", 1),
        event("apr", 31, metric_code="storage", occurred_at=datetime(2026, 4, 20, tzinfo=UTC)),
        event("mid", 31, metric_code="storage", occurred_at=datetime(2026, 5, 16, tzinfo=UTC)),
    )
    # 7 + 1; 31 for all of May, and 31 for 16 of its 31 days
    assert books.totals(recurring, stored) == [{(): row(8, 2)}, {(): row(47, 1)}]


def test_a_transaction_knows_what_it_took_and_whoever_asks_what_it_is_called(books: Books) -> None:
    """Of three events the late ones are known as they came, but for the one that is cancelled at once."""
    acme, april = books.customers["acme"], MAY.start - timedelta(days=1)
    books.record(event("before", 9, occurred_at=april))
    later = NOW + timedelta(hours=1)
    with books.database.transaction(books.tenant) as uow:
        sent = [event("a", 1, occurred_at=april), event("b", 2, occurred_at=april), event("c", 4)]
        record_usage(uow, sent, now=later)
        amend_usage(uow, [Amendment("gw", "b")], now=later, actor="ann", reason="")
        (found,) = arrivals(uow, [Before(acme, "tokens", MAY.start)], recorded_at=later)

    assert (found.customer_id, found.value, found.event.event_id) == (acme, Decimal(1), "a")
    assert (found.event.occurred_at, found.event.customer, found.event.source) == (april, "acme", "gw")
    assert books.amend(Amendment("gw", "a", found.event)).unchanged == (0,)
    books.ship()
    with books.database.transaction(books.tenant) as uow:
        assert event_names(uow, {found.row_id: april}) == {found.row_id: ("gw", "a")}
        assert event_names(uow, {}) == {}


def test_a_tenant_sees_its_own_usage_only(books: Books, shared: Database, furnish: Furnish) -> None:
    other = opened(shared, furnish, books.home)
    mine, theirs = event("a", 5), event("a", 7)

    assert books.record(mine).accepted == other.record(theirs).accepted == (0,)
    assert (books.used("tokens"), other.used("tokens")) == ((5, 1), (7, 1))

    # even one who knows the ids of another one's customers
    assert books.totals(other.window("tokens")) == [{(): row(0, 0)}]
    assert books.values(other.window("tokens")) == [[]]
    other.amend(Amendment("gw", "a"))
    other.ship()
    assert books.used("tokens") == (5, 1)


QUARTER: Final = timedelta(minutes=15)
# Few hours, so that events meet in them, and the ends of spans fall on events as well as between hours.
moments = st.integers(-8, 48).map(lambda quarters: MAY.start + quarters * QUARTER)
EUROPE: Final[Filter] = (Condition("region", ("eu", "False", "false", "it's")),)
NOBODY: Final = new_id(NOW)
numbers = st.one_of(
    st.decimals(-1_000_000, 1_000_000, places=9).map(str), st.integers(-(10**14), 10**14), st.just("0.1")
)


@st.composite
def usage(draw: st.DrawFn) -> dict[str, Any]:
    """Return what one event says, but for its id."""
    properties: dict[str, Any] = {
        "n": draw(numbers),
        "user": draw(st.sampled_from(["a", 1, "1", Decimal("2.50"), "2.5", True])),
        "operation_type": draw(st.sampled_from(["add", "add", "remove"])),
    }
    if draw(st.booleans()):
        properties["region"] = draw(st.sampled_from(["eu", "", 7, Decimal("1E+2"), False, "it's"]))
    return {
        "occurred_at": draw(moments),
        "properties": properties,
        "metric_code": draw(st.sampled_from(list(METRIC))),
        "subscription_id": draw(st.sampled_from([None, SUBSCRIPTION])),
    }


class Pair:
    """A tenant of each store, and a customer for each example."""

    def __init__(self, database: Database, furnish: Furnish) -> None:
        self.both = [opened(database, furnish, home) for home in ("postgresql", "clickhouse")]

    def new_customer(self) -> str:
        name = f"c{next(_numbers)}"
        for books in self.both:
            books.customers[name] = CustomerId(new_id(NOW))
            with books.database.transaction(books.tenant) as uow:
                uow.copy_rows(
                    "customers",
                    [("id", "uuid"), ("external_id", "text"), ("name", "text"), ("created_at", "timestamptz")],
                    [(books.customers[name], name, name, NOW)],
                )
        return name


@pytest.fixture(scope="module")
def pair(shared: Database) -> list[Pair]:
    """The pair of tenants, once it was made."""
    return []


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sent=st.lists(usage(), max_size=30),
    dimensions=st.sampled_from([(), ("region",), ("region", "operation_type")]),
    cuts=st.lists(st.integers(0, 44), min_size=2, max_size=3, unique=True).map(sorted),
    shipped_after=st.integers(0, 30),
    changes=st.lists(st.tuples(st.integers(0, 29), st.one_of(st.none(), usage())), max_size=5),
    zone=st.sampled_from(["UTC", "America/Los_Angeles"]),
    rounded_by=st.sampled_from(["line", "event"]),
    conditions=st.sampled_from([(), EUROPE, (Condition("operation_type", ("remove",), excludes=True), *EUROPE)]),
    pools=st.sampled_from([(), (EUROPE, (Condition("region", ("7", "100", "")),)), (EUROPE, ())]),
)
def test_both_stores_give_the_numbers_of_the_rule(
    pair: list[Pair],
    shared: Database,
    furnish: Furnish,
    sent: list[dict[str, Any]],
    dimensions: tuple[str, ...],
    cuts: list[int],
    shipped_after: int,
    changes: list[tuple[int, dict[str, Any] | None]],
    zone: str,
    rounded_by: str,
    conditions: Filter,
    pools: tuple[Filter, ...],
) -> None:
    """Some of it shipped, some amended; over a whole span and over its parts, which come to the whole.

    Each metric as it is, carrying over, prorated, and both; with a filter, and with pools of values.
    """
    if not pair:
        pair.append(Pair(shared, furnish))
    customer = pair[0].new_customer()
    events = [UsageEvent(f"{customer}-{n}", customer=customer, **said) for n, said in enumerate(sent)]
    terms = TERMS._replace(units_rounding=Rounding(RoundingMode.HALF_UP, 2, rounded_by))
    spans = [
        Span(Period(MAY.start + start * QUARTER, MAY.start + end * QUARTER), ZoneInfo(zone), period_days=31)
        for start, end in [(cuts[0], cuts[-1]), *pairwise(cuts)]
    ]
    asked = [
        UsageWindow(
            CustomerId(NOBODY),
            replace(metric, recurring=recurring, prorated=prorated),
            span,
            None,
            dimensions,
            conditions,
            pools if dimensions else (),
        )
        for metric in METRIC.values()
        for recurring in {False, metric.aggregation.carries}
        for prorated in {False, metric.aggregation.is_additive}
        for span in spans
    ]
    answers = []
    for books in pair[0].both:
        standing = _carried_out(books, events, changes, shipped_after)
        windows = [window._replace(customer_id=books.customers[customer]) for window in asked]
        found = books.totals(*windows, terms=terms)
        answers.append((found, books.values(*windows)))
        for window, totals in zip(windows, found, strict=True):
            assert totals == _by_the_rule(standing, window, terms)
        for code in ("tokens", "calls"):
            whole, *parts = (
                sum((number.value or Decimal(0) for number in totals.values()), Decimal(0))
                for window, totals in zip(windows, found, strict=True)
                if window.metric == METRIC[code]
            )
            assert sum(parts) == whole
    assert answers[0] == answers[1]


def _carried_out(
    books: Books, events: list[UsageEvent], changes: Sequence[tuple[int, dict[str, Any] | None]], shipped_after: int
) -> list[UsageEvent]:
    """Record and amend; return what counts then, in the order of arrival."""
    books.record(*events[:shipped_after])
    books.ship()
    books.record(*events[shipped_after:])
    standing = list(events)
    for place, said in changes:
        if place >= len(events):
            continue
        event_id = events[place].event_id
        replacement = None if said is None else UsageEvent(event_id, customer=events[place].customer, **said)
        if books.amend(Amendment("", event_id, replacement)).amended:
            standing = [event for event in standing if event.event_id != event_id]
            standing += [] if replacement is None else [replacement]
    return standing


def _by_the_rule(events: list[UsageEvent], window: UsageWindow, terms: Terms) -> dict[Part, Aggregate]:
    mine = [used for used in events if used.metric_code == window.metric.code and _meets(used, window.filter)]
    if not window.dimensions:
        return {(): aggregate(mine, window.metric, window.span, terms)}
    pooled: dict[Part, list[UsageEvent]] = {}
    for used in mine:
        met = next((place for place, pool in enumerate(window.pools) if _meets(used, pool)), ())
        pooled.setdefault(met, []).append(used)
    policy = replace(TERMS.policy, no_events="no_row", missing_dimension="empty_string")
    rows_only = terms._replace(policy=policy)
    groups = aggregate_groups(pooled.pop((), []), window.metric, window.span, rows_only, group_by=window.dimensions)
    expected: dict[Part, Aggregate] = {tuple(text or "" for _, text in key): group for key, group in groups.items()}
    by_pool = {place: aggregate(those, window.metric, window.span, rows_only) for place, those in pooled.items()}
    return expected | {place: number for place, number in by_pool.items() if number.value is not None}


def _meets(event: UsageEvent, conditions: Filter) -> bool:
    return all(
        ((property_text(event.properties.get(name)) or "") in values) is not excludes
        for name, values, excludes in conditions
    )


def test_usage_is_taken_while_clickhouse_is_away_and_nothing_is_sent_in_vain(
    relocated: Books, clickhouse: ClickHouseServer
) -> None:
    """A reader is refused rather than told too little. An insert whose answer was lost is repeated and counts once."""
    relocated.record(event("a", 5))
    clickhouse.failing = 3
    assert relocated.record(event("b", 2)).accepted == (0,)
    with (
        pytest.raises(ClickHouseFailed, match="shutting down"),
        relocated.database.transaction(relocated.tenant) as uow,
    ):
        usage_totals(uow, [relocated.window("tokens"), relocated.window("tokens", customer="blue")], TERMS)
    with pytest.raises(ClickHouseFailed):  # not carried out
        relocated.ship()
    with pytest.raises(ClickHouseFailed):  # carried out, and not acknowledged
        relocated.ship()

    assert relocated.used("tokens") == (7, 2)
    assert relocated.ship() == 0


def test_what_is_shipped_between_the_two_questions_of_a_reader_counts_once(
    relocated: Books, clickhouse: ClickHouseServer
) -> None:
    """The reader has found rows that wait; before it asks ClickHouse they are there, and one of them is corrected."""

    def correct_and_ship() -> None:
        relocated.amend(Amendment("gw", "b", event("b", 3, occurred_at=NINE + timedelta(days=1))))
        relocated.ship()

    for number, (meanwhile, expected) in enumerate([(relocated.ship, row(7, 2)), (correct_and_ship, row(8, 2))]):
        period = Period(NINE + timedelta(days=number), NINE + timedelta(days=number, hours=1))
        at = {"occurred_at": period.start}
        relocated.record(event(f"a{number}", 5, **at), event("b" if number else "c", 2, **at))
        clickhouse.meanwhile = meanwhile
        assert relocated.asked(relocated.window("tokens", period)) == [{(): expected}]
        assert clickhouse.meanwhile is None


def _interrupt(_: int) -> None:
    raise InterruptedError


def test_a_tenant_is_relocated_with_its_events_identities_and_amendments(
    shared: Database, furnish: Furnish, clickhouse: ClickHouseServer
) -> None:
    books = opened(shared, furnish, "postgresql")
    books.record(*(event(str(n), 10**n) for n in range(5)), event("in", 1, metric_code="seats", properties={"user": 1}))
    books.amend(Amendment("gw", "1", event("1", 20)), Amendment("gw", "2"))
    windows = [books.window("tokens"), books.window("seats"), books.window("tokens", dimensions=("n",))]
    before = books.totals(*windows)

    clickhouse.failing = 1
    with pytest.raises(ClickHouseFailed):
        books.relocate()
    with pytest.raises(InterruptedError):
        books.relocate(on_progress=_interrupt)
    books.amend(Amendment("gw", "3"))  # after it was copied as one that counts
    assert books.relocate() == 7  # 6 and the correction, 3 of which count no longer
    with pytest.raises(Conflict):
        books.relocate()

    assert before[0] == {(): row(11021, 4)}  # 1 + 20 + 1000 + 10000
    assert books.totals(*windows) == [
        {(): row(10021, 3)},
        {(): row(1, 1)},
        {("1",): row(1, 1), ("20",): row(20, 1), ("10000",): row(10000, 1)},
    ]
    assert books.record(event("0", 1), event("1", 10), event("4", 1)).duplicates == (0, 1)
    books.amend(Amendment("gw", "1", event("1", 30)), Amendment("gw", "4"))
    assert books.used("tokens") == (31, 2)
    # one that chose PostgreSQL before the relocation, and comes to write after it
    with pytest.raises(psycopg.errors.RestrictViolation, match="relocated"), shared.transaction(books.tenant) as uow:
        uow.execute(
            "insert into usage_events (tenant_id, id, source, event_id, customer_id, metric_code, occurred_at, value,"
            " properties, recorded_at) values (%s, %s, '', 'x', %s, 'calls', %s, 1, '{}', %s)",
            [books.tenant, new_id(NOW), books.customers["acme"], NINE, NOW],
        )


BOOK: Final = """\
price_book: main
currency: USD
tax_mode: exclusive
effective: 2020-01-01T00:00:00Z
products:
  - {code: app, name: App}
metrics:
  - {code: calls, name: Calls, aggregation: sum, field: value, unit: call}
plans:
  - code: metered
    name: Metered
    product: app
    interval: month
    charges:
      - {code: calls, name: Calls, kind: usage, metric: calls, unit_amount: 0.01}
"""


def test_what_was_used_before_a_relocation_is_billed_corrected_and_proven_after_it(
    shared: Database, server: Server, clickhouse: ClickHouseServer
) -> None:
    with shared.transaction(create_tenant(shared, slug="any", name="Any")) as uow:
        settings = uow.settings
    acme = Company.found(shared, settings, "acme")
    acme.sell(BOOK)
    acme.subscribe("ann", "metered", "2026-01-01")
    calls = [
        UsageEvent(f"e{n}", instant(day), {"value": n}, "test", "calls", "ann")
        for n, day in ((1500, "2026-01-10"), (200, "2026-01-20"), (100, "2026-02-03"))
    ]
    with acme.work() as uow:
        record_usage(uow, calls[:1], now=instant("2026-01-10"))
    with acme.work() as uow:
        relocate_usage(uow, now=instant("2026-01-15"), actor="ann", reason="grown")
    with acme.work() as uow:
        record_usage(uow, calls[1:], now=instant("2026-02-03"))

    january = acme.bill("2026-02-01")
    with acme.work() as uow:
        correction = Amendment("test", "e1500", calls[0]._replace(properties={"value": 1600}))
        receipt = amend_usage(uow, [correction], now=instant("2026-02-10"), actor="ann", reason="")
        mark_late_usage(uow, [LateUsage(*entry) for entry in receipt.touched], now=instant("2026-02-10"))
    acme.assert_proven()
    ship_usage(shared, acme.tenant_id, now=instant("2026-02-10"))
    february = acme.bill("2026-03-01")

    assert "calls 2026-01-01 2026-02-01 17.00" in january  # 1,500 + 200
    assert "calls 2026-01-01 2026-02-01 1.00" in february  # 16.00 + 2.00 are owed, 17.00 is billed
    assert "calls 2026-02-01 2026-03-01 1.00" in february  # 100
    acme.assert_proven()


def test_an_operator_relocates_a_tenant_and_ships_its_usage(
    server: Server, template: str, clickhouse: ClickHouseServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = ("-t", "acme", "--reason", "grown")
    with opened_shell(server, template, tmp_path) as tenor:
        tenor.done("tenant", "create", "acme", "--sandbox", "--clock", "2026-02-01T00:00:00Z")
        tenor.done("catalog", "apply", Path(__file__).parents[3] / "examples" / "acme.yaml", "-t", "acme")
        tenor.done("customer", "add", "globex", "-t", "acme")
        tenor.refused("usage", "relocate", *to, code="clickhouse_unknown", exit_code=3)
        monkeypatch.setenv("TENOR_CLICKHOUSE_URL", clickhouse.fresh_url())
        rows = (
            "event_id,customer,metric,occurred_at\n",
            *(f"j-{n},globex,calls,2026-01-05T09:00:00Z\n" for n in "123"),
        )
        tenor.done("usage", "import", tenor.file("one.csv", "".join(rows[:3])), "-t", "acme")

        assert tenor.done("usage", "relocate", *to).out == "2 rows relocated: usage of acme is in ClickHouse now\n"
        tenor.refused("usage", "relocate", *to, code="conflict")
        imported = tenor.done("usage", "import", tenor.file("two.csv", "".join(rows)), "-t", "acme")
        assert imported.out == "1 event taken, 2 known already\n"
        assert tenor.done("usage", "ship", "-t", "acme").out == "1 row shipped\n"
        assert tenor.done("usage", "ship", "-t", "acme", "--json").json == {"shipped": 0}
        shown = tenor.done(
            "usage", "show", "--customer", "globex", "--metric", "calls", "--since", "2026-01-01T00:00:00Z", "--json",
            "-t", "acme",
        )  # fmt: skip
        assert shown.json["usage"] == [{"units": "3", "events": 3}]


def test_a_relocation_that_does_not_add_up_is_none(
    shared: Database, furnish: Furnish, clickhouse: ClickHouseServer
) -> None:
    books = opened(shared, furnish, "postgresql")
    books.record(event("a", 5))
    with shared.transaction(books.tenant) as uow:
        server = ClickHouse(uow.settings.clickhouse_url or "")
    stray = b'{"tenant_id": "%s", "metric_code": "tokens", "value": "1", "ordinal": 1}' % str(books.tenant).encode()
    server.insert("usage_events", [stray])

    with pytest.raises(UsageRelocationFailed, match="counts 1 events that sum to 5, ClickHouse 2 that sum to 6"):
        books.relocate()

    assert books.record(event("b", 2)).accepted == (0,)
    assert books.used("tokens") == (7, 2)
    assert books.ship() == 0


def test_a_process_that_does_not_know_clickhouse_takes_no_usage(relocated: Books, shared: Database) -> None:
    with shared.transaction(relocated.tenant) as uow:
        unknowing = replace(uow, settings=replace(uow.settings, clickhouse_url=None))

        with pytest.raises(ClickHouseUnknown):
            record_usage(unknowing, [event("a", 5)], now=NOW)


def test_parameters_arrive_as_they_are(shared: Database, relocated: Books) -> None:
    with shared.transaction(relocated.tenant) as uow:
        server = ClickHouse(uow.settings.clickhouse_url or "")
    nasty = ["it's", "tab\t", "line\nend\r", "back\\slash\\", "\\'", '"', "é☃😀", "", "\\n", "{x:String}", "NULL", "])"]

    for text in nasty:
        assert server.fetch("select {x:String} format JSONCompactEachRow", x=text) == [[text]]
    assert server.fetch("select {x:Array(String)} format JSONCompactEachRow", x=nasty) == [[nasty]]
    ((microseconds,),) = server.fetch(
        "select toUnixTimestamp64Micro({at:DateTime64(6, 'UTC')}) format JSONCompactEachRow", at=NINE
    )
    assert instant_of(int(microseconds)) == NINE
    with pytest.raises(ClickHouseFailed, match="nowhere"):
        server.fetch("select * from nowhere format JSONCompactEachRow")
