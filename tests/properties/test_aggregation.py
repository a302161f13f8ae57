"""Laws of aggregation: order and repetition do not matter, parts sum to the whole, nothing is billed twice."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from tenor.catalog.model import Aggregation
from tenor.kernel.period import Period
from tenor.metering.model import Metric, Span, UsageEvent
from tenor.metering.rules.advance import AdvanceState, increment
from tenor.metering.rules.aggregate import Terms, aggregate, aggregate_groups, aggregate_windows, per_event
from tenor.metering.rules.selection import deduplicate
from tenor.pricing.policy import profile

TERMS = Terms(profile("tenor").metering)
ZONE = ZoneInfo("Europe/Berlin")  # the clocks go forward inside the span
SPAN = Span(Period(datetime(2026, 3, 20, 23, tzinfo=UTC), datetime(2026, 4, 4, 22, tzinfo=UTC)), ZONE)
TOTAL = Metric("m", Aggregation.SUM, "n")
SEATS = Metric("m", Aggregation.UNIQUE_COUNT, "user", recurring=True, prorated=True)

moments = st.integers(-3 * 1440, 18 * 1440).map(lambda minutes: SPAN.period.start + timedelta(minutes=minutes))
amounts = st.decimals(min_value=-10_000, max_value=10_000, places=6)


@st.composite
def usage(draw: st.DrawFn) -> UsageEvent:
    """Return an event around the span with a number, a user that comes or goes, and perhaps a region."""
    properties: dict[str, str | Decimal] = {
        "n": draw(amounts),
        "user": draw(st.sampled_from("abc")),
        "operation_type": draw(st.sampled_from(["add", "remove"])),
    }
    if draw(st.booleans()):
        properties["region"] = draw(st.sampled_from(["eu", "us"]))
    return UsageEvent(draw(st.uuids()).hex, draw(moments), properties)


events = st.lists(usage(), max_size=20)


@given(events, st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_change_the_number(sent: list[UsageEvent], shuffle: object) -> None:
    again = [*sent, *sent]
    shuffle.shuffle(again)  # type: ignore[attr-defined]  # random.Random, as hypothesis wraps it
    unique = deduplicate(again, key=["source", "id"], keep="first")

    for aggregation in (Aggregation.COUNT, Aggregation.SUM, Aggregation.MAX, Aggregation.MIN, Aggregation.AVG):
        metric = Metric("m", aggregation, "n")
        assert aggregate(unique, metric, SPAN, TERMS) == aggregate(sent, metric, SPAN, TERMS)


@given(events)
def test_windows_and_groups_sum_to_the_whole(sent: list[UsageEvent]) -> None:
    whole = aggregate(sent, TOTAL, SPAN, TERMS)
    days = [row for _, row in aggregate_windows(sent, TOTAL, SPAN, TERMS, window="day")]
    groups = list(aggregate_groups(sent, TOTAL, SPAN, TERMS, group_by=["region"]).values())

    for parts in (days, groups):
        assert sum(part.value or 0 for part in parts) == whole.value
        assert sum(part.event_count for part in parts) == whole.event_count


@given(events, moments.filter(SPAN.period.holds))
def test_a_level_over_time_may_be_cut_anywhere(sent: list[UsageEvent], cut: datetime) -> None:
    level = Metric("m", Aggregation.WEIGHTED_SUM, "n", recurring=True)
    whole = replace(SPAN, period_days=16)
    parts = [Period(SPAN.period.start, cut), Period(cut, SPAN.period.end)]

    def area(period: Period) -> Fraction:
        return Fraction(aggregate(sent, level, replace(whole, period=period), TERMS).value or 0)

    # each area is divided once, at 120 digits
    assert abs(sum(area(part) for part in parts if not part.is_empty) - area(SPAN.period)) < Fraction(1, 10**100)


@given(events)
def test_prorated_units_of_the_events_sum_to_the_total(sent: list[UsageEvent]) -> None:
    for metric in (replace(TOTAL, prorated=True, recurring=True), SEATS):
        apart = sum(map(Fraction, per_event(sent, metric, SPAN, TERMS)))
        together = Fraction(aggregate(sent, metric, SPAN, TERMS).value or 0)
        assert abs(apart - together) < Fraction(1, 10**100)


@given(events)
def test_a_unique_value_is_active_on_the_days_that_a_calendar_shows(sent: list[UsageEvent]) -> None:
    """The oracle walks the days one by one instead of joining stretches."""
    in_order = sorted(sent, key=lambda event: event.occurred_at)
    active_days = 0
    for user in "abc":
        there = False
        days: set[date] = set()
        entries = [event for event in in_order if event.properties["user"] == user]
        for day in (SPAN.first_day + timedelta(days=n) for n in range(SPAN.days)):
            today = [event for event in entries if SPAN.day_of(event.occurred_at) == day]
            before = [event for event in entries if SPAN.day_of(event.occurred_at) < day]
            there = bool(before) and before[-1].properties["operation_type"] == "add"
            if there or any(event.properties["operation_type"] == "add" for event in today):
                days.add(day)
        active_days += len(days)

    found = aggregate(sent, SEATS, SPAN, TERMS).value or Decimal(0)

    assert Fraction(active_days, SPAN.days) == Fraction(found).limit_denominator(10**9)


@given(st.lists(amounts, max_size=12))
def test_arrivals_one_by_one_are_due_as_much_as_all_at_once(changes: list[Decimal]) -> None:
    sent = [
        UsageEvent(str(n), SPAN.period.start + timedelta(minutes=n), {"n": change}) for n, change in enumerate(changes)
    ]
    level = highest = due = Decimal(0)
    for event in sent:
        due += increment([event], TOTAL, SPAN, TERMS, state=AdvanceState(current=level, highest=highest)).value or 0
        level += Decimal(str(event.properties["n"]))
        highest = max(highest, level)

    assert due == highest == increment(sent, TOTAL, SPAN, TERMS, state=AdvanceState()).value
