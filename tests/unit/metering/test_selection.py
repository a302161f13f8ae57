"""Which events are one, and which a question is about."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tenor.metering.model import UsageEvent
from tenor.metering.rules.selection import Bounds, EventFilter, UnknownDedupKey, deduplicate

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ONE = datetime(2026, 3, 1, 13, tzinfo=UTC)


def event(event_id: str = "e", at: datetime = NOON, source: str = "", **properties: Any) -> UsageEvent:
    return UsageEvent(event_id, at, properties, source=source)


def test_the_key_says_which_events_are_one_and_which_of_them_counts() -> None:
    sent = [event("a", v=1), event("b", v=2), event("a", at=ONE, v=3), event("a", source="s", v=4)]

    def kept(key: list[str], keep: Any) -> list[Any]:
        return [found.properties["v"] for found in deduplicate(sent, key=key, keep=keep)]

    assert kept(["id"], "first") == [1, 2]
    assert kept(["id"], "last") == [2, 4]  # the one kept stands where it was stored
    assert kept(["id", "at"], "first") == [1, 2, 3]
    assert kept(["namespace", "source", "id"], "last") == [2, 3, 4]


def test_a_key_of_something_that_events_do_not_have_is_refused() -> None:
    with pytest.raises(UnknownDedupKey, match="'colour'"):
        deduplicate([], key=["id", "colour"], keep="first")


@pytest.mark.parametrize(
    ("selected", "passes"),
    [
        (EventFilter(), True),
        (EventFilter(match={"region": {"eu", "us"}}), True),
        (EventFilter(match={"region": {"us"}}), False),
        (EventFilter(match={"city": {None}}), True),  # absent, as asked
        (EventFilter(match={"region": {None}}), False),
        (EventFilter(match={"region": {"eu"}, "tier": {"2"}}), True),  # the number 2 is the text "2"
        (EventFilter(exclude=[{"region": {"eu"}}]), False),
        (EventFilter(exclude=[{"region": {"eu"}, "tier": {"1"}}]), True),  # must meet every key to be out
        (EventFilter(exclude=[{"region": {"eu"}, "tier": frozenset()}]), False),  # an empty list says nothing
        (EventFilter(exclude=[{}]), True),
        (EventFilter(exclude=[{"tier": frozenset()}]), True),
        (EventFilter(customer="c1", metric_code="api", subjects={"s1", "s2"}), True),
        (EventFilter(customer="c2"), False),
        (EventFilter(metric_code="other"), False),
        (EventFilter(subjects={"s9"}), False),
        (EventFilter(recorded=Bounds(gte=ONE, lt=datetime(2026, 3, 2, tzinfo=UTC))), True),
        (EventFilter(recorded=Bounds(gt=ONE)), False),
        (EventFilter(recorded=Bounds(lte=ONE)), True),
        (EventFilter(recorded=Bounds(lt=ONE)), False),
        (EventFilter(any_of=[EventFilter(customer="c2"), EventFilter(recorded=Bounds(lte=ONE))]), True),
        (EventFilter(any_of=[EventFilter(customer="c2"), EventFilter(recorded=Bounds(lt=ONE))]), False),
    ],
)
def test_a_filter_lets_pass_what_it_describes(selected: EventFilter, *, passes: bool) -> None:
    used = UsageEvent(
        "e", NOON, {"region": "eu", "tier": 2}, customer="c1", metric_code="api", subject="s1", recorded_at=ONE
    )

    assert selected.passes(used) is passes


def test_an_event_of_unknown_arrival_counts_as_stored_when_it_happened() -> None:
    assert EventFilter(recorded=Bounds(lte=NOON)).passes(event())
