"""Laws of totals: however time is cut into hours and ragged ends, the answer is that of the fold over the events."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tenor.catalog.model import Aggregation
from tenor.kernel.period import Period
from tenor.metering.model import Metric, Span, UsageEvent
from tenor.metering.rules.aggregate import Terms, aggregate
from tenor.metering.rules.folds import active_keys
from tenor.metering.rules.readings import valid_readings
from tenor.metering.rules.totals import NOTHING, Totals, answer, follows_from_totals
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


def totals_of(events: Sequence[UsageEvent], metric: Metric) -> Totals:
    """Return the totals by their definition."""
    readings = valid_readings(events, metric)
    if not readings:
        return NOTHING
    amounts = [reading.amount for reading in readings]
    return Totals(
        len(amounts), sum(amounts, Decimal(0)), max(amounts), min(amounts), amounts[-1], len(active_keys(readings))
    )


@given(
    st.lists(usage(), max_size=20),
    st.tuples(st.integers(0, 1440), st.integers(1441, 2880)),
    st.sampled_from([one for one in Aggregation if one is not Aggregation.WEIGHTED_SUM]),
    st.booleans(),
    st.sampled_from(["zero", "no_row"]),
)
def test_totals_answer_as_the_events_do(
    sent: list[UsageEvent], cut: tuple[int, int], aggregation: Aggregation, carries: bool, no_events: str
) -> None:
    field = "user" if aggregation is Aggregation.UNIQUE_COUNT else "n"
    may_carry = aggregation not in (Aggregation.MAX, Aggregation.MIN, Aggregation.AVG)
    metric = Metric("m", aggregation, field, recurring=carries and may_carry)
    terms = TERMS._replace(policy=replace(TERMS.policy, no_events=no_events))  # type: ignore[arg-type]  # one of two
    period = Period(*(START + timedelta(minutes=minute) for minute in cut))
    inside = [event for event in sent if period.holds(event.occurred_at)]
    before = [event for event in sent if event.occurred_at < period.start] if metric.recurring else []

    assert follows_from_totals(metric)
    assert answer(totals_of(before + inside, metric), totals_of(inside, metric), metric, terms) == aggregate(
        sent, metric, Span(period), terms
    )
