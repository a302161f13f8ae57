"""Totals read from the database are those of the pure rule, whatever the events."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenor.catalog.model import Aggregation, Condition, Filter
from tenor.kernel.ids import CustomerId, SubscriptionId, TenantId, new_id
from tenor.kernel.money import EXACT, RoundingMode
from tenor.kernel.period import Period
from tenor.metering import (
    Aggregate,
    Amendment,
    Metric,
    Part,
    Span,
    Terms,
    UsageEvent,
    UsageWindow,
    amend_usage,
    find_metrics,
    record_usage,
    usage_totals,
    usage_values,
)
from tenor.metering.rules.aggregate import aggregate, aggregate_groups
from tenor.metering.rules.readings import property_text, read
from tenor.platform.database import Database
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import apply_price_book, read_price_book
from tenor.pricing.policy import Rounding, profile
from tests.integration.metering.conftest import METRICS, NOW, Furnish

TERMS = Terms(profile("tenor").metering)
MAY = Span(Period(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)))
SUBSCRIPTION = SubscriptionId(new_id(NOW))


def event(event_id: str, day: int, value: object, **changes: Any) -> UsageEvent:
    properties = {"n": value, **changes.pop("properties", {})}
    sent = UsageEvent(event_id, datetime(2026, 5, day, tzinfo=UTC), properties, metric_code="tokens", customer="acme")
    return sent._replace(**changes)


def row(value: object, count: int) -> Aggregate:
    return Aggregate(Decimal(str(value)), count)


def test_windows_of_any_kind_are_answered_together(uow: UnitOfWork, customers: dict[str, CustomerId]) -> None:
    metrics, acme, blue = find_metrics(uow), customers["acme"], customers["blue"]
    record_usage(
        uow,
        [
            event("1", 1, "2", properties={"region": "eu"}),
            event("2", 31, "3.5", properties={"region": "us"}),
            event("3", 20, 4),
            event("4", 20, "100", customer="blue"),
            event("5", 3, "8", metric_code="peak"),
            event("6", 2, "6", metric_code="peak"),
            event("7", 9, "5", metric_code="level"),
            event("8", 9, "6", metric_code="level"),  # the same instant: the later arrival
            event("9", 16, "31", metric_code="storage"),
            event("10", 5, "1", metric_code="seats", properties={"user": "u"}),
            event("11", 6, "1", metric_code="seats", properties={"user": "v"}),
            event("12", 7, "1", metric_code="seats", properties={"user": "u", "operation_type": "remove"}),
        ],
        now=NOW,
    )
    first_half = replace(MAY, period=Period(MAY.period.start, datetime(2026, 5, 16, tzinfo=UTC)))

    assert usage_totals(
        uow,
        [
            UsageWindow(acme, metrics["tokens"], MAY),
            UsageWindow(acme, metrics["tokens"], first_half),
            UsageWindow(acme, metrics["tokens"], MAY, dimensions=("region",)),
            UsageWindow(blue, metrics["tokens"], MAY),
            UsageWindow(blue, metrics["tokens"], first_half, dimensions=("region",)),
            UsageWindow(acme, metrics["peak"], MAY),
            UsageWindow(acme, metrics["level"], MAY),
            UsageWindow(acme, metrics["storage"], MAY),
            UsageWindow(acme, metrics["seats"], MAY),
            UsageWindow(blue, metrics["seats"], MAY),
        ],
        TERMS,
    ) == [
        {(): row(9.5, 3)},
        {(): row(2, 1)},
        {("eu",): row(2, 1), ("us",): row(3.5, 1), ("",): row(4, 1)},
        {(): row(100, 1)},
        {},
        {(): row(8, 2)},
        {(): row(6, 2)},
        {(): row(16, 1)},  # 31 from 16 May: 16 of 31 days
        {(): row(1, 3)},
        {(): row(0, 0)},
    ]


def test_usage_of_another_subscription_is_left_out(uow: UnitOfWork, customers: dict[str, CustomerId]) -> None:
    other = SubscriptionId(new_id(NOW))
    record_usage(
        uow,
        [
            event("1", 1, 1),
            event("2", 1, 10, subscription_id=SUBSCRIPTION),
            event("3", 1, 100, subscription_id=other),
        ],
        now=NOW,
    )
    window = UsageWindow(customers["acme"], find_metrics(uow)["tokens"], MAY)

    found = usage_totals(uow, [window, window._replace(subscription_id=SUBSCRIPTION)], TERMS)

    assert [totals[()].value for totals in found] == [111, 11]


def test_usage_that_carries_over_is_read_from_before_the_period(
    uow: UnitOfWork, customers: dict[str, CustomerId]
) -> None:
    record_usage(uow, [event("1", 1, 7, occurred_at=datetime(2026, 2, 1, tzinfo=UTC)), event("2", 1, 1)], now=NOW)
    recurring = replace(find_metrics(uow)["tokens"], recurring=True)

    assert usage_totals(uow, [UsageWindow(customers["acme"], recurring, MAY)], TERMS) == [{(): row(8, 2)}]


def test_nothing_asked_is_nothing_found(uow: UnitOfWork) -> None:
    assert usage_totals(uow, [], TERMS) == []


QUARTER = timedelta(minutes=15)
CARRYING = tuple((f"{code}-kept", kind, field) for code, kind, field in METRICS if Aggregation(kind).carries)
"""Metrics that carry over in the catalogue too, so that their months are kept; the others carry over where asked."""

EUROPE: Filter = (Condition("region", ("eu", "false")),)
NOT_TAKEN_OUT = Condition("operation_type", ("remove",), excludes=True)
BY_REGION, BY_BOTH = ("region",), ("region", "operation_type")

QUESTIONS: Sequence[tuple[tuple[str, ...], Filter, tuple[Filter, ...]]] = (
    ((), (), ()),
    ((), (NOT_TAKEN_OUT, *EUROPE), ()),
    (BY_REGION, (), ()),
    (BY_REGION, (NOT_TAKEN_OUT,), (EUROPE, (Condition("region", ("7", "100", "")),))),
    (BY_BOTH, (), ((*EUROPE, NOT_TAKEN_OUT), EUROPE)),
    (BY_BOTH, EUROPE, ((),)),
)
"""Dimensions, filter and pools. By region, and by both, is kept in the hours; the second one is not."""

# Few hours, so that events meet in them, and the ends of spans fall on events as well as between hours.
moments = st.integers(-8, 48).map(lambda quarters: MAY.period.start + quarters * QUARTER)
values = st.one_of(
    st.decimals(-1_000_000, 1_000_000, places=9).map(str), st.integers(-(10**14), 10**14), st.just("0.1")
)


@st.composite
def usage(draw: st.DrawFn) -> dict[str, Any]:
    """Return what one event says, but for its id."""
    properties: dict[str, Any] = {
        "n": draw(values),
        "user": draw(st.sampled_from(["a", 1, "1", Decimal("2.50"), "2.5", True])),
        "operation_type": draw(st.sampled_from(["add", "add", "remove"])),
    }
    if draw(st.booleans()):
        properties["region"] = draw(st.sampled_from(["eu", "", 7, Decimal("1E+2"), False]))
    return {
        "occurred_at": draw(moments),
        "properties": properties,
        "metric_code": draw(st.sampled_from([code for code, _, _ in (*METRICS, *CARRYING)])),
        "customer": draw(st.sampled_from(["acme", "acme", "acme", "blue"])),
        "subscription_id": draw(st.sampled_from([None, SUBSCRIPTION])),
    }


@pytest.fixture
def furnished(
    database: Database, tenant: TenantId, furnish: Furnish
) -> Iterator[tuple[UnitOfWork, dict[str, CustomerId]]]:
    """A transaction with customers and kept dimensions, whose savepoints the examples roll back to."""
    with database.transaction(tenant) as uow:
        customers = furnish(uow)
        uow.copy_rows(
            "metrics",
            [("code", "text"), ("name", "text"), ("aggregation", "text"), ("field", "text"), ("recurring", "boolean")],
            [(code, code, kind, field, True) for code, kind, field in CARRYING],
        )
        uow.copy_rows(
            "usage_breakdowns",
            [("metric_code", "text"), ("dimensions", "text[]")],
            [
                (code, kept)
                for code, _, _ in (*METRICS, *CARRYING)
                for kept in (["region"], ["region", "operation_type"])
            ],
        )
        yield uow, customers


class _Undo(Exception):
    """Ends an example's savepoint, so that the next one starts without events."""


_HOURS = """
    select metric_code, hour, sum(event_count), sum(total), sum(moment)
    from usage_hours h join usage_series s on s.id = h.series_id
    where s.dimensions = '{}' group by 1, 2 having sum(event_count) > 0 order by 1, 2
"""


_MONTHS_AMISS = """
    select * from (
        select h.series_id, date_trunc('month', h.hour, 'UTC') as month, h.key, sum(h.event_count) as event_count,
               sum(h.total) as total, max(h.latest) as latest
        from usage_hours h join usage_series s on s.id = h.series_id
        join metrics m on m.code = s.metric_code and (m.recurring or m.aggregation = 'latest') group by 1, 2, 3
    ) hours full join usage_months months using (series_id, month, key)
    where (hours.event_count, hours.total, hours.latest)
        is distinct from (months.event_count, months.total, months.latest)
"""
"""Months of what carries over that are not the sum of their hours."""


def _hours_of(events: list[UsageEvent]) -> list[tuple[Any, ...]]:
    """Return for each metric and hour how many events there are, what they sum to and their moment, one by one."""
    sums: dict[tuple[str, datetime], tuple[int, Decimal, Decimal | None]] = {}
    for event in events:
        metric = next(
            Metric(code, Aggregation(kind), field)
            for code, kind, field in (*METRICS, *CARRYING)
            if code == event.metric_code
        )
        hour = event.occurred_at.replace(minute=0)
        count, total, moment = sums.get((metric.code, hour), (0, Decimal(0), Decimal(0)))
        with localcontext(EXACT):
            value = read(event, metric).amount
            moment = (moment or 0) + value * Period(hour, event.occurred_at).microseconds
            is_weighted = metric.aggregation is Aggregation.WEIGHTED_SUM
            sums[metric.code, hour] = (count + 1, total + value, moment if is_weighted else None)
    return [(*key, *numbers) for key, numbers in sorted(sums.items())]


def _amend(uow: UnitOfWork, events: list[UsageEvent], event_id: str, said: dict[str, Any] | None) -> list[UsageEvent]:
    """Correct or cancel an event in the database; return what counts then, in the order of arrival."""
    now = NOW + timedelta(days=9)
    replacement = None if said is None else UsageEvent(event_id, **said)
    receipt = amend_usage(uow, [Amendment("", event_id, replacement)], now=now, actor="test", reason="")
    if not receipt.amended:  # cancelled before, or as it is
        return events
    others = [event for event in events if event.event_id != event_id]
    return others if replacement is None else [*others, replacement]


def test_midnight_and_the_hours_of_a_clock_change_belong_to_one_period(
    uow: UnitOfWork, customers: dict[str, CustomerId]
) -> None:
    """29 March 2026: Berlin goes from UTC+1 to UTC+2, so that the day has 23 hours and April begins at 22:00 UTC."""
    berlin = ZoneInfo("Europe/Berlin")
    days = [datetime(2026, 3, 28 + n, tzinfo=berlin).astimezone(UTC) for n in range(4)]  # midnights of 28 to 31 March
    april = datetime(2026, 4, 1, tzinfo=berlin).astimezone(UTC)
    instants = [
        *days,
        *(day - timedelta(microseconds=1) for day in days),
        datetime(2026, 3, 29, 0, 59, 59, 999_999, tzinfo=UTC),  # 01:59:59.999999, before the change
        datetime(2026, 3, 29, 1, tzinfo=UTC),  # 03:00, after it
        april - timedelta(microseconds=1),
        april,
    ]
    sent = [event(str(n), 1, 10**n, occurred_at=at) for n, at in enumerate(instants)]
    record_usage(uow, sent, now=NOW, strict=True)
    periods = [Period(start, end) for start, end in pairwise([*days, april])]
    tokens = find_metrics(uow)["tokens"]

    found = usage_totals(
        uow, [UsageWindow(customers["acme"], tokens, Span(period, berlin)) for period in periods], TERMS
    )

    assert april == datetime(2026, 3, 31, 22, tzinfo=UTC)
    assert [totals[()].value for totals in found] == [
        10**0 + 10**5,  # 28 March: its midnight, and the last instant before the next one
        10**1 + 10**6 + 10**8 + 10**9,  # 29 March: both sides of the change
        10**2 + 10**7,
        10**3 + 10**10,  # 31 March: up to the last instant; April's first is not in it
    ]


def test_an_event_on_the_edge_of_an_hour_or_a_span_counts_once(
    uow: UnitOfWork, customers: dict[str, CustomerId]
) -> None:
    """From 08:30 to 10:30: a ragged end, the hour from 09:00 to 10:00, another ragged end."""
    at = [datetime(2026, 5, 4, hour, minute, tzinfo=UTC) for hour in (8, 9, 10) for minute in (0, 30)]
    sent = [event(str(n), 1, 10**n, occurred_at=instant) for n, instant in enumerate(at)]
    record_usage(uow, sent, now=NOW, strict=True)
    window = UsageWindow(customers["acme"], find_metrics(uow)["tokens"], Span(Period(at[1], at[5])))

    for from_events in (False, True):
        assert usage_totals(uow, [window], TERMS, from_events=from_events) == [{(): row(11110, 4)}]
    assert usage_values(uow, [window], TERMS) == [[10, 100, 1000, 10000]]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_latest_is_that_of_the_time_of_use_whatever_arrives_last(
    uow: UnitOfWork, customers: dict[str, CustomerId], order: tuple[int, ...]
) -> None:
    noon = datetime(2026, 5, 4, 12, tzinfo=UTC)
    for minute in order:
        at = noon + timedelta(minutes=minute)
        record_usage(uow, [event(str(minute), 4, minute, occurred_at=at, metric_code="level")], now=NOW, strict=True)

    assert usage_totals(uow, [UsageWindow(customers["acme"], find_metrics(uow)["level"], MAY)], TERMS) == [
        {(): row(2, 3)}
    ]


def test_a_new_breakdown_is_worked_out_from_the_events_that_are_there(
    uow: UnitOfWork, customers: dict[str, CustomerId]
) -> None:
    """Until the next event comes in the answer is read from the events; from then on from the hours."""
    window = UsageWindow(customers["acme"], find_metrics(uow)["tokens"], MAY, dimensions=("region",))
    record_usage(uow, [event("1", 1, 2, properties={"region": "eu"}), event("2", 2, 3)], now=NOW, strict=True)
    kept = "select count(*) from usage_series where dimensions = '{region}'"
    _sell_by_region(uow)

    assert usage_totals(uow, [window], TERMS) == [{("eu",): row(2, 1), ("",): row(3, 1)}]
    assert uow.fetch_all(kept) == [(0,)]

    record_usage(uow, [event("3", 3, 4, properties={"region": "eu"})], now=NOW, strict=True)

    assert usage_totals(uow, [window], TERMS) == [{("eu",): row(6, 2), ("",): row(3, 1)}]
    assert uow.fetch_all(kept) == [(2,)]


def _sell_by_region(uow: UnitOfWork) -> None:
    book = read_price_book(
        b"""
        price_book: acme
        currency: USD
        tax_mode: exclusive
        effective: 2026-01-01T00:00:00Z
        products:
          - {code: app, name: App}
        metrics:
          - {code: tokens, name: tokens, aggregation: sum, field: n}
        plans:
          - code: pro
            name: Pro
            product: app
            interval: month
            charges:
              - code: tokens
                name: Tokens
                kind: usage
                metric: tokens
                model: matrix
                dimensions: [region]
                prices:
                  - {when: {region: eu}, model: standard, unit_amount: 0.01}
                default: {model: standard, unit_amount: 0.02}
        """
    )
    apply_price_book(uow, book, actor="test", now=NOW)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sent=st.lists(usage(), min_size=10, max_size=60),
    quarters=st.tuples(st.integers(0, 20), st.integers(21, 44)),
    cut=st.integers(0, 60),
    changes=st.lists(st.tuples(st.integers(0, 15), st.one_of(st.none(), usage())), min_size=4, max_size=8),
    zone=st.sampled_from(["UTC", "America/Los_Angeles", "Pacific/Chatham"]),
    rounded_by=st.sampled_from(["line", "event"]),
)
def test_the_database_and_the_rule_agree(
    furnished: tuple[UnitOfWork, dict[str, CustomerId]],
    sent: list[dict[str, Any]],
    quarters: tuple[int, int],
    cut: int,
    changes: list[tuple[int, dict[str, Any] | None]],
    zone: str,
    rounded_by: str,
) -> None:
    """Whole hours and ragged ends, events corrected and cancelled, from the aggregates and from the events alone.

    Each metric as it is, carrying over, prorated, and both; with a filter, and with pools of values; some of what they
    are kept apart by is in the hours. Days begin at 07:00 UTC in Los Angeles and at 11:15 UTC on the Chatham Islands.
    """
    terms = TERMS._replace(units_rounding=Rounding(RoundingMode.HALF_UP, 2, rounded_by))
    uow, customers = furnished
    events = [UsageEvent(str(number), **said) for number, said in enumerate(sent)]
    start, end = (MAY.period.start + offset * QUARTER for offset in quarters)
    span = Span(Period(start, end), ZoneInfo(zone), period_days=31)
    metrics = [
        Metric(code, Aggregation(aggregation), field, recurring=recurring, prorated=prorated)
        for code, aggregation, field in (*METRICS, *CARRYING)
        for recurring in {False, Aggregation(aggregation).carries}
        for prorated in {False, Aggregation(aggregation).is_additive}
    ]
    asked = [
        (name, UsageWindow(customers[name], metric, span, None, *question))
        for name in customers
        for metric in metrics
        for question in QUESTIONS
    ]

    found: list[dict[Part, Aggregate]] = []
    proven: list[dict[Part, Aggregate]] = []
    hours: list[tuple[Any, ...]] = []
    months_amiss: list[tuple[Any, ...]] = []
    try:
        with uow.connection.transaction():
            for batch in (events[:cut], events[cut:]):
                record_usage(uow, batch, now=NOW + timedelta(days=9), strict=True)
            for place, said in changes:
                if place < len(sent):
                    events = _amend(uow, events, str(place), said)
            found = usage_totals(uow, [window for _, window in asked], terms)
            proven = usage_totals(uow, [window for _, window in asked], terms, from_events=True)
            hours = uow.fetch_all(_HOURS)
            months_amiss = uow.fetch_all(_MONTHS_AMISS)
            raise _Undo
    except _Undo:
        pass

    assert found == proven
    assert hours == _hours_of(events)
    assert months_amiss == []
    for (name, window), totals in zip(asked, found, strict=True):
        mine = [
            used
            for used in events
            if used.customer == name and used.metric_code == window.metric.code and _meets(used, window.filter)
        ]
        pooled: dict[Part, list[UsageEvent]] = {}
        for used in mine:
            met = next((place for place, pool in enumerate(window.pools) if _meets(used, pool)), ())
            pooled.setdefault(met, []).append(used)
        if not window.dimensions:
            assert totals == {(): aggregate(mine, window.metric, span, terms)}
        else:
            policy = replace(TERMS.policy, no_events="no_row", missing_dimension="empty_string")
            rows_only = terms._replace(policy=policy)
            groups = aggregate_groups(pooled.pop((), []), window.metric, span, rows_only, group_by=window.dimensions)
            by_pool = {place: aggregate(those, window.metric, span, rows_only) for place, those in pooled.items()}
            expected: dict[Part, Aggregate] = {
                tuple(text or "" for _, text in key): group for key, group in groups.items()
            }
            expected |= {place: number for place, number in by_pool.items() if number.value is not None}
            # 0 of a removed unique value is a row in both
            assert totals == expected


def _meets(event: UsageEvent, conditions: Filter) -> bool:
    return all(
        ((property_text(event.properties.get(name)) or "") in values) is not excludes
        for name, values, excludes in conditions
    )
