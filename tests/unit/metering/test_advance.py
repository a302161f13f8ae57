"""Usage billed on arrival: only what rises above the highest level so far is due."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tenor.catalog.model import Aggregation
from tenor.kernel.money import RoundingMode
from tenor.kernel.period import Period
from tenor.metering.model import Metric, Span, UnmeasurableMetric, UsageEvent
from tenor.metering.rules.advance import AdvanceState, current_usage, increment
from tenor.metering.rules.aggregate import Terms
from tenor.pricing.policy import Rounding, profile

TERMS = Terms(profile("tenor").metering, units_rounding=Rounding(RoundingMode.CEIL, 5, "total"))
MAY = Span(Period(datetime(2023, 5, 1, tzinfo=UTC), datetime(2023, 6, 1, tzinfo=UTC)))
LATE_MAY = Span(Period(datetime(2023, 5, 15, tzinfo=UTC), MAY.period.end), period_days=31)  # 17 of 31 days
UNITS = Metric("units", Aggregation.SUM, "n")
SEATS = Metric("seats", Aggregation.UNIQUE_COUNT, "user", recurring=True)


def event(day: int, **properties: str) -> UsageEvent:
    return UsageEvent(f"{day} {properties}", datetime(2023, 5, day, tzinfo=UTC), properties)


def state(current: str | None = None, highest: str | None = None, carried_in: str | None = None) -> AdvanceState:
    amounts = [None if text is None else Decimal(text) for text in (current, highest, carried_in)]
    return AdvanceState(current=amounts[0], highest=amounts[1], carried_in=amounts[2])


@pytest.mark.parametrize(
    ("known", "changes", "due"),
    [
        (state(), ["12.4"], "12.4"),
        (state("4", "10"), ["10"], "4"),  # 4 + 10 = 14, above the 10 already billed
        (state("4", "10"), ["-2"], "0"),
        (state("7"), ["1"], "1"),  # no highest known: the level before
        (state(), ["5", "-3", "4"], "6"),  # 5, then 2, then 6: one more than ever before
        (state(), ["foo"], "0"),
    ],
)
def test_due_is_what_rises_above_the_highest_level(known: AdvanceState, changes: list[str], due: str) -> None:
    events = [event(10, n=change) for change in changes]

    assert increment(events, UNITS, MAY, TERMS, state=known).value == Decimal(due)


def test_due_units_count_for_the_days_left() -> None:
    prorated = Metric("units", Aggregation.SUM, "n", prorated=True, recurring=True)

    found = increment([event(30, n="10")], prorated, MAY, TERMS, state=state("4", "10"))

    assert found.value == Decimal("0.25807")  # 4 × 2/31 = 0.258064…, up


@pytest.mark.parametrize(
    ("active", "events", "due"),
    [
        ([], [event(19, user="a")], 1),
        (["a"], [event(19, user="a")], 0),
        (["a"], [event(19, user="b")], 1),
        (["a"], [event(19, user="a", operation_type="remove"), event(20, user="b")], 0),  # 1, 0, 1: paid already
        (["a"], [event(19, user="b", operation_type="remove"), event(20, user="b")], 1),  # took out what was not there
        ([], [event(19, other="a")], 0),
    ],
)
def test_a_unique_value_is_due_when_it_is_new(active: list[str], events: list[UsageEvent], due: int) -> None:
    assert increment(events, SEATS, MAY, TERMS, state=AdvanceState(active=frozenset(active))).value == due


@pytest.mark.parametrize(
    ("known", "value", "full_units"),
    [
        (state("4", "6", "5"), "11", "9"),  # carried 5 + highest 6; 5 + 4 are there
        (state("-5", "0", "2"), "2", "0"),
        (state(), "5", "5"),  # the 2.5 + 2.5 of March
    ],
)
def test_current_usage_is_what_was_carried_in_and_the_highest_since(
    known: AdvanceState, value: str, full_units: str
) -> None:
    march = [UsageEvent(str(n), datetime(2023, 3, 1, tzinfo=UTC), {"n": "2.5"}) for n in range(2)]
    recurring = Metric("units", Aggregation.SUM, "n", recurring=True)

    found = current_usage(march, recurring, MAY, TERMS, state=known)

    assert (found.value, found.full_units) == (Decimal(value), Decimal(full_units))


@pytest.mark.parametrize(
    ("known", "span", "value"),
    [
        (state("4", "6", "5"), LATE_MAY, "6.54194"),  # 5 × 17/31 = 2.741935…, up, + 3.8 billed
        (state("4", "6", "5"), MAY, "8.8"),
        (state("-1", "1", "2"), MAY, "4.8"),  # one of the two carried in has been given back
        (state("-5", "1"), MAY, "3.8"),
    ],
)
def test_prorated_current_usage_adds_what_was_billed(known: AdvanceState, span: Span, value: str) -> None:
    prorated = Metric("units", Aggregation.SUM, "n", recurring=True, prorated=True)

    found = current_usage([], prorated, span, TERMS, state=known._replace(billed_prorated=Decimal("3.8")))

    assert found.value == Decimal(value)


def test_a_reading_that_adds_nothing_cannot_be_billed_on_arrival() -> None:
    peak = Metric("peak", Aggregation.MAX, "n")

    with pytest.raises(UnmeasurableMetric):
        increment([], peak, MAY, TERMS, state=state())
    with pytest.raises(UnmeasurableMetric):
        current_usage([], peak, MAY, TERMS, state=state())
