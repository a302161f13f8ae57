"""The eight aggregations, carrying over, rounding and proration, with figures worked out by hand."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tenor.catalog.model import Aggregation
from tenor.kernel.money import RoundingMode
from tenor.kernel.period import Period, parse_instant
from tenor.metering.model import Metric, Span, UnmeasurableMetric, UsageEvent
from tenor.metering.rules.aggregate import Aggregate, Terms, aggregate, aggregate_groups, per_event
from tenor.pricing.policy import Rounding, policy_with, profile

POLICY = profile("tenor").metering
TERMS = Terms(POLICY)
MARCH = Span(Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)))
CEIL_5 = Rounding(RoundingMode.CEIL, 5, "total")


def event(at: str, **properties: Any) -> UsageEvent:
    return UsageEvent(event_id=f"{at} {properties}", occurred_at=parse_instant(at), properties=properties)


def row(value: int, count: int) -> Aggregate:
    return Aggregate(Decimal(value), count)


def march(day: int, value: object, **properties: Any) -> UsageEvent:
    return event(f"2026-03-{day:02d}T12:00:00Z", n=value, **properties)


def metric(aggregation: str, **settings: Any) -> Metric:
    return Metric("m", Aggregation(aggregation), None if aggregation == "count" else "n", **settings)


READINGS = [march(5, "4"), march(2, "7"), march(28, "1.5"), march(9, "-2")]


@pytest.mark.parametrize(
    ("aggregation", "value"),
    [
        ("count", "4"),
        ("sum", "10.5"),  # 4 + 7 + 1.5 - 2
        ("max", "7"),
        ("min", "-2"),
        ("avg", "2.625"),  # 10.5 / 4
        ("latest", "1.5"),  # of 28 March, the last by event time
        ("unique_count", "4"),
    ],
)
def test_each_aggregation_folds_the_events_inside(aggregation: str, value: str) -> None:
    outside = [event("2026-02-28T23:59:59.999999Z", n="100"), event("2026-04-01T00:00:00Z", n="100")]

    assert aggregate([*READINGS, *outside], metric(aggregation), MARCH, TERMS) == (Decimal(value), 4)


@pytest.mark.parametrize("aggregation", list(Aggregation))
def test_nothing_measured_is_zero_or_no_row_by_policy(aggregation: Aggregation) -> None:
    no_row = Terms(replace(POLICY, no_events="no_row"))

    assert aggregate([], metric(aggregation), MARCH, TERMS) == (Decimal(0), 0)
    assert aggregate([], metric(aggregation), MARCH, no_row) == (None, 0)


@pytest.mark.parametrize(
    "unusable", [None, "", "abc", "NaN", "Infinity", "1e999", "١٢", True, "1" * 16, "0." + "1" * 19]
)
def test_an_event_without_a_finite_number_is_not_counted(unusable: object) -> None:
    assert aggregate([march(1, unusable), march(2, "3")], metric("sum"), MARCH, TERMS) == (Decimal(3), 1)
    assert aggregate([march(1, unusable)], metric("count"), MARCH, TERMS).event_count == 1  # a count needs no field


def test_latest_of_one_instant_is_the_one_stored_last() -> None:
    assert aggregate([march(4, "1"), march(4, "2"), march(3, "9")], metric("latest"), MARCH, TERMS).value == 2


def test_a_negative_latest_reading_may_be_taken_as_zero() -> None:
    floor = Terms(replace(POLICY, latest_negative="zero"))

    assert aggregate([march(4, "-6")], metric("latest"), MARCH, TERMS).value == -6
    assert aggregate([march(4, "-6")], metric("latest"), MARCH, floor).value == 0


def test_a_level_carries_over_only_where_policy_or_metric_say_so() -> None:
    before = [event("2026-02-03T00:00:00Z", n="8")]
    carrying = Terms(policy_with("tenor", {"carry_over": "latest"}).metering)

    assert aggregate(before, metric("latest"), MARCH, TERMS) == row(0, 0)
    assert aggregate(before, metric("latest"), MARCH, carrying) == row(8, 0)
    assert aggregate(before, metric("latest", recurring=True), MARCH, TERMS) == row(8, 0)
    assert aggregate(before, metric("sum"), MARCH, carrying) == row(0, 0)
    assert aggregate([*before, march(4, "2")], metric("sum", recurring=True), MARCH, TERMS) == row(10, 2)


def test_unique_values_are_told_apart_by_their_text_and_can_be_taken_out() -> None:
    events = [march(1, 1), march(2, "1"), march(3, Decimal("1.0")), march(4, "b")]  # three spellings of 1
    removed = [march(5, "b", operation_type="remove"), march(6, "c", operation_type="remove")]

    assert aggregate(events, metric("unique_count"), MARCH, TERMS).value == 2
    assert aggregate([*events, *removed], metric("unique_count"), MARCH, TERMS).value == 1


def test_a_recurring_unique_value_stays_until_it_is_removed() -> None:
    events = [event("2026-01-10T00:00:00Z", n="a"), event("2026-02-10T00:00:00Z", n="b")]
    seats = metric("unique_count", recurring=True)

    assert aggregate(events, seats, MARCH, TERMS).value == 2
    assert aggregate([*events, march(1, "a", operation_type="remove")], seats, MARCH, TERMS).value == 1


def test_weighted_sum_is_the_level_over_time() -> None:
    # 10 units for 31 days, 5 more for the last 15.5 days of 31: 10 + 5 / 2
    events = [event("2026-03-01T00:00:00Z", n="10"), event("2026-03-16T12:00:00Z", n="5")]

    assert aggregate(events, metric("weighted_sum"), MARCH, TERMS) == (Decimal("12.5"), 2)


def test_weighted_sum_starts_at_the_level_known_and_carried() -> None:
    before = [event("2026-02-10T00:00:00Z", n="3")]
    opening = Terms(POLICY, opening_level=Decimal(4))
    half = replace(MARCH, period=Period(MARCH.period.start, datetime(2026, 3, 16, 12, tzinfo=UTC)), period_days=31)

    assert aggregate([], metric("weighted_sum"), MARCH, opening) == row(4, 0)
    assert aggregate(before, metric("weighted_sum", recurring=True), MARCH, opening) == row(7, 0)
    assert aggregate(before, metric("weighted_sum", recurring=True), half, opening).value == Decimal("3.5")


@pytest.mark.parametrize(
    ("mode", "digits", "value"),
    [("half_up", 0, "123"), ("ceil", 2, "123.46"), ("floor", -2, "100"), ("ceil", -2, "200"), ("none", 0, "123.456")],
)
def test_the_metric_rounds_its_total_once(mode: str, digits: int, value: str) -> None:
    rounded = metric("sum", rounding=Rounding(RoundingMode(mode), digits))

    assert aggregate([march(1, "100.2"), march(2, "23.256")], rounded, MARCH, TERMS).value == Decimal(value)


@pytest.mark.parametrize(
    ("events", "value"),
    [
        ([march(1, "31")], "31"),
        ([march(31, "31")], "1"),  # its own day counts
        ([march(26, "12"), march(26, "12")], "4.64517"),  # 24 × 6/31 = 4.645161…, up at the fifth digit
        ([march(2, "-3.1")], "-3"),  # -3.1 × 30/31
        ([march(1, "1") for _ in range(31)], "31"),  # exact: no ceiling of a sum of rounded shares
        ([march(31, "1") for _ in range(31)], "1"),
        ([event("2026-02-01T00:00:00Z", n="5"), march(31, "3.1")], "5.1"),  # carried in whole + 3.1 × 1/31
    ],
)
def test_a_prorated_value_counts_for_its_days(events: list[UsageEvent], value: str) -> None:
    terms = Terms(POLICY, units_rounding=CEIL_5)

    assert aggregate(events, metric("sum", prorated=True, recurring=True), MARCH, terms).value == Decimal(value)


def test_prorated_units_may_be_rounded_event_by_event() -> None:
    terms = Terms(POLICY, units_rounding=Rounding(RoundingMode.CEIL, 1, "event"))
    events = [march(26, "1"), march(26, "1")]  # 6/31 = 0.1935… each, 0.2 when rounded

    assert aggregate(events, metric("sum", prorated=True), MARCH, terms).value == Decimal("0.4")
    assert per_event(events, metric("sum", prorated=True), MARCH, terms) == [Decimal("0.2")] * 2


@pytest.mark.parametrize(
    ("events", "days"),
    [
        ([event("2026-02-01T00:00:00Z", n="a")], 31),  # carried in
        ([march(11, "a")], 21),
        ([march(3, "a"), march(3, "a", operation_type="remove")], 1),
        ([event("2026-02-01T00:00:00Z", n="a"), march(4, "a", operation_type="remove")], 4),
        # away from 4 to 6 March: 1-4 and 6-31
        ([event("2026-02-01T00:00:00Z", n="a"), march(4, "a", operation_type="remove"), march(6, "a")], 30),
        # taken out and back on one day: never away
        ([march(1, "a"), march(4, "a", operation_type="remove"), march(4, "a")], 31),
        ([march(1, "a"), march(1, "b"), march(31, "a", operation_type="remove")], 62),
        ([march(5, "a", operation_type="remove")], 0),
    ],
)
def test_a_prorated_unique_value_counts_for_its_active_days(events: list[UsageEvent], days: int) -> None:
    seats = metric("unique_count", prorated=True, recurring=True)

    assert aggregate(events, seats, MARCH, Terms(POLICY, units_rounding=CEIL_5)).value == (
        (Decimal(days) / 31).quantize(Decimal("0.00001"), rounding="ROUND_CEILING")
    )


def test_days_are_local_and_shares_are_of_the_full_period() -> None:
    # 07:30 UTC on 30 March is still 29 March in Los Angeles: 3 of the days 15 to 31 are left, of 31 in all
    los_angeles = ZoneInfo("America/Los_Angeles")
    start, end = (parse_instant(text) for text in ("2026-03-15T00:00:00-07:00", "2026-04-01T00:00:00-07:00"))
    span = Span(Period(start, end), los_angeles, period_days=31)

    late = aggregate([event("2026-03-30T06:30:00Z", n="31")], metric("sum", prorated=True), span, TERMS)
    carried = aggregate(
        [event("2026-03-01T00:00:00Z", n="31")], metric("sum", prorated=True, recurring=True), span, TERMS
    )

    assert (late.value, carried.value) == (Decimal(3), Decimal(17))


def test_per_event_gives_the_carried_level_first_and_nothing_for_a_removal() -> None:
    before = [event("2026-02-01T00:00:00Z", n="2.5"), event("2026-02-02T00:00:00Z", n="2.5")]
    seats = [march(11, "a"), march(16, "a", operation_type="remove"), march(22, "b")]

    assert per_event([*before, march(1, "3")], metric("sum", prorated=True, recurring=True), MARCH, TERMS) == [5, 3]
    units = per_event(seats, metric("unique_count", prorated=True), MARCH, TERMS)
    assert [round(unit * 31) for unit in units] == [6, 0, 10]


def test_groups_hold_the_combinations_that_were_used() -> None:
    events = [march(1, "2", region="eu"), march(2, "3", region="eu", zone="a"), march(3, "x", region="us"), march(4, 5)]

    assert aggregate_groups(events, metric("sum"), MARCH, TERMS, group_by=["region", "zone"]) == {
        (("region", "eu"), ("zone", None)): row(2, 1),
        (("region", "eu"), ("zone", "a")): row(3, 1),
        (("region", None), ("zone", None)): row(5, 1),
    }


def test_no_group_at_all_is_one_row_of_zero_or_none() -> None:
    as_text = Terms(replace(POLICY, no_events="zero", missing_dimension="empty_string"))
    no_row = Terms(replace(POLICY, no_events="no_row"))

    assert aggregate_groups([], metric("sum"), MARCH, as_text, group_by=["k"]) == {
        (("k", ""),): Aggregate(Decimal(0), 0)
    }
    assert aggregate_groups([], metric("sum"), MARCH, no_row, group_by=["k"]) == {}


@pytest.mark.parametrize(
    "settings",
    [
        {"aggregation": Aggregation.SUM},
        {"aggregation": Aggregation.MAX, "field": "n", "prorated": True},
        {"aggregation": Aggregation.AVG, "field": "n", "recurring": True},
    ],
)
def test_a_metric_that_contradicts_itself_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(UnmeasurableMetric):
        Metric("m", **settings)
