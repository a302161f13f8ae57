"""Laws of totals: however time is cut into hours and ragged ends, the answer is that of the fold over the events."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from tenor.catalog.model import Aggregation
from tenor.kernel.period import EARLIEST, Period
from tenor.metering.model import Metric, Span, UsageEvent
from tenor.metering.rules.aggregate import Terms, aggregate, answer
from tenor.metering.rules.folds import Readings, active_keys
from tenor.metering.rules.readings import valid_readings
from tenor.metering.rules.totals import NOTHING, Totals, answer_from_totals, needs_each_event, readings_left
from tenor.metering.rules.windows import days_within
from tenor.pricing.policy import profile

START = datetime(2026, 3, 29, tzinfo=UTC)
TERMS = Terms(profile("tenor").metering)


@st.composite
def usage(draw: st.DrawFn) -> UsageEvent:
    """Return an event within two days, to the minute."""
    properties: dict[str, str | Decimal] = {
        "n": draw(st.decimals(-1000, 1000, places=6)),
        "user": draw(st.sampled_from("abc")),
        "operation_type": draw(st.sampled_from(["add", "remove"])),
    }
    return UsageEvent("", START + timedelta(minutes=draw(st.integers(0, 2880))), properties)


def totals_of(events: Sequence[UsageEvent], metric: Metric, span: Period, since: datetime) -> Totals:
    """Return the totals of the events from `since` to the end of `span` by their definition."""
    readings = [one for one in valid_readings(events, metric) if since <= one.at < span.end]
    if not readings:
        return NOTHING
    amounts = [reading.amount for reading in readings]
    active = active_keys(readings)
    return Totals(
        len(amounts),
        sum(span.holds(reading.at) for reading in readings),
        sum(amounts, Decimal(0)),
        max(amounts),
        min(amounts),
        amounts[-1],
        len(active),
        tuple(active),
        sum((one.amount * Period(max(one.at, span.start), span.end).microseconds for one in readings), Decimal(0)),
    )


def metric_of(aggregation: Aggregation, *, recurring: bool, prorated: bool = False) -> Metric:
    fields = {Aggregation.COUNT: None, Aggregation.UNIQUE_COUNT: "user"}
    return Metric("m", aggregation, fields.get(aggregation, "n"), recurring=recurring, prorated=prorated)


@given(
    st.lists(usage(), max_size=20),
    st.tuples(st.integers(0, 1440), st.integers(1441, 2880)),
    st.sampled_from(list(Aggregation)),
    st.booleans(),
    st.sampled_from(["zero", "no_row"]),
    st.sampled_from([Decimal(0), Decimal("2.5")]),
)
def test_totals_answer_as_the_events_do(
    sent: list[UsageEvent],
    cut: tuple[int, int],
    aggregation: Aggregation,
    carries: bool,
    no_events: str,
    opening_level: Decimal,
) -> None:
    metric = metric_of(aggregation, recurring=carries and aggregation.carries)
    terms = TERMS._replace(
        policy=replace(TERMS.policy, no_events=no_events),  # type: ignore[arg-type]  # one of two
        opening_level=opening_level,
    )
    span = Span(Period(*(START + timedelta(minutes=minute) for minute in cut)), period_days=30)
    totals = totals_of(sent, metric, span.period, EARLIEST if metric.recurring else span.period.start)

    assert answer_from_totals(totals, metric, span, terms) == aggregate(sent, metric, span, terms)


@given(
    st.lists(usage(), max_size=20),
    st.tuples(st.integers(0, 1440), st.integers(1441, 2880)),
    st.sampled_from([one for one in Aggregation if one.is_additive]),
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu"]),
)
def test_what_carries_over_and_the_totals_of_days_stand_for_their_events(
    sent: list[UsageEvent], cut: tuple[int, int], aggregation: Aggregation, zone: str
) -> None:
    """On the night of 29 March 2026 the clocks of Berlin change; Kathmandu's days begin at 18:15 UTC."""
    metric = metric_of(aggregation, recurring=True, prorated=True)
    span = Span(Period(*(START + timedelta(minutes=minute) for minute in cut)), ZoneInfo(zone), period_days=30)
    before = Period(EARLIEST, span.period.start)
    left = readings_left(totals_of(sent, metric, before, EARLIEST), metric, span.period)
    inside = [one for one in valid_readings(sent, metric) if span.period.holds(one.at)]
    expected = aggregate(sent, metric, span, TERMS)

    assert answer(Readings(left, inside), metric, span, TERMS, event_count=expected.event_count) == expected
    if not needs_each_event(metric, TERMS):
        days = list(days_within(span.period, span.zone))
        by_day = [one for day in days for one in readings_left(totals_of(sent, metric, day, day.start), metric, day)]
        assert answer(Readings(left, by_day), metric, span, TERMS, event_count=expected.event_count) == expected
